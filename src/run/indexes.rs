//! `dbctl indexes`

use std::collections::BTreeMap;

use super::Run;
use crate::cli::indexes::Indexes;
use crate::error::{Failure, Kind, Result};
use crate::inspect::{Eye, indexes};
use crate::outcome::Outcome;

impl Run {
    pub(super) fn indexes(&self, asked: &Indexes) -> Result<Outcome> {
        if !asked.replicas.is_empty() {
            self.one_target_only("--replica")?;
        }
        self.on_targets(async |run, target, interrupt| {
            let eye = Eye::open(&run.connection(target)?, "indexes", interrupt).await?;
            let only_idle = asked.wish.kinds.iter().all(|kind| *kind == indexes::Kind::Unused);
            let mut catalog = indexes::read(&eye, indexes::LIMIT, only_idle).await?;
            if let Some(missing) = indexes::missing(&eye, &asked.wish.schemas, &asked.wish.tables).await? {
                return Err(Failure::new(
                    Kind::Usage,
                    format!("there is no {missing} in database {}", catalog.database),
                )
                .hint("dbctl sizes lists the tables that there are"));
            }
            let mut elsewhere: Vec<BTreeMap<String, i64>> = Vec::new();
            for replica in &asked.replicas {
                let there = Eye::open(&run.connect_to(Some(replica))?, "indexes", interrupt).await?;
                let there = indexes::read(&there, indexes::LIMIT, false).await?;
                if there.database != catalog.database {
                    return Err(Failure::new(
                        Kind::Usage,
                        format!("--replica leads to database {}, and this is {}", there.database, catalog.database),
                    )
                    .hint("name a standby of this server, with this database"));
                }
                catalog.counted_seconds = catalog.counted_seconds.min(there.counted_seconds);
                catalog.since = catalog.since.max(there.since);
                elsewhere.push(indexes::uses(&there));
            }
            // What is found is measured, and then told by its true size.
            let any_size = indexes::Limits { min_bytes: 0, ..asked.limits };
            let mut found = indexes::judge(&catalog, &elsewhere, &any_size);
            found.retain(|finding| asked.wish.wants(finding));
            indexes::measure(&eye, &mut catalog, &mut found).await?;
            indexes::by_size(&mut found, asked.limits.min_bytes);
            let oids: Vec<u32> = asked
                .wish
                .shown(&found)
                .iter()
                .filter_map(|finding| finding.index.as_ref())
                .map(|(oid, _)| *oid)
                .collect();
            let made = indexes::definitions(&eye, &oids).await?;
            Ok(indexes::view(&catalog, &found, &made, &asked.limits, &asked.wish))
        })
    }
}

//! `dbctl sizes`

use super::Run;
use crate::cli::sizes::Sizes;
use crate::error::{Failure, Kind, Result};
use crate::inspect::{Eye, sizes};
use crate::outcome::Outcome;

impl Run {
    pub(super) fn sizes(&self, asked: &Sizes) -> Result<Outcome> {
        if asked.save.is_some() || asked.since.is_some() {
            self.one_target_only("--save and --since")?;
        }
        if asked.wish.sort == sizes::Sort::Growth && asked.since.is_none() {
            return Err(Failure::new(Kind::Usage, "--sort growth needs something to compare with: --since FILE")
                .hint("such a file is written by: dbctl sizes --save FILE"));
        }
        let before = asked.since.as_deref().map(sizes::before).transpose()?;
        self.on_targets(async |run, target, interrupt| {
            let eye = Eye::open(&run.connection(target)?, "sizes", interrupt).await?;
            let seen = sizes::read(&eye, asked.wish.databases).await?;
            let trees = sizes::trees(&seen.parts);
            if let Some(file) = &asked.save {
                sizes::save(file, seen.at, &seen.database, &trees)?;
            }
            Ok((Outcome::Done, sizes::view(&seen, &trees, before.as_ref(), &asked.wish)))
        })
    }
}

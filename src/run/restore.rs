//! `dbctl restore`: from flags to the room `backup`.

use super::Run;
use super::backup::usual_jobs;
use crate::backup::restore::{self, Aftermath};
use crate::cli::restore::{After, Wanted, Wish};
use crate::error::Result;
use crate::outcome::Outcome;
use crate::steps::Means;
use crate::talk::Terminal;

impl Run {
    pub(super) fn restore(&self, wish: &Wish) -> Result<Outcome> {
        self.one_target_only("restore")?;
        match wish {
            Wish::Restore(wanted) => self.restore_backup(wanted),
            Wish::After(after) => self.after_restore(after),
        }
    }

    fn restore_backup(&self, wanted: &Wanted) -> Result<Outcome> {
        let repository = self.repository(wanted.from.as_deref(), "--from")?;
        let keys = self.keys(&wanted.keys)?;
        self.on_targets(async |run, target, interrupt| {
            let request = restore::Request {
                connection: run.connection(target)?,
                repository: repository.clone(),
                id: wanted.id.clone(),
                database: wanted.database.clone(),
                to: wanted.to.clone(),
                replace: wanted.replace,
                tables: wanted.tables.clone(),
                schemas: wanted.schemas.clone(),
                into_schema: wanted.into_schema.clone(),
                roles: wanted.roles,
                map_roles: wanted.map_roles.clone(),
                skip_foreign_keys: wanted.skip_foreign_keys.clone(),
                jobs: wanted.jobs.unwrap_or_else(usual_jobs),
                resume: wanted.resume,
                confirm_name: wanted.confirm_name.clone(),
                other_cluster: wanted.other_cluster,
                leave_bound: wanted.leave_slots,
                keys: keys.clone(),
                env: run.env.clone(),
                rails: run.rails(target, false),
                lease_wait: run.settings.lock_wait.value,
                dry_run: run.consent.dry_run,
            };
            let mut talker = run.talker();
            let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
            restore::restore(&request, &mut means).await
        })
    }

    fn after_restore(&self, after: &After) -> Result<Outcome> {
        self.on_targets(async |run, target, interrupt| {
            let connection = run.connection(target)?;
            let mut talker = run.talker();
            let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
            let of = |name: &str| Aftermath {
                connection: connection.clone(),
                target: name.to_owned(),
                rails: run.rails(target, true),
            };
            match after {
                After::Undo { to_database } => restore::undo(&of(to_database), &mut means).await,
                After::Confirm { to_database, older_than } => {
                    restore::confirm(&of(to_database), *older_than, &mut means).await
                }
                After::List => restore::list(&connection, &mut means).await,
            }
        })
    }
}

//! `dbctl schema …`: from flags to the verbs of the room `schema`.

use std::io::Write;

use super::Run;
use crate::cli::schema::Verb;
use crate::error::{Failure, Kind, Result};
use crate::outcome::Outcome;
use crate::output::{Format, is_closed_pipe};
use crate::schema;

impl Run {
    pub(super) fn schema(&self, verb: &Verb) -> Result<Outcome> {
        let patience = self.reading_patience();
        match verb {
            Verb::Snapshot { output: None } => {
                self.one_target_only("a snapshot on standard output")?;
                let snapshot = self.block_on(async |interrupt| {
                    let [target] = &self.settings.targets()?[..] else { return Err(no_target()) };
                    schema::capture_from(&self.connection(target)?, "schema", patience, interrupt).await
                })?;
                let text = schema::file::text(&snapshot, self.settings.format.value == Format::Yaml)?;
                match std::io::stdout().write_all(text.as_bytes()) {
                    Err(error) if !is_closed_pipe(&error) => Err(error.into()),
                    _ => Ok(Outcome::Done),
                }
            }
            Verb::Snapshot { output: Some(file) } => {
                self.one_target_only("--output")?;
                self.on_targets(async |run, target, interrupt| {
                    schema::snapshot(&run.connection(target)?, file, patience, interrupt).await
                })
            }
            Verb::Show { object, snapshot: Some(file) } => self.answer(schema::show_in(file, object)?),
            Verb::Show { object, snapshot: None } => self.on_targets(async |run, target, interrupt| {
                schema::show(&run.connection(target)?, object, patience, interrupt).await
            }),
        }
    }
}

fn no_target() -> Failure {
    Failure::new(Kind::Usage, "which database? nothing names one")
}

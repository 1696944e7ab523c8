//! `dbctl export`, `dbctl import`: from flags to the room `transfer`.

use std::io::Write as _;

use super::Run;
use crate::cli::Talk;
use crate::error::{Failure, Kind, Result};
use crate::outcome::Outcome;
use crate::output::visible_lines;
use crate::talk::Terminal;
use crate::transfer::{export, import};

impl Run {
    pub(super) fn export(&self, wish: &export::Wish) -> Result<Outcome> {
        self.one_target_only("--to")?;
        let (outcome, document, to_stream) = self.block_on(async |interrupt| {
            let [target] = &self.settings.targets()?[..] else {
                return Err(Failure::new(Kind::Usage, "which database? nothing names one"));
            };
            let request = export::Request {
                connection: self.connection(target)?,
                wish,
                dry_run: self.consent.dry_run,
                lock_timeout: self.lock_to_read()?,
                env: &self.env,
            };
            export::run(&request, interrupt, &mut self.talker()).await
        })?;
        if !to_stream || self.consent.dry_run {
            return self.answer((outcome, document));
        }
        // Standard output has the rows.
        if self.consent.talk == Talk::Verbose {
            writeln!(std::io::stderr(), "{}", visible_lines("all rows were written to standard output"))?;
        }
        Ok(outcome)
    }

    pub(super) fn import(&self, wish: &import::Wish) -> Result<Outcome> {
        if wish.from == "-" {
            self.one_target_only("--from -")?;
        }
        self.on_targets(async |run, target, interrupt| {
            let asks = wish.truncate || wish.on_conflict == import::Conflict::Update || target.protected;
            let request = import::Request {
                connection: run.connection(target)?,
                wish,
                dry_run: run.consent.dry_run,
                rails: run.rails(target, asks),
                lock_timeout: run.settings.lock_attempt()?,
                env: &run.env,
            };
            import::run(&request, interrupt, &mut run.talker(), &mut Terminal).await
        })
    }
}

//! `dbctl migrate lint`: with a database only where one is named on purpose.

use super::Run;
use crate::cli::migrate::Source;
use crate::config::{Origin, Target};
use crate::error::Result;
use crate::lint::{self, Request, Wish};
use crate::outcome::Outcome;
use crate::output::Format;

impl Run {
    pub(super) fn lint(&self, wish: &Wish, source: &Source) -> Result<Outcome> {
        // A variable that other commands live by is no purpose.
        let on_purpose = self.settings.wanted.origin == Origin::Flag || self.settings.conninfo.origin == Origin::Flag;
        if !on_purpose {
            let targets = if source.of_flags().is_some() { Vec::new() } else { self.settings.targets()? };
            let none = Target::unnamed(None);
            let request = self.lint_request(targets.first().unwrap_or(&none), wish, source)?;
            return self.answer(lint::offline(&request)?);
        }
        self.on_targets(async |run, target, interrupt| {
            let request = run.lint_request(target, wish, source)?;
            lint::with_database(&request, &run.connection(target)?, interrupt).await
        })
    }

    fn lint_request(&self, target: &Target, wish: &Wish, source: &Source) -> Result<Request> {
        Ok(Request {
            origin: source.of(target)?,
            without: source.without.clone(),
            wish: wish.clone(),
            for_people: self.settings.format.value == Format::Table,
        })
    }
}

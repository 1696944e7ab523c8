//! `dbctl migrate lint`: with a database only where one is named on purpose.

use super::Run;
use crate::cli::migrate::Source;
use crate::config::{Origin, Target};
use crate::error::{Kind, Result};
use crate::lint::{self, Request, RuleLevel, Wish};
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

    /// What the config file says of lint, below what the flags say.
    fn with_file(&self, wish: &Wish) -> Result<Wish> {
        let Some(file) = &self.settings.file else { return Ok(wish.clone()) };
        let mut levels = Vec::new();
        for written in &file.lint.rules {
            let (name, level) = &written.value;
            let rule = lint::named(name).map_err(|failure| {
                let line = written.line.map_or(String::new(), |line| format!(":{line}"));
                failure.kind(Kind::Invalid).context(format!("{}{line}", file.path().display()))
            })?;
            levels.push(RuleLevel { rule: rule.id.to_owned(), level: *level });
        }
        levels.extend(wish.levels.iter().cloned());
        let (fail_on, min_server) = (wish.fail_on.or(file.lint.fail_on), wish.min_server.or(file.lint.min_server));
        Ok(Wish { levels, fail_on, min_server, ..wish.clone() })
    }

    fn lint_request(&self, target: &Target, wish: &Wish, source: &Source) -> Result<Request> {
        Ok(Request {
            origin: source.of(target)?,
            without: source.without.clone(),
            wish: self.with_file(wish)?,
            for_people: self.settings.format.value == Format::Table,
        })
    }
}

//! `dbctl drift`, and the look that `dbctl migrate` takes before it works.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::Run;
use crate::cli::drift::{Scratch, Source, Wish};
use crate::cli::migrate;
use crate::config::file::{Drift, DriftCheck};
use crate::config::{Origin, Target};
use crate::drift::{self, Expected, FailOn, Patience, Request, Terms, Verdict};
use crate::error::{Failure, Kind, Result};
use crate::outcome::Outcome;
use crate::output::{Format, visible};
use crate::pg::Interrupt;
use crate::policy;
use crate::scratch::Place;
use crate::steps::gate::Rails;

/// Where a policy is looked for when nobody names one.
pub(super) const POLICY: &str = "partitions.yaml";

impl Run {
    pub(super) fn drift(&self, wish: &Wish) -> Result<Outcome> {
        let terms = self.terms(wish)?;
        let brief = matches!(self.settings.format.value, Format::Table | Format::Markdown);
        if let (Some(actual), Source::Snapshot(expected)) = (&wish.actual, &wish.source) {
            return self.answer(drift::offline(expected, actual, &terms, brief)?);
        }
        self.on_targets(async |run, target, interrupt| {
            let expected = match &wish.source {
                Source::Snapshot(file) => Expected::Snapshot(file.clone()),
                Source::Against(url) => Expected::Database(run.connect_to(Some(url))?),
                Source::Migrations { source, scratch } => run.replayed(target, source, scratch)?,
            };
            let terms = Terms { system: terms.system.clone().or_else(|| target.system.clone()), ..terms.clone() };
            let request = Request { connection: run.connection(target)?, expected, patience: run.patience(), terms };
            drift::run(&request, brief, interrupt, &mut run.talker()).await
        })
    }

    /// Looks for drift before a migration, as dbctl.yaml asks for it.
    ///
    /// # Errors
    /// Refused on drift, and where it could not be told, under `fail`.
    pub(super) async fn check_drift(
        &self,
        target: &Target,
        source: &migrate::Source,
        interrupt: &Interrupt,
    ) -> Result<()> {
        let of_all = self.settings.file.as_ref().and_then(|file| file.drift_check).map(|written| written.value);
        let check = target.drift_check.or(of_all).unwrap_or_default();
        if check == DriftCheck::Off {
            return Ok(());
        }
        let request = Request {
            connection: self.connection(target)?,
            expected: self.replayed(target, source, &Scratch::SameServer)?,
            patience: self.patience(),
            terms: Terms { system: target.system.clone(), ..self.terms_of_file(None)? },
        };
        let report = drift::check(&request, interrupt, &mut self.talker()).await;
        let (what, lines) = match report {
            Ok(report) if report.verdict() == Verdict::InSync => return Ok(()),
            Ok(report) if report.verdict() == Verdict::Drift => {
                let ids =
                    report.found.iter().map(|(found, _)| format!("{} {}", found.direction().word(), found.stable_id()));
                (
                    format!("the schema is not as the applied migrations made it: {} differences", report.found.len()),
                    ids.collect(),
                )
            }
            Ok(report) => {
                ("whether the schema is as the applied migrations made it could not be told".to_owned(), report.unknown)
            }
            Err(failure) if matches!(failure.what(), Kind::Interrupted | Kind::Terminated | Kind::Busy) => {
                return Err(failure);
            }
            Err(failure) if check == DriftCheck::Fail => {
                return Err(failure.context("migrate.drift_check: the schema could not be compared"));
            }
            Err(failure) => ("the schema could not be compared".to_owned(), failure.messages()),
        };
        let lines: Vec<String> = lines;
        if check == DriftCheck::Warn {
            let mut err = std::io::stderr();
            writeln!(err, "warning: {}", visible(&what))?;
            for line in lines.iter().take(SHOWN) {
                writeln!(err, "  {}", visible(line))?;
            }
            writeln!(err, "  'dbctl drift' shows all")?;
            return Ok(());
        }
        let failure = Failure::new(Kind::Refused, what);
        let failure = lines.into_iter().take(SHOWN).fold(failure, Failure::note);
        Err(failure
            .hint("'dbctl drift' shows each with the SQL that would end it")
            .hint("what is meant to be so goes to 'drift: ignore:' in dbctl.yaml; 'migrate: {drift_check: warn}' migrates anyway"))
    }

    fn replayed(&self, target: &Target, source: &migrate::Source, scratch: &Scratch) -> Result<Expected> {
        let request = crate::migrate::Request {
            connection: self.connection(target)?,
            origin: source
                .of(target)
                .map_err(|failure| failure.hint("or say what it should be like: --snapshot FILE, --against URL"))?,
            without: source.without.clone(),
            lock_wait: self.settings.lock_wait.value,
            lock_patience: self.settings.lock_patience.value,
            dry_run: true,
            rails: Rails { protected: None, target_named: false, yes: false, interactive: false, always_ask: false },
        };
        let place = match scratch {
            Scratch::SameServer => Place::SameServer(request.connection.clone()),
            Scratch::Url(url) => Place::Url(self.connect_to(Some(url))?),
            Scratch::Sandbox => Place::Sandbox,
        };
        Ok(Expected::Migrations { request: Box::new(request), place })
    }

    fn patience(&self) -> Patience {
        Patience { migration: self.settings.lock_wait.value, lock: self.reading_patience() }
    }

    /// How long a lock is waited for where a schema is read: less than what a change may take, if nobody says.
    pub(super) fn reading_patience(&self) -> Duration {
        match &self.settings.lock_patience {
            patience if patience.origin == Origin::Default => READING_PATIENCE,
            patience => patience.value,
        }
    }

    fn terms(&self, wish: &Wish) -> Result<Terms> {
        let mut terms = self.terms_of_file(wish.policy.as_deref())?;
        terms.system = wish.system.clone();
        terms.exact_partitions = wish.exact_partitions.unwrap_or(terms.exact_partitions);
        terms.ignore.extend(wish.ignore.iter().map(|flag| flag.0.clone()));
        terms.fail_on = FailOn::of(&wish.fail_on);
        Ok(terms)
    }

    fn terms_of_file(&self, policy: Option<&Path>) -> Result<Terms> {
        let unset = Drift::default();
        let Drift { exact_partitions, ignore, roles } = self.settings.file.as_ref().map_or(&unset, |file| &file.drift);
        let here = Path::new(POLICY);
        let policy = policy.or_else(|| here.exists().then_some(here));
        Ok(Terms {
            policy: policy.map(|path| policy::file::open(path, &self.env)).transpose()?,
            system: None,
            exact_partitions: *exact_partitions,
            ignore: ignore.clone(),
            roles: roles.clone(),
            fail_on: FailOn::default(),
        })
    }
}

/// As long as somebody looks at a screen that does nothing.
const READING_PATIENCE: Duration = Duration::from_secs(10);
/// Differences that are told before a migration.
const SHOWN: usize = 10;

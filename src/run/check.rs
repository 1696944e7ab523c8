//! `dbctl check`: every target, one answer, the worst of them as exit code.

use std::path::Path;
use std::time::Duration;

use chrono::Utc;

use super::Run;
use crate::check::{self, Brought, CHECKS, Check, Migrations, Reach, Report, Request, Runway, Settings};
use crate::cli::check::Wish;
use crate::cli::migrate;
use crate::cli::partitions::{Source, Verb};
use crate::config::Target;
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::inspect::vitals::Part;
use crate::outcome::{Level, Outcome};
use crate::output::{self, Column, Document, Style, Table, Value, prometheus};
use crate::pg::{Interrupt, Session};
use crate::{partitions, policy};

/// The checks whose reading other rooms do.
const MIGRATIONS: &str = "pending_migrations";
const PARTITIONS: &str = "partitions";
/// How long such a reading may take.
const PATIENCE: Duration = Duration::from_secs(5);

impl Run {
    /// Every check; a failure without a better name is UNKNOWN, as 1 is WARN to those who read these exit codes.
    pub(super) fn check(&self, wish: &Wish) -> Result<Outcome> {
        self.checked(wish).map_err(|failure| match failure.what() {
            Kind::Failed => failure.kind(Kind::Unknown),
            _ => failure,
        })
    }

    fn checked(&self, wish: &Wish) -> Result<Outcome> {
        let mut settings = self.settings.file.as_ref().map_or_else(Settings::default, |file| file.checks.clone());
        settings.profile = wish.profile.or(settings.profile);
        if wish.list {
            return self.answer((Outcome::Done, list(&settings)));
        }
        let has = |names: &[String], id: &str| names.iter().any(|name| name == id);
        let wanted = |check: &Check| {
            (has(&wish.only, check.id) || wish.only.is_empty() && !settings.off.contains(&check.id))
                && !has(&wish.skip, check.id)
        };
        if !CHECKS.iter().any(wanted) {
            let why =
                if wish.only.is_empty() { "every check is off or skipped" } else { "--skip leaves nothing of --only" };
            return Err(Failure::new(Kind::Usage, format!("nothing would be checked: {why}"))
                .hint("'dbctl check --list' shows the checks"));
        }
        let state = wish.state.clone().or_else(|| self.state_folder().map(|folder| folder.join("check.json")));
        let reports = self.block_on(async |interrupt| {
            let mut reports = Vec::new();
            let targets = self.settings.each_target()?;
            let alone = targets.len() == 1;
            for (name, target) in targets {
                let ready = target.and_then(|target| Ok((self.connection(&target)?, target)));
                let (connection, target) = match ready {
                    Ok(ready) => ready,
                    Err(failure) if alone => return Err(failure),
                    // What is wrong with one of several does not keep the others from being looked at.
                    Err(failure) => {
                        let checks: Vec<_> = CHECKS.iter().filter(|check| wanted(check)).collect();
                        let report = check::unasked(Level::Unknown, String::new(), &failure, &checks);
                        reports.push(Report { target: name, ..report });
                        continue;
                    }
                };
                // What a target has no file for is left out, unless somebody asks for it.
                let checks: Vec<&'static Check> = CHECKS
                    .iter()
                    .filter(|check| wanted(check) && (has(&wish.only, check.id) || applies(check, &target, &settings)))
                    .collect();
                let brought = self.bring(&target, &checks, &settings, interrupt).await?;
                let request = Request { checks, state: state.clone(), settings: settings.clone(), brought };
                let report = check::check(&connection, &request, interrupt).await?;
                reports.push(Report { target: name, ..report });
            }
            Ok(reports)
        })?;
        let (level, document) = check::view(&reports, Utc::now());
        match &wish.out {
            Some(path) => {
                let style = Style { color: false, width: Style::PLAIN_WIDTH };
                let mut text = Vec::new();
                output::render(&document, self.settings.format.value, &style, &mut text)?;
                prometheus::write(path, &String::from_utf8_lossy(&text))?;
                Ok(level.outcome())
            }
            None => self.answer((level.outcome(), document)),
        }
    }

    /// What other rooms read for checks: the migrations and the partitions of a target.
    pub(super) async fn bring(
        &self,
        target: &Target,
        checks: &[&Check],
        settings: &Settings,
        interrupt: &Interrupt,
    ) -> Result<Brought> {
        let wants = |id: &str| checks.iter().any(|check| check.id == id);
        let nothing = Brought::default();
        // Beside each other: a server that does not answer is waited for once.
        let migrations = async {
            if !wants(MIGRATIONS) || !names_migrations(target) {
                return Ok(nothing.migrations);
            }
            in_time(self.standing(target, interrupt)).await
        };
        let runways = async {
            match settings.policy.as_deref().filter(|_| wants(PARTITIONS)) {
                Some(policy) => in_time(self.runways(target, policy, interrupt)).await,
                None => Ok(nothing.runways),
            }
        };
        let (migrations, runways) = tokio::join!(migrations, runways);
        Ok(Brought { migrations: migrations?, runways: runways? })
    }

    async fn standing(&self, target: &Target, interrupt: &Interrupt) -> Result<Migrations> {
        let origin = migrate::Source::new(None, None, Vec::new()).of(target)?;
        let session = Session::open(&self.connection(target)?, "check", interrupt).await?;
        let standing = crate::migrate::standing(&session, &origin, &[]).await?;
        Ok(Migrations {
            pending: standing.pending,
            contradictions: standing.contradictions,
            other_system: standing.other_system,
        })
    }

    async fn runways(&self, target: &Target, policy: &Path, interrupt: &Interrupt) -> Result<Vec<Runway>> {
        let source = Source { policy: policy.to_owned(), system: None, allow_clock_skew: false, tables: Vec::new() };
        let policy = policy::file::open(policy, &self.env)?;
        let request =
            self.partitions_request(target, &source, &Verb::Check { nagios: false, metrics: None }, policy)?;
        let tables = partitions::runways(&request, interrupt).await?;
        let of = |(table, runway): (TableName, Result<partitions::status::Runway>)| Runway {
            table: table.to_string(),
            reach: match runway {
                Ok(runway) if runway.is_time => Ok(Reach::Seconds(runway.length)),
                Ok(runway) => Ok(Reach::Share(100.0 * runway.ratio().unwrap_or(f64::INFINITY))),
                Err(failure) => Err(failure.messages().join(": ")),
            },
        };
        Ok(tables.into_iter().map(of).collect())
    }
}

fn names_migrations(target: &Target) -> bool {
    target.system.is_some() || target.migrations.is_some()
}

/// Whether a check has something to look at.
pub(super) fn applies(check: &Check, target: &Target, settings: &Settings) -> bool {
    match check.id {
        MIGRATIONS => names_migrations(target),
        PARTITIONS => settings.policy.is_some(),
        _ => true,
    }
}

/// What another room reads, as a part; one that takes too long is UNKNOWN.
async fn in_time<T>(read: impl Future<Output = Result<T>>) -> Result<Part<T>> {
    match tokio::time::timeout(PATIENCE, read).await {
        Ok(Ok(read)) => Ok(Ok(read)),
        Ok(Err(failure)) if matches!(failure.what(), Kind::Interrupted | Kind::Terminated) => Err(failure),
        Ok(Err(failure)) => Ok(Err(failure.messages().join(": "))),
        Err(_) => Ok(Err(format!("it took longer than {} s", PATIENCE.as_secs()))),
    }
}

/// Every check with its thresholds as they are in force.
fn list(settings: &Settings) -> Document {
    let columns = vec![
        Column::new("check", "check"),
        Column::new("metric", "metric"),
        Column::new("unit", "unit"),
        Column::new("warn", "warn"),
        Column::new("crit", "crit"),
        Column::machine("summary"),
    ];
    let mut table = Table::new("checks", "", columns);
    for check in CHECKS {
        for metric in check.metrics {
            let limits = settings.limits(check, metric, "", None);
            let limit = |limit: Option<f64>| limit.map_or(Value::None, |limit| metric.unit.value(limit));
            table.push(vec![
                check.id.into(),
                metric.name.into(),
                metric.unit.name().into(),
                limit(limits.warn),
                limit(limits.crit),
                check.summary.into(),
            ]);
        }
    }
    Document::new("check.list", 1).table(table)
}

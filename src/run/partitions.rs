//! `dbctl partitions …`: from flags to the verbs of the room `partitions`.

use std::io::Write;
use std::time::Duration;

use chrono::Utc;

use super::{Run, tell};
use crate::cli::partitions as cli;
use crate::config::Target;
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::outcome::Outcome;
use crate::steps::Means;
use crate::steps::gate::Rails;
use crate::talk::Terminal;
use crate::{partitions, policy};

impl Run {
    pub(super) fn partitions(&self, verb: &cli::Verb, source: &cli::Source) -> Result<Outcome> {
        if *verb == cli::Verb::Schema {
            let text = serde_json::to_string_pretty(&policy::schema::json_schema())?;
            writeln!(std::io::stdout(), "{text}")?;
            return Ok(Outcome::Done);
        }
        match verb {
            cli::Verb::Check { nagios: true, .. } => {
                self.nagios(self.one_target_only("--nagios").and_then(|()| self.partitions_on_targets(verb, source)))
            }
            cli::Verb::Check { metrics: Some(_), .. } | cli::Verb::Rotate { metrics: Some(_), .. } => {
                self.one_target_only("--metrics")?;
                self.partitions_on_targets(verb, source)
            }
            _ => self.partitions_on_targets(verb, source),
        }
    }

    /// What a plugin of the Nagios family could not look at is UNKNOWN, on standard output too.
    fn nagios(&self, done: Result<Outcome>) -> Result<Outcome> {
        match done {
            Err(failure) if !matches!(failure.what(), Kind::Usage | Kind::Interrupted | Kind::Terminated) => {
                let line = partitions::check::nagios_unknown(&failure.messages().join(": "));
                self.answer((Outcome::Unknown, partitions::check::nagios_document(line)))?;
                Ok(tell("", &failure)).map(|_| Outcome::Unknown)
            }
            done => done,
        }
    }

    fn partitions_on_targets(&self, verb: &cli::Verb, source: &cli::Source) -> Result<Outcome> {
        // Holds are the database's own: they need no policy.
        let policy = if verb.is_about_holds() && !source.policy.exists() {
            policy::Policy::default()
        } else {
            policy::file::open(&source.policy, &self.env)?
        };
        self.on_targets(async |run, target, interrupt| {
            let request = run.partitions_request(target, source, verb, policy.clone())?;
            let mut talker = run.talker();
            let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
            match verb {
                cli::Verb::Plan { exit_code, .. } => partitions::plan(&request, *exit_code, interrupt).await,
                cli::Verb::Undo { partitions } => partitions::undo::undo(&request, partitions, &mut means).await,
                cli::Verb::Restore(wanted) => partitions::restore::restore(&request, wanted, &mut means).await,
                cli::Verb::HoldAdd(hold) => partitions::hold::add(&request, hold, &mut means).await,
                cli::Verb::HoldLift { id } => partitions::hold::lift(&request, id, &mut means).await,
                cli::Verb::HoldList => partitions::hold::list(&request, &mut means).await,
                cli::Verb::Adopt { table, abort, split } => {
                    partitions::adopt::adopt(&run.adopt_request(&request, table, *abort, *split), &mut means).await
                }
                cli::Verb::Promote { table } => {
                    partitions::default::promote(&run.default_request(&request, table), &mut means).await
                }
                cli::Verb::Drain { table } => {
                    partitions::default::drain(&run.default_request(&request, table), &mut means).await
                }
                cli::Verb::Schema => Err(Failure::new(Kind::Usage, "this verb needs no database")),
                cli::Verb::Rotate { ok_if_locked, metrics, .. } => {
                    let done = partitions::run(&request, &mut means).await;
                    if let Some(path) = metrics.as_ref().filter(|_| !run.consent.dry_run) {
                        let good = matches!(done, Ok((Outcome::Done | Outcome::Partial, _)));
                        let written = partitions::write_metrics(&request, path, good.then(Utc::now), interrupt).await;
                        // What the run itself met is told first.
                        if let (Ok(_), Err(failure)) = (&done, written) {
                            return Err(failure.done(["the run itself".to_owned()]));
                        }
                    }
                    match done {
                        Err(failure) if *ok_if_locked && failure.what() == Kind::Busy => {
                            Ok(partitions::busy(&request, &failure))
                        }
                        done => done,
                    }
                }
                cli::Verb::Create | cli::Verb::Drop { .. } | cli::Verb::Rows { .. } => {
                    partitions::run(&request, &mut means).await
                }
                cli::Verb::Status => partitions::status(&request, interrupt).await,
                cli::Verb::Check { nagios, metrics } => {
                    partitions::check(&request, *nagios, metrics.as_deref(), interrupt).await
                }
            }
        })
    }

    pub(super) fn partitions_request(
        &self,
        target: &Target,
        source: &cli::Source,
        verb: &cli::Verb,
        policy: policy::Policy,
    ) -> Result<partitions::Request> {
        use cli::Verb;
        let (name, create, expire) = match verb {
            Verb::Plan { expire, .. } => ("plan", true, Some(expire.clone())),
            Verb::Create => ("create", true, None),
            Verb::Rows { .. } => ("rows", false, None),
            Verb::Undo { .. } => ("undo", false, None),
            Verb::Adopt { .. } => ("adopt", false, None),
            Verb::Promote { .. } | Verb::Drain { .. } => ("default", false, None),
            Verb::Status => ("status", false, None),
            Verb::Check { .. } => ("check", false, None),
            Verb::Restore(_) => ("restore", false, None),
            Verb::HoldAdd(_) | Verb::HoldLift { .. } | Verb::HoldList | Verb::Schema => ("hold", false, None),
            Verb::Drop { expire, .. } => ("drop", false, Some(expire.clone())),
            Verb::Rotate { expire, .. } => ("rotate", true, Some(expire.clone())),
        };
        let may_leave = expire.is_some();
        let cli::Expire { arm, accept, max_drops } = expire.unwrap_or_default();
        let (at, out) = match verb {
            Verb::Plan { at, out, .. } => (*at, out.clone()),
            _ => (None, None),
        };
        let default_wait = self.settings.lock_wait.origin == crate::config::Origin::Default;
        Ok(partitions::Request {
            connection: self.connection(target)?,
            verb: name,
            policy: policy::limited(policy, &self.settings)?,
            system: source.system.clone().or_else(|| target.system.clone()),
            only: source.tables.clone(),
            wish: partitions::Wish {
                create,
                expire: may_leave,
                arm,
                once: matches!(verb, Verb::Drop { .. }) && self.consent.yes,
                accept,
                max_drops,
            },
            rows: matches!(verb, Verb::Plan { .. } | Verb::Rotate { .. } | Verb::Rows { .. }),
            jobs: match verb {
                Verb::Rows { jobs } => jobs.clone(),
                _ => Vec::new(),
            },
            at,
            env: self.env.clone(),
            allow_clock_skew: source.allow_clock_skew,
            dry_run: self.consent.dry_run,
            out,
            saved: match verb {
                Verb::Drop { plan, .. } => plan.clone(),
                _ => None,
            },
            // Two runs of cron at once: the second has nothing to wait for.
            lock_wait: if default_wait { Duration::ZERO } else { self.settings.lock_wait.value },
            rails: self.rails(target, false),
        })
    }

    fn adopt_request(
        &self,
        request: &partitions::Request,
        table: &TableName,
        abort: bool,
        split: bool,
    ) -> partitions::adopt::AdoptRequest {
        partitions::adopt::AdoptRequest {
            connection: request.connection.clone(),
            policy: request.policy.clone(),
            table: table.clone(),
            dry_run: request.dry_run,
            abort,
            split,
            // It changes the table for good: it is asked about, wherever it is.
            rails: Rails { always_ask: true, ..request.rails.clone() },
            lock_wait: request.lock_wait,
            lock_patience: None,
        }
    }

    fn default_request(&self, request: &partitions::Request, table: &TableName) -> partitions::default::DefaultRequest {
        partitions::default::DefaultRequest {
            connection: request.connection.clone(),
            policy: request.policy.clone(),
            table: table.clone(),
            dry_run: request.dry_run,
            rails: Rails { always_ask: true, ..request.rails.clone() },
            lock_wait: request.lock_wait,
            lock_patience: None,
        }
    }
}

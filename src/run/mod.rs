//! From arguments to an outcome: parse, resolve, do, show. The only place where commands meet the
//! terminal.

mod backup;
mod bloat;
mod check;
mod drift;
mod indexes;
mod inspect;
mod jobs;
mod lint;
mod maintain;
mod partitions;
mod repack;
mod report;
mod restore;
mod schema;
mod sizes;
mod slow_queries;
mod transfer;
mod vacuum;
mod vitals;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use chrono::Utc;

use crate::cli::migrate::{Rehearsal, Source, Verb};
use crate::cli::systems::Which;
use crate::cli::{Cli, Command, Consent, Talk};
use crate::config::connection::Connection;
use crate::config::env::Env;
use crate::config::{Secret, Settings, Target, init, show};
use crate::error::{Failure, Kind, Result};
use crate::journal;
use crate::migrate::{self, Answer, Means};
use crate::outcome::Outcome;
use crate::output::{self, Document, Fact, Format, Progress, Style, visible_lines};
use crate::pg::Interrupt;
use crate::rehearse::{self, Stage};
use crate::scratch::Place;
use crate::steps::Timeouts;
use crate::steps::gate::Rails;
use crate::systems;
use crate::talk::{Talker, Terminal};

/// How long a host may take to answer where neither the URL nor PGCONNECT_TIMEOUT says so.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs one command line; prints the answer to standard output and everything else to standard error.
pub fn run(argv: impl IntoIterator<Item = OsString>) -> Outcome {
    let done = match Cli::read(argv) {
        Ok(cli) => dispatch(cli),
        Err(outcome) => return outcome,
    };
    done.unwrap_or_else(|failure| tell("", &failure))
}

/// What every command is handed.
struct Run {
    settings: Settings,
    consent: Consent,
    env: Env,
}

fn dispatch(cli: Cli) -> Result<Outcome> {
    let env = Env::of_process();
    if let Some(name) = cli.job() {
        let settings = Settings::resolve(&cli.overrides(), &env, &std::env::current_dir()?)?;
        return match jobs::job(name, &settings, &cli)? {
            Ok(job) => dispatch(job),
            Err(outcome) => Ok(outcome),
        };
    }
    let consent = cli.consent();
    let overrides = cli.overrides();
    let (answers_findings, answers_checks) = (cli.command.answers_findings(), cli.command.answers_checks());
    let settings = || -> Result<Settings> {
        let settings = Settings::resolve(&overrides, &env, &std::env::current_dir()?)?;
        let format = settings.format.value;
        if format.is_of_findings() && !answers_findings || format.is_of_checks() && !answers_checks {
            return Err(Failure::new(Kind::Usage, format!("this command has no answer in the form {format}"))
                .hint(format!("its forms: {}", Format::NAMES.join(", "))));
        }
        if consent.talk > Talk::Quiet {
            for note in &settings.notes {
                writeln!(std::io::stderr(), "note: {note}")?;
            }
        }
        Ok(settings)
    };
    let mut out = std::io::stdout().lock();
    match cli.command {
        Command::Completions(args) => args.run(&mut Cli::description(), &mut out),
        Command::Man(args) => args.run(Cli::description(), &mut out),
        Command::Init(args) => print(&init::run(&args.into_request())?, &settings()?),
        Command::Config(args) => {
            let settings = settings()?;
            print(&show::run(args.into_request(), &settings)?, &settings)
        }
        Command::Sandbox(args) => {
            let settings = settings()?;
            let mut show = |document: &Document, out: &mut dyn Write| write_document(document, &settings, out);
            args.run(&mut out, &mut std::io::stderr(), &mut show)
        }
        Command::Migrate(args) => {
            drop(out);
            let settings = settings()?;
            let (verb, source) = args.into_request(&settings)?;
            Run { settings, consent, env }.migrate(&verb, &source)
        }
        Command::Partitions(args) => {
            drop(out);
            let (verb, source) = args.into_request();
            Run { settings: settings()?, consent, env }.partitions(&verb, &source)
        }
        Command::Backup(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.backup(args.command)
        }
        Command::Restore(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.restore(&args.into_request())
        }
        Command::Schema(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.schema(&args.into_request())
        }
        Command::Drift(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.drift(&args.into_request())
        }
        Command::Vacuum(args) => {
            drop(out);
            let settings = settings()?;
            let wish = args.into_request(settings.jobs.value);
            Run { settings, consent, env }.vacuum(&wish)
        }
        Command::Maintain(_) => {
            let settings = settings()?;
            print(&jobs::list(&settings), &settings)
        }
        Command::Schedule(args) => {
            let settings = settings()?;
            print(&jobs::print(&settings, args.into_request())?, &settings)
        }
        Command::Locks(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.locks(args.into_request())
        }
        Command::Activity(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.activity(args.into_request())
        }
        Command::Replication(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.replication(args.into_request())
        }
        Command::Health(args) => {
            drop(out);
            let (sections, watch) = args.into_request();
            Run { settings: settings()?, consent, env }.health(&sections, watch)
        }
        Command::Check(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.check(&args.into_request())
        }
        Command::SlowQueries(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.slow_queries(&args.into_request())
        }
        Command::Indexes(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.indexes(&args.into_request())
        }
        Command::Sizes(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.sizes(&args.into_request())
        }
        Command::Export(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.export(&args.into_request())
        }
        Command::Import(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.import(&args.into_request())
        }
        Command::Refresh(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.refresh(&args.into_request())
        }
        Command::Reindex(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.reindex(&args.into_request())
        }
        Command::Repack(args) => {
            drop(out);
            let settings = settings()?;
            let wish = args.into_request(settings.jobs.value);
            Run { settings, consent, env }.repack(&wish)
        }
        Command::Bloat(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.bloat(&args.into_request())
        }
        Command::Report(args) => {
            drop(out);
            Run { settings: settings()?, consent, env }.report(&args.into_request())
        }
        Command::Systems(args) => {
            drop(out);
            let which = args.into_request();
            Run { settings: settings()?, consent, env }.on_targets(async |run, target, interrupt| {
                systems::verify(&run.system_request(target, &which)?, interrupt, &mut Terminal).await
            })
        }
        Command::DemoData(args) => {
            drop(out);
            let (which, amount) = args.into_request();
            Run { settings: settings()?, consent, env }.on_targets(async |run, target, interrupt| {
                let mut talker = run.talker();
                let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
                systems::demo_data(&run.system_request(target, &which)?, amount, run.consent.dry_run, &mut means).await
            })
        }
        Command::Doctor(_) => {
            drop(out);
            Run { settings: settings()?, consent, env }.doctor()
        }
        Command::Journal(args) => {
            drop(out);
            let (run, limit) = args.into_request();
            Run { settings: settings()?, consent, env }.on_targets(async |run_on, target, interrupt| {
                journal::show(&run_on.connection(target)?, run, limit, interrupt).await
            })
        }
    }
}

impl Run {
    fn migrate(&self, verb: &Verb, source: &Source) -> Result<Outcome> {
        match verb {
            Verb::Systems => return self.answer(migrate::systems()),
            Verb::Lint { wish } => return self.lint(wish, source),
            Verb::LintRules => return self.answer(crate::lint::list()),
            Verb::LintExplain { rule } => return self.answer(crate::lint::explain(rule)?),
            Verb::New { name, with_rollback } => {
                let targets =
                    if self.settings.wanted.value.is_empty() { Vec::new() } else { self.settings.targets()? };
                let folder = source.folder(targets.first())?;
                return self.answer(migrate::create(folder, name, *with_rollback, Utc::now())?);
            }
            _ => {}
        }
        self.on_targets(async |run, target, interrupt| {
            let request = run.request(target, source, verb)?;
            // What is only recorded as applied is there already.
            if matches!(verb, Verb::Up { wish } if !wish.fake) && !run.consent.dry_run {
                run.check_drift(target, source, interrupt).await?;
            }
            run.migrate_one(&request, verb, interrupt).await
        })
    }

    /// Runs something on every target that is meant, with signals heard.
    fn on_targets(&self, work: impl AsyncFn(&Run, &Target, &Interrupt) -> Result<Answer>) -> Result<Outcome> {
        self.on_these(&self.settings.targets()?, work)
    }

    /// Runs something on these targets, with signals heard.
    fn on_these(
        &self,
        targets: &[Target],
        work: impl AsyncFn(&Run, &Target, &Interrupt) -> Result<Answer>,
    ) -> Result<Outcome> {
        self.block_on(async |interrupt| {
            self.each_target(targets, async |target| {
                work(self, target, interrupt).await.map_err(|failure| interrupt.overrule(failure))
            })
            .await
        })
    }

    /// Runs something with signals heard.
    fn block_on<T>(&self, work: impl AsyncFn(&Interrupt) -> Result<T>) -> Result<T> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let done = runtime.block_on(async {
            let interrupt = Interrupt::listen()?;
            work(&interrupt).await.map_err(|failure| interrupt.overrule(failure))
        });
        // A file system that does not answer must not keep an interrupted run.
        runtime.shutdown_background();
        done
    }

    fn one_target_only(&self, flag: &str) -> Result<()> {
        match self.settings.targets()?.len() {
            0 | 1 => Ok(()),
            many => Err(Failure::new(Kind::Usage, format!("{flag} is for one database, and {many} targets are meant"))
                .hint("run it once for each: --target NAME")),
        }
    }

    /// Where what is known from run to run is kept; nowhere without a home.
    fn state_folder(&self) -> Option<PathBuf> {
        let folder = self.env.get("XDG_STATE_HOME").map(PathBuf::from);
        let folder = folder.or_else(|| Some(self.env.home()?.join(".local/state")))?;
        Some(folder.join("dbctl"))
    }

    fn connection(&self, target: &Target) -> Result<Connection> {
        self.connect_to(target.conninfo.as_ref())
    }

    fn connect_to(&self, conninfo: Option<&Secret>) -> Result<Connection> {
        let mut connection = Connection::resolve(conninfo.map(Secret::reveal), &self.env)?;
        // psql waits for as long as the network does; a cron line should not.
        connection.connect_timeout.get_or_insert(CONNECT_TIMEOUT);
        if self.consent.talk > Talk::Quiet {
            for note in &connection.notes {
                writeln!(std::io::stderr(), "note: {note}")?;
            }
        }
        Ok(connection)
    }

    async fn migrate_one(&self, request: &migrate::Request, verb: &Verb, interrupt: &Interrupt) -> Result<Answer> {
        let brief = self.settings.format.value == Format::Table;
        let mut talker = self.talker();
        let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
        match verb {
            Verb::Up { wish } => migrate::up(request, wish, &mut means).await,
            Verb::Plan { wish, exit_code } => migrate::plan(request, wish, *exit_code, interrupt).await,
            Verb::Status { exit_code, all } => migrate::status(request, *exit_code, brief && !all, interrupt).await,
            Verb::Down { to, limits } => migrate::down(request, *to, *limits, &mut means).await,
            Verb::Repair { version, reason, limits } => {
                migrate::repair(request, *version, reason, *limits, &mut means).await
            }
            Verb::Rehearse(asked) => rehearse::rehearse(request, &self.rehearsal(request, asked)?, &mut means).await,
            Verb::Systems | Verb::New { .. } | Verb::Lint { .. } | Verb::LintRules | Verb::LintExplain { .. } => {
                Err(Failure::new(Kind::Usage, "this verb needs no database"))
            }
        }
    }

    fn rehearsal(&self, request: &migrate::Request, asked: &Rehearsal) -> Result<rehearse::Wish> {
        let stage = match (&asked.on, &asked.scratch_url) {
            (Some(url), _) => Stage::Copy(self.connect_to(Some(url))?),
            (None, Some(url)) => Stage::Scratch(Place::Url(self.connect_to(Some(url))?)),
            (None, None) if asked.sandbox => Stage::Scratch(Place::Sandbox),
            (None, None) => Stage::Scratch(Place::SameServer(request.connection.clone())),
        };
        let (fill, limits) = (asked.fill.clone(), asked.limits.clone());
        Ok(rehearse::Wish { to: asked.to, stage, fill, limits, timeouts: asked.timeouts })
    }

    fn request(&self, target: &Target, source: &Source, verb: &Verb) -> Result<migrate::Request> {
        Ok(migrate::Request {
            connection: self.connection(target)?,
            origin: source.of(target)?,
            without: source.without.clone(),
            lock_wait: self.settings.lock_wait.value,
            lock_patience: self.settings.lock_patience.value,
            dry_run: self.consent.dry_run,
            rails: self.rails(target, matches!(verb, Verb::Down { .. })),
        })
    }

    fn system_request(&self, target: &Target, which: &Which) -> Result<systems::Request> {
        let system = which.system.clone().or_else(|| target.system.clone()).ok_or_else(|| {
            Failure::new(Kind::Usage, "which system? nothing names it")
                .hint("say --system NAME (see 'dbctl migrate systems'), or give the target 'system:' in dbctl.yaml")
        })?;
        Ok(systems::Request {
            connection: self.connection(target)?,
            system,
            without: which.without.clone(),
            rails: self.rails(target, target.protected),
            timeouts: Timeouts {
                lock: self.settings.lock_attempt()?,
                statement: self.settings.statement_timeout.value,
            },
            lock_wait: self.settings.lock_wait.value,
            lock_patience: self.settings.lock_patience.value,
        })
    }

    fn rails(&self, target: &Target, always_ask: bool) -> Rails {
        Rails {
            protected: target.name.clone().filter(|_| target.protected),
            target_named: self.settings.wanted.origin == crate::config::Origin::Flag
                && target.name.as_ref().is_some_and(|name| self.settings.wanted.value.names.contains(name)),
            yes: self.consent.yes,
            interactive: Terminal::is_there(),
            always_ask,
        }
    }

    fn talker(&self) -> Talker {
        let color = self.settings.color.value.resolve(true, |name| self.env.get(name));
        Talker::new(self.consent.talk, Progress::new(self.settings.progress.value, color))
    }

    /// One target after the other; a failing one does not stop the next.
    async fn each_target(&self, targets: &[Target], work: impl AsyncFn(&Target) -> Result<Answer>) -> Result<Outcome> {
        if let [target] = targets {
            return self.answer(of_target(target, work(target).await?));
        }
        let mut outcomes = Vec::new();
        for target in targets {
            let name = target.name.clone().unwrap_or_default();
            match work(target).await {
                Ok(answer) => outcomes.push(self.answer(of_target(target, answer))?),
                Err(failure) if matches!(failure.what(), Kind::Interrupted | Kind::Terminated) => return Err(failure),
                Err(failure) => outcomes.push(tell(&format!("target {name}: "), &failure)),
            }
        }
        Ok(together(&outcomes))
    }

    fn answer(&self, (outcome, document): Answer) -> Result<Outcome> {
        // Under --quiet the exit code answers; a format that somebody asked for is still printed.
        if self.consent.talk > Talk::Quiet || self.settings.format.value != Format::Table {
            print(&document, &self.settings)?;
        }
        Ok(outcome)
    }
}

/// An answer about a target of dbctl.yaml says which.
fn of_target(target: &Target, (outcome, mut document): Answer) -> Answer {
    if let Some(name) = &target.name
        && document.kind != crate::partitions::check::NAGIOS
    {
        document.facts.insert(0, Fact { key: "target", label: "target", value: name.as_str().into() });
    }
    (outcome, document)
}

/// Names of files and words of servers are shown, not obeyed by the terminal.
fn tell(whose: &str, failure: &Failure) -> Outcome {
    // Nobody listening is no reason for another exit code.
    let _ = writeln!(std::io::stderr(), "{whose}{}", visible_lines(&failure.to_string()));
    failure.what().outcome()
}

/// All the same: that; findings among good ones: findings; anything else: partial.
fn together(outcomes: &[Outcome]) -> Outcome {
    let failed = |outcome: &Outcome| !matches!(outcome, Outcome::Done | Outcome::Findings);
    match outcomes {
        [first, rest @ ..] if rest.iter().all(|outcome| outcome == first) => *first,
        outcomes if outcomes.iter().any(failed) => Outcome::Partial,
        outcomes if outcomes.contains(&Outcome::Findings) => Outcome::Findings,
        _ => Outcome::Done,
    }
}

fn print(document: &Document, settings: &Settings) -> Result<Outcome> {
    write_document(document, settings, &mut std::io::stdout().lock())?;
    Ok(Outcome::Done)
}

fn write_document(document: &Document, settings: &Settings, out: &mut dyn Write) -> Result<()> {
    let env = Env::of_process();
    let style = Style::of_stdout(settings.color.value, |name| env.get(name));
    Ok(output::print(document, settings.format.value, &style, out)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_targets_end_in_one_outcome() {
        use Outcome::{Deferred, Done, Findings, Partial, Refused};
        for (outcomes, end) in [
            (&[Done, Done][..], Done),
            (&[Refused, Refused], Refused),
            (&[Done, Findings], Findings),
            (&[Done, Deferred], Partial),
            (&[Findings, Refused], Partial),
        ] {
            assert_eq!(together(outcomes), end);
        }
    }
}

//! `dbctl backup`: from flags to the room `backup`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;

use super::Run;
use crate::archive::Recipients;
use crate::archive::keys::IDENTITY_VARIABLE;
use crate::backup::create::{self, Lock};
use crate::backup::doctor;
use crate::backup::drill;
use crate::backup::keys::{self, Keys};
use crate::backup::list;
use crate::backup::looks::Looking;
use crate::backup::prune;
use crate::backup::repository::Repository;
use crate::backup::verify::{self, Level, Wanted};
use crate::cli::backup::{BackupCommand, Cut, Encryption, Exercise, KeyArgs, Verification, Wish};
use crate::config::{FileBackup, Origin, Target};
use crate::error::{Explain as _, Failure, Kind, Result};
use crate::outcome::Outcome;
use crate::output::{self, Color, Document, Format, Style};
use crate::steps::Means;
use crate::talk::Terminal;

/// More jobs than this have to be asked for: they take processors of the server as well.
const JOBS: usize = 4;

/// A reader's lock keeps nobody waiting: it may be waited for longer than others.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// What is younger is not pruned where nobody says it.
const MIN_AGE: Duration = Duration::from_secs(24 * 3600);

impl Run {
    pub(super) fn backup(&self, command: BackupCommand) -> Result<Outcome> {
        match command {
            BackupCommand::Create(args) => self.backup_create(&args.into_request()),
            BackupCommand::List(args) => self.on_repository(args.from.as_deref(), async |repository, _| {
                list::list(repository, args.database.as_deref()).await
            }),
            BackupCommand::Status(args) => self.on_repository(args.from.as_deref(), async |repository, _| {
                let max_age = args.max_age.or(self.written().max_age);
                list::status(repository, &args.databases, max_age, args.metrics.as_deref()).await
            }),
            BackupCommand::Prune(args) => self.backup_prune(&args.into_request()),
            BackupCommand::Pin(args) => self.on_repository(args.from.as_deref(), async |repository, _| {
                prune::pin(repository, &args.id, &args.reason).await
            }),
            BackupCommand::Unpin(args) => {
                self.on_repository(args.from.as_deref(), async |repository, _| prune::unpin(repository, &args.id).await)
            }
            BackupCommand::Drill(args) => self.backup_drill(&args.into_request()),
            BackupCommand::Verify(args) => self.backup_verify(&args.into_request()),
        }
    }

    fn backup_create(&self, wish: &Wish) -> Result<Outcome> {
        let written = self.written();
        let repository = self.repository(wish.to.as_deref(), "--to")?;
        // Second places belong to the first: flags for one of them say all.
        let also = if wish.to.is_some() || !wish.also.is_empty() { &wish.also } else { &written.also };
        let also = also.iter().map(|url| place(url)).collect::<Result<Vec<String>>>()?;
        let lock = match &wish.encryption {
            Encryption::Unsaid if written.recipients.is_empty() => match &written.passphrase_file {
                None => Lock::Open,
                Some(file) => keys::passphrase(Some(file), &self.env)?.map_or(Lock::Open, Lock::Passphrase),
            },
            Encryption::Unsaid => Lock::Keys(Recipients::parse(&written.recipients)?),
            Encryption::Recipients(keys) => Lock::Keys(Recipients::parse(keys)?),
            Encryption::Passphrase(file) => match keys::passphrase(file.as_deref(), &self.env)? {
                Some(passphrase) => Lock::Passphrase(passphrase),
                None => {
                    return Err(Failure::new(Kind::Usage, "--encrypt needs a passphrase").hint(format!(
                        "let {} hold it, or say --passphrase-file FILE; or encrypt to a key: --recipient age1…",
                        keys::PASSPHRASE_VARIABLE
                    )));
                }
            },
        };
        let lock_timeout = self.lock_to_read()?;
        let targets = self.settings.targets_or(&written.targets)?;
        self.on_these(&targets, async |run, target, interrupt| {
            let request = create::Request {
                connection: run.connection(target)?,
                repository: repository.clone(),
                also: also.clone(),
                env: run.env.clone(),
                scope: wish.scope.clone(),
                jobs: wish.jobs.or(written.jobs.map(|jobs| jobs as usize)).unwrap_or_else(usual_jobs),
                level: wish.level,
                lock: lock.clone(),
                large_objects: wish.large_objects,
                globals: wish.globals,
                lock_timeout,
                lease_wait: run.settings.lock_wait.value,
                dry_run: run.consent.dry_run,
            };
            let mut talker = run.talker();
            let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
            create::create(&request, &mut means).await
        })
    }
}

impl Run {
    /// How long a reader's lock is waited for.
    pub(super) fn lock_to_read(&self) -> Result<Duration> {
        match self.settings.lock_timeout.origin {
            Origin::Default => Ok(LOCK_TIMEOUT),
            _ => self.settings.lock_attempt(),
        }
    }

    fn backup_verify(&self, wish: &Verification) -> Result<Outcome> {
        if wish.level > Level::Opened {
            let request = drill::Request {
                repository: self.repository(wish.from.as_deref(), "--from")?,
                id: wish.id.clone(),
                level: wish.level,
                database: wish.database.clone(),
                major: None,
                jobs: wish.jobs.unwrap_or_else(usual_jobs),
                keys: self.keys(&wish.keys)?,
                env: self.env.clone(),
                max_restore: None,
                max_age: None,
            };
            return self.answer(self.drilled(&request)?);
        }
        let keys = self.keys(&wish.keys)?;
        let wanted = Wanted { id: &wish.id, database: wish.database.as_deref() };
        self.on_repository(wish.from.as_deref(), async |repository, means| {
            let (keys, env, interrupt) = (&keys, &self.env, means.interrupt);
            let looking =
                Looking { level: wish.level, keys, env, interrupt, jobs: wish.jobs.unwrap_or_else(usual_jobs) };
            verify::verify(repository, &wanted, &looking, means).await
        })
    }
}

impl Run {
    /// What needs a repository and no database.
    fn on_repository(
        &self,
        from: Option<&str>,
        work: impl AsyncFn(&Repository, &mut Means<'_>) -> Result<(Outcome, Document)>,
    ) -> Result<Outcome> {
        let repository = Repository::open(&self.repository(from, "--from")?, &self.env)?;
        let answer = self.block_on(async |interrupt| {
            let mut talker = self.talker();
            let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
            work(&repository, &mut means).await
        })?;
        self.answer(answer)
    }

    fn backup_prune(&self, wish: &Cut) -> Result<Outcome> {
        let written = self.written();
        // A rule of a flag stands for all of them: what was said by hand is the whole rule.
        let keep = if wish.keep.is_empty() { &written.keep } else { &wish.keep }.clone();
        let request = prune::Request {
            database: wish.database.clone(),
            keep,
            min_age: wish.min_age.or(written.min_age).unwrap_or(MIN_AGE),
            zone: wish.zone.or(written.zone).unwrap_or(Tz::UTC),
            max_age: wish.max_age.or(written.max_age),
            damaged: wish.damaged,
            rails: self.rails(&Target::unnamed(None), true),
            dry_run: self.consent.dry_run,
        };
        self.on_repository(wish.from.as_deref(), async |repository, means| {
            prune::prune(repository, &request, means).await
        })
    }

    fn backup_drill(&self, wish: &Exercise) -> Result<Outcome> {
        let request = drill::Request {
            repository: self.repository(wish.from.as_deref(), "--from")?,
            id: wish.id.clone(),
            level: Level::Proven,
            database: wish.database.clone(),
            major: wish.major,
            jobs: wish.jobs.unwrap_or_else(usual_jobs),
            keys: self.keys(&wish.keys)?,
            env: self.env.clone(),
            max_restore: wish.max_restore,
            max_age: wish.max_age.or(self.written().max_age),
        };
        let (outcome, document) = self.drilled(&request)?;
        if let Some(file) = &wish.report {
            let mut text = Vec::new();
            let style = Style::of_stdout(Color::Never, |name| self.env.get(name));
            output::print(&document, Format::Markdown, &style, &mut text)?;
            std::fs::write(file, text).explain(Kind::Failed, format!("cannot write {}", file.display()))?;
        }
        self.answer((outcome, document))
    }

    fn drilled(&self, request: &drill::Request) -> Result<(Outcome, Document)> {
        self.block_on(async |interrupt| {
            let mut talker = self.talker();
            let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
            drill::drill(request, &mut means).await
        })
    }

    /// What the config file says of backups.
    pub(super) fn written(&self) -> FileBackup {
        self.settings.file.as_ref().map(|file| file.backup.clone()).unwrap_or_default()
    }

    /// The repository that a flag, else the config file names.
    ///
    /// # Errors
    /// Usage, when neither does.
    pub(super) fn repository(&self, given: Option<&str>, flag: &str) -> Result<String> {
        let written = self.written().to;
        let place_of = given.map(str::to_owned).or(written).ok_or_else(|| {
            Failure::new(Kind::Usage, "where do the backups lie?")
                .hint(format!("{flag} /srv/backups or {flag} s3://bucket/prefix"))
                .hint("for good: 'backup: { to: /srv/backups }' in dbctl.yaml")
        })?;
        place(&place_of)
    }

    /// What opens backups: flags, else variables, else the config file's identity.
    ///
    /// # Errors
    /// When a file that is to hold it cannot be read.
    pub(super) fn keys(&self, given: &KeyArgs) -> Result<Keys> {
        let written = self.written();
        let unless = |path: Option<PathBuf>, variable: &str| path.filter(|_| self.env.get(variable).is_none());
        let identity = given.identity.clone().or(unless(written.identity, IDENTITY_VARIABLE));
        let words = unless(written.passphrase_file, keys::PASSPHRASE_VARIABLE);
        let passphrase_file = given.passphrase_file.clone().or(words);
        Keys::gather(identity.as_deref(), passphrase_file.as_deref(), &self.env)
    }

    pub(super) fn doctor(&self) -> Result<Outcome> {
        self.on_targets(async |run, target, interrupt| {
            doctor::examine(&run.connection(target)?, &run.env, interrupt).await
        })
    }
}

/// How many tables at once where nobody says it.
pub(super) fn usual_jobs() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(JOBS)
}

/// A repository as stores know it: a folder in full.
pub(super) fn place(text: &str) -> Result<String> {
    if text.contains("://") {
        return Ok(text.to_owned());
    }
    Ok(std::path::absolute(Path::new(text))?.to_string_lossy().into_owned())
}

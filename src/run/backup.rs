//! `dbctl backup`: from flags to the room `backup`.

use std::path::Path;
use std::time::Duration;

use super::Run;
use crate::archive::Recipients;
use crate::backup::create::{self, Lock};
use crate::backup::doctor;
use crate::backup::drill;
use crate::backup::keys::{self, Keys};
use crate::backup::list;
use crate::backup::prune;
use crate::backup::repository::Repository;
use crate::backup::verify::{self, Wanted};
use crate::cli::backup::{BackupCommand, Cut, Encryption, Exercise, Verification, Wish};
use crate::config::{Origin, Target};
use crate::error::{Explain as _, Failure, Kind, Result};
use crate::outcome::Outcome;
use crate::output::{self, Color, Document, Format, Style};
use crate::steps::Means;
use crate::talk::Terminal;

/// More jobs than this have to be asked for: they take processors of the server as well.
const JOBS: usize = 4;

/// A reader's lock keeps nobody waiting: it may be waited for longer than others.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

impl Run {
    pub(super) fn backup(&self, command: BackupCommand) -> Result<Outcome> {
        match command {
            BackupCommand::Create(args) => self.backup_create(&args.into_request()),
            BackupCommand::List(args) => self.on_repository(&args.from, async |repository, _| {
                list::list(repository, args.database.as_deref()).await
            }),
            BackupCommand::Status(args) => self.on_repository(&args.from, async |repository, _| {
                list::status(repository, &args.databases, args.max_age, args.metrics.as_deref()).await
            }),
            BackupCommand::Prune(args) => self.backup_prune(&args.into_request()),
            BackupCommand::Pin(args) => self
                .on_repository(&args.from, async |repository, _| prune::pin(repository, &args.id, &args.reason).await),
            BackupCommand::Unpin(args) => {
                self.on_repository(&args.from, async |repository, _| prune::unpin(repository, &args.id).await)
            }
            BackupCommand::Drill(args) => self.backup_drill(&args.into_request()),
            BackupCommand::Verify(args) => self.backup_verify(&args.into_request()),
        }
    }

    fn backup_create(&self, wish: &Wish) -> Result<Outcome> {
        let repository = place(&wish.to)?;
        let also = wish.also.iter().map(|url| place(url)).collect::<Result<Vec<String>>>()?;
        let lock = match &wish.encryption {
            Encryption::None => Lock::Open,
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
        let lock_timeout = match self.settings.lock_timeout.origin {
            Origin::Default => LOCK_TIMEOUT,
            _ => self.settings.lock_attempt()?,
        };
        self.on_targets(async |run, target, interrupt| {
            let request = create::Request {
                connection: run.connection(target)?,
                repository: repository.clone(),
                also: also.clone(),
                env: run.env.clone(),
                scope: wish.scope.clone(),
                jobs: wish.jobs.unwrap_or_else(usual_jobs),
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
    fn backup_verify(&self, wish: &Verification) -> Result<Outcome> {
        let keys = Keys::gather(wish.keys.identity.as_deref(), wish.keys.passphrase_file.as_deref(), &self.env)?;
        let wanted = Wanted { id: &wish.id, database: wish.database.as_deref(), level: wish.level };
        self.on_repository(&wish.from, async |repository, means| {
            verify::verify(repository, &wanted, &keys, &self.env, means).await
        })
    }
}

impl Run {
    /// What needs a repository and no database.
    fn on_repository(
        &self,
        from: &str,
        work: impl AsyncFn(&Repository, &mut Means<'_>) -> Result<(Outcome, Document)>,
    ) -> Result<Outcome> {
        let repository = Repository::open(&place(from)?, &self.env)?;
        let answer = self.block_on(async |interrupt| {
            let mut talker = self.talker();
            let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
            work(&repository, &mut means).await
        })?;
        self.answer(answer)
    }

    fn backup_prune(&self, wish: &Cut) -> Result<Outcome> {
        let request = prune::Request {
            database: wish.database.clone(),
            keep: wish.keep.clone(),
            min_age: wish.min_age,
            zone: wish.zone,
            max_age: wish.max_age,
            rails: self.rails(&Target::unnamed(None), true),
            dry_run: self.consent.dry_run,
        };
        self.on_repository(&wish.from, async |repository, means| prune::prune(repository, &request, means).await)
    }

    fn backup_drill(&self, wish: &Exercise) -> Result<Outcome> {
        let request = drill::Request {
            repository: place(&wish.from)?,
            id: wish.id.clone(),
            database: wish.database.clone(),
            major: wish.major,
            jobs: wish.jobs.unwrap_or_else(usual_jobs),
            keys: Keys::gather(wish.keys.identity.as_deref(), wish.keys.passphrase_file.as_deref(), &self.env)?,
            env: self.env.clone(),
            max_restore: wish.max_restore,
            max_age: wish.max_age,
        };
        let (outcome, document) = self.block_on(async |interrupt| {
            let mut talker = self.talker();
            let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
            drill::drill(&request, &mut means).await
        })?;
        if let Some(file) = &wish.report {
            let mut text = Vec::new();
            let style = Style::of_stdout(Color::Never, |name| self.env.get(name));
            output::print(&document, Format::Markdown, &style, &mut text)?;
            std::fs::write(file, text).explain(Kind::Failed, format!("cannot write {}", file.display()))?;
        }
        self.answer((outcome, document))
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

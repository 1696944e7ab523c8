//! `dbctl backup`: from flags to the room `backup`.

use std::path::Path;
use std::time::Duration;

use super::Run;
use crate::archive::Recipients;
use crate::backup::create::{self, Lock};
use crate::backup::doctor;
use crate::backup::keys::{self, Keys};
use crate::backup::repository::Repository;
use crate::backup::verify::{self, Wanted};
use crate::cli::backup::{BackupCommand, Encryption, Verification, Wish};
use crate::config::Origin;
use crate::error::{Failure, Kind, Result};
use crate::outcome::Outcome;
use crate::steps::Means;
use crate::talk::Terminal;

/// More jobs than this have to be asked for: they take processors of the server as well.
pub(super) const JOBS: usize = 4;

/// A reader's lock keeps nobody waiting: it may be waited for longer than others.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

impl Run {
    pub(super) fn backup(&self, command: BackupCommand) -> Result<Outcome> {
        match command {
            BackupCommand::Create(args) => self.backup_create(&args.into_request()),
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
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        self.on_targets(async |run, target, interrupt| {
            let request = create::Request {
                connection: run.connection(target)?,
                repository: repository.clone(),
                also: also.clone(),
                env: run.env.clone(),
                scope: wish.scope.clone(),
                jobs: wish.jobs.unwrap_or(processors.min(JOBS)),
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
        let repository = Repository::open(&place(&wish.from)?, &self.env)?;
        let keys = Keys::gather(wish.keys.identity.as_deref(), wish.keys.passphrase_file.as_deref(), &self.env)?;
        let answer = self.block_on(async |interrupt| {
            let mut talker = self.talker();
            let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
            let wanted = Wanted { id: &wish.id, database: wish.database.as_deref(), level: wish.level };
            verify::verify(&repository, &wanted, &keys, &self.env, &mut means).await
        })?;
        self.answer(answer)
    }
}

impl Run {
    pub(super) fn doctor(&self) -> Result<Outcome> {
        self.on_targets(async |run, target, interrupt| {
            doctor::examine(&run.connection(target)?, &run.env, interrupt).await
        })
    }
}

/// A repository as stores know it: a folder in full.
pub(super) fn place(text: &str) -> Result<String> {
    if text.contains("://") {
        return Ok(text.to_owned());
    }
    Ok(std::path::absolute(Path::new(text))?.to_string_lossy().into_owned())
}

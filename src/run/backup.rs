//! `dbctl backup`: from flags to the room `backup`.

use std::path::Path;

use super::Run;
use crate::archive::Recipients;
use crate::backup::create;
use crate::cli::backup::{BackupCommand, Encryption, Wish};
use crate::error::Result;
use crate::outcome::Outcome;
use crate::steps::Means;
use crate::talk::Terminal;

/// More jobs than this have to be asked for: they take processors of the server as well.
const JOBS: usize = 4;

impl Run {
    pub(super) fn backup(&self, command: BackupCommand) -> Result<Outcome> {
        match command {
            BackupCommand::Create(args) => self.backup_create(&args.into_request()),
        }
    }

    fn backup_create(&self, wish: &Wish) -> Result<Outcome> {
        let repository = place(&wish.to)?;
        let recipients = match &wish.encryption {
            Encryption::None => Recipients::default(),
            Encryption::Recipients(keys) => Recipients::parse(keys)?,
            Encryption::Passphrase(_) => Recipients::default(),
        };
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        self.on_targets(async |run, target, interrupt| {
            let request = create::Request {
                connection: run.connection(target)?,
                repository: repository.clone(),
                env: run.env.clone(),
                scope: wish.scope.clone(),
                jobs: wish.jobs.unwrap_or(processors.min(JOBS)),
                level: wish.level,
                recipients: recipients.clone(),
                globals: wish.globals,
                lock_timeout: run.settings.lock_patience.value,
                lease_wait: run.settings.lock_wait.value,
                dry_run: run.consent.dry_run,
            };
            let mut talker = run.talker();
            let mut means = Means { interrupt, events: &mut talker, confirm: &mut Terminal };
            create::create(&request, &mut means).await
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

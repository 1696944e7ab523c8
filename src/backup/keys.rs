//! What opens a backup: an age identity, or the passphrase that opens the identity lying in it.

use std::path::Path;

use super::manifest::{Manifest, Role};
use super::repository::Repository;
use crate::archive::Identities;
use crate::archive::keys::IDENTITY_VARIABLE;
use crate::config::Secret;
use crate::config::env::Env;
use crate::error::{Explain as _, Failure, Kind, Result};

/// The variable with the passphrase.
pub const PASSPHRASE_VARIABLE: &str = "DBCTL_BACKUP_PASSPHRASE";
/// No file with a locked identity is larger.
const LIMIT: u64 = 1 << 20;

/// The keys at hand.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    identities: Identities,
    passphrase: Option<Secret>,
}

impl Keys {
    /// From files where flags name them, else from the environment.
    ///
    /// # Errors
    /// Invalid, naming the file that cannot be read or holds no key.
    pub fn gather(identity: Option<&Path>, passphrase_file: Option<&Path>, env: &Env) -> Result<Keys> {
        let identities = match identity {
            Some(file) => Identities::from_file(file)?,
            None => Identities::from_env(env)?,
        };
        Ok(Keys { identities, passphrase: passphrase(passphrase_file, env)? })
    }

    /// What opens the files of a backup; nothing where it is plain.
    ///
    /// # Errors
    /// Refused, when no key is at hand or the passphrase is another one; the store's.
    pub async fn open(&self, repository: &Repository, manifest: &Manifest) -> Result<Identities> {
        if !manifest.is_encrypted() {
            return Ok(Identities::default());
        }
        let locked = manifest.files.iter().find(|part| part.role == Role::Key);
        let Some(locked) = locked else {
            if self.identities.is_empty() {
                let keys = manifest.recipients.join(" or ");
                return Err(Failure::new(
                    Kind::Refused,
                    format!("backup {} is encrypted, and no key is at hand", manifest.id),
                )
                .hint(format!("--identity FILE, or {IDENTITY_VARIABLE}, with the age identity of {keys}")));
            }
            return Ok(self.identities.clone());
        };
        let Some(passphrase) = &self.passphrase else {
            if !self.identities.is_empty() {
                return Ok(self.identities.clone());
            }
            return Err(Failure::new(Kind::Refused, format!("backup {} is locked by a passphrase", manifest.id))
                .hint(format!("let {PASSPHRASE_VARIABLE} hold it, or say --passphrase-file FILE")));
        };
        let path = Repository::path(&manifest.id, &locked.file.path);
        let url = repository.store().url_of(&path);
        let bytes = repository.store().read_small(&path, LIMIT).await?;
        let bytes = bytes.ok_or_else(|| Failure::new(Kind::Refused, format!("{url} is not there")))?;
        Identities::unlock(&bytes, passphrase, &url)
    }
}

/// The passphrase: the first line of a file, else that of the environment.
///
/// # Errors
/// Invalid, when the file cannot be read or its first line is empty.
pub fn passphrase(file: Option<&Path>, env: &Env) -> Result<Option<Secret>> {
    let Some(file) = file else { return Ok(env.get(PASSPHRASE_VARIABLE).map(Secret::new)) };
    let shown = file.display();
    let text =
        std::fs::read_to_string(file).explain(Kind::Invalid, format!("cannot read the passphrase in {shown}"))?;
    match text.lines().next().unwrap_or_default() {
        "" => Err(Failure::new(Kind::Invalid, format!("the first line of {shown} is empty: no passphrase"))),
        line => Ok(Some(Secret::new(line))),
    }
}

//! Who may open an archive (age recipients, public) and who opens it (age identities, secret).
//! Identities are never shown, neither in errors nor in manifests.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::config::Secret;
use crate::config::env::Env;
use crate::error::{Explain, Failure, Kind, Result};

/// The variable that names the file with the identities.
pub const IDENTITY_VARIABLE: &str = "DBCTL_ARCHIVE_IDENTITY";

/// scrypt's N as a power of two: 64 MiB of memory for each try at a passphrase.
const LOCK_WORK: u8 = 16;
/// Locks that took a machine up to some minutes are opened.
const WORK: u8 = 24;

/// The public keys that a file is encrypted to; none means that it stays plain.
#[derive(Clone, Default)]
pub struct Recipients {
    keys: Vec<age::x25519::Recipient>,
}

impl Recipients {
    /// Reads `age1…` keys.
    ///
    /// # Errors
    /// Invalid, naming the one that is no key.
    pub fn parse<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Result<Recipients> {
        let mut keys = Vec::new();
        for text in texts {
            let text = text.as_ref().trim();
            if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY") {
                return Err(Failure::new(Kind::Invalid, "a secret age key stands where recipients are wanted")
                    .hint("a recipient is public and begins with age1: age-keygen -y FILE prints it"));
            }
            let key = text.parse().map_err(|reason: &str| {
                Failure::new(Kind::Invalid, format!("'{text}' is no age recipient: {reason}"))
                    .hint("a recipient begins with age1: age-keygen -y FILE prints that of an identity")
            })?;
            keys.push(key);
        }
        Ok(Recipients { keys })
    }

    /// A key made for this once, and its identity, which wants to be locked.
    pub fn made() -> (Recipients, Unlocked) {
        let identity = age::x25519::Identity::generate();
        (Recipients { keys: vec![identity.to_public()] }, Unlocked(identity))
    }

    /// Nothing is to be encrypted.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// As they were written.
    pub fn texts(&self) -> Vec<String> {
        self.keys.iter().map(ToString::to_string).collect()
    }

    /// What encrypts to all of them; none when there are none.
    pub(super) fn encryptor(&self) -> Result<Option<age::Encryptor>> {
        if self.is_empty() {
            return Ok(None);
        }
        let keys = self.keys.iter().map(|key| key as &dyn age::Recipient);
        age::Encryptor::with_recipients(keys).explain(Kind::Failed, "cannot encrypt to the recipients").map(Some)
    }
}

impl fmt::Debug for Recipients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.texts()).finish()
    }
}

/// An identity that nobody else has, and that is not to be written down as it is.
pub struct Unlocked(age::x25519::Identity);

impl Unlocked {
    /// Encrypts it by a passphrase (scrypt), which takes a moment on purpose: a file that the age program opens, too.
    ///
    /// # Errors
    /// None in practice.
    pub fn locked(self, passphrase: &Secret) -> Result<Vec<u8>> {
        use age::secrecy::{ExposeSecret as _, SecretString};
        let mut lock = age::scrypt::Recipient::new(SecretString::from(passphrase.reveal()));
        lock.set_work_factor(LOCK_WORK);
        let text = self.0.to_string();
        let locked = age::encrypt(&lock, format!("{}\n", text.expose_secret()).as_bytes());
        locked.explain(Kind::Failed, "cannot encrypt by the passphrase")
    }
}

/// The secret keys that are at hand.
#[derive(Clone, Default)]
pub struct Identities {
    keys: Vec<age::x25519::Identity>,
}

impl Identities {
    /// Those of the file that `DBCTL_ARCHIVE_IDENTITY` names; none where it is not set.
    ///
    /// # Errors
    /// As [`Identities::from_file`].
    pub fn from_env(env: &Env) -> Result<Identities> {
        let Some(file) = env.get(IDENTITY_VARIABLE) else { return Ok(Identities::default()) };
        Identities::from_file(Path::new(file))
            .map_err(|failure| failure.context(format!("variable {IDENTITY_VARIABLE}")))
    }

    /// Those of a file as age-keygen writes it: one a line, lines with `#` are comments.
    ///
    /// # Errors
    /// Invalid, naming the file and the line, never its text.
    pub fn from_file(file: &Path) -> Result<Identities> {
        let shown: PathBuf = file.to_owned();
        let text = std::fs::read_to_string(file)
            .explain(Kind::Invalid, format!("cannot read the age identities in {}", shown.display()))?;
        let mut keys = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = line.parse().map_err(|_| {
                Failure::new(
                    Kind::Invalid,
                    format!("{}, line {}: no X25519 identity of age", shown.display(), index + 1),
                )
                .hint(format!("it begins with AGE-SECRET-KEY-1, as age-keygen -o {} writes it", shown.display()))
            })?;
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(Failure::new(Kind::Invalid, format!("{} holds no age identity", shown.display())));
        }
        Ok(Identities { keys })
    }

    /// The one that [`Unlocked::locked`] wrote; `name` is the file's, for messages.
    ///
    /// # Errors
    /// Refused, when the passphrase is another one or the file was changed.
    pub fn unlock(locked: &[u8], passphrase: &Secret, name: &str) -> Result<Identities> {
        let mut key = age::scrypt::Identity::new(age::secrecy::SecretString::from(passphrase.reveal()));
        key.set_max_work_factor(WORK);
        let refused = || Failure::new(Kind::Refused, format!("the passphrase does not open {name}"));
        let text = age::decrypt(&key, locked).map_err(|error| match error {
            age::DecryptError::DecryptionFailed | age::DecryptError::NoMatchingKeys => refused(),
            other => refused().note(format!("age: {other}")),
        })?;
        let text = String::from_utf8_lossy(&text);
        let key = text.trim().parse().map_err(|_| refused().note("it holds no age identity"))?;
        Ok(Identities { keys: vec![key] })
    }

    /// None is at hand.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// What age tries, one after the other.
    pub(super) fn keys(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.keys.iter().map(|key| key as &dyn age::Identity)
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} identities ****", self.keys.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_recipient_is_named_and_a_secret_one_is_not_shown() {
        let good = age::x25519::Identity::generate();
        let bad = Recipients::parse([good.to_public().to_string(), "age1nonsense".to_owned()]).unwrap_err();
        assert!(bad.to_string().contains("'age1nonsense' is no age recipient"), "{bad}");
        use age::secrecy::ExposeSecret as _;
        let secret = good.to_string();
        let refused = Recipients::parse([secret.expose_secret()]).unwrap_err().to_string();
        assert!(!refused.contains(secret.expose_secret()), "{refused}");
    }

    #[test]
    fn a_locked_identity_opens_by_its_passphrase_alone() {
        let (recipients, identity) = Recipients::made();
        let locked = identity.locked(&Secret::new("correct horse")).unwrap();
        let opened = Identities::unlock(&locked, &Secret::new("correct horse"), "key.age").unwrap();
        assert_eq!(opened.keys[0].to_public().to_string(), recipients.texts()[0]);
        let refused = Identities::unlock(&locked, &Secret::new("battery"), "key.age").unwrap_err();
        assert_eq!(refused.what(), Kind::Refused);
        assert!(!refused.to_string().contains("battery"), "{refused}");
        assert!(Identities::unlock(&locked[..40], &Secret::new("correct horse"), "key.age").is_err());
    }

    #[test]
    fn a_broken_identity_file_is_named_by_line_and_never_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, "# made today\n\nAGE-SECRET-KEY-1BROKEN\n").unwrap();
        let failure = Identities::from_file(&file).unwrap_err();
        let text = failure.to_string();
        assert!(text.contains("key, line 3") && !text.contains("BROKEN"), "{text}");
        assert_eq!(failure.what(), Kind::Invalid);
        assert!(Identities::from_env(&Env::default()).unwrap().is_empty());
    }
}

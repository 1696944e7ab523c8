//! A file is read back and compared with its manifest, outside and inside. Knows no server.

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};

use super::keys::Identities;
use super::manifest::{File, Manifest};
use super::records::Records;
use super::seal::hex;
use super::store::Store;
use super::unseal::{self, Fault, Unsealing};
use crate::error::{Failure, Kind, Result};

/// What a file was proven to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Rows in the file; where it was not opened, those of the manifest.
    pub rows: u64,
    /// The size of the file.
    pub bytes: u64,
    /// It was opened and its text is the one of the manifest. False for an encrypted file without an
    /// identity at hand: its outer sum alone is proven then, which a changed byte does not survive.
    pub plain_checked: bool,
}

/// Reads the file of a manifest back, to its end.
///
/// # Errors
/// Refused, naming everything that differs from the manifest, or when no identity fits; failed when
/// the file is not there; the store's.
pub async fn read_back(store: &Store, manifest: &Manifest, identities: &Identities) -> Result<Verified> {
    let read = read_through(store, manifest, identities, async |_| Ok(())).await?;
    Ok(Verified { rows: manifest.rows, bytes: manifest.file.bytes, plain_checked: read.opened })
}

/// What reading a file through came to.
pub struct Through {
    /// The text was seen, and all of it. False for an encrypted file without an identity at hand.
    pub opened: bool,
}

/// Reads the file of a manifest, opens it where that is possible, hands on its text and proves all of
/// it. What was handed on is not proven before this returns.
pub(super) async fn read_through(
    store: &Store,
    manifest: &Manifest,
    identities: &Identities,
    mut take: impl AsyncFnMut(Bytes) -> Result<()>,
) -> Result<Through> {
    let mut records = Records::default();
    let counted = async |piece: Bytes| {
        records.add(&piece);
        take(piece).await
    };
    let through = read_file(store, &manifest.file, identities, counted).await?;
    let mut differs = Differs(Vec::new());
    if through.opened {
        differs.number("rows", records.total().saturating_sub(u64::from(manifest.copy.header)), manifest.rows);
    }
    differs.none_of(&store.url_of(&manifest.file.path)).map(|()| through)
}

/// Reads a file, opens it where that is possible, hands on its text and proves all of it against its
/// sizes and sums. What was handed on is not proven before this returns.
///
/// # Errors
/// Refused, naming everything that differs, or when no identity fits; failed when the file is not
/// there; the store's; whatever `take` says.
pub async fn read_file(
    store: &Store,
    file: &File,
    identities: &Identities,
    mut take: impl AsyncFnMut(Bytes) -> Result<()>,
) -> Result<Through> {
    let encrypted = !file.recipients.is_empty();
    let opens = !encrypted || !identities.is_empty();
    let mut pieces = store.read(&file.path).await?;
    let (mut outer, mut bytes) = (Sha256::new(), 0_u64);
    let (mut inner, mut plain_bytes) = (file.plain_sha256.as_ref().map(|told| (told, Sha256::new())), 0_u64);
    let mut fault = None;

    let (input, output) = match opens.then(|| unseal::begin(encrypted, identities)) {
        Some(Unsealing { input, output }) => (Some(input), Some(output)),
        None => (None, None),
    };
    let feed = async {
        // Dropped at the end: that ends the file for the other side.
        let input = input;
        while let Some(piece) = pieces.try_next().await? {
            outer.update(&piece);
            bytes += piece.len() as u64;
            if let Some(input) = &input {
                // The other side may have given up; the outer sum says why.
                let _ = input.send(piece).await;
            }
        }
        Ok::<(), Failure>(())
    };
    let drain = async {
        let Some(mut output) = output else { return Ok(()) };
        while let Some(piece) = output.recv().await {
            match piece {
                Ok(piece) => {
                    if let Some((_, inner)) = &mut inner {
                        inner.update(&piece);
                    }
                    plain_bytes += piece.len() as u64;
                    take(piece).await?;
                }
                Err(told) => fault = Some(told),
            }
        }
        Ok(())
    };
    // The first failure ends both.
    let ((), ()) = tokio::try_join!(feed, drain)?;

    let url = store.url_of(&file.path);
    let mut differs = Differs(Vec::new());
    differs.number("bytes", bytes, file.bytes);
    differs.text("sha256", &hex(&outer.finalize()), &file.sha256);
    if opens && differs.0.is_empty() {
        match fault {
            Some(Fault::WrongKey) => return Err(wrong_key(&url, file)),
            Some(Fault::Damaged(why)) => differs.0.push(format!("it cannot be opened: {why}")),
            None => {
                differs.number("bytes of the text within", plain_bytes, file.plain_bytes);
                if let Some((told, inner)) = inner {
                    differs.text("sha256 of the text within", &hex(&inner.finalize()), told);
                }
            }
        }
    }
    differs.none_of(&url).map(|()| Through { opened: opens })
}

/// Whether a file could not be opened for want of its key: that says nothing against the file.
pub fn is_wrong_key(failure: &Failure) -> bool {
    failure.messages().first().is_some_and(|message| message.starts_with(WRONG_KEY))
}

const WRONG_KEY: &str = "no identity at hand opens";

fn wrong_key(url: &str, file: &File) -> Failure {
    let recipients = file.recipients.join(", ");
    Failure::new(Kind::Refused, format!("{WRONG_KEY} {url}"))
        .note(format!("it is encrypted to {recipients}"))
        .hint(format!("let {} name the file with the identity of one of them", super::keys::IDENTITY_VARIABLE))
}

struct Differs(Vec<String>);

impl Differs {
    fn number(&mut self, what: &str, found: u64, told: u64) {
        if found != told {
            self.0.push(format!("{what}: {found}, the manifest says {told}"));
        }
    }

    fn text(&mut self, what: &str, found: &str, told: &str) {
        if found != told {
            self.0.push(format!("{what}: {found}, the manifest says {told}"));
        }
    }

    fn none_of(self, url: &str) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let failure = Failure::new(Kind::Refused, format!("{url} is not what its manifest says"));
        let failure = self.0.into_iter().fold(failure, Failure::note);
        Err(failure
            .hint("the file was changed or damaged after it was written: bring back a copy of it, or write it again"))
    }
}

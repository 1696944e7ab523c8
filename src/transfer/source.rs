//! A file's text, opened and decompressed by what its first bytes say, and the sums of all of it.
//! Knows no server.

use std::io::Read as _;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::place::Place;
use super::sidecar::File;
use crate::archive::Identities;
use crate::archive::keys::IDENTITY_VARIABLE;
use crate::archive::seal::hex;
use crate::archive::unseal::{self, Fault, Unsealing};
use crate::error::{Failure, Kind, Result};

/// What is read from standard input at once.
const PIECE: usize = 256 << 10;

/// What a file came to.
pub struct Sums {
    /// The file's size and sha256.
    bytes: u64,
    sha256: String,
    /// Those of its text.
    pub plain_bytes: u64,
    plain_sha256: String,
}

/// Reads a file to its end and hands on its text.
///
/// # Errors
/// Refused, when it is damaged or no identity opens it; the store's; whatever `take` says.
pub async fn read(
    place: &Place,
    identities: &Identities,
    mut take: impl AsyncFnMut(Bytes) -> Result<()>,
) -> Result<Sums> {
    let Unsealing { input, mut output } = unseal::begin_with_anything(identities);
    let (mut outer, mut bytes, mut fault) = (Sha256::new(), 0_u64, None);
    let (mut inner, mut plain_bytes) = (Sha256::new(), 0_u64);
    let feed = async {
        // Dropped at the end: that ends the file for the other side.
        let input = input;
        let mut hand = async |piece: Bytes| {
            outer.update(&piece);
            bytes += piece.len() as u64;
            // The other side may have given up, and says why.
            let _ = input.send(piece).await;
        };
        match place {
            Place::File { store, path } => {
                let mut pieces = store.read(path).await?;
                while let Some(piece) = pieces.try_next().await? {
                    hand(piece).await;
                }
            }
            Place::Stream => {
                let mut pieces = standard_input();
                while let Some(piece) = pieces.recv().await {
                    hand(piece?).await;
                }
            }
        }
        Ok::<(), Failure>(())
    };
    let drain = async {
        while let Some(piece) = output.recv().await {
            match piece {
                Ok(piece) => {
                    inner.update(&piece);
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
    match fault {
        None => Ok(Sums { bytes, sha256: hex(&outer.finalize()), plain_bytes, plain_sha256: hex(&inner.finalize()) }),
        Some(Fault::WrongKey) => {
            Err(Failure::new(Kind::Refused, format!("{} is encrypted, and no identity at hand opens it", place.name()))
                .hint(format!("let {IDENTITY_VARIABLE} name the file with the age identity")))
        }
        Some(Fault::Damaged(how)) => {
            Err(Failure::new(Kind::Refused, format!("{} is damaged: {how}", place.name())).note("nothing was stored"))
        }
    }
}

impl Sums {
    /// Compares a file with what was written of it.
    ///
    /// # Errors
    /// Refused, naming all that differs.
    pub fn compare(&self, told: &File, name: &str) -> Result<()> {
        let mut differs = Vec::new();
        let mut number = |what: &str, here: u64, told: u64| {
            if here != told {
                differs.push(format!("{what}: {here}, the sidecar says {told}"));
            }
        };
        number("bytes", self.bytes, told.bytes);
        number("bytes of text", self.plain_bytes, told.plain_bytes);
        for (what, here, told) in
            [("sha256", &self.sha256, &told.sha256), ("sha256 of the text", &self.plain_sha256, &told.plain_sha256)]
        {
            if here != told {
                differs.push(format!("{what}: {here}, the sidecar says {told}"));
            }
        }
        if differs.is_empty() {
            return Ok(());
        }
        let failure = Failure::new(Kind::Refused, format!("{name} is not the file of its sidecar; nothing was stored"));
        Err(differs
            .iter()
            .fold(failure, Failure::note)
            .hint(format!("a file that was changed on purpose is imported without {name}.json")))
    }
}

/// Standard input by a thread of its own: signals are heard meanwhile.
fn standard_input() -> mpsc::Receiver<Result<Bytes>> {
    let (send, receive) = mpsc::channel(4);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        loop {
            let mut piece = vec![0; PIECE];
            let read = match input.read(&mut piece) {
                Ok(0) => return,
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let _ = send.blocking_send(Err(error.into()));
                    return;
                }
            };
            piece.truncate(read);
            if send.blocking_send(Ok(piece.into())).is_err() {
                return;
            }
        }
    });
    receive
}

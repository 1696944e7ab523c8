//! The bytes of a file in, plain bytes out, on a thread of their own: age and zstd read by
//! themselves, while the run's only thread feeds them and hashes. Knows no store.

use std::io::{self, Read};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::sync::mpsc;

use super::keys::Identities;

/// What is handed over at once.
const PIECE: usize = 256 << 10;
/// How many pieces wait on either side.
const AHEAD: usize = 4;

/// Why the file could not be opened.
#[derive(Debug)]
pub enum Fault {
    /// None of the identities is that of a recipient.
    WrongKey,
    /// It is not what was written.
    Damaged(String),
}

/// Both ends of the thread.
pub struct Unsealing {
    /// Takes the file; dropping it ends the file.
    pub input: mpsc::Sender<Bytes>,
    /// Gives the plain text, at last perhaps a fault.
    pub output: mpsc::Receiver<Result<Bytes, Fault>>,
}

/// Starts the thread. It ends with either of its ends.
pub fn begin(encrypted: bool, identities: &Identities) -> Unsealing {
    let (input, receive) = mpsc::channel(AHEAD);
    let (send, output) = mpsc::channel(AHEAD);
    let identities = identities.clone();
    std::thread::spawn(move || {
        let sealed = Sealed { receive, rest: Bytes::new() };
        let done = if encrypted { decrypt(sealed, &identities, &send) } else { decompress(sealed, &send) };
        if let Err(fault) = done {
            // Nobody listens any more: then nobody wants to know.
            let _ = send.blocking_send(Err(fault));
        }
    });
    Unsealing { input, output }
}

/// The same for a file that nothing is known of: its first bytes say whether it is encrypted, and then
/// whether it is compressed.
pub fn begin_with_anything(identities: &Identities) -> Unsealing {
    let (input, receive) = mpsc::channel(AHEAD);
    let (send, output) = mpsc::channel(AHEAD);
    let identities = identities.clone();
    std::thread::spawn(move || {
        if let Err(fault) = open_anything(Sealed { receive, rest: Bytes::new() }, &identities, &send) {
            let _ = send.blocking_send(Err(fault));
        }
    });
    Unsealing { input, output }
}

fn open_anything(sealed: Sealed, identities: &Identities, send: &Sender) -> Result<(), Fault> {
    let (encrypted, sealed) = begins_with(sealed, AGE)?;
    if !encrypted {
        return open_plain(sealed, send);
    }
    if identities.is_empty() {
        return Err(Fault::WrongKey);
    }
    open_plain(decryptor(sealed, identities)?, send)
}

fn open_plain(reader: impl Read, send: &Sender) -> Result<(), Fault> {
    let (compressed, reader) = begins_with(reader, ZSTD)?;
    if compressed { decompress(reader, send) } else { hand_on(reader, send) }
}

/// How files of age and of zstd begin.
const AGE: &[u8] = b"age-encryption.org/v1\n";
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Whether a text begins so, and all of it.
fn begins_with(mut reader: impl Read, wanted: &[u8]) -> Result<(bool, impl Read), Fault> {
    let mut first = vec![0; wanted.len()];
    let read = fill(&mut reader, &mut first).map_err(|error| Fault::Damaged(error.to_string()))?;
    first.truncate(read);
    let same = first == wanted;
    Ok((same, Read::chain(io::Cursor::new(first), reader)))
}

type Sender = mpsc::Sender<Result<Bytes, Fault>>;

fn decrypt(sealed: Sealed, identities: &Identities, send: &Sender) -> Result<(), Fault> {
    decompress(decryptor(sealed, identities)?, send)
}

fn decryptor<'a>(sealed: impl Read + 'a, identities: &Identities) -> Result<impl Read + 'a, Fault> {
    let opened = age::Decryptor::new_buffered(io::BufReader::with_capacity(PIECE, sealed));
    opened.and_then(|decryptor| decryptor.decrypt(identities.keys())).map_err(|error| match error {
        age::DecryptError::NoMatchingKeys => Fault::WrongKey,
        other => Fault::Damaged(format!("age: {other}")),
    })
}

fn decompress(sealed: impl Read, send: &Sender) -> Result<(), Fault> {
    let plain = zstd::stream::read::Decoder::new(sealed).map_err(|error| Fault::Damaged(error.to_string()))?;
    hand_on(plain, send)
}

fn hand_on(mut plain: impl Read, send: &Sender) -> Result<(), Fault> {
    loop {
        let mut piece = BytesMut::zeroed(PIECE);
        let read = fill(&mut plain, &mut piece).map_err(|error| Fault::Damaged(error.to_string()))?;
        piece.truncate(read);
        if read == 0 || send.blocking_send(Ok(piece.freeze())).is_err() {
            return Ok(());
        }
    }
}

/// zstd gives 128 KiB at a time, and less at the ends of its blocks.
fn fill(reader: &mut impl Read, piece: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < piece.len() {
        match reader.read(&mut piece[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

struct Sealed {
    receive: mpsc::Receiver<Bytes>,
    rest: Bytes,
}

impl Read for Sealed {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.receive.blocking_recv() {
                Some(next) => self.rest = next,
                None => return Ok(0),
            }
        }
        let read = to.len().min(self.rest.len());
        self.rest.split_to(read).copy_to_slice(&mut to[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::Recipients;
    use super::super::seal::Seal;
    use super::*;

    fn sealed(plain: &[u8], recipients: &Recipients) -> Vec<u8> {
        let mut seal = Seal::new(3, recipients).unwrap();
        let mut file = Vec::new();
        for piece in plain.chunks(1000) {
            file.extend(seal.write(piece).unwrap().unwrap_or_default());
        }
        file.extend(seal.finish().unwrap().0.unwrap_or_default());
        file
    }

    async fn opened(file: &[u8], encrypted: bool, identities: &Identities) -> Result<Vec<u8>, Fault> {
        let Unsealing { input, mut output } = begin(encrypted, identities);
        let feed = async move {
            for piece in file.chunks(777) {
                let _ = input.send(Bytes::copy_from_slice(piece)).await;
            }
        };
        let drain = async {
            let mut plain = Vec::new();
            while let Some(piece) = output.recv().await {
                plain.extend_from_slice(&piece?);
            }
            Ok(plain)
        };
        tokio::join!(feed, drain).1
    }

    #[tokio::test]
    async fn what_goes_in_comes_out_and_only_with_the_key() {
        let plain: Vec<u8> = (0..600_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let file = sealed(&plain, &Recipients::default());
        assert!(file.len() < plain.len());
        assert!(opened(&file, false, &Identities::default()).await.unwrap() == plain);

        let folder = tempfile::tempdir().unwrap();
        let identity = |name: &str| {
            use age::secrecy::ExposeSecret as _;
            let key = age::x25519::Identity::generate();
            std::fs::write(folder.path().join(name), key.to_string().expose_secret()).unwrap();
            (key.to_public().to_string(), Identities::from_file(&folder.path().join(name)).unwrap())
        };
        let ((ours, mine), (_, strange)) = (identity("a"), identity("b"));
        let file = sealed(&plain, &Recipients::parse([ours]).unwrap());
        assert!(opened(&file, true, &mine).await.unwrap() == plain);
        assert!(matches!(opened(&file, true, &strange).await, Err(Fault::WrongKey)));
        assert!(matches!(opened(&file[..file.len() - 1], true, &mine).await, Err(Fault::Damaged(_))));
    }

    #[tokio::test]
    async fn a_truncated_file_is_no_shorter_text() {
        let file = sealed(&[7; 100_000], &Recipients::default());
        for cut in [0, 1, 5, file.len() / 2, file.len() - 1] {
            let text = opened(&file[..cut], false, &Identities::default()).await;
            // Nothing at all is an empty stream to zstd: its hash tells.
            assert!(text.is_err() || text.is_ok_and(|text| cut == 0 && text.is_empty()), "{cut}");
        }
    }
}

//! Plain bytes in, the bytes of the file out: sha256 of the plain text, zstd, then age where there
//! are recipients. Holds a few hundred kilobytes, whatever the size of the table. Knows no store.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::keys::Recipients;
use crate::error::{Explain, Kind, Result};

/// What the store is given at once.
const PIECE: usize = 256 << 10;

/// The pipe.
pub struct Seal {
    hash: Sha256,
    plain_bytes: u64,
    encoder: Encoder,
    out: Out,
}

/// What went in.
pub struct Plain {
    /// How much.
    pub bytes: u64,
    /// Its sha256.
    pub sha256: String,
}

impl Seal {
    /// Compresses at a level of zstd and encrypts, unless there are no recipients.
    pub fn new(level: i32, recipients: &Recipients) -> Result<Seal> {
        let (out, outer) = outer(recipients)?;
        let encoder = zstd::stream::write::Encoder::new(outer, level);
        let mut encoder = encoder.explain(Kind::Usage, format!("cannot compress at level {level} of zstd"))?;
        encoder.include_checksum(true)?;
        Ok(Seal { hash: Sha256::new(), plain_bytes: 0, encoder: Encoder::Zstd(encoder), out })
    }

    /// Leaves the bytes as they are, but encrypts, unless there are no recipients.
    pub fn uncompressed(recipients: &Recipients) -> Result<Seal> {
        let (out, outer) = outer(recipients)?;
        Ok(Seal { hash: Sha256::new(), plain_bytes: 0, encoder: Encoder::None(outer), out })
    }

    /// Takes plain bytes; gives bytes of the file, once enough have come together.
    pub fn write(&mut self, plain: &[u8]) -> Result<Option<Bytes>> {
        self.hash.update(plain);
        self.write_unsummed(plain)
    }

    /// The same, where the sum of the plain bytes is not wanted: the one at the end lacks these.
    pub fn write_unsummed(&mut self, plain: &[u8]) -> Result<Option<Bytes>> {
        self.plain_bytes += plain.len() as u64;
        match &mut self.encoder {
            Encoder::Zstd(encoder) => encoder.write_all(plain).explain(Kind::Failed, "cannot compress")?,
            Encoder::None(outer) => outer.write_all(plain).explain(Kind::Failed, "cannot encrypt")?,
        }
        Ok(self.out.take_from(PIECE))
    }

    /// Ends the file: its last bytes, and what went in.
    pub fn finish(self) -> Result<(Option<Bytes>, Plain)> {
        let outer = match self.encoder {
            Encoder::Zstd(encoder) => encoder.finish().explain(Kind::Failed, "cannot compress")?,
            Encoder::None(outer) => outer,
        };
        if let Outer::Encrypted(writer) = outer {
            writer.finish().explain(Kind::Failed, "cannot encrypt")?;
        }
        let plain = Plain { bytes: self.plain_bytes, sha256: hex(&self.hash.finalize()) };
        Ok((self.out.take_from(1), plain))
    }
}

enum Encoder {
    Zstd(zstd::stream::write::Encoder<'static, Outer>),
    None(Outer),
}

fn outer(recipients: &Recipients) -> Result<(Out, Outer)> {
    let out = Out::default();
    let outer = match recipients.encryptor()? {
        Some(encryptor) => {
            let writer = encryptor.wrap_output(out.clone());
            Outer::Encrypted(Box::new(writer.explain(Kind::Failed, "cannot begin to encrypt")?))
        }
        None => Outer::Plain(out.clone()),
    };
    Ok((out, outer))
}

/// The end of the pipe, which age and zstd hold and we look into.
#[derive(Clone, Default)]
struct Out(Arc<Mutex<Vec<u8>>>);

impl Out {
    fn take_from(&self, enough: usize) -> Option<Bytes> {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (bytes.len() >= enough).then(|| Bytes::from(std::mem::take(&mut *bytes)))
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Outer {
    Plain(Out),
    Encrypted(Box<age::stream::StreamWriter<Out>>),
}

impl Write for Outer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Outer::Plain(out) => out.write(bytes),
            Outer::Encrypted(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Outer::Plain(out) => out.flush(),
            Outer::Encrypted(out) => out.flush(),
        }
    }
}

/// A digest as people write it.
pub fn hex(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

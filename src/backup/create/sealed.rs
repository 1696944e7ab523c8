//! A file of a backup on its way into the store: sealed as it comes, born only when there is something
//! to write.

use bytes::{Bytes, BytesMut};

use crate::archive::Recipients;
use crate::archive::manifest::File;
use crate::archive::seal::Seal;
use crate::archive::store::{Create, Store, Writer};
use crate::backup::repository::Draft;
use crate::error::Result;

/// How much comes together before it is compressed.
const PIECE: usize = 128 << 10;

/// How files are sealed.
#[derive(Debug, Clone)]
pub struct Sealing {
    /// The level of zstd.
    pub level: i32,
    /// Who may open them; none leaves them plain.
    pub recipients: Recipients,
}

/// A file under way.
pub struct Sealed<'a> {
    store: &'a Store,
    /// Its path in the store, and the one below the backup's folder.
    path: String,
    name: String,
    sealing: &'a Sealing,
    seal: Seal,
    writer: Option<Writer>,
    piece: BytesMut,
    /// Whether the text within gets a sum of its own.
    summed: bool,
}

impl<'a> Sealed<'a> {
    /// Begins a file: `folder` is that of the backup under way, `name` lacks its endings.
    ///
    /// # Errors
    /// Usage, when zstd has no such level.
    pub fn begin(store: &'a Store, folder: impl Fn(&str) -> String, name: &str, sealing: &'a Sealing) -> Result<Self> {
        let name = sealing.named(name);
        Ok(Sealed {
            store,
            path: folder(&name),
            name,
            sealing,
            seal: Seal::new(sealing.level, &sealing.recipients)?,
            writer: None,
            piece: BytesMut::with_capacity(2 * PIECE),
            summed: true,
        })
    }

    /// The same for a file of rows, of which the manifest has the sum of rows: verify and restore hold the text against
    /// that.
    ///
    /// # Errors
    /// Usage, when zstd has no such level.
    pub fn of_rows(
        store: &'a Store,
        folder: impl Fn(&str) -> String,
        name: &str,
        sealing: &'a Sealing,
    ) -> Result<Self> {
        Ok(Sealed { summed: false, ..Sealed::begin(store, folder, name, sealing)? })
    }

    /// Takes what comes next.
    ///
    /// # Errors
    /// The store's.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> Result<()> {
        let seal = &mut self.seal;
        let sealed = if self.summed { seal.write(&self.piece)? } else { seal.write_unsummed(&self.piece)? };
        self.piece.clear();
        match sealed {
            Some(sealed) => self.store_bytes(sealed).await,
            None => Ok(()),
        }
    }

    async fn store_bytes(&mut self, bytes: Bytes) -> Result<()> {
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.store.create(&self.path, &Create::default()).await?,
        };
        let written = writer.write(bytes).await;
        self.writer = Some(writer);
        written
    }

    /// Makes the file durable and gives it its name.
    ///
    /// # Errors
    /// The store's.
    pub async fn finish(mut self) -> Result<File> {
        self.flush().await?;
        let Sealed { store, path, name, sealing, seal, writer, summed, .. } = self;
        let (last, plain) = seal.finish()?;
        let mut writer = match writer {
            Some(writer) => writer,
            None => store.create(&path, &Create::default()).await?,
        };
        if let Some(last) = last {
            writer.write(last).await?;
        }
        let stored = writer.finish(store, &path).await?;
        Ok(File {
            path: name,
            bytes: stored.bytes,
            sha256: stored.sha256,
            plain_bytes: plain.bytes,
            plain_sha256: summed.then_some(plain.sha256),
            compression: format!("zstd-{}", sealing.level),
            recipients: sealing.recipients.texts(),
        })
    }

    /// Writes a whole text.
    ///
    /// # Errors
    /// The store's.
    pub async fn whole(
        store: &Store,
        folder: impl Fn(&str) -> String,
        name: &str,
        sealing: &Sealing,
        text: &[u8],
    ) -> Result<File> {
        let mut file = Sealed::begin(store, folder, name, sealing)?;
        file.write(text).await?;
        file.finish().await
    }
}

/// Writes a file as it is: the locked key, and what people read.
///
/// # Errors
/// The store's.
pub async fn bare(store: &Store, draft: &Draft, name: &str, content: Vec<u8>) -> Result<File> {
    let path = draft.path(name);
    let mut writer = store.create(&path, &Create::default()).await?;
    writer.write(content.into()).await?;
    let stored = writer.finish(store, &path).await?;
    Ok(File {
        path: name.to_owned(),
        bytes: stored.bytes,
        plain_bytes: stored.bytes,
        plain_sha256: Some(stored.sha256.clone()),
        sha256: stored.sha256,
        compression: "none".to_owned(),
        recipients: Vec::new(),
    })
}

impl Sealing {
    /// A file's name with the endings that say how it is to be opened.
    pub fn named(&self, name: &str) -> String {
        let age = if self.recipients.is_empty() { "" } else { ".age" };
        format!("{name}.zst{age}")
    }
}

//! Where files lie: a folder or a bucket, behind one set of verbs. A file appears under its name only
//! when it is whole, and never in place of another that the caller has not named by its sha256.

mod bucket;
mod failure;
mod local;
mod providers;

use std::path::PathBuf;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use sha2::{Digest as _, Sha256};

use super::seal::hex;
use crate::config::env::Env;
use crate::error::{Failure, Kind, Result};

/// The mode of files with data where nobody asks for another.
pub const PRIVATE: u32 = 0o600;

/// A folder or a bucket.
#[derive(Debug)]
pub struct Store {
    place: Place,
}

#[derive(Debug)]
enum Place {
    Folder(local::Folder),
    Bucket(Box<bucket::Bucket>),
}

/// What a file is made with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// Permissions in a folder; a bucket has its own.
    pub mode: u32,
    /// The sha256 of the file that may lie there and is then replaced. A file of the same bytes is
    /// always fine.
    pub replaces: Option<String>,
}

impl Default for Create {
    fn default() -> Create {
        Create { mode: PRIVATE, replaces: None }
    }
}

/// What was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The size of the file.
    pub bytes: u64,
    /// The sha256 of the file.
    pub sha256: String,
}

/// A file that is being written. Dropped unfinished, it leaves nothing behind but what the next
/// writer of the same name clears away.
pub struct Writer {
    out: Out,
    hash: Sha256,
    bytes: u64,
    create: Create,
}

enum Out {
    Folder(local::Part),
    Bucket(Box<bucket::Upload>),
}

impl Store {
    /// `file:///absolute/path`, a plain absolute path, `s3://bucket/prefix`, `gs://bucket/prefix` or
    /// `az://container/prefix`. Credentials, region and endpoint come from the variables that the provider's own
    /// tools know. Touches nothing yet.
    ///
    /// # Errors
    /// Usage, when the URL is none of these; invalid, when a variable is.
    pub fn open(url: &str, env: &Env) -> Result<Store> {
        let place = if let Some((provider, rest)) = bucket::Provider::of(url) {
            Place::Bucket(Box::new(bucket::Bucket::open(provider, rest, env)?))
        } else {
            let path = url.strip_prefix("file://").unwrap_or(url);
            if !path.starts_with('/') {
                let shown = if url.contains("://") { without_userinfo(url) } else { url.to_owned() };
                return Err(Failure::new(Kind::Usage, format!("'{shown}' is no place for files")).hint(
                    "give file:///absolute/path, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix",
                ));
            }
            Place::Folder(local::Folder::new(PathBuf::from(path)))
        };
        Ok(Store { place })
    }

    /// The URL of a bucket and the path in it, where a URL is one of a bucket.
    pub fn bucket_of(url: &str) -> Option<(&str, &str)> {
        let (_, rest) = bucket::Provider::of(url)?;
        let begin = url.len() - rest.len();
        let end = rest.find('/').map_or(url.len(), |at| begin + at);
        Some((&url[..end], url[end..].trim_start_matches('/')))
    }

    /// Where a file of this store lies, as messages and records name it.
    pub fn url_of(&self, path: &str) -> String {
        match &self.place {
            Place::Folder(folder) => format!("file://{}", folder.file(path).display()),
            Place::Bucket(bucket) => bucket.url_of(path),
        }
    }

    /// Begins a file. What a killed writer of the same name left is replaced.
    ///
    /// # Errors
    /// Refused when another file lies there that is not to be replaced; busy when somebody else is
    /// writing it; not permitted, no space, no bucket, no credentials.
    pub async fn create(&self, path: &str, create: &Create) -> Result<Writer> {
        check(path)?;
        let out = match &self.place {
            Place::Folder(folder) => Out::Folder(folder.create(path, create.mode)?),
            Place::Bucket(bucket) => Out::Bucket(Box::new(bucket.create(path)?)),
        };
        Ok(Writer { out, hash: Sha256::new(), bytes: 0, create: create.clone() })
    }

    /// The bytes of a file, in pieces.
    ///
    /// # Errors
    /// Failed when it is not there; not permitted; unreachable.
    pub async fn read(&self, path: &str) -> Result<BoxStream<'static, Result<Bytes>>> {
        check(path)?;
        match &self.place {
            Place::Folder(folder) => folder.read(path),
            Place::Bucket(bucket) => bucket.read(path).await,
        }
    }

    /// The whole of a small file; none where there is none.
    ///
    /// # Errors
    /// As [`Store::read`]; failed when it is larger than `limit` bytes.
    pub async fn read_small(&self, path: &str, limit: u64) -> Result<Option<Bytes>> {
        match self.head(path).await? {
            None => return Ok(None),
            Some(size) if size > limit => {
                return Err(Failure::new(Kind::Failed, format!("{} has {size} bytes: too many", self.url_of(path))));
            }
            Some(_) => {}
        }
        let mut pieces = self.read(path).await?;
        let mut whole = Vec::new();
        while let Some(piece) = pieces.try_next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(Some(whole.into()))
    }

    /// The size of a file; none where there is none.
    ///
    /// # Errors
    /// Not permitted; unreachable.
    pub async fn head(&self, path: &str) -> Result<Option<u64>> {
        check(path)?;
        match &self.place {
            Place::Folder(folder) => folder.head(path),
            Place::Bucket(bucket) => bucket.head(path).await,
        }
    }

    /// The sha256 and size of a file, by reading it; none where there is none.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub async fn hash_of(&self, path: &str) -> Result<Option<Stored>> {
        self.hash_of_while(path, || Ok(())).await
    }

    /// The same, for as long as `going` has nothing against it, which is asked at each piece.
    ///
    /// # Errors
    /// The same; what `going` says.
    pub async fn hash_of_while(&self, path: &str, going: impl Fn() -> Result<()>) -> Result<Option<Stored>> {
        if self.head(path).await?.is_none() {
            return Ok(None);
        }
        let (mut pieces, mut hash, mut bytes) = (self.read(path).await?, Sha256::new(), 0);
        while let Some(piece) = pieces.try_next().await? {
            going()?;
            hash.update(&piece);
            bytes += piece.len() as u64;
        }
        Ok(Some(Stored { bytes, sha256: hex(&hash.finalize()) }))
    }

    /// Writes a small file in one go, over whatever lies there: for what stands beside a file of ours.
    ///
    /// # Errors
    /// As [`Store::create`].
    pub async fn put_small(&self, path: &str, content: Bytes, mode: u32) -> Result<()> {
        check(path)?;
        match &self.place {
            Place::Folder(folder) => {
                let mut part = folder.create(path, mode)?;
                part.write(&content)?;
                part.publish(true).map(drop)
            }
            Place::Bucket(bucket) => bucket.put(path, content).await,
        }
    }

    /// Removes a file; whether there was one.
    ///
    /// # Errors
    /// Not permitted; unreachable.
    pub async fn delete(&self, path: &str) -> Result<bool> {
        check(path)?;
        match &self.place {
            Place::Folder(folder) => folder.delete(path),
            Place::Bucket(bucket) => bucket.delete(path).await,
        }
    }

    /// The names of the folders right below a path (`""` is the store itself), sorted; none where there
    /// is nothing.
    ///
    /// # Errors
    /// Not permitted; unreachable.
    pub async fn folders(&self, path: &str) -> Result<Vec<String>> {
        let mut names = match &self.place {
            Place::Folder(folder) => folder.folders(path)?,
            Place::Bucket(bucket) => bucket.folders(path).await?,
        };
        names.sort();
        Ok(names)
    }

    /// Every file below a path with its size, sorted by path; paths are those of the store.
    ///
    /// # Errors
    /// Not permitted; unreachable.
    pub async fn files(&self, path: &str) -> Result<Vec<(String, u64)>> {
        check(path)?;
        let mut files = match &self.place {
            Place::Folder(folder) => folder.files(path)?,
            Place::Bucket(bucket) => bucket.files(path).await?,
        };
        files.sort();
        Ok(files)
    }

    /// Gives a folder another name, durably, where the store has folders; false where it has none, and
    /// nothing was done. The new name must be free.
    ///
    /// # Errors
    /// Refused when the name is taken; not permitted.
    pub fn rename_folder(&self, from: &str, to: &str) -> Result<bool> {
        check(from)?;
        check(to)?;
        match &self.place {
            Place::Folder(folder) => folder.rename(from, to).map(|()| true),
            Place::Bucket(_) => Ok(false),
        }
    }

    /// Removes a folder that holds no file any more, with the empty ones in it; a bucket has none.
    ///
    /// # Errors
    /// Not permitted; not empty.
    pub fn remove_folder(&self, path: &str) -> Result<()> {
        check(path)?;
        match &self.place {
            Place::Folder(folder) => folder.remove(path),
            Place::Bucket(_) => Ok(()),
        }
    }

    /// Whether it is a folder of this machine, whose files and folders can be given other names.
    pub fn is_folder(&self) -> bool {
        matches!(self.place, Place::Folder(_))
    }

    /// The folder that is the whole store, where there should be one and is none.
    pub fn missing_folder(&self) -> Option<PathBuf> {
        match &self.place {
            Place::Folder(folder) => Some(folder.file("")).filter(|root| !root.is_dir()),
            Place::Bucket(_) => None,
        }
    }

    /// When anything below a path was written last; none where there is nothing.
    ///
    /// # Errors
    /// Not permitted; unreachable.
    pub async fn last_written(&self, path: &str) -> Result<Option<DateTime<Utc>>> {
        check(path)?;
        match &self.place {
            Place::Folder(folder) => folder.last_written(path),
            Place::Bucket(bucket) => bucket.last_written(path).await,
        }
    }

    /// How many bytes may still be written, where that can be known.
    pub fn free_bytes(&self) -> Option<u64> {
        match &self.place {
            Place::Folder(folder) => folder.free_bytes(),
            Place::Bucket(_) => None,
        }
    }

    /// Whether a file may come to lie there: there is none, or the same, or the one that is named.
    async fn may_lie(&self, path: &str, ours: &Stored, create: &Create) -> Result<Lies> {
        match self.hash_of(path).await? {
            None => Ok(Lies::Free),
            Some(there) if there == *ours => Ok(Lies::Same),
            Some(there) if create.replaces.as_ref() == Some(&there.sha256) => Ok(Lies::Replaced),
            Some(there) => Err(taken(&self.url_of(path), &there.sha256)),
        }
    }
}

enum Lies {
    Free,
    Same,
    Replaced,
}

/// Whether a file was not written because another one lies there.
pub fn is_taken(failure: &Failure) -> bool {
    failure.messages().first().is_some_and(|message| message.starts_with(TAKEN))
}

const TAKEN: &str = "another file lies at";

fn taken(url: &str, sha256: &str) -> Failure {
    let known = if sha256.is_empty() { String::new() } else { format!(" (sha256 {sha256})") };
    Failure::new(Kind::Refused, format!("{TAKEN} {url}{known}"))
        .note("nothing is written over a file because of its name")
        .hint("move it away, or write to another path")
}

impl Writer {
    /// Appends.
    ///
    /// # Errors
    /// No space, not permitted, unreachable: the file is lost then.
    pub async fn write(&mut self, piece: Bytes) -> Result<()> {
        self.hash.update(&piece);
        self.bytes += piece.len() as u64;
        match &mut self.out {
            Out::Folder(part) => part.write(&piece),
            Out::Bucket(upload) => upload.write(piece).await,
        }
    }

    /// What has been written so far.
    pub fn stored(&self) -> Stored {
        Stored { bytes: self.bytes, sha256: hex(&self.hash.clone().finalize()) }
    }

    /// Fails now if [`Writer::finish`] would have to, because of what lies there.
    ///
    /// # Errors
    /// Refused, naming the file.
    pub async fn check(&self, store: &Store, path: &str) -> Result<()> {
        store.may_lie(path, &self.stored(), &self.create).await.map(drop)
    }

    /// Makes the file durable and lets it appear under its name.
    ///
    /// # Errors
    /// Refused when another file has come to lie there; else as [`Writer::write`].
    pub async fn finish(self, store: &Store, path: &str) -> Result<Stored> {
        let stored = self.stored();
        let lies = store.may_lie(path, &stored, &self.create).await?;
        match (self.out, lies) {
            (Out::Folder(part), Lies::Same) => part.abort(),
            (Out::Bucket(upload), Lies::Same) => upload.abort().await?,
            (Out::Folder(part), lies) => {
                // fsync of a large file takes its time, and signals are to be heard meanwhile.
                let replace = matches!(lies, Lies::Replaced);
                if !tokio::task::spawn_blocking(move || part.publish(replace)).await?? {
                    return Err(taken(&store.url_of(path), ""));
                }
            }
            (Out::Bucket(upload), lies) => {
                if let Err(failure) = upload.publish(matches!(lies, Lies::Replaced)).await {
                    // The store may have done it and its answer was lost: what it says when asked again is that the
                    // name is taken, or that there is no such upload.
                    let answered = matches!(failure.what(), Kind::Refused | Kind::Failed);
                    if !answered || store.hash_of(path).await?.as_ref() != Some(&stored) {
                        return Err(failure);
                    }
                }
            }
        }
        Ok(stored)
    }

    /// Leaves nothing behind.
    ///
    /// # Errors
    /// When the store does not let go of what it has; nothing looks finished then either.
    pub async fn abort(self) -> Result<()> {
        match self.out {
            Out::Folder(part) => {
                part.abort();
                Ok(())
            }
            Out::Bucket(upload) => upload.abort().await,
        }
    }
}

/// A path inside of a store: no way out of it, nothing that two stores would read differently.
pub(super) fn check(path: &str) -> Result<()> {
    let odd = |part: &str| part.is_empty() || part == "." || part == ".." || part.contains(['\0', '\\']);
    if path.split('/').any(odd) || path.chars().any(char::is_control) {
        return Err(Failure::new(Kind::Invalid, format!("{path:?} is no path of an archived file"))
            .hint("give names joined by /, without a / in front and without . or .. among them"));
    }
    let long = path.split('/').map(str::len).max().unwrap_or_default();
    if long > 240 {
        return Err(Failure::new(Kind::Invalid, format!("a name of {long} bytes is too long for a file: {path:?}")));
    }
    Ok(())
}

fn without_userinfo(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://****@{rest}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_and_buckets_are_places_and_passwords_are_not_shown() {
        let refused = |url: &str| Store::open(url, &Env::default()).unwrap_err();
        for url in ["", "relative/path", "http://user:secret@host/x", "file://relative", "gcs://bucket"] {
            let failure = refused(url);
            assert_eq!(failure.what(), Kind::Usage, "{url}");
            assert!(!failure.to_string().contains("secret"), "{failure}");
        }
        assert_eq!(Store::open("/srv/cold", &Env::default()).unwrap().url_of("a/b"), "file:///srv/cold/a/b");
        assert_eq!(Store::bucket_of("gs://box/a/b"), Some(("gs://box", "a/b")));
        assert_eq!(Store::bucket_of("az://box"), Some(("az://box", "")));
        assert_eq!(Store::bucket_of("file:///a"), None);
    }

    #[test]
    fn no_path_leads_out_of_the_store() {
        for bad in ["", "/etc/passwd", "a//b", "../a", "a/../b", "a/.", "a\nb", "a\\b", &"x".repeat(241)] {
            assert!(check(bad).is_err(), "{bad}");
        }
        for good in ["a", "db/public.t/2025/t_2025_01.csv.zst", "ñ/%41 b"] {
            assert!(check(good).is_ok(), "{good}");
        }
    }
}

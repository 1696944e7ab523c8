//! Objects in a bucket of S3, of Google's or of Azure's store. An object appears when its upload is
//! completed, so that there is nothing half to see.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::client::{HttpError, HttpErrorKind};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, Error, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode,
    PutOptions, PutPayload, RetryConfig,
};
use tokio::task::JoinHandle;

use super::failure::of_object;
use super::providers;
use crate::config::env::Env;
use crate::error::{Failure, Kind, Result};

/// The parts of an upload. S3 takes 10,000 of them: the later ones of a very large file are larger.
const PART: usize = 8 << 20;
const LARGE_PART: usize = 64 << 20;
const SMALL_PARTS: usize = 5_000;

/// How often a file is sent whose answer never came: it is compared with what lies there then.
const SENDS: usize = 3;

/// Whose store it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    S3,
    Google,
    Azure,
}

/// The bucket and the prefix in it.
#[derive(Clone)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    provider: Provider,
    bucket: String,
    prefix: String,
    secrets: Arc<Vec<String>>,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.url_of(""))
    }
}

impl Provider {
    /// By the beginning of a URL; with what follows it.
    pub fn of(url: &str) -> Option<(Provider, &str)> {
        let (scheme, rest) = url.split_once("://")?;
        let provider = match scheme {
            "s3" => Provider::S3,
            "gs" => Provider::Google,
            "az" => Provider::Azure,
            _ => return None,
        };
        Some((provider, rest))
    }

    fn scheme(self) -> &'static str {
        match self {
            Provider::S3 => "s3",
            Provider::Google => "gs",
            Provider::Azure => "az",
        }
    }
}

/// An upload under way.
pub struct Upload {
    bucket: Bucket,
    path: String,
    parts: Option<Box<dyn MultipartUpload>>,
    begun: usize,
    /// The one part that is on its way while the next one fills.
    sending: Option<JoinHandle<object_store::Result<()>>>,
    buffer: BytesMut,
}

impl Bucket {
    pub fn open(provider: Provider, rest: &str, env: &Env) -> Result<Bucket> {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let scheme = provider.scheme();
        if bucket.is_empty() || bucket.contains(['@', ':', '?', '#']) {
            return Err(Failure::new(
                Kind::Usage,
                format!("an {scheme}:// URL is {scheme}://bucket/prefix, without credentials"),
            )
            .hint(providers::credentials(provider)));
        }
        let prefix = prefix.trim_matches('/').to_owned();
        if !prefix.is_empty() {
            super::check(&prefix)?;
        }
        use_ring();
        let (store, secrets) = providers::open(provider, bucket, env, client(), retry())?;
        Ok(Bucket { store, provider, bucket: bucket.to_owned(), prefix, secrets: Arc::new(secrets) })
    }

    pub fn url_of(&self, path: &str) -> String {
        format!("{}://{}/{}", self.provider.scheme(), self.bucket, self.key(path))
    }

    fn key(&self, path: &str) -> String {
        if self.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) }
    }

    fn at(&self, path: &str) -> Path {
        Path::from(self.key(path))
    }

    fn failure(&self, error: &Error, doing: &str, path: &str) -> Failure {
        let mut text = chain(error);
        for secret in self.secrets.iter() {
            text = text.replace(secret.as_str(), "****");
        }
        of_object(error, &text, doing, &self.url_of(path), self.provider, &self.bucket)
    }

    pub fn create(&self, path: &str) -> Result<Upload> {
        Ok(Upload {
            bucket: self.clone(),
            path: path.to_owned(),
            parts: None,
            begun: 0,
            sending: None,
            buffer: BytesMut::new(),
        })
    }

    pub async fn read(&self, path: &str) -> Result<BoxStream<'static, Result<Bytes>>> {
        let found = self.store.get(&self.at(path)).await.map_err(|error| self.failure(&error, "read", path))?;
        let (bucket, path) = (self.clone(), path.to_owned());
        Ok(found.into_stream().map_err(move |error| bucket.failure(&error, "read", &path)).boxed())
    }

    pub async fn head(&self, path: &str) -> Result<Option<u64>> {
        match self.store.head(&self.at(path)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failure(&error, "look at", path)),
        }
    }

    pub async fn put(&self, path: &str, content: Bytes) -> Result<()> {
        let put = self.store.put(&self.at(path), content.into()).await;
        put.map(drop).map_err(|error| self.failure(&error, "write", path))
    }

    pub async fn delete(&self, path: &str) -> Result<bool> {
        let there = self.head(path).await?.is_some();
        if there {
            let gone = self.store.delete(&self.at(path)).await;
            gone.map_err(|error| self.failure(&error, "remove", path))?;
        }
        Ok(there)
    }

    pub async fn folders(&self, path: &str) -> Result<Vec<String>> {
        let found = self.store.list_with_delimiter(self.below(path).as_ref()).await;
        let found = found.map_err(|error| self.failure(&error, "list", path))?;
        Ok(found.common_prefixes.iter().filter_map(|prefix| Some(prefix.filename()?.to_owned())).collect())
    }

    pub async fn last_written(&self, path: &str) -> Result<Option<DateTime<Utc>>> {
        Ok(self.objects(path).await?.iter().map(|object| object.last_modified).max())
    }

    async fn objects(&self, path: &str) -> Result<Vec<ObjectMeta>> {
        let found = self.store.list(self.below(path).as_ref()).try_collect().await;
        found.map_err(|error| self.failure(&error, "list", path))
    }

    pub async fn files(&self, path: &str) -> Result<Vec<(String, u64)>> {
        let own = if self.prefix.is_empty() { 0 } else { Path::from(self.prefix.as_str()).as_ref().len() + 1 };
        let found = self.objects(path).await?;
        let name = |key: &Path| key.as_ref().get(own..).unwrap_or_default().to_owned();
        Ok(found.iter().map(|object| (name(&object.location), object.size)).collect())
    }

    /// The prefix of what lies below a path; none is the whole bucket.
    fn below(&self, path: &str) -> Option<Path> {
        let key = self.key(path);
        let key = key.trim_matches('/');
        (!key.is_empty()).then(|| Path::from(key))
    }
}

impl Upload {
    pub async fn write(&mut self, piece: Bytes) -> Result<()> {
        self.buffer.extend_from_slice(&piece);
        let full = if self.begun < SMALL_PARTS { PART } else { LARGE_PART };
        if self.buffer.len() >= full { self.send_part().await } else { Ok(()) }
    }

    /// Makes the object appear. S3 has no condition for the end of a multipart upload that every store
    /// understands: who asks has looked a moment ago.
    pub async fn publish(mut self, replace: bool) -> Result<()> {
        if self.parts.is_none() {
            return self.publish_small(replace).await;
        }
        if !self.buffer.is_empty() {
            self.send_part().await?;
        }
        let done = match self.sent().await {
            Ok(()) => match self.parts.as_mut() {
                Some(parts) => {
                    parts.complete().await.map(drop).map_err(|e| self.bucket.failure(&e, "write", &self.path))
                }
                None => Ok(()),
            },
            Err(failure) => Err(failure),
        };
        if done.is_err() {
            // What was said of the first failure counts.
            let _ = self.abort().await;
        }
        done
    }

    /// One request, which the store refuses where the name is taken.
    async fn publish_small(&mut self, replace: bool) -> Result<()> {
        let mode = if replace { PutMode::Overwrite } else { PutMode::Create };
        let options = PutOptions { mode, ..PutOptions::default() };
        let content = PutPayload::from(std::mem::take(&mut self.buffer).freeze());
        let (at, mut sends) = (self.bucket.at(&self.path), 1);
        loop {
            let put = self.bucket.store.put_opts(&at, content.clone(), options.clone());
            match put.await {
                Ok(_) => return Ok(()),
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {
                    return Err(super::taken(&self.bucket.url_of(&self.path), ""));
                }
                // The client does not repeat what it takes for no repeatable request. This one is: what lies
                // there afterwards is looked at.
                Err(error) if sends < SENDS && is_timeout(&error) => sends += 1,
                Err(error) => return Err(self.bucket.failure(&error, "write", &self.path)),
            }
        }
    }

    pub async fn abort(mut self) -> Result<()> {
        if let Some(sending) = self.sending.take() {
            sending.abort();
        }
        match self.parts.as_mut() {
            Some(parts) => {
                parts.abort().await.map_err(|e| self.bucket.failure(&e, "clear away the upload to", &self.path))
            }
            None => Ok(()),
        }
    }

    async fn send_part(&mut self) -> Result<()> {
        self.sent().await?;
        if self.parts.is_none() {
            let begun = self.bucket.store.put_multipart(&self.bucket.at(&self.path)).await;
            self.parts = Some(begun.map_err(|error| self.bucket.failure(&error, "write", &self.path))?);
        }
        let content = std::mem::take(&mut self.buffer).freeze();
        if let Some(parts) = self.parts.as_mut() {
            self.begun += 1;
            self.sending = Some(tokio::spawn(parts.put_part(content.into())));
        }
        Ok(())
    }

    async fn sent(&mut self) -> Result<()> {
        match self.sending.take() {
            Some(sending) => sending.await?.map_err(|error| self.bucket.failure(&error, "write", &self.path)),
            None => Ok(()),
        }
    }
}

/// object_store tells its cause in its text or in its sources, sometimes in both.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(&format!(": {more}"));
        }
        source = cause.source();
    }
    text
}

fn is_timeout(error: &Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.downcast_ref::<HttpError>().is_some_and(|error| error.kind() == HttpErrorKind::Timeout) {
            return true;
        }
        source = cause.source();
    }
    false
}

/// A store that says nothing for a minute is not waited for; a large file may take as long as it takes.
/// A part of an upload is one word of that kind.
fn client() -> ClientOptions {
    ClientOptions::new().with_timeout_disabled().with_read_timeout(Duration::from_secs(60))
}

/// Counted from the first byte of a file, which may take long to arrive.
fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(3),
            base: 2.0,
        },
        max_retries: 6,
        retry_timeout: Duration::from_secs(900),
    }
}

/// TLS by ring, as for PostgreSQL; somebody may have said so before.
fn use_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

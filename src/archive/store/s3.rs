//! Objects in a bucket of S3 or of what speaks like it. An object appears when its upload is
//! completed, so that there is nothing half to see.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, Error, MultipartUpload, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions,
    PutPayload, RetryConfig,
};
use tokio::task::JoinHandle;

use super::failure::of_object;
use crate::config::env::Env;
use crate::error::{Explain, Failure, Kind, Result};

/// The parts of an upload. S3 takes 10,000 of them: the later ones of a very large file are larger.
const PART: usize = 8 << 20;
const LARGE_PART: usize = 64 << 20;
const SMALL_PARTS: usize = 5_000;

/// Settings whose values must not be seen.
const SECRETS: [&str; 4] =
    ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SSE_CUSTOMER_KEY_BASE64"];

/// The bucket and the prefix in it.
#[derive(Clone)]
pub struct Bucket {
    store: Arc<AmazonS3>,
    bucket: String,
    prefix: String,
    secrets: Arc<Vec<String>>,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
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
    pub fn open(rest: &str, env: &Env) -> Result<Bucket> {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() || bucket.contains(['@', ':', '?', '#']) {
            return Err(Failure::new(Kind::Usage, "an s3:// URL is s3://bucket/prefix, without credentials")
                .hint("credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"));
        }
        let prefix = prefix.trim_matches('/').to_owned();
        if !prefix.is_empty() {
            super::check(&prefix)?;
        }
        needs_credentials(bucket, env)?;
        use_ring();
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(3),
                base: 2.0,
            },
            max_retries: 6,
            retry_timeout: Duration::from_secs(60),
        };
        let mut builder = AmazonS3Builder::new()
            .with_retry(retry)
            .with_client_options(ClientOptions::new().with_timeout(Duration::from_secs(300)));
        let mut names: Vec<&str> = env.names().filter(|name| name.starts_with("AWS_")).collect();
        // The plain region wins over the default one.
        names.sort_by_key(|name| (*name != "AWS_DEFAULT_REGION", *name));
        for name in names {
            let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() else { continue };
            let target = if matches!(key, AmazonS3ConfigKey::DefaultRegion) { AmazonS3ConfigKey::Region } else { key };
            if let Some(value) = env.get(name) {
                builder = builder.with_config(target, value);
            }
        }
        let secrets = SECRETS.iter().filter_map(|name| env.get(name)).map(str::to_owned).collect();
        // Last: no variable moves files to a bucket that the URL does not name.
        let store = builder.with_bucket_name(bucket).build();
        let store = store.explain(Kind::Invalid, format!("the AWS_ variables do not fit s3://{bucket}"))?;
        Ok(Bucket { store: Arc::new(store), bucket: bucket.to_owned(), prefix, secrets: Arc::new(secrets) })
    }

    pub fn url_of(&self, path: &str) -> String {
        format!("s3://{}/{}", self.bucket, self.key(path))
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
        of_object(error, &text, doing, &self.url_of(path), &self.bucket)
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

    pub async fn files(&self, path: &str) -> Result<Vec<(String, u64)>> {
        let own = if self.prefix.is_empty() { 0 } else { Path::from(self.prefix.as_str()).as_ref().len() + 1 };
        let found: Vec<_> = self
            .store
            .list(self.below(path).as_ref())
            .try_collect()
            .await
            .map_err(|error| self.failure(&error, "list", path))?;
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
        match self.bucket.store.put_opts(&self.bucket.at(&self.path), content, options).await {
            Ok(_) => Ok(()),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {
                Err(super::taken(&self.bucket.url_of(&self.path), ""))
            }
            Err(error) => Err(self.bucket.failure(&error, "write", &self.path)),
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

/// Without any, a machine's own role is asked for over the network, unless that is ruled out: then
/// nothing would be left but to wait.
fn needs_credentials(bucket: &str, env: &Env) -> Result<()> {
    let sources = [
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_SKIP_SIGNATURE",
    ];
    let no_role = env.get("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if no_role && sources.iter().all(|name| env.get(name).is_none()) {
        return Err(Failure::new(Kind::NotPermitted, format!("there are no credentials for s3://{bucket}"))
            .hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; profiles in ~/.aws are not read: 'eval \"$(aws configure export-credentials --format env)\"'"));
    }
    Ok(())
}

/// TLS by ring, as for PostgreSQL; somebody may have said so before.
fn use_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

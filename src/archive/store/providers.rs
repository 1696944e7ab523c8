//! The stores of Amazon, Google and Microsoft: which variables say where they are and who asks. Each takes what the
//! provider's own tools take from the environment.

use std::str::FromStr;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{ClientOptions, ObjectStore, RetryConfig};

use super::bucket::Provider;
use crate::config::env::Env;
use crate::error::{Explain as _, Failure, Kind, Result};

/// Settings whose values must not be seen.
const SECRETS: [&str; 11] = [
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_SSE_CUSTOMER_KEY_BASE64",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "GOOGLE_BEARER_TOKEN",
    "AZURE_STORAGE_KEY",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_CLIENT_SECRET",
];

/// A bucket, and what must not be seen of its settings.
///
/// # Errors
/// Not permitted, when nothing says who asks; invalid, when the variables do not fit each other.
pub fn open(
    provider: Provider,
    bucket: &str,
    env: &Env,
    client: ClientOptions,
    retry: RetryConfig,
) -> Result<(Arc<dyn ObjectStore>, Vec<String>)> {
    let secrets = SECRETS.iter().filter_map(|name| env.get(name)).map(str::to_owned).collect();
    let store: Arc<dyn ObjectStore> = match provider {
        Provider::S3 => s3(bucket, env, client, retry)?,
        Provider::Google => google(bucket, env, client, retry)?,
        Provider::Azure => azure(bucket, env, client, retry)?,
    };
    Ok((store, secrets))
}

/// Where credentials are looked for.
pub fn credentials(provider: Provider) -> &'static str {
    match provider {
        Provider::S3 => "credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        Provider::Google => "credentials come from the file in GOOGLE_APPLICATION_CREDENTIALS",
        Provider::Azure => "credentials come from AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY",
    }
}

fn s3(bucket: &str, env: &Env, client: ClientOptions, retry: RetryConfig) -> Result<Arc<dyn ObjectStore>> {
    needs_credentials(bucket, env)?;
    let mut builder = AmazonS3Builder::new().with_retry(retry).with_client_options(client);
    for (key, value) in said::<AmazonS3ConfigKey>("AWS_", "AWS_DEFAULT_REGION", env) {
        let target = if matches!(key, AmazonS3ConfigKey::DefaultRegion) { AmazonS3ConfigKey::Region } else { key };
        builder = builder.with_config(target, value);
    }
    // Last: no variable moves files to a bucket that the URL does not name.
    let store = builder.with_bucket_name(bucket).build();
    Ok(Arc::new(store.explain(Kind::Invalid, format!("the AWS_ variables do not fit s3://{bucket}"))?))
}

fn google(bucket: &str, env: &Env, client: ClientOptions, retry: RetryConfig) -> Result<Arc<dyn ObjectStore>> {
    let mut builder = GoogleCloudStorageBuilder::new().with_retry(retry).with_client_options(client);
    for (key, value) in said::<GoogleConfigKey>("GOOGLE_", "", env) {
        builder = builder.with_config(key, value);
    }
    let store = builder.with_bucket_name(bucket).build();
    Ok(Arc::new(store.explain(Kind::Invalid, format!("the GOOGLE_ variables do not fit gs://{bucket}"))?))
}

fn azure(container: &str, env: &Env, client: ClientOptions, retry: RetryConfig) -> Result<Arc<dyn ObjectStore>> {
    let mut builder = MicrosoftAzureBuilder::new().with_retry(retry).with_client_options(client);
    // As Azure's own tools call them.
    for (name, key) in
        [("AZURE_STORAGE_ACCOUNT", AzureConfigKey::AccountName), ("AZURE_STORAGE_KEY", AzureConfigKey::AccessKey)]
    {
        if let Some(value) = env.get(name) {
            builder = builder.with_config(key, value);
        }
    }
    for (key, value) in said::<AzureConfigKey>("AZURE_", "", env) {
        builder = builder.with_config(key, value);
    }
    let store = builder.with_container_name(container).build();
    let store = store.explain(Kind::Invalid, format!("the AZURE_ variables do not fit az://{container}"));
    Ok(Arc::new(store.map_err(|failure| failure.hint("set AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY"))?))
}

/// The variables with this beginning that are settings, `first` before the others, which win over it.
fn said<'e, K: FromStr>(beginning: &'e str, first: &str, env: &'e Env) -> Vec<(K, &'e str)> {
    let mut names: Vec<&str> = env.names().filter(|name| name.starts_with(beginning)).collect();
    names.sort_by_key(|name| (*name != first, *name));
    let setting = |name: &str| Some((name.to_ascii_lowercase().parse().ok()?, env.get(name)?));
    names.into_iter().filter_map(setting).collect()
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

//! What an error of a folder or a bucket means to a person: its kind, and what to do next.

use std::io;
use std::path::Path;

use super::bucket::Provider;
use crate::error::{Failure, Kind};

/// An error of the file system at a path.
pub fn of_file(error: io::Error, doing: &str, path: &Path) -> Failure {
    let shown = path.display().to_string();
    let (kind, hint) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            // What is unfinished is cleared away: the folder around it is what can be looked at.
            let there = path.ancestors().skip(1).find(|folder| !folder.to_string_lossy().contains(".partial"));
            let there = there.unwrap_or(path).display();
            (Kind::Failed, Some(format!("the disk (or its quota) is full: free space ('df -h {there}') and run again")))
        }
        io::ErrorKind::FileTooLarge => {
            (Kind::Failed, Some("a limit on file sizes is in the way: 'ulimit -f' shows it".to_owned()))
        }
        io::ErrorKind::PermissionDenied => {
            (Kind::NotPermitted, Some(format!("the user who runs dbctl needs the right to it: 'ls -ld {shown}'")))
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            (Kind::NotPermitted, Some(format!("it is mounted read-only: 'findmnt -T {shown}'")))
        }
        io::ErrorKind::NotADirectory => (Kind::Failed, Some(format!("a file lies where a folder is wanted: {shown}"))),
        _ => (Kind::Failed, None),
    };
    let failure = Failure::from_cause(kind, anyhow::Error::from(error).context(format!("cannot {doing} {shown}")));
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// An error of an object store. `text` has no secrets any more.
pub fn of_object(
    error: &object_store::Error,
    text: &str,
    doing: &str,
    url: &str,
    provider: Provider,
    bucket: &str,
) -> Failure {
    let (code, told) = match answer(text) {
        Some((code, "")) => (code, code.to_owned()),
        Some((code, message)) => (code, format!("{message} ({code})")),
        None => ("", one_line(text)),
    };
    let (kind, hint) = match provider {
        Provider::S3 => meaning(error, code, text, bucket),
        Provider::Google | Provider::Azure => elsewhere(error, code, text, provider, bucket),
    };
    let failure = Failure::new(kind, told).context(format!("cannot {doing} {url}"));
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn meaning(error: &object_store::Error, code: &str, text: &str, bucket: &str) -> (Kind, Option<String>) {
    use object_store::Error;
    match (code, error) {
        ("NoSuchBucket", _) => {
            (Kind::Failed, Some(format!("there is no bucket {bucket}: correct the URL, or run 'aws s3 mb s3://{bucket}'")))
        }
        ("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "ExpiredToken", _) => (
            Kind::NotPermitted,
            Some("check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN: 'aws sts get-caller-identity'".to_owned()),
        ),
        (_, Error::PermissionDenied { .. } | Error::Unauthenticated { .. }) => (
            Kind::NotPermitted,
            Some(format!(
                "these credentials need s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload and \
                 s3:ListBucket on {bucket}"
            )),
        ),
        _ if text.contains("169.254.") || text.contains("EC2 metadata") || text.contains("instance metadata") => (
            Kind::NotPermitted,
            Some("no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role".to_owned()),
        ),
        ("PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException", _) => {
            (Kind::Invalid, Some(format!("bucket {bucket} is in another region: set AWS_REGION")))
        }
        _ if text.contains("without LOCATION") => {
            (Kind::Invalid, Some(format!("bucket {bucket} is in another region: set AWS_REGION")))
        }
        _ if text.contains("URL scheme is not allowed") => {
            (Kind::Invalid, Some("AWS_ENDPOINT_URL is plain http: set AWS_ALLOW_HTTP=true if that is meant".to_owned()))
        }
        (_, Error::NotFound { .. } | Error::AlreadyExists { .. } | Error::Precondition { .. }) => (Kind::Failed, None),
        (_, Error::Generic { .. }) => (
            Kind::Unreachable,
            Some("the object store does not do its work just now (see AWS_ENDPOINT_URL): run again later".to_owned()),
        ),
        _ => (Kind::Failed, None),
    }
}

/// The same of Google's and of Azure's store.
fn elsewhere(
    error: &object_store::Error,
    code: &str,
    text: &str,
    provider: Provider,
    bucket: &str,
) -> (Kind, Option<String>) {
    use object_store::Error;
    let google = provider == Provider::Google;
    match (code, error) {
        ("NoSuchBucket" | "ContainerNotFound", _) => {
            let make = match provider {
                Provider::Azure => format!("az storage container create --name {bucket}"),
                _ => format!("gcloud storage buckets create gs://{bucket}"),
            };
            (Kind::Failed, Some(format!("there is no bucket {bucket}: correct the URL, or run '{make}'")))
        }
        (_, Error::PermissionDenied { .. } | Error::Unauthenticated { .. }) => {
            let needed = if google { "Storage Object Admin" } else { "Storage Blob Data Contributor" };
            (Kind::NotPermitted, Some(format!("these credentials need the role '{needed}' on {bucket}")))
        }
        _ if text.contains("metadata.google.internal") || text.contains("169.254.") => {
            let set = if google { "GOOGLE_APPLICATION_CREDENTIALS" } else { "AZURE_STORAGE_KEY" };
            (Kind::NotPermitted, Some(format!("no credentials were found: set {set}, or give this machine a role")))
        }
        _ if text.contains("URL scheme is not allowed") => {
            let set = if google { "GOOGLE_ALLOW_HTTP" } else { "AZURE_ALLOW_HTTP" };
            (Kind::Invalid, Some(format!("the endpoint is plain http: set {set}=true if that is meant")))
        }
        (_, Error::NotFound { .. } | Error::AlreadyExists { .. } | Error::Precondition { .. }) => (Kind::Failed, None),
        (_, Error::Generic { .. }) => {
            let set = if google { "GOOGLE_BASE_URL" } else { "AZURE_STORAGE_ENDPOINT" };
            (
                Kind::Unreachable,
                Some(format!("the object store does not do its work just now (see {set}): run again later")),
            )
        }
        _ => (Kind::Failed, None),
    }
}

/// Code and message of an S3 answer.
fn answer(text: &str) -> Option<(&str, &str)> {
    let between = |open: &str, close: &str| text.split_once(open)?.1.split_once(close).map(|(inner, _)| inner);
    Some((between("<Code>", "</Code>")?, between("<Message>", "</Message>").unwrap_or_default()))
}

fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(600) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

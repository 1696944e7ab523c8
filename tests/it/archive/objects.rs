//! Buckets: large files in parts, names that are taken, and servers that refuse or fail.

use dbctl::archive::store::Create;
use dbctl::archive::{Identities, Options, Store, read_back};
use dbctl::config::env::Env;
use dbctl::error::{Failure, Kind};

use super::{out, run, says, small, t};
use crate::harness::{Flaky, S3};

/// Neither key nor its name in what a person reads.
#[track_caller]
fn keeps_secrets(failure: &Failure) {
    let text = format!("{failure} {failure:?}");
    assert!(!text.contains("a-very-secret-key") && !text.contains("AKIATESTTESTTESTTEST"), "{text}");
}

fn unfinished_uploads(s3: &S3) -> usize {
    s3.request("GET", &format!("/{}?uploads", s3.bucket), "").matches("<UploadId>").count()
}

#[test]
fn a_large_file_goes_up_in_parts_and_appears_at_the_end() {
    let Some(s3) = S3::start() else { return };
    let store = Store::open(&s3.url(), &s3.env()).unwrap();
    run(async {
        let mut random = fastrand::Rng::with_seed(7);
        let pieces: Vec<Vec<u8>> =
            (0..90).map(|_| std::iter::repeat_with(|| random.u8(..)).take(300_000).collect()).collect();
        let mut writer = store.create("db/large", &Create::default()).await.unwrap();
        for piece in &pieces {
            writer.write(piece.clone().into()).await.unwrap();
            assert_eq!(store.head("db/large").await.unwrap(), None);
        }
        assert_eq!(unfinished_uploads(&s3), 1);
        let stored = writer.finish(&store, "db/large").await.unwrap();
        assert_eq!(stored.bytes, 27_000_000);
        assert_eq!(store.hash_of("db/large").await.unwrap(), Some(stored));

        // Another file under that name is refused, and its parts are cleared away.
        let mut other = store.create("db/large", &Create::default()).await.unwrap();
        for piece in pieces.iter().rev() {
            other.write(piece.clone().into()).await.unwrap();
        }
        says(&other.check(&store, "db/large").await.unwrap_err(), Kind::Refused, &["another file lies at s3://"]);
        other.abort().await.unwrap();
        assert_eq!(unfinished_uploads(&s3), 0);
        assert!(store.delete("db/large").await.unwrap());
        assert!(!store.delete("db/large").await.unwrap());
    });
}

#[test]
fn a_taken_name_is_not_overwritten_in_a_bucket_either() {
    let Some(s3) = S3::start() else { return };
    let db = small();
    let store = Store::open(&s3.url(), &s3.env()).unwrap();
    run(async {
        let first = out(&db, &t(), &store, &Options::default()).await.unwrap();
        assert_eq!(first.url, format!("s3://{}/cold/store/db/t.csv.zst", s3.bucket));
        let again = out(&db, &t(), &store, &Options::default()).await.unwrap();
        assert_eq!(first.manifest.file, again.manifest.file);
        db.sql("DELETE FROM public.t WHERE id = 1");
        let refused = out(&db, &t(), &store, &Options::default()).await.unwrap_err();
        says(&refused, Kind::Refused, &["another file lies at s3://", &first.manifest.file.sha256]);
        read_back(&store, &first.manifest, &Identities::default()).await.unwrap();
        let ours = Options { replaces: Some(first.manifest.file.sha256.clone()), ..Options::default() };
        let second = out(&db, &t(), &store, &ours).await.unwrap().manifest;
        assert_eq!(read_back(&store, &second, &Identities::default()).await.unwrap().rows, 4999);
        // The store itself refuses what came meanwhile.
        let mut late = store.create("late", &Create::default()).await.unwrap();
        late.write("ours".into()).await.unwrap();
        store.put_small("late", "theirs".into(), 0o600).await.unwrap();
        says(&late.finish(&store, "late").await.unwrap_err(), Kind::Refused, &["another file lies"]);
    });
}

#[test]
fn a_missing_bucket_is_named() {
    let Some(s3) = S3::start() else { return };
    let db = small();
    let store = Store::open("s3://no-such-bucket/x", &s3.env()).unwrap();
    run(async {
        let failure = out(&db, &t(), &store, &Options::default()).await.unwrap_err();
        says(
            &failure,
            Kind::Failed,
            &["s3://no-such-bucket/x/db/t.csv.zst", "NoSuchBucket", "aws s3 mb s3://no-such-bucket"],
        );
        keeps_secrets(&failure);
    });
}

#[test]
fn wrong_and_missing_credentials_are_told_without_showing_them() {
    let Some(s3) = S3::that_knows_nobody() else { return };
    let db = small();
    let store = Store::open(&s3.url(), &s3.env()).unwrap();
    run(async {
        let failure = out(&db, &t(), &store, &Options::default()).await.unwrap_err();
        says(&failure, Kind::NotPermitted, &["s3://closed/cold/store/db/t.csv.zst"]);
        keeps_secrets(&failure);
        let failure = store.put_small("x", "y".into(), 0o600).await.unwrap_err();
        says(&failure, Kind::NotPermitted, &["AWS_ACCESS_KEY_ID"]);
        keeps_secrets(&failure);
    });
    let nothing: Env = [("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_REGION", "eu-west-1")].into_iter().collect();
    says(
        &Store::open("s3://bucket", &nothing).unwrap_err(),
        Kind::NotPermitted,
        &["no credentials", "AWS_ACCESS_KEY_ID"],
    );
    let told = Store::open("s3://AKIA:secret@bucket/x", &nothing).unwrap_err();
    assert!(told.what() == Kind::Usage && !told.to_string().contains("secret"), "{told}");
}

#[test]
fn a_server_that_fails_at_first_is_asked_again() {
    let Some(s3) = S3::start() else { return };
    let db = small();
    let flaky = Flaky::before(Some(&s3), 3);
    let store = Store::open(&s3.url(), &S3::env_of(&flaky.endpoint)).unwrap();
    run(async {
        let manifest = out(&db, &t(), &store, &Options::default()).await.unwrap().manifest;
        assert_eq!(read_back(&store, &manifest, &Identities::default()).await.unwrap().rows, 5000);
    });
    assert_eq!(flaky.refused(), 3);
}

#[test]
fn a_server_that_always_fails_is_given_up() {
    let flaky = Flaky::before(None, usize::MAX);
    let store = Store::open("s3://bucket/x", &S3::env_of(&flaky.endpoint)).unwrap();
    run(async {
        let failure = store.put_small("file", "text".into(), 0o600).await.unwrap_err();
        says(&failure, Kind::Unreachable, &["cannot write s3://bucket/x/file", "InternalError", "run again later"]);
        keeps_secrets(&failure);
    });
    assert!(flaky.refused() > 3);
}

#[test]
fn plain_http_must_be_meant() {
    let env: Env = [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST"),
        ("AWS_SECRET_ACCESS_KEY", "a-very-secret-key"),
    ]
    .into_iter()
    .collect();
    let store = Store::open("s3://bucket", &env).unwrap();
    let failure = run(store.head("file")).unwrap_err();
    says(&failure, Kind::Invalid, &["AWS_ALLOW_HTTP=true"]);
    keeps_secrets(&failure);
}

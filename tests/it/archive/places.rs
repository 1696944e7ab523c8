//! Places that are no folder, and folders in the way.

use dbctl::archive::Store;
use dbctl::archive::store::{Create, PRIVATE};
use dbctl::config::env::Env;
use dbctl::error::Kind;

use super::{files, folder, on_disk, run, says};

#[test]
fn a_file_where_a_folder_is_wanted_is_named() {
    let (keep, store) = folder();
    std::fs::write(keep.path().join("cold"), "").unwrap();
    run(async {
        let failure = store.create("db/t", &Create::default()).await.err().unwrap();
        says(&failure, Kind::Failed, &["cold", "a file lies where a folder is wanted"]);
    });
}

#[test]
fn a_folder_where_a_file_is_wanted_is_named() {
    let (keep, store) = folder();
    std::fs::create_dir_all(on_disk(&keep, "db/t")).unwrap();
    run(async {
        says(&store.head("db/t").await.unwrap_err(), Kind::Failed, &["is no file"]);
        let writer = store.create("db/t", &Create::default()).await.unwrap();
        says(&writer.finish(&store, "db/t").await.unwrap_err(), Kind::Failed, &["db/t is no file"]);
    });
    assert_eq!(files(keep.path()).len(), 0);
}

/// A link that lies where the unfinished file will be is not followed.
#[test]
fn a_link_is_no_unfinished_file() {
    let (keep, store) = folder();
    std::fs::create_dir_all(on_disk(&keep, "db")).unwrap();
    let victim = keep.path().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    std::os::unix::fs::symlink(&victim, on_disk(&keep, "db/t.part")).unwrap();
    run(async {
        assert!(store.create("db/t", &Create::default()).await.is_err());
    });
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
}

#[test]
fn small_files_are_whole_or_as_before() {
    let (keep, store) = folder();
    run(async {
        store.put_small("m.json", "one".into(), PRIVATE).await.unwrap();
        store.put_small("m.json", "two".into(), 0o640).await.unwrap();
        assert_eq!(store.read_small("m.json", 10).await.unwrap().unwrap(), "two");
        assert_eq!(store.read_small("n.json", 10).await.unwrap(), None);
        says(&store.read_small("m.json", 2).await.unwrap_err(), Kind::Failed, &["has 3 bytes: too many"]);
    });
    assert_eq!(files(keep.path()).len(), 1);
    assert!(Store::open("s3://", &Env::default()).is_err());
}

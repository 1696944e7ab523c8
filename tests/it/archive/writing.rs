//! What is written, with which rights, over what, and what is refused.

use std::os::unix::fs::PermissionsExt as _;

use dbctl::archive::hash::content_hash_within;
use dbctl::archive::manifest::Partition;
use dbctl::archive::store::{Create, Store};
use dbctl::archive::{Identities, Manifest, Options, Recipients, export, read_back};
use dbctl::error::Kind;
use dbctl::ident::TableName;

use super::{files, folder, on_disk, out, run, says, session, small, t};
use crate::harness::Database;

#[test]
fn file_and_manifest_are_private_and_say_what_they_hold() {
    let db = small();
    db.sql(
        "CREATE INDEX t_note ON public.t (note) WHERE id > 7; CREATE UNIQUE INDEX t_at ON public.t (at, id); \
         ALTER TABLE public.t ADD CONSTRAINT positive CHECK (id > 0)",
    );
    let (keep, store) = folder();
    let partition = Partition {
        parent: "public.parent".to_owned(),
        key: "RANGE (at)".to_owned(),
        lower: "2025-01-01 00:00:00+00".to_owned(),
        upper: "2025-02-01 00:00:00+00".to_owned(),
    };
    let options = Options { partition: Some(partition.clone()), ..Options::default() };
    let mut seen = Vec::new();
    let exported = run(async {
        let session = session(&db.url()).await;
        let done = export(&session, &t(), &store, "db/t.csv.zst", &options, &mut |rows| seen.push(rows)).await.unwrap();
        // The session is as it was: no transaction, no settings.
        let left = session.rows_of("SELECT current_setting('search_path') || current_setting('row_security')").await;
        assert_eq!(left.unwrap()[0].get::<_, String>(0), "\"$user\", publicon");
        done
    });
    assert!(seen.is_sorted() && seen.len() > 1, "{seen:?}");
    assert_eq!(seen.last(), Some(&5000));
    let manifest = exported.manifest;
    assert_eq!(run(Manifest::read(&store, "db/t.csv.zst")).unwrap().unwrap(), manifest);
    assert_eq!(exported.url, format!("file://{}", on_disk(&keep, "db/t.csv.zst").display()));
    assert_eq!(
        (manifest.rows, manifest.table.database.as_str(), manifest.partition),
        (5000, db.name(), Some(partition))
    );
    assert_eq!(manifest.table.oid.to_string(), db.one("SELECT 'public.t'::regclass::oid"));
    let names: Vec<&str> = manifest.ddl.constraints.iter().map(|constraint| constraint.name.as_str()).collect();
    assert_eq!(names, ["positive", "t_pkey"]);
    assert_eq!(manifest.ddl.constraints[1].definition, "PRIMARY KEY (id)");
    assert_eq!(
        manifest.ddl.indexes,
        [
            "CREATE UNIQUE INDEX t_at ON public.t USING btree (at, id)",
            "CREATE INDEX t_note ON public.t USING btree (note) WHERE (id > 7)"
        ]
    );
    let found = files(keep.path());
    assert_eq!(found.keys().collect::<Vec<_>>(), ["cold/db/t.csv.zst", "cold/db/t.csv.zst.json"]);
    assert_eq!(found["cold/db/t.csv.zst"], manifest.file.bytes);
    for (path, mode) in
        [("cold", 0o700), ("cold/db", 0o700), ("cold/db/t.csv.zst", 0o600), ("cold/db/t.csv.zst.json", 0o600)]
    {
        assert_eq!(keep.path().join(path).metadata().unwrap().permissions().mode() & 0o777, mode, "{path}");
    }
    // Other programs read it.
    let unpacked = zstd::decode_all(std::fs::File::open(on_disk(&keep, "db/t.csv.zst")).unwrap()).unwrap();
    assert_eq!(unpacked.len() as u64, manifest.file.plain_bytes);
    assert!(unpacked.starts_with(b"id,at,note\n\"1\",\"2025-01-01 00:01:00+00\",\"note 1\nnext\"\n"));
}

#[test]
fn the_same_again_is_fine_and_another_file_is_never_overwritten() {
    let db = small();
    let (keep, store) = folder();
    run(async {
        let first = out(&db, &t(), &store, &Options::default()).await.unwrap().manifest;
        let again = out(&db, &t(), &store, &Options::default()).await.unwrap().manifest;
        assert_eq!(first.file, again.file);

        db.sql("UPDATE public.t SET note = 'changed' WHERE id = 1");
        let before = std::fs::read(on_disk(&keep, "db/t.csv.zst")).unwrap();
        let refused = out(&db, &t(), &store, &Options::default()).await.unwrap_err();
        says(&refused, Kind::Refused, &["another file lies at file://", &first.file.sha256]);
        assert_eq!(std::fs::read(on_disk(&keep, "db/t.csv.zst")).unwrap(), before);
        read_back(&store, &first, &Identities::default()).await.unwrap();
        assert_eq!(Manifest::read(&store, "db/t.csv.zst").await.unwrap().unwrap().file, first.file);

        // Who knows it as its own names it by its sum.
        let wrong = Options { replaces: Some("0".repeat(64)), ..Options::default() };
        says(&out(&db, &t(), &store, &wrong).await.unwrap_err(), Kind::Refused, &["another file lies"]);
        let ours = Options { replaces: Some(first.file.sha256.clone()), ..Options::default() };
        let second = out(&db, &t(), &store, &ours).await.unwrap().manifest;
        assert_ne!(second.content_hash, first.content_hash);
        read_back(&store, &second, &Identities::default()).await.unwrap();
        assert_eq!(files(keep.path()).len(), 2);
    });
}

#[test]
fn the_manifest_of_another_table_is_left_alone() {
    let db = small();
    db.sql("CREATE TABLE public.other (id int)");
    let (keep, store) = folder();
    run(async {
        out(&db, &t(), &store, &Options::default()).await.unwrap();
        std::fs::remove_file(on_disk(&keep, "db/t.csv.zst")).unwrap();
        let other = TableName::new("public", "other");
        let refused = out(&db, &other, &store, &Options::default()).await.unwrap_err();
        says(&refused, Kind::Refused, &["another manifest lies at", "it speaks of public.t"]);
        // Its own is a leftover.
        out(&db, &t(), &store, &Options::default()).await.unwrap();
    });
}

#[test]
fn what_cannot_be_exported_whole_is_refused_before_a_byte_is_written() {
    let db = Database::new();
    db.sql(
        "CREATE TABLE public.parts (at date) PARTITION BY RANGE (at); CREATE VIEW public.v AS SELECT 1 AS one; \
         CREATE TABLE public.hidden (id int); INSERT INTO public.hidden VALUES (1); \
         ALTER TABLE public.hidden ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; \
         DO $$ BEGIN IF to_regrole('archivist') IS NULL THEN CREATE ROLE archivist LOGIN; END IF; END $$; \
         GRANT SELECT ON public.hidden TO archivist",
    );
    let (keep, store) = folder();
    run(async {
        for (name, kind, why) in [
            ("parts", Kind::Refused, "is partitioned: its rows lie in its partitions"),
            ("v", Kind::Refused, "public.v is no table"),
            ("nowhere", Kind::Refused, "there is no table public.nowhere"),
        ] {
            let refused = out(&db, &TableName::new("public", name), &store, &Options::default()).await.unwrap_err();
            says(&refused, kind, &[why]);
        }
        // Row security would leave rows out in silence.
        let archivist = session(&db.url_as("archivist")).await;
        let hidden = TableName::new("public", "hidden");
        let refused = export(&archivist, &hidden, &store, "x", &Options::default(), &mut |_| {}).await.unwrap_err();
        says(&refused, Kind::NotPermitted, &["row-level security"]);
        // The session goes on.
        assert!(archivist.rows_of("SELECT 1").await.is_ok());
        let options = Options { level: 99, ..Options::default() };
        let refused = out(&db, &hidden, &store, &options).await;
        assert!(refused.is_ok() || refused.is_err_and(|failure| failure.what() == Kind::Usage));
        assert!(Recipients::parse(["age1qqqq"]).is_err());
        for path in ["../t.csv", "/etc/t.csv", "a//b"] {
            let refused = export(&archivist, &hidden, &store, path, &Options::default(), &mut |_| {}).await;
            says(&refused.unwrap_err(), Kind::Invalid, &["no path of an archived file"]);
        }
    });
    assert!(files(keep.path()).keys().all(|name| name.starts_with("cold/db/t.csv.zst")), "{:?}", files(keep.path()));
}

#[test]
fn a_hash_within_a_transaction_leaves_its_settings_alone() {
    let db = small();
    run(async {
        let session = session(&db.url()).await;
        session.send("BEGIN; SET LOCAL search_path = public; SET LOCAL statement_timeout = '7s'").await.unwrap();
        let hash = content_hash_within(&session, &t()).await.unwrap();
        assert_eq!(hash.rows, 5000);
        let after = session
            .rows_of("SELECT current_setting('search_path') || current_setting('statement_timeout') || current_setting('TimeZone')")
            .await
            .unwrap();
        let zone = db.one("SHOW TimeZone");
        assert_eq!(after[0].get::<_, String>(0), format!("public7s{zone}"));
        session.send("ROLLBACK").await.unwrap();
    });
}

#[test]
fn two_writers_of_one_name_do_not_mix() {
    let (keep, store) = folder();
    run(async {
        let mut first = store.create("a/file", &Create::default()).await.unwrap();
        first.write("first".into()).await.unwrap();
        let second = store.create("a/file", &Create::default()).await;
        says(&second.err().unwrap(), Kind::Busy, &["another run is writing", "a/file.part"]);
        let stored = first.finish(&store, "a/file").await.unwrap();
        assert_eq!(store.hash_of("a/file").await.unwrap(), Some(stored));
        // Dropped and aborted ones leave nothing.
        let create = Create::default();
        drop(store.create("a/other", &create).await.unwrap());
        store.create("a/other", &create).await.unwrap().abort().await.unwrap();
        assert_eq!(files(keep.path()).keys().collect::<Vec<_>>(), ["cold/a/file"]);
        assert!(store.delete("a/file").await.unwrap());
        assert!(!store.delete("a/file").await.unwrap());
        assert_eq!(store.head("a/file").await.unwrap(), None);
    });
}

#[test]
fn a_file_that_appeared_meanwhile_wins() {
    let (keep, store) = folder();
    run(async {
        let mut writer = store.create("file", &Create::default()).await.unwrap();
        writer.write("ours".into()).await.unwrap();
        std::fs::write(on_disk(&keep, "file"), "theirs").unwrap();
        says(&writer.finish(&store, "file").await.unwrap_err(), Kind::Refused, &["another file lies"]);
        assert_eq!(std::fs::read(on_disk(&keep, "file")).unwrap(), b"theirs");
        assert_eq!(files(keep.path()).len(), 1);
        let plain: Store = Store::open(keep.path().to_str().unwrap(), &dbctl::config::env::Env::default()).unwrap();
        assert_eq!(plain.head("cold/file").await.unwrap(), Some(6));
    });
}

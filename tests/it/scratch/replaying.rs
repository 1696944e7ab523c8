//! Versions replayed on a scratch database: what the history has, in the schema where it has it, and
//! nothing that reaches the live server.

use std::path::Path;

use dbctl::error::Kind;
use dbctl::migrate::Origin;
use dbctl::migrate::replay::replay;
use dbctl::pg::{Interrupt, Session};
use dbctl::scratch::{Place, within};

use super::{reached_at, wait};
use crate::harness::{Database, dbctl, run, writes_no_row};

fn migrate(db: &Database, dir: &Path, args: &[&str]) {
    let mut command = dbctl(&["migrate", "up", "--dir", &dir.to_string_lossy(), "--database-url", &db.url()]);
    run(command.args(args)).expect_code(0);
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("dbctl-it-").tempdir_in("/tmp").unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

#[test]
fn exactly_the_applied_versions_are_replayed_on_either_place_and_the_target_is_not_written() {
    let db = Database::new();
    db.sql(&format!("CREATE SCHEMA app; ALTER DATABASE {} SET search_path = app, public", db.name()));
    let db = db.reconnected();
    let dir = folder(&[("V2__b.sql", "CREATE TABLE b (id int);")]);
    migrate(&db, dir.path(), &[]);
    std::fs::write(dir.path().join("V1__a.sql"), "CREATE TABLE a (id int);").unwrap();
    std::fs::write(dir.path().join("V3__c.sql"), "CREATE INDEX CONCURRENTLY i ON b (id);").unwrap();
    std::fs::write(dir.path().join("V4__d.sql"), "CREATE TABLE d (id int);").unwrap();
    migrate(&db, dir.path(), &["--to", "3", "--allow-out-of-order"]);
    writes_no_row(&db, || {
        wait(async {
            let interrupt = Interrupt::default();
            let target = reached_at(&db.url(), Origin::Folder(dir.path().to_owned())).await;
            assert_eq!((target.applied.as_slice(), target.pending.as_slice()), (&[1, 2, 3][..], &[4][..]));
            assert_eq!(target.schema.as_deref(), Some("app"));
            for place in [Place::SameServer(super::connection(&db.url())), Place::Sandbox] {
                let tables =
                    within(&place, &target.like, "test", &interrupt, async |scratch| {
                        replay(scratch, &target, &target.applied, "test", &interrupt).await?;
                        let session = Session::open(scratch.connection(), "test", &interrupt).await?;
                        let rows = session
                    .rows_of("SELECT relname::text FROM pg_class WHERE relnamespace = 'app'::regnamespace ORDER BY 1")
                    .await
                    .unwrap();
                        Ok(rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>())
                    })
                    .await
                    .unwrap_or_else(|failure| panic!("{failure}"));
                assert_eq!(tables, ["a", "b", "i", "refinery_schema_history", "refinery_schema_history_pkey"]);
            }
        })
    });
}

#[test]
fn what_reaches_the_server_is_not_replayed_beside_the_live_database() {
    let db = Database::new();
    let role = format!("made_by_{}", db.name());
    let dir = folder(&[("V1__role.sql", &format!("CREATE ROLE {role};"))]);
    migrate(&db, dir.path(), &[]);
    wait(async {
        let interrupt = Interrupt::default();
        let target = reached_at(&db.url(), Origin::Folder(dir.path().to_owned())).await;
        for (place, refused) in [
            (Place::SameServer(super::connection(&db.url())), true),
            (Place::Url(super::connection(&db.url())), true),
            (Place::Sandbox, false),
        ] {
            let done = within(&place, &target.like, "test", &interrupt, async |scratch| {
                replay(scratch, &target, &target.applied, "test", &interrupt).await
            })
            .await;
            assert_eq!(
                done.as_ref().err().map(dbctl::error::Failure::what),
                refused.then_some(Kind::Refused),
                "{place:?}"
            );
        }
    });
    db.sql(&format!("DROP ROLE {role}"));
}

#[test]
fn a_missing_extension_is_named_with_the_ways_out() {
    let db = Database::new();
    let dir = folder(&[("V1__x.sql", "CREATE EXTENSION there_is_no_such_thing;")]);
    let mut fake =
        dbctl(&["migrate", "up", "--fake", "--dir", &dir.path().to_string_lossy(), "--database-url", &db.url()]);
    run(&mut fake).expect_code(0);
    wait(async {
        let interrupt = Interrupt::default();
        let target = reached_at(&db.url(), Origin::Folder(dir.path().to_owned())).await;
        let failed = within(&Place::Sandbox, &target.like, "test", &interrupt, async |scratch| {
            replay(scratch, &target, &target.applied, "test", &interrupt).await
        })
        .await;
        let said = failed.err().unwrap().to_string();
        assert!(said.contains("--scratch-url") && said.contains("--without") && said.contains("V1__x.sql"), "{said}");
    });
}

//! How scratch databases end: dropped after good and bad work, swept when left.

use dbctl::error::{Failure, Kind};
use dbctl::pg::sandbox::Options;
use dbctl::pg::{Interrupt, Server, Session};
use dbctl::scratch::{Place, Scratch, within};
use sha2::{Digest, Sha256};

use super::{connection, like, scratches, wait};
use crate::harness::{Database, majors, private_server};

/// A server of the test's own: others would see its scratch databases come and go.
fn alone(major: u32) -> (dbctl::pg::sandbox::Sandbox, Database) {
    let server = private_server(&Options { major: Some(major), ..Options::default() });
    let db = Database::at(&server);
    (server, db)
}

#[test]
fn one_is_like_its_target_and_gone_at_the_end_in_every_major() {
    for major in majors() {
        let (_server, db) = alone(major);
        db.sql(&format!("ALTER DATABASE {} SET search_path = app, \"Odd, one\", public", db.name()));
        let target = connection(&db.url());
        wait(async {
            let like = like(&target).await.unwrap();
            let interrupt = Interrupt::default();
            let name = within(&Place::SameServer(target.clone()), &like, "test", &interrupt, async |scratch| {
                assert!(scratch.shares_server());
                let session = Session::open(scratch.connection(), "test", &interrupt).await?;
                let server = Server::read(&session).await?;
                assert_eq!(server.search_path, "app, \"Odd, one\", public");
                let lazy = session.rows_of("SELECT current_setting('synchronous_commit')").await.unwrap();
                assert_eq!(lazy[0].get::<_, String>(0), "off");
                assert_eq!(scratches(&db).join(" "), server.database);
                Ok(server.database)
            })
            .await
            .unwrap();
            assert!(name.starts_with("dbctl_scratch_1") && scratches(&db).is_empty(), "{name}");
            let settings = db.sql("SELECT 1 FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname LIKE 'dbctl%'");
            assert!(settings.is_empty());
        });
    }
}

#[test]
fn failures_do_not_keep_it() {
    let (_server, db) = alone(*majors().last().unwrap());
    let target = connection(&db.url());
    wait(async {
        let like = like(&target).await.unwrap();
        let place = Place::SameServer(target.clone());
        let failed = within(&place, &like, "test", &Interrupt::default(), async |scratch| {
            // A session that nobody closes: FORCE ends it.
            let session = Session::open(scratch.connection(), "test", &Interrupt::default()).await?;
            std::mem::forget(session);
            Err::<(), _>(Failure::new(Kind::Invalid, "no good"))
        })
        .await;
        assert_eq!(failed.unwrap_err().what(), Kind::Invalid);
        assert!(scratches(&db).is_empty());
    });
}

#[test]
fn what_changes_of_the_whole_server_meanwhile_is_told_by_name() {
    for major in majors() {
        let (_server, db) = alone(major);
        db.sql("CREATE ROLE one; CREATE ROLE two");
        let target = connection(&db.url());
        wait(async {
            let like = like(&target).await.unwrap();
            let interrupt = Interrupt::default();
            for place in [Place::SameServer(target.clone()), Place::Url(target.clone())] {
                let (one, other) = tokio::join!(
                    Scratch::create(&place, &like, "test", &interrupt),
                    Scratch::create(&place, &like, "test", &interrupt)
                );
                let (scratch, other) = (one.unwrap(), other.unwrap());
                // Scratch databases of other runs are no change.
                other.drop().await.unwrap();
                assert_eq!(scratch.changes().await, Vec::<String>::new());
                db.sql("ALTER ROLE one CONNECTION LIMIT 3; ALTER ROLE two SET work_mem = '5MB'; GRANT one TO two; COMMENT ON ROLE one IS 'x'; CREATE ROLE three");
                let told = scratch.changes().await.join("\n");
                for word in [
                    "WARNING",
                    "role one has changed",
                    "settings of role two is new",
                    "membership of two in one is new",
                    "comment on",
                    "role three is new",
                    "Another session",
                ] {
                    assert!(told.contains(word), "{word}: {told}");
                }
                scratch.drop().await.unwrap();
                db.sql("ALTER ROLE one CONNECTION LIMIT -1; ALTER ROLE two RESET ALL; REVOKE one FROM two; COMMENT ON ROLE one IS NULL; DROP ROLE three");
            }
            let failed = within(&Place::SameServer(target.clone()), &like, "test", &interrupt, async |_| {
                db.sql("CREATE ROLE four");
                Err::<(), _>(Failure::new(Kind::Invalid, "no good"))
            })
            .await;
            assert!(failed.unwrap_err().to_string().contains("role four is new"));
        });
    }
}

#[test]
fn two_at_once_do_not_meet() {
    let (_server, db) = alone(*majors().last().unwrap());
    let target = connection(&db.url());
    wait(async {
        let like = like(&target).await.unwrap();
        let place = Place::SameServer(target.clone());
        let interrupt = Interrupt::default();
        let (one, other) = tokio::join!(
            Scratch::create(&place, &like, "test", &interrupt),
            Scratch::create(&place, &like, "test", &interrupt)
        );
        assert_eq!(scratches(&db).len(), 2);
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_ne!(one.connection().dbname, other.connection().dbname);
        one.drop().await.unwrap();
        assert_eq!(scratches(&db), [other.connection().dbname.clone()]);
        other.drop().await.unwrap();
        assert!(scratches(&db).is_empty());
    });
}

#[test]
fn a_role_without_createdb_learns_the_other_ways() {
    let (_server, db) = alone(*majors().last().unwrap());
    db.sql("CREATE ROLE reader LOGIN");
    let target = connection(&db.url_as("reader"));
    wait(async {
        let like = like(&target).await.unwrap();
        let refused = Scratch::create(&Place::SameServer(target), &like, "test", &Interrupt::default()).await;
        let failure = refused.err().unwrap();
        assert_eq!(failure.what(), Kind::NotPermitted);
        for way in ["--scratch-url", "--sandbox", "schema snapshot", "ALTER ROLE reader CREATEDB"] {
            assert!(failure.to_string().contains(way), "{way} is not in: {failure}");
        }
    });
}

/// The connection limit that marks a scratch database of this name.
fn mark(name: &str) -> i32 {
    let digest = Sha256::digest(name.as_bytes());
    (1 << 29) + (i32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) & 0x1fff_ffff)
}

#[test]
fn what_a_killed_run_left_is_swept_and_nothing_that_only_looks_like_it() {
    let (_server, db) = alone(*majors().last().unwrap());
    let target = connection(&db.url());
    let now: i64 = db.one("SELECT floor(extract(epoch FROM now()))::bigint").parse().unwrap();
    let name = |age: i64, tail: &str| format!("dbctl_scratch_{}_{tail}", now - age);
    let day = 24 * 60 * 60;
    let left = name(day + 60, "0000000000000001");
    let young = name(day - 600, "0000000000000002");
    let namesake = name(day + 60, "0000000000000003");
    let kept = name(day + 60, "0000000000000004");
    let in_use = name(day + 60, "0000000000000005");
    let odd = "dbctl_scratch_production".to_owned();
    for (name, limit) in [
        (&left, mark(&left)),
        (&young, mark(&young)),
        (&namesake, -1),
        (&kept, mark(&kept)),
        (&in_use, mark(&in_use)),
        (&odd, mark(&odd)),
    ] {
        db.sql(&format!("CREATE DATABASE {name} CONNECTION LIMIT {limit}"));
    }
    db.sql(&format!("COMMENT ON DATABASE {kept} IS 'do not touch'"));
    let user = db.session_with(|config| {
        config.dbname(&in_use);
    });
    wait(async {
        let like = like(&target).await.unwrap();
        let place = Place::SameServer(target.clone());
        let scratch = Scratch::create(&place, &like, "test", &Interrupt::default()).await.unwrap();
        assert_eq!(scratch.notes().len(), 1, "{:?}", scratch.notes());
        assert!(scratch.notes()[0].contains(&left));
        // What this run made is marked in the same way: a kill from here on leaves it to a later run.
        let made = scratch.connection().dbname.clone();
        let limit = db.one(&format!("SELECT datconnlimit FROM pg_database WHERE datname = '{made}'"));
        assert_eq!(limit, mark(&made).to_string());
        let comment =
            db.one(&format!("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{made}'"));
        assert!(comment.ends_with(&mark(&made).to_string()), "{comment}");
        scratch.drop().await.unwrap();
    });
    let mut expected = vec![young, namesake, kept, in_use, odd];
    expected.sort();
    assert_eq!(scratches(&db), expected);
    drop(user);
}

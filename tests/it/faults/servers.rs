//! Servers that stop in the middle, that are not up yet, and that only follow another.

use dbctl::pg::sandbox::{Options, StopMode};

use super::set::{self, Migrations};
use super::{fingerprint, migrate, migrate_with, undisturbed, waiting_worker};
use crate::harness::{Database, dbctl, eventually, majors, private_server, run, spawn, standby, starting};

#[test]
fn a_server_that_stops_or_crashes_in_the_middle_is_told_and_recovered_from() {
    for major in majors() {
        let mut server = private_server(&Options { major: Some(major), ..Options::default() });
        let set = set::five_files();
        let wanted = undisturbed(&gated(Database::at(&server)), &set);
        let obstacles = [
            ("1", "SELECT count(*) FROM account"),
            ("2", "UPDATE account SET note = note WHERE id = 1"),
            ("3", "SELECT count(*) FROM event"),
        ];
        for (number, (before, obstacle)) in obstacles.iter().enumerate() {
            for mode in [Some(StopMode::Fast), Some(StopMode::Immediate), None] {
                eprintln!("{major}: {mode:?} after version {before}, statement {number}");
                let db = gated(Database::at(&server));
                run(&mut migrate_with(&db.url(), &set, &["--to", before])).expect_code(0);
                let blocker = db.session();
                blocker.sql(&format!("BEGIN; {obstacle}"));
                let child = spawn(&mut migrate_with(&db.url(), &set, &["--lock-timeout", "50s"]));
                waiting_worker(&db);
                match mode {
                    Some(mode) => server.stop(mode).expect("the server stops"),
                    None => server.kill().expect("the server can be killed"),
                }
                child.wait().expect_code(69);
                // A plain run meets nobody.
                run(&mut migrate(&db.url(), &set)).expect_code(69);
                server.start_again().expect("the server starts");
                let db = db.reconnected();
                run(&mut migrate(&db.url(), &set)).expect_code(0);
                assert_eq!(fingerprint(&db), wanted);
            }
        }
    }
}

fn gated(db: Database) -> Database {
    set::gate(&db);
    db
}

#[test]
fn a_server_that_is_starting_up_is_told() {
    for major in majors() {
        let server = private_server(&Options { major: Some(major), ..Options::default() });
        let copy = starting(&server);
        eventually("it says that it starts up", || copy.session("postgres").is_err_and(|error| error.code == "57P03"));
        let set = Migrations::of(&[("V1__first.sql", "CREATE TABLE first (a int);\n")]);
        let ended = run(&mut migrate(&copy.url("postgres"), &set)).expect_code(69);
        assert!(ended.stderr.contains("57P03"), "{}", ended.stderr);
    }
}

#[test]
fn a_standby_shows_its_status_and_refuses_changes() {
    for major in majors() {
        let server = private_server(&Options { major: Some(major), ..Options::default() });
        let db = Database::at(&server);
        let set = Migrations::of(&[("V1__first.sql", "CREATE TABLE first (a int);\n")]);
        run(&mut migrate(&db.url(), &set)).expect_code(0);
        let copy = standby(&server);
        set.write("V2__second.sql", "CREATE TABLE second (a int);\n");
        eventually("the standby answers", || copy.session(db.name()).is_ok());
        let url = copy.url(db.name());
        let status =
            run(&mut dbctl(&["migrate", "status", "--dir", set.path(), "--database-url", &url])).expect_code(0);
        assert!(status.stdout.contains("standby") && status.stdout.contains("pending"), "{}", status.stdout);
        let plan = run(&mut dbctl(&["migrate", "plan", "--dir", set.path(), "--database-url", &url])).expect_code(0);
        assert!(plan.stdout.contains("CREATE TABLE second"), "{}", plan.stdout);
        let refused = run(&mut migrate(&url, &set)).expect_code(4);
        assert!(refused.stderr.contains("standby"), "{}", refused.stderr);
        assert_eq!(db.one("SELECT to_regclass('second') IS NULL"), "t");
    }
}

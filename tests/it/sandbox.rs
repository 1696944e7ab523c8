//! The private server, from the library and from the command line.

use dbctl::pg::sandbox::{Options, StopMode};

use crate::harness::{Database, majors, private_server, server};

#[test]
fn every_major_starts_answers_and_is_gone_after_the_drop() {
    for major in majors() {
        let sandbox = private_server(&Options { major: Some(major), ..Options::default() });
        let folder = sandbox.socket_dir().to_owned();
        let database = Database::at(&sandbox);
        assert_eq!(database.one("SHOW server_version_num")[..2], major.to_string());
        assert_eq!(database.one("SHOW listen_addresses"), "");
        drop(database);
        drop(sandbox);
        assert!(!folder.exists(), "{} is still there", folder.display());
    }
}

#[test]
fn a_killed_server_recovers_and_keeps_what_was_committed() {
    let mut sandbox = private_server(&Options::default());
    let database = Database::at(&sandbox);
    database.sql("CREATE TABLE t (i int); INSERT INTO t VALUES (1)");
    sandbox.kill().unwrap();
    assert_eq!(database.try_sql("SELECT 1").unwrap_err().code.len() % 5, 0);
    sandbox.start_again().unwrap();
    assert_eq!(database.session().one("SELECT count(*) FROM t"), "1");
    sandbox.stop(StopMode::Fast).unwrap();
    sandbox.start_again().unwrap();
    assert_eq!(database.session().one("SELECT count(*) FROM t"), "1");
}

#[test]
fn databases_of_one_server_do_not_see_each_other() {
    for major in majors() {
        let (one, other) = (Database::on(major), Database::on(major));
        one.sql("CREATE TABLE t ()");
        assert_eq!(other.try_sql("SELECT FROM t").unwrap_err().code, "42P01");
        assert_eq!(one.one("SELECT current_database()"), one.name());
        assert_eq!(server(major).major(), one.major());
    }
}

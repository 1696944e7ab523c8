//! What `dbctl doctor` finds, and what it says is missing.

use std::os::unix::fs::PermissionsExt as _;

use dbctl::config::env::Env;
use dbctl::pg::programs::Program;

use super::{Place, create, filled, json, run};
use crate::harness::{Database, dbctl, majors};

#[test]
fn the_programs_that_fit_the_server_are_used() {
    for major in majors() {
        let db = Database::on(major);
        let looked =
            run(dbctl(&["doctor", "--format", "json"]).env("DATABASE_URL", db.url()).env_remove("DBCTL_PG_BIN"));
        let answer = json(&looked.expect_code(0).stdout);
        for program in answer["programs"].as_array().unwrap() {
            let version = program["version"].as_str().unwrap();
            let found: u32 = version.split('.').next().unwrap().parse().unwrap();
            assert!(found >= major, "{program}");
        }
    }
}

#[test]
fn what_is_missing_is_named_with_its_package() {
    let (db, folder) = (Database::new(), tempfile::tempdir().unwrap());
    for name in ["pg_dump", "psql"] {
        let script = format!("#!/bin/sh\necho '{name} (PostgreSQL) 9.6.24'\n");
        std::fs::write(folder.path().join(name), script).unwrap();
        std::fs::set_permissions(folder.path().join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = dbctl(&["doctor", "--format", "json"]);
    command
        .env("DATABASE_URL", db.url())
        .env("PATH", folder.path())
        .env_remove("DBCTL_PG_HOME")
        .env("DBCTL_PG_BIN", folder.path());
    let looked = run(&mut command);
    // Packages of this machine's own may still be found.
    if looked.code == 2 {
        let wanted = format!("postgresql-client-{}", db.major());
        assert!(looked.stdout.contains(&wanted), "{}", looked.stdout);
    } else {
        assert!(!looked.stdout.contains("9.6.24"), "{}", looked.stdout);
    }
}

/// A program that does its work, and says that it is of another version.
#[test]
fn an_older_minor_than_the_servers_is_used_and_told() {
    let (db, place, folder) = (filled(), Place::new(), tempfile::tempdir().unwrap());
    let real = Program::PgDump.find(&Env::of_process()).into_iter().find(|found| found.major == db.major()).unwrap();
    let claims = |minor: u32| {
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = --version ] && echo 'pg_dump (PostgreSQL) {}.{minor}' && exit 0\nexec {} \"$@\"\n",
            db.major(),
            real.path.display()
        );
        let path = folder.path().join("pg_dump");
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    let mut doctor = dbctl(&["doctor", "--format", "json"]);
    doctor.env("DATABASE_URL", db.url()).env("DBCTL_PG_BIN", folder.path());
    for (minor, told) in [(0, true), (999, false)] {
        claims(minor);
        let made = run(create(&db, &place, &[]).env("DBCTL_PG_BIN", folder.path())).expect_code(0);
        assert_eq!(made.stderr.contains("older than the server"), told, "{}", made.stderr);
        assert_eq!(made.stderr.contains("--only-upgrade postgresql-client-"), told, "{}", made.stderr);
        let looked = json(&run(&mut doctor).expect_code(0).stdout);
        assert_eq!(looked["notes"].to_string().contains(".0, older than the server"), told, "{looked}");
    }
    assert_eq!(place.backups().len(), 2);
}

//! A backup is restored without dbctl: by the lines that RESTORE.txt itself gives, word for word.

use std::path::Path;
use std::process::Command;

use age::secrecy::ExposeSecret as _;

use super::{Place, create, filled, run};
use crate::archive::zoo::ZOO;
use crate::harness::{Database, default_server, has_zstd_and_age};

/// The indented lines after the first paragraph, with another name for the database.
fn recipe(backup: &Path, name: &str) -> String {
    let text = std::fs::read_to_string(backup.join("RESTORE.txt")).unwrap();
    let (_, lines) = text.split_once("pipefail':\n").unwrap();
    let lines = lines.lines().filter(|line| line.starts_with("    "));
    let word = |line: &str| line.replace(" NEW", &format!(" {name}")).replace("cp /where/it/is key.txt", "true");
    lines.map(|line| word(line.trim()) + "\n").collect()
}

fn follow(backup: &Path, name: &str) {
    let server = default_server();
    let bin = server.installation().bin_dir.display().to_string();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
    // Roles that are there already say so, which is no failure.
    let script = recipe(backup, name).replace("| psql -d postgres ", "| psql -q -d postgres > /dev/null 2>&1 ");
    let mut bash = Command::new("bash");
    bash.args(["-c", &format!("set -e -o pipefail\n{script}")]).current_dir(backup).env("PATH", path);
    bash.env("PGHOST", server.socket_dir()).env("PGPORT", server.port().to_string()).env("PGUSER", server.superuser());
    let output = bash.output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Everything that can be asked of both, as one text.
fn everything(db: &Database, name: &str) -> String {
    let url = db.url().replace(db.name(), name);
    let bin = &default_server().installation().bin_dir;
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(bin.join(program)).args(arguments).args(["-d", &url]).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        // Random words of the newest programs, and nothing else, differ from run to run.
        text.lines()
            .filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    said("pg_dump", &[])
}

#[test]
fn the_recipe_restores_everything() {
    if !has_zstd_and_age() {
        return;
    }
    for encrypted in [false, true] {
        let (db, place) = (filled(), Place::new());
        db.sql(ZOO);
        let key = age::x25519::Identity::generate();
        let recipient = key.to_public().to_string();
        let more: &[&str] = if encrypted { &["--recipient", &recipient] } else { &[] };
        run(&mut create(&db, &place, more)).expect_code(0);
        let (backup, name) = (&place.backups()[0], format!("{}_by_hand", db.name()));
        if encrypted {
            std::fs::write(backup.join("key.txt"), key.to_string().expose_secret()).unwrap();
        }
        follow(backup, &name);
        let (before, after) = (everything(&db, db.name()), everything(&db, &name));
        db.sql(&format!("DROP DATABASE {name} WITH (FORCE)"));
        assert!(before.len() > 10_000 && before == after, "{}", different(&before, &after));
    }
}

/// The first lines that differ.
fn different(before: &str, after: &str) -> String {
    let differ = before.lines().zip(after.lines()).filter(|(a, b)| a != b).take(5);
    differ.map(|(a, b)| format!("- {a}\n+ {b}\n")).collect()
}

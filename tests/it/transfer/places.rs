//! Folders, streams, buckets, encryption, and runs that are killed.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use nix::sys::signal::Signal;

use super::{Folder, command, export, import, json, rows, small};
use crate::harness::{Database, S3, dbctl, eventually, run, spawn};

#[test]
fn several_tables_are_of_one_moment_and_readable_by_their_owner_alone() {
    let db = small();
    let folder = Folder::new();
    let to = format!("{}/", folder.path(""));
    let told = export(&db, &["--table", "public.t", "--table", "public.copy", "--to", &to]).expect_code(0);
    assert_eq!(json(&told)["files"].as_array().unwrap().len(), 2);
    let names =
        ["public.copy.ndjson.zst", "public.copy.ndjson.zst.json", "public.t.ndjson.zst", "public.t.ndjson.zst.json"];
    assert_eq!(folder.names(), names);
    let mut moments = Vec::new();
    for name in names {
        let mode = folder.file(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
        if name.ends_with(".json") {
            let sidecar: serde_json::Value =
                serde_json::from_slice(&std::fs::read(folder.file(name)).unwrap()).unwrap();
            moments.push((sidecar["at"].clone(), sidecar["snapshot"].clone()));
        }
    }
    assert_eq!(moments[0], moments[1]);
    // Nothing is written over a file.
    let told = export(&db, &["--table", "public.t", "--to", &to]).expect_code(4).stderr;
    assert!(told.contains("is there already"), "{told}");
    import(&db, &["--from", &folder.path(names[2]), "--into", "public.copy"]).expect_code(0);
    assert_eq!(rows(&db, "public.copy"), rows(&db, "public.t"));
}

#[test]
fn rows_go_through_standard_streams() {
    let db = small();
    for form in ["ndjson", "csv", "copy"] {
        let out = export(&db, &["--table", "public.t", "--to", "-", "--as", form]).expect_code(0).stdout;
        let mut command = command(&db.url(), "import", &["--from", "-", "--into", "public.copy", "--as", form]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(out.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(rows(&db, "public.copy"), rows(&db, "public.t"), "{form}");
        db.sql("TRUNCATE public.copy");
    }
    let told = import(&db, &["--from", "-", "--into", "public.copy"]).expect_code(64).stderr;
    assert!(told.contains("--as"), "{told}");
}

#[test]
fn an_encrypted_file_opens_with_its_key_alone() {
    use age::secrecy::ExposeSecret as _;
    let db = small();
    let folder = Folder::new();
    let key = age::x25519::Identity::generate();
    let identity = folder.write("key", key.to_string().expose_secret());
    let other = folder.write("other", age::x25519::Identity::generate().to_string().expose_secret());
    let recipient = key.to_public().to_string();
    let told = export(&db, &["--table", "public.t", "--to", &folder.path("t.csv.age")]).expect_code(64).stderr;
    assert!(told.contains("--recipient"), "{told}");
    for name in ["t.ndjson.zst.age", "t.bin.age", "t.csv"] {
        let file = folder.path(name);
        export(&db, &["--table", "public.t", "--to", &file, "--recipient", &recipient]).expect_code(0);
        assert!(std::fs::read(&file).unwrap().starts_with(b"age-encryption.org/v1"));
        let flags = ["--from", &file, "--into", "public.copy"];
        for wrong in [None, Some(&other)] {
            let mut command = command(&db.url(), "import", &flags);
            let told = run(command.envs(wrong.map(|file| ("DBCTL_ARCHIVE_IDENTITY", file)))).expect_code(4).stderr;
            assert!(told.contains("no identity at hand opens it"), "{told}");
        }
        let mut command = command(&db.url(), "import", &flags);
        run(command.env("DBCTL_ARCHIVE_IDENTITY", &identity)).expect_code(0);
        assert_eq!(rows(&db, "public.copy"), rows(&db, "public.t"));
        db.sql("TRUNCATE public.copy");
    }
}

#[test]
fn files_lie_in_buckets_too() {
    let Some(s3) = S3::start() else { return };
    let db = small();
    for name in ["t.ndjson.zst", "t.bin"] {
        let file = format!("{}/{name}", s3.url());
        let mut out = command(&db.url(), "export", &["--table", "public.t", "--to", &file]);
        run(out.envs(s3.variables())).expect_code(0);
        run(out.envs(s3.variables())).expect_code(4);
        let mut back = command(&db.url(), "import", &["--from", &file, "--into", "public.copy"]);
        let told = run(back.envs(s3.variables())).expect_code(0);
        assert_eq!(json(&told)["proven"], true);
        assert_eq!(rows(&db, "public.copy"), rows(&db, "public.t"));
        db.sql("TRUNCATE public.copy");
    }
}

/// A view whose rows come slowly after the first thousands.
fn slow(db: &Database) {
    db.sql(
        "CREATE VIEW public.slow AS SELECT i, repeat(md5(i::text), 20) AS text, \
         CASE WHEN i > 2000 THEN pg_sleep(0.05) IS NULL END AS slept FROM generate_series(1, 4000) AS i",
    );
}

#[test]
fn a_run_that_is_ended_leaves_no_file_that_looks_whole() {
    for (signal, code) in [(Signal::SIGKILL, None), (Signal::SIGINT, Some(130)), (Signal::SIGTERM, Some(143))] {
        let db = small();
        slow(&db);
        let folder = Folder::new();
        let query = "SELECT * FROM public.slow";
        let flags = ["--query", query, "--to", &folder.path("slow.csv")];
        let child = spawn(&mut command(&db.url(), "export", &flags));
        let part = folder.file("slow.csv.part");
        eventually("the export has written", || part.metadata().is_ok_and(|file| file.len() > 0));
        child.signal(signal);
        let ended = child.wait();
        if let Some(code) = code {
            ended.expect_code(code);
            assert_eq!(folder.names(), Vec::<String>::new());
        }
        assert!(!folder.file("slow.csv").exists());
        let alive = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dbctl:export' AND state <> 'idle' \
                     AND datname = current_database()";
        eventually("the server has stopped", || db.one(alive) == "0");
        // The next one replaces what is left.
        export(&db, &["--table", "public.t", "--to", &folder.path("slow.csv")]).expect_code(0);
        assert_eq!(folder.names(), ["slow.csv", "slow.csv.json"]);
    }
}

#[test]
fn an_import_that_is_ended_stores_nothing() {
    for signal in [Signal::SIGKILL, Signal::SIGINT] {
        let db = small();
        let mut command =
            dbctl(&["import", "--database-url", &db.url(), "--from", "-", "--into", "public.copy", "--as", "csv"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"id,at,note\n").unwrap();
        for n in 0..50_000 {
            writeln!(input, "{n},2025-01-01,a").unwrap();
        }
        input.flush().unwrap();
        let at_work = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dbctl:import' AND query LIKE 'COPY%' \
                       AND datname = current_database()";
        eventually("the import reads", || db.one(at_work) == "1");
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
        let ended = child.wait().unwrap();
        assert!(signal == Signal::SIGKILL || ended.code() == Some(130), "{ended:?}");
        eventually("the server has let go", || db.one(&at_work.replace("AND query LIKE 'COPY%'", "")) == "0");
        assert_eq!(db.one("SELECT count(*) FROM public.copy"), "0");
    }
}

/// A snapshot from before a TRUNCATE would find nothing.
#[test]
fn a_table_that_is_emptied_while_it_is_waited_for_is_as_it_is_then() {
    let db = small();
    let folder = Folder::new();
    let other = db.session();
    other.sql("BEGIN; TRUNCATE public.t");
    other.sql("INSERT INTO public.t SELECT i, now() FROM generate_series(1, 7) AS i");
    let to = folder.path("t.ndjson");
    let child = spawn(&mut command(&db.url(), "export", &["--table", "public.t", "--to", &to]));
    eventually("the export waits", || {
        db.one("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'public.t'::regclass") == "1"
    });
    other.sql("COMMIT");
    let told = child.wait().expect_code(0);
    assert_eq!(json(&told)["files"][0]["rows"], 7);
}

/// COPY reads by place: names in another order would be stored in each other's columns.
#[test]
fn a_csv_whose_header_names_other_columns_is_not_stored() {
    let db = Database::new();
    db.sql("CREATE TABLE public.p (first text, last text, note text DEFAULT 'd')");
    let folder = Folder::new();
    std::fs::write(folder.file("p.csv"), "last,first\nDoe,John\n").unwrap();
    let from = folder.path("p.csv");
    for flags in [&[][..], &["--columns", "first,last"]] {
        let told = import(&db, &[&["--from", &from, "--into", "public.p"], flags].concat()).expect_code(4).stderr;
        assert!(told.contains("--columns last,first"), "{told}");
    }
    assert_eq!(db.one("SELECT count(*) FROM public.p"), "0");
    import(&db, &["--from", &from, "--into", "public.p", "--columns", "last,first"]).expect_code(0);
    assert_eq!(db.one("SELECT first || ' ' || last || note FROM public.p"), "John Doed");
}

#[test]
fn a_lock_is_not_waited_for_for_ever() {
    let (db, folder) = (small(), Folder::new());
    let holder = db.session();
    holder.sql("BEGIN; LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE");
    let flags = ["--table", "public.t", "--to", &folder.path("t.ndjson"), "--lock-timeout", "200ms"];
    let told = export(&db, &flags).expect_code(3);
    assert!(told.stderr.contains("lock timeout") && told.stderr.contains("dbctl locks"), "{}", told.stderr);
    assert!(folder.names().is_empty(), "{:?}", folder.names());
    holder.sql("ROLLBACK");
    export(&db, &flags).expect_code(0);
}

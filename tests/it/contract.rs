//! What scripts rely on: commands and flags, the shapes of JSON, exit codes, and that README and
//! help say what is true. A change here is made on purpose: `cargo insta review`, or INSTA_UPDATE=always.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::Command;
use dbctl::cli::Cli;
use dbctl::outcome::Outcome;
use dbctl::pg::sandbox::Options;
use serde_json::Value;

use crate::harness::{Database, dbctl, eventually, private_server, run};

/// `--help` of every command, the ones below it included. What every command has is shown once.
#[test]
fn help() {
    let mut pages = String::new();
    for path in paths() {
        let mut args: Vec<&str> = path.split_whitespace().collect();
        args.push("--help");
        let help = run(&mut dbctl(&args)).expect_code(0);
        assert_eq!(help.stderr, "");
        assert!(help.stdout.lines().all(|line| line.chars().count() <= 100), "dbctl {path}: wider than 100");
        let page = if path.is_empty() { help.stdout } else { without_global(&help.stdout) };
        pages.push_str(&format!("## dbctl {path}\n\n{}\n\n", page.trim_end()));
    }
    insta::assert_snapshot!(pages);
}

/// The sections whose flags every command has.
fn without_global(help: &str) -> String {
    let mut global = false;
    let mut kept = String::new();
    for line in help.lines() {
        if !line.starts_with(' ') && line.ends_with(':') {
            global = ["Database:", "Output:", "Safety:"].contains(&line);
        } else if !line.starts_with(' ') && !line.is_empty() {
            global = false;
        }
        if !global {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Every command as it is typed, sorted; the empty one first.
fn paths() -> Vec<String> {
    fn below(command: &Command, path: &str, found: &mut Vec<String>) {
        found.push(path.to_owned());
        for next in command.get_subcommands().filter(|next| next.get_name() != "help") {
            below(next, format!("{path} {}", next.get_name()).trim(), found);
        }
    }
    let mut found = Vec::new();
    below(&Cli::description(), "", &mut found);
    found
}

#[test]
fn every_command_has_a_short_and_a_long_help_and_mistakes_are_usage() {
    for path in paths() {
        let words = |last| path.split_whitespace().chain([last]).collect::<Vec<_>>();
        let short = run(&mut dbctl(&words("-h"))).expect_code(0);
        assert!(short.stdout.contains("Usage: "), "dbctl {path}");
        let wrong = run(&mut dbctl(&words("--no-such-flag"))).expect_code(64);
        assert!(wrong.stderr.contains("--no-such-flag") && wrong.stdout.is_empty(), "dbctl {path}");
    }
    let version = run(&mut dbctl(&["--version"])).expect_code(0);
    assert_eq!(version.stdout, format!("dbctl {}\n", env!("CARGO_PKG_VERSION")));
}

/// Keys and types of every document; a new kind of document belongs here.
#[test]
fn json_shapes() {
    // A server with nobody else's sessions, databases and limits: they would be shapes too.
    let settings = vec![("shared_preload_libraries".to_owned(), "pg_stat_statements".to_owned())];
    let server = private_server(&Options { settings, ..Options::default() });
    let db = Database::at(&server);
    let folder = tempfile::Builder::new().prefix("dbctl-it-").tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let sandboxes = folder.path().join("s");
    let dir = folder.path().join("migrations");
    let rollback = folder.path().join("rollback");
    std::fs::create_dir(&dir).unwrap();
    std::fs::create_dir(&rollback).unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    let mut seen: BTreeMap<String, Shape> = BTreeMap::new();
    let mut ask = |args: &[&str], code: i32| {
        let mut command = dbctl(args);
        command.args(["--format", "json"]).env("DATABASE_URL", db.url()).current_dir(folder.path());
        command.env("DBCTL_SANDBOX_DIR", &sandboxes);
        let run = run(&mut command).expect_code(code);
        let document: Value = serde_json::from_str(&run.stdout).unwrap();
        let kind = document["kind"].as_str().unwrap().to_owned();
        // Sessions of other databases, such as other tests have, show no locks, and limits of other databases or roles
        // are values of a check: that is the shape too.
        let mut elsewhere = document.clone();
        if let Some(value) = elsewhere.get_mut("values").and_then(|values| values.get_mut(0)) {
            value["object"] = "another database".into();
        }
        // What a window of a statement lacks, or what read no blocks, is a null.
        if let Some(query) = elsewhere.get_mut("queries").and_then(|queries| queries.get_mut(0)) {
            (query["max_seconds"], query["hit_percent"]) = (Value::Null, Value::Null);
        }
        // Whoever else works on the server at this moment may lack a name, and be the reason of a note.
        if let Some(long) = elsewhere.get_mut("long_transactions").and_then(Value::as_array_mut) {
            long.iter_mut().for_each(|session| (session["role"], session["application"]) = (Value::Null, Value::Null));
        }
        if let Some(notes) = elsewhere.get_mut("notes").and_then(Value::as_array_mut) {
            notes.push("a note".into());
        }
        if let Some(idle) = elsewhere.get_mut("idle_in_transaction").and_then(Value::as_array_mut) {
            idle.iter_mut().for_each(|session| session["holds"] = Value::Null);
        }
        assert!(document["version"].is_u64() && document["notes"].is_array(), "{document}");
        let mut shape = Shape::of(&document);
        shape.add(&Shape::of(&elsewhere));
        seen.entry(kind).and_modify(|known| known.add(&shape)).or_insert(shape);
    };
    ask(&["migrate", "systems"], 0);
    ask(&["migrate", "new", "a thing", "--dir", "elsewhere", "--with-rollback"], 0);
    write("V1__a.sql", "CREATE TABLE a (id int);");
    write("V2__b.sql", "CREATE INDEX CONCURRENTLY b ON a (id);");
    ask(&["migrate", "status", "--dir", "migrations"], 0);
    ask(&["migrate", "plan", "--dir", "migrations"], 0);
    ask(&["migrate", "up", "--dir", "migrations"], 0);
    ask(&["migrate", "up", "--dir", "migrations"], 0);
    ask(&["migrate", "plan", "--dir", "migrations"], 0);
    ask(&["migrate", "rehearse", "--dir", "migrations"], 0);
    write("V3__c.sql", "ALTER TABLE a ALTER id TYPE bigint; SELECT 1 / 0;");
    ask(&["migrate", "rehearse", "--dir", "migrations"], 2);
    write("V3__c.sql", "ALTER TABLE a ALTER id TYPE bigint;");
    ask(&["migrate", "rehearse", "--dir", "migrations", "--fill", "10", "--max-lock", "share"], 2);
    write("V3__c.sql", "DROP TABLE a; SELECT now();");
    ask(&["migrate", "plan", "--dir", "migrations"], 0);
    ask(&["migrate", "lint", "--dir", "migrations", "--fail-on", "warning"], 2);
    ask(&["migrate", "lint", "--rules"], 0);
    ask(&["migrate", "lint", "--explain", "drop-table"], 0);
    write("V1__a.sql", "CREATE TABLE a (id bigint);");
    write("V9_odd.sql", "SELECT 1;");
    ask(&["migrate", "status", "--dir", "migrations"], 0);
    ask(&["journal"], 0);
    ask(&["journal", "--run", "1"], 0);
    db.sql("CREATE TABLE vacuumed (a int); CREATE MATERIALIZED VIEW refreshed AS SELECT 1 AS a");
    ask(&["vacuum", "--table", "vacuumed", "--dry-run"], 0);
    ask(&["vacuum", "--table", "vacuumed"], 0);
    ask(&["vacuum", "--advice"], 0);
    ask(&["refresh", "--dry-run"], 0);
    ask(&["refresh"], 0);
    db.sql("DROP TABLE vacuumed; DROP MATERIALIZED VIEW refreshed");
    ask(&["init"], 0);
    ask(&["config", "show"], 0);
    ask(&["config", "check"], 0);
    // Others on this machine come and go: one of our own, seen by nobody else.
    let sandbox = |args: &[&str]| run(dbctl(args).env("DBCTL_SANDBOX_DIR", &sandboxes)).expect_code(0);
    sandbox(&["sandbox", "start", "--owner", &std::process::id().to_string()]);
    eventually("the list knows the server's process", || {
        let list = sandbox(&["sandbox", "list", "--format", "json"]).stdout;
        !list.contains("\"server_pid\": null")
    });
    ask(&["sandbox", "list"], 0);
    sandbox(&["sandbox", "stop", "--all"]);
    let bridge = Database::at(&server);
    let mut up = dbctl(&["migrate", "--system", "bridge"]);
    run(up.env("DATABASE_URL", bridge.url())).expect_code(0);
    let url = bridge.url();
    ask(&["systems", "verify", "--system", "bridge", "--database-url", &url], 0);
    ask(&["demo-data", "--system", "bridge", "--database-url", &url], 0);
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("partitions.yaml").display().to_string();
    let mut partitions = |words: &[&str], code: i32| {
        let place = ["--policy", policy.as_str(), "--database-url", url.as_str()];
        ask(&[&["partitions"], words, &place].concat(), code);
    };
    partitions(&["plan"], 0);
    // One that has long expired, with a hold on another.
    bridge.sql(
        "SET TimeZone = 'UTC'; SELECT ensure_range_partitions('activity_mappings', 'month', date_trunc('month', now() - interval '20 \
         months'), date_trunc('month', now() - interval '18 months'))",
    );
    let month = bridge.one("SELECT date_trunc('month', now() AT TIME ZONE 'UTC' - interval '19 months')::date");
    let held =
        ["hold", "add", "CASE-1", "--table", "public.activity_mappings", "--from", &month, "--reason", "asked for"];
    partitions(&held, 0);
    partitions(&["hold", "list"], 0);
    partitions(&["plan", "public.activity_mappings"], 4);
    partitions(&["rotate", "--arm"], 4);
    partitions(&["rotate"], 4);
    partitions(&["rows"], 0);
    partitions(&["status"], 0);
    partitions(&["status", "public.activity_mappings"], 0);
    // The months between them are a gap.
    partitions(&["check"], 2);
    let left = bridge.one("SELECT partition FROM dbctl.partition");
    partitions(&["undo", &left], 0);
    bridge.sql("CREATE TABLE twice (a int, r int4range, EXCLUDE USING gist (r WITH &&)); CREATE INDEX ON twice (a)");
    bridge.sql("INSERT INTO twice VALUES (1), (1)");
    for name in ["twice_a", "twice_ccnew"] {
        bridge.try_sql(&format!("CREATE UNIQUE INDEX CONCURRENTLY {name} ON twice (a)")).unwrap_err();
    }
    let mut reindex = |words: &[&str], code: i32| ask(&[&["reindex", "--database-url", &url], words].concat(), code);
    let reads = bridge.session();
    reads.sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    reindex(&["--table", "twice", "--dry-run"], 0);
    drop(reads);
    reindex(&["--table", "twice"], 5);
    reindex(&["--resume", "--dry-run"], 0);
    reindex(&["--resume"], 1);
    let (holder, waiter) = (bridge.session(), bridge.session());
    holder.sql("BEGIN; SELECT pg_advisory_xact_lock(1)");
    let _statement = waiter.start("SELECT pg_advisory_lock(1)");
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    eventually("one waits", || bridge.one(waits) == "1");
    ask(&["locks", "--database-url", &url], 0);
    ask(&["activity", "--longer-than", "0s", "--database-url", &url], 0);
    ask(&["replication", "--database-url", &url], 0);
    ask(&["health", "--database-url", &url], 0);
    ask(&["check", "--only", "pending_restart", "--database-url", &url], 0);
    ask(&["check", "--only", "connections,deadlocks", "--state", "check.json", "--database-url", &url], 3);
    ask(&["check", "--list"], 0);
    bridge.sql("ANALYZE");
    bridge.sql("CREATE TABLE doubled (a int); CREATE INDEX ON doubled (a); CREATE INDEX ON doubled (a)");
    bridge
        .sql("CREATE TABLE many AS SELECT generate_series(1, 12000) AS a; CREATE INDEX few ON many (a); ANALYZE many");
    let busy = bridge.session();
    busy.sql("DO $$ BEGIN FOR i IN 1..120 LOOP PERFORM count(*) FROM many; END LOOP; END $$");
    busy.sql("UPDATE many SET a = a + 20000; SET enable_seqscan = off; SELECT FROM many WHERE a = 0");
    drop(busy);
    let counted = "SELECT idx_scan > 0 FROM pg_stat_user_indexes WHERE indexrelname = 'few'";
    eventually("uses are counted", || bridge.one(counted) == "t");
    ask(&["indexes", "duplicate", "rarely-used", "missing", "--min-days", "0", "--database-url", &url], 0);
    ask(&["sizes", "--database-url", &url], 0);
    ask(&["bloat", "--min-size", "0", "--limit", "0", "--database-url", &url], 0);
    ask(&["doctor"], 0);
    ask(&["backup", "create", "--to", "repository", "--exclude", "*.refinery_schema_history", "--dry-run"], 0);
    ask(&["backup", "create", "--to", "repository", "--exclude", "*.refinery_schema_history", "--also", "second"], 0);
    ask(&["backup", "verify", "--from", "repository"], 0);
    ask(&["backup", "pin", "latest", "--from", "repository", "--reason", "a test"], 0);
    ask(&["backup", "unpin", "latest", "--from", "repository"], 0);
    ask(&["backup", "drill", "--from", "repository", "--max-restore", "1h"], 0);
    ask(&["backup", "list", "--from", "repository"], 0);
    ask(&["backup", "status", "--from", "repository"], 2);
    ask(&["backup", "prune", "--from", "repository", "--keep-last", "1", "--dry-run"], 0);
    ask(&["restore", "latest", "--from", "repository", "--to-database", "never_made", "--dry-run"], 0);
    ask(&["report", "--html", "page.html", "--database-url", &url], 0);
    ask(&["locks", "--history", "locks.ndjson", "--for", "1ms", "--database-url", &url], 0);
    ask(&["locks", "--replay", "locks.ndjson"], 0);
    ask(&["locks", "cancel", &holder.pid().to_string(), "--database-url", &url], 4);
    ask(&["slow-queries", "--for", "0s", "--database-url", &url], 0);
    let counted = Database::at(&server);
    // What dropped databases left behind has no name.
    counted.sql("CREATE EXTENSION pg_stat_statements; CREATE TABLE counted (a int); SELECT pg_stat_statements_reset()");
    counted.sql("INSERT INTO counted VALUES (1); SELECT count(*) FROM counted");
    let counted = counted.url();
    for args in [&["--sort", "calls"][..], &["--for", "1ms"], &["--explain"], &["--reset", "--yes"]] {
        ask(&[&["slow-queries", "--database-url", &counted], args].concat(), 0);
    }
    let mut moved = |args: &[&str]| ask(&[args, &["--database-url", &counted]].concat(), 0);
    moved(&["export", "--table", "public.counted", "--to", "rows.csv", "--dry-run"]);
    moved(&["export", "--table", "public.counted", "--to", "rows.csv"]);
    moved(&["import", "--from", "rows.csv", "--into", "public.counted", "--dry-run"]);
    moved(&["import", "--from", "rows.csv", "--into", "public.counted"]);
    moved(&["repack", "--bloated", "--dry-run"]);
    moved(&["backup", "create", "--to", "whole"]);
    let restore = ["restore", "latest", "--from", "whole"];
    moved(&[&restore[..], &["--table", "public.counted", "--into-schema", "rescued"]].concat());
    moved(&[&restore[..], &["--to-database", "shape_copy"]].concat());
    let replace = ["--to-database", "shape_copy", "--replace", "--yes", "--confirm-name", "shape_copy"];
    moved(&[&restore[..], &replace].concat());
    moved(&["restore", "list"]);
    moved(&["restore", "undo", "--to-database", "shape_copy", "--yes"]);
    moved(&["restore", "confirm", "--to-database", "shape_copy", "--yes"]);
    let shapes: Vec<String> = seen.values().map(Shape::show).collect();
    insta::assert_snapshot!(shapes.join("\n\n"));
}

/// What was seen at one place of a document.
#[derive(Clone, Default)]
struct Shape {
    types: BTreeSet<&'static str>,
    /// In the order of the first document that had them; whether every document had it.
    keys: Vec<(String, Shape)>,
    items: Option<Box<Shape>>,
    value: Option<String>,
}

impl Shape {
    fn of(value: &Value) -> Shape {
        let mut shape = Shape::default();
        shape.types.insert(match value {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(number) if number.is_f64() => "float",
            Value::Number(_) => "int",
            Value::String(_) => "text",
            Value::Array(_) => "list",
            Value::Object(_) => "object",
        });
        match value {
            Value::Array(items) => {
                let mut one: Option<Shape> = None;
                for item in items.iter().map(Shape::of) {
                    one.get_or_insert_with(|| item.clone()).add(&item);
                }
                shape.items = one.map(Box::new);
            }
            Value::Object(map) => {
                shape.keys = map.iter().map(|(key, value)| (key.clone(), Shape::of(value))).collect();
                for (key, below) in &mut shape.keys {
                    if key == "kind" || key == "version" && map.contains_key("kind") {
                        below.value = Some(map[key.as_str()].to_string());
                    }
                }
            }
            _ => {}
        }
        shape
    }

    fn add(&mut self, other: &Shape) {
        self.types.extend(&other.types);
        for (key, shape) in &other.keys {
            match self.keys.iter_mut().find(|(known, _)| known == key) {
                Some((_, known)) => known.add(shape),
                None => self.keys.push((key.clone(), shape.clone())),
            }
        }
        match (&mut self.items, &other.items) {
            (Some(items), Some(others)) => items.add(others),
            (None, Some(others)) => self.items = Some(others.clone()),
            _ => {}
        }
    }

    fn show(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, "", 0);
        text.trim_end().to_owned()
    }

    fn write(&self, text: &mut String, key: &str, depth: usize) {
        let types = self.types.iter().copied().collect::<Vec<_>>().join(" or ");
        let said = self.value.as_deref().map_or(types, |value| value.to_owned());
        if !key.is_empty() {
            text.push_str(&format!("{}{key}: {said}\n", "  ".repeat(depth - 1)));
        }
        if let Some(items) = &self.items {
            items.write(text, "each", depth + 1);
        }
        for (key, shape) in &self.keys {
            shape.write(text, key, depth + 1);
        }
    }
}

#[test]
fn machine_formats_are_what_they_say() {
    let db = Database::new();
    let ask = |format: &str| {
        let mut command = dbctl(&["migrate", "status", "--system", "bridge", "--format", format]);
        run(command.env("DATABASE_URL", db.url())).expect_code(0).stdout
    };
    for line in ask("ndjson").lines() {
        let _: Value = serde_json::from_str(line).unwrap();
    }
    let rows = csv::Reader::from_reader(ask("csv").as_bytes()).records().map(Result::unwrap).count();
    assert!(rows >= 11, "{rows}");
    let yaml: serde_yaml::Value = serde_yaml::from_str(&ask("yaml")).unwrap();
    let json: Value = serde_json::from_str(&ask("json")).unwrap();
    assert_eq!(serde_json::to_value(yaml).unwrap(), json);
    assert!(ask("markdown").contains("| version |"), "{}", ask("markdown"));
    let wide = ask("table");
    assert!(wide.lines().all(|line| line.chars().count() <= 80), "{wide}");
}

/// Every outcome with its number. The match makes a new outcome appear here.
fn outcomes() -> Vec<Outcome> {
    use Outcome::*;
    let all = vec![
        Done,
        Failed,
        Findings,
        Deferred,
        Refused,
        Partial,
        Busy,
        Usage,
        Invalid,
        Unreachable,
        NotPermitted,
        Interrupted,
        Terminated,
        Warning,
        Critical,
        Unknown,
    ];
    for outcome in &all {
        match outcome {
            Done | Failed | Findings | Deferred | Refused | Partial | Busy | Usage | Invalid | Unreachable
            | NotPermitted | Interrupted | Terminated | Warning | Critical | Unknown | Command(_) => {}
        }
    }
    all
}

#[test]
fn readme_and_help_list_the_exit_codes_that_there_are() {
    let codes: BTreeSet<u8> = outcomes().into_iter().map(Outcome::code).collect();
    let readme = readme();
    let table = readme.split("| exit code | means |").nth(1).unwrap().split("\n\n").next().unwrap();
    let first_cells = table.lines().filter_map(|line| line.split('|').nth(1));
    let listed: BTreeSet<u8> =
        first_cells.flat_map(|cell| cell.split('/')).filter_map(|code| code.trim().parse().ok()).collect();
    assert_eq!(listed, codes, "README.md, exit codes");
    let help = run(&mut dbctl(&["--help"])).expect_code(0).stdout;
    let paragraph = help.split("Exit codes:").nth(1).unwrap().split("\n\n").next().unwrap();
    let numbers = paragraph.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
    assert_eq!(numbers.collect::<BTreeSet<u8>>(), codes, "dbctl --help, exit codes");
}

#[test]
fn every_command_line_in_the_readme_is_understood() {
    let readme = readme();
    let known: BTreeSet<String> = paths().into_iter().collect();
    let mut checked = 0;
    for line in readme.split('`').skip(1).step_by(2).chain(readme.lines().filter(|line| line.starts_with("    "))) {
        for (at, _) in line.match_indices("dbctl ") {
            let inside = line[..at].ends_with('/') || line[..at].ends_with(|c: char| c.is_alphanumeric());
            let mut words = line[at..].split_whitespace().skip(1).peekable();
            if inside || words.peek().is_none_or(|word| !word.chars().all(|c| c.is_lowercase() || "-|\\".contains(c))) {
                continue;
            }
            let mut paths = vec![String::new()];
            for word in words.take_while(|word| {
                !word.starts_with(['-', '(', '[', '|', '#'])
                    && word.chars().all(|c| c.is_lowercase() || "-|\\".contains(c))
            }) {
                let choices: Vec<&str> = word.split(['|', '\\']).filter(|choice| !choice.is_empty()).collect();
                paths = paths
                    .iter()
                    .flat_map(|path| choices.iter().map(move |choice| format!("{path} {choice}").trim().to_owned()))
                    .collect();
            }
            for path in paths {
                assert!(known.contains(&path), "README.md: 'dbctl {path}' is no command");
                checked += 1;
            }
        }
    }
    assert!(checked >= 10, "{checked}");
}

/// `--flags` that README names exist somewhere.
#[test]
fn every_flag_in_the_readme_exists() {
    let mut flags = BTreeSet::new();
    for path in paths() {
        let mut args: Vec<&str> = path.split_whitespace().collect();
        args.push("--help");
        let help = run(&mut dbctl(&args)).stdout;
        flags.extend(
            help.split(|c: char| !c.is_alphanumeric() && c != '-')
                .filter(|word| word.starts_with("--"))
                .map(str::to_owned),
        );
    }
    let readme = readme();
    let others = ["xtask", "aws s3api", "cargo install"];
    let lines = readme.lines().filter(|line| !others.iter().any(|other| line.contains(other)));
    let named = lines
        .flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '-'))
        .filter(|word| word.starts_with("--") && word.len() > 2);
    for flag in named.filter(|flag| flag[2..].starts_with(|c: char| c.is_alphabetic()) && *flag != "--matrix") {
        assert!(flags.contains(flag), "README.md: {flag} is no flag");
    }
}

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

#[test]
fn a_closed_pipe_is_quiet() {
    let program = env!("CARGO_BIN_EXE_dbctl");
    for words in ["--help", "man", "completions bash", "migrate systems"] {
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-c", &format!("{program} {words} 2>&1 >&- | cat; {program} {words} | true; exit 0")]);
        let said = run(shell.env_clear().env("HOME", crate::harness::home()).stdin(std::process::Stdio::null()));
        assert!(!said.stdout.contains("panicked") && !said.stderr.contains("panicked"), "{words}: {said:?}");
    }
}

#[test]
fn a_password_is_in_no_process_list() {
    let Ok(processes) = std::fs::read_dir("/proc") else { return };
    let owner = std::process::id().to_string();
    let started = run(&mut dbctl(&["sandbox", "start", "--port", "0", "--owner", &owner])).expect_code(0);
    let url = started.stdout.trim();
    let password = url.split_once("postgres:").unwrap().1.split_once('@').unwrap().0;
    assert!(password.len() > 10);
    let mut command =
        dbctl(&["sandbox", "run", "--", "sh", "-c", "sleep 0.1; cat /proc/[0-9]*/cmdline | tr '\\0' ' '"]);
    let lines = run(command.env("DATABASE_URL", url).env("PGPASSWORD", password)).expect_code(0).stdout;
    assert!(lines.contains("postgres") && !lines.contains(password));
    for process in processes.flatten() {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&line).contains(password), "{}", process.path().display());
    }
    let name = started.stderr.split("dbctl sandbox stop ").nth(1).unwrap().trim();
    run(&mut dbctl(&["sandbox", "stop", name])).expect_code(0);
}

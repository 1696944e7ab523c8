//! The architecture as a test over the source text: who may know what (the table in `src/lib.rs`),
//! how files look, what must not be there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files of these folders with this ending, as paths from the root.
fn files(folders: &[&str], ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path.strip_prefix(root()).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    assert!(!found.is_empty());
    found
}

fn text(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The lines of a source file that run in the program: without comments and tests, with their numbers.
fn code(file: &str) -> Vec<(usize, String)> {
    let text = text(file);
    let text = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.split("// ").next().unwrap().to_owned()));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//")).collect()
}

/// Sources of the program; files of tests are not.
fn sources() -> Vec<String> {
    files(&["src"], ".rs").into_iter().filter(|file| !file.ends_with("tests.rs")).collect()
}

fn within(file: &str, places: &[&str]) -> bool {
    places.iter().any(|place| file == *place || (place.ends_with('/') && file.starts_with(place)))
}

/// Fails for each line outside of `places` that holds one of the words.
fn only(places: &[&str], words: &[&str]) {
    let mut found = Vec::new();
    for file in sources().iter().filter(|file| !within(file, places)) {
        found.extend(lines_with(file, words));
    }
    assert!(found.is_empty(), "only {places:?} may know {words:?}:\n{}", found.join("\n"));
    let known = |file: &String| within(file, places) && !lines_with(file, words).is_empty();
    assert!(sources().iter().any(known), "nobody knows {words:?}: has this test gone blind?");
}

fn lines_with(file: &str, words: &[&str]) -> Vec<String> {
    let hit = |line: &str| words.iter().any(|word| contains_word(line, word));
    code(file).iter().filter(|(_, line)| hit(line)).map(|(n, line)| format!("{file}:{n}: {}", line.trim())).collect()
}

/// `word` not as a part of a longer name on its left.
fn contains_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !word.starts_with(char::is_alphanumeric) || before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    })
}

#[test]
fn only_pg_knows_the_driver() {
    only(&["src/pg/"], &["tokio_postgres", "deadpool"]);
    only(&["src/pg/"], &["x509_cert", "socket2"]);
    // S3 speaks TLS as well, with the same ring.
    only(&["src/pg/", "src/archive/store/s3.rs"], &["rustls"]);
}

#[test]
fn only_cli_knows_clap() {
    only(&["src/cli/"], &["clap", "clap_complete", "clap_mangen"]);
}

#[test]
fn only_two_files_know_refinery() {
    only(&["src/migrate/embedded.rs", "src/migrate/history.rs"], &["refinery_core", "refinery::"]);
}

#[test]
fn only_output_knows_how_a_table_or_a_bar_is_drawn_and_one_file_draws_carets() {
    only(&["src/output/"], &["comfy_table", "indicatif", "csv::"]);
    only(&["src/excerpt.rs"], &["annotate_snippets"]);
}

#[test]
fn only_the_archive_knows_how_files_are_stored_compressed_and_encrypted() {
    only(&["src/archive/store/"], &["object_store"]);
    only(&["src/archive/seal.rs", "src/archive/unseal.rs"], &["zstd::"]);
    only(&["src/archive/seal.rs", "src/archive/unseal.rs", "src/archive/keys.rs"], &["age::"]);
}

#[test]
fn only_config_and_output_know_yaml_and_only_a_few_split_sql() {
    only(&["src/config/yaml/", "src/output/machine.rs", "src/schema/file.rs"], &["serde_yaml"]);
    only(&["src/migrate/script.rs", "src/migrate/words.rs"], &["squawk_syntax", "squawk_lexer"]);
}

#[test]
fn only_the_outcome_knows_exit_numbers() {
    only(&["src/main.rs"], &["ExitCode"]);
    only(&["src/outcome.rs"], &["=> 64", "=> 65", "=> 69", "=> 77", "=> 130"]);
    // A second signal ends the process at once.
    only(&["src/pg/interrupt.rs"], &["process::exit", "process::abort"]);
}

#[test]
fn only_a_few_start_other_programs() {
    only(
        &["src/pg/sandbox/", "src/sandbox/", "src/config/connection/children.rs", "src/lint/since.rs"],
        &["process::Command", "process::{Command"],
    );
}

/// There is no second way to send DDL. Reading sends the frame of its transaction; `systems verify`
/// runs checks, which are rolled back.
#[test]
fn only_the_executor_sends_what_changes_a_database() {
    only(
        &[
            "src/pg/",
            "src/steps/apply.rs",
            "src/steps/batch.rs",
            "src/steps/fill.rs",
            "src/steps/recover.rs",
            "src/steps/journal.rs",
            "src/steps/observe.rs",
            "src/migrate/read.rs",
            "src/partitions/read.rs",
            "src/partitions/observe.rs",
            "src/retain/read.rs",
            "src/systems/verify.rs",
            "src/archive/export.rs",
            "src/archive/hash.rs",
            "src/scratch/mod.rs",
        ],
        &["ession.send(", "work.send(", "session().send(", "beside.send("],
    );
    for file in ["src/migrate/read.rs", "src/partitions/read.rs", "src/retain/read.rs"] {
        for (number, line) in code(file).iter().filter(|(_, line)| line.contains(".send(")) {
            let text: String =
                code(file).iter().skip_while(|(n, _)| n < number).take(2).map(|(_, l)| l.as_str()).collect();
            let frame = ["READ ONLY", "\"COMMIT\"", "\"ROLLBACK\""].iter().any(|word| text.contains(word));
            assert!(frame, "{file}:{number}: {line}");
        }
    }
    // So does whoever asks one question at a time.
    let sent = lines_with("src/partitions/observe.rs", &["session.send("]);
    assert!(sent.iter().all(|line| line.contains("(BEGIN)") || line.contains("\"ROLLBACK\"")), "{sent:?}");
    assert!(text("src/partitions/observe.rs").contains("const BEGIN: &str = \"BEGIN READ ONLY;"));
    // A scratch database is made, marked and dropped from outside of it; what is done in it is the executor's.
    let sent = lines_with("src/scratch/mod.rs", &[".send("]);
    let words = ["(&sql)", "(&comment)", "locale.create(", "plain.create(", "SET statement_timeout", "CREATE ROLE"];
    assert!(
        sent.iter().all(|line| words.iter().any(|word| line.contains(word)) || line.ends_with(".send(")),
        "{sent:?}"
    );
    let built: Vec<String> = lines_with("src/scratch/mod.rs", &["let sql = ", "let comment = "]);
    let words = ["DROP DATABASE IF EXISTS", "plain.create(", "let comment = format!("];
    assert!(built.iter().all(|line| words.iter().any(|word| line.contains(word))), "{built:?}");
    // The archive sends the frame of a read-only transaction; rows come back inside of the caller's own.
    for file in ["src/archive/export.rs", "src/archive/hash.rs"] {
        let sent: Vec<String> = lines_with(file, &["session.send("]);
        assert!(sent.iter().all(|line| line.contains("(&begin)") || line.contains("\"ROLLBACK\"")), "{sent:?}");
        let begun = lines_with(file, &["BEGIN"]);
        assert!(!begun.is_empty() && begun.iter().all(|line| line.contains("READ ONLY")), "{begun:?}");
    }
    only(&["src/pg/", "src/archive/import.rs"], &["copy_in("]);
    only(&["src/pg/"], &["batch_execute(", "simple_query(", "simple_query_raw(", "query_typed(", ".execute("]);
}

/// Looks read; one file ends sessions, by one statement of two functions; one writes its SELECT by itself.
#[test]
fn only_one_file_of_looks_ends_sessions() {
    let (act, select) = ("src/inspect/locks/act.rs", "src/inspect/statements/read.rs");
    let ways = [".send(", "rows_of(", "rows_with(", "copy_in(", "copy_out("];
    for file in sources().iter().filter(|f| f.starts_with("src/inspect/") && ![act, select].contains(&f.as_str())) {
        assert_eq!(lines_with(file, &ways), Vec::<String>::new());
    }
    let sent = lines_with(act, &ways);
    assert!(sent.len() == 1 && sent[0].contains("rows_with(&sql"), "{sent:?}");
    let functions = lines_with(act, &["Deed::Cancel => \"", "Deed::Terminate => \""]);
    let ending = |line: &String| line.contains("\"pg_cancel_backend\"") || line.contains("\"pg_terminate_backend\"");
    assert!(functions.len() == 2 && functions.iter().all(ending), "{functions:?}");
}

#[test]
fn decisions_are_pure() {
    let decides = |file: &&String| {
        [
            "/plan.rs",
            "/policy.rs",
            "/calendar.rs",
            "/naming.rs",
            "/diff.rs",
            "/gate.rs",
            "/assess.rs",
            "/hazard.rs",
            "/guard.rs",
            "/retry.rs",
            "/queue.rs",
            "/judge.rs",
            "/measure.rs",
            "/readings.rs",
            "/page.rs",
        ]
        .iter()
        .any(|name| file.ends_with(name))
            || within(
                file,
                &[
                    "src/check/settings.rs",
                    "src/check/view.rs",
                    "src/ident.rs",
                    "src/lint/check.rs",
                    "src/lint/found.rs",
                    "src/lint/ignore.rs",
                    "src/lint/known.rs",
                    "src/lint/phrase.rs",
                    "src/lint/rule.rs",
                    "src/lint/rules/",
                    "src/lint/statement/",
                    "src/outcome.rs",
                    "src/inspect/activity/view.rs",
                    "src/inspect/locks/forest.rs",
                    "src/inspect/locks/sample.rs",
                    "src/inspect/locks/view.rs",
                    "src/inspect/redact.rs",
                    "src/inspect/replication/view.rs",
                    "src/drift/compare.rs",
                    "src/drift/ignore.rs",
                    "src/drift/names.rs",
                    "src/drift/partitions.rs",
                    "src/drift/repair.rs",
                    "src/drift/roles.rs",
                    "src/drift/verdict.rs",
                    "src/drift/view.rs",
                    "src/migrate/effects.rs",
                    "src/migrate/script.rs",
                    "src/migrate/words.rs",
                    "src/policy/bounds/",
                    "src/partitions/coverage.rs",
                    "src/partitions/ddl.rs",
                    "src/partitions/departure.rs",
                    "src/partitions/saved.rs",
                    "src/partitions/set.rs",
                    "src/partitions/state.rs",
                    "src/policy/calendar/",
                    "src/policy/glob.rs",
                    "src/policy/key.rs",
                    "src/policy/schema.rs",
                    "src/policy/shape.rs",
                    "src/migrate/reach/",
                    "src/scratch/mark.rs",
                    "src/policy/span.rs",
                    "src/retain/attention.rs",
                    "src/retain/clock.rs",
                    "src/retain/held.rs",
                    "src/retain/mask.rs",
                    "src/retain/pace.rs",
                    "src/retain/snapshot.rs",
                    "src/retain/sql.rs",
                    "src/retain/visits.rs",
                    "src/schema/acl.rs",
                    "src/schema/fold.rs",
                    "src/schema/model.rs",
                    "src/schema/viewdef.rs",
                ],
            )
    };
    let impure = [
        "async ",
        ".await",
        "tokio",
        "Utc::now",
        "Local::now",
        "Instant",
        "SystemTime",
        "fastrand",
        "std::io",
        "std::fs",
        "std::env",
        "println!",
        "print!",
        "eprintln!",
        "crate::pg::Session",
        "crate::pg::connect",
    ];
    let sources = sources();
    let deciding: Vec<&String> = sources.iter().filter(decides).collect();
    assert!(deciding.len() >= 10, "{deciding:?}");
    let found: Vec<String> = deciding.iter().flat_map(|file| lines_with(file, &impure)).collect();
    assert!(found.is_empty(), "decisions know no clock, no driver, no files, no terminal:\n{}", found.join("\n"));
}

#[test]
fn arrows_point_down() {
    for (floor, above) in [
        ("src/config/", &["crate::pg", "crate::steps", "crate::migrate", "crate::retain"][..]),
        ("src/pg/", &["crate::steps", "crate::migrate", "crate::systems"]),
        ("src/output/", &["crate::pg", "crate::steps", "crate::migrate", "crate::systems"]),
        ("src/steps/", &["crate::migrate", "crate::retain", "crate::partitions", "crate::systems", "crate::output"]),
        ("src/archive/", &["crate::partitions", "crate::migrate", "crate::steps", "crate::systems", "crate::output"]),
        ("src/migrate/", &["crate::lint", "crate::drift", "crate::systems", "crate::sandbox"]),
        ("src/retain/", &["crate::migrate", "crate::partitions", "crate::archive", "crate::systems", "crate::sandbox"]),
        ("src/policy/", &["crate::pg", "crate::steps", "crate::partitions", "crate::retain", "crate::archive"]),
        ("src/partitions/", &["crate::migrate", "crate::systems", "crate::sandbox"]),
        ("src/scratch/", &["crate::steps", "crate::migrate", "crate::partitions", "crate::output", "crate::drift"]),
        ("src/schema/", &["crate::migrate", "crate::steps", "crate::policy", "crate::drift", "crate::sandbox"]),
        (
            "src/lint/",
            &[
                "crate::partitions",
                "crate::retain",
                "crate::archive",
                "crate::systems",
                "crate::steps::apply",
                "crate::sandbox",
            ],
        ),
        ("src/drift/", &["crate::partitions", "crate::systems", "crate::sandbox"]),
        (
            "src/inspect/",
            &[
                "crate::steps",
                "crate::migrate",
                "crate::partitions",
                "crate::retain",
                "crate::archive",
                "crate::drift",
                "crate::lint",
                "crate::systems",
                "crate::sandbox",
            ],
        ),
        (
            "src/maintain/",
            &[
                "crate::migrate",
                "crate::partitions",
                "crate::retain",
                "crate::archive",
                "crate::drift",
                "crate::lint",
                "crate::systems",
                "crate::sandbox",
            ],
        ),
        ("src/cli/", &["crate::pg::Session", "crate::pg::Query", "crate::run", "crate::talk"]),
        (
            "src/rehearse/",
            &["crate::partitions", "crate::retain", "crate::systems", "crate::pg::sandbox", "crate::sandbox"],
        ),
        ("src/sandbox/", &["crate::steps", "crate::migrate"]),
    ] {
        // Nobody but the commands themselves knows the command line and the terminal.
        let top: &[&str] = if floor == "src/cli/" { &[] } else { &["crate::cli", "crate::run", "crate::talk"] };
        let above = [above, top].concat();
        let inside = |file: &&String| file.starts_with(floor);
        let found: Vec<String> = sources().iter().filter(inside).flat_map(|file| lines_with(file, &above)).collect();
        assert!(found.is_empty(), "{floor} must not know what stands above it:\n{}", found.join("\n"));
    }
}

#[test]
fn every_file_says_what_it_is_for_and_has_one_noun() {
    for file in files(&["src", "tests/it", "xtask/src"], ".rs").iter().chain([&"sql/build.rs".to_owned()]) {
        let text = text(file);
        assert!(text.starts_with("//! "), "{file} does not begin with what it is for");
        let lines = text.lines().count();
        assert!(lines <= 600, "{file} has {lines} lines: which second noun hides in it?");
        assert!(
            text.ends_with('\n') && !text.ends_with("\n\n") && !text.contains('\t') && !text.contains('\r'),
            "{file}"
        );
    }
}

#[test]
fn nothing_is_left_for_later_and_nothing_panics_by_itself() {
    let shortcuts = [".unwrap()", ".expect(", "panic!(", "unreachable!(", "todo!(", "unimplemented!(", "dbg!("];
    let allowed = ["clippy::unwrap_used", "clippy::expect_used", "clippy::panic"];
    let mut found: Vec<String> =
        sources().iter().flat_map(|file| [lines_with(file, &shortcuts), lines_with(file, &allowed)].concat()).collect();
    for file in files(&["src", "tests", "xtask/src", "sql"], "").iter().filter(|file| *file != "tests/it/tidy.rs") {
        let Ok(text) = std::fs::read_to_string(root().join(file)) else { continue };
        let marks = text
            .lines()
            .enumerate()
            .filter(|(_, line)| ["TODO", "FIXME", "XXX", "HACK"].iter().any(|mark| line.contains(mark)));
        found.extend(marks.map(|(index, line)| format!("{file}:{}: {line}", index + 1)));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn sql_keywords_are_written_in_capitals() {
    let keywords = [
        "select", "insert", "update", "delete", "create", "alter", "drop", "from", "where", "join", "order", "group",
        "returns", "language", "begin", "end", "table", "index", "function", "trigger", "values", "into", "declare",
    ];
    let mut found = Vec::new();
    for file in files(&["sql"], ".sql") {
        let text = text(&file);
        for (index, line) in text.lines().enumerate() {
            // Checks and sample rows are lists of calls and rows, a line each.
            let list = file.starts_with("sql/checks") || file.starts_with("sql/demo");
            assert!(line.len() <= if list { 300 } else { 165 }, "{file}:{}: {} bytes", index + 1, line.len());
            assert!(!line.ends_with(' ') && !line.contains('\t'), "{file}:{}: white space", index + 1);
            let first = line.split_whitespace().next().unwrap_or_default().trim_end_matches(['(', ';']);
            // Words inside of quoted texts and comments may be anything: only what a line begins with is looked at.
            if keywords.contains(&first) && !within_comment(&text, index) {
                found.push(format!("{file}:{}: {line}", index + 1));
            }
        }
        assert!(text.starts_with("-- "), "{file} does not begin with what it is for");
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Inside of a quoted text of several lines, as far as counting quotes tells.
fn within_comment(text: &str, line: usize) -> bool {
    let before: String = text.lines().take(line).filter(|line| !line.trim_start().starts_with("--")).collect();
    before.matches('\'').count() % 2 == 1
}

#[test]
fn the_catalog_is_only_read_and_with_its_schema_in_front() {
    for file in files(&["sql/catalog"], ".sql") {
        let text = text(&file);
        let statement: String =
            text.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
        assert!(statement.starts_with("SELECT") || statement.starts_with("WITH"), "{file}");
        assert!(!statement.contains(';') && !statement.contains("SELECT *"), "{file}");
        for (at, _) in statement.match_indices("pg_") {
            let (before, name) =
                (&statement[..at], statement[at..].split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap());
            let named = before.ends_with("pg_catalog.")
                || name == "pg_catalog"
                || before.ends_with('\'')
                || before.ends_with('^');
            assert!(named, "{file}: {name} without pg_catalog in front");
        }
    }
}

#[test]
fn migrations_state_their_lock() {
    for file in files(&["sql/migrations", "sql/rollback"], ".sql") {
        let text = text(&file);
        let head: String = text.lines().take_while(|line| line.starts_with("--")).collect::<Vec<_>>().join("\n");
        assert!(head.contains("Lock"), "{file} does not say which lock it takes and why it is short");
    }
}

#[test]
fn the_top_of_the_tree_is_as_agreed() {
    let agreed = BTreeSet::from([
        ".cargo",
        ".ci",
        ".gitattributes",
        ".gitignore",
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "clippy.toml",
        "deny.toml",
        "partitions.yaml",
        "rustfmt.toml",
        "sql",
        "src",
        "tests",
        "xtask",
    ]);
    let git = std::process::Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    let Some(listed) = git.ok().filter(|output| output.status.success()) else { return };
    let listed = String::from_utf8(listed.stdout).unwrap();
    let top: BTreeSet<&str> =
        listed.split('\0').filter(|path| !path.is_empty()).map(|path| path.split('/').next().unwrap()).collect();
    let strangers: Vec<&&str> = top.difference(&agreed).collect();
    assert!(strangers.is_empty(), "not agreed upon: {strangers:?}");
}

#[test]
fn dependencies_that_were_ruled_out_stay_out() {
    let manifest = text("Cargo.toml");
    for package in ["sqlparser", "pg_query", "plotters", "charming", "openssl", "native-tls", "lazy_static"] {
        assert!(!manifest.lines().any(|line| line.starts_with(&format!("{package} "))), "{package}");
    }
    assert!(
        manifest.contains("squawk-syntax = \"=2.68.0\""),
        "squawk is pinned: its interfaces change with every release"
    );
}

//! How files look, and what the top of the tree is.

use super::*;

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
    for file in files(&["src", "tests", "xtask/src", "sql"], "").iter().filter(|file| *file != "tests/it/tidy/files.rs")
    {
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
        // Comments travel too, and not every encoding of a database has a dash or an ellipsis.
        assert!(text.is_ascii(), "{file}");
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

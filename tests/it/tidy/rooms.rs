//! Who may use what: the driver, clap, YAML, other programs, and the ways to send SQL.

use super::*;

#[test]
fn only_pg_knows_the_driver() {
    only(&["src/pg/"], &["tokio_postgres", "deadpool"]);
    only(&["src/pg/"], &["x509_cert", "socket2"]);
    // Buckets speak TLS as well, with the same ring.
    only(&["src/pg/", "src/archive/store/bucket.rs"], &["rustls"]);
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
    only(&["src/output/"], &["comfy_table", "indicatif"]);
    only(&["src/output/", "src/transfer/header.rs"], &["csv::"]);
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
        &[
            "src/pg/programs/",
            "src/pg/sandbox/",
            "src/sandbox/",
            "src/config/connection/children.rs",
            "src/lint/since.rs",
            "src/maintain/repack/program.rs",
        ],
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
            // A restore makes a database of its own; names of living ones change in swap.rs alone.
            "src/backup/restore/",
            "src/scratch/mod.rs",
            "src/transfer/export.rs",
            "src/transfer/fill.rs",
            "src/transfer/import.rs",
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
    // So does an export; an import reads into a stage of its own, and sends the frame of its transaction.
    let sent: Vec<String> = lines_with("src/transfer/export.rs", &["session.send("]);
    assert!(sent.iter().all(|line| line.contains("(&begin)") || line.contains("\"ROLLBACK\"")), "{sent:?}");
    assert!(text("src/transfer/export.rs").contains("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    let sent: Vec<String> = lines_with("src/transfer/fill.rs", &["session.send("]);
    assert!(sent.iter().all(|line| line.contains("SAVEPOINT")), "{sent:?}");
    only(&["src/pg/", "src/archive/import.rs", "src/backup/restore/load.rs", "src/transfer/import.rs"], &["copy_in("]);
    only(&["src/pg/"], &["batch_execute(", "simple_query(", "simple_query_raw(", "query_typed(", ".execute("]);
}

/// Looks read; one file ends sessions, by one statement of two functions; those of statements write their own SELECT.
#[test]
fn only_one_file_of_looks_ends_sessions() {
    let (act, own) = ("src/inspect/locks/act.rs", ["read", "explain", "reset"]);
    let ways = [".send(", "rows_of(", "rows_with(", "lines_of(", "copy_in(", "copy_out("];
    let own = own.map(|name| format!("src/inspect/statements/{name}.rs"));
    for file in sources().iter().filter(|f| f.starts_with("src/inspect/") && *f != act && !own.contains(f)) {
        assert_eq!(lines_with(file, &ways), Vec::<String>::new());
    }
    let sent = lines_with(act, &ways);
    assert!(sent.len() == 1 && sent[0].contains("rows_with(&sql"), "{sent:?}");
    let functions = lines_with(act, &["Deed::Cancel => \"", "Deed::Terminate => \""]);
    let ending = |line: &String| line.contains("\"pg_cancel_backend\"") || line.contains("\"pg_terminate_backend\"");
    assert!(functions.len() == 2 && functions.iter().all(ending), "{functions:?}");
}

//! Tables of (set, history) -> findings.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::ident::TableName;
use crate::migrate::history::{History, Identity, Width};
use crate::migrate::read::Noted;
use crate::migrate::source::Origin;
use crate::pg::Server;

fn file(stem: &str, sql: &str) -> File {
    let identity = Identity::of(stem, sql).unwrap();
    File { label: format!("{stem}.sql"), stem: stem.to_owned(), identity, sql: Arc::from(sql) }
}

fn set(files: Vec<File>) -> MigrationSet {
    MigrationSet { origin: Origin::Folder("m".into()), files, problems: vec![], left_out: vec![] }
}

fn row(stem: &str, sql: &str, width: Width) -> Row {
    let identity = Identity::of(stem, sql).unwrap();
    Row {
        version: identity.version,
        name: identity.name.clone(),
        applied_on: "2026-01-02T03:04:05.6Z".into(),
        checksum: identity.checksum_for(width).to_string(),
    }
}

fn snapshot(rows: Vec<Row>) -> Snapshot {
    let server = Server {
        major: 17,
        version: "17.1".into(),
        in_recovery: false,
        read_only: false,
        role: "app".into(),
        database: "db".into(),
        search_path: "public".into(),
        current_schema: Some("public".into()),
        backend_pid: 1,
        watches_clients: true,
        has_state: true,
        reads_state: true,
    };
    let table = TableName::new("public", "refinery_schema_history");
    Snapshot {
        server,
        history: Some(History { table, width: Width::Int8, rows, faults: vec![] }),
        noted: Some(BTreeMap::new()),
        half_done: BTreeMap::new(),
        other_tool: None,
        elsewhere: vec![],
    }
}

fn states(set: &MigrationSet, snapshot: &Snapshot) -> Vec<(i64, &'static str)> {
    assess(set, snapshot).entries.iter().map(|e| (e.version, e.state.id())).collect()
}

#[test]
fn every_finding_is_told_at_once() {
    let set = set(vec![
        file("V1__a", "SELECT 1"),
        file("V2__b", "SELECT 2"),
        file("V4__d", "SELECT 4"),
        file("V6__f", "SELECT 6"),
    ]);
    let mut damaged = row("V5__e", "SELECT 5", Width::Int8);
    damaged.checksum = "oops".into();
    let history = vec![row("V1__a", "SELECT 1", Width::Int8), row("V4__d", "SELECT 44", Width::Int8), damaged];
    assert_eq!(
        states(&set, &snapshot(history)),
        [(1, "applied"), (2, "out_of_order"), (4, "divergent"), (5, "missing"), (6, "pending")]
    );
}

#[test]
fn a_damaged_row_of_a_known_file_is_damaged() {
    let set = set(vec![file("V1__a", "SELECT 1")]);
    let mut bad_sum = row("V1__a", "SELECT 1", Width::Int8);
    bad_sum.checksum = "x".into();
    let mut bad_time = row("V1__a", "SELECT 1", Width::Int8);
    bad_time.applied_on = "yesterday".into();
    for bad in [bad_sum, bad_time] {
        assert_eq!(states(&set, &snapshot(vec![bad])), [(1, "damaged")]);
    }
}

#[test]
fn checksums_of_both_widths_count() {
    let set = set(vec![file("V1__a", "SELECT 1")]);
    for width in [Width::Int4, Width::Int8] {
        assert_eq!(states(&set, &snapshot(vec![row("V1__a", "SELECT 1", width)])), [(1, "applied")]);
    }
}

#[test]
fn differences_that_cannot_matter_are_named_as_such() {
    let sql = "-- why\nSELECT 1,\n  2;\n";
    let applied = row("V1__a", sql, Width::Int8);
    let mut known = snapshot(vec![applied.clone()]);
    known.noted = Some(BTreeMap::from([(1, Noted { system: None, normal_form: words::normal_form(sql) })]));
    let difference = |stem: &str, text: &str| match &assess(&set(vec![file(stem, text)]), &known).entries[0].state {
        State::Divergent(difference) => Some(*difference),
        _ => None,
    };
    assert_eq!(difference("V1__a", sql), None);
    assert_eq!(difference("V1__a", "-- why\r\nSELECT 1,\r\n  2;\r\n"), Some(Difference::LineEnds));
    assert_eq!(difference("V1__a", "-- why\nSELECT 1,\n  2;"), Some(Difference::LineEnds));
    assert_eq!(difference("V1__a", "SELECT 1, 2; -- because"), Some(Difference::CommentsOrSpace));
    assert_eq!(difference("V1__b", sql), Some(Difference::Name));
    assert_eq!(difference("V1__a", "SELECT 1, 3;"), Some(Difference::Content));
}

#[test]
fn unordered_files_are_pending_wherever_they_stand() {
    let set = set(vec![file("U1__a", "SELECT 1"), file("V2__b", "SELECT 2")]);
    assert_eq!(states(&set, &snapshot(vec![row("V2__b", "SELECT 2", Width::Int8)])), [(1, "pending"), (2, "applied")]);
}

#[test]
fn no_history_means_all_pending() {
    let set = set(vec![file("V1__a", "SELECT 1"), file("V2__b", "SELECT 2")]);
    let mut virgin = snapshot(vec![]);
    virgin.history = None;
    assert_eq!(states(&set, &virgin), [(1, "pending"), (2, "pending")]);
}

#[test]
fn the_database_of_another_system_is_recognised_by_what_was_noted() {
    let bridge = MigrationSet { origin: Origin::System("bridge".into()), ..set(vec![file("V1__a", "SELECT 1")]) };
    let mut other = snapshot(vec![row("V1__a", "SELECT 1", Width::Int8)]);
    other.noted = Some(BTreeMap::from([(1, Noted { system: Some("chat".into()), normal_form: String::new() })]));
    assert_eq!(assess(&bridge, &other).other_system.as_deref(), Some("chat"));
    other.noted = Some(BTreeMap::from([(1, Noted { system: Some("bridge".into()), normal_form: String::new() })]));
    assert_eq!(assess(&bridge, &other).other_system, None);
}

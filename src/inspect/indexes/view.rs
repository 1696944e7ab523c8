//! Findings about indexes as an answer.

use std::collections::BTreeMap;

use super::judge::{Finding, Kind, Limits};
use super::read::Catalog;
use crate::ident::TableName;
use crate::outcome::Outcome;
use crate::output::{Column, Document, Table, Value};

/// What is shown.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Only these kinds.
    pub kinds: Vec<Kind>,
    /// Only tables of these schemas; all where none is named.
    pub schemas: Vec<String>,
    /// Only these tables, with or without their schema; all where none is named.
    pub tables: Vec<String>,
    /// How many other servers were asked as well.
    pub replicas: usize,
    /// So many findings; all without.
    pub limit: Option<usize>,
    /// Findings are an outcome of their own.
    pub exit_code: bool,
}

impl Wish {
    /// Those of the findings that are listed.
    pub fn shown<'a>(&self, findings: &'a [Finding]) -> &'a [Finding] {
        self.limit.and_then(|limit| findings.get(..limit)).unwrap_or(findings)
    }

    /// Whether a finding was asked for.
    pub fn wants(&self, finding: &Finding) -> bool {
        let (schema, table) = (finding.table.schema.raw(), finding.table.name.raw());
        self.kinds.contains(&finding.kind)
            && (self.schemas.is_empty() || self.schemas.iter().any(|name| name == schema))
            && (self.tables.is_empty()
                || self.tables.iter().any(|name| name == table || *name == format!("{schema}.{table}")))
    }
}

/// The document. `made` says how indexes are made, for the way back.
pub fn view(
    catalog: &Catalog,
    findings: &[Finding],
    made: &BTreeMap<u32, String>,
    limits: &Limits,
    wish: &Wish,
) -> (Outcome, Document) {
    let freeing = findings.iter().filter(|finding| finding.kind.frees());
    let freed: u64 = freeing.filter_map(|finding| finding.bytes).fold(0, u64::saturating_add);
    let document = Document::new("indexes", 1)
        .fact("database", "database", catalog.database.as_str())
        .machine("standby", catalog.standby)
        .fact("indexes", "indexes", catalog.all_indexes)
        .fact("findings", "findings", findings.len())
        .fact("reclaimable_bytes", "would free", Value::Bytes(freed))
        .machine("counted_since", catalog.since)
        .fact("counted_seconds", "uses counted for", Value::Seconds(catalog.counted_seconds.floor()));
    let shown = wish.shown(findings);
    let mut document = document.table(table(shown, made));
    if !shown.is_empty() {
        let lines: Vec<&str> = shown.iter().map(|finding| finding.remedy.as_str()).collect();
        document = document.text("sql", format!("-- to be read, then run:\n{}\n", lines.join("\n")));
    }
    if shown.len() < findings.len() {
        document = document.note(format!("{} more findings: --limit 0 shows them", findings.len() - shown.len()));
    }
    for note in notes(catalog, limits, wish) {
        document = document.note(note);
    }
    let outcome = if wish.exit_code && !findings.is_empty() { Outcome::Findings } else { Outcome::Done };
    (outcome, document)
}

fn table(findings: &[Finding], made: &BTreeMap<u32, String>) -> Table {
    let columns = vec![
        Column::new("kind", "finding"),
        Column::new("table", "table"),
        Column::new("index", "index"),
        Column::new("size_bytes", "size"),
        Column::new("evidence", "why"),
        Column::machine("scans"),
        Column::machine("last_scan"),
        Column::machine("writes"),
        Column::machine("rows_read"),
        Column::machine("rows"),
        Column::machine("remedy"),
        Column::machine("undo"),
    ];
    let mut table = Table::new("indexes_found", "Nothing is wrong with the indexes.", columns);
    let number = |number: Option<i64>| number.map_or(Value::None, Value::Int);
    for finding in findings {
        // What is dropped can be made again; what is rebuilt needs no way back.
        let drops = finding.remedy.contains("DROP INDEX");
        let index = finding.index.as_ref();
        let undo = index.filter(|_| drops).and_then(|(oid, _)| made.get(oid)).map(|sql| format!("{sql};"));
        let numbers = finding.numbers;
        table.push(vec![
            finding.kind.name().into(),
            finding.table.to_string().into(),
            index.map(|(_, name)| named(finding, name)).into(),
            finding.bytes.map_or(Value::None, Value::Bytes),
            finding.evidence.as_str().into(),
            number(numbers.scans),
            numbers.last_scan.map_or(Value::None, Value::Time),
            number(numbers.writes),
            number(numbers.rows_read),
            number(numbers.rows),
            finding.remedy.as_str().into(),
            undo.into(),
        ]);
    }
    table
}

/// An index is found in the schema of its table, but for those of TOAST tables.
fn named(finding: &Finding, index: &TableName) -> String {
    if index.schema == finding.table.schema { index.name.to_string() } else { index.to_string() }
}

/// What the answer does not say.
fn notes(catalog: &Catalog, limits: &Limits, wish: &Wish) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(why) = &catalog.estimated {
        notes.push(format!("sizes are those of the last VACUUM or ANALYZE: {why}"));
    }
    if !wish.kinds.iter().any(|kind| kind.is_of_use()) {
        return notes;
    }
    if catalog.standby {
        notes.push(
            "which indexes are used is UNKNOWN on a standby: ask its primary, with --replica for this one".to_owned(),
        );
    } else if catalog.counted_seconds < limits.min_seconds {
        notes.push(format!(
            "which indexes are unused is UNKNOWN: uses are counted for {:.1} days only; --min-days 0 tells anyhow",
            catalog.counted_seconds / 86_400.0
        ));
    } else if catalog.standbys > 0 && wish.replicas == 0 {
        notes.push(format!(
            "queries on standbys are not counted ({} from here): name each with --replica",
            if catalog.standbys == 1 { "1 streams".to_owned() } else { format!("{} stream", catalog.standbys) }
        ));
    }
    notes
}

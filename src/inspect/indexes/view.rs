//! Findings about indexes as an answer.

use std::collections::BTreeMap;

use super::judge::{Finding, Kind, Limits};
use super::read::Catalog;
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
    /// Findings are an outcome of their own.
    pub exit_code: bool,
}

impl Wish {
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
    let freed: u64 = findings.iter().filter_map(|finding| finding.bytes).fold(0, u64::saturating_add);
    let mut document = Document::new("indexes", 1)
        .fact("database", "database", catalog.database.as_str())
        .fact("indexes", "indexes", catalog.indexes.len())
        .fact("findings", "findings", findings.len())
        .fact("reclaimable_bytes", "would free", Value::Bytes(freed))
        .fact("counted_seconds", "uses counted for", Value::Seconds(catalog.counted_seconds.floor()));
    let columns = vec![
        Column::new("kind", "finding"),
        Column::new("table", "table"),
        Column::new("index", "index"),
        Column::new("size_bytes", "size"),
        Column::new("evidence", "why"),
        Column::machine("remedy"),
        Column::machine("undo"),
    ];
    let mut table = Table::new("indexes_found", "Nothing is wrong with the indexes.", columns);
    for finding in findings {
        let undo = finding.index.as_ref().and_then(|(oid, _)| made.get(oid)).map(|sql| format!("{sql};"));
        table.push(vec![
            finding.kind.name().into(),
            finding.table.to_string().into(),
            finding.index.as_ref().map(|(_, name)| name.name.to_string()).into(),
            finding.bytes.map_or(Value::None, Value::Bytes),
            finding.evidence.as_str().into(),
            finding.remedy.as_str().into(),
            undo.into(),
        ]);
    }
    document = document.table(table);
    if !findings.is_empty() {
        let lines: Vec<&str> = findings.iter().map(|finding| finding.remedy.as_str()).collect();
        document = document.text("sql", format!("-- to be read, then run:\n{}\n", lines.join("\n")));
    }
    if wish.kinds.contains(&Kind::Unused) && catalog.counted_seconds < limits.min_seconds {
        document = document.note(format!(
            "which indexes are unused is UNKNOWN: uses are counted for {:.1} days only; --min-days 0 tells anyhow",
            catalog.counted_seconds / 86_400.0
        ));
    }
    let outcome = if wish.exit_code && !findings.is_empty() { Outcome::Findings } else { Outcome::Done };
    (outcome, document)
}

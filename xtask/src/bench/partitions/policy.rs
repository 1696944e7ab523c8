//! The policies of the scenes, in dbctl's words and in pg-partsmith's. Knows no server.

use std::fmt::{Display, Formatter, Result};

/// A partitioned table whose key is `created_at`.
#[derive(Debug, Clone)]
pub struct Table {
    /// In schema public.
    pub name: String,
    /// The unit of the grid.
    pub every: &'static str,
    /// Periods after the current one.
    pub ahead: u32,
    /// Periods before the current one; none is for ever.
    pub keep: Option<u32>,
}

/// dbctl's policy.
#[derive(Debug, Default)]
pub struct Policy {
    /// Partitioned tables.
    pub tables: Vec<Table>,
    /// What `expire` says; empty is `drop`.
    pub expire: String,
    /// Whole entries of `archives`.
    pub archives: Vec<String>,
    /// Whole entries of `rows`.
    pub rows: Vec<String>,
    /// Whether there may be a DEFAULT partition.
    pub allow_default: bool,
}

impl Display for Policy {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        writeln!(out, "version: 1\ndefaults:\n  timezone: UTC")?;
        writeln!(out, "  default_partition: {}", if self.allow_default { "allow" } else { "forbid" })?;
        writeln!(out, "  rails: {{ max_drops: 1000, max_drop_fraction: 100%, grace: 0 }}")?;
        let section = |out: &mut Formatter<'_>, name: &str, entries: &[String]| {
            if entries.is_empty() {
                return Ok(());
            }
            writeln!(out, "{name}:")?;
            entries.iter().try_for_each(|entry| writeln!(out, "  {entry}"))
        };
        section(out, "archives", &self.archives)?;
        let tables: Vec<String> = self.tables.iter().map(|table| self.entry(table)).collect();
        section(out, "tables", &tables)?;
        section(out, "rows", &self.rows)
    }
}

impl Policy {
    fn entry(&self, table: &Table) -> String {
        let Table { name, every, ahead, keep } = table;
        let expire = if self.expire.is_empty() { "drop" } else { &self.expire };
        let keep = keep.map_or(String::new(), |keep| format!(", keep: {keep} {every}s, expire: {expire}"));
        format!("public.{name}: {{ key: created_at, every: {every}, ahead: {ahead}{keep} }}")
    }
}

/// pg-partsmith's document.
#[derive(Debug)]
pub struct Document<'a>(pub &'a [Table]);

impl Display for Document<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        writeln!(out, "version: 1\ndefaults: {{ schema: public, partition_column: created_at, tz: UTC }}\ntables:")?;
        for Table { name, every, ahead, keep } in self.0 {
            // Both of its counts include the current period.
            let (ahead, keep) = (ahead + 1, keep.map_or(10_000, |keep| keep + 1));
            writeln!(
                out,
                "  - {{ table_name: {name}, granularity: {every}, create_ahead_count: {ahead}, retention_count: {keep} }}"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_documents_say_the_same() {
        let tables = vec![Table { name: "events".to_owned(), every: "month", ahead: 4, keep: Some(12) }];
        let document = Document(&tables).to_string();
        assert!(document.ends_with("granularity: month, create_ahead_count: 5, retention_count: 13 }\n"), "{document}");
        let policy = Policy { tables, ..Policy::default() }.to_string();
        let entry = "  public.events: { key: created_at, every: month, ahead: 4, keep: 12 months, expire: drop }\n";
        assert!(policy.ends_with(&format!("tables:\n{entry}")), "{policy}");
    }
}

//! Which settings of autovacuum would suit the large tables, as ALTER TABLE of each leaf: a partitioned
//! table takes none. Pure but for its document.

use super::read::{Snapshot, Standing};
use super::{Answer, Request, view};
use crate::outcome::Outcome;
use crate::output::{Column, Table};
use crate::pg::Server;

/// A table with more rows than this waits too long for a share of them.
const LARGE: f64 = 1_000_000.0;
/// So many dead rows are as many as a VACUUM should find at once.
const ROWS: i64 = 100_000;

/// The answer.
pub fn advise(request: &Request, server: &Server, snapshot: &Snapshot) -> Answer {
    let columns = vec![Column::new("table", "table"), Column::new("why", "why"), Column::new("sql", "SQL")];
    let mut advice = Table::new("advice", "the settings suit the tables", columns);
    let named = |t: &&Standing| request.wish.tables.is_empty() || request.wish.tables.contains(&t.table);
    for table in snapshot.tables.iter().filter(|t| !t.parent && !t.catalog).filter(named) {
        for (why, sql) in of(table, snapshot.major) {
            advice.push(vec![table.table.to_string().into(), why.into(), sql.into()]);
        }
    }
    (Outcome::Done, view::head("vacuum.advice", request, server).table(advice))
}

/// What would suit one table.
fn of(table: &Standing, major: u32) -> Vec<(String, String)> {
    let mut advice = Vec::new();
    if !table.enabled {
        advice.push((
            "autovacuum is switched off for it".to_owned(),
            format!("ALTER TABLE {} RESET (autovacuum_enabled)", table.table),
        ));
    }
    if table.tuples > LARGE && table.dead_most > 2.0 * ROWS as f64 {
        let settings = if major >= 18 {
            format!("autovacuum_vacuum_max_threshold = {ROWS}")
        } else {
            format!("autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = {ROWS}")
        };
        advice.push((
            format!("of {:.0} rows, {:.0} may be dead before autovacuum comes", table.tuples, table.dead_most),
            format!("ALTER TABLE {} SET ({settings})", table.table),
        ));
    }
    if table.tuples > LARGE && table.modified_most > 2.0 * ROWS as f64 {
        advice.push((
            format!("of {:.0} rows, {:.0} may change before its statistics do", table.tuples, table.modified_most),
            format!(
                "ALTER TABLE {} SET (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = {ROWS})",
                table.table
            ),
        ));
    }
    advice
}

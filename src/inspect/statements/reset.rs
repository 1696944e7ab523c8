//! Begins the counting anew: the one thing that `dbctl slow-queries` changes.

use super::measure::Measure;
use super::read::{Counts, Extension, Setup};
use crate::error::{Kind, Result};
use crate::inspect::Eye;
use crate::output::{Document, Value};

/// What is lost by it, in sentences.
pub fn stakes(setup: &Setup, counts: &Counts) -> Vec<String> {
    let since = counts.reset_at.map_or_else(String::new, |at| format!(" since {}", at.format("%Y-%m-%d %H:%M:%SZ")));
    vec![format!(
        "the counts of {} statements{since} are lost, for all databases of the server and for everybody who reads \
         them; asked from database {}",
        counts.entries.len(),
        setup.database
    )]
}

/// Forgets what was counted.
///
/// # Errors
/// Not permitted, with the right that is missing; the server's.
pub async fn reset(eye: &Eye, extension: &Extension) -> Result<()> {
    let function = format!("{}.pg_stat_statements_reset()", extension.schema);
    // All its arguments have defaults, in the versions where it has any.
    let sent = eye.session().rows_of(&format!("SELECT FROM {function}")).await;
    let sent = sent.map_err(|e| {
        let failure = e.explain("cannot reset pg_stat_statements");
        if matches!(failure.what(), Kind::NotPermitted) {
            let function = format!("{}.pg_stat_statements_reset({})", extension.schema, arguments(extension));
            return failure.hint(format!("GRANT EXECUTE ON FUNCTION {function} TO this role"));
        }
        failure
    });
    sent.map(|_| ())
}

fn arguments(extension: &Extension) -> &'static str {
    match extension.version.as_str() {
        "1.4" | "1.5" | "1.6" => "",
        _ if extension.columns.contains("stats_since") => "oid, oid, bigint, boolean",
        _ => "oid, oid, bigint",
    }
}

/// What was forgotten, or would be.
pub fn forgotten(setup: &Setup, counts: &Counts, done: bool) -> Document {
    let total: f64 = counts.entries.iter().map(|entry| entry.measures.of(Measure::Total)).sum();
    let document = Document::new("slow_queries.reset", 1)
        .fact("database", "database", setup.database.as_str())
        .fact("statements", "statements", counts.entries.len())
        .fact("total_seconds", "took in all", Value::Seconds(total))
        .fact("since", "counted since", counts.reset_at.map_or(Value::Unknown, Value::from))
        .fact("reset", "reset", done);
    if done { document } else { document.note("nothing was reset") }
}

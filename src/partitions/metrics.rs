//! The state of partitions for the textfile collector of Prometheus' node exporter: the text. Pure.

use chrono::{DateTime, Utc};

use super::check::{Level, Report};
use super::observe::Observed;
use super::read::Snapshot;
use super::status::{TableStatus, is_open};
use crate::ident::TableName;
use crate::output::prometheus::{self, Family, escaped};

/// More tables than this are not written: each is some ten series.
const MOST_TABLES: usize = 500;

const LAST_SUCCESS: &str = "dbctl_partitions_last_success_timestamp_seconds";

/// What the text is made of.
pub struct Measured<'a> {
    /// The database's name.
    pub database: &'a str,
    /// What the catalog says.
    pub snapshot: &'a Snapshot,
    /// How each table stands.
    pub statuses: &'a [Option<TableStatus>],
    /// What check found.
    pub report: &'a Report,
    /// Names of partitions that should have left long ago, by table.
    pub overdue: &'a [(TableName, usize)],
    /// What was read besides.
    pub observed: &'a Observed,
    /// Now.
    pub now: DateTime<Utc>,
    /// A run that ended well just now.
    pub succeeded_at: Option<DateTime<Utc>>,
    /// What an earlier text says of the last success: a run without work leaves no trace in a database.
    pub before: Option<f64>,
}

/// The text.
pub fn text(measured: &Measured<'_>) -> String {
    let database = format!("database=\"{}\"", escaped(measured.database));
    let mut families: Vec<Family> = Vec::new();
    let known: Vec<&TableStatus> = measured.statuses.iter().flatten().take(MOST_TABLES).collect();
    let of = |table: &TableName| {
        format!("{database},table=\"{}\"", escaped(&format!("{}.{}", table.schema.raw(), table.name.raw())))
    };
    let mut each = |name, help, value: &dyn Fn(&TableStatus) -> Option<f64>| {
        let series = known.iter().filter_map(|status| Some((of(&status.table), value(status)?))).collect();
        families.push(Family { name, help, series });
    };
    each("dbctl_partitions_runway_seconds", "How long from now on partitions reach without a gap", &|status| {
        status.runway.is_time.then_some(status.runway.length.round())
    });
    each("dbctl_partitions_runway_ratio", "The runway as a share of what the policy wants ahead", &|status| {
        status.runway.ratio()
    });
    each(
        "dbctl_partitions_partitions",
        "Attached partitions with a range",
        &|status| Some(status.members.len() as f64),
    );
    each("dbctl_partitions_default_rows", "Rows in the DEFAULT partition; left out where unknown", &|status| {
        match &status.default {
            None => Some(0.0),
            Some((_, Ok(rows))) => rows.rows.map(|rows| rows as f64),
            Some((_, Err(_))) => None,
        }
    });
    each("dbctl_partitions_expired_overdue", "Partitions that should have left more than two periods ago", &|status| {
        let found = measured.overdue.iter().find(|(table, _)| *table == status.table);
        Some(found.map_or(0.0, |(_, count)| *count as f64))
    });
    each("dbctl_partitions_pending_detach", "Detaches that were begun and not ended", &|status| {
        Some(status.pending.len() as f64)
    });
    if !measured.snapshot.state.unreadable {
        each("dbctl_partitions_aside", "Partitions on their way out: put aside, or not there yet", &|status| {
            let parent = super::plan::raw(&status.table);
            let rows = measured.snapshot.state.leaving.iter().filter(|row| row.parent == parent && is_open(row));
            Some(rows.count() as f64)
        });
    }
    families.push(Family {
        name: "dbctl_partitions_findings",
        help: "Findings of 'dbctl partitions check' by level",
        series: Level::ALL
            .iter()
            .filter(|level| **level != Level::Ok)
            .map(|level| {
                (
                    format!("{database},level=\"{}\"", level.to_string().to_lowercase()),
                    measured.report.count(*level) as f64,
                )
            })
            .collect(),
    });
    let left_out = measured.statuses.iter().flatten().count() - known.len();
    let of_database = |name, help, value: Option<f64>| Family {
        name,
        help,
        series: value.into_iter().map(|value| (database.clone(), value)).collect(),
    };
    families.extend([
        of_database("dbctl_partitions_tables_left_out", "Tables without series of their own", Some(left_out as f64)),
        of_database(LAST_SUCCESS, "When a 'dbctl partitions rotate' last ended well", last_success(measured)),
        of_database("dbctl_partitions_check_timestamp_seconds", "When this was written", Some(timestamp(measured.now))),
    ]);
    prometheus::text(&families)
}

fn last_success(measured: &Measured<'_>) -> Option<f64> {
    let noted = measured.observed.last_run.as_ref().ok().and_then(|run| run.as_ref()?.good_at);
    let times = [measured.succeeded_at.map(timestamp), noted.map(timestamp), measured.before];
    times.into_iter().flatten().reduce(f64::max)
}

/// What an earlier text says of the last success.
pub fn last_success_in(text: &str, database: &str) -> Option<f64> {
    let start = format!("{LAST_SUCCESS}{{database=\"{}\"}} ", escaped(database));
    text.lines().find_map(|line| line.strip_prefix(&start)?.parse().ok())
}

fn timestamp(at: DateTime<Utc>) -> f64 {
    at.timestamp() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_values_are_escaped_and_the_last_success_is_read_back() {
        let database = "a\"b\\c\nd";
        let text = format!("x 1\n{LAST_SUCCESS}{{database=\"{}\"}} 1790000000\n", escaped(database));
        assert_eq!(text.lines().count(), 2);
        assert_eq!(last_success_in(&text, database), Some(1_790_000_000.0));
        assert_eq!(last_success_in(&text, "a"), None);
    }
}

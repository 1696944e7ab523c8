//! The one line that plugins of the Nagios family print: `PARTITIONS WARNING - what | performance data`
//! (Monitoring Plugins Development Guidelines). Pure.

use super::{Finding, Level, Report, limits};
use crate::output::visible;
use crate::partitions::check::table::overdue;
use crate::partitions::observe::Looked;
use crate::partitions::status::TableStatus;

/// Findings that are told in words.
const TOLD: usize = 5;

/// Tables that have values of their own in the performance data.
const MEASURED: usize = 40;

/// The line.
pub fn line(report: &Report, looked: &[Looked<'_>], statuses: &[Option<TableStatus>]) -> String {
    let bad: Vec<&Finding> = report.findings.iter().filter(|finding| finding.level != Level::Ok).collect();
    let mut text = format!("PARTITIONS {} - ", word(report.level()));
    if bad.is_empty() {
        text.push_str(&format!("{} checks of {} tables are in order", report.checks, statuses.len()));
    } else {
        let counts: Vec<String> = Level::ALL
            .iter()
            .filter(|level| **level != Level::Ok && report.count(**level) > 0)
            .map(|level| format!("{} {}", report.count(*level), word(*level).to_lowercase()))
            .collect();
        let told: Vec<&str> = bad.iter().take(TOLD).map(|finding| finding.message.as_str()).collect();
        text.push_str(&format!("{}: {}", counts.join(", "), told.join("; ")));
        if bad.len() > TOLD {
            text.push_str(&format!("; and {} more", bad.len() - TOLD));
        }
    }
    format!("{} | {}", one_line(&text), performance(report, looked, statuses))
}

/// The line where nothing could be looked at.
pub fn unknown(why: &str) -> String {
    one_line(&format!("PARTITIONS UNKNOWN - {why}"))
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Ok => "OK",
        Level::Warn => "WARNING",
        Level::Unknown => "UNKNOWN",
        Level::Crit => "CRITICAL",
    }
}

/// A bar begins the performance data.
fn one_line(text: &str) -> String {
    visible(text).replace('|', "/")
}

fn performance(report: &Report, looked: &[Looked<'_>], statuses: &[Option<TableStatus>]) -> String {
    let mut values = vec![
        format!("critical={};;0;0", report.count(Level::Crit)),
        format!("warning={};0;;0", report.count(Level::Warn)),
        format!("unknown={};;;0", report.count(Level::Unknown)),
    ];
    for (looked, status) in looked.iter().zip(statuses).take(MEASURED) {
        let (Ok(found), Some(status)) = (&looked.found, status) else { continue };
        let table = label(&format!("{}.{}", status.table.schema.raw(), status.table.name.raw()));
        if let Some(seconds) = status.runway.seconds() {
            let (warn, crit) = limits(&status.runway, looked.entry.runway)
                .map_or_else(Default::default, |(warn, crit)| (format!("{warn:.0}:"), format!("{crit:.0}:")));
            values.push(format!("'{table} runway'={seconds:.0}s;{warn};{crit};0"));
        }
        if let Some((_, Ok(rows))) = &status.default
            && let Some(rows) = rows.rows
        {
            values.push(format!("'{table} default_rows'={rows};;0;0"));
        }
        if let Some(cutoff) = found.plan.cutoff {
            values.push(format!("'{table} expired_overdue'={};0;;0", overdue(&found.set, cutoff, status).len()));
        }
    }
    values.join(" ")
}

/// A label stands in single quotes and must not hold an equals sign.
fn label(text: &str) -> String {
    one_line(text).replace('=', "_").replace('\'', "''")
}

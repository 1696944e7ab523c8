//! Verdicts as an answer: a table, a line for Nagios, metrics for Prometheus, findings for JUnit. Pure.

use chrono::{DateTime, Utc};

use super::judge::Verdict;
use super::registry::{CHECKS, CONN, Unit};
use crate::outcome::Level;
use crate::output::prometheus::{self, Family, escaped};
use crate::output::{self, Column, Document, Finding, Findings, Monitoring, Rule, Table, Value, visible};

/// No more series than this are written.
const MOST_SERIES: usize = 2_000;
/// Values in the performance data of Nagios.
const MOST_VALUES: usize = 60;
/// Findings that the line of Nagios tells in words.
const TOLD: usize = 5;

/// What was found of one database.
#[derive(Debug, Clone)]
pub struct Report {
    /// The target's name.
    pub target: Option<String>,
    /// The database.
    pub database: String,
    /// A verdict a check.
    pub verdicts: Vec<Verdict>,
}

/// The document, and how bad the worst is.
pub fn view(reports: &[Report], now: DateTime<Utc>) -> (Level, Document) {
    let all = || reports.iter().flat_map(|report| report.verdicts.iter().map(move |verdict| (report, verdict)));
    let worst = all().map(|(_, verdict)| verdict.level).max().unwrap_or(Level::Unknown);
    let count = |level: Level| all().filter(|(_, verdict)| verdict.level == level).count();
    let several = reports.len() > 1;
    let mut columns = vec![
        Column::new("level", "level"),
        Column::new("target", "target"),
        Column::machine("database"),
        Column::new("check", "check"),
        Column::new("message", "what"),
        Column::machine("remedy"),
        Column::machine("findings"),
    ];
    columns[1].machine_only = !several;
    let mut checks = Table::new("checks", "No check was asked for.", columns);
    let mut columns =
        vec![Column::new("target", "target"), Column::new("check", "check"), Column::new("remedy", "what to do")];
    columns[0].machine_only = !several;
    let mut remedies = Table::new("remedies", "", columns);
    let columns = vec![
        Column::machine("target"),
        Column::machine("check"),
        Column::machine("metric"),
        Column::machine("object"),
        Column::machine("value"),
        Column::machine("unit"),
        Column::machine("warn"),
        Column::machine("crit"),
    ];
    let mut values = Table::new("values", "", columns);
    let mut rows: Vec<(&Report, &Verdict)> = all().collect();
    rows.sort_by_key(|(_, verdict)| std::cmp::Reverse(verdict.level));
    for (report, verdict) in rows {
        checks.push(vec![
            verdict.level.to_string().into(),
            report.target.clone().into(),
            report.database.as_str().into(),
            verdict.check.into(),
            verdict.message.as_str().into(),
            verdict.remedy.clone().into(),
            verdict.findings.len().into(),
        ]);
        if let Some(remedy) = &verdict.remedy {
            remedies.push(vec![report.target.clone().into(), verdict.check.into(), remedy.as_str().into()]);
        }
        for (measure, unit, _, limits) in &verdict.values {
            values.push(vec![
                report.target.clone().into(),
                verdict.check.into(),
                measure.metric.into(),
                measure.object.clone().into(),
                unit.value(measure.value),
                unit.name().into(),
                limits.warn.map_or(Value::None, |limit| unit.value(limit)),
                limits.crit.map_or(Value::None, |limit| unit.value(limit)),
            ]);
        }
    }
    let mut document = Document::new("check", 1)
        .fact("level", "level", worst.to_string())
        .machine("at", now)
        .machine("ok", count(Level::Ok))
        .machine("warn", count(Level::Warn))
        .machine("unknown", count(Level::Unknown))
        .machine("crit", count(Level::Crit))
        .table(checks);
    document = document.table(remedies).table(values);
    for (report, verdict) in all() {
        for note in &verdict.notes {
            let target = report.target.as_ref().filter(|_| several).map_or(String::new(), |name| format!("{name}: "));
            document = document.note(format!("{target}{}: {note}", verdict.check));
        }
    }
    document.findings = Some(findings(reports));
    document.monitoring = Some(Monitoring { nagios: nagios(reports, worst), prometheus: metrics(reports, now) });
    (worst, document)
}

impl Unit {
    /// A number of it as a value.
    pub fn value(self, number: f64) -> Value {
        match self {
            Unit::Seconds => Value::Seconds(number),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size; saturates")]
            Unit::Bytes => Value::Bytes(number as u64),
            Unit::Percent | Unit::Count => Value::Float(number),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Percent => "percent",
            Unit::Seconds => "seconds",
            Unit::Bytes => "bytes",
            Unit::Count => "count",
        }
    }
}

fn named(report: &Report, verdict: &Verdict, several: bool) -> String {
    match &report.target {
        Some(target) if several => format!("{target} {}", verdict.check),
        _ => verdict.check.to_owned(),
    }
}

fn findings(reports: &[Report]) -> Findings {
    let several = reports.len() > 1;
    let (mut rules, mut found) = (Vec::new(), Vec::new());
    for report in reports {
        for verdict in &report.verdicts {
            let id = named(report, verdict, several);
            let summary = CHECKS.iter().find(|check| check.id == verdict.check).map(|check| check.summary);
            rules.push(Rule { id: id.clone(), summary: summary.unwrap_or("whether the server answers").to_owned() });
            found.extend(verdict.notes.iter().map(|note| Finding {
                message: note.clone(),
                help: None,
                place: None,
                object: Some(report.database.clone()),
                fingerprint: format!("{}/{id}/{note}", report.database),
                rule: id.clone(),
                level: output::Level::Note,
            }));
            let level = match verdict.level {
                Level::Ok => continue,
                Level::Warn => output::Level::Warning,
                Level::Unknown | Level::Crit => output::Level::Error,
            };
            found.push(Finding {
                message: format!("{}: {}", verdict.level, verdict.message),
                help: verdict.remedy.clone(),
                place: None,
                object: Some(report.database.clone()),
                fingerprint: format!("{}/{id}", report.database),
                rule: id,
                level,
            });
        }
    }
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    Findings { by: "check", rules, found }
}

/// `DBCTL WARNING - what | 'check.metric'=value;warn;crit` (Monitoring Plugins Development Guidelines).
fn nagios(reports: &[Report], worst: Level) -> String {
    let several = reports.len() > 1;
    let word = match worst {
        Level::Ok => "OK",
        Level::Warn => "WARNING",
        Level::Unknown => "UNKNOWN",
        Level::Crit => "CRITICAL",
    };
    let all = || reports.iter().flat_map(|report| report.verdicts.iter().map(move |verdict| (report, verdict)));
    let mut bad: Vec<_> = all().filter(|(_, verdict)| verdict.level != Level::Ok).collect();
    bad.sort_by_key(|(_, verdict)| std::cmp::Reverse(verdict.level));
    let told = bad
        .iter()
        .take(TOLD)
        .map(|(report, verdict)| format!("{} {}: {}", verdict.level, named(report, verdict, several), verdict.message));
    let mut said = told.collect::<Vec<_>>().join("; ");
    if bad.len() > TOLD {
        said.push_str(&format!("; and {} more", bad.len() - TOLD));
    }
    if bad.is_empty() {
        let count = all().count();
        said = if count == 1 { "1 check is in order".to_owned() } else { format!("{count} checks are in order") };
    }
    match all().map(|(_, verdict)| verdict.ignored).sum::<usize>() {
        0 => {}
        1 => said.push_str("; 1 finding is ignored"),
        ignored => said.push_str(&format!("; {ignored} findings are ignored")),
    }
    let mut data = Vec::new();
    for (report, verdict) in all() {
        // One value a metric, the worst: plugins' labels should not come and go.
        let mut seen: Vec<&str> = Vec::new();
        for (measure, ..) in &verdict.values {
            if seen.contains(&measure.metric) || data.len() >= MOST_VALUES {
                continue;
            }
            seen.push(measure.metric);
            let of_metric = verdict.values.iter().filter(|(other, ..)| other.metric == measure.metric);
            let far = |lower: bool, value: f64| if lower { -value } else { value };
            let Some((worst, unit, lower, limits)) =
                of_metric.max_by(|a, b| far(a.2, a.0.value).total_cmp(&far(b.2, b.0.value)))
            else {
                continue;
            };
            let unit = match unit {
                Unit::Percent => "%",
                Unit::Seconds => "s",
                Unit::Bytes => "B",
                Unit::Count => "",
            };
            let range = |limit: Option<f64>| {
                limit.map_or(String::new(), |limit| {
                    format!("{}{}", prometheus::number(limit), if *lower { ":" } else { "" })
                })
            };
            let label = one_line(&format!("{}.{}", named(report, verdict, several), measure.metric));
            data.push(format!(
                "'{}'={}{unit};{};{};0",
                label.replace('=', "_").replace('\'', "''"),
                prometheus::number(worst.value),
                range(limits.warn),
                range(limits.crit)
            ));
        }
    }
    format!("{} | {}", one_line(&format!("DBCTL {word} - {said}")), data.join(" "))
}

/// A bar begins the performance data.
fn one_line(text: &str) -> String {
    visible(text).replace('|', "/")
}

fn metrics(reports: &[Report], now: DateTime<Utc>) -> String {
    let mut status = Family { name: "dbctl_check_status", help: "0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN", series: Vec::new() };
    let mut value = Family {
        name: "dbctl_check_value",
        help: "What a check measured: seconds, bytes, percent or a count",
        series: Vec::new(),
    };
    let mut run =
        Family { name: "dbctl_last_run_timestamp_seconds", help: "When the checks were made", series: Vec::new() };
    #[expect(clippy::cast_precision_loss, reason = "a time and a count")]
    let (at, mut dropped) = (now.timestamp() as f64, 0_usize);
    let room = MOST_SERIES.saturating_sub(reports.iter().map(|report| report.verdicts.len() + 2).sum());
    for report in reports {
        let target = report.target.as_ref().map_or(String::new(), |name| format!("target=\"{}\",", escaped(name)));
        let place = format!("{target}database=\"{}\"", escaped(&report.database));
        run.series.push((place.clone(), at));
        for verdict in &report.verdicts {
            let check = format!("{place},check=\"{}\"", verdict.check);
            status.series.push((check.clone(), f64::from(verdict.level.outcome().code())));
            let mut seen = std::collections::BTreeSet::new();
            for (measure, ..) in &verdict.values {
                let object = measure.object.as_deref().unwrap_or_default();
                if !seen.insert((measure.metric, object)) {
                    continue;
                }
                if value.series.len() >= room {
                    dropped += 1;
                    continue;
                }
                let labels = format!("{check},metric=\"{}\",object=\"{}\"", measure.metric, escaped(object));
                value.series.push((labels, measure.value));
            }
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let left_out = Family {
        name: "dbctl_check_series_dropped",
        help: "Values that have no series, as there would be too many",
        series: vec![(format!("check=\"{CONN}\""), dropped as f64)],
    };
    prometheus::text(&[status, value, left_out, run])
}

#[cfg(test)]
mod tests {
    use super::super::measure::Measure;
    use super::super::registry::Limits;
    use super::*;

    #[test]
    fn there_are_never_more_series_than_agreed_and_those_left_out_are_counted() {
        let value = |number: i32| {
            let object = Some(format!("public.\"t {number}\""));
            let measure = Measure { metric: "overdue", object, value: 1.0, said: String::new(), remedy: None };
            (measure, Unit::Count, false, Limits::default())
        };
        let verdict = Verdict {
            check: "autovacuum",
            level: Level::Ok,
            message: "a | b\nc".to_owned(),
            remedy: None,
            findings: Vec::new(),
            values: (0..10_000).map(value).collect(),
            ignored: 0,
            notes: Vec::new(),
        };
        let report = Report { target: Some("a\"b".to_owned()), database: "app".to_owned(), verdicts: vec![verdict] };
        let (level, document) = view(&[report], DateTime::<Utc>::UNIX_EPOCH);
        assert_eq!(level, Level::Ok);
        let monitoring = document.monitoring.unwrap();
        let series: Vec<&str> = monitoring.prometheus.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(series.len(), MOST_SERIES);
        assert!(
            monitoring.prometheus.contains("dbctl_check_series_dropped{check=\"conn\"} 8003\n"),
            "{}",
            series[1999]
        );
        assert!(series[0].starts_with("dbctl_check_status{target=\"a\\\"b\",database=\"app\",check=\"autovacuum\"} 0"));
        assert_eq!(monitoring.nagios, "DBCTL OK - 1 check is in order | 'autovacuum.overdue'=1;;;0");
    }
}

//! From values to verdicts: thresholds, their exceptions, what is ignored. Pure.

use chrono::NaiveDate;

use super::measure::{Measure, Measured};
use super::registry::{Check, Limits, Metric, Unit};
use super::settings::Settings;
use crate::inspect::vitals::Part;
use crate::outcome::Level;

/// How a check went.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Which.
    pub check: &'static str,
    /// How bad.
    pub level: Level,
    /// What.
    pub message: String,
    /// What to do.
    pub remedy: Option<String>,
    /// What was found, the worst first.
    pub findings: Vec<(Level, Measure)>,
    /// Every value with its thresholds, the worst first.
    pub values: Vec<(Measure, Unit, bool, Limits)>,
    /// How many more there would be, were they not ignored.
    pub ignored: usize,
    /// What is ignored, and why.
    pub notes: Vec<String>,
}

/// Judges what a check measured in a database.
pub fn judge(
    check: &'static Check,
    measured: Part<Measured>,
    settings: &Settings,
    database: &str,
    today: NaiveDate,
) -> Verdict {
    let mut verdict = Verdict {
        check: check.id,
        level: Level::Ok,
        message: String::new(),
        remedy: None,
        findings: Vec::new(),
        values: Vec::new(),
        ignored: 0,
        notes: Vec::new(),
    };
    let measured = match measured {
        Ok(measured) => measured,
        Err(why) => return Verdict { level: Level::Unknown, message: why, ..verdict },
    };
    for measure in measured.values {
        let Some(metric) = check.metric(measure.metric) else { continue };
        let limits = settings.limits(check, metric, database, measure.object.as_deref());
        let level = level(metric, limits, measure.value);
        verdict.values.push((measure.clone(), metric.unit, metric.lower, limits));
        if level == Level::Ok {
            continue;
        }
        match settings.ignored(check.id, database, measure.object.as_deref()) {
            Some(ignore) if ignore.until.is_none_or(|until| until >= today) => {
                verdict.ignored += 1;
                verdict.notes.push(format!("{} is ignored: {} ({})", measure.said, ignore.reason, ignore.origin));
            }
            ignore => {
                if let Some(ignore) = ignore {
                    let until = ignore.until.map(|until| until.to_string()).unwrap_or_default();
                    verdict.notes.push(format!("{} was ignored until {until} ({})", measure.said, ignore.origin));
                }
                verdict.findings.push((level, measure));
            }
        }
    }
    verdict.findings.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
    let worst = verdict.findings.first().cloned();
    match (worst, measured.unknown) {
        (Some((level, worst)), unknown) => {
            let more = verdict.findings.len() - 1;
            verdict.message = if more > 0 { format!("{}; and {more} more", worst.said) } else { worst.said };
            verdict.remedy = Some(worst.remedy.unwrap_or_else(|| check.remedy.to_owned()));
            verdict.level = level;
            if let Some(unknown) = unknown {
                verdict.level = level.max(Level::Unknown);
                verdict.message.push_str(&format!("; {unknown}"));
            }
        }
        (None, Some(unknown)) => (verdict.level, verdict.message) = (Level::Unknown, unknown),
        (None, None) if verdict.notes.is_empty() => verdict.message = measured.fine,
        (None, None) => verdict.message = format!("nothing but what is ignored ({})", verdict.notes.len()),
    }
    verdict
}

fn level(metric: &Metric, limits: Limits, value: f64) -> Level {
    let beyond =
        |limit: Option<f64>| limit.is_some_and(|limit| if metric.lower { value < limit } else { value > limit });
    match (beyond(limits.crit), beyond(limits.warn)) {
        (true, _) => Level::Crit,
        (false, true) => Level::Warn,
        (false, false) => Level::Ok,
    }
}

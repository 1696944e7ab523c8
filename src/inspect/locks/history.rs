//! Moments kept in a file, one JSON object a line, and shown again.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::forest::grow;
use super::sample::{Sample, VERSION};
use super::view::{self, Limits};
use crate::error::{Explain, Failure, Kind, Result};
use crate::inspect::Eye;
use crate::outcome::Outcome;
use crate::output::{Column, Document, Section, Table, Value};
use crate::pg::Interrupt;

/// How a history is taken.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// From one moment to the next.
    pub every: Duration,
    /// How long altogether; without end for none.
    pub total: Option<Duration>,
    /// Values are taken out of query texts.
    pub redact: bool,
}

/// Adds a moment a line to a file, which nobody else may read, until the time is over.
///
/// # Errors
/// The server's, the file's, and a signal's.
pub async fn keep(eye: &Eye, path: &Path, pace: Pace, interrupt: &Interrupt) -> Result<(Outcome, Document)> {
    let doing = format!("cannot write {}", path.display());
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).explain(Kind::Failed, &doing)?;
    let begun = Instant::now();
    let (mut samples, mut most) = (0_usize, 0_usize);
    loop {
        let mut sample = super::read(eye, &[]).await?;
        if pace.redact {
            sample.redact();
        }
        samples += 1;
        most = most.max(grow(&sample).blockers.len());
        let line = format!("{}\n", serde_json::to_string(&sample)?);
        file.write_all(line.as_bytes()).explain(Kind::Failed, &doing)?;
        if pace.total.is_some_and(|total| begun.elapsed() + pace.every > total) {
            break;
        }
        interrupt.sleep(pace.every).await?;
    }
    let document = Document::new("locks.history", 1)
        .fact("file", "written to", path.display().to_string())
        .fact("samples", "samples", samples)
        .fact("most_waiting", "most waiting", most);
    Ok((Outcome::Done, document))
}

/// Shows a history: stretches with the same roots, then the moment at which most waited.
///
/// # Errors
/// For a file that cannot be read or is none; a last line that was not finished is left out.
pub fn replay(path: &Path, redact: bool, limits: Limits) -> Result<(Outcome, Document)> {
    let samples = open(path)?;
    let columns = vec![
        Column::new("from", "from"),
        Column::new("to", "to"),
        Column::new("samples", "samples"),
        Column::new("waiting", "waiting"),
        Column::new("longest_wait_seconds", "longest"),
        Column::new("roots", "roots"),
    ];
    let mut table = Table::new("stretches", "Nobody waited for a lock.", columns);
    let mut worst: Option<(usize, &Sample)> = None;
    let mut stretch: Option<(Vec<String>, Vec<Value>)> = None;
    for sample in &samples {
        let forest = grow(sample);
        let waiting = forest.blockers.len();
        let roots: Vec<String> = forest.tops().iter().map(|who| view::name(sample, *who)).collect();
        let longest = forest.wanted.values().filter_map(|at| sample.locks[*at].wait_seconds).fold(0.0, f64::max);
        if worst.is_none_or(|(most, _)| waiting > most) {
            worst = Some((waiting, sample));
        }
        match &mut stretch {
            Some((same, row)) if *same == roots => {
                row[1] = sample.at.into();
                if let Value::Int(count) = &mut row[2] {
                    *count += 1;
                }
                if matches!(row[3], Value::Int(most) if most < i64::try_from(waiting)?) {
                    row[3] = waiting.into();
                }
                if matches!(row[4], Value::Seconds(most) if most < longest) {
                    row[4] = Value::Seconds(longest);
                }
            }
            _ => {
                let row = vec![
                    sample.at.into(),
                    sample.at.into(),
                    1_i64.into(),
                    waiting.into(),
                    Value::Seconds(longest),
                    Value::List(roots.clone()),
                ];
                if let Some((_, row)) = stretch.replace((roots, row)) {
                    table.push(row);
                }
            }
        }
    }
    if let Some((_, row)) = stretch {
        table.push(row);
    }
    table.rows.retain(|row| !matches!(row[3], Value::Int(0)));
    let mut document = Document::new("locks.replay", 1).fact("samples", "samples", samples.len()).table(table);
    if let Some((_, sample)) = worst.filter(|(waiting, _)| *waiting > 0) {
        let mut sample = sample.clone();
        if redact {
            sample.redact();
        }
        document = document.fact("worst_at", "the worst at", sample.at);
        let (_, moment) = view::view(&sample, limits);
        document.sections.extend(moment.sections.into_iter().filter(|section| matches!(section, Section::Tree(_))));
        document.notes = moment.notes;
    }
    Ok((Outcome::Done, document))
}

fn open(path: &Path) -> Result<Vec<Sample>> {
    let file = std::fs::File::open(path).explain(Kind::Invalid, format!("cannot read {}", path.display()))?;
    let lines = BufReader::new(file).lines().collect::<std::io::Result<Vec<String>>>();
    let lines = lines.explain(Kind::Invalid, format!("cannot read {}", path.display()))?;
    let mut samples = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let place = format!("{}:{}", path.display(), index + 1);
        match serde_json::from_str::<Sample>(line) {
            Ok(sample) if sample.version == VERSION => samples.push(sample),
            Ok(sample) => {
                let version = sample.version;
                return Err(Failure::new(Kind::Invalid, format!("{place}: version {version} is not known")));
            }
            Err(error) if index + 1 == lines.len() && error.is_eof() => {}
            Err(error) => {
                return Err(Failure::new(
                    Kind::Invalid,
                    format!("{place}: not a line of 'dbctl locks --history': {error}"),
                ));
            }
        }
    }
    Ok(samples)
}

//! Whole processes measured in turn, A B C, B C A, ...: what slows the machine down slows all of
//! them, and a ratio of two neighbours stays right where a time does not. Knows no program by name.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};

use crate::process::{line, program};

/// One program in a comparison.
pub struct Case<'a> {
    /// As the table calls it.
    pub name: String,
    /// What is run and timed.
    pub command: Box<dyn Fn() -> Command + 'a>,
    /// What is done before each run, not timed.
    pub before: Box<dyn Fn() -> Result<()> + 'a>,
    /// Whether the run did its work, not timed.
    pub check: Box<dyn Fn() -> Result<()> + 'a>,
}

impl<'a> Case<'a> {
    /// A case that needs no preparation and leaves nothing to look at.
    pub fn new(name: impl Into<String>, command: impl Fn() -> Command + 'a) -> Case<'a> {
        Case { name: name.into(), command: Box::new(command), before: Box::new(|| Ok(())), check: Box::new(|| Ok(())) }
    }
}

/// One run of one program.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// From start to end.
    pub wall: Duration,
    /// User and system time of the process and the children that it waited for; never the server's.
    pub cpu: Duration,
}

/// All runs of one program.
pub struct Series {
    /// As the table calls it.
    pub name: String,
    /// By round.
    pub samples: Vec<Sample>,
    /// The most memory it ever held, in MiB, where that could be measured.
    pub peak: Option<f64>,
    /// Why it takes no part (any more).
    pub failed: Option<String>,
}

/// Runs every case once uncounted (which also measures its memory) and then `rounds` times in turn.
/// A case that fails is left out from there on, and says why.
pub fn compare(cases: &[Case<'_>], rounds: usize, scratch: &Path) -> Vec<Series> {
    let gauge = Gauge::find(scratch);
    let empty = |case: &Case<'_>| Series { name: case.name.clone(), samples: Vec::new(), peak: None, failed: None };
    let mut all: Vec<Series> = cases.iter().map(empty).collect();
    for round in 0..=rounds {
        for turn in 0..cases.len() {
            let at = (turn + round) % cases.len();
            let (case, series) = (&cases[at], &mut all[at]);
            if series.failed.is_some() {
                continue;
            }
            let done = match (round, &gauge) {
                (0, Some(gauge)) => one(case, |command| gauge.peak(command)).map(|peak| series.peak = Some(peak)),
                (0, None) => one(case, time).map(drop),
                _ => one(case, time).map(|sample| series.samples.push(sample)),
            };
            if let Err(error) = done {
                eprintln!("{}: {error:#}", series.name);
                series.failed = Some(format!("{error:#}"));
            }
        }
    }
    all
}

fn one<T>(case: &Case<'_>, measure: impl FnOnce(Command) -> Result<T>) -> Result<T> {
    (case.before)()?;
    let measured = measure((case.command)())?;
    (case.check)()?;
    Ok(measured)
}

fn time(mut command: Command) -> Result<Sample> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let before = children()?;
    let begun = Instant::now();
    let status = command.status().with_context(|| format!("cannot run {}", line(&command)))?;
    let wall = begun.elapsed();
    let cpu = children()?.saturating_sub(before);
    if !status.success() {
        bail!("{}: {status}", line(&command));
    }
    Ok(Sample { wall, cpu })
}

/// What the children that were waited for have used up to now. One child at a time is measured, so
/// the difference is its own.
fn children() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let of = |time: nix::sys::time::TimeVal| {
        Duration::from_secs(time.tv_sec().unsigned_abs()) + Duration::from_micros(time.tv_usec().unsigned_abs())
    };
    Ok(of(usage.user_time()) + of(usage.system_time()))
}

/// GNU time, which is small: a process started from here would count our own memory as its peak.
pub struct Gauge {
    program: PathBuf,
    note: PathBuf,
}

impl Gauge {
    /// None where GNU time is not installed.
    pub fn find(scratch: &Path) -> Option<Gauge> {
        let program_path = PathBuf::from("/usr/bin/time");
        let said = Command::new(&program_path).arg("--version").output().ok()?;
        let text = [said.stdout, said.stderr].concat();
        String::from_utf8_lossy(&text)
            .contains("GNU")
            .then(|| Gauge { program: program_path, note: scratch.join(format!("peak-{}", std::process::id())) })
    }

    /// Runs the command and says how much memory it held at most, in MiB.
    fn peak(&self, command: Command) -> Result<f64> {
        let mut gauged = program(&self.program);
        gauged.args(["-q", "-f", "%M", "-o"]).arg(&self.note).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => gauged.env(name, value),
                None => gauged.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            gauged.current_dir(folder);
        }
        let status = gauged.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        if !status.success() {
            bail!("{}: {status}", line(&command));
        }
        let kilobytes: f64 = std::fs::read_to_string(&self.note)?.trim().parse().context("GNU time's answer")?;
        Ok(kilobytes / 1024.0)
    }
}

/// Median, least and most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The one in the middle; the mean of two where there is none.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
}

impl Spread {
    /// None of nothing.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median =
            if values.len().is_multiple_of(2) { (values[middle - 1] + values[middle]) / 2.0 } else { values[middle] };
        Some(Spread { median, least, most })
    }
}

impl Series {
    /// Wall time in milliseconds.
    pub fn wall(&self) -> Option<Spread> {
        Spread::of(self.samples.iter().map(|sample| milliseconds(sample.wall)))
    }

    /// CPU time in milliseconds.
    pub fn cpu(&self) -> Option<Spread> {
        Spread::of(self.samples.iter().map(|sample| milliseconds(sample.cpu)))
    }

    /// How often the other's wall time, round by round.
    pub fn times(&self, other: &Series) -> Option<Spread> {
        let both = self.samples.iter().zip(&other.samples);
        Spread::of(both.map(|(own, other)| own.wall.as_secs_f64() / other.wall.as_secs_f64()))
    }
}

/// As a number with fractions.
pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Some(Spread { median: 2.0, least: 1.0, most: 3.0 }));
        assert_eq!(Spread::of([4.0, 1.0]), Some(Spread { median: 2.5, least: 1.0, most: 4.0 }));
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn a_ratio_is_taken_round_by_round() {
        let series = |walls: [u64; 3]| Series {
            name: String::new(),
            samples: walls.map(|ms| Sample { wall: Duration::from_millis(ms), cpu: Duration::ZERO }).to_vec(),
            peak: None,
            failed: None,
        };
        // The machine was ten times slower in the second round; the ratio does not show it.
        let ratio = series([20, 200, 20]).times(&series([10, 100, 10]));
        assert_eq!(ratio, Some(Spread { median: 2.0, least: 2.0, most: 2.0 }));
    }

    #[test]
    fn a_failing_program_is_left_out_and_the_others_go_on() {
        let scratch = std::env::temp_dir();
        let cases = [Case::new("good", || Command::new("true")), Case::new("bad", || Command::new("false"))];
        let all = compare(&cases, 2, &scratch);
        assert_eq!((all[0].samples.len(), all[0].failed.is_none()), (2, true));
        assert_eq!((all[1].samples.len(), all[1].failed.is_some()), (0, true));
    }
}

//! What a run uses, and why: flag > variable > config file > default.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::duration::parse_duration;
use super::env::Env;
use super::file::{self, ConfigFile, Defaults, Written};
use super::target::{Target, Wanted, choose};
use super::{Secret, variables};
use crate::error::{Failure, Kind, Result};
use crate::output::{Color, Format, visible};

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag,
    /// This environment variable.
    Variable(&'static str),
    /// The config file.
    File {
        /// Its path.
        path: PathBuf,
        /// Counted from 1.
        line: Option<usize>,
    },
    /// Nobody chose it.
    Default,
}

/// `flag`, `DBCTL_FORMAT`, `dbctl.yaml:12`, `default`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag => f.write_str("flag"),
            Origin::Variable(name) => f.write_str(name),
            Origin::File { path, line: Some(line) } => write!(f, "{}:{line}", path.display()),
            Origin::File { path, line: None } => write!(f, "{}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

/// The global flags as they were given; what was not given stays empty.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the flags of the same names; Settings documents them")]
pub struct Overrides {
    pub config: Option<PathBuf>,
    pub database_url: Option<Secret>,
    pub wanted: Wanted,
    pub lock_timeout: Option<Duration>,
    pub lock_patience: Option<Duration>,
    pub statement_timeout: Option<Duration>,
    pub lock_wait: Option<Duration>,
    pub jobs: Option<u32>,
    pub format: Option<Format>,
    pub color: Option<Color>,
    pub no_progress: bool,
}

/// What a run uses.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long one attempt at a lock may take.
    pub lock_timeout: Setting<Duration>,
    /// How long all attempts at a lock may take together.
    pub lock_patience: Setting<Duration>,
    /// How long one statement may take; zero is no limit.
    pub statement_timeout: Setting<Duration>,
    /// How long to wait for another run of dbctl to end.
    pub lock_wait: Setting<Duration>,
    /// How many connections work at once, at least 1.
    pub jobs: Setting<u32>,
    /// How answers are printed.
    pub format: Setting<Format>,
    /// Whether answers are coloured.
    pub color: Setting<Color>,
    /// Whether progress is drawn (on a terminal).
    pub progress: Setting<bool>,
    /// Which targets are meant; empty means [`Settings::conninfo`].
    pub wanted: Setting<Wanted>,
    /// The database that is meant when no target is; none connects as psql does without arguments.
    pub conninfo: Setting<Option<Secret>>,
    /// The config file, where there is one.
    pub file: Option<ConfigFile>,
    /// What the user should know: misspelt variables, readable passwords. A line each, for standard error.
    pub notes: Vec<String>,
}

impl Settings {
    /// Reads the config file and the variables. `cwd` is the folder in which `dbctl.yaml` is looked for
    /// (an empty path is the working folder, and gives messages with the shorter path). Fails as usage
    /// error on a variable or flags that make no sense, as invalid on the file.
    pub fn resolve(flags: &Overrides, env: &Env, cwd: &Path) -> Result<Settings> {
        let asked_for = flags.config.as_deref().or_else(|| env.get("DBCTL_CONFIG").map(Path::new));
        let file = file::find(asked_for, cwd, env).map(|path| ConfigFile::open(&path, env)).transpose()?;
        Settings::with_file(flags, env, file)
    }

    /// Like [`Settings::resolve`], the config file being read already.
    pub fn with_file(flags: &Overrides, env: &Env, file: Option<ConfigFile>) -> Result<Settings> {
        let mut notes = variables::warnings(env);
        notes.extend(file.iter().flat_map(|file| file.notes.clone()));

        let unset = Defaults::default();
        let defaults = file.as_ref().map_or(&unset, |file| &file.defaults);
        let pick = Pick { env, path: file.as_ref().map(ConfigFile::path) };
        let duration = |flag, name, written, default| pick.one(flag, name, parse_duration, written, default);
        let seconds = Duration::from_secs;
        let (wanted, conninfo) = pick.databases(flags)?;
        Ok(Settings {
            lock_timeout: duration(flags.lock_timeout, "DBCTL_LOCK_TIMEOUT", defaults.lock_timeout, seconds(3))?,
            lock_patience: duration(flags.lock_patience, "DBCTL_LOCK_PATIENCE", defaults.lock_patience, seconds(120))?,
            statement_timeout: duration(
                flags.statement_timeout,
                "DBCTL_STATEMENT_TIMEOUT",
                defaults.statement_timeout,
                Duration::ZERO,
            )?,
            lock_wait: duration(flags.lock_wait, "DBCTL_LOCK_WAIT", defaults.lock_wait, seconds(60))?,
            jobs: pick.without_variable(flags.jobs, defaults.jobs, 1),
            format: pick.one(flags.format, "DBCTL_FORMAT", str::parse, defaults.format, Format::Table)?,
            color: pick.one(flags.color, "DBCTL_COLOR", str::parse, defaults.color, Color::Auto)?,
            progress: pick.one(
                flags.no_progress.then_some(false),
                "DBCTL_NO_PROGRESS",
                |text| yes_or_no(text).map(|no_progress| !no_progress),
                defaults.progress,
                true,
            )?,
            wanted,
            conninfo,
            file,
            notes,
        })
    }

    /// How long one attempt at a lock takes: never without end, never longer than all attempts together.
    ///
    /// # Errors
    /// Usage for a lock_timeout of 0, with which everybody would queue behind us without end.
    pub fn lock_attempt(&self) -> Result<Duration> {
        let (timeout, patience) = (self.lock_timeout.value, self.lock_patience.value);
        if timeout.is_zero() {
            return Err(Failure::new(
                Kind::Usage,
                "a lock_timeout of 0 would wait, and keep others waiting, without end",
            )
            .hint("a short one that is tried again keeps nobody waiting: --lock-timeout 3s --lock-patience 10min"));
        }
        Ok(if patience.is_zero() { timeout } else { timeout.min(patience) })
    }

    /// The databases to work on where a section of the file names some: those, unless a flag or variable names others.
    ///
    /// # Errors
    /// As [`Settings::targets`].
    pub fn targets_or(&self, named: &[String]) -> Result<Vec<Target>> {
        if named.is_empty() || !self.wanted.value.is_empty() || self.conninfo.value.is_some() {
            return self.targets();
        }
        let value = Wanted { names: named.to_vec(), ..Wanted::default() };
        Settings { wanted: Setting { value, ..self.wanted.clone() }, ..self.clone() }.targets()
    }

    /// The databases to work on, at least one. Fails as usage error on an unknown name or tag, as invalid
    /// when a target refers to a variable that is not set.
    pub fn targets(&self) -> Result<Vec<Target>> {
        self.each_target()?.into_iter().map(|(_, target)| target).collect()
    }

    /// The same, each with its name, for who goes on with the others when one is invalid.
    pub fn each_target(&self) -> Result<Vec<(Option<String>, Result<Target>)>> {
        if self.wanted.value.is_empty() {
            return Ok(vec![(None, Ok(Target::unnamed(self.conninfo.value.clone())))]);
        }
        let Some(file) = &self.file else {
            return Err(Failure::new(Kind::Usage, "there is no config file that could name targets")
                .hint("'dbctl init' writes a sample; --config FILE or DBCTL_CONFIG names another"));
        };
        let known: Vec<(&str, &[String])> = file.targets.iter().map(|t| (t.name.as_str(), t.tags())).collect();
        let chosen = choose(&self.wanted.value, &known).map_err(|failure| match &self.wanted.origin {
            Origin::Variable(name) => failure.hint(format!("the name comes from the variable {name}")),
            _ => failure,
        })?;
        let name = |index: usize| known.get(index).map(|(name, _)| (*name).to_owned());
        Ok(chosen.into_iter().map(|index| (name(index), file.target(index))).collect())
    }
}

/// Looks at one source after the other.
struct Pick<'a> {
    env: &'a Env,
    path: Option<&'a Path>,
}

impl Pick<'_> {
    fn one<T: Copy>(
        &self,
        flag: Option<T>,
        variable: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
        written: Option<Written<T>>,
        default: T,
    ) -> Result<Setting<T>> {
        match (flag, self.env.get(variable)) {
            (None, Some(text)) => {
                let value = parse(text).map_err(|why| Failure::new(Kind::Usage, format!("{variable}: {why}")))?;
                Ok(Setting { value, origin: Origin::Variable(variable) })
            }
            _ => Ok(self.without_variable(flag, written, default)),
        }
    }

    fn without_variable<T: Copy>(&self, flag: Option<T>, written: Option<Written<T>>, default: T) -> Setting<T> {
        match (flag, written) {
            (Some(value), _) => Setting { value, origin: Origin::Flag },
            (None, Some(Written { value, line })) => {
                let path = self.path.unwrap_or(Path::new("")).to_owned();
                Setting { value, origin: Origin::File { path, line } }
            }
            (None, None) => Setting { value: default, origin: Origin::Default },
        }
    }

    /// `--target`, `--tag`, `--all-targets` or `--database-url`; else DBCTL_TARGET; else DATABASE_URL; else
    /// what psql would connect to. A flag for the one beats a variable for the other.
    fn databases(&self, flags: &Overrides) -> Result<(Setting<Wanted>, Setting<Option<Secret>>)> {
        let unused = || Setting { value: Wanted::default(), origin: Origin::Default };
        match (flags.wanted.is_empty(), &flags.database_url) {
            (false, Some(_)) => {
                return Err(Failure::new(Kind::Usage, "--database-url and --target exclude each other")
                    .hint("a URL is a target of its own: drop one of the two"));
            }
            (false, None) => {
                let wanted = Setting { value: flags.wanted.clone(), origin: Origin::Flag };
                return Ok((wanted, Setting { value: None, origin: Origin::Default }));
            }
            (true, Some(url)) => return Ok((unused(), Setting { value: Some(url.clone()), origin: Origin::Flag })),
            (true, None) => {}
        }
        if let Some(names) = self.env.get("DBCTL_TARGET") {
            let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
            if names.iter().any(String::is_empty) {
                let text = format!("DBCTL_TARGET: '{}' has an empty name", visible(&names.join(",")));
                return Err(Failure::new(Kind::Usage, text).hint("write it like DBCTL_TARGET=dev,prod"));
            }
            let wanted =
                Setting { value: Wanted { names, ..Wanted::default() }, origin: Origin::Variable("DBCTL_TARGET") };
            return Ok((wanted, Setting { value: None, origin: Origin::Default }));
        }
        let url = self.env.get("DATABASE_URL").map(Secret::new);
        let origin = if url.is_some() { Origin::Variable("DATABASE_URL") } else { Origin::Default };
        Ok((unused(), Setting { value: url, origin }))
    }
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("'{}' is neither 1 nor 0", visible(text))),
    }
}

#[cfg(test)]
mod tests;

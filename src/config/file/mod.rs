//! `dbctl.yaml`: where it is found and what may stand in it. Knows the file's shape; does not know
//! flags or variables other than those it refers to.

mod backup;
mod checks;
mod drift;
mod lint;
mod maintain;
mod target;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use backup::{FileBackup, parse_zone};
pub use drift::{Drift, DriftCheck, Ignore};
pub use lint::FileLint;
pub use maintain::Job;
pub use target::FileTarget;

use super::duration::parse_duration;
use super::env::Env;
use super::target::Target;
use super::yaml::{Field, Finding, Reader, Source};
use crate::error::{Failure, Kind, Result};
use crate::output::{Color, Format, visible};

const KEYS: &[&str] = &["targets", "defaults", "migrate", "drift", "checks", "maintain", "backup"];
const DEFAULT_KEYS: &[&str] =
    &["lock_timeout", "lock_patience", "statement_timeout", "lock_wait", "jobs", "format", "color", "progress"];

/// What a config file says.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    /// The targets in the file's order; names are unique.
    pub targets: Vec<FileTarget>,
    /// Settings for all commands.
    pub defaults: Defaults,
    /// `migrate.drift_check`, where a target has none of its own.
    pub drift_check: Option<Written<DriftCheck>>,
    /// What of a schema is not compared.
    pub drift: Drift,
    /// How migrations are linted.
    pub lint: FileLint,
    /// Thresholds of checks.
    pub checks: crate::check::Settings,
    /// Jobs with names.
    pub maintain: Vec<Job>,
    /// Where backups lie and which are kept.
    pub backup: FileBackup,
    /// What the user should know, such as a password that others can read.
    pub notes: Vec<String>,
    source: Source,
}

/// A setting with its line in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written<T> {
    /// The value.
    pub value: T,
    /// Counted from 1.
    pub line: Option<usize>,
}

/// The `defaults` of a file.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of Settings, which documents them")]
pub struct Defaults {
    pub lock_timeout: Option<Written<Duration>>,
    pub lock_patience: Option<Written<Duration>>,
    pub statement_timeout: Option<Written<Duration>>,
    pub lock_wait: Option<Written<Duration>>,
    pub jobs: Option<Written<u32>>,
    pub format: Option<Written<Format>>,
    pub color: Option<Written<Color>>,
    pub progress: Option<Written<bool>>,
}

/// The file to read: the one asked for (which must exist), else `dbctl.yaml` in the working folder `cwd`,
/// else `dbctl/dbctl.yaml` in XDG_CONFIG_HOME or `~/.config`, else none.
pub fn find(asked_for: Option<&Path>, cwd: &Path, env: &Env) -> Option<PathBuf> {
    if let Some(path) = asked_for {
        return Some(path.to_owned());
    }
    let of_user = env.get("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| Some(env.home()?.join(".config")));
    let here = cwd.join("dbctl.yaml");
    if here.exists() {
        return Some(here);
    }
    of_user.map(|folder| folder.join("dbctl/dbctl.yaml")).filter(|path| path.exists())
}

impl ConfigFile {
    /// Reads a file. Everything that is wrong in it is reported at once, as invalid; a variable that is not
    /// set matters only for the target that refers to it.
    pub fn open(path: &Path, env: &Env) -> Result<ConfigFile> {
        let mut file = ConfigFile::read(Source::open(path)?, env)?;
        if file.targets.iter().any(|target| target.holds_password) && others_can_read(path) {
            let shown = visible(&path.display().to_string());
            file.notes.push(format!(
                "{shown} holds a password and other users can read it: chmod 600 {shown}, or write ${{PGPASSWORD}} in its place, or use a password file (passfile)"
            ));
        }
        Ok(file)
    }

    /// The contents of a file, without asking who else can read it.
    pub fn read(source: Source, env: &Env) -> Result<ConfigFile> {
        let node = source.read()?;
        let mut reader = Reader::new(env);
        let fields = reader.fields(&Field::root(&node), KEYS);
        let folder = source.path().parent().unwrap_or(Path::new(""));
        let entries = fields.get("targets").map(|field| reader.entries(field)).unwrap_or_default();
        let targets: Vec<FileTarget> =
            entries.iter().map(|entry| FileTarget::read(&mut reader, entry, folder)).collect();
        let defaults = match fields.get("defaults") {
            Some(field) => Defaults::read(&mut reader, field, &source),
            None => Defaults::default(),
        };
        let (drift_check, lint) =
            fields.get("migrate").map(|field| migrate(&mut reader, field, &source)).unwrap_or_default();
        let drift = fields.get("drift").map(|field| Drift::read(&mut reader, field, &source)).unwrap_or_default();
        let checks = fields.get("checks").map(|field| checks::read(&mut reader, field, &source)).unwrap_or_default();
        let names: Vec<&str> = targets.iter().filter_map(|target| target.target.name.as_deref()).collect();
        let maintain =
            fields.get("maintain").map(|field| maintain::read(&mut reader, field, &names)).unwrap_or_default();
        let backup = fields.get("backup").map(|field| FileBackup::read(&mut reader, field, &source, &names));
        let backup = backup.unwrap_or_default();
        let mut findings = reader.findings;
        findings.extend(reader.unset);
        if !findings.is_empty() {
            return Err(source.refuse(&findings));
        }
        Ok(ConfigFile {
            targets,
            defaults,
            drift_check,
            drift,
            lint,
            checks,
            maintain,
            backup,
            notes: Vec::new(),
            source,
        })
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        self.source.path()
    }

    /// The line of a target's name, counted from 1. Reads the file once more.
    pub fn line(&self, target: &FileTarget) -> Option<usize> {
        self.source.line(&target.place)
    }

    /// A target that can be connected to. Fails as invalid when it refers to a variable that is not set.
    pub fn target(&self, index: usize) -> Result<Target> {
        match self.targets.get(index) {
            Some(target) if target.unset.is_empty() => Ok(target.target.clone()),
            Some(target) => Err(self.source.refuse(&target.unset)),
            None => Err(Failure::new(Kind::Failed, format!("target {index} does not exist"))),
        }
    }

    /// Everything that keeps targets from being used: variables that are not set.
    pub fn check(&self) -> Result<()> {
        let unset: Vec<Finding> = self.targets.iter().flat_map(|target| target.unset.clone()).collect();
        if unset.is_empty() { Ok(()) } else { Err(self.source.refuse(&unset)) }
    }
}

impl Defaults {
    fn read(reader: &mut Reader<'_>, field: &Field<'_>, source: &Source) -> Defaults {
        let fields = reader.fields(field, DEFAULT_KEYS);
        let written = |key: &str| fields.get(key).map(|field| (field, source.line(&field.key_place())));
        let mut duration = |key: &str| {
            let (field, line) = written(key)?;
            Some(Written { value: reader.parsed(field, parse_duration)?, line })
        };
        Defaults {
            lock_timeout: duration("lock_timeout"),
            lock_patience: duration("lock_patience"),
            statement_timeout: duration("statement_timeout"),
            lock_wait: duration("lock_wait"),
            jobs: written("jobs").and_then(|(field, line)| Some(Written { value: reader.whole(field, 1..=64)?, line })),
            format: written("format").and_then(|(field, line)| {
                Some(Written { value: reader.word(field, &Format::NAMES)?.parse().ok()?, line })
            }),
            color: written("color").and_then(|(field, line)| {
                Some(Written { value: reader.word(field, &Color::NAMES)?.parse().ok()?, line })
            }),
            progress: written("progress").and_then(|(field, line)| Some(Written { value: reader.yes(field)?, line })),
        }
    }
}

#[cfg(unix)]
fn others_can_read(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o044 != 0)
}

#[cfg(not(unix))]
fn others_can_read(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests;

/// The section `migrate`: when a schema is compared, and how migrations are linted.
fn migrate(reader: &mut Reader<'_>, field: &Field<'_>, source: &Source) -> (Option<Written<DriftCheck>>, FileLint) {
    let fields = reader.fields(field, &["drift_check", "lint"]);
    let drift_check = fields.get("drift_check").and_then(|field| {
        let value = DriftCheck::read(reader, field)?;
        Some(Written { value, line: source.line(&field.key_place()) })
    });
    let lint = fields.get("lint").map(|field| FileLint::read(reader, field, source)).unwrap_or_default();
    (drift_check, lint)
}

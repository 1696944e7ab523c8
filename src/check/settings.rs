//! Which checks are made and what their thresholds are: the flags over dbctl.yaml over the profile. Pure.

use std::path::PathBuf;

use chrono::NaiveDate;

use super::registry::{Check, Limits, Metric};
use crate::policy::glob;

/// What thresholds are where nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Batch jobs are welcome.
    #[default]
    Default,
    /// Short transactions alone.
    Oltp,
}

impl Profile {
    /// Every spelling.
    pub const NAMES: [&'static str; 2] = ["default", "oltp"];

    /// Of a spelling.
    pub fn named(name: &str) -> Option<Profile> {
        match name {
            "default" => Some(Profile::Default),
            "oltp" => Some(Profile::Oltp),
            _ => None,
        }
    }
}

/// Thresholds of a check's metric that somebody wrote; a none in them is `off`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Written {
    /// It warns.
    pub warn: Option<Option<f64>>,
    /// It is critical.
    pub crit: Option<Option<f64>>,
}

/// Thresholds of a check.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Which check.
    pub check: &'static str,
    /// Only in databases with a name like this.
    pub database: Option<String>,
    /// Only for objects with a name like this.
    pub object: Option<String>,
    /// By metric.
    pub limits: Vec<(&'static str, Written)>,
}

/// What is not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// Which check.
    pub check: &'static str,
    /// Only in databases with a name like this.
    pub database: Option<String>,
    /// Only objects with a name like this.
    pub object: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day.
    pub until: Option<NaiveDate>,
    /// Where it stands.
    pub origin: String,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// The profile, if one is said.
    pub profile: Option<Profile>,
    /// Thresholds, the later ones over the earlier.
    pub rules: Vec<Rule>,
    /// Checks that are not made.
    pub off: Vec<&'static str>,
    /// What is not told.
    pub ignore: Vec<Ignore>,
    /// Folders of this machine whose disk counts as the server's.
    pub paths: Vec<String>,
    /// The policy whose partitions are checked.
    pub policy: Option<PathBuf>,
}

impl Settings {
    /// The thresholds of a value.
    pub fn limits(&self, check: &Check, metric: &Metric, database: &str, object: Option<&str>) -> Limits {
        let mut limits = match (self.profile, metric.oltp) {
            (Some(Profile::Oltp), Some(oltp)) => oltp,
            _ => metric.limits,
        };
        let fitting = self
            .rules
            .iter()
            .filter(|rule| rule.check == check.id && fits(&rule.database, &rule.object, database, object));
        for (_, written) in fitting.flat_map(|rule| &rule.limits).filter(|(name, _)| *name == metric.name) {
            limits = Limits { warn: written.warn.unwrap_or(limits.warn), crit: written.crit.unwrap_or(limits.crit) };
        }
        limits
    }

    /// The rule by which something is not told: the one in force the longest, be it expired.
    pub fn ignored(&self, check: &str, database: &str, object: Option<&str>) -> Option<&Ignore> {
        let fitting = self.ignore.iter().filter(|i| i.check == check && fits(&i.database, &i.object, database, object));
        // Of two alike the first; max_by_key takes the last.
        fitting.rev().max_by_key(|ignore| (ignore.until.is_none(), ignore.until))
    }
}

fn fits(databases: &Option<String>, objects: &Option<String>, database: &str, object: Option<&str>) -> bool {
    databases.as_ref().is_none_or(|pattern| glob::matches(pattern, database))
        && objects.as_ref().is_none_or(|pattern| object.is_some_and(|object| glob::matches(pattern, object)))
}

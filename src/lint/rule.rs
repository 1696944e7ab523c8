//! A rule as data: what it finds, why that is dangerous, the safe way, and examples that the tests
//! run. Its page is made from the same words.

use crate::error::{Failure, Kind, Result};
use crate::output::Level;

use super::rules;

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Stable, for example `index-not-concurrent`.
    pub id: &'static str,
    /// How bad its findings are; what a database says of the table may change it.
    pub level: Level,
    /// Looked for only where it was switched on.
    pub off: bool,
    /// What it finds is a secret: its line is not shown again.
    pub secret: bool,
    /// Whether the harm grows with the table: of a tiny one nothing is said.
    pub grows: bool,
    /// Needs a database to look at.
    pub needs_database: bool,
    /// What it finds, in one sentence.
    pub finds: &'static str,
    /// Why that is dangerous.
    pub danger: &'static str,
    /// The lock, and whom it keeps waiting.
    pub lock: &'static str,
    /// Since or until which major.
    pub servers: &'static str,
    /// The safe way, as SQL.
    pub safe: &'static str,
    /// A file that it finds.
    pub bad: &'static str,
    /// A file that it does not find.
    pub good: &'static str,
    /// The names that squawk has for the same.
    pub squawk: &'static [&'static str],
}

/// What most rules have in common.
pub(super) const RULE: Rule = Rule {
    id: "",
    level: Level::Warning,
    off: false,
    secret: false,
    grows: false,
    needs_database: false,
    finds: "",
    danger: "",
    lock: "",
    servers: "every supported major, 14 to 18",
    safe: "",
    bad: "",
    good: "",
    squawk: &[],
};

/// All rules, sorted by id.
pub fn all() -> Vec<&'static Rule> {
    let mut all: Vec<&Rule> = rules::FAMILIES.iter().flat_map(|family| family.iter().copied()).collect();
    all.sort_by_key(|rule| rule.id);
    all
}

/// The rule of this name, or of squawk's name for it.
///
/// # Errors
/// Usage, with the nearest name.
pub fn named(id: &str) -> Result<&'static Rule> {
    let all = all();
    if let Some(rule) =
        all.iter().find(|rule| rule.id == id).or_else(|| all.iter().find(|rule| rule.squawk.contains(&id)))
    {
        return Ok(rule);
    }
    let failure = Failure::new(Kind::Usage, format!("there is no rule '{id}'"));
    let near = all.iter().map(|rule| rule.id).max_by(|a, b| likeness(a, id).total_cmp(&likeness(b, id)));
    Err(match near.filter(|near| likeness(near, id) > 0.8) {
        Some(near) => failure.hint(format!("did you mean {near}?")),
        None => failure.hint("dbctl migrate lint --rules lists them"),
    })
}

fn likeness(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(a, b)
}

impl Rule {
    /// What people and scripts are told of its level.
    pub fn default_level(&self) -> &'static str {
        if self.off { "off" } else { self.level.name() }
    }

    /// The page that `--explain` prints.
    pub fn page(&self) -> String {
        let mut page = format!("{} ({})\n\n{}\n", self.id, self.default_level(), self.finds);
        let mut part = |heading: &str, text: &str| {
            if !text.is_empty() {
                page.push_str(&format!("\n{heading}\n"));
                for line in text.trim_end().lines() {
                    page.push_str(format!("    {line}").trim_end());
                    page.push('\n');
                }
            }
        };
        part("Why it is dangerous", self.danger);
        part("The lock, and whom it blocks", self.lock);
        part("Servers", self.servers);
        part("Found", self.bad);
        part("The safe way", self.safe);
        if self.good != self.safe {
            part("Not found", self.good);
        }
        if self.grows {
            part("With a database", "of a table below 10 MiB nothing is said; from 1 GiB on it is an error");
        }
        if self.needs_database {
            part("With a database", "only then: --database-url or --target");
        }
        if !self.squawk.is_empty() {
            part("As squawk has it", &self.squawk.join(", "));
        }
        part(
            "To accept one place",
            &format!(
                "-- dbctl-ignore {id}: why it is safe here\non the line before the statement, or at the end of one of its lines; \
                 for a whole file:\n-- dbctl-ignore-file {id}: why it is safe here",
                id = self.id
            ),
        );
        page
    }
}

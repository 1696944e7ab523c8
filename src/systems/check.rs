//! A check file: what it promises, and the sessions it needs. Pure.
//!
//! A line at its top is `-- check: <sentence>`. A file without sections runs in one session, in a
//! transaction that is rolled back. A file about concurrency has sections, each begun by a line
//! `-- dbctl: before`, `-- dbctl: each of N`, `-- dbctl: after`, `-- dbctl: cleanup`: `each` runs in N
//! sessions at once and is committed, `cleanup` runs whatever happened.

/// What a file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check<'a> {
    /// The sentence that holds.
    pub(super) promise: &'a str,
    pub(super) script: Script<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Script<'a> {
    /// One transaction, rolled back.
    RolledBack(&'a str),
    /// Several sessions at once.
    Race(Race<'a>),
}

/// The sections of a file about concurrency.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Race<'a> {
    pub(super) before: &'a str,
    pub(super) each: &'a str,
    pub(super) sessions: usize,
    pub(super) after: &'a str,
    pub(super) cleanup: &'a str,
}

impl<'a> Check<'a> {
    /// Reads a file's text.
    pub(super) fn read(text: &'a str) -> Check<'a> {
        let promise = text.lines().find_map(|line| line.strip_prefix("-- check:")).unwrap_or_default().trim();
        Check { promise, script: race(text).map_or(Script::RolledBack(text), Script::Race) }
    }
}

fn race(text: &str) -> Option<Race<'_>> {
    let mut race = Race::default();
    let mut marks: Vec<(usize, usize, &str)> = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if let Some(section) = line.trim_end().strip_prefix("-- dbctl: ").filter(|s| !s.starts_with("part ")) {
            marks.push((at, at + line.len(), section));
        }
        at += line.len();
    }
    for (index, (_, begins, section)) in marks.iter().enumerate() {
        let ends = marks.get(index + 1).map_or(text.len(), |(next, _, _)| *next);
        let body = text.get(*begins..ends).unwrap_or_default();
        match *section {
            "before" => race.before = body,
            "after" => race.after = body,
            "cleanup" => race.cleanup = body,
            each => {
                race.sessions = each.strip_prefix("each of ")?.parse().ok()?;
                race.each = body;
            }
        }
    }
    (race.sessions > 0).then_some(race)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_file_is_rolled_back() {
        let check = Check::read("-- check: it holds.\nSELECT 1;\n");
        assert_eq!(check.promise, "it holds.");
        assert!(matches!(check.script, Script::RolledBack(_)));
    }

    #[test]
    fn a_race_has_its_sections() {
        let text = "-- check: x\n-- dbctl: part vector\n-- dbctl: before\nA;\n-- dbctl: each of 8\nB;\n-- dbctl: after\nC;\n-- dbctl: cleanup\nD;\n";
        let Script::Race(race) = Check::read(text).script else { panic!("no race") };
        assert_eq!(race, Race { before: "A;\n", each: "B;\n", sessions: 8, after: "C;\n", cleanup: "D;\n" });
    }

    #[test]
    fn every_embedded_check_says_what_it_promises() {
        for system in crate::migrate::embedded::SYSTEMS {
            for file in system.checks {
                assert!(Check::read(file.text).promise.len() > 10, "{}", file.name);
            }
        }
    }
}

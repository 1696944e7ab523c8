//! `migrate: lint:` of `dbctl.yaml`. Knows the shape; which rules there are, the linter knows.

use super::Written;
use crate::config::yaml::{Field, Reader, Source};
use crate::output::Level;

const KEYS: &[&str] = &["rules", "fail_on", "min_server"];
const LEVELS: &[&str] = &["off", "note", "warning", "error"];

/// How migrations are linted where no flag says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileLint {
    /// Rules with another level than their own, none for off, in the file's order.
    pub rules: Vec<Written<(String, Option<Level>)>>,
    /// `fail_on`.
    pub fail_on: Option<Level>,
    /// `min_server`.
    pub min_server: Option<u32>,
}

impl FileLint {
    /// Reads the section.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Field<'_>, source: &Source) -> FileLint {
        let fields = reader.fields(section, KEYS);
        let entries = fields.get("rules").map(|field| reader.entries(field)).unwrap_or_default();
        let rule = |entry: &Field<'_>| {
            let level = reader.word(entry, LEVELS)?;
            let value = (entry.key.clone(), level.parse().ok());
            Some(Written { value, line: source.line(&entry.key_place()) })
        };
        let rules = entries.iter().filter_map(rule).collect();
        let fail_on = fields.get("fail_on").and_then(|field| reader.word(field, &Level::NAMES)?.parse().ok());
        let min_server = fields.get("min_server").and_then(|field| reader.whole(field, 13..=19));
        FileLint { rules, fail_on, min_server }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::env::Env;
    use crate::config::file::ConfigFile;

    fn read(text: &str) -> crate::error::Result<FileLint> {
        let source = Source::new(Path::new("dbctl.yaml"), text.as_bytes().to_vec()).unwrap();
        ConfigFile::read(source, &Env::from_iter::<[(&str, &str); 0]>([])).map(|file| file.lint)
    }

    #[test]
    fn levels_have_the_line_they_stand_on() {
        let text = "migrate:\n  lint:\n    fail_on: warning\n    min_server: 16\n    rules:\n      drop-column: off\n      truncate: note\n";
        let lint = read(text).unwrap();
        assert_eq!((lint.fail_on, lint.min_server), (Some(Level::Warning), Some(16)));
        let rules: Vec<_> = lint.rules.iter().map(|rule| (rule.value.0.as_str(), rule.value.1, rule.line)).collect();
        assert_eq!(rules, [("drop-column", None, Some(6)), ("truncate", Some(Level::Note), Some(7))]);
        assert_eq!(read("migrate:\n").unwrap(), FileLint::default());
    }

    #[test]
    fn a_level_that_there_is_not_is_pointed_at() {
        let failure = read("migrate:\n  lint:\n    rules:\n      truncate: warn\n").unwrap_err();
        insta::assert_snapshot!(failure, @r"
        error: dbctl.yaml:4:17: migrate.lint.rules.truncate: unknown word 'warn'
         --> dbctl.yaml:4:17
          |
        4 |       truncate: warn
          |                 ^^^^ one of off, note, warning, error
        ");
    }
}

//! `drift:` of the config file: what of a schema is not compared; and the words of `migrate.drift_check`.

use crate::config::yaml::{Field, Fields, Reader, Source};
use crate::schema::{Kind, Property};

const KEYS: &[&str] = &["partitions", "ignore", "map"];
const RULE_KEYS: &[&str] = &["kind", "name", "property", "reason"];
/// Any kind.
const ANY: &str = "*";

/// The `drift` of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// Partitions of managed tables are compared one by one as well.
    pub exact_partitions: bool,
    /// What is not told.
    pub ignore: Vec<Ignore>,
    /// Roles that have another name in the database: as expected, as there.
    pub roles: Vec<(String, String)>,
}

/// Differences that are not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignore {
    /// Of objects of this kind; nothing is any.
    pub kind: Option<Kind>,
    /// With a name like this: `*` and `?` over `schema.table` and `schema.table.column`.
    pub name: String,
    /// In this property; nothing is any, and the whole object with its parts.
    pub property: Option<Property>,
    /// Why.
    pub reason: String,
    /// Where it stands, for people.
    pub origin: String,
}

/// What `dbctl migrate` does about drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DriftCheck {
    /// It does not look.
    #[default]
    Off,
    /// It tells, and migrates.
    Warn,
    /// It does not migrate.
    Fail,
}

impl DriftCheck {
    /// Every spelling.
    pub const NAMES: [&'static str; 3] = ["off", "warn", "fail"];

    pub(super) fn read(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<DriftCheck> {
        // YAML 1.1 reads a bare `off` as false.
        if field.is_yes_or_no() && reader.yes(field) == Some(false) {
            return Some(DriftCheck::Off);
        }
        match reader.word(field, &DriftCheck::NAMES)? {
            "warn" => Some(DriftCheck::Warn),
            "fail" => Some(DriftCheck::Fail),
            _ => Some(DriftCheck::Off),
        }
    }
}

impl Drift {
    pub(super) fn read(reader: &mut Reader<'_>, field: &Field<'_>, source: &Source) -> Drift {
        let fields = reader.fields(field, KEYS);
        let exact_partitions = fields
            .get("partitions")
            .is_some_and(|field| reader.word(field, &["managed", "exact"]).is_some_and(|word| word == "exact"));
        let items = fields.get("ignore").map(|field| reader.items(field)).unwrap_or_default();
        let ignore = items.iter().filter_map(|item| rule(reader, item, source)).collect();
        let entries = fields.get("map").map(|field| reader.entries(field)).unwrap_or_default();
        let roles = entries.iter().filter_map(|entry| Some((entry.key.clone(), reader.text(entry)?))).collect();
        Drift { exact_partitions, ignore, roles }
    }
}

fn rule(reader: &mut Reader<'_>, item: &Field<'_>, source: &Source) -> Option<Ignore> {
    let fields = reader.fields(item, RULE_KEYS);
    if !item.is_map() {
        return None;
    }
    let kind = match fields.get("kind") {
        Some(field) => {
            let words: Vec<&'static str> =
                std::iter::once(ANY).chain(Kind::ALL.iter().map(|kind| kind.word())).collect();
            Some(Kind::of_word(reader.word(field, &words)?))
        }
        None => missing(reader, item, "kind", "a kind as ids have it, such as table, or \"*\""),
    };
    let name = text(reader, item, &fields, "name", "a name, such as app.tmp_*");
    let reason = text(reader, item, &fields, "reason", "why this is no drift");
    let property = match fields.get("property") {
        Some(field) => {
            let words: Vec<&'static str> = Property::ALL.iter().map(|property| property.word()).collect();
            Some(Property::of_word(reader.word(field, &words)?)?)
        }
        None => None,
    };
    let line = source.line(&item.place()).map(|line| format!(":{line}")).unwrap_or_default();
    let origin = format!("{}{line}", source.path().display());
    Some(Ignore { kind: kind?, name: name?, property, reason: reason?, origin })
}

fn text(reader: &mut Reader<'_>, item: &Field<'_>, fields: &Fields<'_>, key: &str, advice: &str) -> Option<String> {
    let Some(field) = fields.get(key) else { return missing(reader, item, key, advice) };
    let text = reader.text(field)?;
    if text.trim().is_empty() {
        reader.refuse(field, format!("{}: it is empty", field.name), Some(format!("write {advice}")));
        return None;
    }
    Some(text)
}

fn missing<T>(reader: &mut Reader<'_>, item: &Field<'_>, key: &str, advice: &str) -> Option<T> {
    reader.refuse_key(item, format!("{}: {key} is missing", item.name), Some(format!("add {key}: {advice}")));
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::env::Env;
    use crate::config::file::ConfigFile;
    use crate::error::Result;

    fn read(text: &str) -> Result<ConfigFile> {
        let source = Source::new(std::path::Path::new("dbctl.yaml"), text.as_bytes().to_vec())?;
        ConfigFile::read(source, &Env::default())
    }

    #[test]
    fn rules_and_roles_are_read() {
        let file = read(
            "migrate:\n  drift_check: fail\ndrift:\n  partitions: exact\n  map: {deploy: app_owner}\n  ignore:\n    \
             - {kind: table, name: app.tmp_*, reason: scratch tables}\n    \
             - {kind: \"*\", name: \"*\", property: comment, reason: written by hand}\n",
        )
        .unwrap();
        assert_eq!(file.drift_check.map(|written| (written.value, written.line)), Some((DriftCheck::Fail, Some(2))));
        assert!(file.drift.exact_partitions);
        assert_eq!(file.drift.roles, [("deploy".to_owned(), "app_owner".to_owned())]);
        let [first, second] = file.drift.ignore.as_slice() else { panic!("{:?}", file.drift.ignore) };
        assert_eq!(
            (first.kind, first.name.as_str(), first.origin.as_str()),
            (Some(Kind::Table), "app.tmp_*", "dbctl.yaml:7")
        );
        assert_eq!((second.kind, second.property), (None, Some(Property::Comment)));
        let off = read("migrate: {drift_check: off}\n").unwrap();
        assert_eq!(off.drift_check.map(|written| written.value), Some(DriftCheck::Off));
    }

    #[test]
    fn what_is_wrong_is_shown_at_its_line() {
        let failure = read(
            "migrate:\n  drift_check: maybe\ndrift:\n  ignore:\n    - {kind: tabel, name: a, reason: b}\n    \
             - {kind: table, name: a}\n    - {kind: table, name: a, reason: b, proprety: owner}\n",
        )
        .unwrap_err();
        assert_eq!(failure.what().outcome().code(), 65);
        insta::assert_snapshot!(failure);
    }
}

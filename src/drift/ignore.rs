//! Rules about differences that are none: from the config file and from flags, counted, so that none hides
//! anything in silence. Pure.

use std::str::FromStr;

use super::compare::Difference;
use super::names::outermost;
use crate::config::file::Ignore;
use crate::config::nearest;
use crate::output::visible;
use crate::policy::glob;
use crate::schema::{Id, Kind, Property};

/// A rule, and how often it held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The rule.
    pub rule: Ignore,
    /// Differences that were not told.
    pub count: usize,
}

/// Takes out what the rules ignore; of two that fit, the first counts.
pub fn apply(rules: Vec<Ignore>, differences: Vec<Difference>) -> (Vec<Difference>, Vec<Applied>) {
    let mut applied: Vec<Applied> = rules.into_iter().map(|rule| Applied { rule, count: 0 }).collect();
    let mut kept = Vec::with_capacity(differences.len());
    for difference in differences {
        match applied.iter_mut().find(|applied| fits(&applied.rule, &difference)) {
            Some(applied) => applied.count += 1,
            None => kept.push(difference),
        }
    }
    (kept, applied)
}

/// Objects that cannot be compared, without those that a rule ignores anyhow.
pub fn without(rules: &mut [Applied], mut unseen: Vec<Id>) -> Vec<Id> {
    unseen.retain(|id| match rules.iter_mut().find(|applied| means(&applied.rule, id)) {
        Some(applied) => {
            applied.count += 1;
            false
        }
        None => true,
    });
    unseen
}

fn means(rule: &Ignore, id: &Id) -> bool {
    rule.kind.is_none_or(|kind| kind == id.kind) && glob::matches(&rule.name, &full_name(id))
}

fn fits(rule: &Ignore, difference: &Difference) -> bool {
    let is_meant = |id: &Id| means(rule, id);
    match rule.property {
        Some(property) => difference.property() == Some(property) && is_meant(&difference.id),
        None => is_meant(&difference.id) || is_meant(&outermost(&difference.id)),
    }
}

/// `app.t`, and of a part `app.t.a`.
pub fn full_name(id: &Id) -> String {
    match id.parent {
        Some(_) => format!("{}.{}", outermost(id).name, id.name),
        None => id.name.to_string(),
    }
}

/// `KIND:GLOB` or `KIND:GLOB#PROPERTY` of a flag; the kind may be `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag(pub Ignore);

impl FromStr for Flag {
    type Err = String;

    fn from_str(text: &str) -> Result<Flag, String> {
        let Some((kind, name)) = text.split_once(':') else {
            return Err("write KIND:NAME, such as table:app.tmp_*".to_owned());
        };
        let (name, property) = match name.rsplit_once('#') {
            Some((name, property)) => {
                (name, Some(known("property", property, Property::of_word(property), property_words())?))
            }
            None => (name, None),
        };
        let kind = match kind {
            "*" => None,
            word => Some(known("kind", word, Kind::of_word(word), Kind::ALL.iter().map(|kind| kind.word()))?),
        };
        if name.is_empty() {
            return Err(format!("'{}' names nothing", visible(text)));
        }
        let (name, reason) = (name.to_owned(), "asked for on the command line".to_owned());
        Ok(Flag(Ignore { kind, name, property, reason, origin: format!("--ignore {text}") }))
    }
}

fn property_words() -> impl Iterator<Item = &'static str> {
    Property::ALL.iter().map(|property| property.word())
}

fn known<T>(what: &str, word: &str, found: Option<T>, words: impl Iterator<Item = &'static str>) -> Result<T, String> {
    found.ok_or_else(|| {
        let near = nearest(word, words).map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
        format!("there is no {what} '{}'{near}", visible(word))
    })
}

#[cfg(test)]
mod tests {
    use super::super::compare::What;
    use super::*;

    fn difference(parent: Option<&str>, kind: Kind, name: &str, property: Property) -> Difference {
        let id = Id { parent: parent.map(Into::into), kind, name: name.into() };
        Difference { id, what: What::Changed { property, expected: None, actual: None } }
    }

    fn rule(text: &str) -> Ignore {
        text.parse::<Flag>().unwrap().0
    }

    #[test]
    fn a_rule_takes_the_object_and_its_parts_or_one_property() {
        let column = || difference(Some("table:app.t"), Kind::Column, "a", Property::Default);
        let owner = || difference(None, Kind::Table, "app.t", Property::Owner);
        for (text, left) in [
            ("table:app.*", 0),
            ("table:app.t#owner", 1),
            ("column:app.t.*", 1),
            ("*:*#default", 1),
            ("view:app.*", 2),
            ("column:t.a", 2),
        ] {
            let (kept, applied) = apply(vec![rule(text)], vec![column(), owner()]);
            assert_eq!((kept.len(), applied[0].count), (left, 2 - left), "{text}");
        }
    }

    #[test]
    fn the_first_rule_that_fits_counts() {
        let column = difference(Some("table:app.t"), Kind::Column, "a", Property::Default);
        let (_, applied) = apply(vec![rule("*:*"), rule("table:*")], vec![column]);
        assert_eq!(applied.iter().map(|applied| applied.count).collect::<Vec<_>>(), [1, 0]);
    }

    #[test]
    fn misspelt_flags_are_told() {
        insta::assert_snapshot!("tabel:x".parse::<Flag>().unwrap_err(), @"there is no kind 'tabel'; did you mean 'table'?");
        insta::assert_snapshot!("table:x#ownr".parse::<Flag>().unwrap_err(), @"there is no property 'ownr'; did you mean 'owner'?");
        assert!("app.t".parse::<Flag>().is_err() && "table:".parse::<Flag>().is_err());
    }
}

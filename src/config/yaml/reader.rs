//! Picks typed values out of a YAML file and collects everything that is wrong with them, so that a
//! person is told once. Resolves `${NAME}`. Does not know what the keys mean.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::{Finding, Node, Place};
use crate::config::env::Env;
use crate::config::nearest;
use crate::output::visible;

/// Reads fields and keeps the findings.
#[derive(Debug)]
pub struct Reader<'e> {
    env: &'e Env,
    /// Everything that is wrong, in the order of reading.
    pub findings: Vec<Finding>,
    /// References to variables that are not set: an error only where the value is needed.
    pub unset: Vec<Finding>,
}

/// A value with its name and place.
#[derive(Clone)]
pub struct Field<'n> {
    /// The key it stands under, or its position in a list.
    pub key: String,
    /// Its full name: `targets.prod.url`.
    pub name: String,
    node: &'n Node,
    path: Vec<usize>,
}

/// The fields of one map, each at most once.
pub struct Fields<'n>(Vec<Field<'n>>);

impl<'n> Fields<'n> {
    /// The field of this key, if it is there.
    pub fn get(&self, key: &str) -> Option<&Field<'n>> {
        self.0.iter().find(|field| field.key == key)
    }
}

impl<'n> Field<'n> {
    /// The whole file.
    pub fn root(node: &'n Node) -> Field<'n> {
        Field { key: String::new(), name: String::new(), node, path: Vec::new() }
    }

    /// The place of its key.
    pub fn key_place(&self) -> Place {
        Place { path: self.path.clone(), at_key: true }
    }

    /// The place of its value.
    pub fn place(&self) -> Place {
        Place { path: self.path.clone(), at_key: false }
    }

    /// Text as it stands in the file, its references not resolved.
    pub fn raw(&self) -> Option<&'n str> {
        match self.node {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the value is nothing, `null` or `~`.
    pub fn is_null(&self) -> bool {
        *self.node == Node::Null
    }

    /// Whether the value is `true` or `false`.
    pub fn is_yes_or_no(&self) -> bool {
        matches!(self.node, Node::Bool(_))
    }

    /// Whether the value is keys with values.
    pub fn is_map(&self) -> bool {
        matches!(self.node, Node::Map(_))
    }

    fn child(&self, index: usize, key: &str, node: &'n Node) -> Field<'n> {
        let shown = visible(key);
        let name = if self.name.is_empty() { shown } else { format!("{}.{shown}", self.name) };
        let path = self.path.iter().copied().chain([index]).collect();
        Field { key: key.to_owned(), name, node, path }
    }

    fn called(&self) -> &str {
        if self.name.is_empty() { "the file" } else { &self.name }
    }
}

impl<'e> Reader<'e> {
    /// A reader that takes `${NAME}` from this environment.
    pub fn new(env: &'e Env) -> Reader<'e> {
        Reader { env, findings: Vec::new(), unset: Vec::new() }
    }

    /// Notes that a value is wrong. The message must not repeat a secret.
    pub fn refuse(&mut self, field: &Field<'_>, message: impl Into<String>, advice: Option<String>) {
        self.findings.push(Finding { place: field.place(), part: None, message: message.into(), advice });
    }

    /// Notes that a key is wrong.
    pub fn refuse_key(&mut self, field: &Field<'_>, message: impl Into<String>, advice: Option<String>) {
        self.findings.push(Finding { place: field.key_place(), part: None, message: message.into(), advice });
    }

    /// The fields of a map that may have only these keys. An empty value is an empty map.
    pub fn fields<'n>(&mut self, field: &Field<'n>, keys: &[&str]) -> Fields<'n> {
        let mut known = self.entries(field);
        known.retain(|entry| {
            if keys.contains(&entry.key.as_str()) {
                return true;
            }
            let shown = visible(&entry.key);
            let message = match field.name.as_str() {
                "" => format!("unknown key '{shown}'"),
                within => format!("unknown key '{shown}' in {within}"),
            };
            let advice = match (entry.key.as_str(), nearest(&entry.key, keys.iter().copied())) {
                ("<<", _) => "merge keys are not read; repeat the keys".to_owned(),
                (_, Some(near)) => format!("did you mean '{near}'?"),
                (_, None) => format!("known here: {}", keys.join(", ")),
            };
            self.refuse_key(entry, message, Some(advice));
            false
        });
        Fields(known)
    }

    /// The fields of a map with keys of the user's choice, each once. An empty value is an empty map.
    pub fn entries<'n>(&mut self, field: &Field<'n>) -> Vec<Field<'n>> {
        let entries = match field.node {
            Node::Null => return Vec::new(),
            Node::Map(entries) => entries,
            _ => {
                self.mistyped(field, "keys with values");
                return Vec::new();
            }
        };
        let mut fields: Vec<Field<'n>> = Vec::new();
        let mut seen = BTreeSet::new();
        for (index, (key, node)) in entries.iter().enumerate() {
            let entry = field.child(index, key, node);
            if !seen.insert(key) {
                self.refuse_key(&entry, format!("{} is given twice", entry.name), Some("remove one".to_owned()));
            } else {
                fields.push(entry);
            }
        }
        fields
    }

    /// The items of a list.
    pub fn items<'n>(&mut self, field: &Field<'n>) -> Vec<Field<'n>> {
        match field.node {
            Node::List(items) => {
                let item = |(index, node)| field.child(index, &usize::to_string(&index), node);
                items.iter().enumerate().map(item).collect()
            }
            _ => {
                self.mistyped(field, "a list");
                Vec::new()
            }
        }
    }

    /// Text, its references resolved. Nothing when it is of another type or a variable is not set.
    pub fn text(&mut self, field: &Field<'_>) -> Option<String> {
        match field.node {
            Node::Text(text) => self.resolve(field, text),
            _ => {
                self.mistyped(field, "text");
                None
            }
        }
    }

    /// Text or an unquoted number, read by `parse`, whose error says what would be right.
    pub fn parsed<T>(&mut self, field: &Field<'_>, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = match field.node {
            Node::Text(text) => self.resolve(field, text)?,
            Node::Number(number) => number.clone(),
            _ => {
                self.mistyped(field, "text");
                return None;
            }
        };
        match parse(&text) {
            Ok(value) => Some(value),
            Err(why) => {
                self.refuse(field, format!("{}: {why}", field.name), None);
                None
            }
        }
    }

    /// A whole number in a range.
    pub fn whole(&mut self, field: &Field<'_>, range: RangeInclusive<u32>) -> Option<u32> {
        self.parsed(field, |text| {
            let number = text.parse().ok().filter(|number| range.contains(number));
            number.ok_or_else(|| format!("expected a number from {} to {}", range.start(), range.end()))
        })
    }

    /// One of a few words.
    pub fn word(&mut self, field: &Field<'_>, words: &[&'static str]) -> Option<&'static str> {
        let text = self.text(field)?;
        let chosen = words.iter().find(|word| **word == text).copied();
        if chosen.is_none() {
            let advice = match nearest(&text, words.iter().copied()) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("one of {}", words.join(", ")),
            };
            self.refuse(field, format!("{}: unknown word '{}'", field.name, visible(&text)), Some(advice));
        }
        chosen
    }

    /// `true` or `false`.
    pub fn yes(&mut self, field: &Field<'_>) -> Option<bool> {
        match field.node {
            Node::Bool(yes) => return Some(*yes),
            Node::Text(text) if text.contains('$') => match self.resolve(field, text)?.as_str() {
                "true" => return Some(true),
                "false" => return Some(false),
                _ => {}
            },
            _ => {}
        }
        self.mistyped(field, "true or false");
        None
    }

    fn mistyped(&mut self, field: &Field<'_>, expected: &str) {
        let (found, advice) = match field.node {
            Node::Null => ("nothing", Some("give it a value or remove the key")),
            Node::Bool(_) => ("true or false", (expected == "text").then_some("put it in quotes")),
            Node::Number(_) => ("a number", (expected == "text").then_some("put it in quotes")),
            Node::Text(_) => ("text", None),
            Node::List(_) => ("a list", None),
            Node::Map(_) => ("keys with values", None),
        };
        let message = format!("{}: expected {expected}, found {found}", field.called());
        let finding = Finding { place: field.place(), part: None, message, advice: advice.map(str::to_owned) };
        // What stands in an empty place is the next key: the caret belongs to the key itself.
        let at_key = matches!(field.node, Node::Null | Node::List(_) | Node::Map(_)) && !field.path.is_empty();
        self.findings.push(Finding { place: Place { at_key, ..finding.place }, ..finding });
    }

    /// Replaces `${NAME}` by the variable's value and `$$` by a dollar.
    fn resolve(&mut self, field: &Field<'_>, text: &str) -> Option<String> {
        let mut resolved = String::with_capacity(text.len());
        let mut rest = text;
        let mut complete = true;
        while let Some(at) = rest.find('$') {
            resolved.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(after) = after.strip_prefix('$') {
                resolved.push('$');
                rest = after;
                continue;
            }
            let Some(reference) = after.strip_prefix('{') else {
                resolved.push('$');
                rest = after;
                continue;
            };
            let name = reference.split_once('}').map(|(name, _)| name).filter(|name| is_variable_name(name));
            let Some(name) = name else {
                let advice = "write ${NAME}, and $${ for the characters themselves".to_owned();
                let message = format!("{}: not a reference to an environment variable", field.name);
                let part = Some("${".to_owned());
                self.findings.push(Finding { place: field.place(), part, message, advice: Some(advice) });
                return None;
            };
            match self.env.get(name) {
                Some(value) => resolved.push_str(value),
                None => {
                    complete = false;
                    let message = format!("the environment variable {name} is not set ({} needs it)", field.name);
                    let advice = Some(format!("export {name}=... before dbctl runs"));
                    let part = Some(format!("${{{name}}}"));
                    self.unset.push(Finding { place: field.place(), part, message, advice });
                }
            }
            rest = &reference[name.len() + 1..];
        }
        resolved.push_str(rest);
        complete.then_some(resolved)
    }
}

fn is_variable_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

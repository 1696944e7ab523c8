//! YAML as plain values, with a limit on what aliases may unfold to. Knows serde_yaml.

use std::cell::Cell;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

/// Aliases may multiply what a file holds, up to this.
const LARGEST_UNFOLDED: usize = 4 << 20;
pub(super) const TOO_LARGE: &str = "its aliases unfold to more than 4 MB";

/// A value as it was written.
#[derive(Clone, PartialEq)]
pub enum Node {
    /// Nothing, `null` or `~`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An unquoted number.
    Number(String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values, in order, duplicates included.
    Map(Vec<(String, Node)>),
}

/// Reads one document; beside serde_yaml's error, the reason of our own where we refused.
pub(super) fn read(text: &str) -> Result<Node, (serde_yaml::Error, Option<&'static str>)> {
    let budget = Budget { left: Cell::new(LARGEST_UNFOLDED), refused: Cell::new(None) };
    let read = ReadNode { budget: &budget }.deserialize(serde_yaml::Deserializer::from_str(text));
    read.map_err(|error| (error, budget.refused.get()))
}

struct Budget {
    left: Cell<usize>,
    refused: Cell<Option<&'static str>>,
}

impl Budget {
    fn take<E: serde::de::Error>(&self, bytes: usize) -> Result<(), E> {
        match self.left.get().checked_sub(bytes + 8) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => self.refuse(TOO_LARGE),
        }
    }

    fn refuse<T, E: serde::de::Error>(&self, why: &'static str) -> Result<T, E> {
        self.refused.set(Some(why));
        Err(E::custom(why))
    }
}

#[derive(Clone, Copy)]
struct ReadNode<'b> {
    budget: &'b Budget,
}

impl<'de> DeserializeSeed<'de> for ReadNode<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadNode<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Node, E> {
        self.budget.take(0).map(|()| Node::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Node, E> {
        self.visit_unit()
    }

    fn visit_bool<E: serde::de::Error>(self, yes: bool) -> Result<Node, E> {
        self.budget.take(0).map(|()| Node::Bool(yes))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Node, E> {
        self.budget.take(0).map(|()| Node::Number(number.to_string()))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Node, E> {
        self.budget.take(0).map(|()| Node::Number(number.to_string()))
    }

    fn visit_i128<E: serde::de::Error>(self, number: i128) -> Result<Node, E> {
        self.budget.take(0).map(|()| Node::Number(number.to_string()))
    }

    fn visit_u128<E: serde::de::Error>(self, number: u128) -> Result<Node, E> {
        self.budget.take(0).map(|()| Node::Number(number.to_string()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Node, E> {
        self.budget.take(0).map(|()| Node::Number(number.to_string()))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Node, E> {
        self.budget.take(text.len()).map(|()| Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        self.budget.take(0)?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        self.budget.take(0)?;
        let mut map = Vec::new();
        // Asked for as text, an unquoted `1` or `yes` is a key like any other.
        while let Some(key) = entries.next_key::<String>()? {
            self.budget.take::<A::Error>(key.len())?;
            map.push((key, entries.next_value_seed(self)?));
        }
        Ok(Node::Map(map))
    }

    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, _: A) -> Result<Node, A::Error> {
        self.budget.refuse("a tag (!name); put the value in quotes if the ! belongs to it")
    }
}

//! One page of everything a person asks of a database: looks of other rooms, put side by side in a file that
//! needs nothing but itself.

mod page;

use std::path::Path;

use chrono::{DateTime, Utc};
use maud::Markup;

use crate::error::Result;
use crate::outcome::Outcome;
use crate::output::{Column, Document, Level, Table, Value};

/// What the page says.
pub struct Page {
    /// Whose it is: the target's name, or the database's.
    pub subject: String,
    /// The server in a line.
    pub server: String,
    /// When it was looked at.
    pub at: DateTime<Utc>,
    /// Its parts, in the order they stand.
    pub parts: Vec<Part>,
}

/// One part.
pub struct Part {
    /// Where a link leads to; unique on the page.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// How it stands, where that can be said.
    pub level: Option<Level>,
    /// What stands first: a picture.
    pub picture: Option<Markup>,
    /// The answer, or why there is none.
    pub answer: Result<Document, String>,
}

impl Part {
    /// A part without a level and without a picture.
    pub fn of(id: &'static str, title: &'static str, answer: Result<Document>) -> Part {
        let answer = answer.map_err(|failure| failure.messages().join(": "));
        Part { id, title, level: None, picture: None, answer }
    }
}

/// What was written, as the command's own answer.
pub fn view(page: &Page, file: &Path, bytes: usize) -> (Outcome, Document) {
    let mut parts =
        Table::new("parts", "The page is empty.", vec![Column::new("part", "part"), Column::new("state", "state")]);
    let mut outcome = Outcome::Done;
    for part in &page.parts {
        let state = match (&part.answer, part.level) {
            (Err(_), _) => Value::Unknown,
            (Ok(_), Some(Level::Error)) => "critical".into(),
            (Ok(_), Some(Level::Warning)) => "warning".into(),
            (Ok(_), _) => "ok".into(),
        };
        if part.answer.is_err() {
            outcome = Outcome::Partial;
        }
        parts.push(vec![part.id.into(), state]);
    }
    let mut document = Document::new("report", 1)
        .fact("file", "page", file.display().to_string())
        .fact("size_bytes", "size", Value::Bytes(bytes as u64))
        .table(parts);
    for part in &page.parts {
        if let Err(why) = &part.answer {
            document = document.note(format!("{} is UNKNOWN: {why}", part.id));
        }
    }
    (outcome, document)
}

impl Page {
    /// The page as a file.
    pub fn html(&self) -> String {
        page::render(self).into_string()
    }
}

//! A YAML file with its places: reads it into [`Node`]s and shows where something is wrong in it.
//! Knows serde_yaml; does not know what the keys mean.

mod locate;
mod node;
mod reader;

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

pub use node::Node;
pub use reader::{Field, Fields, Reader};

use locate::Spot;

use super::mask::{is_secret_key, mask_conninfo, mask_line};
use crate::error::{Explain, Failure, Kind, Result};
use crate::excerpt;
use crate::output::visible;

/// Larger files are refused: nobody wrote them by hand.
const LARGEST: u64 = 1 << 20;
/// Mistakes shown at once.
const SHOWN: usize = 10;
/// Mistakes looked for in the text: each costs a reading of the file.
const SORTED: usize = 50;

/// A file and its text. The text may hold passwords: no `Debug`, and [`Source::refuse`] masks them.
#[derive(Clone)]
pub struct Source {
    path: PathBuf,
    text: String,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A place in the file: the way down from the top, each step the position among its siblings, and
/// whether the key or the value at the end of it is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Positions from the top.
    pub path: Vec<usize>,
    /// The key rather than the value.
    pub at_key: bool,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// A part of the value that the caret should point at.
    pub part: Option<String>,
    /// What is wrong, lowercase, with the name of the key; never a secret value.
    pub message: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl Source {
    /// Reads a file of at most 1 MB of UTF-8. Fails as invalid, naming the file and the line.
    pub fn open(path: &Path) -> Result<Source> {
        let shown = visible(&path.display().to_string());
        let doing = format!("cannot read {shown}");
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).explain(Kind::Invalid, &doing).map_err(|failure| {
            failure.hint("--config FILE and DBCTL_CONFIG name another file; 'dbctl init' writes a sample")
        })?;
        file.take(LARGEST + 1).read_to_end(&mut bytes).explain(Kind::Invalid, &doing)?;
        Source::new(path, bytes)
    }

    /// A file's bytes, checked like [`Source::open`] does.
    pub fn new(path: &Path, bytes: Vec<u8>) -> Result<Source> {
        let shown = visible(&path.display().to_string());
        if bytes.len() as u64 > LARGEST {
            return Err(Failure::new(Kind::Invalid, format!("{shown} is larger than 1 MB")));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Source { path: path.to_owned(), text }),
            Err(error) => {
                let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
                Err(Failure::new(Kind::Invalid, format!("{shown}:{line}: not UTF-8 text"))
                    .hint("save the file as UTF-8: iconv -f latin1 -t utf-8 OLD > NEW"))
            }
        }
    }

    /// The file's path, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The whole file as one value; an empty file is [`Node::Null`]. Aliases are unfolded; files that
    /// unfold to more than 4 MB, tags, and what is no YAML are refused with their place.
    pub fn read(&self) -> Result<Node> {
        // serde_yaml calls a file without any value an error.
        if self.text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Node::Null);
        }
        node::read(&self.text).map_err(|(error, refused)| self.unreadable(&error, refused))
    }

    /// The line of a place, counted from 1.
    pub fn line(&self, place: &Place) -> Option<usize> {
        locate::find(&self.text, place).map(|spot| spot.line)
    }

    /// The failure that shows every finding under its line, with secrets masked.
    pub fn refuse(&self, findings: &[Finding]) -> Failure {
        let path = visible(&self.path.display().to_string());
        let mut placed: Vec<(Option<Spot>, &Finding)> =
            findings.iter().take(SORTED).map(|finding| (self.spot(finding), finding)).collect();
        placed.sort_by_key(|(spot, _)| spot.map(|spot| (spot.line, spot.column)));
        if let [(spot, finding)] = placed.as_slice() {
            let at = spot.map(|spot| format!("{}:{}:", spot.line, spot.column)).unwrap_or_default();
            let failure = Failure::new(Kind::Invalid, format!("{path}:{at} {}", mask_conninfo(&finding.message)));
            let advice = finding.advice.as_deref().unwrap_or("here");
            return match spot {
                Some(spot) => failure.excerpt(self.excerpt(*spot, advice)),
                None => failure,
            };
        }
        let excerpts = placed.iter().take(SHOWN).map(|(spot, finding)| {
            let advice = finding.advice.as_ref().map(|advice| format!("; {advice}")).unwrap_or_default();
            let label = format!("{}{advice}", mask_conninfo(&finding.message));
            spot.map_or(format!(" --> {path}\n  {label}"), |spot| self.excerpt(spot, &label))
        });
        let excerpts = excerpts.collect::<Vec<_>>().join("\n\n");
        let failure = Failure::new(Kind::Invalid, format!("{path} has {} mistakes", findings.len())).excerpt(excerpts);
        match findings.len().saturating_sub(SHOWN) {
            0 => failure,
            more => failure.hint(format!("{SHOWN} are shown, {more} left out")),
        }
    }

    /// The source line with a caret. Only this line is shown: those around it may hold secrets.
    fn excerpt(&self, spot: Spot, label: &str) -> String {
        let line = self.text.lines().nth(spot.line - 1).unwrap_or_default().trim_start_matches('\u{feff}');
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let masked = if self.is_within_secret(spot.line) { "*".repeat(line.chars().count()) } else { mask_line(line) };
        let line: String = masked.chars().map(plain).collect();
        let byte = |column: usize| line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
        let span = byte(spot.column - 1)..byte(spot.column - 1 + spot.length);
        let path = visible(&self.path.display().to_string());
        excerpt::of_line(&path, spot.line, &line, span, label)
    }

    /// Whether the line continues the value of a secret key above it, such as a folded text.
    fn is_within_secret(&self, line: usize) -> bool {
        let indent = |text: &str| text.len() - text.trim_start().len();
        let Some(own) = self.text.lines().nth(line - 1).map(indent) else { return false };
        let above = self.text.lines().take(line - 1).collect::<Vec<_>>();
        let parent = above.iter().rev().find(|text| !text.trim().is_empty() && indent(text) < own);
        parent.and_then(|text| text.split_once(':')).is_some_and(|(key, _)| is_secret_key(key))
    }

    fn spot(&self, finding: &Finding) -> Option<Spot> {
        let spot = locate::find(&self.text, &finding.place)?;
        let Some(part) = &finding.part else { return Some(spot) };
        // The part of a folded text may be on a later line than the text begins.
        let lines = self.text.lines().enumerate().skip(spot.line - 1);
        let hit = lines.take(50).find_map(|(index, line)| {
            let from = if index + 1 == spot.line { spot.column - 1 } else { 0 };
            let start = line.char_indices().nth(from).map_or(line.len(), |(at, _)| at);
            let at = line[start..].find(part.as_str())?;
            let column = line[..start + at].chars().count() + 1;
            Some(Spot { line: index + 1, column, length: part.chars().count() })
        });
        Some(hit.unwrap_or(spot))
    }

    /// What the parser stumbled over, in words that help.
    fn unreadable(&self, error: &serde_yaml::Error, refused: Option<&'static str>) -> Failure {
        let text = error.to_string();
        let path = visible(&self.path.display().to_string());
        let Some(at) = error.location() else {
            let why = match text.as_str() {
                text if text.contains("more than one document") => "it has more than one document ('---')",
                text if text.contains("repetition limit") => node::TOO_LARGE,
                text => text,
            };
            return Failure::new(Kind::Invalid, format!("{path}: cannot be read: {why}"));
        };
        let (line, column) = (at.line(), at.column());
        let said = text.replace(&format!(" at line {line} column {column}"), "");
        let next = self.text.lines().nth(line - 1).and_then(|line| line.chars().nth(column - 1));
        let why = match (refused, next) {
            (Some(refused), _) => refused.to_owned(),
            (None, Some('\t')) => "a tab; YAML is indented with spaces".to_owned(),
            (None, Some(c)) if said.contains("cannot start any token") => {
                format!("a value cannot start with '{c}'; put it in quotes")
            }
            _ if said.contains("mapping values are not allowed") => {
                "a second ': ' in one line; put the value in quotes, or check the indentation".to_owned()
            }
            _ if said.contains("control characters are not allowed") => "a control character".to_owned(),
            _ if said.contains("recursion limit") => "nested too deeply".to_owned(),
            _ if said.contains("unknown anchor") => "an alias (*name) without its anchor (&name)".to_owned(),
            _ => said,
        };
        let failure = Failure::new(Kind::Invalid, format!("{path}:{line}:{column}: not valid YAML"));
        failure.excerpt(self.excerpt(Spot { line, column, length: 1 }, &why))
    }
}

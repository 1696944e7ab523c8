//! One table of the report, whatever it was made from: text, data and what misses its aim.

use serde_json::{Value, json};

use crate::bench::markdown::table;
use crate::bench::report::{Aim, Comparison};

/// A table of less than 80 columns with its aims and notes.
pub struct Sheet {
    /// As Markdown.
    pub text: String,
    /// Every single measurement.
    pub json: Value,
    /// A line for each aim that is missed or was not measured.
    pub missed: Vec<String>,
}

impl Sheet {
    /// A table of its own columns.
    pub fn new(title: &str, head: &[&str], rows: &[Vec<String>], aims: &[Aim], data: Value) -> Sheet {
        let mut text = format!("### {title}\n\n{}\n", table(head, rows));
        aims.iter().for_each(|aim| text.push_str(&format!("- {}\n", aim.line())));
        let told = aims.iter().map(|aim| json!({ "promise": aim.promise, "found": aim.found, "met": aim.met }));
        let json = json!({ "title": title, "data": data, "aims": told.collect::<Vec<_>>() });
        Sheet { text, json, missed: missed(title, aims) }
    }

    /// Whole programs beside each other.
    pub fn of(comparison: &Comparison) -> Sheet {
        let missed = missed(&comparison.title, &comparison.aims);
        Sheet { text: comparison.table(), json: comparison.json(), missed }
    }

    /// A scene that broke.
    pub fn failed(scene: &str, error: &anyhow::Error) -> Sheet {
        let line = format!("{scene}: not measured: {error:#}");
        Sheet { text: format!("{line}\n"), json: json!({ "title": scene, "failed": line }), missed: vec![line] }
    }

    /// A line that one has to know to read the table.
    #[must_use]
    pub fn note(mut self, note: impl AsRef<str>) -> Sheet {
        self.text.push_str(&format!("- {}\n", note.as_ref()));
        self
    }
}

fn missed(title: &str, aims: &[Aim]) -> Vec<String> {
    aims.iter().filter(|aim| !aim.met).map(|aim| format!("{title}: {}", aim.line())).collect()
}

//! Bars: one thing a line, the longest first as given.

use maud::{Markup, html};

use super::percent;
use crate::output::human::{visible, words};
use crate::output::{Level, Value};

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What it stands for.
    pub label: String,
    /// Its length as a share of the whole line, 0 to 1.
    pub share: f64,
    /// What the length means.
    pub value: Value,
    /// How bad it is, where that is known.
    pub level: Option<Level>,
}

/// The bars, one below the other.
pub fn bars(all: &[Bar]) -> Markup {
    html! {
        div.bars {
            @for bar in all {
                div.bar {
                    span.what title=(visible(&bar.label)) { (visible(&bar.label)) }
                    svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" {
                        rect.ground width="100" height="1" {}
                        rect class=(class(bar.level)) width=(percent(bar.share)) height="1" {}
                    }
                    span.much { (words(&bar.value)) }
                }
            }
        }
    }
}

fn class(level: Option<Level>) -> &'static str {
    match level {
        None | Some(Level::Note) => "plain",
        Some(Level::Warning) => "warn",
        Some(Level::Error) => "crit",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share_and_says_what_it_means() {
        let bar = |share, level| Bar { label: "a & b".to_owned(), share, value: Value::Bytes(2048), level };
        let picture = bars(&[bar(0.5, None), bar(7.0, Some(Level::Error))]).into_string();
        assert!(picture.contains(r#"<rect class="plain" width="50.00""#), "{picture}");
        assert!(picture.contains(r#"<rect class="crit" width="100.00""#), "longer than the line: {picture}");
        assert!(picture.contains("a &amp; b") && picture.contains("2.0 kB"), "{picture}");
    }
}

//! The page: a head, links to its parts, the parts. One file, without scripts.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Page, Part};
use crate::output::{self, Level, visible};

const STYLE: &str = include_str!("page.css");

/// The whole page.
pub(super) fn render(page: &Page) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Nothing is fetched from anywhere, not even an icon.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
                link rel="icon" href="data:,";
                title { "dbctl report: " (visible(&page.subject)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (visible(&page.subject)) }
                    p { (visible(&page.server)) " · " time datetime=(page.at.to_rfc3339()) { (page.at.format("%Y-%m-%d %H:%M UTC")) } }
                    nav { @for part in &page.parts { a class=(class(part)) href=(format!("#{}", part.id)) { (part.title) } } }
                }
                main { @for part in &page.parts { (section(part)) } }
                footer { "dbctl " (env!("CARGO_PKG_VERSION")) " report" }
            }
        }
    }
}

fn section(part: &Part) -> Markup {
    html! {
        section id=(part.id) class=(class(part)) {
            h2 { (part.title) }
            @if let Some(picture) = &part.picture { (picture) }
            @match &part.answer {
                Ok(document) => (output::html(document)),
                Err(why) => p.unread { strong { "UNKNOWN: " } (visible(why)) },
            }
        }
    }
}

fn class(part: &Part) -> &'static str {
    match (&part.answer, part.level) {
        (Err(_), _) => "unknown",
        (Ok(_), None) => "plain",
        (Ok(_), Some(Level::Note)) => "good",
        (Ok(_), Some(Level::Warning)) => "warn",
        (Ok(_), Some(Level::Error)) => "crit",
    }
}

//! Pictures for a page: bars, a treemap, a timeline. Shapes are SVG that stretches with the page; words
//! stand beside or above them as text, so that they stay readable on a phone. Pure.

mod bars;
mod timeline;
mod treemap;

pub use bars::{Bar, bars};
pub use timeline::{Span, Tint, Track, timeline};
pub use treemap::{Piece, treemap};

/// A share of a hundred, with two decimals.
fn percent(share: f64) -> String {
    format!("{:.2}", (share * 100.0).clamp(0.0, 100.0))
}

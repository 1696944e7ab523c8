//! A treemap: each thing an area as large as its share, laid out so that areas stay near to squares
//! (Bruls, Huizing, van Wijk: Squarified Treemaps, 2000).

use maud::{Markup, html};

use super::percent;
use crate::output::Value;
use crate::output::human::{visible, words};

/// The picture's width to its height.
const WIDE: f64 = 2.0;
/// Areas smaller than this share of the picture carry no words.
const WORDS_FROM: f64 = 0.006;

/// One area.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// What it stands for.
    pub label: String,
    /// How large it is, in any unit; only the shares count.
    pub weight: f64,
    /// The same for a person.
    pub value: Value,
}

/// Where an area lies: shares of the picture's width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// The areas, the largest at the top left.
pub fn treemap(pieces: &[Piece]) -> Markup {
    let mut sorted: Vec<&Piece> = pieces.iter().filter(|piece| piece.weight > 0.0).collect();
    sorted.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let places = places(&sorted.iter().map(|piece| piece.weight).collect::<Vec<_>>());
    html! {
        div.treemap {
            svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true" {
                @for (place, shade) in places.iter().zip(0_usize..) {
                    rect class=(format!("shade{}", shade % 6)) x=(percent(place.x)) y=(percent(place.y))
                        width=(percent(place.width)) height=(percent(place.height)) {}
                }
            }
            @for (piece, place) in sorted.iter().zip(&places) {
                @let style = format!(
                    "left:{}%;top:{}%;width:{}%;height:{}%",
                    percent(place.x), percent(place.y), percent(place.width), percent(place.height)
                );
                @let said = format!("{} {}", visible(&piece.label), words(&piece.value));
                div.area style=(style) title=(said) {
                    @if place.width * place.height >= WORDS_FROM {
                        span { (visible(&piece.label)) }
                        small { (words(&piece.value)) }
                    }
                }
            }
        }
    }
}

/// Rows of areas along the shorter side of what is left, each row as long as it makes its areas better.
fn places(weights: &[f64]) -> Vec<Place> {
    let total: f64 = weights.iter().sum();
    let mut places = Vec::with_capacity(weights.len());
    // In a space WIDE by 1, in which areas are shares of WIDE.
    let (mut x, mut y, mut width, mut height) = (0.0, 0.0, WIDE, 1.0);
    let mut rest: Vec<f64> = weights.iter().map(|weight| weight / total * WIDE).collect();
    while !rest.is_empty() {
        let side = f64::min(width, height).max(f64::EPSILON);
        let mut count = 1;
        while count < rest.len() && worst(&rest[..=count], side) <= worst(&rest[..count], side) {
            count += 1;
        }
        let row: Vec<f64> = rest.drain(..count).collect();
        let depth = row.iter().sum::<f64>() / side;
        let along_height = height <= width;
        let mut at = 0.0;
        for area in row {
            let length = area / depth.max(f64::EPSILON);
            places.push(if along_height {
                Place { x: x / WIDE, y: y + at, width: depth / WIDE, height: length }
            } else {
                Place { x: (x + at) / WIDE, y, width: length / WIDE, height: depth }
            });
            at += length;
        }
        if along_height {
            (x, width) = (x + depth, (width - depth).max(0.0));
        } else {
            (y, height) = (y + depth, (height - depth).max(0.0));
        }
    }
    places
}

/// The longest side to the shortest of any area of a row.
fn worst(row: &[f64], side: f64) -> f64 {
    let sum: f64 = row.iter().sum();
    let depth = sum / side;
    row.iter()
        .map(|area| {
            let length = area / depth;
            f64::max(length / depth, depth / length)
        })
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_as_large_as_their_shares_and_fill_the_picture() {
        let weights = [6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0, 0.001];
        let places = places(&weights);
        let total: f64 = weights.iter().sum();
        for (place, weight) in places.iter().zip(weights) {
            assert!((place.width * place.height - weight / total).abs() < 1e-9, "{place:?}");
            assert!(place.x >= -1e-9 && place.x + place.width <= 1.0 + 1e-9, "{place:?}");
            assert!(place.y >= -1e-9 && place.y + place.height <= 1.0 + 1e-9, "{place:?}");
        }
        assert!((places.iter().map(|p| p.width * p.height).sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn no_two_areas_lie_on_each_other() {
        let places = places(&[9.0, 5.0, 5.0, 3.0, 2.0, 1.0, 1.0, 1.0, 0.5]);
        for (at, one) in places.iter().enumerate() {
            for other in &places[at + 1..] {
                let beside =
                    |a: f64, a_long: f64, b: f64, b_long: f64| a + a_long <= b + 1e-9 || b + b_long <= a + 1e-9;
                assert!(
                    beside(one.x, one.width, other.x, other.width) || beside(one.y, one.height, other.y, other.height),
                    "{one:?} {other:?}"
                );
            }
        }
    }

    #[test]
    fn nothing_and_zeros_are_no_picture_that_divides_by_zero() {
        assert!(places(&[]).is_empty());
        let picture = treemap(&[Piece { label: "t".to_owned(), weight: 0.0, value: Value::Bytes(0) }]).into_string();
        assert!(!picture.contains("NaN") && !picture.contains("<rect"), "{picture}");
    }

    #[test]
    fn a_name_cannot_become_markup() {
        let piece = Piece { label: "<script>\u{202e}".to_owned(), weight: 1.0, value: Value::Bytes(1) };
        let picture = treemap(&[piece]).into_string();
        assert!(picture.contains("&lt;script&gt;\\u{202e}") && !picture.contains("<script"), "{picture}");
    }
}

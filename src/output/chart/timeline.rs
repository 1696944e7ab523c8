//! A timeline: tracks over one span of time, with a mark where now is.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

use super::percent;
use crate::output::human::visible;

/// One line of the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// What it stands for.
    pub label: String,
    /// A few words at its end.
    pub says: String,
    /// What lies on it.
    pub spans: Vec<Span>,
}

/// A stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Begins here.
    pub from: DateTime<Utc>,
    /// Ends before this.
    pub to: DateTime<Utc>,
    /// Its colour.
    pub tint: Tint,
    /// What it is, for a pointer over it.
    pub title: String,
}

/// A colour with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tint {
    /// Behind us.
    Past,
    /// Now lies in it.
    Current,
    /// Before us.
    Future,
    /// Due to go.
    Expired,
    /// Due to go, and kept.
    Kept,
}

impl Tint {
    fn class(self) -> &'static str {
        match self {
            Tint::Past => "past",
            Tint::Current => "current",
            Tint::Future => "future",
            Tint::Expired => "expired",
            Tint::Kept => "kept",
        }
    }
}

/// The tracks, one below the other, over the whole time that any of them covers.
pub fn timeline(tracks: &[Track], now: DateTime<Utc>) -> Markup {
    let spans = || tracks.iter().flat_map(|track| &track.spans);
    let from = spans().map(|span| span.from).chain([now]).min().unwrap_or(now);
    let to = spans().map(|span| span.to).chain([now]).max().unwrap_or(now);
    let whole = seconds(to - from).max(1.0);
    let share = |at: DateTime<Utc>| seconds(at - from) / whole;
    html! {
        div.timeline {
            @for track in tracks {
                div.track {
                    span.what title=(visible(&track.label)) { (visible(&track.label)) }
                    svg viewBox="0 0 100 1" preserveAspectRatio="none" role="img" aria-label=(visible(&track.says)) {
                        rect.ground width="100" height="1" {}
                        @for span in &track.spans {
                            // A hair narrower, so that neighbours can be told apart.
                            @let width = (share(span.to) - share(span.from)) * 0.94;
                            rect class=(span.tint.class()) x=(percent(share(span.from))) width=(percent(width)) height="1" {
                                title { (visible(&span.title)) }
                            }
                        }
                        rect.now x=(percent(share(now) - 0.001)) width="0.3" height="1" {}
                    }
                    span.much { (visible(&track.says)) }
                }
            }
            div.track.scale {
                span.what {}
                span.ends { span { (from.format("%Y-%m-%d")) } span { (to.format("%Y-%m-%d")) } }
                span.much {}
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of some years")]
fn seconds(delta: chrono::TimeDelta) -> f64 {
    delta.num_milliseconds() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone as _;

    #[test]
    fn spans_stand_at_their_share_of_the_whole_time() {
        let day = |day| Utc.with_ymd_and_hms(2026, 1, day, 0, 0, 0).unwrap();
        let span = |from, to, tint| Span { from: day(from), to: day(to), tint, title: "p".to_owned() };
        let spans = vec![span(1, 6, Tint::Past), span(6, 11, Tint::Future)];
        let picture = timeline(&[Track { label: "t".to_owned(), says: "5 d".to_owned(), spans }], day(6)).into_string();
        assert!(picture.contains(r#"<rect class="past" x="0.00" width="47.00""#), "{picture}");
        assert!(picture.contains(r#"<rect class="future" x="50.00" width="47.00""#), "{picture}");
        assert!(picture.contains("2026-01-01") && picture.contains("2026-01-11"), "{picture}");
    }

    #[test]
    fn no_track_and_no_span_are_no_division_by_zero() {
        let now = Utc.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap();
        let track = Track { label: "t".to_owned(), says: String::new(), spans: Vec::new() };
        for tracks in [vec![], vec![track]] {
            assert!(!timeline(&tracks, now).into_string().contains("NaN"));
        }
    }
}

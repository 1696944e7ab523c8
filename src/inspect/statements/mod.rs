//! `dbctl slow-queries`: what pg_stat_statements has counted, of all time or of a window, ranked; and where it is not
//! there, which step is missing, and what runs meanwhile.

mod delta;
mod explain;
mod measure;
mod rank;
mod read;
mod reset;
mod steps;
mod view;

pub use delta::{Window, delta};
pub use explain::{Explained, explain, explained, has_plan};
pub use measure::{Measure, Measures};
pub use rank::{Ranked, Ranking, Sort, Wish, rank};
pub use read::{Counts, Entry, Extension, Key, Setup, Text, read, texts};
pub use reset::{forgotten, reset, stakes};
pub use steps::{Running, Steps, running, steps};
pub use view::{instead, shares, view};

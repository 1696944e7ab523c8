//! `dbctl bloat`

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::bloat::{Mode, Sort, Wish};
use crate::config::parse_duration;

/// Show what tables and indexes would give back if they were written anew
///
/// Models what each table, TOAST table and index should take from the catalog's statistics, says how sure that is and
/// why, and which statement would give the rest back under which lock. Only reads, and waits for no lock. Where the
/// catalog is not enough, looks into the pages with the extension pgstattuple if that is there.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl bloat
  dbctl bloat --min-size 1GB --sort percent
  dbctl bloat --mode fast --limit 0            everything, by the catalog alone
  dbctl bloat --exact --budget 5m              look into the pages of everything
  dbctl bloat --schema app --format json")]
pub struct BloatArgs {
    /// fast: by the catalog alone; auto: into pages where that is unsure; exact: into all pages
    #[arg(long, value_name = "MODE", value_enum, default_value_t = How::Auto, hide_possible_values = true)]
    mode: How,
    /// The same as --mode exact
    #[arg(long, conflicts_with = "mode")]
    exact: bool,
    /// How long to look into pages
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "10s")]
    budget: Duration,
    /// Leave out what is smaller
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "10MB")]
    min_size: u64,
    /// Only tables of this schema; may be repeated
    #[arg(long = "schema", value_name = "NAME")]
    schemas: Vec<String>,
    /// The largest first: reclaimable, percent, size; or by name
    #[arg(long, value_name = "BY", value_enum, default_value_t = By::Reclaimable, hide_possible_values = true, hide_default_value = true)]
    sort: By,
    /// So many; 0 is all
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum How {
    Fast,
    Auto,
    Exact,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Reclaimable,
    Percent,
    Size,
    Name,
}

/// What was asked for.
#[derive(Debug)]
pub struct Bloat {
    /// How closely is looked.
    pub mode: Mode,
    /// For how long.
    pub budget: Duration,
    /// What is shown.
    pub wish: Wish,
}

/// `10MB`, `1 GiB`, `8192`: units of 1024, as PostgreSQL's settings have them.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim().find(|c: char| !c.is_ascii_digit()).unwrap_or(text.trim().len());
    let (number, unit) = text.trim().split_at(digits);
    let power = match unit.trim().to_ascii_lowercase().trim_end_matches("ib").trim_end_matches('b') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err("a size is a whole number with B, kB, MB, GB or TB: 10MB".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "a size begins with a whole number: 10MB".to_owned())?;
    number.checked_mul(1 << power).ok_or_else(|| "that is too large".to_owned())
}

impl BloatArgs {
    /// What was asked for.
    pub fn into_request(self) -> Bloat {
        let mode = match self.mode {
            _ if self.exact => Mode::Exact,
            How::Fast => Mode::Fast,
            How::Auto => Mode::Auto,
            How::Exact => Mode::Exact,
        };
        let sort = match self.sort {
            By::Reclaimable => Sort::Reclaimable,
            By::Percent => Sort::Percent,
            By::Size => Sort::Size,
            By::Name => Sort::Name,
        };
        let limit = Some(self.limit).filter(|limit| *limit > 0);
        Bloat { mode, budget: self.budget, wish: Wish { min_bytes: self.min_size, schemas: self.schemas, sort, limit } }
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_have_units_of_1024() {
        for (text, bytes) in [("8192", 8192), ("10MB", 10 << 20), ("1 GiB", 1 << 30), ("3k", 3072), ("0", 0)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for wrong in ["", "MB", "1.5GB", "-1", "1 parsec", "99999999999TB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}

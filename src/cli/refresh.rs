//! `dbctl refresh`

use clap::Args;

use crate::maintain::refresh::Wish;

/// Fill materialized views anew
///
/// All of them, or those that are named; what other views read comes before them. Where the server can
/// do it, everybody reads on meanwhile (CONCURRENTLY): that wants a unique index on columns alone and of
/// all rows, and a view that was filled before. The others keep readers out while they are filled, and
/// the answer says which, and why; --concurrently leaves them alone.
///
/// One that fails does not stop the others. Exit codes: 0; 3 when a lock was not to be had, 4 when
/// nothing could be done, 5 when some failed or were left alone.
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    after_help = "Examples:
  dbctl refresh
  dbctl refresh lead_summary reports.monthly
  dbctl refresh --concurrently
  dbctl refresh --dry-run"
)]
pub struct RefreshArgs {
    /// These views, with or without their schema [default: all]
    #[arg(value_name = "VIEW")]
    views: Vec<String>,
    /// Only those that everybody can read meanwhile
    #[arg(long)]
    concurrently: bool,
}

impl RefreshArgs {
    /// What was asked for.
    pub fn into_request(self) -> Wish {
        Wish { views: self.views, concurrently: self.concurrently }
    }
}

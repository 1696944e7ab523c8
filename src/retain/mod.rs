//! Row retention: rows of a table that are old enough are deleted, moved or made unable to tell who
//! it was, batch by batch, so that nobody who uses the table notices. [`read`] looks, [`plan`]
//! decides, [`run`] works through the executor. Knows the policy's types; does not know the command
//! line.

mod attention;
mod clock;
mod held;
mod mask;
mod pace;
mod plan;
mod read;
mod run;
mod snapshot;
mod sql;
pub mod view;
mod visits;

pub use plan::{Attention, JobPlan, Path, Visit, plan};
pub use read::read;
pub use run::{JobReport, Means, Stop, run};
pub use snapshot::{Child, Column, Count, Index, JobSnapshot, Leaf, OnDelete, Readings, Rights, Standby, Trigger};

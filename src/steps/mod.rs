//! What will be done, as data, and the one executor that does it.
//!
//! A capability plans [`Step`]s; [`gate`] says go, ask or refuse; [`apply`] sends exactly the
//! messages that [`Step::messages`] renders, which is also what a plan prints. There is no second
//! way to send DDL.

pub mod apply;
pub mod batch;
pub mod crew;
pub mod events;
mod fill;
pub mod gate;
pub mod guard;
mod hazard;
pub mod journal;
pub mod lag;
pub mod ledger;
mod means;
pub mod observe;
mod plan;
mod queue;
mod recover;
mod retry;
mod telling;
mod watch;

pub use guard::Guard;
pub use hazard::{Hazard, LockMode, TableLock};
pub use means::Means;
pub use plan::{Lane, Message, Plan, Role, Statement, Step, Timeouts};
pub use recover::is_copy;
pub use retry::Pauses;

//! What goes on in a server: looks that read, within a time limit, also while tables are locked. The
//! frame of such a look stands in `frame`; one file, `locks/act.rs`, ends what is in the way.

pub mod activity;
pub mod backend;
mod frame;
pub mod indexes;
pub mod locks;
mod redact;
pub mod replication;
pub mod sizes;
pub mod statements;
pub mod vitals;

pub use frame::Eye;

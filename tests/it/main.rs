//! The one integration binary: everything that needs a server or the built program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod archive;
mod backup;
mod bloat;
mod build_script;
mod check;
mod connect;
mod contract;
mod drift;
mod faults;
mod harness;
mod inspect;
mod lint;
mod maintain;
mod migrate;
mod partitions;
mod plans;
mod queries;
mod rehearse;
mod report;
mod retain;
mod sandbox;
mod schema;
mod scratch;
mod shipped_policy;
mod systems;
mod tidy;
mod transfer;
mod vacuum;

//! The only folder that names tokio_postgres: connections, sessions, server facts, catalog
//! queries, the run lease, SQLSTATEs and the private throwaway server. Knows nothing of policies,
//! capabilities or output.

mod cancel;
mod cell;
mod certificate;
pub mod connect;
mod gathered;
pub mod interrupt;
pub mod lease;
pub mod pooler;
pub mod programs;
mod queries;
mod reading;
pub mod sandbox;
mod server;
mod session;
pub mod sqlstate;
mod tls;
mod turn;
mod unreachable;
mod wire;

pub use cell::{Cell, cells};
pub use interrupt::Interrupt;
pub use lease::Lease;
pub use queries::Query;
pub use server::Server;
pub use session::{CopyIn, Notice, Session};
pub use sqlstate::ServerError;
pub use tokio_postgres::Row;
pub use tokio_postgres::types::{FromSql, ToSql};
pub use turn::InTurn;

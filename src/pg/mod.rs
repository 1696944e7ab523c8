//! The only folder that names tokio_postgres: connections, sessions, server facts, catalog
//! queries, the run lease, SQLSTATEs and the private throwaway server. Knows nothing of policies,
//! capabilities or output.

mod cancel;
mod certificate;
pub mod connect;
pub mod sandbox;
mod tls;
mod unreachable;
mod wire;

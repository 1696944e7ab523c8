//! The only folder that names tokio_postgres: connections, sessions, server facts, catalog
//! queries, the run lease, SQLSTATEs and the private throwaway server. Knows nothing of policies,
//! capabilities or output.

pub mod sandbox;

//! Maintenance on real servers.

mod reindex;

//! How much room there is where tables lie, as far as this machine can tell. Knows no table.

use std::path::Path;

use crate::config::connection::{Address, Connection};

/// Whether the server is on this machine: a folder of the same name on another says nothing of the server's.
pub fn is_here(connection: &Connection) -> bool {
    connection.hosts.iter().all(|host| matches!(host.address, Address::Unix(_)))
}

/// The bytes that are free where a folder of this machine lies; nothing where there is no such folder.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let space = nix::sys::statvfs::statvfs(folder).ok()?;
    #[allow(clippy::useless_conversion, reason = "the types differ between systems")]
    Some(u64::from(space.blocks_available()).saturating_mul(u64::from(space.fragment_size())))
}

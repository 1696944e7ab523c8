//! Tables as files in a folder or an object store: written, read back and proven, and restored.
//! Knows tables and bytes; knows no policy, no partitions, no backups and no terminal.
//!
//! A file is complete when it lies under its name; its manifest lies beside it as `<name>.json` and
//! is written first. A manifest without its file is what a killed run left.

pub mod describe;
pub mod export;
pub mod hash;
pub mod import;
pub mod keys;
pub mod manifest;
mod records;
pub mod seal;
pub mod settings;
pub mod store;
pub mod summed;
pub mod unseal;
pub mod verify;

pub use export::{Exported, Options, export};
pub use hash::{ContentHash, content_hash};
pub use import::{Restored, restore};
pub use keys::{Identities, Recipients};
pub use manifest::Manifest;
pub use store::Store;
pub use verify::{Verified, read_back};

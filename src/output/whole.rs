//! Files that are there whole or not at all.

use std::io::{self, Write as _};
use std::path::Path;

/// Who may read a file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever wrote it.
    Owner,
    /// Everybody.
    Everybody,
}

/// Writes a file in one step: beside it first, then in its place.
///
/// # Errors
/// The system's; what stood there is untouched then.
pub fn write_whole(path: &Path, text: &str, access: Access) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    #[cfg(unix)]
    if access == Access::Everybody {
        std::fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

//! Files in a folder. A file is born as `<name>.part` with mode 0600, locked by who writes it, and
//! gets its name when it is on the disk.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

use super::failure::of_file;
use crate::error::{Failure, Kind, Result};

/// What is read at once.
const PIECE: usize = 256 << 10;

/// The folder that is the store.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
}

/// A file under way; removed when it is dropped.
pub struct Part {
    file: File,
    part: PathBuf,
    name: PathBuf,
    mode: u32,
    there: bool,
}

impl Folder {
    pub fn new(root: PathBuf) -> Folder {
        Folder { root }
    }

    /// Where a file lies.
    pub fn file(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub fn create(&self, path: &str, mode: u32) -> Result<Part> {
        let name = self.file(path);
        let mut part = name.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        make_folders(name.parent().unwrap_or(&self.root))?;
        clear_leftover(&part)?;
        let file = OpenOptions::new().write(true).create_new(true).mode(super::PRIVATE).open(&part);
        let file = file.map_err(|error| of_file(error, "create", &part))?;
        let ours = Part { file, part, name, mode, there: true };
        lock(&ours.file, &ours.part)?;
        Ok(ours)
    }

    pub fn read(&self, path: &str) -> Result<BoxStream<'static, Result<Bytes>>> {
        let name = self.file(path);
        let file = File::open(&name).map_err(|error| of_file(error, "read", &name))?;
        let pieces = stream::try_unfold((file, name), |(mut file, name)| async move {
            let mut piece = BytesMut::zeroed(PIECE);
            let read = loop {
                match file.read(&mut piece) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    other => break other,
                }
            };
            let read = read.map_err(|error| of_file(error, "read", &name))?;
            piece.truncate(read);
            Ok((read > 0).then(|| (piece.freeze(), (file, name))))
        });
        Ok(pieces.boxed())
    }

    pub fn head(&self, path: &str) -> Result<Option<u64>> {
        let name = self.file(path);
        match std::fs::metadata(&name) {
            Ok(found) if found.is_file() => Ok(Some(found.len())),
            Ok(_) => Err(Failure::new(Kind::Failed, format!("{} is no file", name.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(of_file(error, "look at", &name)),
        }
    }

    pub fn delete(&self, path: &str) -> Result<bool> {
        let name = self.file(path);
        match std::fs::remove_file(&name) {
            // The folder itself may be gone by now: then the name is gone for good.
            Ok(()) if name.parent().is_some_and(|folder| !folder.exists()) => Ok(true),
            Ok(()) => sync_folder(&name).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(of_file(error, "remove", &name)),
        }
    }

    pub fn folders(&self, path: &str) -> Result<Vec<String>> {
        let folder = self.file(path);
        let mut names = Vec::new();
        for (name, kind) in entries(&folder)? {
            if kind.is_dir() {
                names.push(name);
            }
        }
        Ok(names)
    }

    pub fn files(&self, path: &str) -> Result<Vec<(String, u64)>> {
        let (mut files, mut waiting) = (Vec::new(), vec![path.to_owned()]);
        while let Some(within) = waiting.pop() {
            for (name, kind) in entries(&self.file(&within))? {
                let path = format!("{within}/{name}");
                if kind.is_dir() {
                    waiting.push(path);
                } else {
                    match std::fs::symlink_metadata(self.file(&path)) {
                        Ok(there) => files.push((path, there.len())),
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        Err(error) => return Err(of_file(error, "look at", &self.file(&path))),
                    }
                }
            }
        }
        Ok(files)
    }

    pub fn last_written(&self, path: &str) -> Result<Option<DateTime<Utc>>> {
        let mut last = None;
        for (name, _) in self.files(path)? {
            // What is gone by now was written by somebody else a moment ago, or cleared.
            let written = std::fs::symlink_metadata(self.file(&name)).and_then(|there| there.modified());
            last = last.max(written.ok().map(DateTime::from));
        }
        Ok(last)
    }

    /// A rename of a folder onto an empty one would succeed: hence the look before.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        let (from, to) = (self.file(from), self.file(to));
        if to.symlink_metadata().is_ok() {
            return Err(Failure::new(Kind::Refused, format!("{} is there already", to.display())));
        }
        sync_folder(&from.join("within"))?;
        std::fs::rename(&from, &to).map_err(|error| of_file(error, "rename", &from))?;
        sync_folder(&to)
    }

    pub fn remove(&self, path: &str) -> Result<()> {
        let folder = self.file(path);
        for name in self.folders(path)? {
            self.remove(&format!("{path}/{name}"))?;
        }
        match std::fs::remove_dir(&folder) {
            Ok(()) => sync_folder(&folder),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(of_file(error, "remove", &folder)),
        }
    }

    /// Of the nearest folder that is there.
    pub fn free_bytes(&self) -> Option<u64> {
        let there = self.root.ancestors().find(|folder| folder.is_dir())?;
        let free = nix::sys::statvfs::statvfs(there).ok()?;
        Some(free.blocks_available() as u64 * free.fragment_size() as u64)
    }
}

/// What lies in a folder; nothing where there is none.
fn entries(folder: &Path) -> Result<Vec<(String, std::fs::FileType)>> {
    let found = match std::fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(of_file(error, "list", folder)),
    };
    let mut entries = Vec::new();
    for entry in found {
        let entry = entry.map_err(|error| of_file(error, "list", folder))?;
        let kind = entry.file_type().map_err(|error| of_file(error, "look at", &entry.path()))?;
        // A name that is no text is none of ours.
        if let Ok(name) = entry.file_name().into_string() {
            entries.push((name, kind));
        }
    }
    Ok(entries)
}

impl Part {
    pub fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.file.write_all(piece).map_err(|error| of_file(error, "write", &self.part))
    }

    /// Gives the file its name; false when another file has it already and is not to be replaced.
    pub fn publish(mut self, replace: bool) -> Result<bool> {
        let failed = |error| of_file(error, "write", &self.part);
        self.file.set_permissions(Permissions::from_mode(self.mode)).map_err(failed)?;
        self.file.sync_all().map_err(failed)?;
        forget_cached(&self.file);
        // Somebody may have cleared it away between its birth and its lock.
        let (ours, there) = (self.file.metadata().map_err(failed)?, std::fs::metadata(&self.part).map_err(failed)?);
        if (ours.dev(), ours.ino()) != (there.dev(), there.ino()) {
            self.there = false;
            return Err(busy(&self.part));
        }
        let named = if replace { std::fs::rename(&self.part, &self.name) } else { name_once(&self.part, &self.name) };
        match named {
            Ok(()) => self.there = false,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(of_file(error, "write", &self.name)),
        }
        sync_folder(&self.name).map(|()| true)
    }

    pub fn abort(self) {
        drop(self);
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.there {
            // What stays is replaced by the next writer.
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

/// A rename that fails where the name is taken. Not every file system has links.
fn name_once(part: &Path, name: &Path) -> io::Result<()> {
    match std::fs::hard_link(part, name) {
        Ok(()) => std::fs::remove_file(part),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(_) if name.symlink_metadata().is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => std::fs::rename(part, name),
    }
}

/// A `.part` that nobody holds was left by a killed run.
fn clear_leftover(part: &Path) -> Result<()> {
    let left = match OpenOptions::new().write(true).custom_flags(nix::libc::O_NOFOLLOW).open(part) {
        Ok(left) => left,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(of_file(error, "replace the unfinished", part)),
    };
    lock(&left, part)?;
    std::fs::remove_file(part).map_err(|error| of_file(error, "replace the unfinished", part))
}

fn lock(file: &File, part: &Path) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(busy(part)),
        // Some network file systems have no locks: then the run's lease alone keeps others away.
        Err(TryLockError::Error(_)) => Ok(()),
    }
}

fn busy(part: &Path) -> Failure {
    Failure::new(Kind::Busy, format!("another run is writing {}", part.display()))
        .hint("wait for it to end; what a killed run left is replaced by itself")
}

/// With mode 0700 where they are missing, and durable: a folder that is lost takes its files along.
fn make_folders(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent() {
        make_folders(above)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => sync_folder(folder),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(of_file(io::ErrorKind::NotADirectory.into(), "make the folder", folder))
        }
        Err(error) => Err(of_file(error, "make the folder", folder)),
    }
}

/// Makes the name of this file durable.
fn sync_folder(name: &Path) -> Result<()> {
    let Some(folder) = name.parent() else { return Ok(()) };
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // One that may be entered but not listed cannot be opened; its file system has the name anyway.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        done => done.map_err(|error| of_file(error, "make durable", folder)),
    }
}

/// What is read back is to come from the disk, not from memory.
fn forget_cached(file: &File) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = nix::fcntl::posix_fadvise(file, 0, 0, nix::fcntl::PosixFadviseAdvice::POSIX_FADV_DONTNEED);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = file;
}

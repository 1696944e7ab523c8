//! The folder of one sandbox: where it may lie, its lock (held by whoever is in charge of it), its
//! note, and the finding of others. Knows files; does not know how a server is started.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use nix::sys::statvfs::{Statvfs, statvfs};
use serde::{Deserialize, Serialize};

use super::account::{Account, complete};
use crate::config::env::Env;
use crate::error::{Explain, Failure, Kind, Result};

/// The variable that names the folder in which sandboxes are made and looked for.
pub const DIR_VARIABLE: &str = "DBCTL_SANDBOX_DIR";
pub(super) const PREFIX: &str = "dbctl-sandbox-";
const LOCK: &str = "lock";
const NOTE: &str = "sandbox.json";
/// A socket's path may have 103 bytes on macOS and 107 on Linux.
const SOCKET_PATH_MAX: usize = 100;
/// Linux's file system in memory.
const MEMORY: &str = "/dev/shm";
/// Free bytes that it must have.
const MEMORY_WANTED: u128 = 2 << 30;
/// A folder without a note is one that is being made, unless it is older than this.
const BEING_MADE: Duration = Duration::from_secs(600);

/// What a sandbox says of itself to other processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The major version.
    pub major: u32,
    /// The version as the server prints it.
    pub version: String,
    /// Where its programs are.
    pub bin_dir: PathBuf,
    /// The port (part of the socket's name; of TCP where that is open).
    pub port: u16,
    /// The password for TCP, where TCP is open.
    pub tcp_password: Option<String>,
    /// Lives until it is stopped by name, whoever dies.
    pub keep: bool,
    /// Was left running by `dbctl sandbox start`, rather than being in use by the process that started it.
    pub left: bool,
    /// The process whose death ends it.
    pub owner: u32,
    /// When it was made.
    pub started_at: DateTime<Utc>,
}

/// Another process's sandbox (or one of ours), as seen from outside.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) path: PathBuf,
    pub(super) note: Note,
    /// The lock, when nobody was in charge.
    pub(super) orphaned: Option<File>,
}

/// A folder of our own.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    lock: File,
}

impl Folder {
    /// A new folder that only the account may enter, with the lock held.
    pub(super) fn create(account: &Account, env: &Env, in_memory: bool) -> Result<Folder> {
        let mut refused = None;
        for base in bases(env, in_memory && is_roomy(Path::new(MEMORY))) {
            if env.get(DIR_VARIABLE).is_some() && !base.exists() {
                std::fs::create_dir_all(&base).explain(Kind::Failed, format!("cannot make {}", base.display()))?;
                account.give(&base)?;
            }
            for _ in 0..20 {
                let path = base.join(format!("{PREFIX}{}", random_name()));
                if path.join(".s.PGSQL.65535").as_os_str().len() > SOCKET_PATH_MAX {
                    refused = Some(Failure::new(
                        Kind::Invalid,
                        format!("{} is too long a path for a socket", base.display()),
                    ));
                    break;
                }
                if path.exists() {
                    continue;
                }
                let mut mkdir = account.command("mkdir");
                match complete(mkdir.args(["-m", "700"]).arg(&path), "make a folder for the sandbox") {
                    Ok(_) => return Folder::claim(path),
                    Err(failure) => refused = Some(failure),
                }
                break;
            }
        }
        let refused = refused.unwrap_or_else(|| Failure::new(Kind::Failed, "no free name for a sandbox"));
        Err(refused.hint(format!("name a short folder that user {} may write to: {DIR_VARIABLE}=/tmp", account.name())))
    }

    fn claim(path: PathBuf) -> Result<Folder> {
        // create_new follows no symlink: as root we write into a folder of another account.
        let lock = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path.join(LOCK));
        let lock = lock.explain(Kind::Failed, format!("cannot lock {}", path.display()))?;
        lock.lock().explain(Kind::Failed, format!("cannot lock {}", path.display()))?;
        Ok(Folder { path, lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A second handle on the lock: it is held until every handle is gone, in whatever process.
    pub(super) fn share_lock(&self) -> Result<File> {
        self.lock.try_clone().explain(Kind::Failed, "cannot share the sandbox's lock")
    }

    /// Writes the note; from now on others may sweep the folder once nobody holds its lock.
    pub(super) fn write_note(&self, note: &Note) -> Result<()> {
        let text = serde_json::to_string_pretty(note)?;
        let path = self.path.join(NOTE);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.explain(Kind::Failed, format!("cannot write {}", path.display()))
    }
}

/// Every sandbox of this account in the places where they are made, by name.
pub(super) fn seen(account: &Account, env: &Env) -> Vec<Seen> {
    let mut seen: Vec<Seen> = bases(env, true)
        .iter()
        .filter_map(|base| std::fs::read_dir(base).ok())
        .flatten()
        .filter_map(|entry| look_at(&entry.ok()?.path(), account))
        .collect();
    seen.sort_by(|a, b| a.path.cmp(&b.path));
    seen
}

/// Folders that were begun and never finished: no note, nobody in charge, older than ten minutes.
pub(super) fn abandoned(account: &Account, env: &Env) -> Vec<PathBuf> {
    let old = |path: &Path| {
        let modified = path.symlink_metadata().and_then(|meta| meta.modified()).ok();
        modified.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > BEING_MADE)
    };
    bases(env, true)
        .iter()
        .filter_map(|base| std::fs::read_dir(base).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| is_ours(path, account) && !path.join(NOTE).exists() && old(path))
        .filter(|path| File::open(path.join(LOCK)).map_or(true, |lock| lock.try_lock().is_ok()))
        .collect()
}

fn look_at(path: &Path, account: &Account) -> Option<Seen> {
    if !is_ours(path, account) {
        return None;
    }
    let lock = File::open(path.join(LOCK)).ok()?;
    let orphaned = lock.try_lock().is_ok().then_some(lock);
    // Read after the lock was tried: a folder in the making has none yet.
    let note = serde_json::from_str(&std::fs::read_to_string(path.join(NOTE)).ok()?).ok()?;
    Some(Seen { path: path.to_owned(), note, orphaned })
}

/// A real folder with our prefix that belongs to the account: in a shared temporary folder
/// anybody may make one of that name.
fn is_ours(path: &Path, account: &Account) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX))
        && path.symlink_metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == account.uid())
}

/// Where sandboxes may lie, the preferred place first.
fn bases(env: &Env, with_memory: bool) -> Vec<PathBuf> {
    if let Some(folder) = env.get(DIR_VARIABLE) {
        return vec![std::path::absolute(folder).unwrap_or_else(|_| PathBuf::from(folder))];
    }
    let memory = with_memory.then(|| PathBuf::from(MEMORY));
    let mut bases: Vec<PathBuf> = memory.into_iter().chain([std::env::temp_dir(), PathBuf::from("/tmp")]).collect();
    bases.retain(|base| base.is_absolute());
    bases.dedup();
    bases
}

/// Whether a memory file system is there and leaves a server enough; in containers it is often tiny.
fn is_roomy(folder: &Path) -> bool {
    // The types differ between systems.
    let free = |stat: Statvfs| u128::from(stat.blocks_available()) * u128::from(stat.fragment_size());
    statvfs(folder).is_ok_and(|stat| free(stat) >= MEMORY_WANTED)
}

fn random_name() -> String {
    std::iter::repeat_with(fastrand::lowercase).take(8).collect()
}

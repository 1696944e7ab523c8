//! Sandboxes as any process of the account sees them: list, stop, sweep. Knows the folders and the
//! keeper's cleaning; starts nothing.

use std::path::{Path, PathBuf};

use super::account::Account;
use super::address::socket_url;
use super::folder::{self, Note};
use super::keeper;
use crate::config::env::Env;
use crate::error::Result;

/// A sandbox as any process of the account sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The name by which it is stopped.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// What it says of itself.
    pub note: Note,
    /// The server's process; none when it does not run.
    pub server: Option<u32>,
}

impl Listed {
    /// The URL of a database over the socket.
    pub fn url(&self, dbname: &str) -> String {
        socket_url(&self.folder, self.note.port, dbname)
    }

    /// Stops the server at once and removes the folder.
    pub fn stop(&self) -> Result<()> {
        keeper::clean(&self.folder, &Account::choose()?)
    }
}

/// Every sandbox of this account, by name. Reads only.
pub fn list() -> Result<Vec<Listed>> {
    let account = Account::choose()?;
    let seen = folder::seen(&account, &Env::of_process());
    let listed = seen.into_iter().map(|seen| Listed {
        name: name_of(&seen.path),
        server: keeper::server_of(&seen.path, &account),
        folder: seen.path,
        note: seen.note,
    });
    Ok(listed.collect())
}

/// Removes what owners left behind that died together with their keeper; kept ones stay.
/// Returns the names of those removed.
pub fn sweep() -> Result<Vec<String>> {
    Ok(sweep_in(&Account::choose()?, &Env::of_process()))
}

pub(super) fn sweep_in(account: &Account, env: &Env) -> Vec<String> {
    let stale = folder::seen(account, env).into_iter().filter(|seen| seen.orphaned.is_some() && !seen.note.keep);
    // The lock stays held (in `seen`) while its folder is removed, so that only one process does it.
    let mut swept: Vec<String> =
        stale.filter(|seen| keeper::clean(&seen.path, account).is_ok()).map(|seen| name_of(&seen.path)).collect();
    for path in folder::abandoned(account, env) {
        if keeper::clean(&path, account).is_ok() {
            swept.push(name_of(&path));
        }
    }
    swept
}

pub(super) fn name_of(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.strip_prefix(folder::PREFIX).unwrap_or(&name).to_owned()
}

//! Under which account server programs run: this process's own, or, as root (which PostgreSQL
//! refuses), an unprivileged one. Knows accounts and processes; does not know PostgreSQL.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Gid, Uid, User};

use crate::error::{Explain, Failure, Kind, Result};

/// Tried in this order when the process is root.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// The account of the server and of everything that belongs to it.
#[derive(Debug, Clone)]
pub(super) struct Account {
    name: String,
    uid: Uid,
    gid: Gid,
    drops_root: bool,
}

impl Account {
    /// This process's account, or an unprivileged one when it is root.
    pub(super) fn choose() -> Result<Account> {
        let uid = Uid::effective();
        if !uid.is_root() {
            let name = User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name);
            return Ok(Account { name, uid, gid: Gid::effective(), drops_root: false });
        }
        UNPRIVILEGED
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten().filter(|user| !user.uid.is_root()))
            .map(|user| Account { name: user.name, uid: user.uid, gid: user.gid, drops_root: true })
            .ok_or_else(|| {
                Failure::new(
                    Kind::NotPermitted,
                    "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it as",
                )
                .hint("run as another user, or: useradd --system postgres")
            })
    }

    /// Whether the server runs under another account than this process.
    pub(super) fn drops_root(&self) -> bool {
        self.drops_root
    }

    /// The name of the account, its number where it has none.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The number of the account.
    pub(super) fn uid(&self) -> u32 {
        self.uid.as_raw()
    }

    /// A program that will run under the account, with nothing of our environment that could
    /// lead PostgreSQL astray (PGDATA, PGPORT, a locale) and without our working folder, which
    /// the account may not be allowed to enter.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
        for kept in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        if self.drops_root {
            command.uid(self.uid.as_raw()).gid(self.gid.as_raw());
        }
        command
    }

    /// A `/bin/sh` script under the account; `arguments` are `$1`, `$2`, …
    pub(super) fn script(&self, script: &str, arguments: &[&OsStr]) -> Command {
        let mut command = self.command("/bin/sh");
        command.arg("-c").arg(script).arg("dbctl-sandbox").args(arguments);
        command
    }

    /// Makes a folder the account's own.
    pub(super) fn give(&self, folder: &Path) -> Result<()> {
        if self.drops_root {
            std::os::unix::fs::chown(folder, Some(self.uid.as_raw()), Some(self.gid.as_raw()))
                .explain(Kind::Failed, format!("cannot give {} to user {}", folder.display(), self.name))?;
        }
        Ok(())
    }
}

/// Runs a program to its end; its output becomes the cause when it fails.
pub(super) fn complete(command: &mut Command, doing: &str) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().explain(Kind::Failed, format!("cannot {doing}: cannot run {program}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = [output.stderr, output.stdout].concat();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    let cause =
        anyhow::anyhow!("{program} ended with {}{}{said}", output.status, if said.is_empty() { "" } else { ": " });
    Err(Failure::from_cause(Kind::Failed, cause.context(format!("cannot {doing}"))))
}

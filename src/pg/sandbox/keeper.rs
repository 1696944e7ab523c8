//! Who ends a sandbox when its owner cannot: a small shell process that waits on a pipe from the
//! owner (the kernel closes it even after kill -9), stops the server and removes the folder. Knows
//! processes and the folder's layout; everything it does, it does under the server's account.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use super::account::{Account, complete};
use crate::error::{Explain, Kind, Result};

/// `clean FOLDER [PID]`. A pid counts only while its command line names our data folder: a number
/// in a file may since belong to somebody else. (A zombie's command line is empty.)
const CLEAN: &str = r#"
ours() {
  if [ -e /proc/self/cmdline ]; then grep -qsF -- "$1/data" "/proc/$2/cmdline"
  else ps -ww -o command= -p "$2" 2>/dev/null | grep -qF -- "$1/data"; fi
}
clean() {
  noted=
  [ -r "$1/data/postmaster.pid" ] && read -r noted <"$1/data/postmaster.pid"
  for pid in $noted $2; do
    tries=0
    while ours "$1" "$pid"; do
      case $tries in
        0) kill -QUIT "$pid"; kill -CONT "$pid" ;;
        250) kill -KILL "$pid" ;;
        300) break ;;
      esac
      tries=$((tries + 1)); sleep 0.02
    done
  done
  tries=0
  while ! rm -rf -- "$1" 2>/dev/null && [ $tries -lt 50 ]; do tries=$((tries + 1)); sleep 0.1; done
  [ ! -e "$1" ]
}
"#;

/// Reads words from the owner until the pipe closes: `server PID`, or `keep` to be dismissed.
const KEEP: &str = r#"
trap '' HUP INT TERM
server=
while read -r word value; do
  case $word in
    server) server=$value ;;
    keep) exit 0 ;;
  esac
done
clean "$1" "$server"
"#;

/// Holds the keeper's pipe (as its stdout) while process $1 lives and folder $2 exists. The start
/// time guards against a reused number; a zombie counts as dead.
const WATCH: &str = r#"
trap '' HUP INT TERM
look() {
  now=
  if [ -r "/proc/$1/stat" ]; then
    line=; while read -r part; do line="$line $part"; done 2>/dev/null <"/proc/$1/stat" || return 0
    set -- ${line##*) }
    [ "$1" = Z ] || [ "$1" = X ] || now=${20}
  elif command -v ps >/dev/null 2>&1; then now=$(ps -o lstart= -p "$1" 2>/dev/null)
  elif kill -0 "$1" 2>/dev/null; then now=alive
  fi
}
look "$1"; first=$now
while [ -n "$now" ] && [ "$now" = "$first" ] && [ -d "$2" ]; do sleep 0.3; look "$1"; done
"#;

/// The keeper as its owner holds it.
#[derive(Debug)]
pub(super) struct Keeper {
    process: Child,
    pipe: Option<ChildStdin>,
}

impl Keeper {
    /// Starts to guard a folder; `lock` is the folder's, held until the keeper is done.
    pub(super) fn guard(folder: &Path, lock: File, account: &Account) -> Result<Keeper> {
        let mut command = account.script(&format!("{CLEAN}{KEEP}"), &[folder.as_os_str()]);
        // A group of its own: Ctrl-C in the owner's terminal is not for it.
        command.stdin(Stdio::piped()).stdout(lock).stderr(Stdio::null()).process_group(0);
        let mut process = command.spawn().explain(Kind::Failed, "cannot start the sandbox's keeper")?;
        let pipe = process.stdin.take();
        Ok(Keeper { process, pipe })
    }

    /// Tells which process the server is, for the moment in which it has not written that itself.
    pub(super) fn note_server(&mut self, pid: u32) {
        self.tell(&format!("server {pid}\n"));
    }

    /// Sends the keeper away; the server stays until it is stopped by name.
    pub(super) fn dismiss(mut self) {
        self.tell("keep\n");
        self.pipe = None;
        let _ = self.process.wait();
    }

    /// Makes process `owner` the one whose death ends the sandbox, instead of this one.
    pub(super) fn hand_over(mut self, owner: u32, folder: &Path) -> Result<()> {
        let Some(pipe) = self.pipe.take() else { return Ok(()) };
        let mut watch = Command::new("/bin/sh");
        watch.arg("-c").arg(WATCH).arg("dbctl-sandbox").arg(owner.to_string()).arg(folder).current_dir("/");
        watch.stdin(Stdio::null()).stdout(pipe).stderr(Stdio::null()).process_group(0);
        watch.spawn().explain(Kind::Failed, "cannot watch the sandbox's owner")?;
        Ok(())
    }

    /// Closes the pipe and waits until the keeper has cleaned up.
    pub(super) fn finish(&mut self) {
        self.pipe = None;
        let _ = self.process.wait();
    }

    /// A keeper that was killed reads nothing; whoever finishes then cleans by itself.
    fn tell(&mut self, words: &str) {
        if let Some(pipe) = &mut self.pipe {
            let _ = pipe.write_all(words.as_bytes());
        }
    }
}

/// Stops whatever server runs in the folder and removes it.
pub(super) fn clean(folder: &Path, account: &Account) -> Result<()> {
    let mut command = account.script(&format!("{CLEAN}\nclean \"$1\""), &[folder.as_os_str()]);
    complete(&mut command, &format!("remove sandbox {}", folder.display())).map(drop)
}

/// The server process of a folder, where one runs.
pub(super) fn server_of(folder: &Path, account: &Account) -> Option<u32> {
    let script = format!("{CLEAN}\nread -r pid <\"$1/data/postmaster.pid\" && ours \"$1\" \"$pid\" && echo \"$pid\"");
    let mut command = account.script(&script, &[folder.as_os_str()]);
    complete(&mut command, "look for the server").ok()?.trim().parse().ok()
}

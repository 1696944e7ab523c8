//! A server program beside a private server, under the same account; it ends with its owner.

use std::ffi::OsStr;
use std::process::{Child, Stdio};

use dbctl::pg::sandbox::Sandbox;
use nix::sys::signal::Signal;

/// A program under way; it gets its signal when this is dropped or when the test process dies.
pub struct Background {
    shell: Child,
}

impl Background {
    /// Starts a program; its output is lost.
    pub fn start(server: &Sandbox, ends_by: Signal, program: &OsStr, arguments: &[&OsStr]) -> Background {
        // The shell waits for the end of its input, which comes with the end of this process too.
        let script = format!(
            r#""$@" >/dev/null 2>&1 & pid=$!; read -r _; kill -{} $pid; wait $pid"#,
            ends_by.as_str().trim_start_matches("SIG")
        );
        let mut command = server.command_as_server("/bin/sh");
        command.args(["-c", script.as_str(), "sh"]).arg(program).args(arguments);
        Background { shell: command.stdin(Stdio::piped()).spawn().expect("a shell can be started") }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

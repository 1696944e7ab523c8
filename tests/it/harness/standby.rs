//! Servers made from a private one: a streaming standby, and one that never finishes starting.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use dbctl::pg::sandbox::Sandbox;
use nix::sys::signal::Signal;

use super::Session;
use super::background::Background;

/// A copy of a server that runs on a socket beside it.
pub struct Copy {
    _process: Background,
    folder: PathBuf,
    port: u16,
}

/// Takes a base backup and starts it as a standby that follows the server.
pub fn standby(server: &Sandbox) -> Copy {
    let data = back_up(server, "standby", &["-R"]);
    // In words that an older libpq knows too: the server may find the machine's before its own.
    let primary = format!(
        "primary_conninfo = 'host={} port={} user={} application_name=copy'",
        server.socket_dir().display(),
        server.port(),
        server.superuser()
    );
    let mut conninfo = server.command_as_server("/bin/sh");
    conninfo.args(["-c", r#"echo "$2" >>"$1""#, "sh"]).arg(data.join("postgresql.auto.conf")).arg(primary);
    assert!(conninfo.status().expect("a shell runs").success());
    Copy::start(server, &data, 5433)
}

/// Takes a base backup and starts it so that it waits for WAL for ever: every connection is told
/// that the server is starting up.
pub fn starting(server: &Sandbox) -> Copy {
    let data = back_up(server, "starting", &[]);
    let mut touch = server.command_as_server("touch");
    assert!(touch.arg(data.join("recovery.signal")).status().expect("touch runs").success());
    std::fs::write(data.join("waits.conf"), "restore_command = 'sleep 60; false'\n").expect("a file can be written");
    let mut include = server.command_as_server("/bin/sh");
    include.args(["-c", r#"echo "include 'waits.conf'" >>"$1""#, "sh"]).arg(data.join("postgresql.conf"));
    assert!(include.status().expect("a shell runs").success());
    Copy::start(server, &data, 5434)
}

fn back_up(server: &Sandbox, name: &str, more: &[&str]) -> PathBuf {
    let data = server.socket_dir().join(name);
    let mut backup = server.command_as_server(server.program("pg_basebackup"));
    backup.arg("-h").arg(server.socket_dir()).args(["-p", &server.port().to_string(), "-U", server.superuser()]);
    backup.arg("-D").arg(&data).args(["--checkpoint=fast", "--no-sync"]).args(more);
    let output = backup.output().expect("pg_basebackup runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    data
}

impl Copy {
    fn start(server: &Sandbox, data: &Path, port: u16) -> Copy {
        let arguments: [OsString; 4] = ["-D".into(), data.into(), "-p".into(), port.to_string().into()];
        let arguments: Vec<&OsStr> = arguments.iter().map(OsString::as_os_str).collect();
        let process = Background::start(server, Signal::SIGQUIT, server.program("postgres").as_os_str(), &arguments);
        Copy { _process: process, folder: server.socket_dir().to_owned(), port }
    }

    /// As psql takes it.
    pub fn url(&self, dbname: &str) -> String {
        format!("postgresql://postgres@/{dbname}?host={}&port={}", self.folder.display(), self.port)
    }

    /// A session, or why there is none yet.
    pub fn session(&self, dbname: &str) -> Result<Session, super::SqlError> {
        let mut config = tokio_postgres::Config::new();
        config.host_path(&self.folder).port(self.port).user("postgres").dbname(dbname);
        Session::open(config)
    }
}

//! A real PgBouncer in front of a private server, on a Unix socket beside the server's own.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};

use dbctl::pg::sandbox::Sandbox;
use nix::sys::signal::Signal;

use super::background::Background;
use super::{eventually, servers};

/// A running PgBouncer.
pub struct Pooler {
    _process: Background,
    port: u16,
    folder: PathBuf,
}

impl Pooler {
    /// In `transaction`, `session` or `statement` mode, with further lines of pgbouncer.ini. None
    /// where PgBouncer is not installed, which has been said loudly then.
    pub fn start(server: &Sandbox, mode: &str, settings: &[(&str, &str)]) -> Option<Pooler> {
        static PORT: AtomicU16 = AtomicU16::new(6432);
        let program = servers::pgbouncer()?;
        let port = PORT.fetch_add(1, Ordering::Relaxed);
        let folder = server.socket_dir().to_owned();
        let file = folder.join(format!("pgbouncer-{port}.ini"));
        let mut ini = format!(
            "[databases]\n* = host={folder} port={} user={}\n[pgbouncer]\nlisten_port = {port}\n\
             unix_socket_dir = {folder}\nauth_type = any\npool_mode = {mode}\nmax_client_conn = 200\n",
            server.port(),
            server.superuser(),
            folder = folder.display(),
        );
        for (name, value) in settings {
            ini.push_str(&format!("{name} = {value}\n"));
        }
        std::fs::write(&file, ini).expect("a file can be written");
        // It refuses to run as root.
        let process = Background::start(server, Signal::SIGINT, program.as_os_str(), &[file.as_os_str()]);
        let socket = folder.join(format!(".s.PGSQL.{port}"));
        eventually("PgBouncer listens", || std::os::unix::net::UnixStream::connect(&socket).is_ok());
        Some(Pooler { _process: process, port, folder })
    }

    /// The URL of a database through the pooler.
    pub fn url(&self, dbname: &str) -> String {
        format!("postgresql://postgres@/{dbname}?host={}&port={}", self.folder.display(), self.port)
    }
}

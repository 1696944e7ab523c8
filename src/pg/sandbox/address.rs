//! How a sandbox is reached: URLs, ports, the password for TCP. Knows libpq's URL form; starts nothing.

use std::path::Path;
use std::time::Duration;

use super::{DEFAULT_PORT, SUPERUSER};
use crate::config::Secret;
use crate::config::connection::Connection;
use crate::error::{Explain, Kind, Result};

/// How to reach a database over the socket.
pub(super) fn connection(socket_dir: &Path, port: u16, dbname: &str) -> Connection {
    let connection = Connection::over_socket(socket_dir, port, SUPERUSER, dbname);
    Connection { connect_timeout: Some(Duration::from_secs(10)), ..connection }
}

pub(super) fn socket_url(folder: &Path, port: u16, dbname: &str) -> String {
    let host = percent_encoded(&folder.to_string_lossy());
    format!("postgresql://{SUPERUSER}@/{}?host={host}&port={port}", percent_encoded(dbname))
}

pub(super) fn tcp_url(port: u16, password: &Secret, dbname: &str) -> String {
    format!("postgresql://{SUPERUSER}:{}@127.0.0.1:{port}/{}", password.reveal(), percent_encoded(dbname))
}

/// Everything but letters, digits and `-._~/` as `%xx`.
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// The wanted port; 0 stands for one that was free a moment ago.
pub(super) fn choose_port(wanted: Option<u16>) -> Result<u16> {
    match wanted {
        None => Ok(DEFAULT_PORT),
        Some(0) => {
            let socket = std::net::TcpListener::bind(("127.0.0.1", 0)).explain(Kind::Failed, "no free TCP port")?;
            Ok(socket.local_addr().explain(Kind::Failed, "no free TCP port")?.port())
        }
        Some(port) => Ok(port),
    }
}

pub(super) fn random_password() -> Result<Secret> {
    use std::io::Read as _;
    let mut bytes = [0_u8; 16];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.explain(Kind::Failed, "cannot read /dev/urandom")?;
    Ok(Secret::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_survives_odd_names() {
        assert_eq!(
            socket_url(Path::new("/tmp/a b"), 5432, "été?"),
            "postgresql://postgres@/%C3%A9t%C3%A9%3F?host=/tmp/a%20b&port=5432"
        );
    }
}

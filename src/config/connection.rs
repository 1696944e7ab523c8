//! How to reach a server, as plain values: what psql would have made of the same URL, keyword
//! string, PG* variables, password file and service file. Does not know the driver.

use std::path::PathBuf;
use std::time::Duration;

use super::Secret;

/// Everything needed to connect. One database, one or several hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Tried in order until one answers and suits `target_session_attrs`.
    pub hosts: Vec<Host>,
    /// The role.
    pub user: String,
    /// From the URL, PGPASSWORD or the password file (the latter is looked up per host, see [`Host::password`]).
    pub password: Option<Secret>,
    /// The database.
    pub dbname: String,
    /// How TLS is used.
    pub tls: Tls,
    /// Which kind of server is wanted of several.
    pub target_session_attrs: TargetSessionAttrs,
    /// How long one host may take to answer; none waits for ever.
    pub connect_timeout: Option<Duration>,
    /// Sent as application_name where the caller does not choose one.
    pub application_name: Option<String>,
    /// Start-up options such as `-c search_path=app`.
    pub options: Option<String>,
    /// TCP keepalives.
    pub keepalives: Keepalives,
}

/// One place a server may listen at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Where.
    pub address: Address,
    /// The port (also part of a socket's file name).
    pub port: u16,
    /// The password file's word for this host, port, database and user.
    pub password: Option<Secret>,
}

/// A host name, an address, or a folder with a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A name to resolve, or an IP address; `hostaddr`, where given, is dialled instead while the name is verified.
    Tcp {
        /// The name that certificates and the password file know.
        host: String,
        /// `hostaddr`.
        hostaddr: Option<std::net::IpAddr>,
    },
    /// The folder of a Unix socket.
    Unix(PathBuf),
}

/// libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// Never.
    Disable,
    /// Plain first, TLS when the server insists.
    Allow,
    /// TLS first, plain when the server has none.
    Prefer,
    /// TLS; certificate checked only where a root certificate file exists.
    Require,
    /// TLS; the certificate must chain to a known root.
    VerifyCa,
    /// TLS; the certificate must also name the host.
    VerifyFull,
}

/// How TLS is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// `sslmode`.
    pub mode: SslMode,
    /// `sslrootcert`: a PEM file, or the system's roots.
    pub root: RootCert,
    /// `sslcert`.
    pub cert: Option<PathBuf>,
    /// `sslkey`.
    pub key: Option<PathBuf>,
    /// `sslnegotiation=direct` (PostgreSQL 17 and newer).
    pub direct: bool,
    /// `sslsni`.
    pub sni: bool,
}

/// libpq's `sslrootcert`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootCert {
    /// `~/.postgresql/root.crt` where it exists.
    Default,
    /// `sslrootcert=system`.
    System,
    /// A PEM file.
    File(PathBuf),
}

/// libpq's `target_session_attrs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetSessionAttrs {
    /// Any server.
    Any,
    /// Accepts writes by default.
    ReadWrite,
    /// Does not.
    ReadOnly,
    /// Not in recovery.
    Primary,
    /// In recovery.
    Standby,
    /// A standby, else any.
    PreferStandby,
}

/// TCP keepalives; `None` leaves the system's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalives {
    /// `keepalives`.
    pub on: bool,
    /// `keepalives_idle`.
    pub idle: Option<Duration>,
    /// `keepalives_interval`.
    pub interval: Option<Duration>,
    /// `keepalives_count`.
    pub count: Option<u32>,
}

//! How to reach a server, as plain values: what psql would have made of the same URL, keyword
//! string, PG* variables, password file and service file (PostgreSQL documentation, 34.1 and 34.15
//! to 34.17). Does not know the driver.

mod children;
mod keywords;
mod passfile;
mod resolve;
mod service;
mod url;
mod values;

use std::fmt;
use std::path::{Path, PathBuf};
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
    /// How long sent data may stay unacknowledged on TCP; none leaves the system's value.
    pub tcp_user_timeout: Option<Duration>,
    /// Whether the SCRAM exchange is tied to the TLS channel.
    pub channel_binding: ChannelBinding,
    /// The operating system's user that the server must run as, asked of Unix sockets.
    pub requirepeer: Option<String>,
    /// Hosts are tried in random order.
    pub load_balance: bool,
    /// The password file, asked again where the database changes.
    pub passfile: Option<PathBuf>,
    /// What a person should be told, such as a password file that was ignored; a line each.
    pub notes: Vec<String>,
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
    /// `sslcert`, or `~/.postgresql/postgresql.crt` where it exists.
    pub cert: Option<PathBuf>,
    /// `sslkey`, or `~/.postgresql/postgresql.key` beside a certificate.
    pub key: Option<PathBuf>,
    /// `sslnegotiation=direct` (PostgreSQL 17 and newer).
    pub direct: bool,
    /// `sslsni`.
    pub sni: bool,
    /// `ssl_min_protocol_version` is TLSv1.3; otherwise 1.2, the oldest that is spoken.
    pub only_tls13: bool,
    /// `ssl_max_protocol_version` is TLSv1.2.
    pub only_tls12: bool,
}

/// libpq's `sslrootcert`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootCert {
    /// None named, and there is no `~/.postgresql/root.crt`.
    Absent,
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

/// libpq's `channel_binding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelBinding {
    /// Never.
    Disable,
    /// Where the server offers it.
    Prefer,
    /// Or no connection.
    Require,
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

impl Connection {
    /// What a person calls it: `bridge on db1:5432 as app`. Never a password.
    pub fn label(&self) -> String {
        let hosts = self.hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let text = format!("{} on {hosts} as {}", self.dbname, self.user);
        text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
    }

    /// The same servers and role, another database. The password file is asked again, because its
    /// lines may name databases.
    #[must_use]
    pub fn with_dbname(&self, dbname: impl Into<String>) -> Connection {
        let mut other = Connection { dbname: dbname.into(), ..self.clone() };
        other.look_up_passwords();
        other
    }

    /// The same database on one of the hosts only, such as the one that answered.
    #[must_use]
    pub fn with_host(&self, host: &Host) -> Connection {
        Connection { hosts: vec![host.clone()], ..self.clone() }
    }

    /// One server over its Unix socket, nothing read from the environment or from files.
    pub fn over_socket(folder: &Path, port: u16, user: impl Into<String>, dbname: impl Into<String>) -> Connection {
        Connection {
            hosts: vec![Host { address: Address::Unix(folder.to_owned()), port, password: None }],
            user: user.into(),
            password: None,
            dbname: dbname.into(),
            tls: Tls {
                mode: SslMode::Disable,
                root: RootCert::Absent,
                cert: None,
                key: None,
                direct: false,
                sni: true,
                only_tls13: false,
                only_tls12: false,
            },
            target_session_attrs: TargetSessionAttrs::Any,
            connect_timeout: None,
            application_name: None,
            options: None,
            keepalives: Keepalives { on: true, idle: None, interval: None, count: None },
            tcp_user_timeout: None,
            channel_binding: ChannelBinding::Prefer,
            requirepeer: None,
            load_balance: false,
            passfile: None,
            notes: Vec::new(),
        }
    }
}

/// `db1:5432`, `[::1]:5432` or `/var/run/postgresql:5432`.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp { host, .. } if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Address::Tcp { host, .. } => write!(f, "{host}:{}", self.port),
            Address::Unix(folder) => write!(f, "{}:{}", folder.display(), self.port),
        }
    }
}

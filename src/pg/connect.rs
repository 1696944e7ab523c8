//! Connecting as psql does: hosts in order, TLS as `sslmode` wants, the sort of server that
//! `target_session_attrs` wants. Does not know where the settings came from.

use std::error::Error as _;
use std::future::poll_fn;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_postgres::config::ChannelBinding as DriverBinding;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{AsyncMessage, Client, Config, SimpleQueryMessage};

pub use super::cancel::Cancel;
use super::tls::TlsSetup;
use super::unreachable::{Attempt, Why, failure};
use super::wire::{Channel, Encrypted, Encryption, Endpoint, Stream};
use crate::config::connection::{Address, ChannelBinding, Connection, Host, SslMode, TargetSessionAttrs};
use crate::error::Result;

/// A connection in use. Its traffic runs in a task on the runtime that opened it.
pub struct Link {
    /// The driver's handle.
    pub client: Client,
    /// Stops what the connection is running.
    pub cancel: Cancel,
    /// What the server says on the side (NOTICE, WARNING ...). While nobody reads, the first few
    /// thousand are kept and the rest are dropped.
    pub notices: mpsc::Receiver<DbError>,
    /// The one of the hosts that was connected to.
    pub host: Host,
    /// Whether the traffic is encrypted.
    pub encrypted: bool,
    /// The server's major version, as it said when it was connected to.
    pub major: Option<u32>,
    /// Whether the rows of a COPY are put together as they come.
    pub together: Arc<AtomicBool>,
    end: Arc<OnceLock<tokio_postgres::Error>>,
    task: JoinHandle<()>,
}

const NOTICES_KEPT: usize = 4096;

impl Link {
    /// Why the connection broke, once it has: the server's last word (such as 57P01, terminated by
    /// an administrator), which the statement that was running does not get to see.
    pub fn broken_by(&self) -> Option<&tokio_postgres::Error> {
        self.end.get()
    }

    /// Says goodbye to the server and waits, for at most a second, until that is sent.
    pub async fn close(self) {
        drop(self.client);
        let _ = tokio::time::timeout(Duration::from_secs(1), self.task).await;
    }
}

/// Connects to the first host that answers and suits. `application_name` wins over the connection's
/// own; empty leaves that.
///
/// Fails with [`crate::error::Kind::Unreachable`], or with `NotPermitted` where the login was
/// refused, naming every host that was tried; with `Invalid` where a certificate file is no good.
pub async fn open(connection: &Connection, application_name: &str) -> Result<Link> {
    let opener = Opener { connection, application_name, tls: OnceLock::new() };
    let passes: &[TargetSessionAttrs] = match &connection.target_session_attrs {
        TargetSessionAttrs::PreferStandby => &[TargetSessionAttrs::Standby, TargetSessionAttrs::Any],
        only => std::slice::from_ref(only),
    };
    let mut attempts = Vec::new();
    for wanted in passes {
        attempts.clear();
        if let Some(link) = opener.first_that_suits(*wanted, &mut attempts).await? {
            return Ok(link);
        }
    }
    Err(failure(connection, &attempts))
}

struct Opener<'a> {
    connection: &'a Connection,
    application_name: &'a str,
    tls: OnceLock<TlsSetup>,
}

impl Opener<'_> {
    /// Goes through the hosts and their addresses. As in libpq, a server that was reached and
    /// refuses ends the search, unless it cannot take connections at all just now.
    async fn first_that_suits(&self, wanted: TargetSessionAttrs, attempts: &mut Vec<Attempt>) -> Result<Option<Link>> {
        let mut hosts: Vec<&Host> = self.connection.hosts.iter().collect();
        if self.connection.load_balance {
            fastrand::shuffle(&mut hosts);
        }
        for host in hosts {
            let mut endpoints = match self.in_time(Endpoint::of(host)).await {
                Ok(endpoints) => endpoints,
                Err(why) => {
                    attempts.push(Attempt { host: host.clone(), endpoint: None, encrypted: false, why });
                    continue;
                }
            };
            if self.connection.load_balance {
                fastrand::shuffle(&mut endpoints);
            }
            for endpoint in endpoints {
                if let Some(link) = self.at(host, &endpoint, wanted, attempts).await? {
                    return Ok(Some(link));
                }
                if attempts.last().is_some_and(|attempt| is_final(&attempt.why)) {
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    /// Tries one address in the one or two ways that `sslmode` allows.
    async fn at(
        &self,
        host: &Host,
        endpoint: &Endpoint,
        wanted: TargetSessionAttrs,
        attempts: &mut Vec<Attempt>,
    ) -> Result<Option<Link>> {
        let mode = match endpoint {
            Endpoint::Unix(_) => SslMode::Disable,
            Endpoint::Tcp(_) => self.connection.tls.mode,
        };
        let ways: &[Way] = match mode {
            SslMode::Disable => &[Way::Plain],
            SslMode::Allow => &[Way::Plain, Way::Tls],
            SslMode::Prefer => &[Way::TlsIfOffered, Way::Plain],
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Way::Tls],
        };
        for way in ways {
            let encryption = match way {
                Way::Plain => Encryption::Never,
                Way::TlsIfOffered => Encryption::IfOffered(self.tls()?),
                Way::Tls => Encryption::Always(self.tls()?),
            };
            let why = match self.in_time(Box::pin(self.once(host, endpoint, encryption, wanted))).await {
                Ok(link) => return Ok(Some(link)),
                Err(why) => why,
            };
            let again = may_differ_the_other_way(&why, mode);
            let encrypted = *way != Way::Plain;
            attempts.push(Attempt { host: host.clone(), endpoint: Some(endpoint.clone()), encrypted, why });
            if !again {
                break;
            }
        }
        Ok(None)
    }

    async fn once(
        &self,
        host: &Host,
        endpoint: &Endpoint,
        encryption: Encryption<'_>,
        wanted: TargetSessionAttrs,
    ) -> std::result::Result<Link, Why> {
        let name = match &host.address {
            Address::Tcp { host, .. } => host.as_str(),
            Address::Unix(_) => "",
        };
        let channel = Channel::open(endpoint.dial(self.connection).await?, encryption, name).await?;
        let tls = match (&channel, encryption) {
            (Channel::Tls(_), Encryption::IfOffered(setup) | Encryption::Always(setup)) => Some(setup.clone()),
            _ => None,
        };
        let mut config = self.start_up(host);
        let together = Arc::default();
        let (stream, done) = channel.for_driver(&mut config, &together);
        let (client, traffic) = config.connect_raw(stream, done).await.map_err(Why::StartUp)?;
        let reported = Role::reported(&traffic);
        let version = traffic.parameter("server_version").unwrap_or_default();
        let major = version.split(|c: char| !c.is_ascii_digit()).next().and_then(|major| major.parse().ok());
        let cancel = Cancel {
            token: client.cancel_token(),
            connection: Arc::new(self.connection.clone()),
            endpoint: endpoint.clone(),
            host: name.to_owned(),
            tls,
        };
        let encrypted = cancel.tls.is_some();
        let (end, (sender, notices)) = (Arc::new(OnceLock::new()), mpsc::channel(NOTICES_KEPT));
        let task = tokio::spawn(run(traffic, sender, Arc::clone(&end)));
        let link = Link { client, cancel, notices, host: host.clone(), encrypted, major, together, end, task };
        match link.unsuitable(wanted, reported).await {
            Ok(None) => Ok(link),
            Ok(Some(what)) => {
                link.close().await;
                Err(Why::Unsuitable(what))
            }
            Err(error) => Err(Why::StartUp(error)),
        }
    }

    fn start_up(&self, host: &Host) -> Config {
        let connection = self.connection;
        let mut config = Config::new();
        config.user(&connection.user).dbname(&connection.dbname);
        if let Some(password) = connection.password.as_ref().or(host.password.as_ref()) {
            config.password(password.reveal());
        }
        if let Some(name) =
            Some(self.application_name).filter(|n| !n.is_empty()).or(connection.application_name.as_deref())
        {
            config.application_name(name);
        }
        // PgBouncer refuses start-up options: none is sent unless somebody asked for one.
        if let Some(options) = &connection.options {
            config.options(options);
        }
        config.channel_binding(match connection.channel_binding {
            ChannelBinding::Disable => DriverBinding::Disable,
            ChannelBinding::Prefer => DriverBinding::Prefer,
            ChannelBinding::Require => DriverBinding::Require,
        });
        config
    }

    fn tls(&self) -> Result<&TlsSetup> {
        if let Some(built) = self.tls.get() {
            return Ok(built);
        }
        let built = TlsSetup::build(&self.connection.tls)?;
        Ok(self.tls.get_or_init(|| built))
    }

    async fn in_time<T>(
        &self,
        attempt: impl Future<Output = std::result::Result<T, Why>>,
    ) -> std::result::Result<T, Why> {
        let Some(patience) = self.connection.connect_timeout else { return attempt.await };
        tokio::time::timeout(patience, attempt).await.unwrap_or(Err(Why::TimedOut(patience)))
    }
}

/// One way of using TLS with a server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    TlsIfOffered,
    Tls,
}

/// Whether other hosts are pointless: the server was reached and said no.
fn is_final(why: &Why) -> bool {
    match why {
        Why::NoTls | Why::Handshake(_) | Why::Peer { .. } => true,
        Why::StartUp(error) => {
            let broke = error.is_closed() || error.source().is_some_and(|cause| cause.is::<std::io::Error>());
            !broke && error.code() != Some(&SqlState::CANNOT_CONNECT_NOW)
        }
        Why::Lookup(_) | Why::Dial(_) | Why::Broken(_) | Why::TimedOut(_) | Why::Gibberish(_) | Why::Unsuitable(_) => {
            false
        }
    }
}

/// Whether `allow` and `prefer` try their other way: pg_hba.conf may have lines for one only, and
/// the handshake may fail. Unlike libpq, `prefer` does not show a refused password once more in plain.
fn may_differ_the_other_way(why: &Why, mode: SslMode) -> bool {
    let code = why.refusal().map(DbError::code);
    match mode {
        SslMode::Prefer => {
            matches!(why, Why::Handshake(_) | Why::Gibberish(b'E'))
                || code == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
        }
        SslMode::Allow => code.is_some_and(|code| code.code().starts_with("28")),
        _ => false,
    }
}

/// Carries the traffic until either side ends it.
async fn run(
    mut traffic: tokio_postgres::Connection<Stream, Encrypted>,
    notices: mpsc::Sender<DbError>,
    end: Arc<OnceLock<tokio_postgres::Error>>,
) {
    loop {
        match poll_fn(|cx| traffic.poll_message(cx)).await {
            Some(Ok(AsyncMessage::Notice(notice))) => {
                let _ = notices.try_send(notice);
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                let _ = end.set(error);
                return;
            }
            None => return,
        }
    }
}

/// What a server is to `target_session_attrs`.
#[derive(Clone, Copy)]
struct Role {
    in_recovery: bool,
    read_only: bool,
}

impl Role {
    /// What servers from 14 on report unasked; poolers may not.
    fn reported(traffic: &tokio_postgres::Connection<Stream, Encrypted>) -> Option<Role> {
        let in_recovery = traffic.parameter("in_hot_standby")? == "on";
        let read_only = traffic.parameter("default_transaction_read_only")? == "on";
        Some(Role { in_recovery, read_only: in_recovery || read_only })
    }

    /// What is wrong with it, if anything.
    fn fault(self, wanted: TargetSessionAttrs) -> Option<&'static str> {
        match wanted {
            TargetSessionAttrs::ReadWrite if self.read_only => Some("is read-only"),
            TargetSessionAttrs::ReadOnly if !self.read_only => Some("accepts writes"),
            TargetSessionAttrs::Primary if self.in_recovery => Some("is a standby"),
            TargetSessionAttrs::Standby if !self.in_recovery => Some("is a primary"),
            _ => None,
        }
    }
}

impl Link {
    async fn unsuitable(
        &self,
        wanted: TargetSessionAttrs,
        reported: Option<Role>,
    ) -> std::result::Result<Option<&'static str>, tokio_postgres::Error> {
        if wanted == TargetSessionAttrs::Any {
            return Ok(None);
        }
        let role = match reported {
            Some(role) => role,
            None => Role {
                in_recovery: self.is("SELECT pg_catalog.pg_is_in_recovery()", "t").await?,
                read_only: self.is("SHOW transaction_read_only", "on").await?,
            },
        };
        Ok(role.fault(wanted))
    }

    async fn is(&self, sql: &str, wanted: &str) -> std::result::Result<bool, tokio_postgres::Error> {
        let answer = self.client.simple_query(sql).await?;
        Ok(answer.iter().any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some(wanted))))
    }
}

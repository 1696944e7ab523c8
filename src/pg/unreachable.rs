//! Why a connection could not be had, as a person reads it: what happened at each host, and what to
//! do. Does not open connections.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use chrono::DateTime;
use rustls::{AlertDescription, CertificateError, pki_types::UnixTime};
use tokio_postgres::error::{DbError, SqlState};

use super::wire::Endpoint;
use crate::config::connection::{ChannelBinding, Connection, Host, RootCert, SslMode};
use crate::error::{Failure, Kind};
use crate::ident::Ident;

/// What stopped one attempt.
#[derive(Debug)]
pub(super) enum Why {
    /// The name could not be resolved.
    Lookup(io::Error),
    /// Nobody took the connection.
    Dial(io::Error),
    /// It broke while TLS was agreed on.
    Broken(io::Error),
    /// Nothing was heard in time.
    TimedOut(Duration),
    /// The server has no TLS.
    NoTls,
    /// The answer to the question for TLS was neither yes nor no.
    Gibberish(u8),
    /// TLS could not be set up.
    Handshake(io::Error),
    /// The server, or the driver, ended the start-up.
    StartUp(tokio_postgres::Error),
    /// The socket belongs to someone else.
    Peer { wanted: String, found: String },
    /// Connected, but not the sort of server that was asked for.
    Unsuitable(&'static str),
}

/// One attempt that failed.
#[derive(Debug)]
pub(super) struct Attempt {
    pub host: Host,
    pub endpoint: Option<Endpoint>,
    pub encrypted: bool,
    pub why: Why,
}

impl Why {
    /// The server's refusal, where it sent one.
    pub fn refusal(&self) -> Option<&DbError> {
        match self {
            Why::StartUp(error) => error.as_db_error(),
            _ => None,
        }
    }

    /// The kind of failure that this is.
    fn kind(&self) -> Kind {
        match self {
            Why::Peer { .. } => Kind::NotPermitted,
            _ if self.wants_password() || self.alert().is_some_and(is_about_our_certificate) => Kind::NotPermitted,
            _ => match self.refusal().map(DbError::code) {
                Some(code) if code.code().starts_with("28") || *code == SqlState::INSUFFICIENT_PRIVILEGE => {
                    Kind::NotPermitted
                }
                _ => Kind::Unreachable,
            },
        }
    }

    /// The driver has no kind for this, only a text.
    fn wants_password(&self) -> bool {
        let Why::StartUp(error) = self else { return false };
        error.source().is_some_and(|cause| cause.to_string() == "password missing")
    }

    fn rustls(&self) -> Option<&rustls::Error> {
        match self {
            Why::Handshake(error) => rustls_error(error),
            Why::StartUp(error) => error.source()?.downcast_ref::<io::Error>().and_then(rustls_error),
            _ => None,
        }
    }

    /// What the server said against our side of TLS. In TLS 1.3 it does so only after the handshake.
    fn alert(&self) -> Option<AlertDescription> {
        match self.rustls() {
            Some(rustls::Error::AlertReceived(alert)) => Some(*alert),
            _ => None,
        }
    }

    /// A message and hints.
    pub fn describe(&self, connection: &Connection) -> (String, Vec<String>) {
        let (message, hint) = match self {
            Why::Lookup(error) => (
                format!("the host name cannot be resolved: {error}"),
                Some("check the spelling; hostaddr=ADDRESS goes around the name service".to_owned()),
            ),
            Why::Dial(error) => (dial(error), None),
            Why::Broken(error) => (format!("the connection broke while asking for TLS: {error}"), None),
            Why::TimedOut(patience) => (
                format!("no answer within {} s", patience.as_secs_f64()),
                Some("a firewall may drop the packets, or the server may be overloaded; connect_timeout=SECONDS waits longer".to_owned()),
            ),
            Why::NoTls => (
                format!("the server has no TLS, but sslmode={} wants it", connection.tls.mode.word()),
                Some("turn it on at the server (ALTER SYSTEM SET ssl = on; SELECT pg_reload_conf()), or accept plain text: sslmode=prefer".to_owned()),
            ),
            Why::Gibberish(byte) => (
                format!("what answered is not a PostgreSQL server (byte {byte:#04x} in reply to the request for TLS)"),
                Some("check host and port".to_owned()),
            ),
            Why::Peer { wanted, found } => (
                format!("the server's socket belongs to {found}, but requirepeer={wanted}"),
                None,
            ),
            Why::Unsuitable(what) => (
                format!("the server {what}, but target_session_attrs={}", connection.target_session_attrs.word()),
                Some("list every server in host=, or use target_session_attrs=any".to_owned()),
            ),
            Why::Handshake(error) => return handshake(error, connection),
            Why::StartUp(error) => return self.start_up(error, connection),
        };
        (message, hint.into_iter().collect())
    }

    fn start_up(&self, error: &tokio_postgres::Error, connection: &Connection) -> (String, Vec<String>) {
        if let Some(refusal) = error.as_db_error() {
            let mut message = format!("{} (SQLSTATE {})", refusal.message(), refusal.code().code());
            if let Some(detail) = refusal.detail() {
                let _ = write!(message, "; {detail}");
            }
            let hints = refusal.hint().map(str::to_owned).into_iter().chain(hint_for(refusal.code(), connection));
            return (message, hints.collect());
        }
        if self.wants_password() {
            let hint = "set PGPASSWORD, or add a line to ~/.pgpass (chmod 600): host:port:database:user:password";
            return ("the server asks for a password and none was given".to_owned(), vec![hint.to_owned()]);
        }
        if let Some(alert) = self.alert() {
            return refused_by_alert(alert);
        }
        if connection.channel_binding == ChannelBinding::Require
            && error.source().is_some_and(|cause| cause.to_string().contains("channel binding"))
        {
            let hint = "channel_binding=require works over TLS only (sslmode=require) and with a SCRAM password";
            return (chain(error), vec![hint.to_owned()]);
        }
        if error.is_closed() {
            return (
                "the server closed the connection during start-up".to_owned(),
                vec!["the server's log says why".to_owned()],
            );
        }
        (chain(error), Vec::new())
    }
}

/// Every attempt and what it met with. The kind is that of the last one: after a refused login
/// nothing more is tried.
pub(super) fn failure(connection: &Connection, attempts: &[Attempt]) -> Failure {
    let described: Vec<_> = attempts.iter().map(|attempt| attempt.why.describe(connection)).collect();
    let kind = attempts.last().map_or(Kind::Unreachable, |attempt| attempt.why.kind());
    let places = attempts.iter().zip(&described).map(|(attempt, (message, _))| (attempt, message));
    // With and without TLS a server mostly says the same.
    let mut told: Vec<(&Attempt, &String)> = places.collect();
    told.dedup_by(|later, earlier| later.0.endpoint == earlier.0.endpoint && later.1 == earlier.1);
    let cause = match &told[..] {
        [(_, message)] => (*message).clone(),
        told => {
            let mut lines = String::from("every attempt failed");
            for (attempt, message) in told {
                let tls = if attempt.encrypted { " with TLS" } else { "" };
                let _ = write!(lines, "\n    {}{}{tls}: {message}", attempt.host, attempt.address());
            }
            lines
        }
    };
    let mut hints: Vec<String> = attempts.iter().filter_map(Attempt::hint).collect();
    hints.extend(described.into_iter().flat_map(|(_, hints)| hints));
    hints.extend(connection.notes.iter().filter(|_| kind == Kind::NotPermitted).cloned());
    let mut seen = Vec::new();
    let failure = Failure::new(kind, cause).context(format!("cannot connect to {}", connection.label()));
    hints.into_iter().fold(failure, |failure, hint| {
        if seen.contains(&hint) {
            return failure;
        }
        seen.push(hint.clone());
        failure.hint(hint)
    })
}

impl Attempt {
    /// The address behind a name.
    fn address(&self) -> String {
        match &self.endpoint {
            Some(Endpoint::Tcp(address)) if address.to_string() != self.host.to_string() => format!(" ({address})"),
            _ => String::new(),
        }
    }

    /// What to do where nobody took the connection.
    fn hint(&self) -> Option<String> {
        let Why::Dial(error) = &self.why else { return None };
        match (&self.endpoint, error.kind()) {
            (Some(Endpoint::Unix(file)), io::ErrorKind::NotFound) => Some(format!(
                "there is no socket {}; start the server, name another folder (host=FOLDER) or use TCP (host=localhost)",
                file.display()
            )),
            (Some(Endpoint::Unix(file)), io::ErrorKind::ConnectionRefused) => {
                Some(format!("{} is left over from a server that no longer runs", file.display()))
            }
            (Some(Endpoint::Tcp(address)), io::ErrorKind::ConnectionRefused) => Some(format!(
                "nothing listens at {address}; check that the server runs and its listen_addresses and port"
            )),
            _ => None,
        }
    }
}

fn dial(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::NotFound => "no server listens on this socket".to_owned(),
        io::ErrorKind::PermissionDenied => "no right to open the socket".to_owned(),
        _ => error.to_string(),
    }
}

fn hint_for(code: &SqlState, connection: &Connection) -> Option<String> {
    let (user, dbname) = (Ident::new(&connection.user), Ident::new(&connection.dbname));
    Some(match code {
        c if *c == SqlState::INVALID_PASSWORD => {
            let from = match (&connection.password, &connection.passfile) {
                (None, Some(file)) => format!(" in {}", file.display()),
                _ => String::new(),
            };
            format!("check the password{from}; a superuser can set it: ALTER ROLE {user} PASSWORD '...'")
        }
        c if *c == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            format!(
                "check that role {user} exists and that pg_hba.conf lets it in; after a change there: SELECT pg_reload_conf()"
            )
        }
        c if *c == SqlState::INVALID_CATALOG_NAME => {
            format!("name another database (psql -l lists them), or create it: CREATE DATABASE {dbname}")
        }
        c if *c == SqlState::INSUFFICIENT_PRIVILEGE => format!("GRANT CONNECT ON DATABASE {dbname} TO {user}"),
        c if *c == SqlState::TOO_MANY_CONNECTIONS => {
            "wait, or end idle sessions: SELECT pid, usename, state, state_change FROM pg_stat_activity".to_owned()
        }
        c if *c == SqlState::CANNOT_CONNECT_NOW => {
            "the server is starting, stopping or recovering: try again shortly".to_owned()
        }
        _ => return None,
    })
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

fn handshake(error: &io::Error, connection: &Connection) -> (String, Vec<String>) {
    let mode = connection.tls.mode.word();
    let Some(cause) = rustls_error(error) else {
        let hint = "the server's log says why".to_owned();
        return (format!("the TLS handshake failed: {error}"), vec![hint]);
    };
    let root = match &connection.tls.root {
        RootCert::File(file) => format!("the authorities in {}", file.display()),
        RootCert::System => "the system's authorities".to_owned(),
        RootCert::Absent => "any known authority".to_owned(),
    };
    let refused = |why: String| format!("sslmode={mode} refused the server's certificate: {why}");
    let (message, hint) = match cause {
        rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { expected, presented }) => {
            let names = if presented.is_empty() {
                "no host at all".to_owned()
            } else {
                presented.iter().map(|n| bare(n)).collect::<Vec<_>>().join(", ")
            };
            (
                refused(format!("it is for {names}, not for {}", expected.to_str())),
                "connect by a name in the certificate (host=NAME hostaddr=ADDRESS keeps the address), or check only the authority: sslmode=verify-ca".to_owned(),
            )
        }
        rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. }) => (
            refused(format!("it expired on {}", day(*not_after))),
            "renew it at the server (ssl_cert_file), then SELECT pg_reload_conf()".to_owned(),
        ),
        rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. }) => {
            (refused(format!("it is valid only from {}", day(*not_before))), "check this machine's clock".to_owned())
        }
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            (refused(format!("it is not signed by {root}")), trust_hint(connection))
        }
        rustls::Error::InvalidCertificate(other) => (refused(other.to_string()), trust_hint(connection)),
        rustls::Error::AlertReceived(alert) => return refused_by_alert(*alert),
        other => (format!("the TLS handshake failed: {other}"), "the server's log says why".to_owned()),
    };
    (message, vec![hint])
}

fn trust_hint(connection: &Connection) -> String {
    match connection.tls.mode {
        SslMode::VerifyCa | SslMode::VerifyFull => "name the authority that signed it: sslrootcert=/path/root.crt".to_owned(),
        _ => "name the authority that signed it (sslrootcert=/path/root.crt); it is checked because a root certificate is configured".to_owned(),
    }
}

fn is_about_our_certificate(alert: AlertDescription) -> bool {
    use AlertDescription as A;
    matches!(
        alert,
        A::AccessDenied
            | A::BadCertificate
            | A::CertificateExpired
            | A::CertificateRequired
            | A::CertificateRevoked
            | A::CertificateUnknown
            | A::DecryptError
            | A::UnknownCA
            | A::UnsupportedCertificate
    )
}

fn refused_by_alert(alert: AlertDescription) -> (String, Vec<String>) {
    if is_about_our_certificate(alert) {
        let hint = "name a certificate that the server's ssl_ca_file vouches for: sslcert=FILE sslkey=FILE";
        return (format!("the server refused the client certificate: {alert:?}"), vec![hint.to_owned()]);
    }
    let hint = "the server's log says why";
    (format!("the server refused the TLS handshake: {alert:?}"), vec![hint.to_owned()])
}

/// webpki shows names as `DnsName("x")` and `IpAddress(x)`.
fn bare(name: &str) -> String {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"').to_owned()
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    DateTime::from_timestamp(seconds, 0)
        .map_or_else(|| format!("second {seconds}"), |time| time.format("%Y-%m-%d").to_string())
}

/// The driver's messages from the outermost to the root.
fn chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

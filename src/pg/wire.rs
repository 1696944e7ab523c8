//! One network connection to a server: where it goes, how it is opened, whether TLS is put on it.
//! Does not know hosts, roles or databases.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, SslNegotiation};
use tokio_postgres::tls::TlsConnect;

use super::gathered::Gathered;
use super::tls::{TlsSetup, TlsStream};
use super::unreachable::Why;
use crate::config::connection::{Address, Connection, Host};

/// Bytes to and from a server, before TLS.
pub(super) type Stream = Box<dyn Bytes>;

/// What a [`Stream`] can do.
pub(super) trait Bytes: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Bytes for T {}

/// Where a server is, names resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    Tcp(SocketAddr),
    /// The socket file.
    Unix(PathBuf),
}

impl Endpoint {
    /// All places a host name stands for, in the resolver's order.
    pub async fn of(host: &Host) -> Result<Vec<Endpoint>, Why> {
        match &host.address {
            Address::Unix(folder) => Ok(vec![Endpoint::Unix(folder.join(format!(".s.PGSQL.{}", host.port)))]),
            Address::Tcp { hostaddr: Some(ip), .. } => Ok(vec![Endpoint::Tcp(SocketAddr::new(*ip, host.port))]),
            Address::Tcp { host: name, hostaddr: None } => {
                let found = tokio::net::lookup_host((name.as_str(), host.port)).await.map_err(Why::Lookup)?;
                let found: Vec<_> = found.map(Endpoint::Tcp).collect();
                if found.is_empty() { Err(Why::Lookup(io::Error::other("it has no address"))) } else { Ok(found) }
            }
        }
    }

    /// Opens the connection with the keepalives that were asked for.
    pub async fn dial(&self, connection: &Connection) -> Result<Stream, Why> {
        match self {
            Endpoint::Tcp(address) => {
                let stream = TcpStream::connect(address).await.map_err(Why::Dial)?;
                tune(&stream, connection).map_err(Why::Dial)?;
                Ok(Box::new(stream))
            }
            Endpoint::Unix(file) => {
                let stream = UnixStream::connect(file).await.map_err(Why::Dial)?;
                if let Some(wanted) = &connection.requirepeer {
                    check_peer(&stream, wanted)?;
                }
                Ok(Box::new(stream))
            }
        }
    }
}

fn tune(stream: &TcpStream, connection: &Connection) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let wanted = &connection.keepalives;
    socket.set_keepalive(wanted.on)?;
    if wanted.on {
        let mut keepalive = TcpKeepalive::new();
        keepalive = wanted.idle.map_or(keepalive.clone(), |idle| keepalive.with_time(idle));
        keepalive = wanted.interval.map_or(keepalive.clone(), |interval| keepalive.with_interval(interval));
        keepalive = wanted.count.map_or(keepalive.clone(), |count| keepalive.with_retries(count));
        socket.set_tcp_keepalive(&keepalive)?;
    }
    #[cfg(target_os = "linux")]
    if let Some(timeout) = connection.tcp_user_timeout {
        socket.set_tcp_user_timeout(Some(timeout))?;
    }
    Ok(())
}

fn check_peer(stream: &UnixStream, wanted: &str) -> Result<(), Why> {
    let uid = stream.peer_cred().map_err(Why::Dial)?.uid();
    let found = nix::unistd::User::from_uid(uid.into()).ok().flatten().map(|user| user.name);
    if found.as_deref() == Some(wanted) {
        return Ok(());
    }
    Err(Why::Peer { wanted: wanted.to_owned(), found: found.unwrap_or_else(|| uid.to_string()) })
}

/// Whether and how a connection is to be encrypted.
#[derive(Clone, Copy)]
pub(super) enum Encryption<'a> {
    Never,
    /// TLS, or plain where the server has none.
    IfOffered(&'a TlsSetup),
    /// TLS or nothing.
    Always(&'a TlsSetup),
}

/// A connection on which the start-up packet, or a cancel request, may be sent.
pub(super) enum Channel {
    Plain(Stream),
    Tls(Box<TlsStream>),
}

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

impl Channel {
    /// Agrees on TLS with the server as `encryption` wants. `host` is what a certificate must name.
    ///
    /// The driver could ask for TLS itself, but not say afterwards whether the server has none, the
    /// handshake failed, or the login.
    pub async fn open(mut stream: Stream, encryption: Encryption<'_>, host: &str) -> Result<Channel, Why> {
        let (setup, must) = match encryption {
            Encryption::Never => return Ok(Channel::Plain(stream)),
            Encryption::IfOffered(setup) => (setup, false),
            Encryption::Always(setup) => (setup, true),
        };
        if !setup.direct() {
            stream.write_all(&SSL_REQUEST).await.map_err(Why::Broken)?;
            // One byte exactly: whatever a third party slips in behind it must fail the handshake (CVE-2021-23222).
            match stream.read_u8().await.map_err(Why::Broken)? {
                b'S' => {}
                b'N' if must => return Err(Why::NoTls),
                b'N' => return Ok(Channel::Plain(stream)),
                other => return Err(Why::Gibberish(other)),
            }
        }
        let stream = setup.handshake(stream, host).await.map_err(Why::Handshake)?;
        Ok(Channel::Tls(Box::new(stream)))
    }

    /// What to hand to the driver: it must neither ask for TLS again nor do a handshake of its own.
    /// `together` says when rows of a COPY are put together.
    pub fn for_driver(self, config: &mut Config, together: &Arc<AtomicBool>) -> (Stream, Done) {
        match self {
            Channel::Plain(stream) => {
                config.ssl_mode(SslMode::Disable);
                (Box::new(Gathered::new(stream, together)), Done(None))
            }
            Channel::Tls(stream) => {
                config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
                (Box::new(tokio::io::empty()), Done(Some(Box::new(Gathered::new(*stream, together)))))
            }
        }
    }
}

/// A handshake that was done before: what the driver gets in the place of TLS.
pub(super) struct Done(Option<Encrypted>);

/// Bytes to and from a server that are encrypted on their way. In a box: a stack carries it through many calls.
pub(super) type Encrypted = Box<Gathered<TlsStream>>;

impl TlsConnect<Stream> for Done {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Encrypted>>;

    fn connect(self, _placeholder: Stream) -> Self::Future {
        std::future::ready(self.0.ok_or_else(|| io::Error::other("TLS is not in use")))
    }
}

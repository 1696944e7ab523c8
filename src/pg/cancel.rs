//! Asking a server to stop what a connection is running.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect};
use tokio_postgres::{CancelToken, Config};

use super::tls::TlsSetup;
use super::unreachable::Why;
use super::wire::{Channel, Encryption, Endpoint, Stream};
use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};

/// Cancels what one connection is running, over a connection of its own to the same address with
/// the same TLS.
#[derive(Clone)]
pub struct Cancel {
    pub(super) token: CancelToken,
    pub(super) connection: Arc<Connection>,
    pub(super) endpoint: Endpoint,
    pub(super) host: String,
    pub(super) tls: Option<TlsSetup>,
}

/// How long a cancel request may take where no connect_timeout says otherwise: it is sent when
/// somebody wants out.
const PATIENCE: Duration = Duration::from_secs(10);

impl Cancel {
    /// Sends the request and waits until the server has taken it in, so that it cannot hit the next
    /// statement. That nothing was running is not an error; the statement, if cancelled, fails with
    /// SQLSTATE 57014.
    pub async fn send(&self) -> Result<()> {
        let patience = self.connection.connect_timeout.unwrap_or(PATIENCE);
        let sent = match tokio::time::timeout(patience, self.request()).await {
            Ok(sent) => sent,
            Err(_) => Err(Why::TimedOut(patience)),
        };
        sent.map_err(|why| {
            let (message, _) = why.describe(&self.connection);
            Failure::new(Kind::Unreachable, message).context("cannot send a cancel request")
        })
    }

    /// The backend that a request would stop, by the number that came when the connection was opened. It is the
    /// backend's own only where nothing in between made one up, as poolers do.
    pub(super) async fn pid(&self) -> Option<i32> {
        let (there, mut here) = tokio::io::duplex(64);
        // What the driver keeps to itself stands in the request: length, code, pid, key.
        self.token.cancel_query_raw(Overheard(there), Overhear).await.ok()?;
        let mut request = [0; 12];
        here.read_exact(&mut request).await.ok()?;
        let [.., a, b, c, d] = request;
        Some(i32::from_be_bytes([a, b, c, d]))
    }

    async fn request(&self) -> std::result::Result<(), Why> {
        let shared = Shared(Arc::new(Mutex::new(self.endpoint.dial(&self.connection).await?)));
        let encryption = self.tls.as_ref().map_or(Encryption::Never, Encryption::Always);
        let channel = Channel::open(Box::new(shared.clone()), encryption, &self.host).await?;
        let (stream, done) = channel.for_driver(&mut Config::new(), &Arc::default());
        self.token.cancel_query_raw(stream, done).await.map_err(Why::StartUp)?;
        // The server answers nothing and closes once the signal is sent.
        let mut shared = shared;
        let mut rest = [0; 256];
        while shared.read(&mut rest).await.is_ok_and(|read| read > 0) {}
        Ok(())
    }
}

/// A stream that can still be read after the driver has taken and dropped it.
#[derive(Clone)]
struct Shared(Arc<Mutex<Stream>>);

impl Shared {
    fn stream(&self) -> MutexGuard<'_, Stream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Shared {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream()).poll_read(cx, buf)
    }
}

impl AsyncWrite for Shared {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream()).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream()).poll_shutdown(cx)
    }
}

/// Takes a request in the place of a server, as it is, also where the connection itself has TLS.
struct Overhear;

struct Overheard(DuplexStream);

impl TlsConnect<Overheard> for Overhear {
    type Stream = Overheard;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Overheard>>;

    fn connect(self, stream: Overheard) -> Self::Future {
        std::future::ready(Ok(stream))
    }
}

impl tokio_postgres::tls::TlsStream for Overheard {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Overheard {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Overheard {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

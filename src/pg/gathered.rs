//! What a server sends is read in large pieces, and where somebody wants that, the rows of a COPY are put together
//! before the driver sees them: each is a message of its own, and handing on a message takes the driver longer than it
//! takes to sum up a row. How a COPY's rows are cut into messages means nothing.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsStream};

/// How much is read at once to begin with, and at most.
const READ: std::ops::Range<usize> = 8 << 10..128 << 10;
/// What a message begins with: its sort, and its length without that.
const HEADER: usize = 5;
/// The sort of a COPY's rows.
const ROWS: u8 = b'd';

/// A stream from a server, from its first message on.
pub(super) struct Gathered<S> {
    inner: S,
    together: Arc<AtomicBool>,
    /// Room for what was read; `ahead[from..to]` is to be handed on.
    ahead: Vec<u8>,
    from: usize,
    to: usize,
    /// How much of the message that was begun is to be handed on as it comes.
    left: usize,
}

impl<S> Gathered<S> {
    /// Puts rows together while `together` says so.
    pub fn new(inner: S, together: &Arc<AtomicBool>) -> Gathered<S> {
        let ahead = vec![0; READ.start];
        Gathered { inner, together: Arc::clone(together), ahead, from: 0, to: 0, left: 0 }
    }

    /// Hands on what can be; whether that was anything.
    fn hand_on(&mut self, buf: &mut ReadBuf<'_>) -> bool {
        let (before, together) = (buf.filled().len(), self.together.load(Ordering::Relaxed));
        while buf.remaining() > 0 {
            let there = &self.ahead[self.from..self.to];
            if self.left > 0 {
                let some = self.left.min(there.len()).min(buf.remaining());
                if some == 0 {
                    break;
                }
                buf.put_slice(&there[..some]);
                (self.from, self.left) = (self.from + some, self.left - some);
                continue;
            }
            let Some(length) = message(there) else { break };
            if together && there[0] == ROWS {
                let (end, bodies) = whole_rows(there, buf.remaining());
                if end > length {
                    put_together(&there[..end], bodies, buf);
                    self.from += end;
                    continue;
                }
                if there.len() < length && length <= self.ahead.len() {
                    // The rest of it may be put together with what follows.
                    break;
                }
            }
            self.left = length;
        }
        buf.filled().len() > before
    }
}

impl<S: AsyncRead + Unpin> Gathered<S> {
    /// Reads more; whether there was any.
    fn read_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        self.ahead.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from);
        let mut room = ReadBuf::new(&mut self.ahead[self.to..]);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut room))?;
        let read = room.filled().len();
        self.to += read;
        if self.to == self.ahead.len() && self.to < READ.end {
            self.ahead.resize(2 * self.to, 0);
        }
        Poll::Ready(Ok(read > 0))
    }
}

/// The length of the message that begins here, with its header; none where that is not all there.
fn message(there: &[u8]) -> Option<usize> {
    let length = i32::from_be_bytes(*there.get(1..)?.first_chunk()?);
    // No message is shorter than its length. The driver says so.
    let length = usize::try_from(length).ok().filter(|length| *length >= HEADER - 1);
    Some(length.map_or(usize::MAX, |length| 1 + length))
}

/// Up to where whole messages of rows reach that fit into the room as one, and the length of what is in them.
fn whole_rows(there: &[u8], room: usize) -> (usize, usize) {
    let (mut end, mut bodies) = (0, 0);
    while there.get(end) == Some(&ROWS) {
        let Some(length) = message(&there[end..]) else { break };
        let more = length - HEADER;
        if length > there.len() - end || HEADER + bodies + more > room {
            break;
        }
        (end, bodies) = (end + length, bodies + more);
    }
    (end, bodies)
}

/// One message of the rows of all of these.
fn put_together(mut messages: &[u8], bodies: usize, buf: &mut ReadBuf<'_>) {
    // It fits into what the driver reads at once.
    let length = u32::try_from(bodies + HEADER - 1).unwrap_or(u32::MAX);
    buf.put_slice(&[ROWS]);
    buf.put_slice(&length.to_be_bytes());
    while let Some(length) = message(messages) {
        buf.put_slice(&messages[HEADER..length]);
        messages = &messages[length..];
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gathered<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while !self.hand_on(buf) && buf.remaining() > 0 {
            if !ready!(self.read_ahead(cx))? {
                // It ends within a message.
                self.left = self.to - self.from;
                self.hand_on(buf);
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathered<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Box<Gathered<S>> {
    fn channel_binding(&self) -> ChannelBinding {
        self.inner.channel_binding()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn of(sort: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[sort], length.to_be_bytes().as_slice(), body].concat()
    }

    /// What comes out, when it is sent and read in pieces of these sizes.
    async fn through(sent: &[u8], together: bool, sent_at_once: usize, read_at_once: usize) -> Vec<u8> {
        let (mut server, client) = tokio::io::duplex(1 << 20);
        let mut stream = Gathered::new(client, &Arc::new(AtomicBool::new(together)));
        let send = async {
            for piece in sent.chunks(sent_at_once) {
                server.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            drop(server);
        };
        let receive = async {
            let (mut all, mut room) = (Vec::new(), vec![0; read_at_once]);
            loop {
                match stream.read(&mut room).await.unwrap() {
                    0 => return all,
                    read => all.extend_from_slice(&room[..read]),
                }
            }
        };
        tokio::join!(send, receive).1
    }

    /// The messages in it, rows that follow each other as one; and how many messages that were.
    fn read(mut bytes: &[u8]) -> (Vec<(u8, Vec<u8>)>, usize) {
        let (mut all, mut count) = (Vec::<(u8, Vec<u8>)>::new(), 0);
        while let Some(length) = message(bytes) {
            let (sort, body) = (bytes[0], &bytes[HEADER..length]);
            match all.last_mut().filter(|last| last.0 == ROWS && sort == ROWS) {
                Some(last) => last.1.extend_from_slice(body),
                None => all.push((sort, body.to_vec())),
            }
            (bytes, count) = (&bytes[length..], count + 1);
        }
        assert!(bytes.is_empty());
        (all, count)
    }

    fn answer() -> Vec<u8> {
        let row = |n: u32| of(ROWS, &vec![n as u8; (n * n % 97) as usize]);
        let rows: Vec<u8> = (0..200).flat_map(row).collect();
        let long = of(ROWS, &vec![7; READ.end + 9]);
        [of(b'H', b"head"), rows.clone(), long, rows, of(b'N', b"a notice"), of(ROWS, b""), of(b'c', b"")].concat()
    }

    #[tokio::test]
    async fn rows_are_put_together_and_nothing_else_changes() {
        let sent = answer();
        let (wanted, messages) = read(&sent);
        for sent_at_once in [17, 1000, 1 << 20] {
            for read_at_once in [5, 64, 8 << 10, 1 << 20] {
                assert_eq!(through(&sent, false, sent_at_once, read_at_once).await, sent);
                let (found, count) = read(&through(&sent, true, sent_at_once, read_at_once).await);
                assert!(found == wanted, "{sent_at_once}, {read_at_once}");
                assert!(count <= messages && (read_at_once < 8 << 10 || sent_at_once < 1000 || count < 40), "{count}");
            }
        }
    }

    #[tokio::test]
    async fn what_breaks_off_or_is_no_message_comes_out_as_it_is() {
        let sent = answer();
        for end in [3, 8, 20, 40, sent.len() - 2] {
            for together in [false, true] {
                let found = through(&sent[..end], together, 1000, 64).await;
                assert!(together || found == sent[..end], "{end}");
                assert!(found.len() <= end && sent[..end].ends_with(&found[found.len() - 2..]), "{end}");
            }
        }
        let nonsense = [of(b'H', b"head"), vec![ROWS, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]].concat();
        assert_eq!(through(&nonsense, true, 3, 64).await, nonsense);
    }
}

//! A TCP proxy in front of a private server. It reads enough of the wire protocol to hold the
//! traffic at a chosen statement, and cuts all connections when asked.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use dbctl::pg::sandbox::Sandbox;

/// How long anything here is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
const CANCEL_REQUEST: u32 = 80_877_102;
const START_UP: u32 = 196_608;

/// On which side of the server the traffic is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// The server has not seen the statement.
    Before,
    /// The server has answered it; the client does not know.
    After,
}

/// The proxy; everything through it is cut when it is dropped.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    streams: Vec<(TcpStream, UnixStream)>,
    trap: Option<Trap>,
    held: Option<String>,
    cancels: usize,
    closed: bool,
}

struct Trap {
    hold: Hold,
    springs: Box<dyn FnMut(&str) -> bool + Send>,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1 and passes everything on to the server's socket.
    pub fn to(server: &Sandbox) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port can be listened on");
        let port = listener.local_addr().expect("a listener has an address").port();
        let shared = Arc::new(Shared {
            server: server.socket_dir().join(format!(".s.PGSQL.{}", server.port())),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if !accepting.connect(client) {
                    return;
                }
            }
        });
        Proxy { port, shared }
    }

    /// The URL of a database through the proxy.
    pub fn url(&self, dbname: &str) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/{dbname}", self.port)
    }

    /// From now on the first statement for which `springs` is true is held, and with it everything
    /// else on its connection. Only one at a time.
    pub fn hold(&self, hold: Hold, springs: impl FnMut(&str) -> bool + Send + 'static) {
        let mut state = self.shared.lock();
        state.held = None;
        state.trap = Some(Trap { hold, springs: Box::new(springs) });
    }

    /// Waits until a statement is held, or `ended` is true; the statement.
    pub fn wait_held(&self, mut ended: impl FnMut() -> bool) -> Option<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.shared.lock();
        loop {
            if let Some(held) = &state.held {
                return Some(held.clone());
            }
            drop(state);
            if ended() {
                return None;
            }
            assert!(Instant::now() < deadline, "the proxy has held nothing within 60 s");
            state = self.shared.lock();
            state = self.shared.changed.wait_timeout(state, Duration::from_millis(5)).expect("no holder panics").0;
        }
    }

    /// Lets the held statement go.
    pub fn release(&self) {
        let mut state = self.shared.lock();
        state.trap = None;
        state.held = None;
        self.shared.changed.notify_all();
    }

    /// How many cancel requests have come through.
    pub fn cancels(&self) -> usize {
        self.shared.lock().cancels
    }

    /// Cuts every connection and takes no new ones; what is held is lost.
    pub fn cut(&self) {
        let mut state = self.shared.lock();
        state.closed = true;
        for (client, server) in state.streams.drain(..) {
            let _ = client.shutdown(Shutdown::Both);
            let _ = server.shutdown(Shutdown::Both);
        }
        self.shared.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
        // Wakes the listener, which then ends.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }

    /// Whether the proxy goes on.
    fn connect(self: &Arc<Shared>, client: TcpStream) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        let Ok(server) = UnixStream::connect(&self.server) else { return true };
        let _ = client.set_nodelay(true);
        let pairs = [(client.try_clone(), server.try_clone()), (client.try_clone(), server.try_clone())];
        let [(Ok(from_client), Ok(to_server)), (Ok(to_client), Ok(from_server))] = pairs else { return true };
        state.streams.push((client, server));
        drop(state);
        let withheld = Arc::new(Mutex::new(None));
        let (up, down) = (Arc::clone(self), Arc::clone(self));
        let withhold = Arc::clone(&withheld);
        std::thread::spawn(move || {
            let _ = up.client_to_server(from_client, &to_server, &withhold);
            let _ = to_server.shutdown(Shutdown::Both);
        });
        std::thread::spawn(move || {
            let _ = down.server_to_client(from_server, &to_client, &withheld);
            let _ = to_client.shutdown(Shutdown::Both);
        });
        true
    }

    fn client_to_server(
        &self,
        mut client: TcpStream,
        mut server: &UnixStream,
        withheld: &Mutex<Option<String>>,
    ) -> std::io::Result<()> {
        loop {
            let mut head = [0; 8];
            client.read_exact(&mut head)?;
            let [length, code] = [&head[..4], &head[4..]].map(|b| u32::from_be_bytes(b.try_into().expect("4 bytes")));
            let mut rest = vec![0; (length as usize).saturating_sub(8)];
            client.read_exact(&mut rest)?;
            if code == CANCEL_REQUEST {
                self.lock().cancels += 1;
                self.changed.notify_all();
            }
            server.write_all(&[&head[..], &rest].concat())?;
            if code == START_UP {
                break;
            }
        }
        loop {
            let mut head = [0; 5];
            client.read_exact(&mut head)?;
            let length = u32::from_be_bytes(head[1..].try_into().expect("4 bytes")) as usize;
            let mut body = vec![0; length - 4];
            client.read_exact(&mut body)?;
            if let Some(sql) = statement(head[0], &body) {
                self.pass(&sql, withheld)?;
            }
            server.write_all(&[&head[..], &body].concat())?;
        }
    }

    /// Holds the statement, or lets it pass.
    fn pass(&self, sql: &str, withheld: &Mutex<Option<String>>) -> std::io::Result<()> {
        let mut state = self.lock();
        if state.held.is_some() {
            return Ok(());
        }
        let Some(trap) = &mut state.trap else { return Ok(()) };
        if !(trap.springs)(sql) {
            return Ok(());
        }
        let hold = trap.hold;
        state.trap = None;
        if hold == Hold::After {
            *withheld.lock().expect("no holder panics") = Some(sql.to_owned());
            return Ok(());
        }
        self.wait_released(state, sql)
    }

    fn server_to_client(
        &self,
        mut server: UnixStream,
        mut client: &TcpStream,
        withheld: &Mutex<Option<String>>,
    ) -> std::io::Result<()> {
        let mut buffer = [0; 8192];
        loop {
            let read = server.read(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            let sql = withheld.lock().expect("no holder panics").take();
            if let Some(sql) = sql {
                self.wait_released(self.lock(), &sql)?;
            }
            client.write_all(&buffer[..read])?;
        }
    }

    fn wait_released(&self, mut state: MutexGuard<'_, State>, sql: &str) -> std::io::Result<()> {
        state.held = Some(sql.to_owned());
        self.changed.notify_all();
        let state =
            self.changed.wait_while(state, |state| state.held.is_some() && !state.closed).expect("no holder panics");
        if state.closed { Err(std::io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

/// The SQL of a simple query or of a Parse message.
fn statement(kind: u8, body: &[u8]) -> Option<String> {
    let mut strings = body.split(|byte| *byte == 0);
    let sql = match kind {
        b'Q' => strings.next(),
        b'P' => strings.nth(1),
        _ => None,
    };
    sql.map(|sql| String::from_utf8_lossy(sql).into_owned())
}

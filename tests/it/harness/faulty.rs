//! In front of an S3: reads each request and does with it what a test says, so that answers are lost, come late or
//! never, end too early, or say that the server fails.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::S3;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It is not passed on, and the answer is 500.
    Refused,
    /// It is done, and the answer is 500 all the same.
    AnswerLost,
    /// It is not passed on, and no answer ever comes.
    Stalled,
    /// The answer ends after half of its bytes.
    Cut,
}

/// A proxy that takes a request a connection.
pub struct Faulty {
    /// For AWS_ENDPOINT_URL.
    pub endpoint: String,
    /// What came through or not, as `PUT /bucket/key Refused`.
    seen: Arc<Mutex<Vec<String>>>,
}

impl Faulty {
    /// `decide` is asked with the method and the path, with its query; it may do something in between itself.
    pub fn before(s3: &S3, decide: impl Fn(&str, &str) -> Fault + Send + Sync + 'static) -> Faulty {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (behind, seen, decide) = (s3.address().to_owned(), Arc::default(), Arc::new(decide));
        let record: Arc<Mutex<Vec<String>>> = Arc::clone(&seen);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(std::result::Result::ok) {
                let (behind, decide, record) = (behind.clone(), Arc::clone(&decide), Arc::clone(&record));
                std::thread::spawn(move || {
                    let _ = serve(client, &behind, decide.as_ref(), &record);
                });
            }
        });
        Faulty { endpoint, seen }
    }

    /// How many requests met this fault.
    pub fn met(&self, fault: Fault) -> usize {
        let word = format!(" {fault:?}");
        self.seen.lock().expect("no holder panics").iter().filter(|line| line.ends_with(&word)).count()
    }
}

fn serve(
    mut client: TcpStream,
    behind: &str,
    decide: &(dyn Fn(&str, &str) -> Fault + Send + Sync),
    record: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let Some((head, body)) = read_request(&mut client)? else { return Ok(()) };
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let fault = decide(method, path);
    record.lock().expect("no holder panics").push(format!("{method} {path} {fault:?}"));
    if fault == Fault::Stalled {
        return std::io::copy(&mut client, &mut std::io::sink()).map(drop);
    }
    if fault == Fault::Refused {
        return fail(client);
    }
    let mut server = TcpStream::connect(behind)?;
    let (first, rest) = head.split_once("\r\n").unwrap_or((&head, ""));
    let rest = rest.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let rest = rest.collect::<Vec<_>>().join("\r\n");
    server.write_all(format!("{first}\r\nConnection: close\r\n{rest}").as_bytes())?;
    server.write_all(&body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    if fault == Fault::AnswerLost {
        return fail(client);
    }
    let begin = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    let end = if fault == Fault::Cut { begin + (answer.len() - begin) / 2 } else { answer.len() };
    client.write_all(&answer[..end])?;
    client.shutdown(Shutdown::Both)
}

/// The head with its empty line, and the body.
fn read_request(client: &mut TcpStream) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 64 << 10]);
    let begin = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        match client.read(&mut piece)? {
            0 => return Ok(None),
            read => bytes.extend_from_slice(&piece[..read]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..begin]).into_owned();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let mut body = bytes.split_off(begin);
    let had = body.len();
    body.resize(length.unwrap_or(had), 0);
    if body.len() > had {
        client.read_exact(&mut body[had..])?;
    }
    Ok(Some((head, body)))
}

fn fail(mut client: TcpStream) -> std::io::Result<()> {
    let body = "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>";
    let head = format!("HTTP/1.1 500 Internal Server Error\r\nContent-Length: {}\r\nConnection: close", body.len());
    client.write_all(format!("{head}\r\n\r\n{body}").as_bytes())?;
    client.shutdown(Shutdown::Both)
}

//! An S3 on this machine (moto), for the tests with an object store: one for the process, and ones
//! that let nobody in or fail at first.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Child;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use dbctl::config::env::Env;

use super::clouds::under_shell;
use super::servers;

/// A bucket of a test's own.
#[derive(Clone)]
pub struct S3 {
    endpoint: String,
    pub bucket: String,
}

/// A server under way; it ends with the test process, which holds its shell's input.
struct Moto {
    _shell: Child,
    endpoint: String,
}

impl S3 {
    /// A new, empty bucket. None where moto is not installed, which has been said loudly then.
    pub fn start() -> Option<S3> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        static SHARED: OnceLock<Option<Moto>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| servers::moto().map(|program| Moto::start(&program)));
        let endpoint = shared.as_ref()?.endpoint.clone();
        let bucket = format!("bucket-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let s3 = S3 { endpoint, bucket };
        assert!(s3.request("PUT", &format!("/{}", s3.bucket), "").starts_with("HTTP/1.1 200"));
        Some(s3)
    }

    /// A server of its own that knows no user: every request is refused.
    pub fn that_knows_nobody() -> Option<S3> {
        static CLOSED: OnceLock<Option<Moto>> = OnceLock::new();
        let closed = CLOSED.get_or_init(|| {
            let moto = Moto::start(&servers::moto()?);
            let open = S3 { endpoint: moto.endpoint.clone(), bucket: String::new() };
            assert!(open.request("PUT", "/closed", "").starts_with("HTTP/1.1 200"));
            assert!(open.request("POST", "/moto-api/reset-auth", "0").starts_with("HTTP/1.1 200"));
            Some(moto)
        });
        Some(S3 { endpoint: closed.as_ref()?.endpoint.clone(), bucket: "closed".to_owned() })
    }

    /// The URL of a store in the bucket.
    pub fn url(&self) -> String {
        format!("s3://{}/cold/store", self.bucket)
    }

    /// What the AWS tools would find in their environment.
    pub fn env(&self) -> Env {
        S3::env_of(&self.endpoint)
    }

    /// The same for any endpoint.
    pub fn env_of(endpoint: &str) -> Env {
        S3::variables_of(endpoint).into_iter().collect()
    }

    /// The same for a program.
    pub fn variables(&self) -> [(&'static str, &str); 5] {
        S3::variables_of(&self.endpoint)
    }

    fn variables_of(endpoint: &str) -> [(&'static str, &str); 5] {
        [
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST"),
            ("AWS_SECRET_ACCESS_KEY", "a-very-secret-key"),
        ]
    }

    /// Where it listens: `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        self.endpoint.trim_start_matches("http://")
    }

    /// A request without a signature; the whole answer.
    pub fn request(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).expect("moto listens");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.address(),
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).expect("moto reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("moto answers");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Moto {
    fn start(program: &std::path::Path) -> Moto {
        let mut shell = under_shell(program, &["-H", "127.0.0.1", "-p", "0"]);
        let mut lines = BufReader::new(shell.stdout.take().expect("it is piped")).lines();
        let endpoint = lines
            .by_ref()
            .map_while(std::result::Result::ok)
            .find_map(|line| Some(line.split_once("Running on ")?.1.trim().to_owned()))
            .expect("moto says where it listens");
        // It talks of every request.
        std::thread::spawn(move || lines.for_each(drop));
        Moto { _shell: shell, endpoint }
    }
}

/// In front of an S3: answers the first requests with 500 by itself.
pub struct Flaky {
    pub endpoint: String,
    refused: Arc<AtomicUsize>,
}

impl Flaky {
    /// The first `failures` connections are refused with 500, later ones go through.
    pub fn before(s3: Option<&S3>, failures: usize) -> Flaky {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
        let (refused, behind) = (Arc::new(AtomicUsize::new(0)), s3.map(|s3| s3.address().to_owned()));
        let counter = Arc::clone(&refused);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(std::result::Result::ok) {
                let (behind, counter) = (behind.clone(), Arc::clone(&counter));
                std::thread::spawn(move || match behind {
                    Some(behind) if counter.load(Ordering::SeqCst) >= failures => through(client, &behind),
                    _ => {
                        counter.fetch_add(1, Ordering::SeqCst);
                        refuse(client);
                    }
                });
            }
        });
        Flaky { endpoint, refused }
    }

    /// How many requests were refused.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }
}

fn refuse(mut client: TcpStream) {
    let mut head = [0; 64 << 10];
    let _ = client.read(&mut head);
    let body = "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>";
    let _ = client.write_all(
        format!(
            "HTTP/1.1 500 Internal Server Error\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    );
    let _ = client.shutdown(Shutdown::Write);
    let _ = std::io::copy(&mut client, &mut std::io::sink());
}

fn through(client: TcpStream, behind: &str) {
    let Ok(server) = TcpStream::connect(behind) else { return };
    let (Ok(mut from), Ok(mut to)) = (client.try_clone(), server.try_clone()) else { return };
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (server, client);
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

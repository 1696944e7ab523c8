//! A database of a test's own and sessions in it. Sessions live in a background runtime, so that
//! plain `#[test]` functions can hold locks and wait for each other.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use dbctl::pg::sandbox::Sandbox;
use tokio::runtime::Handle;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::servers;

/// Rows as text, NULL as None.
pub type Rows = Vec<Vec<Option<String>>>;

/// What the server refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    /// SQLSTATE; empty when the connection broke.
    pub code: String,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.message)?;
        for more in [&self.detail, &self.hint].into_iter().flatten() {
            write!(f, "\n  {more}")?;
        }
        Ok(())
    }
}

/// An empty database on a shared (or given) server, dropped with everyone in it at the end.
pub struct Database {
    server: Where,
    name: String,
    session: OnceLock<Session>,
}

struct Where {
    url_of: Box<dyn Fn(&str) -> String + Send + Sync>,
    config: Config,
    major: u32,
}

impl Database {
    /// On the shared server of the newest major.
    #[allow(clippy::new_without_default, reason = "it creates something on a server")]
    pub fn new() -> Database {
        Database::at(servers::default_server())
    }

    /// On the shared server of a major.
    pub fn on(major: u32) -> Database {
        Database::at(servers::server(major))
    }

    /// In another encoding than UTF8.
    pub fn encoded(encoding: &str) -> Database {
        Database::made(servers::default_server(), &format!("TEMPLATE template0 ENCODING {encoding} LOCALE 'C'"))
    }

    /// On any server.
    pub fn at(sandbox: &Sandbox) -> Database {
        Database::made(sandbox, "")
    }

    fn made(sandbox: &Sandbox, options: &str) -> Database {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut config = Config::new();
        config.host_path(sandbox.socket_dir()).port(sandbox.port()).user(sandbox.superuser()).application_name("test");
        let (socket_dir, port, user) =
            (sandbox.socket_dir().to_owned(), sandbox.port(), sandbox.superuser().to_owned());
        let url_of = move |db: &str| format!("postgresql://{user}@/{db}?host={}&port={port}", socket_dir.display());
        let server = Where { url_of: Box::new(url_of), config, major: sandbox.major() };
        server
            .admin(&format!("CREATE DATABASE {name} {options}"))
            .unwrap_or_else(|error| panic!("CREATE DATABASE {name}: {error}"));
        Database { server, name, session: OnceLock::new() }
    }

    /// As psql takes it.
    pub fn url(&self) -> String {
        (self.server.url_of)(&self.name)
    }

    /// The same for another role, which must exist.
    pub fn url_as(&self, role: &str) -> String {
        self.url().replacen("//postgres@", &format!("//{role}@"), 1)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server's major version.
    pub fn major(&self) -> u32 {
        self.server.major
    }

    /// Runs statements (simple query protocol) in this database's common session; the rows of all of them.
    #[track_caller]
    pub fn sql(&self, sql: &str) -> Rows {
        self.common().sql(sql)
    }

    /// As [`Database::sql`], with the server's error as a value.
    pub fn try_sql(&self, sql: &str) -> Result<Rows, SqlError> {
        self.common().try_sql(sql)
    }

    /// The one value of the one row, NULL as `NULL`.
    #[track_caller]
    pub fn one(&self, sql: &str) -> String {
        self.common().one(sql)
    }

    /// A session of its own, held open until it is dropped.
    pub fn session(&self) -> Session {
        self.session_with(|_| {})
    }

    /// A session with another user, application_name, options, …
    pub fn session_with(&self, change: impl FnOnce(&mut Config)) -> Session {
        let mut config = self.server.config.clone();
        config.dbname(&self.name);
        change(&mut config);
        Session::open(config).unwrap_or_else(|error| panic!("cannot connect to {}: {error}", self.name))
    }

    /// The same database after its server was started again.
    pub fn reconnected(mut self) -> Database {
        self.session = OnceLock::new();
        self
    }

    fn common(&self) -> &Session {
        self.session.get_or_init(|| self.session())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.session.take();
        // The server may be one that the test has just killed.
        let _ = self.server.admin(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

impl Where {
    fn admin(&self, sql: &str) -> Result<Rows, SqlError> {
        let mut config = self.config.clone();
        config.dbname("postgres");
        Session::open(config)?.try_sql(sql)
    }
}

/// One connection, held open; usable from any thread.
pub struct Session {
    client: Arc<Client>,
    pid: i32,
}

impl Session {
    /// Connects.
    pub fn open(config: Config) -> Result<Session, SqlError> {
        let client = on_runtime(async move {
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(connection);
            Ok::<_, tokio_postgres::Error>(client)
        })
        .map_err(|error| explain(&error))?;
        let mut session = Session { client: Arc::new(client), pid: 0 };
        session.pid = session.one("SELECT pg_catalog.pg_backend_pid()").parse().expect("a pid is a number");
        Ok(session)
    }

    /// The backend's process number.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Runs statements and waits; panics with the server's error.
    #[track_caller]
    pub fn sql(&self, sql: &str) -> Rows {
        self.try_sql(sql).unwrap_or_else(|error| panic!("{error}\n  in: {sql}"))
    }

    /// Runs statements and waits.
    pub fn try_sql(&self, sql: &str) -> Result<Rows, SqlError> {
        self.start(sql).wait()
    }

    /// The one value of the one row, NULL as `NULL`.
    #[track_caller]
    pub fn one(&self, sql: &str) -> String {
        let rows = self.sql(sql);
        assert!(rows.len() == 1 && rows[0].len() == 1, "not one value but {rows:?}\n  in: {sql}");
        rows[0][0].clone().unwrap_or_else(|| "NULL".to_owned())
    }

    /// Opens a transaction.
    pub fn begin(&self) {
        self.sql("BEGIN");
    }

    /// Commits it.
    pub fn commit(&self) {
        self.sql("COMMIT");
    }

    /// Rolls it back.
    pub fn rollback(&self) {
        self.sql("ROLLBACK");
    }

    /// Sends statements without waiting: for those that will block.
    pub fn start(&self, sql: &str) -> Waiting {
        let (send, receive) = mpsc::channel();
        let (client, sql) = (Arc::clone(&self.client), sql.to_owned());
        runtime().spawn(async move {
            let result = client.simple_query(&sql).await.map(rows_of).map_err(|error| explain(&error));
            let _ = send.send(result);
        });
        Waiting { receive }
    }

    /// Cancels what the session is running, as Ctrl-C in psql would.
    pub fn cancel(&self) {
        let token = self.client.cancel_token();
        on_runtime(async move { token.cancel_query(NoTls).await }).expect("a cancel request reaches the server");
    }

    /// Whether the connection is gone.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }
}

/// Statements under way.
pub struct Waiting {
    receive: mpsc::Receiver<Result<Rows, SqlError>>,
}

impl Waiting {
    /// The answer, waited for (at most 120 s).
    pub fn wait(self) -> Result<Rows, SqlError> {
        self.receive.recv_timeout(Duration::from_secs(120)).expect("statements end within 120 s")
    }

    /// The answer if it comes within the given time; the statements stay under way otherwise.
    pub fn within(&self, time: Duration) -> Option<Result<Rows, SqlError>> {
        self.receive.recv_timeout(time).ok()
    }
}

fn rows_of(messages: Vec<SimpleQueryMessage>) -> Rows {
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect()),
        _ => None,
    };
    messages.into_iter().filter_map(row).collect()
}

fn explain(error: &tokio_postgres::Error) -> SqlError {
    match error.as_db_error() {
        Some(db) => SqlError {
            code: db.code().code().to_owned(),
            message: db.message().to_owned(),
            detail: db.detail().map(str::to_owned),
            hint: db.hint().map(str::to_owned),
        },
        None => {
            let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
            SqlError { code: String::new(), message: format!("{error}{cause}"), detail: None, hint: None }
        }
    }
}

/// One runtime for all sessions, driven by a thread of its own.
fn runtime() -> &'static Handle {
    static RUNTIME: OnceLock<Handle> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
        let handle = runtime.handle().clone();
        std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
        handle
    })
}

/// Runs a future to its end; also from within another runtime, where block_on would panic.
fn on_runtime<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    runtime().spawn(async move {
        let _ = send.send(future.await);
    });
    receive.recv().expect("the background runtime lives as long as the process")
}

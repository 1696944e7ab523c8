//! What a server error means: its SQLSTATE as a kind of failure, with detail, hint and the place
//! in the text that was sent.

use tokio_postgres::error::{DbError, ErrorPosition};

use crate::error::{Failure, Kind};
use crate::excerpt;
use crate::ident::Ident;

/// What to do about a lock that a reader did not get in time.
pub const LOCKED_HINT: &str = "'dbctl locks' shows who waits for whom; run again, or wait longer with --lock-timeout";

/// An error of the server or of the connection to it.
#[derive(Debug)]
pub struct ServerError {
    cause: Cause,
    completed: usize,
    role: String,
}

#[derive(Debug)]
enum Cause {
    Driver(tokio_postgres::Error),
    /// A signal came before the text was sent.
    Interrupted,
}

impl From<tokio_postgres::Error> for ServerError {
    fn from(error: tokio_postgres::Error) -> ServerError {
        ServerError { cause: Cause::Driver(error), completed: 0, role: String::new() }
    }
}

impl ServerError {
    /// A signal came before the text was sent; the connection is fine.
    pub fn interrupted() -> ServerError {
        ServerError { cause: Cause::Interrupted, completed: 0, role: String::new() }
    }

    /// Remembers how many statements of the message were done before it.
    pub(super) fn after(self, completed: usize) -> ServerError {
        ServerError { completed, ..self }
    }

    /// Remembers the role in force.
    pub(super) fn of_role(self, role: &str) -> ServerError {
        ServerError { role: role.to_owned(), ..self }
    }

    /// How many statements of the message that was sent were done before this one failed.
    pub fn completed(&self) -> usize {
        self.completed
    }

    /// The SQLSTATE, unless the connection itself failed.
    pub fn code(&self) -> Option<&str> {
        match &self.cause {
            Cause::Driver(error) => error.code().map(tokio_postgres::error::SqlState::code),
            Cause::Interrupted => Some("57014"),
        }
    }

    fn db(&self) -> Option<&DbError> {
        match &self.cause {
            Cause::Driver(error) => error.as_db_error(),
            Cause::Interrupted => None,
        }
    }

    /// A lock was not to be had (55P03), a deadlock (40P01) or a serialization failure (40001):
    /// the same work may succeed a moment later.
    pub fn is_transient(&self) -> bool {
        matches!(self.code(), Some("55P03" | "40P01" | "40001"))
    }

    /// Somebody asked the server to cancel, or a statement_timeout ran out (57014).
    pub fn is_cancelled(&self) -> bool {
        self.code() == Some("57014")
    }

    /// The connection is gone: closed, or the server ended it.
    pub fn is_lost(&self) -> bool {
        matches!(self.code(), None | Some("57P01" | "57P02" | "57P03"))
    }

    /// The server's primary message, or the connection's error.
    pub fn message(&self) -> String {
        match (&self.cause, self.db()) {
            (_, Some(db)) => db.message().to_owned(),
            (Cause::Driver(error), None) => chain(error),
            (Cause::Interrupted, None) => "interrupted".to_owned(),
        }
    }

    /// The position in the text that was sent, in characters from 1.
    pub fn position(&self) -> Option<usize> {
        match self.db()?.position()? {
            ErrorPosition::Original(position) => usize::try_from(*position).ok(),
            ErrorPosition::Internal { .. } => None,
        }
    }

    /// As a failure of what was being done, with the server's detail, hint and SQLSTATE.
    pub fn explain(&self, doing: impl std::fmt::Display + Send + Sync + 'static) -> Failure {
        let Some(db) = self.db() else {
            return Failure::new(Kind::Unreachable, format!("the connection is lost: {}", self.message()))
                .context(doing)
                .hint("run the same command again: what is done is recorded, what is not left nothing behind");
        };
        let mut failure = Failure::new(kind(db), describe(db)).context(doing).sqlstate(db.code().code());
        if let Some(hint) = db.hint() {
            failure = failure.hint(format!("the server says: {hint}"));
        }
        match hint(db, &self.role) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// The same with the place in the file that the text came from. `offset` is where the text begins
    /// in `file_text`; `statements` is where its statements begin, for errors without a position of
    /// their own. Both in characters of the file.
    pub fn explain_in(
        &self,
        doing: impl std::fmt::Display + Send + Sync + 'static,
        file: &str,
        file_text: &str,
        offset: usize,
        statements: &[usize],
    ) -> Failure {
        let failure = self.explain(doing);
        let statement = self.db().and_then(|_| statements.get(self.completed).copied());
        match self.position().map(|position| offset + position - 1).or(statement) {
            Some(at) => failure.excerpt(excerpt::at_char(file, file_text, at, &self.message())),
            None => failure,
        }
    }
}

fn kind(db: &DbError) -> Kind {
    match db.code().code() {
        "08P01" if is_statement_pooler(db) => Kind::Refused,
        "42501" => Kind::NotPermitted,
        "28000" | "28P01" => Kind::NotPermitted,
        "55P03" => Kind::Deferred,
        "25006" => Kind::Refused,
        "57P01" | "57P02" | "57P03" => Kind::Unreachable,
        _ => Kind::Failed,
    }
}

fn describe(db: &DbError) -> String {
    let mut text = format!("{} (SQLSTATE {})", db.message(), db.code().code());
    for (label, value) in [("detail", db.detail()), ("where", db.where_())] {
        if let Some(value) = value {
            text.push_str(&format!("\n    {label}: {}", value.replace('\n', "\n      ")));
        }
    }
    text
}

/// PgBouncer with `pool_mode = statement` says so itself, when a transaction begins.
fn is_statement_pooler(db: &DbError) -> bool {
    db.message().contains("statement pooling mode")
}

/// What to do about the errors that have one usual cause.
fn hint(db: &DbError, role: &str) -> Option<String> {
    Some(match db.code().code() {
        "08P01" if is_statement_pooler(db) => {
            format!("a pooler in statement mode is between dbctl and the server: {}", super::pooler::WAY_OUT)
        }
        "42501" => match grant(db.message(), &Ident::new(role)) {
            Some(grant) => format!("let its owner run: {grant}"),
            None => "connect as the owner of that object, or let its owner grant the right".to_owned(),
        },
        "25006" => "this is a standby, or the session may only read: connect to the primary, or see \
             default_transaction_read_only of the role and the database"
            .to_owned(),
        "42601" if db.message().ends_with(r#"at or near "\""#) => {
            r"lines that begin with \ are commands of psql, not SQL (pg_dump writes \restrict and \connect): remove them".to_owned()
        }
        "53100" => "the server's disk is full: nothing of this step was kept; free space and run again".to_owned(),
        "55P04" => "put ALTER TYPE … ADD VALUE into a file of its own, before the file that uses the value".to_owned(),
        "58P01" | "XX000" => {
            "the server's installation may have changed under the running server: a restart often mends it".to_owned()
        }
        "57014" => "a statement_timeout or somebody's pg_cancel_backend stopped it: see --statement-timeout".to_owned(),
        _ => return None,
    })
}

/// The GRANT behind "permission denied for schema public". The server does not say which right was
/// missing, nor the schema of a table.
fn grant(message: &str, role: &Ident) -> Option<String> {
    let (kind, name) = message.strip_prefix("permission denied for ")?.split_once(' ')?;
    let name = Ident::new(name);
    Some(match kind {
        "database" => format!("GRANT CREATE ON DATABASE {name} TO {role};"),
        "schema" if name.raw() == "dbctl" => format!(
            "GRANT USAGE, CREATE ON SCHEMA dbctl TO {role}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA \
             dbctl TO {role};"
        ),
        "schema" => format!("GRANT USAGE, CREATE ON SCHEMA {name} TO {role}; -- USAGE alone to use what is in it"),
        "table" | "view" => {
            format!("GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE {name} TO {role}; -- or SELECT alone to read it")
        }
        "sequence" => format!("GRANT USAGE ON SEQUENCE {name} TO {role};"),
        "function" | "procedure" => format!("GRANT EXECUTE ON ROUTINE {name} TO {role};"),
        "type" | "language" => format!("GRANT USAGE ON {} {name} TO {role};", kind.to_uppercase()),
        "tablespace" => format!("GRANT CREATE ON TABLESPACE {name} TO {role};"),
        _ => return None,
    })
}

/// tokio_postgres says only "db error" or "error communicating with the server": the reason is in
/// the sources.
fn chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

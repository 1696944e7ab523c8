//! The facts of a server that decisions need, read once per session.

use super::queries::Query;
use super::session::Session;
use crate::error::{Failure, Kind, Result};

/// What the server said about itself and about us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Major version: 14 to 18.
    pub major: u32,
    /// As the server spells it.
    pub version: String,
    /// A standby.
    pub in_recovery: bool,
    /// Writes are refused by default.
    pub read_only: bool,
    /// The role in force.
    pub role: String,
    /// The database.
    pub database: String,
    /// `search_path` as the role or database has it.
    pub search_path: String,
    /// Where unqualified objects are created; none when no schema of the path exists.
    pub current_schema: Option<String>,
    /// The backend.
    pub backend_pid: i32,
    /// It can end the statement of a client that died (`client_connection_check_interval`).
    pub watches_clients: bool,
    /// Schema `dbctl` has its tables.
    pub has_state: bool,
    /// And they may be read.
    pub reads_state: bool,
}

impl Server {
    /// The session that every step meets, whatever the one before it set: `name` becomes
    /// `application_name`.
    pub fn step_settings(&self, name: &str) -> Vec<(&'static str, String)> {
        let mut settings = vec![
            ("application_name", format!("dbctl:{name}")),
            ("search_path", self.search_path.clone()),
            ("TimeZone", "UTC".to_owned()),
            // A run that is stopped between two messages must not keep its locks for ever.
            ("idle_in_transaction_session_timeout", "1min".to_owned()),
        ];
        if self.watches_clients {
            settings.push(("client_connection_check_interval", "1s".to_owned()));
        }
        settings
    }

    /// Asks the server. One round trip.
    ///
    /// # Errors
    /// The server's; a major before 13 is refused.
    pub async fn read(session: &Session) -> Result<Server> {
        let rows =
            session.rows(&Query::SERVER, &[]).await.map_err(|e| e.explain("cannot ask the server for its version"))?;
        let row = rows.first().ok_or_else(|| Failure::new(Kind::Failed, "the server did not say its version"))?;
        let number: i32 = row.try_get("version_num")?;
        let server = Server {
            major: u32::try_from(number / 10_000)?,
            version: row.try_get("version")?,
            in_recovery: row.try_get("in_recovery")?,
            read_only: row.try_get("read_only")?,
            role: row.try_get("role")?,
            database: row.try_get("database")?,
            search_path: row.try_get("search_path")?,
            current_schema: row.try_get("current_schema")?,
            backend_pid: row.try_get("backend_pid")?,
            watches_clients: row.try_get("watches_clients")?,
            has_state: row.try_get("has_state")?,
            reads_state: row.try_get("reads_state")?,
        };
        if server.major < 13 {
            return Err(Failure::new(
                Kind::Refused,
                format!("PostgreSQL {} is too old: dbctl works with 14 to 18", server.version),
            ));
        }
        Ok(server)
    }
}

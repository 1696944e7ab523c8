//! The frame of a read-only look at the database: one snapshot, bounded waits, and names and values
//! printed the same way whatever the role has set. A look at the catalog is over before its plan would be compiled,
//! whatever the planner thinks it costs.

use std::time::Duration;

use super::session::Session;
use super::sqlstate::ServerError;

impl Session {
    /// Opens a read-only snapshot in which no statement takes longer than `limit`. Names are printed
    /// with their schema, times at UTC.
    ///
    /// # Errors
    /// The server's.
    pub async fn begin_reading(&self, limit: Duration) -> Result<(), ServerError> {
        self.send(&format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '3s'; \
             SET LOCAL statement_timeout = '{}ms'; SET LOCAL search_path = ''; SET LOCAL TimeZone = 'UTC'; \
             SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL bytea_output = 'hex'; \
             SET LOCAL quote_all_identifiers = off; SET LOCAL extra_float_digits = 1; SET LOCAL jit = off",
            limit.as_millis()
        ))
        .await
    }

    /// Opens a read-only look in which no lock is waited for longer than a quarter of a second and no
    /// statement takes longer than `limit`. Works on a standby and through a pool of transactions.
    ///
    /// # Errors
    /// The server's.
    pub async fn begin_look(&self, limit: Duration) -> Result<(), ServerError> {
        // Counters of thousands of relations are each taken as they are, not copied first; 14 knows no other way.
        let counters = self.major().filter(|major| *major >= 15);
        self.send(&format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL lock_timeout = '250ms'; \
             SET LOCAL statement_timeout = '{}ms'; SET LOCAL search_path = ''; SET LOCAL TimeZone = 'UTC'; SET LOCAL jit = off{}",
            limit.as_millis(),
            counters.map_or("", |_| "; SET LOCAL stats_fetch_consistency = 'none'")
        ))
        .await
    }

    /// Ends what [`Session::begin_reading`] or [`Session::begin_look`] opened, also after an error in it.
    ///
    /// # Errors
    /// The server's.
    pub async fn end_reading(&self) -> Result<(), ServerError> {
        // Nothing was written; a ROLLBACK would count among those of the database, which are watched.
        self.send("COMMIT").await
    }
}

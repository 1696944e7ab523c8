//! The parts as plain values, a struct a query: what a column means stands in the query's file.

use super::read::Reading;
use crate::error::Result;
use crate::pg::{Query, Row};

/// A struct whose fields are the columns of a query.
macro_rules! readings {
    ($($(#[$about:meta])* $name:ident = $query:ident { $($field:ident: $type:ty),+ $(,)? })+) => {
        $(
            $(#[$about])*
            #[derive(Debug, Clone, PartialEq)]
            pub struct $name { $(#[doc = concat!("Column `", stringify!($field), "`.")] pub $field: $type),+ }

            impl Reading for $name {
                const QUERY: &'static Query = &Query::$query;

                fn of(row: &Row) -> Result<$name> {
                    Ok($name { $($field: row.try_get(stringify!($field))?),+ })
                }
            }
        )+
    };
}
pub(in crate::inspect) use readings;

readings! {
    /// The server and its settings.
    Server = VITAL_SERVER {
        database: String, major: i64, standby: bool, max_connections: i64, reserved: i64, connections: i64, xid_freeze_max_age: i64,
        mxid_freeze_max_age: i64, workers: i64, autovacuum: bool, fsync: bool, full_page_writes: bool, data_checksums: bool,
        by_socket: bool, tablespaces: Vec<String>, uptime_seconds: f64,
    }
    /// What pg_settings says; the data directory only to who may see it.
    Settings = VITAL_SETTINGS { data_directory: Option<String>, pending_restart: Vec<String> }
    /// A database, with its counters; `(shared)` has no age.
    Database = VITAL_DATABASES {
        database: String, xid_age: Option<i64>, mxid_age: Option<i64>, connection_limit: Option<i64>, connections: i64,
        blks_hit: i64, blks_read: i64, commits: i64, rollbacks: i64, deadlocks: i64, conflicts: i64, temp_files: i64,
        temp_bytes: i64, checksum_failures: Option<i64>, active_seconds: f64, stats_seconds: Option<f64>, here: bool,
    }
    /// Blocks found in shared buffers, and not.
    Cache = VITAL_CACHE {
        tables_hit: i64, tables_read: i64, indexes_hit: i64, indexes_read: i64, stats_seconds: Option<f64>,
    }
    /// A table with old transaction numbers.
    OldTable = VITAL_OLDEST_TABLES { relation: String, xid_age: i64, mxid_age: i64, bytes: i64, remedy: String }
    /// A sequence, with the narrowest column that it fills.
    Sequence = VITAL_SEQUENCES {
        sequence: String, fills: Option<String>, last: Option<i64>, most: i64, cycles: bool, readable: bool,
        used_percent: Option<f64>,
    }
    /// Checkpoints; none where the server counts them elsewhere.
    Checkpoints = VITAL_CHECKPOINTS { timed: Option<i64>, requested: Option<i64>, stats_seconds: Option<f64> }
    /// The same as 17 has them.
    CheckpointsOf17 = VITAL_CHECKPOINTS_17 { timed: Option<i64>, requested: Option<i64>, stats_seconds: Option<f64> }
    /// A table that autovacuum should see to, or does not.
    Autovacuum = VITAL_AUTOVACUUM {
        relation: String, enabled: bool, never_analyzed: bool, dead: i64, inserted: i64, modified: i64, vacuum_ratio: f64,
        insert_ratio: f64, analyze_ratio: f64, bytes: i64, vacuumed_seconds: Option<f64>, analyzed_seconds: Option<f64>,
    }
    /// A vacuum that runs.
    Vacuum = VITAL_VACUUMS {
        pid: i64, database: Option<String>, relation: Option<String>, phase: Option<String>, blocks: Option<i64>,
        scanned: Option<i64>, automatic: bool, against_wraparound: bool, seconds: Option<f64>,
    }
    /// The archiver.
    Archiver = VITAL_ARCHIVER {
        mode: String, archived: i64, failed: i64, last_failed_wal: Option<String>, archived_seconds: Option<f64>,
        failed_seconds: Option<f64>, failing: bool,
    }
    /// Which database of which server this is.
    Identity = SERVER_IDENTITY { system: i64, database: i64 }
    /// A role with a limit of connections.
    Role = VITAL_ROLES { role: String, connection_limit: i64, connections: i64 }
    /// A collation of another version of its library.
    Collation = VITAL_COLLATIONS { object: String, recorded: Option<String>, actual: Option<String>, remedy: String }
    /// A database of such a collation.
    DatabaseCollation = VITAL_COLLATIONS_15 {
        object: String, recorded: Option<String>, actual: Option<String>, remedy: String,
    }
}

impl Autovacuum {
    /// How far over its thresholds; 1 is due.
    pub fn overdue(&self) -> f64 {
        self.vacuum_ratio.max(self.insert_ratio).max(self.analyze_ratio)
    }

    /// What it waits for.
    pub fn waits_for(&self) -> &'static str {
        if self.vacuum_ratio.max(self.insert_ratio) > 1.0 && self.analyze_ratio > 1.0 {
            "vacuum, analyze"
        } else if self.vacuum_ratio.max(self.insert_ratio) > 1.0 {
            "vacuum"
        } else if self.analyze_ratio > 1.0 {
            "analyze"
        } else {
            ""
        }
    }

    /// The SQL that does it.
    pub fn remedy(&self) -> String {
        if !self.enabled {
            return format!("ALTER TABLE {} RESET (autovacuum_enabled)", self.relation);
        }
        match self.waits_for() {
            "" | "analyze" => format!("ANALYZE {}", self.relation),
            "vacuum" => format!("VACUUM {}", self.relation),
            _ => format!("VACUUM (ANALYZE) {}", self.relation),
        }
    }
}

/// The share of `part` in `whole`, in percent; none of nothing.
pub fn percent(part: i64, whole: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    (whole > 0).then(|| 100.0 * part as f64 / whole as f64)
}

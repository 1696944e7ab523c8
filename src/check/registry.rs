//! The checks: what each is for, what must be read for it, its thresholds and what to do. Pure.

use super::measure::{self, Measured};
use super::scene::{Need, Scene};
use crate::inspect::vitals::Part;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Of a hundred.
    Percent,
    /// Time.
    Seconds,
    /// Memory.
    Bytes,
    /// A number.
    Count,
}

/// One thing that a check measures.
#[derive(Debug)]
pub struct Metric {
    /// Its name; the first one of a check needs none in dbctl.yaml.
    pub name: &'static str,
    /// What its values are.
    pub unit: Unit,
    /// Less is worse.
    pub lower: bool,
    /// A value beyond it warns, or is critical.
    pub limits: Limits,
    /// The same under the profile `oltp`, where it is another.
    pub oltp: Option<Limits>,
}

/// Values beyond which it warns, or is critical.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// It warns.
    pub warn: Option<f64>,
    /// It is critical.
    pub crit: Option<f64>,
}

/// One check.
#[derive(Debug)]
pub struct Check {
    /// Its name, for flags, dbctl.yaml and monitoring.
    pub id: &'static str,
    /// What it asks.
    pub summary: &'static str,
    /// What is read for it.
    pub needs: &'static [Need],
    /// What it measures, at least one.
    pub metrics: &'static [Metric],
    /// What to do, where the finding itself does not say.
    pub remedy: &'static str,
    /// From what was read to what it measures, or why it cannot.
    pub measure: fn(&Scene) -> Part<Measured>,
}

impl Check {
    /// Whether it compares with an earlier run.
    pub fn is_rate(&self) -> bool {
        self.needs.contains(&Need::State)
    }

    /// The metric of a name.
    pub fn metric(&self, name: &str) -> Option<&'static Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// The keys of its thresholds in dbctl.yaml: the metric's name, and whether it is the warning.
    pub fn keys(&self) -> Vec<(String, &'static Metric, bool)> {
        let mut keys = Vec::new();
        for (at, metric) in self.metrics.iter().enumerate() {
            for (word, warns) in [("warn", true), ("crit", false)] {
                let key = if at == 0 { word.to_owned() } else { format!("{}_{word}", metric.name) };
                keys.push((key, metric, warns));
            }
        }
        keys
    }
}

const fn limits(warn: f64, crit: f64) -> Limits {
    Limits { warn: Some(warn), crit: Some(crit) }
}

const fn over(name: &'static str, unit: Unit, warn: f64, crit: f64) -> Metric {
    Metric { name, unit, lower: false, limits: limits(warn, crit), oltp: None }
}

const fn warns(name: &'static str, unit: Unit, warn: f64) -> Metric {
    Metric { name, unit, lower: false, limits: Limits { warn: Some(warn), crit: None }, oltp: None }
}

const fn crits(name: &'static str) -> Metric {
    Metric { name, unit: Unit::Count, lower: false, limits: Limits { warn: None, crit: Some(0.0) }, oltp: None }
}

macro_rules! checks {
    ($($id:literal, $summary:literal, [$($need:ident),*], [$($metric:expr),+], $remedy:literal, $measure:ident;)+) => {
        /// All of them.
        pub const CHECKS: &[Check] = &[$(Check {
            id: $id,
            summary: $summary,
            needs: &[$(Need::$need),*],
            metrics: &[$($metric),+],
            remedy: $remedy,
            measure: measure::$measure,
        }),+];
    };
}

use Unit::{Bytes, Count, Percent, Seconds};

checks! {
    "connections", "connections in use, of the server's, a role's and a database's limit", [Server, Databases, Roles],
        [over("used", Percent, 80.0, 90.0)], "dbctl activity", connections;
    "long_query", "how long statements run", [Activity],
        [Metric { oltp: Some(limits(1.0, 5.0)), ..over("age", Seconds, 300.0, 1800.0) }], "dbctl activity", long_query;
    "idle_in_transaction", "how long sessions are idle in a transaction", [Activity],
        [over("age", Seconds, 300.0, 900.0)], "dbctl activity", idle_in_transaction;
    "lock_wait", "how long sessions wait for locks, and how many do", [Locks],
        [over("age", Seconds, 10.0, 60.0), over("victims", Count, 4.0, 19.0)], "dbctl locks", lock_wait;
    "deadlocks", "deadlocks in an hour", [Databases, State],
        [over("rate", Count, 0.0, 10.0)], "see the server's log for the statements that met", deadlocks;
    "rollbacks", "transactions that were rolled back", [Databases, State],
        [over("share", Percent, 5.0, 20.0)], "see the server's log for the errors", rollbacks;
    "disk", "how full the disks of the data directory and the tablespaces are", [Server, Settings],
        [over("used", Percent, 80.0, 90.0)], "free space, or make the volume larger", disk;
    "replication_lag", "how far standbys are behind", [Server, Standbys, Receiver],
        [over("lag", Bytes, 52_428_800.0, 104_857_600.0), over("delay", Seconds, 30.0, 300.0), crits("broken"),
         Metric { name: "standbys", unit: Count, lower: true, limits: Limits { warn: None, crit: None }, oltp: None }],
        "dbctl replication", replication_lag;
    "slots", "WAL that replication slots keep, of its limit; slots that are lost or inactive", [Slots],
        [over("retained", Percent, 50.0, 80.0), crits("lost"), warns("inactive", Count, 0.0)], "dbctl replication", slots;
    "xid_age", "age of the oldest transaction number", [Server, Databases],
        [over("wrap", Percent, 50.0, 75.0), over("freeze", Percent, 110.0, 125.0)], "dbctl health wraparound", xid_age;
    "mxid_age", "age of the oldest multixact", [Server, Databases],
        [over("wrap", Percent, 50.0, 75.0), over("freeze", Percent, 110.0, 125.0)], "dbctl health wraparound", mxid_age;
    "xmin_horizon", "for how long old row versions are kept", [Activity],
        [over("age", Seconds, 3_600.0, 86_400.0), over("transactions", Count, 50_000_000.0, 200_000_000.0)],
        "dbctl activity", xmin_horizon;
    "autovacuum", "tables that autovacuum should have seen to, or that have it off", [Server, Queue],
        [over("overdue", Count, 2.0, 5.0), warns("off", Count, 0.0), warns("never_analyzed", Count, 0.0)],
        "dbctl health autovacuum", autovacuum;
    "invalid_index", "indexes that are invalid and that nobody builds", [Indexes],
        [warns("invalid", Count, 0.0)], "REINDEX INDEX CONCURRENTLY", invalid_index;
    "duplicate_index", "size of indexes that do the work of another one", [Indexes],
        [warns("size", Bytes, 0.0)], "DROP INDEX CONCURRENTLY", duplicate_index;
    "unused_index", "for how long indexes are counted as not used", [Indexes],
        [warns("age", Seconds, 2_592_000.0)], "DROP INDEX CONCURRENTLY", unused_index;
    "fk_without_index", "rows of tables with a foreign key without an index", [Indexes],
        [warns("rows", Count, 10_000.0)], "CREATE INDEX CONCURRENTLY", fk_without_index;
    "bloat", "size that tables and indexes would give back, of those where it is 30 % or more", [Bloat],
        [over("size", Bytes, 1_073_741_824.0, 10_737_418_240.0)], "dbctl bloat", bloat;
    "sequences", "numbers that sequences have used, by their own limit and the column's", [Sequences],
        [over("used", Percent, 70.0, 90.0)], "ALTER TABLE … ALTER COLUMN … TYPE bigint", sequences;
    "cache_hit", "blocks found in shared buffers", [Databases, State],
        [Metric { lower: true, ..over("share", Percent, 95.0, 85.0) }], "dbctl health cache", cache_hit;
    "archiving", "whether WAL is archived", [Archiver],
        [crits("failing")], "see the server's log for what archive_command says", archiving;
    "checksums", "pages that were found damaged", [Server, Databases],
        [crits("failures")], "restore the damaged objects from a backup; look at the disk", checksums;
    "pending_restart", "settings that wait for a restart", [Settings],
        [warns("settings", Count, 0.0)], "restart the server", pending_restart;
    "fsync", "whether a crash can lose data", [Server],
        [crits("off")], "ALTER SYSTEM RESET fsync; ALTER SYSTEM RESET full_page_writes", fsync;
    "collation", "collations whose library has changed", [Server, Collations],
        [warns("changed", Count, 0.0)], "REINDEX what uses it, then refresh its version", collation;
    "stats_age", "how long ago the statistics were reset", [Databases],
        [Metric { lower: true, ..warns("age", Seconds, 3_600.0) }], "wait: what is counted since then says little", stats_age;
    "temp_files", "temporary files written in an hour", [Databases, State],
        [over("rate", Bytes, 1_073_741_824.0, 10_737_418_240.0)], "dbctl activity; see work_mem", temp_files;
    "checkpoints", "checkpoints that came before their time", [Checkpoints, State],
        [over("requested", Percent, 50.0, 80.0)], "ALTER SYSTEM SET max_wal_size, larger", checkpoints;
    "pending_migrations", "migrations that dbctl.yaml names for a target and that it does not have", [Migrations],
        [warns("pending", Count, 0.0), warns("contradictions", Count, 0.0)], "dbctl migrate plan", pending_migrations;
    "partitions", "how far the partitions of a policy reach ahead", [Partitions],
        [Metric { lower: true, ..over("runway", Seconds, 259_200.0, 86_400.0) },
         Metric { lower: true, ..over("share", Percent, 50.0, 20.0) }], "dbctl partitions create", partitions;
    "latency", "mean time that a transaction is at work", [Databases, State],
        [over("mean", Seconds, 1.0, 5.0)], "dbctl activity", latency;
}

/// The name of the check of whether a server answers.
pub const CONN: &str = "conn";

/// The check of a name.
pub fn named(id: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.id == id)
}

/// All names.
pub fn names() -> Vec<&'static str> {
    CHECKS.iter().map(|check| check.id).collect()
}

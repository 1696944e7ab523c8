//! What was read for the checks, as values: each part is known or says why it is not. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bloat::Look;
use crate::inspect::activity;
use crate::inspect::indexes::Finding;
use crate::inspect::locks::Sample;
use crate::inspect::replication::{Receiver, Slot, Standby};
use crate::inspect::vitals::{
    Archiver, Autovacuum, Checkpoints, Collation, Database, Part, Role, Sequence, Server, Settings,
};

/// A part that checks need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    Server,
    Settings,
    Databases,
    Roles,
    Activity,
    Locks,
    Standbys,
    Receiver,
    Slots,
    Queue,
    Indexes,
    Bloat,
    Sequences,
    Archiver,
    Collations,
    Checkpoints,
    State,
    Migrations,
    Partitions,
}

/// Counters of one moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Seconds since 1970.
    pub at: f64,
    /// By name.
    pub values: BTreeMap<String, f64>,
}

/// How full a disk is.
#[derive(Debug, Clone, PartialEq)]
pub struct Disk {
    /// What lies there.
    pub path: String,
    /// Of what users may have.
    pub used_percent: f64,
    /// What is left.
    pub free_bytes: f64,
}

/// What is wrong with indexes.
#[derive(Debug, Clone, PartialEq)]
pub struct Indexes {
    /// The server is a standby: what its primary uses is not known here.
    pub standby: bool,
    /// So many standbys stream from here, whose uses are not known here.
    pub standbys: i64,
    /// Uses are counted for so long.
    pub counted_seconds: f64,
    /// What `dbctl indexes` would say.
    pub found: Vec<Finding>,
}

/// How a database stands to the migrations that dbctl.yaml names for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrations {
    /// Versions to be applied.
    pub pending: usize,
    /// Versions whose history contradicts the files.
    pub contradictions: usize,
    /// The system whose history it is, when it is another.
    pub other_system: Option<String>,
}

/// How far the partitions of a table reach.
#[derive(Debug, Clone, PartialEq)]
pub struct Runway {
    /// The table.
    pub table: String,
    /// How far, or why that cannot be said.
    pub reach: Part<Reach>,
}

/// How far partitions reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reach {
    /// For so many seconds, or for ever.
    Seconds(f64),
    /// Of a key without a meaning in time: percent of what the policy wants ahead.
    Share(f64),
}

/// What other rooms have read for checks, of a target for which dbctl.yaml names it.
#[derive(Debug, Clone)]
pub struct Brought {
    /// Its migrations.
    pub migrations: Part<Migrations>,
    /// Its partitions.
    pub runways: Part<Vec<Runway>>,
}

impl Default for Brought {
    fn default() -> Brought {
        Brought {
            migrations: Err("the target names no migrations: 'system:' or 'migrations:' in dbctl.yaml".to_owned()),
            runways: Err("no policy is named: 'checks: {partitions: {policy: FILE}}' in dbctl.yaml".to_owned()),
        }
    }
}

/// Everything that is measured. A part that no check asked for says so.
pub struct Scene {
    /// The server.
    pub server: Part<Server>,
    /// Its settings.
    pub settings: Part<Settings>,
    /// Databases with their counters.
    pub databases: Part<Vec<Database>>,
    /// Roles with a limit.
    pub roles: Part<Vec<Role>>,
    /// Sessions and horizon.
    pub activity: Part<activity::Seen>,
    /// Who waits.
    pub locks: Part<Sample>,
    /// Who streams from here.
    pub standbys: Part<Vec<Standby>>,
    /// How it receives.
    pub receiver: Part<Vec<Receiver>>,
    /// Slots.
    pub slots: Part<Vec<Slot>>,
    /// What autovacuum has to do.
    pub queue: Part<Vec<Autovacuum>>,
    /// What is wrong with indexes.
    pub indexes: Part<Indexes>,
    /// What tables and indexes would give back.
    pub bloat: Part<Look>,
    /// For so many seconds uses must be counted before an index is called unused.
    pub unused_after: f64,
    /// What would give back so many bytes is bloated.
    pub bloated_from: f64,
    /// Sequences.
    pub sequences: Part<Vec<Sequence>>,
    /// The archiver.
    pub archiver: Part<Archiver>,
    /// Collations that changed.
    pub collations: Part<Vec<Collation>>,
    /// Checkpoints.
    pub checkpoints: Part<Checkpoints>,
    /// Disks.
    pub disks: Part<Vec<Disk>>,
    /// What other rooms have read.
    pub brought: Brought,
    /// What an earlier run counted.
    pub before: Part<Counters>,
    /// What is counted now.
    pub counters: Counters,
}

impl Scene {
    /// By how much a counter grew since the earlier run, and in how many seconds.
    ///
    /// # Errors
    /// Why that cannot be said.
    pub fn grown(&self, name: &str) -> Part<(f64, f64)> {
        let before = self.before.as_ref().map_err(Clone::clone)?;
        let value = |counters: &Counters| counters.values.get(name).copied();
        let (Some(then), Some(now)) = (value(before), value(&self.counters)) else {
            return Err("counting began now: the next run can say".to_owned());
        };
        if now < then {
            return Err(format!(
                "the server's counters were reset ({name} fell from {then} to {now}): counting began anew"
            ));
        }
        Ok((now - then, (self.counters.at - before.at).max(1.0)))
    }
}

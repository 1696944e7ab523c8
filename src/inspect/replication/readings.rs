//! The parts of replication as plain values, a struct a query.

use crate::error::Result;
use crate::inspect::vitals::{Reading, readings};
use crate::pg::{Query, Row};

readings! {
    /// Who streams from here. Without pg_monitor only that somebody does.
    Standby = REPLICATION_STANDBYS {
        pid: i64, name: String, client: Option<String>, role: Option<String>, state: Option<String>,
        sync_state: Option<String>, sent_bytes: Option<i64>, write_bytes: Option<i64>, flush_bytes: Option<i64>,
        replay_bytes: Option<i64>, write_seconds: Option<f64>, flush_seconds: Option<f64>, replay_seconds: Option<f64>,
    }
    /// A replication slot.
    Slot = REPLICATION_SLOTS {
        name: String, kind: String, database: Option<String>, active: bool, temporary: bool, wal_status: Option<String>,
        retained_bytes: Option<i64>, safe_bytes: Option<i64>, limit_bytes: Option<i64>, inactive_seconds: Option<f64>,
        invalidation_reason: Option<String>, conflicting: bool, remedy: Option<String>,
    }
    /// How a standby receives and replays.
    Receiver = REPLICATION_RECEIVER {
        status: Option<String>, sender: Option<String>, port: Option<i64>, slot: Option<String>, received: Option<String>,
        replayed: Option<String>, replay_bytes: Option<i64>, replay_seconds: Option<f64>, message_seconds: Option<f64>,
        pause: String,
    }
    /// Queries of a database that replay cancelled.
    Conflicts = REPLICATION_CONFLICTS {
        database: String, tablespace: i64, lock: i64, snapshot: i64, buffer_pin: i64, deadlock: i64, logical_slot: i64,
    }
    /// A logical subscription.
    Subscription = REPLICATION_SUBSCRIPTIONS {
        name: String, enabled: bool, pid: Option<i64>, received: Option<String>, behind_bytes: Option<i64>,
        message_seconds: Option<f64>, tables_not_ready: i64,
    }
    /// Its errors.
    SubscriptionErrors = REPLICATION_SUBSCRIPTION_ERRORS_15 { name: String, apply_errors: i64, sync_errors: i64 }
}

impl Standby {
    /// The role that looks may not see how far it is.
    pub fn is_hidden(&self) -> bool {
        self.state.is_none()
    }
}

impl Receiver {
    /// Nothing comes; not so where the role that looks may not see how it comes.
    pub fn is_cut_off(&self) -> bool {
        self.status.as_deref() == Some("not receiving")
    }
}

impl Slot {
    /// It has lost WAL that its consumer needs, or was invalidated.
    pub fn is_lost(&self) -> bool {
        self.wal_status.as_deref() == Some("lost") || self.conflicting || self.invalidation_reason.is_some()
    }
}

//! What these tests share: a policy, a verb that is run or stopped at a step, writers beside it, and
//! a portrait of a table to compare before and after.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dbctl::config::connection::Connection;
use dbctl::config::env::Env;
use dbctl::error::Failure;
use dbctl::ident::{Ident, TableName};
use dbctl::partitions::{Answer, Means};
use dbctl::pg::Interrupt;
use dbctl::policy::calendar::{Every, Unit};
use dbctl::policy::span::Span;
use dbctl::policy::{
    Ahead, At, Clones, DefaultRule, Expire, LockPolicy, Misaligned, Policy, Rails, Runway, TablePolicy,
};
use dbctl::steps::events::{Event, Events};
use dbctl::steps::gate::{self, Confirm};

use crate::harness::Database;

/// Months of UTC, three ahead.
pub fn table_policy(table: &TableName, key: &str) -> TablePolicy {
    TablePolicy {
        table: table.clone(),
        system: None,
        key: Ident::new(key),
        codec: None,
        every: Every::Time { unit: Unit::Month, count: 1, origin: None },
        timezone: chrono_tz::UTC,
        ahead: Ahead::Periods(3),
        from: None,
        keep: None,
        exact: false,
        expire: Expire::Drop,
        name: None,
        default_partition: DefaultRule::Forbid,
        on_misaligned: Misaligned::Error,
        lock: LockPolicy {
            timeout: Duration::from_millis(50),
            patience: Duration::from_secs(30),
            first_pause: Duration::from_millis(50),
            longest_pause: Duration::from_secs(1),
            detach_wait: Duration::from_secs(10),
        },
        rails: Rails { max_drops: 3, max_drop_fraction: 0.25, grace: Span::default(), protect: Vec::new() },
        runway: Runway { warn: 0.5, crit: 0.2 },
        clone: Clones {
            owner: true,
            grants: true,
            replica_identity: true,
            reloptions: true,
            tablespace: true,
            row_security: false,
        },
        storage: Vec::new(),
        child_unique: Vec::new(),
        after_expire: Vec::new(),
        at: At::default(),
    }
}

/// A policy of these tables.
pub fn policy(tables: Vec<TablePolicy>) -> Policy {
    Policy {
        sources: Vec::new(),
        archives: std::collections::BTreeMap::new(),
        holds: Vec::new(),
        floors: Vec::new(),
        tables,
        rows: Vec::new(),
        hash: String::new(),
    }
}

/// The connection of a database.
pub fn connection(db: &Database) -> Connection {
    Connection::resolve(Some(&db.url()), &Env::of_process()).unwrap()
}

/// No rail stands in the way.
pub fn rails() -> gate::Rails {
    gate::Rails { protected: None, target_named: false, yes: true, interactive: false, always_ask: false }
}

/// What a verb told.
#[derive(Default)]
pub struct Told {
    /// The titles of the steps that were done, and how long each took.
    pub applied: Vec<(String, Duration)>,
    /// What the server said.
    pub notices: Vec<String>,
    stop_at: Option<usize>,
    stop: Arc<tokio::sync::Notify>,
}

impl Events for Told {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Step { .. } => {
                if let Some(left) = &mut self.stop_at {
                    if *left == 0 {
                        self.stop.notify_one();
                    }
                    *left = left.saturating_sub(1);
                }
            }
            Event::Applied { title, took } => self.applied.push((title.to_owned(), took)),
            Event::Notice { notice, .. } => self.notices.push(notice.message.clone()),
            _ => {}
        }
    }
}

struct Nobody;

impl Confirm for Nobody {
    fn confirm(&mut self, _: &[String], _: &str) -> bool {
        false
    }
}

/// Runs a verb to its end.
pub fn verb<F>(work: F) -> (Result<Answer, Failure>, Told)
where
    F: AsyncFnOnce(&mut Means<'_>) -> Result<Answer, Failure>,
{
    let mut told = Told::default();
    let answer = on_runtime(async {
        let interrupt = Interrupt::default();
        work(&mut Means { interrupt: &interrupt, events: &mut told, confirm: &mut Nobody }).await
    });
    (answer, told)
}

/// Runs a verb and drops it, connections and all, when its step of this number (from 0) has begun.
/// Nothing when it ended before.
pub fn killed_at<F>(step: usize, work: F) -> Option<Result<Answer, Failure>>
where
    F: AsyncFnOnce(&mut Means<'_>) -> Result<Answer, Failure>,
{
    let stop = Arc::new(tokio::sync::Notify::new());
    let mut told = Told { stop_at: Some(step), stop: Arc::clone(&stop), ..Told::default() };
    on_runtime(async {
        let interrupt = Interrupt::default();
        let mut means = Means { interrupt: &interrupt, events: &mut told, confirm: &mut Nobody };
        tokio::select! {
            biased;
            () = stop.notified() => None,
            answer = work(&mut means) => Some(answer),
        }
    })
}

fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Somebody who writes all the time, until stopped.
pub struct Writer {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    thread: Option<JoinHandle<(u64, Duration, Vec<String>)>>,
}

impl Writer {
    /// Runs the statement again and again in a session of its own.
    pub fn start(db: &Database, sql: impl Fn(u64) -> String + Send + 'static) -> Writer {
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let session = db.session();
        let (ends, counts) = (Arc::clone(&stop), Arc::clone(&written));
        let thread = std::thread::spawn(move || {
            let (mut done, mut number, mut worst, mut errors) = (0, 0, Duration::ZERO, Vec::new());
            while !ends.load(Ordering::Relaxed) {
                let began = Instant::now();
                match session.try_sql(&sql(number)) {
                    Ok(_) => done += 1,
                    Err(error) => errors.push(error.to_string()),
                }
                number += 1;
                worst = worst.max(began.elapsed());
                counts.store(done, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(1));
            }
            (done, worst, errors)
        });
        Writer { stop, written, thread: Some(thread) }
    }

    /// How many were written so far.
    pub fn so_far(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Stops it: how many were written, the longest wait, and what failed.
    pub fn stop(mut self) -> (u64, Duration, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

/// All that a table of this name is to those who use it, except its indexes' columns and whether it is
/// partitioned.
pub fn portrait(db: &Database, table: &str) -> Vec<String> {
    let sql = format!(
        "SELECT * FROM (
        SELECT 'owner '||pg_get_userbyid(relowner)||' rls '||relrowsecurity::text||relforcerowsecurity::text||' ri '||relreplident::text
            ||' c '||coalesce(obj_description(oid, 'pg_class'), '') AS line
            FROM pg_class WHERE oid = '{table}'::regclass
        UNION ALL SELECT 'grant '||coalesce(grantee::regrole::text, '')||privilege_type||is_grantable::text
            FROM pg_class, aclexplode(coalesce(relacl, acldefault('r', relowner))) WHERE oid = '{table}'::regclass
        UNION ALL SELECT 'grant '||attname||grantee::regrole::text||privilege_type FROM pg_attribute, aclexplode(attacl)
            WHERE attrelid = '{table}'::regclass AND NOT attisdropped
        UNION ALL SELECT 'column '||attname||format_type(atttypid, atttypmod)||attnotnull::text||attidentity::text||attgenerated::text
            ||coalesce(pg_get_expr(adbin, adrelid), '')||coalesce(col_description(attrelid, attnum), '')
            ||coalesce(nullif(attstattarget, -1)::text, '')
            ||coalesce(pg_get_serial_sequence('{table}', attname), '')
            FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped
        UNION ALL SELECT 'constraint '||conname||pg_get_constraintdef(oid)||convalidated::text
            FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype IN ('c', 'f', 'n')
        UNION ALL SELECT 'index '||relname||coalesce(obj_description(c.oid), '') FROM pg_index JOIN pg_class c ON c.oid = indexrelid
            WHERE indrelid = '{table}'::regclass AND indisvalid
        UNION ALL SELECT 'trigger '||pg_get_triggerdef(oid)||tgenabled::text||coalesce(obj_description(oid), '') FROM pg_trigger
            WHERE tgrelid = '{table}'::regclass AND NOT tgisinternal
        UNION ALL SELECT 'policy '||polname||polcmd::text||polroles::text||coalesce(pg_get_expr(polqual, polrelid), '')
            ||coalesce(pg_get_expr(polwithcheck, polrelid), '')||polpermissive::text FROM pg_policy WHERE polrelid = '{table}'::regclass
        UNION ALL SELECT 'publication '||pubname FROM pg_publication JOIN pg_publication_rel ON prpubid = pg_publication.oid
            WHERE prrelid = '{table}'::regclass
        UNION ALL SELECT 'sequence '||seqstart::text||seqincrement||seqmin||seqmax||seqcache||seqcycle::text||coalesce(relacl::text, '')
            FROM pg_sequence JOIN pg_class ON oid = seqrelid WHERE relnamespace = (
                SELECT relnamespace FROM pg_class WHERE oid = '{table}'::regclass)
        ) AS lines ORDER BY line"
    );
    db.sql(&sql).into_iter().map(|row| row[0].clone().unwrap()).collect()
}

/// Roles of the server, which other tests make at the same time.
pub fn roles(db: &Database) {
    for role in ["ado_reader", "ado_keeper"] {
        let made = db.try_sql(&format!("CREATE ROLE {role}"));
        assert!(
            made.is_ok() || db.one(&format!("SELECT count(*) FROM pg_roles WHERE rolname = '{role}'")) == "1",
            "{made:?}"
        );
    }
}

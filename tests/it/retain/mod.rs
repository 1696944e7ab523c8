//! Row retention on real servers, through the library as a command would use it.

mod actions;
mod anonymise;
mod concurrency;
mod obstacles;
mod pace;
mod partitioned;
mod shipped;

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use dbctl::config::connection::Connection;
use dbctl::config::env::Env;
use dbctl::error::Result;
use dbctl::ident::{Ident, TableName};
use dbctl::pg::{Interrupt, Server, Session};
use dbctl::policy::span::Span;
use dbctl::policy::{Age, At, Batch, DayRange, Hold, LockPolicy, Mask, Pace, RowAction, RowJob};
use dbctl::retain::{self, JobPlan, JobReport, JobSnapshot, Means};
use dbctl::steps::apply::{Executor, Order};
use dbctl::steps::events::{Event, Events};

use crate::harness::Database;

/// Runs a test as dbctl runs: on one thread.
fn wait<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

fn days(days: u32) -> Span {
    Span { months: 0, days, micros: 0 }
}

/// A job on `public.t` that deletes what its column `at` says is over 30 days old.
fn job() -> RowJob {
    RowJob {
        name: "old".into(),
        table: TableName::new("public", "t"),
        system: None,
        age: Some(Age { column: Ident::new("at"), over: days(30) }),
        condition: None,
        action: RowAction::Delete,
        batch: Batch { target: Duration::from_millis(30), max_rows: 5000 },
        pace: Pace { max_replica_lag: None, max_slot_wal: None, window: None, budget: None },
        vacuum: None,
        once_per_partition: false,
        timezone: chrono_tz::Tz::UTC,
        lock: LockPolicy {
            timeout: Duration::from_millis(50),
            patience: Duration::from_secs(20),
            first_pause: Duration::from_millis(20),
            longest_pause: Duration::from_millis(200),
            detach_wait: Duration::from_secs(60),
        },
        at: At::default(),
    }
}

fn anonymise(set: &[(&str, Mask)]) -> RowJob {
    let set = set.iter().map(|(column, mask)| (Ident::new(*column), mask.clone())).collect();
    RowJob { action: RowAction::Anonymise { set }, ..job() }
}

const PREFIX: Mask = Mask::IpPrefix { v4: 24, v6: 48 };

fn hold(tables: &str, from: Option<(i32, u32, u32)>, to: Option<(i32, u32, u32)>) -> Hold {
    let day = |(year, month, day)| NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let days = DayRange { from: from.map(day), to: to.map(day) };
    Hold { id: "H-1".into(), system: None, tables: vec![tables.into()], days, reason: "asked for".into() }
}

/// What was told, as lines.
#[derive(Default)]
struct Told(Vec<String>);

impl Events for Told {
    fn event(&mut self, event: Event<'_>) {
        self.0.push(format!("{event:?}"));
    }
}

/// A job with all that a run of it needs.
struct Case {
    job: RowJob,
    holds: Vec<Hold>,
    url: String,
    env: Env,
    interrupt: Interrupt,
    now: DateTime<Utc>,
}

impl Case {
    fn new(db: &Database, job: RowJob) -> Case {
        let env =
            [("HOME", "/nowhere"), ("PGSYSCONFDIR", "/nowhere"), ("HASH_KEY", "tell-nobody")].into_iter().collect();
        Case { job, holds: vec![], url: db.url(), env, interrupt: Interrupt::default(), now: Utc::now() }
    }

    fn connection(&self) -> Connection {
        Connection::resolve(Some(&self.url), &self.env).unwrap()
    }

    async fn look(&self, session: &Session) -> Result<(JobSnapshot, JobPlan)> {
        let snapshot = retain::read(session, &self.job, &self.holds, self.now).await?;
        let plan = retain::plan(&self.job, &snapshot, &self.holds, self.now)?;
        Ok((snapshot, plan))
    }

    fn plan(&self) -> JobPlan {
        self.try_plan().unwrap_or_else(|failure| panic!("{failure}"))
    }

    fn try_plan(&self) -> Result<JobPlan> {
        wait(async {
            let session = Session::open(&self.connection(), "rows", &self.interrupt).await?;
            Ok(self.look(&session).await?.1)
        })
    }

    fn run(&self) -> JobReport {
        self.try_run().0.unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// The report, and what was told on the way.
    fn try_run(&self) -> (Result<JobReport>, Vec<String>) {
        let mut told = Told::default();
        let report = wait(self.work(&mut told));
        (report, told.0)
    }

    async fn work(&self, told: &mut Told) -> Result<JobReport> {
        let connection = self.connection();
        let session = Session::open(&connection, "rows", &self.interrupt).await?;
        let server = Server::read(&session).await?;
        let order = Order {
            command: "rows".into(),
            lease: "rows".into(),
            lease_wait: Duration::from_secs(20),
            lock_patience: Duration::from_secs(20),
            pauses: dbctl::steps::Pauses::default(),
        };
        let mut executor = Executor::begin(session, server, &connection, order, &self.interrupt, told).await?;
        let plan = self.look(executor.session()).await?.1;
        let mut means = Means { interrupt: &self.interrupt, events: told, env: &self.env };
        retain::run(&mut executor, &self.job, &plan, &mut means).await
    }

    /// The plan's attention as lines, those that block with `!`.
    fn attention(&self) -> Vec<String> {
        let line = |a: &retain::Attention| format!("{}{}", if a.blocks { "! " } else { "" }, a.message);
        self.plan().attention.iter().map(line).collect()
    }

    /// Fails unless one of the lines of attention has these words.
    #[track_caller]
    fn warns(&self, words: &str) {
        let found = self.attention();
        assert!(found.iter().any(|line| line.contains(words)), "{words:?} is not in {found:#?}");
    }
}

/// `rows` rows of which every second is old, with an index on the age where asked for.
fn table(rows: u32, indexed: bool) -> Database {
    let db = Database::new();
    db.sql(&format!(
        "CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz, note text);
         INSERT INTO t SELECT i, now() - CASE WHEN i % 2 = 0 THEN interval '60 days' ELSE interval '1 day' END
             - i * interval '1 second', 'n' || i FROM generate_series(1, {rows}) AS i;"
    ));
    if indexed {
        db.sql("CREATE INDEX ON t (at)");
    }
    db.sql("ANALYZE t");
    db
}

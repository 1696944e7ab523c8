//! Many clients at a given rate for a given time. Each query has a time at which it is due, whatever
//! became of those before it: a server that falls behind is seen in the times, not in fewer queries.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::Semaphore;
use tokio::task::LocalSet;
use tokio::time::{Instant, interval, sleep_until, timeout};
use tokio_postgres::Client;

use super::place::connect;
use super::pooler::Pooler;
use crate::bench::latencies::Latencies;

/// After that a query counts as an error.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many connect at once.
const DOORS: usize = 50;

/// What is wanted of the server.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Connections that are open all the time.
    pub clients: usize,
    /// Queries a second, of all of them together.
    pub rate: f64,
    /// From the first query on.
    pub time: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many connections there were.
    pub connected: usize,
    /// From when it was due until the answer was there, by the name of the operation.
    pub times: BTreeMap<&'static str, Latencies>,
    /// The same of all together.
    pub all: Latencies,
    /// Queries that failed or took too long.
    pub errors: usize,
    /// The first of these.
    pub first_error: Option<String>,
    /// As long as the load was to take; longer if the last answers came more than a second late.
    pub took: Duration,
    /// The busiest moment of the pool, in percent of its connections.
    pub saturation: f64,
}

impl Outcome {
    /// Of a hundred.
    pub fn error_rate(&self) -> f64 {
        self.errors as f64 * 100.0 / (self.errors + self.all.count()).max(1) as f64
    }

    /// Answers a second.
    pub fn throughput(&self) -> f64 {
        self.all.count() as f64 / self.took.as_secs_f64()
    }

    fn merge(&mut self, other: Outcome) {
        self.connected += other.connected;
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
        for (name, latencies) in other.times {
            let all = self.times.entry(name).or_default();
            for ms in latencies.all() {
                let time = Duration::from_secs_f64(ms / 1000.0);
                all.add(time);
                self.all.add(time);
            }
        }
    }
}

/// Runs the operation, which is told a number that no other call gets and says what it did.
pub async fn run<F>(pooler: &Pooler, load: Load, operation: F) -> Result<Outcome>
where
    F: AsyncFn(&Client, usize) -> Result<&'static str> + Copy + 'static,
{
    LocalSet::new().run_until(drive(pooler, load, operation)).await
}

async fn drive<F>(pooler: &Pooler, load: Load, operation: F) -> Result<Outcome>
where
    F: AsyncFn(&Client, usize) -> Result<&'static str> + Copy + 'static,
{
    let mut outcome = Outcome::default();
    let mut sessions = Vec::new();
    let doors = Rc::new(Semaphore::new(DOORS));
    for _ in 0..load.clients {
        let (config, doors) = (pooler.config().clone(), Rc::clone(&doors));
        sessions.push(tokio::task::spawn_local(async move {
            let _door = doors.acquire().await?;
            connect(&config).await
        }));
    }
    let mut clients = Vec::new();
    for session in sessions {
        match session.await? {
            Ok(client) => clients.push(client),
            Err(error) => {
                outcome.errors += 1;
                outcome.first_error.get_or_insert(format!("{error:#}"));
            }
        }
    }
    let console = pooler.console().await?;
    let pool = pooler.pool();
    let watch = tokio::task::spawn_local(async move {
        let (mut ticks, mut most) = (interval(Duration::from_millis(100)), 0.0_f64);
        let end = Instant::now() + load.time;
        while Instant::now() < end {
            ticks.tick().await;
            most = most.max(Pooler::saturation(&console, pool).await.unwrap_or(0.0));
        }
        most
    });
    let begun = Instant::now();
    let step = Duration::from_secs_f64(load.clients as f64 / load.rate);
    let workers: Vec<_> = clients
        .into_iter()
        .enumerate()
        .map(|(number, client)| {
            // Spread over one step, so that they do not all come at once.
            let first = begun + step.mul_f64(number as f64 / load.clients as f64);
            let worker = Worker { number, first, step, end: begun + load.time };
            tokio::task::spawn_local(worker.run(client, load.clients, operation))
        })
        .collect();
    for worker in workers {
        outcome.merge(worker.await?);
    }
    outcome.took = load.time.max(begun.elapsed().saturating_sub(Duration::from_secs(1)));
    outcome.saturation = watch.await?;
    Ok(outcome)
}

/// One connection's part of the load.
struct Worker {
    number: usize,
    first: Instant,
    step: Duration,
    end: Instant,
}

impl Worker {
    async fn run<F>(self, client: Client, clients: usize, operation: F) -> Outcome
    where
        F: AsyncFn(&Client, usize) -> Result<&'static str>,
    {
        let mut outcome = Outcome { connected: 1, ..Outcome::default() };
        let (mut round, mut due) = (0, self.first);
        while due < self.end {
            sleep_until(due).await;
            match timeout(PATIENCE, operation(&client, round * clients + self.number)).await {
                Ok(Ok(name)) => outcome.times.entry(name).or_default().add(due.elapsed()),
                Ok(Err(error)) => outcome.fail(format!("{error:#}")),
                Err(_) => outcome.fail(format!("no answer within {} s", PATIENCE.as_secs())),
            }
            round += 1;
            due += self.step;
        }
        outcome
    }
}

impl Outcome {
    fn fail(&mut self, why: String) {
        self.errors += 1;
        self.first_error.get_or_insert(why);
    }
}

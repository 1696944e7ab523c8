//! Clients that work while something else happens. Each call has a time at which it is due, whatever
//! became of those before it: a stall is seen in the times of all that were due in it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_postgres::{Client, Config, NoTls};

use crate::bench::latencies::Latencies;
use crate::bench::measure::milliseconds;

/// How often the other sessions' transactions are looked at.
const GLANCE: Duration = Duration::from_millis(5);
/// The oldest transaction of any session that is not one of ours; VACUUM's is none that anybody waits for.
const OLDEST: &str = "SELECT coalesce(max(extract(epoch FROM pg_catalog.clock_timestamp() - xact_start)), 0)::float8 \
    FROM pg_catalog.pg_stat_activity WHERE datname = pg_catalog.current_database() AND application_name <> 'bench' \
    AND backend_type = 'client backend' AND query !~* '^\\s*vacuum'";

/// Some clients that send one statement again and again.
#[derive(Debug, Clone)]
pub struct Stream {
    /// What they are called in the report.
    pub name: &'static str,
    /// Connections.
    pub clients: usize,
    /// Calls a second, of all of them together.
    pub rate: f64,
    /// The statement; `$1` is a bigint that no other call gets.
    pub statement: String,
}

/// Clients at work.
pub struct Traffic {
    begun: Instant,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Log>>,
}

/// What they lived through.
#[derive(Debug, Default)]
pub struct Log {
    /// By name of the stream: when it was due, in seconds from the beginning, and the milliseconds
    /// from then until the answer.
    calls: BTreeMap<&'static str, Vec<(f64, f64)>>,
    /// Calls that failed.
    pub errors: usize,
    /// The first of these.
    pub first_error: Option<String>,
    /// The longest transaction of other sessions, in milliseconds, where that was watched.
    pub longest: Option<f64>,
}

impl Log {
    /// The calls of a stream that were due between two moments, in seconds from the beginning.
    pub fn between(&self, stream: &str, from: f64, to: f64) -> Latencies {
        let mut latencies = Latencies::default();
        let calls = self.calls.iter().filter(|(name, _)| **name == stream).flat_map(|(_, calls)| calls);
        for (_, ms) in calls.filter(|(due, _)| *due >= from && *due < to) {
            latencies.add(Duration::from_secs_f64(ms / 1000.0));
        }
        latencies
    }
}

impl Traffic {
    /// Returns when all are connected and the first call is due. `watch` samples the transactions of
    /// other sessions too.
    pub fn start(config: &Config, streams: &[Stream], watch: bool) -> Result<Traffic> {
        let stop = Arc::new(AtomicBool::new(false));
        let (ready, wait) = mpsc::channel();
        let (config, streams, flag) = (config.clone(), streams.to_vec(), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(LocalSet::new().run_until(drive(config, streams, watch, flag, ready)))
        });
        match wait.recv() {
            Ok(begun) => Ok(Traffic { begun, stop, thread }),
            Err(_) => match thread.join() {
                Ok(Err(error)) => Err(error),
                _ => Err(anyhow!("the clients ended before they began")),
            },
        }
    }

    /// Seconds since the first call was due.
    pub fn now(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// No more calls; the answers of those that are under way are waited for.
    pub fn stop(self) -> Result<Log> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the clients broke"))?
    }
}

async fn connect(config: &Config) -> Result<Client> {
    let (client, connection) = config.connect(NoTls).await.context("a client of the load")?;
    tokio::task::spawn_local(connection);
    Ok(client)
}

async fn drive(
    config: Config,
    streams: Vec<Stream>,
    watch: bool,
    stop: Arc<AtomicBool>,
    ready: mpsc::Sender<Instant>,
) -> Result<Log> {
    let log = Rc::new(RefCell::new(Log::default()));
    let mut workers = Vec::new();
    for stream in &streams {
        for number in 0..stream.clients {
            let client = connect(&config).await?;
            let statement = client.prepare(&stream.statement).await.with_context(|| stream.statement.clone())?;
            workers.push((stream.clone(), number, client, statement));
        }
    }
    let watcher = if watch { Some(connect(&config).await?) } else { None };
    let begun = Instant::now();
    ready.send(begun).context("nobody waits for the clients")?;
    let mut tasks = Vec::new();
    for (stream, number, client, statement) in workers {
        let (log, stop) = (Rc::clone(&log), Arc::clone(&stop));
        tasks.push(tokio::task::spawn_local(async move {
            let step = Duration::from_secs_f64(stream.clients as f64 / stream.rate);
            // Spread over one step, so that they do not all come at once.
            let mut due = begun + step.mul_f64(number as f64 / stream.clients as f64);
            let mut call = number as i64;
            while !stop.load(Ordering::Relaxed) {
                sleep_until(due).await;
                let done = client.execute(&statement, &[&call]).await;
                let took = due.elapsed();
                let mut log = log.borrow_mut();
                match done {
                    Ok(_) => {
                        let calls = log.calls.entry(stream.name).or_default();
                        calls.push(((due - begun).as_secs_f64(), milliseconds(took)));
                    }
                    Err(error) => {
                        log.errors += 1;
                        let what =
                            error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
                        log.first_error.get_or_insert(format!("{}: {what}", stream.name));
                    }
                }
                drop(log);
                call += stream.clients as i64;
                due += step;
            }
        }));
    }
    if let Some(client) = watcher {
        let (log, stop) = (Rc::clone(&log), Arc::clone(&stop));
        tasks.push(tokio::task::spawn_local(async move {
            let mut longest = 0.0_f64;
            while !stop.load(Ordering::Relaxed) {
                if let Ok(row) = client.query_one(OLDEST, &[]).await {
                    longest = longest.max(row.get(0));
                }
                sleep(GLANCE).await;
            }
            log.borrow_mut().longest = Some(longest * 1000.0);
        }));
    }
    for task in tasks {
        task.await?;
    }
    Ok(log.take())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_due_in_the_window_counts() {
        let mut log = Log::default();
        log.calls.insert("inserts", vec![(0.5, 1.0), (1.0, 2.0), (1.5, 700.0), (2.0, 9.0)]);
        log.calls.insert("reads", vec![(1.2, 5000.0)]);
        let seen = log.between("inserts", 1.0, 2.0);
        assert_eq!((seen.count(), seen.percentile(100.0)), (2, Some(700.0)));
    }
}

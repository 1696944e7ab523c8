//! Scratch databases on real servers, through the library as drift and rehearsal use them.

mod ending;
mod replaying;

use std::time::Duration;

use dbctl::config::connection::Connection;
use dbctl::config::env::Env;
use dbctl::error::Result;
use dbctl::migrate::replay::{Reached, reached};
use dbctl::migrate::{Origin, Request};
use dbctl::pg::{Interrupt, Server, Session};
use dbctl::scratch::Like;
use dbctl::steps::gate::Rails;

use crate::harness::Database;

/// Runs a test as dbctl runs: on one thread.
fn wait<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

fn connection(url: &str) -> Connection {
    Connection::resolve(Some(url), &Env::default()).unwrap()
}

async fn like(connection: &Connection) -> Result<Like> {
    let session = Session::open(connection, "test", &Interrupt::default()).await?;
    let server = Server::read(&session).await?;
    Like::read(&session, &server).await
}

fn request(url: &str, origin: Origin) -> Request {
    Request {
        connection: connection(url),
        origin,
        without: Vec::new(),
        lock_wait: Duration::ZERO,
        lock_patience: Duration::from_secs(5),
        dry_run: false,
        rails: Rails { protected: None, target_named: false, yes: true, interactive: false, always_ask: false },
    }
}

async fn reached_at(url: &str, origin: Origin) -> Reached {
    reached(&request(url, origin), &Interrupt::default()).await.unwrap_or_else(|failure| panic!("{failure}"))
}

/// How many scratch databases there are on the server of a database.
fn scratches(db: &Database) -> Vec<String> {
    let rows = db.sql("SELECT datname FROM pg_database WHERE datname LIKE 'dbctl\\_scratch\\_%' ORDER BY 1");
    rows.into_iter().map(|row| row[0].clone().unwrap()).collect()
}

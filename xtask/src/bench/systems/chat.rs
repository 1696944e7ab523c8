//! chat: "Success Criteria" of its document. Everything is read as the application would: in the role
//! chat_app, for a user, under row level security.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::Size;
use super::load::{self, Load};
use super::place::{Filling, Place};
use super::pooler::{Pool, Pooler};
use super::promise::Promises;
use crate::bench::latencies::measure;
use crate::bench::markdown::thousands;
use crate::bench::scene::Scene;

const ROWS: &str = include_str!("../../../../tests/fixtures/rows/chat.sql");
const POOL: Pool = Pool { size: 50, least: 5, reserve: 5, clients: 1200 };
/// Room 0 of the many rows has 10,000 messages; the load never asks for more rooms than the smallest size has.
const ROOMS: usize = 1000;

fn newest_page(room: usize) -> String {
    page(room, "")
}

fn page(room: usize, before: &str) -> String {
    format!(
        "SELECT m.id, m.sender_id, m.message_type, m.content, m.created_at FROM messages AS m \
         WHERE m.room_id = '{}' AND m.deleted_at IS NULL {before} ORDER BY m.created_at DESC LIMIT 50",
        id(1, room)
    )
}

fn participants(room: usize) -> String {
    format!(
        "SELECT p.user_id, p.role, u.display_name, u.current_status FROM room_participants AS p \
         JOIN users AS u ON u.id = p.user_id WHERE p.room_id = '{}' AND p.status = 'active'",
        id(1, room)
    )
}

fn rooms_of(user: usize) -> String {
    format!(
        "SELECT r.id, r.name FROM room_participants AS p JOIN chat_rooms AS r ON r.id = p.room_id \
         WHERE p.user_id = '{}' AND p.status = 'active'",
        id(0, user)
    )
}

/// As the rows are numbered: 0 user, 1 room.
fn id(kind: u8, number: usize) -> String {
    format!("{kind}0000000-0000-4000-8000-{number:012x}")
}

/// Fills, measures each lookup by itself, then a thousand connections.
pub async fn run(dbctl: PathBuf, size: &Size) -> Result<Vec<Promises>> {
    let scale = if size.quick { 1 } else { 10 };
    let filling = Filling { without: &[], demo_scale: scale, rows: ROWS, rows_scale: scale };
    let place = Place::fill(Scene::start()?, dbctl, "chat", &filling).await?;
    place.settle().await?;
    let users = scale as usize * 5000;
    let title =
        format!("chat, one client: {} messages, a room with 10,000", thousands(10_000 + u64::from(scale) * 60_000));
    Ok(vec![alone(&place, title, users, size).await?, together(&place, users, size).await?])
}

async fn alone(place: &Place, title: String, users: usize, size: &Size) -> Result<Promises> {
    let mut promises = Promises::new(title);
    let client = place.connect().await?;
    client.batch_execute(&format!("SET ROLE chat_app; SET app.current_user_id = '{}'", id(0, 0))).await?;
    let runs = size.samples;
    let rows = async |sql: &str| -> Result<usize> { Ok(client.query(sql, &[]).await?.len()) };
    let full = async |sql: &str| -> Result<()> {
        let found = rows(sql).await?;
        ensure!(found == 50, "the page has {found} messages");
        Ok(())
    };
    promises.time("newest page of the room", 100.0, measure(runs, async |_| full(&newest_page(0)).await).await?);
    let deep = page(0, "AND m.created_at < now() - INTERVAL '4 months'");
    promises.time("a page of four months ago", 100.0, measure(runs, async |_| full(&deep).await).await?);
    let whole = newest_page(0).replace(" LIMIT 50", "");
    let latencies = measure(runs / 10 + 1, async |_| {
        let found = rows(&whole).await?;
        ensure!(found == 10_000, "the room has {found} messages");
        Ok(())
    });
    promises.time("all 10,000 messages at once", 100.0, latencies.await?);
    let latencies = measure(runs, async |_| {
        ensure!(rows(&participants(0)).await? > 1, "nobody is in the room");
        Ok(())
    });
    promises.time("participants of a room", 50.0, latencies.await?);
    let latencies = measure(runs, async |n| {
        let user = member_of(n % ROOMS, users);
        client.batch_execute(&format!("SET app.current_user_id = '{}'", id(0, user))).await?;
        ensure!(rows(&rooms_of(user)).await? > 0, "user {user} is in no room");
        Ok(())
    });
    promises.time("rooms of a user", 50.0, latencies.await?);
    promises.notes.push("in the role chat_app, for one user, under row level security".to_owned());
    Ok(promises)
}

/// The first participant of a room.
fn member_of(room: usize, users: usize) -> usize {
    room * 131 % users
}

async fn together(place: &Place, users: usize, size: &Size) -> Result<Promises> {
    let load = Load { clients: 1000, rate: 400.0, time: Duration::from_secs(if size.quick { 8 } else { 20 }) };
    let mut promises = Promises::new(format!("chat, {} connections through PgBouncer", thousands(load.clients as u64)));
    let pooler = match Pooler::start(place, POOL).await {
        Ok(pooler) => pooler,
        Err(error) => {
            promises.missing("the load test", format!("{error:#}"));
            return Ok(promises);
        }
    };
    let outcome = load::run(&pooler, load, async move |client, number| lookup(client, number, users).await).await?;
    promises.at_least("connections open at once", "", 1000.0, Some(outcome.connected as f64));
    promises.at_most("errors", " %", 0.01, Some(outcome.error_rate()));
    for (name, target) in [(PAGE, 100.0), (PARTICIPANTS, 50.0), (ROOMS_OF, 50.0)] {
        promises.time(name, target, outcome.times.get(name).cloned().unwrap_or_default());
    }
    promises.notes.push(format!(
        "{:.0} lookups/s for {} s; pool 50/5, at most {:.0} % of it busy",
        outcome.throughput(),
        load.time.as_secs(),
        outcome.saturation
    ));
    promises.notes.extend(outcome.first_error.map(|error| format!("first error: {error}")));
    Ok(promises)
}

const PAGE: &str = "newest page of a room";
const PARTICIPANTS: &str = "participants of a room";
const ROOMS_OF: &str = "rooms of a user";

/// A transaction in one round trip, with role and user set for its length: all that transaction pooling allows.
async fn lookup(client: &Client, number: usize, users: usize) -> Result<&'static str> {
    // Every tenth asks for the room with 10,000 messages.
    let room = if number.is_multiple_of(10) { 0 } else { number % ROOMS };
    let user = member_of(room, users);
    let (name, sql) = match (number + number / 1000) % 3 {
        0 => (PAGE, newest_page(room)),
        1 => (PARTICIPANTS, participants(room)),
        _ => (ROOMS_OF, rooms_of(user)),
    };
    let transaction =
        format!("BEGIN; SET LOCAL ROLE chat_app; SET LOCAL app.current_user_id = '{}'; {sql}; COMMIT", id(0, user));
    let answer = client.simple_query(&transaction).await?;
    if !answer.iter().any(|message| matches!(message, SimpleQueryMessage::Row(_))) {
        bail!("{name}: no rows");
    }
    Ok(name)
}

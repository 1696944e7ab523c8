//! bridge: "Target Performance Metrics" and "Load Test Results" of its document.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::Size;
use super::load::{self, Load};
use super::place::{Filling, Place};
use super::pooler::{Pool, Pooler};
use super::promise::Promises;
use crate::bench::latencies::measure;
use crate::bench::markdown::thousands;
use crate::bench::scene::Scene;

const ROWS: &str = include_str!("../../../../tests/fixtures/rows/bridge.sql");

const INSERT_CONTACT: &str = "INSERT INTO contact_mappings (chatwoot_contact_id, krayin_lead_id) VALUES ($1, $2)";
const CONVERSATIONS: &str =
    "SELECT * FROM conversation_mappings WHERE krayin_lead_id = $1 ORDER BY updated_at DESC LIMIT 20";
const MESSAGES: &str = "SELECT * FROM activity_mappings WHERE conversation_id = $1 ORDER BY created_at DESC";
const INSIGHTS: &str = "SELECT update_ai_insights($1, $2::TEXT::JSONB)";
/// The document names no query: the inbox with all that belongs to it.
const JOIN: &str = "\
    SELECT v.chatwoot_conversation_id, v.updated_at, c.chatwoot_contact_id, i.performance_score, m.messages, m.last_at \
    FROM conversation_mappings AS v \
    JOIN contact_mappings AS c ON c.krayin_lead_id = v.krayin_lead_id \
    LEFT JOIN ai_insights AS i ON i.krayin_lead_id = v.krayin_lead_id AND i.is_current \
    CROSS JOIN LATERAL ( \
        SELECT count(*) AS messages, max(a.created_at) AS last_at \
        FROM activity_mappings AS a WHERE a.conversation_id = v.chatwoot_conversation_id \
    ) AS m \
    WHERE v.status = $1 ORDER BY v.updated_at DESC LIMIT 50";
const METRICS: &str = r#"{"total_conversations": 5, "resolved_conversations": 3, "resolution_rate": 60.0,
    "performance_score": 7.5, "engagement_level": "high", "suggestions": []}"#;
/// The one of the many rows with 2,000 messages.
const LONG_CONVERSATION: i64 = 1_000_000;
const FIRST: i64 = 1_000_000;
/// The load never asks for more than the smallest size has.
const KNOWN: i64 = 20_000;
const POOL: Pool = Pool { size: 25, least: 10, reserve: 5, clients: 1000 };

/// Fills, measures each operation by itself, then all of them by many clients.
pub async fn run(dbctl: PathBuf, size: &Size) -> Result<Vec<Promises>> {
    let scale = if size.quick { 2 } else { 20 };
    let filling = Filling { without: &[], demo_scale: scale / 2, rows: ROWS, rows_scale: scale };
    let place = Place::fill(Scene::start()?, dbctl, "bridge", &filling).await?;
    place.settle().await?;
    let known = i64::from(scale) * 10_000;
    let title = format!(
        "bridge, one client: {} contacts, {} messages",
        thousands(known.unsigned_abs()),
        thousands(known.unsigned_abs() * 6)
    );
    Ok(vec![alone(&place, title, known, size).await?, together(&place, size).await?])
}

async fn alone(place: &Place, title: String, known: i64, size: &Size) -> Result<Promises> {
    let mut promises = Promises::new(title);
    let client = place.connect().await?;
    let runs = size.samples;
    let insert = client.prepare(INSERT_CONTACT).await?;
    let latencies = measure(runs, async |n| {
        let id = 900_000_000 + n as i64;
        client.execute(&insert, &[&id, &id]).await.map(drop).map_err(Into::into)
    });
    promises.time("insert contact mapping", 10.0, latencies.await?);

    let conversations = client.prepare(CONVERSATIONS).await?;
    let latencies = measure(runs, async |n| {
        let lead = FIRST + spread(n, known) / 3 * 3;
        client.query(&conversations, &[&lead]).await.map(drop).map_err(Into::into)
    });
    promises.time("conversations of a lead", 20.0, latencies.await?);

    let messages = client.prepare(MESSAGES).await?;
    let latencies = measure(runs, async |n| {
        let rows = client.query(&messages, &[&(FIRST + 1000 + spread(n, known - 1000))]).await?;
        ensure!(!rows.is_empty(), "the conversation has no messages");
        Ok(())
    });
    promises.time("messages of a conversation", 50.0, latencies.await?);
    let latencies = measure(runs / 5 + 1, async |_| {
        let rows = client.query(&messages, &[&LONG_CONVERSATION]).await?;
        ensure!(rows.len() == 2000, "{} messages", rows.len());
        Ok(())
    });
    promises.time("... of one with 2,000", 50.0, latencies.await?);

    let insights = client.prepare(INSIGHTS).await?;
    let latencies = measure(runs, async |n| {
        client.execute(&insights, &[&(FIRST + spread(n, known)), &METRICS]).await.map(drop).map_err(Into::into)
    });
    promises.time("update AI insights", 100.0, latencies.await?);

    let join = client.prepare(JOIN).await?;
    let latencies = measure(runs / 2 + 1, async |_| {
        let rows = client.query(&join, &[&"open"]).await?;
        ensure!(rows.len() == 50, "{} open conversations", rows.len());
        Ok(())
    });
    promises.time("complex join (the inbox)", 200.0, latencies.await?);
    Ok(promises)
}

async fn together(place: &Place, size: &Size) -> Result<Promises> {
    let load = Load { clients: 100, rate: 500.0, time: Duration::from_secs(if size.quick { 8 } else { 20 }) };
    let mut promises = Promises::new(format!(
        "bridge, {} clients at {} queries/s for {} s through PgBouncer",
        load.clients,
        load.rate,
        load.time.as_secs()
    ));
    let pooler = match Pooler::start(place, POOL).await {
        Ok(pooler) => pooler,
        Err(error) => {
            promises.missing("the load test", format!("{error:#}"));
            return Ok(promises);
        }
    };
    let outcome = load::run(&pooler, load, one_of_all).await?;
    promises.at_least("queries a second", " q/s", 500.0, Some(outcome.throughput()));
    promises.at_most("response time, average", " ms", 45.0, outcome.all.average());
    promises.at_most("response time, p95", " ms", 180.0, outcome.all.percentile(95.0));
    promises.at_most("response time, p99", " ms", 350.0, outcome.all.percentile(99.0));
    promises.at_most("errors", " %", 0.01, Some(outcome.error_rate()));
    promises.at_most("busiest moment of the pool of 25", " %", 60.0, Some(outcome.saturation));
    promises.notes.push(format!(
        "{} answers: of ten 4 conversations of a lead, 3 messages, 1 join, 1 insert, 1 insight",
        outcome.all.count()
    ));
    promises.notes.push("transaction mode, pool 25/10/5 as in the document, whose test took 300 s".to_owned());
    promises.notes.extend(outcome.first_error.map(|error| format!("first error: {error}")));
    Ok(promises)
}

/// Transaction pooling: no prepared statements.
async fn one_of_all(client: &Client, number: usize) -> Result<&'static str> {
    let key = FIRST + spread(number, KNOWN);
    let name = match (number + number / 100) % 10 {
        0 => {
            let id = 800_000_000 + number as i64;
            client.query_typed(INSERT_CONTACT, &[(&id, Type::INT8), (&id, Type::INT8)]).await?;
            "insert"
        }
        1 => {
            client.query_typed(INSIGHTS, &[(&key, Type::INT8), (&METRICS, Type::TEXT)]).await?;
            "insight"
        }
        2 => {
            client.query_typed(JOIN, &[(&"open", Type::TEXT)]).await?;
            "join"
        }
        3..=5 => {
            client.query_typed(MESSAGES, &[(&(key + 1000), Type::INT8)]).await?;
            "messages"
        }
        _ => {
            client.query_typed(CONVERSATIONS, &[(&key, Type::INT8)]).await?;
            "conversations"
        }
    };
    Ok(name)
}

/// Numbers all over the table, the same ones in every run.
fn spread(number: usize, size: i64) -> i64 {
    (number as i64 * 7919 + 13) % size
}

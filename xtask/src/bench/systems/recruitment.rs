//! recruitment: queries on custom attributes ("Query execution time <100ms") and the vector search
//! ("Query time should be <50ms for datasets <100k") of its document.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, ensure};
use dbctl::pg::sandbox::binaries::{self, Installation};
use tokio_postgres::Client;

use super::Size;
use super::place::{Filling, Place};
use super::promise::Promises;
use super::vectors::{Embedding, copy_documents};
use crate::bench::latencies::measure;
use crate::bench::markdown::thousands;
use crate::bench::scene::Scene;
use crate::pg;

const ROWS: &str = include_str!("../../../../tests/fixtures/rows/recruitment.sql");

/// What a server of this size is given; the graph of 100,000 documents is built in memory.
const SETTINGS: [(&str, &str); 4] = [
    ("shared_buffers", "1GB"),
    ("maintenance_work_mem", "1500MB"),
    ("max_parallel_maintenance_workers", "2"),
    ("max_wal_size", "8GB"),
];

/// The document's own, written as the indexes have the expressions.
const ATTRIBUTES: [(&str, &str); 6] = [
    (
        "by lead status",
        "SELECT id, name, custom_attributes->>'ai_summary' FROM contacts \
         WHERE custom_attributes->>'lead_status' = 'qualified' AND account_id = 1",
    ),
    (
        "by budget, best first",
        "SELECT name, email, custom_attributes->>'job_type_preference' FROM contacts \
         WHERE safe_numeric(custom_attributes->>'budget_min') >= 70000 AND account_id = 1 \
         ORDER BY safe_numeric(custom_attributes->>'qualification_score') DESC NULLS LAST",
    ),
    (
        "scraped, many followers",
        "SELECT name, custom_attributes->>'instagram_handle' FROM contacts \
         WHERE custom_attributes->>'lead_source' = 'instagram_scrape' \
           AND safe_integer(custom_attributes->>'follower_count') > 10000 \
         ORDER BY safe_integer(custom_attributes->>'follower_count') DESC NULLS LAST",
    ),
    (
        "qualified, score over 8",
        "SELECT * FROM contacts WHERE custom_attributes->>'lead_status' = 'qualified' \
         AND safe_numeric(custom_attributes->>'qualification_score') > 8.0",
    ),
    ("by handle", "SELECT * FROM contacts WHERE custom_attributes->>'instagram_handle' = '@sample77'"),
    (
        "by any attributes (GIN)",
        "SELECT * FROM contacts WHERE custom_attributes @> '{\"lead_status\": \"customer\", \"budget_min\": 71000}'",
    ),
];

const SEARCHES: [(&str, &str); 4] = [
    ("no filter", "SELECT id FROM match_documents($1)"),
    ("a category", "SELECT id FROM match_documents($1, 0.5, 5, 'vacancy')"),
    ("a category and a value", "SELECT id FROM match_documents($1, 0.5, 5, 'vacancy', '{\"job_type\": \"interim\"}')"),
    (
        "a category and a comparison",
        "SELECT id FROM match_documents($1, 0.5, 5, 'vacancy', '{\"budget_min\": {\"$gte\": 70000}}')",
    ),
];

/// On a server with pgvector where there is one, else without the vector part.
pub async fn run(dbctl: PathBuf, size: &Size) -> Result<Vec<Promises>> {
    let scale = if size.quick { 1 } else { 5 };
    let server = vector_server()?;
    let without: &[&str] = if server.is_some() { &[] } else { &["vector"] };
    let filling = Filling { without, demo_scale: scale, rows: ROWS, rows_scale: scale };
    let scene = match &server {
        Some(server) => Scene::start_with(Some(server.bin_dir.clone()), &SETTINGS)?,
        None => Scene::start()?,
    };
    let place = Place::fill(scene, dbctl, "recruitment", &filling).await?;
    let documents = if size.quick { 10_000 } else { 100_000 };
    let client = place.connect().await?;
    let mut vector = Promises::new(format!("recruitment: vector search among {} documents", thousands(documents)));
    if server.is_some() {
        vector.notes.push(fill_documents(&client, documents).await?);
    }
    place.settle().await?;
    let contacts = u64::from(scale) * 20_000;
    let mut attributes = Promises::new(format!("recruitment: custom attributes of {} contacts", thousands(contacts)));
    for (name, sql) in ATTRIBUTES {
        let statement = client.prepare(sql).await?;
        let latencies = measure(size.samples / 2 + 1, async |_| {
            ensure!(!client.query(&statement, &[]).await?.is_empty(), "{name}: nothing found");
            Ok(())
        });
        attributes.time(name, 100.0, latencies.await?);
    }
    match server {
        None => vector.missing("vector search", "no server with pgvector: cargo xtask pg --vector"),
        Some(server) => {
            vector.notes.push(format!("PostgreSQL {}, shared_buffers 1 GB, 1,536 dimensions", server.version));
            search(&client, size, &mut vector).await?;
        }
    }
    Ok(vec![attributes, vector])
}

fn vector_server() -> Result<Option<Installation>> {
    let home = pg::home()?;
    let fetched = [18, 16].into_iter().find_map(|major| Installation::at(&home.join(format!("vector-{major}/bin"))));
    Ok(fetched.or_else(|| binaries::find_with_extension("vector").into_iter().next()))
}

/// The index is made after the rows: HNSW takes ten times as long row by row.
async fn fill_documents(client: &Client, count: u64) -> Result<String> {
    let row = client.query_one("SELECT pg_get_indexdef('idx_documents_embedding'::regclass)", &[]).await?;
    let index: String = row.get(0);
    client.batch_execute("DROP INDEX idx_documents_embedding").await?;
    let begun = Instant::now();
    copy_documents(client, count).await?;
    let copied = begun.elapsed();
    let begun = Instant::now();
    client.batch_execute(&index).await?;
    let built = begun.elapsed();
    Ok(format!("copied in {:.0} s, HNSW index built in {:.0} s", copied.as_secs_f64(), built.as_secs_f64()))
}

async fn search(client: &Client, size: &Size, vector: &mut Promises) -> Result<()> {
    let mut found = 0;
    for (name, sql) in SEARCHES {
        let statement = client.prepare(sql).await?;
        let latencies = measure(size.samples / 2 + 1, async |n| {
            found += client.query(&statement, &[&Embedding::of_question(n as u64)]).await?.len();
            Ok(())
        });
        vector.time(name, 50.0, latencies.await?);
    }
    ensure!(found > 0, "no search found anything");
    let questions = if size.quick { 10 } else { 20 };
    vector
        .notes
        .push(format!("of the 5 nearest, found: {:.0} % ({questions} questions)", recall(client, questions).await?));
    Ok(())
}

/// How many of a hundred of the really nearest come back.
async fn recall(client: &Client, questions: u64) -> Result<f64> {
    let mut hits = 0;
    let exact = "SELECT id FROM documents WHERE is_active ORDER BY (embedding <=> $1) + 0 LIMIT 5";
    for number in 0..questions {
        let question = Embedding::of_question(number * 31 + 7);
        let ids = async |sql: &str| -> Result<Vec<i32>> {
            Ok(client.query(sql, &[&question]).await?.iter().map(|row| row.get(0)).collect())
        };
        let (nearest, found) = (ids(exact).await?, ids("SELECT id FROM match_documents($1, -1, 5)").await?);
        hits += nearest.iter().filter(|id| found.contains(id)).count();
    }
    Ok(hits as f64 * 100.0 / (questions * 5) as f64)
}

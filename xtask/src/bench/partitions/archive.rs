//! A partition of a million rows put into a file, proven, and dropped.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::Size;
use super::ground::Ground;
use super::policy::{Policy, Table};
use super::sets::{self, Reach};
use super::sheet::Sheet;
use crate::bench::markdown::thousands;
use crate::bench::measure::Case;
use crate::bench::report::{Aim, Comparison};
use crate::packages;

const SEED: &str = "b_archive_seed";
const REACH: Reach = Reach { first: -14, last: 1 };
/// The month that is expired, and full.
const PERIOD: &str = "SELECT to_char(date_trunc('month', now()) - interval '14 months', 'YYYY_MM')";

/// dbctl exports, reads back, detaches, hashes again and drops; psql and zstd only export.
pub fn run(ground: &Ground, size: &Size) -> Result<Vec<Sheet>> {
    let rows: u64 = if size.quick { 250_000 } else { 1_000_000 };
    let table = Table { name: "events".to_owned(), every: "month", ahead: 1, keep: Some(13) };
    ground.scene.fresh(SEED)?;
    let partitions = sets::fill(std::slice::from_ref(&table), REACH, "_");
    let script = format!(
        "CREATE TABLE events (
    id bigint NOT NULL, created_at timestamptz NOT NULL, user_id bigint NOT NULL, kind text NOT NULL, amount numeric(12, 2),
    payload jsonb, PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
{partitions}
INSERT INTO events
SELECT n, date_trunc('month', now()) - interval '14 months' + n * (interval '27 days' / {rows}), n % 10007,
    'kind ' || n % 20, n % 100000 / 100.0, jsonb_build_object('path', '/p/' || n % 5000, 'ms', n % 977, 'ok', n % 3 = 0)
FROM generate_series(1, {rows}) AS n;
INSERT INTO events VALUES (0, now(), 1, 'kind', 1, '{{}}');
VACUUM ANALYZE events;
"
    );
    ground.prepare(SEED, &script)?;
    let period = ground.scene.ask(SEED, PERIOD)?;
    let partition = format!("events_{period}");
    let store = ground.scene.scratch().join("archive");
    let cold = format!(
        "cold: {{ to: \"file://{}/{{db}}/{{schema}}.{{table}}/{{partition}}.csv.zst\", format: csv, compress: zstd-3, \
         verify: readback+rehash, keep: 7 years, mode: \"0600\" }}",
        store.display()
    );
    let policy = Policy {
        tables: vec![table],
        expire: "{ archive: cold, then: drop }".to_owned(),
        archives: vec![cold],
        ..Policy::default()
    };
    let policy = ground.policy("archive", &policy)?;
    let exists = format!("SELECT count(*) FROM pg_catalog.pg_class WHERE relname = '{partition}'");
    let mut cases = vec![Case {
        command: Box::new(|| ground.rotate(&policy, "b_archive")),
        before: Box::new(|| {
            let _ = std::fs::remove_dir_all(&store);
            ground.copy(SEED, "b_archive")
        }),
        check: Box::new(|| ground.expect("expired partitions left", "b_archive", &exists, "0")),
        ..Case::new("dbctl rotate", || Command::new("false"))
    }];
    let file = ground.scene.scratch().join("raw.csv.zst");
    if packages::has("zstd") {
        let (file, partition) = (file.clone(), partition.clone());
        cases.push(Case::new("psql \\copy | zstd -3", move || {
            let copy = format!("\\copy {partition} TO PROGRAM 'zstd -3 -q -f -o {}' CSV", file.display());
            ground.psql(SEED, &copy)
        }));
    }
    let rounds = size.runs;
    let all = ground.compare(&cases, rounds);
    let own = all.first();
    let pace = own.and_then(|own| own.wall()).map(|wall| rows as f64 * 1000.0 / wall.median);
    let aims = vec![
        Aim::at_least("the pace, read-back and second hash included,", 300_000.0, " rows/s", pace),
        // As megabytes: 64 MB.
        Aim::under("dbctl's peak", 61.0, " MiB", own.and_then(|own| own.peak)),
    ];
    let raw: Vec<String> = all
        .iter()
        .filter_map(|series| Some((series, series.wall()?)))
        .map(|(series, wall)| format!("{}: {}", series.name, thousands((rows as f64 * 1000.0 / wall.median) as u64)))
        .collect();
    let title = format!("Archive {} rows (CSV, zstd) and drop the partition", thousands(rows));
    let size_of = |path: &PathBuf| std::fs::metadata(path).map_or(0, |meta| meta.len());
    let bytes = ground.scene.ask(SEED, &format!("SELECT pg_catalog.pg_relation_size('{partition}')"))?;
    let mut sheet =
        Sheet::of(&Comparison { title, rounds, all, aims }).note(format!("rows/s: {}", raw.join(", "))).note(format!(
            "the partition has {} MB, the last file of zstd {} MB",
            bytes.parse::<u64>().unwrap_or(0) / 1_000_000,
            size_of(&file) / 1_000_000
        ));
    if !packages::has("zstd") {
        sheet = sheet.note("missing: zstd, to compare with");
    }
    drop(cases);
    let _ = std::fs::remove_dir_all(&store);
    ground.drop(&[SEED, "b_archive"])?;
    Ok(vec![sheet])
}

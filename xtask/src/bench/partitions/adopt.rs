//! A table in use made partitioned in place, and a full DEFAULT partition made an ordinary one.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::Size;
use super::ground::Ground;
use super::live::{self, Play, Seen, play};
use super::policy::{Policy, Table};
use super::sets::{self, Reach};
use super::sheet::Sheet;
use super::traffic::Stream;
use crate::bench::markdown::{or_question_mark, thousands};
use crate::bench::measure::Spread;
use crate::bench::report::Aim;

const SEED: &str = "b_adopt_seed";
const DATABASE: &str = "b_adopt";
const INSERTS: &str = "inserts";
const HEAD: [&str; 4] = ["program", "took s", "worst insert ms", "p99 ms"];

/// The steps of an adoption as one would type them.
const ADOPT: &str = "\
\\set ON_ERROR_STOP 1
SELECT date_trunc('month', min(created_at)) AS lower, date_trunc('month', now()) + interval '1 month' AS upper FROM events \\gset
ALTER TABLE events ADD CONSTRAINT adopted CHECK (created_at >= :'lower' AND created_at < :'upper') NOT VALID;
ALTER TABLE events VALIDATE CONSTRAINT adopted;
CREATE UNIQUE INDEX CONCURRENTLY events_key ON events (id, created_at);
CREATE TABLE events_new (LIKE events INCLUDING DEFAULTS) PARTITION BY RANGE (created_at);
SELECT format('CREATE TABLE %I PARTITION OF events_new FOR VALUES FROM (%L) TO (%L)', 'events_' || to_char(d, 'YYYY_MM'), d,
    d + interval '1 month') FROM generate_series(:'upper'::timestamptz, :'upper'::timestamptz + interval '2 months', '1 month') AS d \\gexec
BEGIN;
LOCK TABLE events;
ALTER TABLE events DROP CONSTRAINT events_pkey;
ALTER TABLE events ADD CONSTRAINT events_history_pkey PRIMARY KEY USING INDEX events_key;
ALTER TABLE events RENAME TO events_history;
ALTER TABLE events_new RENAME TO events;
ALTER TABLE events ADD CONSTRAINT events_pkey PRIMARY KEY (id, created_at);
ALTER TABLE events ATTACH PARTITION events_history FOR VALUES FROM (:'lower') TO (:'upper');
ALTER SEQUENCE events_id_seq OWNED BY events.id;
COMMIT;
ALTER TABLE events_history DROP CONSTRAINT adopted;
";
/// The steps of a promotion as one would type them.
const PROMOTE: &str = "\
\\set ON_ERROR_STOP 1
SELECT date_trunc('month', min(created_at)) AS lower, date_trunc('month', now()) + interval '1 month' AS upper
FROM events_default \\gset
ALTER TABLE events_default ADD CONSTRAINT promoted CHECK (created_at >= :'lower' AND created_at < :'upper') NOT VALID;
ALTER TABLE events_default VALIDATE CONSTRAINT promoted;
CREATE TABLE events_rest (LIKE events INCLUDING ALL);
BEGIN;
LOCK TABLE events;
ALTER TABLE events DETACH PARTITION events_default;
ALTER TABLE events ATTACH PARTITION events_default FOR VALUES FROM (:'lower') TO (:'upper');
ALTER TABLE events ATTACH PARTITION events_rest DEFAULT;
COMMIT;
ALTER TABLE events_default DROP CONSTRAINT promoted;
";

/// One deed: its table, and how it is done.
struct Deed {
    title: String,
    seed: String,
    own: [&'static str; 3],
    raw: &'static str,
    /// Answers `t` when it is done.
    done: String,
    aims: fn(own: Option<&[Seen]>, raw: &[Seen]) -> Vec<Aim>,
}

/// Adoption, then promotion.
pub fn run(ground: &Ground, size: &Size) -> Result<Vec<Sheet>> {
    let (adopted, promoted) = if size.quick { (500_000, 300_000) } else { (5_000_000, 3_000_000) };
    Ok(vec![measure(ground, size, &adoption(adopted))?, measure(ground, size, &promotion(promoted))?])
}

/// Rows of the last five months and this one, evenly.
fn fill(rows: u64, from: &str) -> String {
    format!(
        "INSERT INTO events (created_at, payload)
SELECT {from} + n * ((now() - {from}) / {rows}), md5(n::text) FROM generate_series(1, {rows}) AS n;
CREATE INDEX ON events (created_at);
VACUUM ANALYZE events;
"
    )
}

fn adoption(rows: u64) -> Deed {
    let table = "CREATE TABLE events (id bigserial PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(), payload text);\n";
    let from = "(date_trunc('month', now()) - interval '5 months')";
    Deed {
        title: format!("Adopt a table of {} rows, 200 inserts a second", thousands(rows)),
        seed: format!("{table}{}", fill(rows, from)),
        own: ["adopt", "public.events", ""],
        raw: ADOPT,
        done: format!(
            "SELECT c.relkind = 'p' AND (SELECT count(*) >= {rows} FROM events) FROM pg_catalog.pg_class AS c WHERE c.oid = \
             'events'::regclass"
        ),
        aims: |own, raw| {
            let ratio = own
                .and_then(|own| Spread::of(own.iter().zip(raw).filter_map(|(own, raw)| Some(own.took? / raw.took?))));
            vec![
                Aim::under("dbctl takes", 2.0, " x the plain steps", ratio.map(|ratio| ratio.median)),
                Aim::under("dbctl's worst insert", 150.0, " ms", own.and_then(worst)),
            ]
        },
    }
}

fn promotion(rows: u64) -> Deed {
    let table = Table { name: "events".to_owned(), every: "month", ahead: 0, keep: None };
    let older = sets::fill(&[table], Reach { first: -5, last: -3 }, "_");
    let from = "(date_trunc('month', now()) - interval '2 months')";
    Deed {
        title: format!("Promote a DEFAULT partition of {} rows, 200 inserts a second", thousands(rows)),
        seed: format!(
            "CREATE TABLE events (
    id bigserial, created_at timestamptz NOT NULL DEFAULT now(), payload text, PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
{older}
CREATE TABLE events_default PARTITION OF events DEFAULT;
{}",
            fill(rows, from)
        ),
        own: ["default", "promote", "public.events"],
        raw: PROMOTE,
        done: "SELECT pg_catalog.pg_get_expr(relpartbound, oid) <> 'DEFAULT' FROM pg_catalog.pg_class WHERE oid = \
               (SELECT tableoid FROM events ORDER BY created_at DESC LIMIT 1)"
            .to_owned(),
        aims: |own, _| {
            vec![Aim::under("dbctl's worst insert (lock window and noise)", 50.0, " ms", own.and_then(worst))]
        },
    }
}

/// The median over the rounds of the worst insert.
fn worst(all: &[Seen]) -> Option<f64> {
    live::median(all, |seen| seen.calls(INSERTS).percentile(100.0))
}

fn measure(ground: &Ground, size: &Size, deed: &Deed) -> Result<Sheet> {
    ground.scene.fresh(SEED)?;
    ground.prepare(SEED, &deed.seed)?;
    let table = Table { name: "events".to_owned(), every: "month", ahead: 3, keep: None };
    let policy = ground.policy("adopt", &Policy { tables: vec![table], allow_default: true, ..Policy::default() })?;
    let raw = ground.write("adopt-raw.sql", deed.raw)?;
    let mut rounds: [Vec<Seen>; 3] = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..size.runs {
        for turn in 0..rounds.len() {
            let at = (turn + round) % rounds.len();
            rounds[at].push(once(ground, deed, at, &policy, &raw)?);
        }
    }
    ground.drop(&[SEED, DATABASE])?;
    let names = ["(nothing done)", "dbctl", "psql, plain steps"];
    let [idle, own, plain] = &rounds;
    let row = |(name, all): (&str, &Vec<Seen>)| {
        let took = live::median(all, |seen| seen.took);
        vec![
            name.to_owned(),
            if name.starts_with('(') { String::new() } else { or_question_mark(took) },
            or_question_mark(worst(all)),
            or_question_mark(live::median(all, |seen| seen.calls(INSERTS).percentile(99.0))),
        ]
    };
    let rows: Vec<Vec<String>> = names.into_iter().zip([idle, own, plain]).map(row).collect();
    let failed = own.iter().any(|seen| seen.complaint.is_some());
    let aims = (deed.aims)(if failed { None } else { Some(own) }, plain);
    let data = names.iter().zip([idle, own, plain]).map(|(name, all)| {
        let one = |seen: &Seen| {
            json!({ "took_s": seen.took, "ms": seen.calls(INSERTS).all(), "complaints": seen.complaints() })
        };
        json!({ "program": name, "rounds": all.iter().map(one).collect::<Vec<_>>() })
    });
    let data = json!(data.collect::<Vec<_>>());
    let mut sheet = Sheet::new(&deed.title, &HEAD, &rows, &aims, data);
    for (name, all) in names.iter().zip([idle, own, plain]) {
        let mut complaints: Vec<String> = all.iter().flat_map(Seen::complaints).collect();
        complaints.dedup();
        for what in complaints {
            sheet = sheet.note(format!("{name}: {what}"));
        }
    }
    Ok(sheet)
}

/// 0: nothing is done; 1: dbctl; 2: psql.
fn once(ground: &Ground, deed: &Deed, who: usize, policy: &Path, raw: &Path) -> Result<Seen> {
    ground.copy(SEED, DATABASE)?;
    let statement = "INSERT INTO events (payload) VALUES (md5($1::bigint::text))".to_owned();
    let streams = [Stream { name: INSERTS, clients: 8, rate: 200.0, statement }];
    let at_least = Duration::from_secs(if who == 0 { 6 } else { 2 });
    let play_of = Play { dbname: DATABASE, streams: &streams, holder: None, at_least, watch: false };
    let words: Vec<&str> = deed.own.into_iter().filter(|word| !word.is_empty()).collect();
    let command = match who {
        0 => None,
        1 => Some(ground.dbctl(&words, policy, DATABASE)),
        _ => Some(ground.psql_file(DATABASE, raw)),
    };
    let mut seen = play(ground, &play_of, command)?;
    if who > 0 && seen.complaint.is_none() {
        seen.complaint = ground.expect("done", DATABASE, &deed.done, "t").err().map(|error| format!("{error:#}"));
    }
    Ok(seen)
}

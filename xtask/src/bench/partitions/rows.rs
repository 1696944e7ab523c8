//! Old rows of a plain table deleted while others write to it.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::Size;
use super::ground::Ground;
use super::live::{self, Play, Seen, play};
use super::policy::Policy;
use super::sheet::Sheet;
use super::traffic::Stream;
use crate::bench::markdown::{or_question_mark, thousands};
use crate::bench::report::Aim;

const SEED: &str = "b_rows_seed";
const DATABASE: &str = "b_rows";
const WRITERS: [&str; 2] = ["inserts", "updates"];
const OLD: &str = "processed AND created_at < pg_catalog.now() - interval '30 days'";
/// Of the loop that anybody would write first.
const BATCH: u64 = 10_000;
const HEAD: [&str; 6] = ["program", "took s", "rows/s", "longest txn ms", "p99 ms", "worst ms"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Nobody,
    Dbctl,
    One,
    Loop,
}

impl Who {
    fn name(self) -> &'static str {
        match self {
            Who::Nobody => "(nothing done)",
            Who::Dbctl => "dbctl rotate",
            Who::One => "psql, one DELETE",
            Who::Loop => "psql, by ctid",
        }
    }
}

/// Two of three rows are old. Each program starts with a copy of the same table.
pub fn run(ground: &Ground, size: &Size) -> Result<Vec<Sheet>> {
    let total: u64 = if size.quick { 600_000 } else { 3_000_000 };
    let old = total / 3 * 2;
    fill(ground, total)?;
    let job = "old-events: { table: public.events, age: { column: created_at, over: 30 days }, where: \"processed\", \
               action: delete, batch: { target: 30ms, max_rows: 5000 }, vacuum: 10% }";
    let policy = ground.policy("rows", &Policy { rows: vec![job.to_owned()], ..Policy::default() })?;
    let one = ground.write("rows-one.sql", &format!("DELETE FROM events WHERE {OLD};\n"))?;
    let batch = format!("DELETE FROM events WHERE ctid IN (SELECT ctid FROM events WHERE {OLD} LIMIT {BATCH});\n");
    let batches = usize::try_from(old.div_ceil(BATCH)).unwrap_or(0) + 1;
    let looped = ground.write("rows-loop.sql", &batch.repeat(batches))?;
    let programs = Programs { ground, policy, one, looped };
    let all = [Who::Nobody, Who::Dbctl, Who::One, Who::Loop];
    let mut rounds: Vec<Vec<Seen>> = Vec::new();
    for round in 0..size.runs {
        let mut seen: Vec<Option<Seen>> = all.iter().map(|_| None).collect();
        for turn in 0..all.len() {
            let at = (turn + round) % all.len();
            seen[at] = Some(programs.once(all[at])?);
        }
        rounds.push(seen.into_iter().flatten().collect());
    }
    ground.drop(&[SEED, DATABASE])?;
    Ok(vec![sheet(&all, &rounds, total, old)])
}

fn fill(ground: &Ground, total: u64) -> Result<()> {
    ground.scene.fresh(SEED)?;
    let script = format!(
        "CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(),
    processed boolean NOT NULL DEFAULT false, tries integer NOT NULL DEFAULT 0, payload text NOT NULL
);
-- The oldest row is 90 days old and the newest of now, evenly between.
INSERT INTO events (created_at, processed, payload)
SELECT now() - interval '90 days' + n * (interval '90 days' / {total}), true, repeat(md5(n::text), 5)
FROM generate_series(0, {total} - 1) AS n;
CREATE INDEX ON events (created_at);
VACUUM ANALYZE events;
"
    );
    ground.prepare(SEED, &script)
}

struct Programs<'a> {
    ground: &'a Ground,
    policy: PathBuf,
    one: PathBuf,
    looped: PathBuf,
}

impl Programs<'_> {
    fn once(&self, who: Who) -> Result<Seen> {
        self.ground.copy(SEED, DATABASE)?;
        let stream = |name, statement: &str| Stream { name, clients: 4, rate: 150.0, statement: statement.to_owned() };
        let streams = [
            stream(WRITERS[0], "INSERT INTO events (payload) VALUES (repeat(md5($1::bigint::text), 5))"),
            stream(
                WRITERS[1],
                "UPDATE events SET tries = tries + 1 WHERE id = (SELECT max(id) FROM events) - ($1::bigint * 7919) % 100000",
            ),
        ];
        let play_of = Play {
            dbname: DATABASE,
            streams: &streams,
            holder: None,
            at_least: Duration::from_secs(if who == Who::Nobody { 8 } else { 1 }),
            watch: true,
        };
        let mut seen = play(self.ground, &play_of, self.command(who))?;
        if who != Who::Nobody && seen.complaint.is_none() {
            // Some rows have become old since.
            let few = self.ground.expect(
                "less than 1,000 old rows left",
                DATABASE,
                &format!("SELECT count(*) < 1000 FROM events WHERE {OLD}"),
                "t",
            );
            seen.complaint = few.err().map(|error| format!("{error:#}"));
        }
        Ok(seen)
    }

    fn command(&self, who: Who) -> Option<Command> {
        match who {
            Who::Nobody => None,
            Who::Dbctl => Some(self.ground.rotate(&self.policy, DATABASE)),
            Who::One => Some(self.ground.psql_file(DATABASE, &self.one)),
            Who::Loop => Some(self.ground.psql_file(DATABASE, &self.looped)),
        }
    }
}

/// Both sorts of writers together.
fn writers(seen: &Seen, percent: f64) -> Option<f64> {
    let mut both = seen.calls(WRITERS[0]);
    for ms in seen.calls(WRITERS[1]).all() {
        both.add(Duration::from_secs_f64(ms / 1000.0));
    }
    both.percentile(percent)
}

fn sheet(all: &[Who], rounds: &[Vec<Seen>], total: u64, old: u64) -> Sheet {
    let median = |at: usize, figure: &dyn Fn(&Seen) -> Option<f64>| {
        live::median(rounds.iter().filter_map(|seen| seen.get(at)), figure)
    };
    let pace = |seen: &Seen| Some(old as f64 / seen.took?);
    let row = |(at, who): (usize, &Who)| {
        let idle = *who == Who::Nobody;
        vec![
            who.name().to_owned(),
            if idle { String::new() } else { or_question_mark(median(at, &|seen| seen.took)) },
            if idle { String::new() } else { median(at, &pace).map_or("?".to_owned(), |rows| thousands(rows as u64)) },
            if idle { String::new() } else { or_question_mark(median(at, &Seen::longest)) },
            or_question_mark(median(at, &|seen| writers(seen, 99.0))),
            or_question_mark(median(at, &|seen| writers(seen, 100.0))),
        ]
    };
    let rows: Vec<Vec<String>> = all.iter().enumerate().map(row).collect();
    let failed = rounds.iter().any(|seen| seen.get(1).is_none_or(|own| own.complaint.is_some()));
    let own = |figure: &dyn Fn(&Seen) -> Option<f64>| if failed { None } else { median(1, figure) };
    let p99 = |seen: &Seen| writers(seen, 99.0);
    let limit = median(0, &p99).map_or(15.0, |baseline| (2.0 * baseline).max(15.0));
    let aims = [
        Aim::under("the writers' p99 (15 ms, or twice that without)", limit, " ms", own(&p99)),
        Aim::under("the longest transaction", 100.0, " ms", own(&Seen::longest)),
        Aim::at_least("the pace", 200_000.0, " rows/s", own(&pace)),
    ];
    let data = rounds.iter().map(|seen| {
        let one = |(who, seen): (&Who, &Seen)| {
            json!({
                "program": who.name(), "took_s": seen.took, "longest_txn_ms": seen.longest(),
                "inserts_ms": seen.calls(WRITERS[0]).all(), "updates_ms": seen.calls(WRITERS[1]).all(),
                "complaints": seen.complaints(),
            })
        };
        all.iter().zip(seen).map(one).collect::<Vec<_>>()
    });
    let data = json!(data.collect::<Vec<_>>());
    let title = format!("{} of {} rows deleted, 300 writes a second", thousands(old), thousands(total));
    let mut sheet = Sheet::new(&title, &HEAD, &rows, &aims, data)
        .note(format!("p99 and worst are the writers'; medians of {} rounds; by ctid: {BATCH} a batch", rounds.len()))
        .note("dbctl's time includes its VACUUM of every tenth, which psql leaves out");
    let mut notes: Vec<String> = Vec::new();
    for seen in rounds {
        let told = all.iter().zip(seen);
        notes.extend(
            told.flat_map(|(who, seen)| seen.complaints().into_iter().map(|what| format!("{}: {what}", who.name()))),
        );
    }
    notes.dedup();
    for note in notes {
        sheet = sheet.note(note);
    }
    sheet
}

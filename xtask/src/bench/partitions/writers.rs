//! What upkeep does to those who write and read meanwhile, while a transaction that has read every
//! partition stays open: partitions made and partitions let go, without and with a foreign key.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::Size;
use super::ground::Ground;
use super::live::{self, Play, Seen, play};
use super::policy::{Document, Policy, Table};
use super::sets::{self, Reach, Way};
use super::sheet::Sheet;
use super::traffic::Stream;
use crate::bench::markdown::or_question_mark;
use crate::bench::measure::Spread;
use crate::bench::report::Aim;

const INSERTS: &str = "inserts";
const USERS_WRITERS: &str = "writers of users";
const USERS_READERS: &str = "readers of users";
/// What an insert may take longer than without any upkeep, in milliseconds.
const AIM: f64 = 100.0;
const HEAD: [&str; 6] = ["program", "worst ms", "p99 ms", "> 100 ms", "added ms", "took s"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Create,
    Drop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Nobody,
    Dbctl,
    Psql,
    Partman,
    Partsmith,
}

impl Who {
    fn name(self) -> &'static str {
        match self {
            Who::Nobody => "(nothing done)",
            Who::Dbctl => "dbctl rotate",
            Who::Psql => "psql, plain DDL",
            Who::Partman => "pg_partman",
            Who::Partsmith => "pg-partsmith",
        }
    }
}

impl Deed {
    /// What is there before.
    fn reach(self) -> Reach {
        match self {
            Deed::Create => Reach { first: -3, last: 1 },
            Deed::Drop => Reach { first: -14, last: 4 },
        }
    }

    /// What there shall be.
    fn table(self) -> Table {
        let keep = (self == Deed::Drop).then_some(12);
        Table { name: "events".to_owned(), every: "month", ahead: 4, keep }
    }

    /// How many partitions there are in the end.
    fn left(self) -> &'static str {
        match self {
            Deed::Create => "8",
            Deed::Drop => "17",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Deed::Create => "3 missing partitions made",
            Deed::Drop => "2 expired partitions let go",
        }
    }
}

/// The four experiments, each program in turn within a round.
pub fn run(ground: &Ground, size: &Size) -> Result<Vec<Sheet>> {
    let mut sheets = Vec::new();
    for foreign_key in [false, true] {
        for deed in [Deed::Create, Deed::Drop] {
            sheets.extend(Experiment::new(ground, deed, foreign_key, size)?.run()?);
        }
    }
    Ok(sheets)
}

struct Experiment<'a> {
    ground: &'a Ground,
    deed: Deed,
    foreign_key: bool,
    hold: u64,
    rounds: usize,
    streams: Vec<Stream>,
    policy: PathBuf,
    document: PathBuf,
    holder: PathBuf,
}

const DATABASE: &str = "b_writers";

impl<'a> Experiment<'a> {
    fn new(ground: &'a Ground, deed: Deed, foreign_key: bool, size: &Size) -> Result<Experiment<'a>> {
        let tables = vec![deed.table()];
        let document = ground.document("writers", &Document(&tables))?;
        let policy = ground.policy("writers", &Policy { tables, ..Policy::default() })?;
        let users = if foreign_key {
            "SELECT count(*) FROM users;\nUPDATE users SET seen = seen + 1 WHERE id = 0;\n"
        } else {
            ""
        };
        let hold = size.hold;
        let script = format!("BEGIN;\nSELECT count(*) FROM events;\n{users}\\! sleep {hold}\nCOMMIT;\n");
        let holder = ground.write("holder.sql", &script)?;
        let stream =
            |name, clients, rate, statement: &str| Stream { name, clients, rate, statement: statement.to_owned() };
        let insert =
            "INSERT INTO events (user_id, created_at, payload) VALUES (1 + $1::bigint % 999, pg_catalog.now(), 'x')";
        let mut streams = vec![stream(INSERTS, 16, 500.0, insert)];
        if foreign_key {
            let write = "UPDATE users SET seen = seen + 1 WHERE id = 1 + $1::bigint % 999";
            streams.push(stream(USERS_WRITERS, 4, 50.0, write));
            streams.push(stream(USERS_READERS, 4, 50.0, "SELECT name FROM users WHERE id = $1::bigint % 1000"));
        }
        Ok(Experiment { ground, deed, foreign_key, hold, rounds: size.runs, streams, policy, document, holder })
    }

    fn run(self) -> Result<Vec<Sheet>> {
        let mut all = vec![Who::Nobody, Who::Dbctl, Who::Psql];
        if self.ground.partman {
            all.push(Who::Partman);
        }
        if self.ground.partsmith(&self.document, DATABASE).is_some() {
            all.push(Who::Partsmith);
        }
        let mut rounds: Vec<Vec<Seen>> = Vec::new();
        let mut notes: Vec<String> = Vec::new();
        for round in 0..self.rounds {
            let mut seen: Vec<Option<Seen>> = all.iter().map(|_| None).collect();
            for turn in 0..all.len() {
                let at = (turn + round) % all.len();
                let one = self.once(all[at])?;
                notes.extend(one.complaints().into_iter().map(|what| format!("{}: {what}", all[at].name())));
                seen[at] = Some(one);
            }
            rounds.push(seen.into_iter().flatten().collect());
        }
        notes.dedup();
        self.ground.drop(&[DATABASE])?;
        let mut sheets: Vec<Sheet> = self.streams.iter().map(|stream| self.sheet(stream, &all, &rounds)).collect();
        if let Some(last) = sheets.pop() {
            sheets.push(notes.iter().fold(last, Sheet::note));
        }
        Ok(sheets)
    }

    fn once(&self, who: Who) -> Result<Seen> {
        self.fill(who)?;
        let play_of = Play {
            dbname: DATABASE,
            streams: &self.streams,
            holder: Some(&self.holder),
            at_least: Duration::from_secs(self.hold + 3),
            watch: false,
        };
        let mut seen = play(self.ground, &play_of, self.command(who)?)?;
        if who != Who::Nobody && seen.complaint.is_none() {
            let left = self.ground.expect("partitions", DATABASE, sets::COUNT, self.deed.left());
            seen.complaint = left.err().map(|error| format!("{error:#}"));
        }
        Ok(seen)
    }

    fn fill(&self, who: Who) -> Result<()> {
        let (reach, table) = (self.deed.reach(), self.deed.table());
        let tables = [table];
        let references = if self.foreign_key { " REFERENCES users" } else { "" };
        let partitions = match who {
            Who::Partman => sets::partman(&tables, reach) + &sets::partman_policy(&tables),
            Who::Partsmith => sets::fill(&tables, reach, "__"),
            _ => sets::fill(&tables, reach, "_"),
        };
        let script = format!(
            "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, seen bigint NOT NULL DEFAULT 0);
INSERT INTO users (id, name) SELECT n, 'user ' || n FROM generate_series(0, 999) AS n;
CREATE SEQUENCE events_id;
CREATE TABLE events (
    id bigint NOT NULL DEFAULT nextval('events_id'), user_id bigint NOT NULL{references},
    created_at timestamptz NOT NULL, payload text, PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE INDEX ON events (user_id);
{partitions}
INSERT INTO events (user_id, created_at, payload)
SELECT g % 1000, date_trunc('month', now()) + n * interval '1 month' + g * interval '1 minute', 'x'
FROM generate_series({}, {}) AS n, generate_series(1, 500) AS g;
ANALYZE;
CHECKPOINT;
",
            // None in the future: pg_partman counts from the newest row.
            reach.first,
            0
        );
        self.ground.scene.fresh(DATABASE)?;
        self.ground.prepare(DATABASE, &script)
    }

    fn command(&self, who: Who) -> Result<Option<Command>> {
        Ok(match who {
            Who::Nobody => None,
            Who::Dbctl => Some(self.ground.rotate(&self.policy, DATABASE)),
            Who::Partman => Some(self.ground.partman(DATABASE)),
            Who::Partsmith => self.ground.partsmith(&self.document, DATABASE),
            Who::Psql => {
                let missing = Reach { first: 2, last: 4 };
                let statements = match self.deed {
                    Deed::Create => sets::statements(&self.deed.table(), missing, Way::PartitionOf, "_"),
                    Deed::Drop => {
                        "SELECT 'DROP TABLE events_' || to_char(date_trunc('month', now()) + n * interval '1 month', \
                         'YYYY_MM') || ';' FROM generate_series(-14, -13) AS n"
                            .to_owned()
                    }
                };
                Some(self.ground.psql_file(DATABASE, &self.ground.script(DATABASE, "writers-raw.sql", &statements)?))
            }
        })
    }

    fn sheet(&self, stream: &Stream, all: &[Who], rounds: &[Vec<Seen>]) -> Sheet {
        let worst = |seen: &Seen| seen.calls(stream.name).percentile(100.0);
        let added = |at: usize| {
            let of = |seen: &Vec<Seen>| {
                let program = seen.get(at).filter(|seen| !seen.broke)?;
                Some(worst(program)? - worst(seen.first()?)?)
            };
            Spread::of(rounds.iter().filter_map(of)).map(|spread| spread.median)
        };
        let median = |at: usize, figure: &dyn Fn(&Seen) -> Option<f64>| {
            live::median(rounds.iter().filter_map(|seen| seen.get(at)), figure)
        };
        let late = |seen: &Seen| Some(seen.calls(stream.name).all().iter().filter(|ms| **ms > 100.0).count() as f64);
        let row = |(at, who): (usize, &Who)| {
            vec![
                who.name().to_owned(),
                or_question_mark(median(at, &worst)),
                or_question_mark(median(at, &|seen| seen.calls(stream.name).percentile(99.0))),
                median(at, &late).map_or("?".to_owned(), |count| format!("{count:.0}")),
                if *who == Who::Nobody { String::new() } else { or_question_mark(added(at)) },
                if *who == Who::Nobody { String::new() } else { or_question_mark(median(at, &|seen| seen.took)) },
            ]
        };
        let rows: Vec<Vec<String>> = all.iter().enumerate().map(row).collect();
        let failed = rounds.iter().any(|seen| seen.get(1).is_none_or(|own| own.complaint.is_some()));
        let own = if failed { None } else { added(1) };
        let aims = [Aim::under(format!("dbctl adds to the worst of the {}", stream.name), AIM, " ms", own)];
        let key = if self.foreign_key { "foreign key to users" } else { "no foreign key" };
        let title = format!("{}, {key}: {}", self.deed.title(), stream.name);
        let data = rounds.iter().map(|seen| {
            let one = |(who, seen): (&Who, &Seen)| {
                let ms = seen.calls(stream.name);
                json!({ "program": who.name(), "ms": ms.all(), "took_s": seen.took, "complaints": seen.complaints() })
            };
            all.iter().zip(seen).map(one).collect::<Vec<_>>()
        });
        let data = json!(data.collect::<Vec<_>>());
        let locks = if self.foreign_key { "all partitions and users" } else { "all partitions" };
        Sheet::new(&title, &HEAD, &rows, &aims, data)
            .note(format!("{} clients, {} calls a second; rounds: {}", stream.clients, stream.rate, self.rounds))
            .note(format!("a transaction locks {locks} for {} s, the program starts after 1 s", self.hold))
    }
}

//! `cargo xtask bench backup`: a database of more than a gigabyte backed up beside what the documents' scripts do,
//! `pg_dump | gzip`, and beside the floor: its rows copied to nowhere by as many jobs, and its schema dumped.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::Options;
use super::measure::{Case, Series, compare};
use super::peers;
use super::report::{Aim, Comparison};
use super::scene::Scene;
use crate::pg;

const DATABASE: &str = "b_backup";
const SCRIPT: &str = "pg_dump | gzip";
const SCRIPT_BACK: &str = "gunzip | psql";
const RESTORED: &str = "b_restored";
const BY_SCRIPT: &str = "b_by_script";
const BY_TOOL: &str = "b_by_tool";
const FLOOR: &str = "COPY to nowhere, 2 jobs, and the schema";
/// What the server alone takes, nearly: the text lies there as it is, nothing is hashed, proven or analyzed.
const FLOOR_BACK: &str = "pg_restore -j 2, uncompressed, no proof";
/// What both sides of the floor copy at once, and dbctl too.
const JOBS: &str = "2";

/// What is compressed how well decides: counters, UUIDs, JSON and prose of few words, vectors. Scaled by {k} thousand.
const DATA: &str = r#"
SET client_min_messages = error;
CREATE TABLE accounts (aid bigint, bid int, abalance int, filler char(84));
INSERT INTO accounts SELECT i, i / 100000, (random() * 10000)::int, '' FROM generate_series(1, {k} * 5000) AS i;
CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY, created_at timestamptz NOT NULL, kind text, session uuid, payload jsonb, note text)
    PARTITION BY RANGE (created_at);
DO $$ BEGIN FOR m IN 0..49 LOOP
    EXECUTE format('CREATE TABLE events_%s PARTITION OF events FOR VALUES FROM (%L) TO (%L)', to_char(m, 'FM00'),
        '2022-01-01'::date + make_interval(months => m), '2022-01-01'::date + make_interval(months => m + 1));
END LOOP; END $$;
CREATE TEMP TABLE prose AS SELECT i, (SELECT string_agg((ARRAY['order', 'item', 'customer', 'late', 'paid', 'invoice', 'north', 'store', 'blue', 'retry'])[1 + (random() * 9)::int], ' ')
    FROM generate_series(1, 12 + i % 9)) AS note FROM generate_series(0, 4999) AS i;
INSERT INTO events (created_at, kind, session, payload, note)
    SELECT '2022-01-01'::timestamptz + random() * interval '1500 days', (ARRAY['view', 'click', 'buy', 'leave'])[1 + g % 4], gen_random_uuid(),
           jsonb_build_object('page', '/p/' || (random() * 1000)::int, 'ms', (random() * 5000)::int, 'agent', md5((g % 97)::text), 'tags', ARRAY[g % 7, g % 11]), p.note
    FROM generate_series(1, {k} * 800) AS g JOIN prose AS p ON p.i = g % 5000;
CREATE TABLE documents (id bigint, title text, embedding real[]);
INSERT INTO documents SELECT i, 'document ' || i, (SELECT array_agg((random() * 2 - 1)::real) FROM generate_series(1, 384) WHERE i > 0) FROM generate_series(1, {k} * 30) AS i;
ALTER TABLE accounts ADD PRIMARY KEY (aid);
ALTER TABLE events ADD PRIMARY KEY (id, created_at);
CREATE INDEX ON events (session); CREATE INDEX ON events USING gin (payload jsonb_path_ops);
ALTER TABLE documents ADD PRIMARY KEY (id);
VACUUM ANALYZE;
"#;

/// Prints one table after the other as they are done.
pub fn run(options: &Options) -> Result<()> {
    let dbctl = peers::dbctl()?;
    let newest = pg::found()?.into_iter().next().context("no server: cargo xtask pg")?;
    let settings = [("shared_buffers", "1GB"), ("max_wal_size", "4GB")];
    let scene = Scene::start_with(Some(newest.bin_dir.clone()), &settings)?;
    scene.fresh(DATABASE)?;
    let file = scene.scratch().join("data.sql");
    std::fs::write(&file, DATA.replace("{k}", if options.quick { "100" } else { "1000" }))?;
    let mut psql = scene.psql(DATABASE);
    scene.perform({
        psql.arg("-f").arg(&file);
        psql
    })?;
    let bytes: u64 = scene.ask(DATABASE, "SELECT pg_database_size(current_database())")?.parse()?;
    let head = format!("{}\nA database of {} MB, {JOBS} jobs.", scene.describe()?, bytes / 1_000_000);
    println!("{head}\n");
    let bench = Bench { scene: &scene, dbctl, bin_dir: newest.bin_dir };
    let mut all = Vec::new();
    for part in [Bench::create, Bench::restore, Bench::swap] {
        let comparison = part(&bench, options)?;
        println!("{}", comparison.table());
        all.push(comparison);
    }
    if let Some(file) = &options.json {
        let tables: Vec<_> = all.iter().map(Comparison::json).collect();
        let text = json!({ "version": 1, "head": head, "tables": tables }).to_string();
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

struct Bench<'a> {
    scene: &'a Scene,
    dbctl: PathBuf,
    bin_dir: PathBuf,
}

impl Bench<'_> {
    fn create(&self, options: &Options) -> Result<Comparison> {
        let scene = self.scene;
        let (repository, script) = (scene.scratch().join("repository"), scene.scratch().join("dump.sql.gz"));
        let floor = self.floor()?;
        let ours = |jobs: &'static str, more: &'static [&'static str]| {
            let repository = repository.clone();
            move || {
                let mut command = scene.bare(&self.dbctl);
                command.args(["backup", "create", "--jobs", jobs, "--to"]).arg(&repository).args(more);
                command.env("DATABASE_URL", scene.url(DATABASE)).env("DBCTL_PG_BIN", &self.bin_dir);
                command.env("DBCTL_BACKUP_PASSPHRASE", "a passphrase");
                command
            }
        };
        let emptied = || {
            if repository.exists() {
                std::fs::remove_dir_all(&repository)?;
            }
            Ok(())
        };
        let cases = [
            Case { before: Box::new(emptied), ..Case::new("dbctl backup create", ours(JOBS, &[])) },
            Case { before: Box::new(emptied), ..Case::new("dbctl, 4 jobs", ours("4", &[])) },
            Case { before: Box::new(emptied), ..Case::new("dbctl, encrypted", ours(JOBS, &["--encrypt"])) },
            Case::new(SCRIPT, || {
                let mut shell = scene.bare("sh");
                shell.args(["-c", "\"$0\" -d \"$1\" | gzip > \"$2\""]).arg(self.bin_dir.join("pg_dump"));
                shell.arg(scene.url(DATABASE)).arg(&script);
                shell
            }),
            Case::new(FLOOR, || {
                let mut shell = scene.bare("sh");
                shell.arg(&floor);
                shell
            }),
        ];
        let all = compare(&cases, options.runs, scene.scratch());
        // What lies there now is that of the last round of each.
        emptied()?;
        scene.perform(ours(JOBS, &[])())?;
        let (own, theirs) = (size(&repository)?, size(&script)?);
        let peak = all[..2].iter().filter_map(|series| series.peak).fold(0.0, f64::max);
        let mut aims = vec![Aim::at_most(0.25, SCRIPT, &all), Aim::at_most(1.5, FLOOR, &all)];
        aims.push(Aim::under("stored", theirs as f64 / 1e6, " MB, the script's", Some(own as f64 / 1e6)));
        aims.push(Aim::under("peak at 4 jobs", 150.0, " MiB", Some(peak)));
        aims.push(encryption(&all));
        Ok(Comparison { title: "backup".to_owned(), rounds: options.runs, all, aims })
    }

    /// The same files back, into databases of other names. dbctl's is proven when it is there, the others are not.
    fn restore(&self, options: &Options) -> Result<Comparison> {
        let scene = self.scene;
        let (script, text) = (scene.scratch().join("dump.sql.gz"), scene.scratch().join("text"));
        scene.perform({
            let mut dump = scene.bare(self.bin_dir.join("pg_dump"));
            dump.args(["--format=directory", "--compress=0", "--jobs", JOBS, "--file"]).arg(&text);
            dump.arg("-d").arg(scene.url(DATABASE));
            dump
        })?;
        let dropped = || {
            let mut psql = scene.psql("postgres");
            psql.args(["-c", "SET client_min_messages = error"]);
            for name in [RESTORED, BY_SCRIPT, BY_TOOL] {
                psql.arg("-c").arg(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            }
            for name in [BY_SCRIPT, BY_TOOL] {
                psql.arg("-c").arg(format!("CREATE DATABASE {name} TEMPLATE template0"));
            }
            psql.args(["-c", "CHECKPOINT"]);
            scene.perform(psql)
        };
        let ours = |jobs: &'static str| {
            move || {
                let mut command = self.dbctl(&["restore", "latest", "--to-database", RESTORED, "--jobs", jobs]);
                command.arg("--from").arg(scene.scratch().join("repository"));
                command
            }
        };
        let cases = [
            Case { before: Box::new(dropped), ..Case::new("dbctl restore, proven", ours(JOBS)) },
            Case { before: Box::new(dropped), ..Case::new("dbctl, 4 jobs", ours("4")) },
            Case {
                before: Box::new(dropped),
                ..Case::new(SCRIPT_BACK, || {
                    let mut shell = scene.bare("sh");
                    shell.args(["-c", "gunzip -c \"$2\" | \"$0\" -X -q -d \"$1\""]).arg(self.bin_dir.join("psql"));
                    shell.arg(scene.url(BY_SCRIPT)).arg(&script);
                    shell
                })
            },
            Case {
                before: Box::new(dropped),
                ..Case::new(FLOOR_BACK, || {
                    let mut command = scene.bare(self.bin_dir.join("pg_restore"));
                    command.args(["--jobs", JOBS, "-d"]).arg(scene.url(BY_TOOL)).arg(&text);
                    command
                })
            },
        ];
        let all = compare(&cases, options.runs, scene.scratch());
        let peak = all[..2].iter().filter_map(|series| series.peak).fold(0.0, f64::max);
        let aims = vec![Aim::at_most(0.65, SCRIPT_BACK, &all), Aim::under("peak at 4 jobs", 150.0, " MiB", Some(peak))];
        Ok(Comparison { title: "restore".to_owned(), rounds: options.runs, all, aims })
    }

    /// How long nobody can work: from the moment that the old database closes to the new one's answer.
    fn swap(&self, options: &Options) -> Result<Comparison> {
        let scene = self.scene;
        let replaced = || {
            let mut command =
                self.dbctl(&["restore", "latest", "--to-database", DATABASE, "--replace", "--jobs", JOBS]);
            command.arg("--from").arg(scene.scratch().join("repository")).args(["--yes", "--confirm-name", DATABASE]);
            scene.perform(command)
        };
        let undo = || self.dbctl(&["restore", "undo", "--to-database", DATABASE, "--yes"]);
        let cases = [Case { before: Box::new(replaced), ..Case::new("dbctl restore undo", undo) }];
        let all = compare(&cases, options.runs.min(2), scene.scratch());
        let wall = all[0].wall().map(|wall| wall.median);
        let aims = vec![Aim::under("undo", 1000.0, " ms", wall)];
        Ok(Comparison { title: "undo".to_owned(), rounds: options.runs.min(2), all, aims })
    }

    fn dbctl(&self, arguments: &[&str]) -> Command {
        let mut command = self.scene.bare(&self.dbctl);
        command.args(arguments).env("DATABASE_URL", self.scene.url("postgres")).env("DBCTL_PG_BIN", &self.bin_dir);
        command
    }

    /// Two sessions, each with about half of the bytes, and pg_dump of the schema, all at once.
    fn floor(&self) -> Result<PathBuf> {
        let scene = self.scene;
        let sizes = "SELECT c.oid::regclass FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace \
                     ORDER BY pg_table_size(c.oid) DESC";
        let mut halves = [String::new(), String::new()];
        let mut sums = [0_u64; 2];
        for table in scene.ask(DATABASE, sizes)?.lines() {
            let bytes: u64 = scene.ask(DATABASE, &format!("SELECT pg_table_size('{table}')"))?.parse()?;
            let less = usize::from(sums[1] < sums[0]);
            sums[less] += bytes;
            halves[less].push_str(&format!("COPY {table} TO STDOUT;\n"));
        }
        let mut script = String::new();
        for (half, sql) in halves.iter().enumerate() {
            let file = scene.scratch().join(format!("half{half}.sql"));
            std::fs::write(&file, sql)?;
            let psql = self.bin_dir.join("psql");
            let (psql, url, file) = (psql.display(), scene.url(DATABASE), file.display());
            script.push_str(&format!("'{psql}' -X -q -d '{url}' -f '{file}' > /dev/null &\n"));
        }
        let pg_dump = self.bin_dir.join("pg_dump");
        script.push_str(&format!("'{}' -s -d '{}' > /dev/null\nwait\n", pg_dump.display(), scene.url(DATABASE)));
        let file = scene.scratch().join("floor.sh");
        std::fs::write(&file, script)?;
        Ok(file)
    }
}

/// That encryption costs at most a tenth.
fn encryption(all: &[Series]) -> Aim {
    let ratio = all[2].times(&all[0]).map(|spread| spread.median);
    Aim::under("encrypted takes", 1.1, " x plain", ratio)
}

fn size(path: &Path) -> Result<u64> {
    let output = Command::new("du").args(["-sb"]).arg(path).output()?;
    if !output.status.success() {
        bail!("du: {}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().next().context("du's answer")?.parse().context("du's answer")
}

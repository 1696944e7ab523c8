//! `cargo xtask bench inspect`: looks into a database of 2,000 tables while somebody waits for a lock, beside psql with
//! the same main query and beside pg-extras with the same report.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use serde_json::json;

use super::Options;
use super::drift::SCHEMA;
use super::measure::{Case, compare};
use super::peers;
use super::report::{Aim, Comparison};
use super::scene::Scene;
use crate::process::succeeds;
use crate::{pg, tools};

const DATABASE: &str = "b_inspect";
const PSQL: &str = "psql, the same query";
/// Statements as pg_stat_statements of every supported version has them.
const STATEMENTS: &str = "SELECT query, calls, total_exec_time, mean_exec_time, rows FROM pg_stat_statements \
                          ORDER BY total_exec_time DESC LIMIT 20";

/// Rows of each table: enough for more than a handful of pages, from where on indexes are worth a look.
const ROWS: u32 = 500;

/// The indexes of one table in so many are never used.
const UNUSED: u32 = 20;

/// A report, the query at its heart, and what pg-extras calls it.
struct Shared {
    ours: &'static [&'static str],
    query: Option<String>,
    theirs: Option<&'static str>,
}

/// Prints one table after the other as they are done.
pub fn run(options: &Options) -> Result<()> {
    let dbctl = peers::dbctl()?;
    let newest = pg::found()?.into_iter().next().map(|found| found.bin_dir);
    let scene = Scene::start_with(newest, &[("shared_preload_libraries", "pg_stat_statements")])?;
    let tables = if options.quick { 200 } else { 2000 };
    prepare(&scene, tables)?;
    let _waits = Waits::begin(&scene)?;
    let mut head =
        vec![scene.describe()?, format!("{tables} tables, {} indexes; one session waits for another.", tables * 3)];
    if !succeeds(Command::new(tools::pgextras()).arg("--version")) {
        head.push("missing: pg-extras: cargo xtask tools --peers".to_owned());
    }
    println!("{}\n", head.join("\n"));
    let mut all = Vec::new();
    for shared in reports()? {
        let comparison = one(&scene, &dbctl, &shared, options.runs * 3);
        println!("{}", comparison.table());
        all.push(comparison);
    }
    if let Some(file) = &options.json {
        let tables: Vec<_> = all.iter().map(Comparison::json).collect();
        let text = json!({ "version": 1, "head": head.join("\n"), "tables": tables }).to_string();
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn prepare(scene: &Scene, tables: usize) -> Result<()> {
    let used = format!(
        "CREATE EXTENSION pg_stat_statements SCHEMA public; CREATE TABLE app.waited (a int);
         SET enable_seqscan = off; SET enable_bitmapscan = off;
         DO $$ BEGIN FOR i IN 1..{tables} LOOP
             CONTINUE WHEN i % {UNUSED} = 0;
             EXECUTE format('SELECT count(*) FROM app.t%s WHERE code = ''5''', i);
             EXECUTE format('SELECT count(*) FROM app.t%s WHERE created_at > ''infinity'' AND qty > 0', i);
         END LOOP; END $$;"
    );
    fill(scene, DATABASE, tables, &used)
}

/// A new database with so many tables, filled and analyzed, and what is done to it then.
pub(super) fn fill(scene: &Scene, database: &str, tables: usize, then: &str) -> Result<()> {
    scene.fresh(database)?;
    let file = scene.scratch().join("schema.sql");
    let schema = SCHEMA.replace("{tables}", &tables.to_string());
    let rows = format!(
        "DO $$ BEGIN FOR i IN 1..{tables} LOOP
             EXECUTE format('INSERT INTO app.t%s (code, qty, note) SELECT g, 1, repeat(''x'', 50) FROM generate_series(1, {ROWS}) AS g', i);
             IF i % 200 = 0 THEN COMMIT; END IF;
         END LOOP; END $$; ANALYZE;"
    );
    std::fs::write(&file, format!("CREATE SCHEMA IF NOT EXISTS public;\n{schema}\n{rows}\n{then}"))?;
    let mut psql = scene.psql(database);
    psql.arg("-f").arg(&file);
    scene.perform(psql)
}

/// The catalog queries that dbctl itself sends.
fn reports() -> Result<Vec<Shared>> {
    let catalog = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../sql/catalog");
    let query = |name: &str| std::fs::read_to_string(catalog.join(name)).with_context(|| name.to_owned());
    Ok(vec![
        Shared { ours: &["locks"], query: Some(query("locks_held.sql")?), theirs: Some("locks") },
        Shared {
            ours: &["activity"],
            query: Some(query("backends.sql")?.replace("$1", "'{}'::int4[]")),
            theirs: Some("connections"),
        },
        Shared { ours: &["slow-queries"], query: Some(STATEMENTS.to_owned()), theirs: Some("outliers") },
        Shared { ours: &["indexes", "unused", "--min-days", "0"], query: None, theirs: Some("unused-indexes") },
        Shared { ours: &["indexes", "duplicate"], query: None, theirs: Some("duplicate-indexes") },
        Shared { ours: &["sizes"], query: Some(query("sizes_files.sql")?), theirs: Some("total-table-size") },
        Shared { ours: &["health", "cache"], query: None, theirs: Some("cache-hit") },
        Shared { ours: &["check"], query: None, theirs: None },
    ])
}

fn one(scene: &Scene, dbctl: &PathBuf, shared: &Shared, rounds: usize) -> Comparison {
    let ours = || {
        let mut command = scene.bare(dbctl);
        command.args(shared.ours).env("DATABASE_URL", scene.url(DATABASE)).env("XDG_STATE_HOME", scene.scratch());
        command
    };
    let title = format!("dbctl {}", shared.ours.join(" "));
    // A check that finds something says so by its exit code, which is no failure here.
    let quiet = || {
        let mut shell = scene.bare("sh");
        shell.args(["-c", "\"$@\"; test $? -le 3", "sh"]).arg(dbctl).args(shared.ours);
        shell.env("DATABASE_URL", scene.url(DATABASE)).env("XDG_STATE_HOME", scene.scratch());
        shell
    };
    let mut cases =
        vec![if shared.ours == ["check"] { Case::new(title.clone(), quiet) } else { Case::new(title.clone(), ours) }];
    if let Some(query) = &shared.query {
        cases.push(Case::new(PSQL, move || {
            let mut psql = scene.psql(DATABASE);
            psql.args(["-A", "-t", "-o", "/dev/null", "-c"]).arg(query);
            psql
        }));
    }
    let theirs = shared.theirs.map(|name| format!("pg-extras {name}"));
    if let (Some(title), Some(name)) = (&theirs, shared.theirs)
        && succeeds(Command::new(tools::pgextras()).arg("--version"))
    {
        cases.push(Case::new(title.clone(), move || {
            let mut extras = scene.bare(tools::pgextras());
            extras.arg(name).env("DATABASE_URL", scene.url_with_socket_as_host(DATABASE));
            extras
        }));
    }
    let all = compare(&cases, rounds, scene.scratch());
    let mut aims = Vec::new();
    if shared.query.is_some() {
        aims.push(Aim::at_most(2.0, PSQL, &all));
    }
    aims.extend(theirs.map(|theirs| Aim::at_most(1.0, &theirs, &all)));
    if shared.theirs.is_none() {
        let wall = all.first().and_then(super::measure::Series::wall).map(|wall| wall.median);
        aims.push(Aim::under("the whole check", 600.0, " ms", wall));
    }
    Comparison { title, rounds, all, aims }
}

/// Two sessions, one behind the other, until this goes. Neither is in the way of readers: behind an exclusive lock most
/// of the other tool's reports would never end.
struct Waits([Child; 2]);

impl Waits {
    fn begin(scene: &Scene) -> Result<Waits> {
        let session = |sql: &str| -> Result<Child> {
            let mut psql = scene.psql(DATABASE);
            psql.arg("-c").arg(sql).stdout(Stdio::null()).stderr(Stdio::null());
            psql.spawn().context("cannot start psql")
        };
        let holder = session("BEGIN; LOCK TABLE app.waited IN SHARE MODE; SELECT pg_sleep(3600)")?;
        let mut waits = Waits([holder, session("SELECT pg_sleep(1); BEGIN; LOCK TABLE app.waited IN EXCLUSIVE MODE")?]);
        for _ in 0..100 {
            if scene.ask(DATABASE, "SELECT count(*) FROM pg_locks WHERE NOT granted")? == "1" {
                return Ok(waits);
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        waits.end();
        anyhow::bail!("nobody waits")
    }

    fn end(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.end();
    }
}

//! `dbctl reindex` of 200 tables with two small indexes each, two at once, beside reindexdb.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::bench::measure::{Case, compare};
use crate::bench::report::{Aim, Comparison};
use crate::bench::scene::Scene;
use crate::bench::{Options, peers};
use crate::pg;

const DATABASE: &str = "b_reindex";
const PEER: &str = "reindexdb --concurrently -j2";
const ROWS: u32 = 1000;

/// Prints its table when it is done.
pub fn run(options: &Options) -> Result<Vec<Comparison>> {
    let dbctl = peers::dbctl()?;
    let newest = pg::found()?.into_iter().next().context("no server: cargo xtask pg")?.bin_dir;
    // What VACUUM does to the catalogs meanwhile would hit one and not the other.
    let scene = Scene::start_with(Some(newest), &[("autovacuum", "off")])?;
    let tables = if options.quick { 50 } else { 200 };
    fill(&scene, tables)?;
    println!("{}\n{tables} tables of {ROWS} rows, two indexes each.\n", scene.describe()?);
    let ours = || {
        let mut command = scene.bare(&dbctl);
        command.args(["reindex", "--schema", "app", "--jobs", "2"]).env("DATABASE_URL", scene.url(DATABASE));
        command
    };
    let theirs = || {
        let mut command = Command::new(scene.program("reindexdb"));
        command.args(["--concurrently", "--jobs", "2", "--quiet", "--schema", "app"]);
        command.arg("--dbname").arg(DATABASE).arg("--username").arg(scene.superuser());
        command.arg("--host").arg(scene.socket_dir()).arg("--port").arg(scene.port().to_string());
        command
    };
    // Each build leaves dead rows in the catalogs, which slow down whoever comes after.
    let before = || prepare(&scene);
    let check = || done(&scene, tables);
    let cases = [("dbctl reindex --jobs 2", Box::new(ours) as Box<dyn Fn() -> Command>), (PEER, Box::new(theirs))];
    let cases = cases.map(|(name, command)| Case {
        before: Box::new(before),
        check: Box::new(check),
        ..Case::new(name, command)
    });
    let all = compare(&cases, options.runs, scene.scratch());
    let aims = vec![Aim::at_most(1.1, PEER, &all)];
    let title = format!("{} indexes on {tables} tables, two at once", 2 * tables);
    let comparison = Comparison { title, rounds: options.runs, all, aims };
    println!("{}", comparison.table());
    Ok(vec![comparison])
}

fn fill(scene: &Scene, tables: usize) -> Result<()> {
    scene.fresh(DATABASE)?;
    let sql = format!(
        "CREATE SCHEMA app;
         DO $$ BEGIN FOR i IN 1..{tables} LOOP
             EXECUTE format('CREATE TABLE app.t%s (id int PRIMARY KEY, qty int)', i);
             EXECUTE format('INSERT INTO app.t%s SELECT g, g FROM generate_series(1, {ROWS}) AS g', i);
             EXECUTE format('CREATE INDEX t%1$s_qty ON app.t%1$s (qty)', i);
         END LOOP; END $$;"
    );
    let mut psql = scene.psql(DATABASE);
    psql.args(["-c", &sql, "-c", "VACUUM ANALYZE"]);
    scene.perform(psql)
}

/// Which indexes there were is remembered, so that it can be seen that each became another one.
fn prepare(scene: &Scene) -> Result<()> {
    let mut psql = scene.psql(DATABASE);
    psql.args(["-c", "SET client_min_messages = error; CREATE TABLE IF NOT EXISTS public.before (index oid)"]);
    psql.args([
        "-c",
        "TRUNCATE public.before; INSERT INTO public.before SELECT indexrelid FROM pg_index WHERE indrelid >= 16384",
    ]);
    psql.args(["-c", "VACUUM", "-c", "CHECKPOINT"]);
    scene.perform(psql)
}

fn done(scene: &Scene, tables: usize) -> Result<()> {
    let sql = "SELECT count(*) FILTER (WHERE i.indisvalid) || ' of ' || count(*) FROM pg_index AS i \
               JOIN pg_class AS t ON t.oid = i.indrelid AND t.relnamespace = 'app'::regnamespace \
               WHERE i.indexrelid NOT IN (SELECT index FROM public.before)";
    let (found, expected) = (scene.ask(DATABASE, sql)?, format!("{0} of {0}", 2 * tables));
    if found != expected {
        bail!("{found} indexes are new and valid, not {expected}");
    }
    Ok(())
}

//! `dbctl vacuum` over 2,000 tables beside vacuumdb: where nothing is due, and where some are, which vacuumdb is told.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::bench::inspect::fill;
use crate::bench::measure::{Case, compare};
use crate::bench::report::{Aim, Comparison};
use crate::bench::scene::Scene;
use crate::bench::{Options, peers};
use crate::pg;

const DATABASE: &str = "b_vacuum";
const ALONE: &str = "vacuumdb of those";
const ALL: &str = "vacuumdb of all";
const ALL_BY_TWO: &str = "vacuumdb -j2 of all";

/// Rows of the bigger tables; the others have a few hundred: with them nearly all of the time is what is not vacuum.
const BIG_ROWS: u32 = 50_000;
const BIG: usize = 20;
/// And of those in between.
const MIDDLE_ROWS: u32 = 10_000;

/// What is due in one comparison.
struct Due {
    title: String,
    tables: Vec<String>,
    jobs: &'static str,
    limit: f64,
}

/// Prints one table after the other as they are done.
pub fn run(options: &Options) -> Result<Vec<Comparison>> {
    let dbctl = peers::dbctl()?;
    let newest = pg::found()?.into_iter().next().context("no server: cargo xtask pg")?.bin_dir;
    // What is due must be so until it is measured.
    let scene = Scene::start_with(Some(newest), &[("autovacuum", "off"), ("shared_buffers", "512MB")])?;
    let tables = if options.quick { 200 } else { 2000 };
    let many = if options.quick { 20 } else { 200 };
    let more = |name: &str, count: usize, rows: u32| {
        format!(
            "DO $$ BEGIN FOR i IN 1..{count} LOOP
                 EXECUTE format('CREATE TABLE app.{name}%1$s (LIKE app.t1 INCLUDING ALL)', i);
                 EXECUTE format('INSERT INTO app.{name}%s (code, qty, note) SELECT g, 1, repeat(''x'', 50) FROM generate_series(1, {rows}) AS g', i);
             END LOOP; END $$;\n"
        )
    };
    let bigger = more("big", BIG, BIG_ROWS) + &more("middle", many, MIDDLE_ROWS) + "VACUUM (ANALYZE); VACUUM;";
    fill(&scene, DATABASE, tables, &bigger)?;
    println!(
        "{}\n{tables} tables of 500 rows, {many} of {MIDDLE_ROWS}, {BIG} of {BIG_ROWS}; three indexes each.\n",
        scene.describe()?
    );
    let bench = Bench { scene: &scene, dbctl };
    let mut all = vec![bench.clean(options, tables + many + BIG)];
    println!("{}", all[0].table());
    let some = |count: usize| (1..=count).map(|i| format!("app.t{}", i * tables / count)).collect::<Vec<_>>();
    let named = |name: &str, count: usize| (1..=count).map(|i| format!("app.{name}{i}")).collect::<Vec<_>>();
    for due in [
        Due { title: "20 of 500 rows due".to_owned(), tables: some(20), jobs: "1", limit: 1.2 },
        Due { title: format!("{BIG} of {BIG_ROWS} rows due"), tables: named("big", BIG), jobs: "1", limit: 1.2 },
        Due { title: format!("{many} of 500 rows due, 2 jobs"), tables: some(many), jobs: "2", limit: 1.1 },
        Due {
            title: format!("{many} of {MIDDLE_ROWS} rows due, 2 jobs"),
            tables: named("middle", many),
            jobs: "2",
            limit: 1.1,
        },
    ] {
        let comparison = bench.due(options, due);
        println!("{}", comparison.table());
        all.push(comparison);
    }
    Ok(all)
}

struct Bench<'a> {
    scene: &'a Scene,
    dbctl: PathBuf,
}

impl Bench<'_> {
    fn clean(&self, options: &Options, tables: usize) -> Comparison {
        let title = "dbctl vacuum".to_owned();
        let nothing = || match self.vacuum(&["--dry-run", "--format", "json"]).output() {
            Ok(output) if String::from_utf8_lossy(&output.stdout).contains("\"app.") => bail!("something is due"),
            _ => Ok(()),
        };
        let cases = [
            Case { before: Box::new(nothing), ..Case::new(title, || self.vacuum(&[])) },
            Case::new(ALL, || self.vacuumdb("1", &[])),
            Case::new(ALL_BY_TWO, || self.vacuumdb("2", &[])),
        ];
        let rounds = options.runs * 2;
        let all = compare(&cases, rounds, self.scene.scratch());
        let mut aims = vec![Aim::at_most(0.15, ALL, &all), Aim::at_most(0.15, ALL_BY_TWO, &all)];
        let wall = all[0].wall().map(|wall| wall.median);
        aims.push(Aim::under("nothing to do", 100.0, " ms", wall));
        Comparison { title: format!("{tables} tables, nothing due"), rounds, all, aims }
    }

    fn due(&self, options: &Options, due: Due) -> Comparison {
        let dirty = || self.dirty(&due.tables);
        let done = || self.done(&due.tables);
        let ours = || self.vacuum(&["--jobs", due.jobs]);
        let theirs = || self.vacuumdb(due.jobs, &due.tables);
        let cases = [
            Case { before: Box::new(dirty), check: Box::new(done), ..Case::new("dbctl vacuum", ours) },
            Case { before: Box::new(dirty), check: Box::new(done), ..Case::new(ALONE, theirs) },
        ];
        let rounds = options.runs * 2;
        let all = compare(&cases, rounds, self.scene.scratch());
        let aims = vec![Aim::at_most(due.limit, ALONE, &all)];
        Comparison { title: due.title, rounds, all, aims }
    }

    fn vacuum(&self, arguments: &[&str]) -> Command {
        let mut command = self.scene.bare(&self.dbctl);
        command.arg("vacuum").args(arguments).env("DATABASE_URL", self.scene.url(DATABASE));
        command
    }

    fn vacuumdb(&self, jobs: &str, tables: &[String]) -> Command {
        let mut command = self.scene.bare(self.scene.program("vacuumdb"));
        command.args(["--quiet", "--jobs", jobs, "--host"]).arg(self.scene.socket_dir());
        command.args(["--port", &self.scene.port().to_string(), "--username", self.scene.superuser()]);
        for table in tables {
            command.args(["--table", table]);
        }
        command.arg(DATABASE);
        command
    }

    /// A third of the rows of each dies; the statistics are new, so that VACUUM alone is due, as it is for vacuumdb.
    fn dirty(&self, tables: &[String]) -> Result<()> {
        let updates: Vec<String> =
            tables.iter().map(|table| format!("UPDATE {table} SET qty = qty + 1 WHERE id % 3 = 0;")).collect();
        // What that does to the catalog, and dbctl's journal of the rounds before, would be due for it alone.
        let others = "VACUUM (ANALYZE) pg_catalog.pg_class; VACUUM pg_catalog.pg_statistic; VACUUM (ANALYZE) dbctl.journal, dbctl.run;";
        // The counters of a session are handed on when it ends: after those of an ANALYZE in the same one.
        for sql in [updates.join("\n"), format!("ANALYZE {};\n{others}\nCHECKPOINT;", tables.join(", "))] {
            let file = self.scene.scratch().join("dirty.sql");
            std::fs::write(&file, sql)?;
            let mut psql = self.scene.psql(DATABASE);
            // The journal is not there before the first run.
            psql.args(["-v", "ON_ERROR_STOP=0", "-f"]).arg(&file);
            self.scene.perform(psql)?;
        }
        Ok(())
    }

    fn done(&self, tables: &[String]) -> Result<()> {
        let names: Vec<String> = tables.iter().map(|table| format!("'{table}'::regclass")).collect();
        let sql = format!(
            "SELECT count(*) FROM pg_class AS c WHERE c.oid IN ({}) AND pg_stat_get_dead_tuples(c.oid) > 0",
            names.join(", ")
        );
        match self.scene.ask(DATABASE, &sql)?.as_str() {
            "0" => Ok(()),
            left => bail!("{left} of {} tables have dead rows", tables.len()),
        }
    }
}

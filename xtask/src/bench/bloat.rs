//! `cargo xtask bench bloat`: what would be given back, over 2,000 tables with four indexes each, beside pg-extras and
//! check_postgres in the same run.

use anyhow::{Context, Result};
use serde_json::json;

use super::inspect::fill;
use super::measure::{Case, Series, compare};
use super::report::{Aim, Comparison};
use super::scene::Scene;
use super::{Options, peers};
use crate::process::{program, succeeds};
use crate::{pg, tools};

const DATABASE: &str = "b_bloat";
const EXTRAS: &str = "pg-extras bloat";
const CHECK: &str = "check_postgres bloat";
/// How dbctl is asked: as it comes, and for every table and index there is, as the others list them.
const ASKED: [&[&str]; 2] = [&["bloat"], &["bloat", "--mode", "fast", "--min-size", "0", "--limit", "0"]];

/// Prints one table after the other as they are done.
pub fn run(options: &Options) -> Result<()> {
    let dbctl = peers::dbctl()?;
    let newest = pg::found()?.into_iter().next().map(|found| found.bin_dir);
    let scene = Scene::start_with(newest, &[])?;
    let tables = if options.quick { 200 } else { 2000 };
    let fourth = "DO $$ BEGIN FOR i IN 1..{tables} LOOP
        EXECUTE format('CREATE INDEX t%1$s_qty ON app.t%1$s (qty)', i);
        IF i % 200 = 0 THEN COMMIT; END IF;
    END LOOP; END $$; ANALYZE;"
        .replace("{tables}", &tables.to_string());
    fill(&scene, DATABASE, tables, &fourth)?;
    let mut head = vec![scene.describe()?, format!("{tables} tables, {} indexes.", tables * 4)];
    let extras = succeeds(program(tools::pgextras()).arg("--version"));
    let check = succeeds(program(tools::CHECK_POSTGRES).arg("--version"));
    for (name, is_there) in [("pg-extras", extras), ("check_postgres", check)] {
        if !is_there {
            head.push(format!("missing: {name}: cargo xtask tools --peers"));
        }
    }
    println!("{}\n", head.join("\n"));
    let mut comparisons = Vec::new();
    for asked in ASKED {
        let title = format!("dbctl {}", asked.join(" "));
        let mut cases = vec![Case::new(title.clone(), || {
            let mut command = scene.bare(&dbctl);
            command.args(asked).env("DATABASE_URL", scene.url(DATABASE)).env("XDG_STATE_HOME", scene.scratch());
            command
        })];
        if extras {
            cases.push(Case::new(EXTRAS, || {
                let mut command = scene.bare(tools::pgextras());
                command.arg("bloat").env("DATABASE_URL", scene.url_with_socket_as_host(DATABASE));
                command
            }));
        }
        if check {
            cases.push(Case::new(CHECK, || {
                // Its verdict is its exit code, which is no failure here.
                let mut shell = scene.bare("sh");
                shell.args(["-c", "\"$@\"; test $? -le 3", "sh", tools::CHECK_POSTGRES, "--action=bloat"]);
                shell.args(["--warning=100GB", "--critical=200GB"]);
                shell.arg(format!("--dbname={DATABASE}")).arg(format!("--port={}", scene.port()));
                shell.arg(format!("--host={}", scene.socket_dir().display()));
                shell.arg(format!("--dbuser={}", scene.superuser()));
                // It takes the psql that it finds; that of Debian is a Perl program in front of it.
                let folder = scene.program("psql").parent().map(|folder| folder.display().to_string());
                let path = std::env::var("PATH").unwrap_or_default();
                shell.env("PATH", format!("{}:{path}", folder.unwrap_or_default()));
                shell
            }));
        }
        let rounds = options.runs * 3;
        let all = compare(&cases, rounds, scene.scratch());
        let aims = [EXTRAS, CHECK].iter().map(|peer| aim(peer, &all)).collect();
        let comparison = Comparison { title, rounds, all, aims };
        println!("{}", comparison.table());
        comparisons.push(comparison);
    }
    if let Some(file) = &options.json {
        let tables: Vec<_> = comparisons.iter().map(Comparison::json).collect();
        let text = json!({ "version": 1, "head": head.join("\n"), "tables": tables }).to_string();
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn aim(peer: &str, all: &[Series]) -> Aim {
    Aim::at_most(0.6, peer, all)
}

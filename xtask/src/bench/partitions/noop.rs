//! A run that finds nothing to do: 100 tables of 30 partitions each.

use std::process::Command;

use anyhow::Result;

use super::Size;
use super::ground::Ground;
use super::policy::{Document, Policy};
use super::sets::{self, Reach};
use super::sheet::Sheet;
use crate::bench::measure::Case;
use crate::bench::report::{Aim, Comparison};

const TABLES: usize = 100;
const REACH: Reach = Reach { first: -9, last: 20 };
const PARTMAN: &str = "pg_partman, no retention";
const PARTMAN_KEEP: &str = "pg_partman";
const PARTSMITH: &str = "pg-partsmith apply";

/// Each program with partitions of its own making, in a database of its own.
pub fn run(ground: &Ground, size: &Size) -> Result<Vec<Sheet>> {
    let tables = sets::mixed(TABLES, REACH.last.unsigned_abs(), Some(24));
    let all = (TABLES * REACH.count()).to_string();
    let policy = ground.policy("noop", &Policy { tables: tables.clone(), ..Policy::default() })?;
    let document = ground.document("noop", &Document(&tables))?;
    ground.scene.fresh("b_dbctl")?;
    let filled = format!(
        "{}{}{}ANALYZE;\n",
        sets::parents(&tables),
        sets::fill(&tables, REACH, "_"),
        sets::one_row_each(&tables)
    );
    ground.prepare("b_dbctl", &filled)?;
    let unchanged = |dbname: &'static str| {
        let all = all.clone();
        move || ground.expect("partitions", dbname, sets::COUNT, &all)
    };
    unchanged("b_dbctl")()?;
    let mut cases = vec![
        Case {
            check: Box::new(unchanged("b_dbctl")),
            ..Case::new("dbctl rotate", || ground.rotate(&policy, "b_dbctl"))
        },
        Case::new("dbctl plan", || ground.dbctl(&["plan"], &policy, "b_dbctl")),
        Case::new("psql, the bounds only", || ground.psql("b_dbctl", sets::CATALOG)),
    ];
    if ground.partman {
        ground.scene.fresh("b_partman")?;
        ground.prepare(
            "b_partman",
            &format!(
                "{}{}{}{}ANALYZE;\n",
                sets::parents(&tables),
                sets::partman(&tables, REACH),
                sets::partman_policy(&tables),
                sets::one_row_each(&tables)
            ),
        )?;
        unchanged("b_partman")()?;
        // What nobody wants to get rid of costs it less.
        let retention = ["'24 months'", "NULL"]
            .map(|keep| format!("UPDATE partman.part_config SET retention = {keep};\nCHECKPOINT;\n"));
        for (name, retention) in [PARTMAN_KEEP, PARTMAN].into_iter().zip(retention) {
            let case = Case::new(name, || ground.partman("b_partman"));
            cases.push(Case {
                before: Box::new(move || ground.prepare("b_partman", &retention)),
                check: Box::new(unchanged("b_partman")),
                ..case
            });
        }
    }
    if ground.partsmith(&document, "b_partsmith").is_some() {
        ground.copy("b_dbctl", "b_partsmith")?;
        let case = Case::new(PARTSMITH, || {
            ground.partsmith(&document, "b_partsmith").unwrap_or_else(|| Command::new("false"))
        });
        cases.push(Case { check: Box::new(unchanged("b_partsmith")), ..case });
    }
    let rounds = size.runs * 5;
    let all = ground.compare(&cases, rounds);
    let aims = vec![Aim::at_most(0.3, PARTMAN, &all)];
    let title = format!("Nothing to do: {TABLES} tables x {} partitions", REACH.count());
    let sheet = Sheet::of(&Comparison { title, rounds, all, aims })
        .note("half of the tables by day, half by month, a row in each current partition")
        .note("pg_partman: run_maintenance without ANALYZE, without DEFAULT partitions");
    drop(cases);
    ground.drop(&["b_dbctl", "b_partman", "b_partsmith"])?;
    Ok(vec![sheet])
}

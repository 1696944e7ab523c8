//! 3,000 partitions made: 100 tables, 30 each.

use std::process::Command;

use anyhow::Result;

use super::Size;
use super::ground::Ground;
use super::policy::{Document, Policy};
use super::sets::{self, Reach, Way};
use super::sheet::Sheet;
use crate::bench::measure::Case;
use crate::bench::report::{Aim, Comparison};

const REACH: Reach = Reach { first: 0, last: 29 };
const RAW: &str = "psql, LIKE + ATTACH";

/// Each run meets the tables without partitions, and counts only if all are there afterwards.
pub fn run(ground: &Ground, size: &Size) -> Result<Vec<Sheet>> {
    let count = if size.quick { 30 } else { 100 };
    let tables = sets::mixed(count, REACH.last.unsigned_abs(), None);
    let all = (count * REACH.count()).to_string();
    let parents = sets::parents(&tables);
    let policy = ground.policy("create", &Policy { tables: tables.clone(), ..Policy::default() })?;
    let document = ground.document("create", &Document(&tables))?;
    let mut scripts = Vec::new();
    for way in [Way::Attach, Way::PartitionOf] {
        let mut text = String::new();
        for table in &tables {
            let statements = ground.scene.ask("postgres", &sets::statements(table, REACH, way, "_"))?;
            text.push_str(&format!("BEGIN;\n{statements}\nCOMMIT;\n"));
        }
        scripts.push(ground.write(&format!("create-{way:?}.sql"), &text)?);
    }
    let partman = ground.write("create-partman.sql", &sets::create_parents(&tables, REACH))?;
    let made = |name: &str, dbname: &'static str, before: String| Case {
        before: Box::new(move || {
            ground.scene.fresh(dbname)?;
            ground.prepare(dbname, &format!("{before}CHECKPOINT;\n"))
        }),
        check: Box::new(|| ground.expect("partitions", dbname, sets::COUNT, &all)),
        ..Case::new(name, move || ground.psql(dbname, "SELECT 1"))
    };
    let mut cases = vec![
        Case {
            command: Box::new(|| ground.rotate(&policy, "b_dbctl")),
            ..made("dbctl rotate", "b_dbctl", parents.clone())
        },
        Case {
            command: Box::new(|| ground.psql_file("b_attach", &scripts[0])),
            ..made(RAW, "b_attach", parents.clone())
        },
        Case {
            command: Box::new(|| ground.psql_file("b_of", &scripts[1])),
            ..made("psql, PARTITION OF", "b_of", parents.clone())
        },
    ];
    if ground.partman {
        let before = format!("{parents}{}", sets::partman(&[], REACH));
        cases.push(Case {
            command: Box::new(|| ground.psql_file("b_partman", &partman)),
            ..made("pg_partman create_parent", "b_partman", before)
        });
    }
    if ground.partsmith(&document, "b_partsmith").is_some() {
        cases.push(Case {
            command: Box::new(|| ground.partsmith(&document, "b_partsmith").unwrap_or_else(|| Command::new("false"))),
            ..made("pg-partsmith apply", "b_partsmith", parents.clone())
        });
    }
    let rounds = size.runs;
    let series = ground.compare(&cases, rounds);
    let aims = vec![Aim::at_most(1.2, RAW, &series)];
    let title = format!("Create {count} x {} partitions", REACH.count());
    let sheet = Sheet::of(&Comparison { title, rounds, all: series, aims })
        .note("psql: one session, a transaction per table; the table has two indexes");
    drop(cases);
    ground.drop(&["b_dbctl", "b_attach", "b_of", "b_partman", "b_partsmith"])?;
    Ok(vec![sheet])
}

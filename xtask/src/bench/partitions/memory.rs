//! What dbctl holds in memory at 10,000 partitions.

use anyhow::Result;

use super::Size;
use super::ground::Ground;
use super::policy::{Policy, Table};
use super::sets::{self, Reach};
use super::sheet::Sheet;
use crate::bench::markdown::thousands;
use crate::bench::measure::{Case, Series};
use crate::bench::report::{Aim, Comparison};

const TABLES: usize = 20;
const REACH: Reach = Reach { first: -400, last: 99 };
const DATABASE: &str = "b_memory";
/// In MiB.
const AIM: f64 = 30.0;

/// A run that finds nothing to do, and its plan.
pub fn run(ground: &Ground, size: &Size) -> Result<Vec<Sheet>> {
    let table = |n: usize| Table { name: format!("t{n:03}"), every: "day", ahead: 99, keep: Some(1000) };
    let tables: Vec<Table> = (1..=TABLES).map(table).collect();
    let count = TABLES * REACH.count();
    let policy = ground.policy("memory", &Policy { tables: tables.clone(), ..Policy::default() })?;
    ground.scene.fresh(DATABASE)?;
    // Without index and TOAST table, as it is the partitions that are to be many.
    let parents: String = tables
        .iter()
        .map(|table| {
            let columns = "id bigint NOT NULL, created_at timestamptz NOT NULL";
            format!("CREATE TABLE {} ({columns}) PARTITION BY RANGE (created_at);\n", table.name)
        })
        .collect();
    ground.prepare(DATABASE, &parents)?;
    // In several transactions: one would need more locks than a server has by default.
    for first in (REACH.first..=REACH.last).step_by(100) {
        let hundred = Reach { first, last: first + 99 };
        ground.prepare(DATABASE, &sets::fill(&tables, hundred, "_"))?;
    }
    ground.prepare(DATABASE, "VACUUM ANALYZE pg_catalog.pg_class;\nVACUUM ANALYZE pg_catalog.pg_inherits;\n")?;
    ground.expect("partitions", DATABASE, sets::COUNT, &count.to_string())?;
    let cases = [
        Case::new("dbctl rotate", || ground.rotate(&policy, DATABASE)),
        Case::new("dbctl plan", || ground.dbctl(&["plan"], &policy, DATABASE)),
        Case::new("psql, the bounds only", || ground.psql(DATABASE, sets::CATALOG)),
    ];
    let rounds = size.runs;
    let all = ground.compare(&cases, rounds);
    let peak = |series: &Series| Aim::under(format!("peak of {}", series.name), AIM, " MiB", series.peak);
    let aims = all.iter().take(2).map(peak).collect();
    let title = format!("Nothing to do: {TABLES} tables x {} = {} partitions", REACH.count(), thousands(count as u64));
    let sheet = Sheet::of(&Comparison { title, rounds, all, aims });
    ground.drop(&[DATABASE])?;
    Ok(vec![sheet])
}

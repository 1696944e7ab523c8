//! The systems' own SQL functions and dbctl make the same partitions: whichever comes first, the other
//! finds nothing to do, and what each makes from nothing is the same.

use std::path::Path;

use crate::harness::{Database, dbctl, majors, run};

/// Every partition of every table: name, bounds, owner, rights, options, row security, indexes.
const PARTITIONS: &str = "\
    SELECT i.inhparent::regclass, c.oid::regclass, pg_get_expr(c.relpartbound, c.oid), c.relowner::regrole, c.reloptions, \
        c.relrowsecurity, c.relreplident, \
        (SELECT array_agg(pg_get_indexdef(x.indexrelid) ORDER BY pg_get_indexdef(x.indexrelid)) FROM pg_index AS x WHERE x.indrelid = c.oid), \
        (SELECT array_agg(pg_get_constraintdef(k.oid) ORDER BY pg_get_constraintdef(k.oid)) FROM pg_constraint AS k WHERE k.conrelid = c.oid), \
        (SELECT array_agg(t.tgname ORDER BY t.tgname) FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal) \
    FROM pg_inherits AS i \
    JOIN pg_class AS c ON c.oid = i.inhrelid AND c.relkind = 'r' \
    ORDER BY 1, 2";

/// Systems with functions that make partitions, and the call.
const SYSTEMS: [(&str, &str); 3] = [
    ("bridge", "SELECT create_monthly_partitions()"),
    ("chat", "SELECT create_monthly_partitions()"),
    ("fsm", "SELECT public.maintain_partitions()"),
];

fn migrated(major: u32, system: &str) -> Database {
    let database = Database::on(major);
    let url = database.url();
    run(&mut dbctl(&["migrate", "--quiet", "--yes", "--system", system, "--database-url", &url])).expect_code(0);
    database
}

fn rotate(database: &Database) -> String {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("partitions.yaml");
    let args = ["partitions", "create", "--format", "json", "--policy", policy.to_str().unwrap()];
    run(dbctl(&args).env("DATABASE_URL", database.url())).expect_code(0).stdout
}

fn state(database: &Database) -> Vec<String> {
    let rows = database.sql(&format!("SET TimeZone = 'UTC'; {PARTITIONS}"));
    rows.iter().map(|row| row.iter().map(|v| v.as_deref().unwrap_or("-")).collect::<Vec<_>>().join(" | ")).collect()
}

/// Drops every partition of every table.
fn strip(database: &Database) {
    database.sql(
        "DO $$ DECLARE p regclass; BEGIN FOR p IN SELECT i.inhrelid FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = \
         i.inhrelid AND c.relkind = 'r' LOOP EXECUTE format('DROP TABLE %s', p); END LOOP; END $$",
    );
}

#[test]
fn after_the_systems_own_run_there_is_nothing_to_do_and_the_other_way_round() {
    for (system, call) in SYSTEMS {
        for major in majors().into_iter().filter(|major| system != "fsm" || *major >= 15) {
            let database = migrated(major, system);
            let made_by_function = state(&database);
            assert!(made_by_function.len() >= 4, "{system} on {major}: {}", made_by_function.len());
            rotate(&database);
            assert_eq!(state(&database), made_by_function, "{system} on {major}");

            strip(&database);
            assert!(state(&database).is_empty());
            rotate(&database);
            let made_by_dbctl = state(&database);
            database.sql(call);
            assert_eq!(state(&database), made_by_dbctl, "{system} on {major}: the function has made more");
            assert_eq!(made_by_dbctl, made_by_function, "{system} on {major}");
        }
    }
}

#[test]
fn a_month_that_is_covered_in_part_is_completed_by_both_alike() {
    for (system, table, call) in [
        ("bridge", "activity_mappings", "SELECT create_monthly_partitions()"),
        ("fsm", "app.tasks", "SELECT public.maintain_partitions()"),
    ] {
        let major = *majors().last().unwrap();
        let bounds = |by_dbctl: bool| {
            let database = migrated(major, system);
            strip(&database);
            let part = format!(
                "SET TimeZone = 'UTC'; DO $$ BEGIN EXECUTE format('CREATE TABLE odd PARTITION OF {table} FOR VALUES FROM (%L) TO (%L)', \
                 date_trunc('month', now()) + interval '10 days', date_trunc('month', now()) + interval '12 days'); END $$"
            );
            database.sql(&part);
            if by_dbctl {
                rotate(&database);
            } else {
                database.sql(call);
            }
            let sql = format!(
                "SET TimeZone = 'UTC'; SELECT pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits AS i JOIN pg_class AS c ON \
                 c.oid = i.inhrelid WHERE i.inhparent = '{table}'::regclass ORDER BY 1"
            );
            database.sql(&sql)
        };
        assert_eq!(bounds(true), bounds(false), "{system}");
    }
}

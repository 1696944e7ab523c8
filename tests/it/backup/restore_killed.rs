//! Restores into an older major, which go through psql, die at every point of their way while their psql, pg_restore
//! and sessions live on: the next run needs no hand, and leaves nothing of them.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::restore::{one_of, restore, slow_on};
use super::restore_meets::ends;
use super::{Place, create, fill, run};
use crate::harness::{Child, Database, Run, dbctl, eventually, spawn};

/// Where a run is hit: what the server says then.
const POINTS: &[(&str, &str)] = &[
    (
        "the database is being made",
        "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'CREATE DATABASE %_restore_%'",
    ),
    ("the database is there", "SELECT FROM pg_database WHERE datname LIKE 'NAME_restore_%'"),
    ("psql is in it", "SELECT FROM pg_stat_activity WHERE datname LIKE 'NAME_restore_%'"),
    ("rows go in", "SELECT FROM pg_stat_activity WHERE datname LIKE 'NAME_restore_%' AND query LIKE 'COPY %'"),
    (
        "rows are proven",
        "SELECT FROM pg_database WHERE datname LIKE 'NAME_restore_%' AND shobj_description(oid, 'pg_database') LIKE '%\"proven\"%'",
    ),
    (
        "psql builds an index",
        "SELECT FROM pg_stat_activity WHERE datname LIKE 'NAME_restore_%' AND query LIKE 'CREATE INDEX slow%'",
    ),
    (
        "it is whole",
        "SELECT FROM pg_database WHERE datname LIKE 'NAME_restore_%' AND shobj_description(oid, 'pg_database') LIKE '%\"ready\"%'",
    ),
];
/// Every row of the living database as it lies there, and what hangs on it.
const LIVING: &str = "SELECT (SELECT md5(string_agg(o::text || tableoid || ctid::text || xmin::text, '|' ORDER BY tableoid, ctid)) FROM public.orders AS o)
    || (SELECT md5(string_agg(c::text || ctid::text || xmin::text, '|' ORDER BY ctid)) FROM public.customers AS c)
    || oid || datallowconn || datconnlimit || coalesce(datacl::text, '-') || coalesce(shobj_description(oid, 'pg_database'), '-')
    FROM pg_database WHERE datname = current_database()";

/// Some points are short, and passed before they are seen.
fn kill(mut child: Child) -> Run {
    if !child.has_ended() {
        child.signal(Signal::SIGKILL);
    }
    child.wait()
}

fn killed_at_every_point(replace: bool) {
    let Some((low, high)) = ends() else { return };
    let (new, old, place) = (slow_on(Database::on(high)), Database::on(low), Place::new());
    let role = format!("gone_{}", new.name());
    new.sql(&format!("CREATE ROLE {role}; ALTER TABLE public.customers OWNER TO {role}"));
    run(&mut create(&new, &place, &[])).expect_code(0);
    new.sql(&format!("ALTER TABLE public.customers OWNER TO CURRENT_USER; DROP ROLE {role}"));
    fill(&old);
    let (name, copy) = (old.name(), format!("{}_copy", old.name()));
    let target = if replace { name } else { copy.as_str() };
    let mut flags = vec!["--to-database", target, "--skip-missing-roles", "--jobs", "2"];
    if replace {
        flags.extend(["--replace", "--allow-other-cluster", "--yes", "--confirm-name", target]);
    }
    // Swaps end the sessions of the database itself.
    let watch = old.session_with(|config| {
        config.dbname("postgres");
    });
    let count = |sql: &str| watch.one(&format!("SELECT count(*) FROM ({}) AS n", sql.replace("NAME", target)));
    let databases = || {
        watch.one(&format!(
            "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname LIKE '{name}%'"
        ))
    };
    let (mut died, mut orphans) = (0, 0);
    for (step, (point, asked)) in POINTS.iter().enumerate() {
        one_of(
            &old,
            name,
            "WITH u AS (UPDATE public.customers SET name = 'living' RETURNING 1) SELECT count(*) FROM u",
        );
        let living = one_of(&old, name, LIVING);
        let mut child = spawn(&mut restore(&old, &place, &flags));
        eventually(point, || count(asked) != "0" || child.has_ended());
        died += usize::from(kill(child).code == 137);
        orphans += usize::from(count("SELECT FROM pg_stat_activity WHERE datname LIKE 'NAME_restore_%'") != "0");
        // The next one comes at once, and dies as well.
        let child = spawn(&mut restore(&old, &place, &flags));
        std::thread::sleep(Duration::from_millis(40 + 60 * step as u64));
        kill(child);
        // What was on its way in the server when they died is done.
        if !replace {
            watch.sql(&format!("DROP DATABASE IF EXISTS {copy} WITH (FORCE)"));
        }
        if !databases().contains("_old_") {
            assert_eq!(one_of(&old, name, LIVING), living, "{point}");
        }
        run(&mut restore(&old, &place, &flags)).expect_code(0);
        assert_eq!(
            one_of(&old, target, "SELECT count(*) FROM public.customers WHERE name <> 'living'"),
            "500",
            "{point}"
        );
        if replace {
            let mut confirm = dbctl(&["restore", "confirm", "--to-database", name, "--yes"]);
            run(confirm.env("DATABASE_URL", old.url())).expect_code(0);
        } else {
            assert_eq!(one_of(&old, name, LIVING), living, "{point}");
            watch.sql(&format!("DROP DATABASE {copy} WITH (FORCE)"));
        }
        assert_eq!(databases(), name, "{point}");
        assert_eq!(count(&format!("SELECT FROM pg_roles WHERE rolname = '{role}'")), "0", "{point}");
    }
    assert!(died > 4 && orphans > 0, "{died} runs were hit, {orphans} left somebody at work");
}

#[test]
fn a_restore_by_psql_that_is_killed_at_any_point_is_done_by_the_next_and_leaves_nothing() {
    killed_at_every_point(false);
}

#[test]
fn a_replacement_by_psql_that_is_killed_at_any_point_is_done_by_the_next_and_leaves_nothing() {
    killed_at_every_point(true);
}

//! Runs that make partitions and let them go, killed at every message: a plain rerun ends where an
//! undisturbed run ends, no row is lost, nothing is left behind.

use dbctl::pg::sandbox::{Options, StopMode};
use nix::sys::signal::Signal;

use super::nobody_is_left;
use crate::harness::{
    Child, Database, Hold, Proxy, Run, default_server, eventually, majors, private_server, run, spawn,
};
use crate::partitions::{Case, RAILS};

const GRACE: &str = "rails: { max_drops: 10, max_drop_fraction: 100%, grace: 7 days }";
const REFERENCE: &str = "CREATE TABLE o (id bigint PRIMARY KEY); INSERT INTO o SELECT generate_series(0, 5); \
                         ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES o";

/// What a run does, and what makes it do that.
struct Plot {
    expire: &'static str,
    rails: &'static str,
    tie: &'static str,
}

const PLOTS: [Plot; 9] = [
    Plot { expire: "drop", rails: RAILS, tie: "" },
    Plot { expire: "drop", rails: GRACE, tie: "" },
    Plot { expire: "drop", rails: RAILS, tie: REFERENCE },
    Plot { expire: "drop", rails: GRACE, tie: REFERENCE },
    Plot { expire: "detach", rails: RAILS, tie: "" },
    Plot { expire: "{ move: shelf }", rails: RAILS, tie: "" },
    Plot { expire: "{ attach: shelf.all }", rails: RAILS, tie: "" },
    Plot { expire: "{ archive: cold, then: drop }", rails: RAILS, tie: "" },
    Plot { expire: "{ archive: cold, then: drop }", rails: GRACE, tie: REFERENCE },
];

impl Plot {
    fn case(&self, db: Database) -> Case {
        let case = Case::with_months(db, &format!("expire: {}, {}", self.expire, self.rails));
        self.ties(&case);
        case
    }

    fn ties(&self, case: &Case) {
        case.db.sql("CREATE SCHEMA shelf; CREATE TABLE shelf.all (LIKE t) PARTITION BY RANGE (at)");
        case.db.sql(self.tie);
    }

    /// Everything as it was before the first run.
    fn reset(&self, case: &Case) {
        case.db.sql(
            "DROP SCHEMA IF EXISTS dbctl, dbctl_trash, shelf CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public",
        );
        case.db.sql("CREATE TABLE t (id bigint NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at)");
        case.fill("t");
        self.ties(case);
    }
}

/// All tables with their places, bounds and rows, and what is noted of those that left.
fn state(case: &Case) -> String {
    let mut lines = Vec::new();
    let tables = case.db.sql(
        "SELECT c.oid::regclass::text, regexp_replace(c.oid::regclass::text, 'p[0-9]+_', 'p_'), i.inhparent::regclass::text, \
         pg_get_expr(c.relpartbound, c.oid), i.inhdetachpending::text, \
         (SELECT string_agg(conname || pg_get_constraintdef(o.oid), ', ' ORDER BY conname) FROM pg_constraint o WHERE conrelid = c.oid) \
         FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid JOIN pg_namespace n ON n.oid = relnamespace \
         WHERE relkind IN ('r', 'p') AND nspname IN ('public', 'shelf', 'dbctl_trash')",
    );
    for row in tables {
        let facts: Vec<&str> = row.iter().skip(1).map(|value| value.as_deref().unwrap_or("-")).collect();
        let table = row[0].as_deref().unwrap();
        let rows = case.db.one(&format!("SELECT string_agg(x::text, ' ' ORDER BY x::text) FROM {table} AS x"));
        lines.push(format!("{}: {rows}", facts.join(" | ")));
    }
    for row in case.db.sql(
        "SELECT 'left', partition, mode, state, regexp_replace(place, 'p[0-9]+_', 'p_'), (drop_after > now())::text FROM dbctl.partition \
         UNION ALL SELECT 'policy', parent, keep, expire, NULL, NULL FROM dbctl.partition_policy",
    ) {
        lines.push(row.iter().map(|value| value.as_deref().unwrap_or("-")).collect::<Vec<_>>().join(" "));
    }
    lines.sort();
    lines.join("\n")
}

fn rotate(case: &Case, url: &str) -> std::process::Command {
    case.command_at(url, &["rotate", "--arm", "--lock-wait", "20s"])
}

#[track_caller]
fn undisturbed(case: &Case) -> String {
    run(&mut rotate(case, &case.db.url())).expect_code(0);
    state(case)
}

/// After a disturbed run a plain one ends where an undisturbed one does, and one more does nothing.
#[track_caller]
fn converges(case: &Case, wanted: &str, told: &str) {
    let ended = run(&mut rotate(case, &case.db.url()));
    assert_eq!(ended.code, 0, "{told}\n{}\n{}", ended.stdout, ended.stderr);
    assert_eq!(state(case), wanted, "{told}");
    nobody_is_left(&case.db);
}

/// Strikes a run at its first message, the next one at its second, until one ends undisturbed.
fn at_every_message(plot: &Plot, hold: Hold, strike: impl Fn(&Child, &Proxy), code: i32) {
    let case = plot.case(Database::new());
    let wanted = undisturbed(&case);
    for message in 0.. {
        plot.reset(&case);
        let proxy = Proxy::to(default_server());
        let mut seen = 0;
        proxy.hold(hold, move |sql| {
            // The questions that tell a pooler are many and alike.
            seen += usize::from(sql != "SELECT pg_catalog.pg_backend_pid()");
            seen > message
        });
        let mut child = spawn(&mut rotate(&case, &proxy.url(case.db.name())));
        let Some(held) = proxy.wait_held(|| child.has_ended()) else {
            child.wait().expect_code(0);
            assert!(message > 25, "only {message} messages were disturbed");
            return;
        };
        let told = format!("{} {hold:?} message {message}: {held}", plot.expire);
        eprintln!("{told}");
        strike(&child, &proxy);
        let ended: Run = child.wait();
        assert!(ended.code == code || ended.code == 0, "{told}: {}\n{}", ended.code, ended.stderr);
        drop(proxy);
        converges(&case, &wanted, &told);
    }
}

fn kill(child: &Child, proxy: &Proxy) {
    child.signal(Signal::SIGKILL);
    proxy.cut();
}

#[test]
fn killed_before_any_message() {
    PLOTS.iter().step_by(2).for_each(|plot| at_every_message(plot, Hold::Before, kill, 137));
}

#[test]
fn killed_after_any_message() {
    PLOTS.iter().skip(1).step_by(2).for_each(|plot| at_every_message(plot, Hold::After, kill, 137));
}

#[test]
fn cut_after_any_message() {
    at_every_message(&PLOTS[0], Hold::After, |_, proxy| proxy.cut(), 69);
}

#[test]
fn terminated_before_any_message() {
    let terminate = |child: &Child, proxy: &Proxy| {
        child.signal(Signal::SIGTERM);
        eventually("a cancel request arrives", || proxy.cancels() > 0);
        proxy.release();
    };
    at_every_message(&PLOTS[1], Hold::Before, terminate, 143);
}

/// Killed while the server waits for a reader: the detach stays pending.
#[test]
fn killed_while_a_detach_waits() {
    for major in majors() {
        for plot in PLOTS.iter().filter(|plot| plot.tie.is_empty() && !plot.expire.contains("attach")) {
            let case = plot.case(Database::on(major));
            let wanted = undisturbed(&case);
            plot.reset(&case);
            let reader = case.db.session();
            reader.sql("BEGIN; SELECT FROM old_5");
            let child = spawn(&mut rotate(&case, &case.db.url()));
            eventually("the detach is pending", || case.children("t").contains("pending"));
            child.signal(Signal::SIGKILL);
            child.wait().expect_code(137);
            reader.rollback();
            converges(&case, &wanted, &format!("{major} {}", plot.expire));
        }
    }
}

#[test]
fn a_server_that_stops_or_crashes_in_the_middle() {
    for major in majors() {
        let mut server = private_server(&Options { major: Some(major), ..Options::default() });
        let wanted = undisturbed(&PLOTS[1].case(Database::at(&server)));
        for mode in [Some(StopMode::Fast), Some(StopMode::Immediate), None] {
            let case = PLOTS[1].case(Database::at(&server));
            let reader = case.db.session();
            reader.sql("BEGIN; SELECT FROM old_5");
            let child = spawn(&mut rotate(&case, &case.db.url()));
            eventually("the detach is pending", || case.children("t").contains("pending"));
            match mode {
                Some(mode) => server.stop(mode).expect("the server stops"),
                None => server.kill().expect("the server can be killed"),
            }
            child.wait().expect_code(69);
            server.start_again().expect("the server starts");
            let case = case.reconnected();
            converges(&case, &wanted, &format!("{major} {mode:?}"));
        }
    }
}

#[test]
fn four_at_once() {
    for plot in PLOTS.iter().take(2) {
        let case = plot.case(Database::new());
        let wanted = undisturbed(&case);
        plot.reset(&case);
        let four: Vec<Child> = (0..4).map(|_| spawn(&mut rotate(&case, &case.db.url()))).collect();
        for child in four {
            child.wait().expect_code(0);
        }
        assert_eq!(state(&case), wanted);
    }
}

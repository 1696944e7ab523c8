//! The lifecycle of partitions on real servers.

mod adopt;
mod agree;
mod bounds;
mod check;
mod cold;
mod default;
mod departures;
mod kit;
mod names;
mod rotate;
mod troubles;
mod years;

use std::process::Command;

use crate::harness::{Database, Run, dbctl, run};

/// A database and a policy file.
pub(crate) struct Case {
    pub db: Database,
    folder: tempfile::TempDir,
}

/// Nothing but what a test is about keeps partitions from leaving.
pub(crate) const RAILS: &str = "rails: { max_drops: 10, max_drop_fraction: 100%, grace: 0 days }";

impl Case {
    pub fn new(db: Database) -> Case {
        let folder = tempfile::Builder::new().prefix("dbctl-it-").tempdir_in("/tmp").unwrap();
        Case { db, folder }
    }

    /// A table `public.t` by month of `at`, with five months behind this one as `old_5` … `old_1`, this
    /// one as `this`, and a row in each; and an entry for it that keeps three months.
    pub fn with_months(db: Database, more: &str) -> Case {
        let case = Case::new(db);
        case.db.sql("CREATE TABLE t (id bigint NOT NULL, at timestamptz NOT NULL) PARTITION BY RANGE (at)");
        case.fill("t");
        case.policy(&format!("  public.t: {{ key: at, every: month, ahead: 1, keep: 3 months, {more} }}\n"));
        case
    }

    /// Five months behind this one, this one, and a row in each.
    pub fn fill(&self, table: &str) {
        for back in (0..=5).rev() {
            let name = if back == 0 { "this".to_owned() } else { format!("old_{back}") };
            let name = if table == "t" { name } else { format!("{table}_{name}") };
            let (lower, upper) = (month(&self.db, -back), month(&self.db, 1 - back));
            self.db.sql(&format!(
                "CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{lower}+00') TO ('{upper}+00'); \
                 INSERT INTO {table} (id, at) VALUES ({back}, '{lower}+00')"
            ));
        }
    }

    /// The same after its server was started again.
    pub fn reconnected(self) -> Case {
        Case { db: self.db.reconnected(), folder: self.folder }
    }

    /// The entries of the policy.
    pub fn policy(&self, tables: &str) {
        self.policy_to(&format!("file://{}/{{table}}/{{partition}}.csv.zst", self.file("cold")), tables);
    }

    /// The same with another place for the archive `cold`.
    pub fn policy_to(&self, cold: &str, tables: &str) {
        let head = format!("version: 1\ndefaults: {{ timezone: UTC }}\narchives:\n  cold: {{ to: \"{cold}\" }}");
        let text = format!("{head}\ntables:\n{tables}");
        std::fs::write(self.file("partitions.yaml"), text).unwrap();
    }

    pub fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        self.command_at(&self.db.url(), args)
    }

    pub fn command_at(&self, url: &str, args: &[&str]) -> Command {
        let mut command = dbctl(&["partitions"]);
        command.args(args).args(["--policy", &self.file("partitions.yaml"), "--database-url", url, "--no-progress"]);
        command
    }

    #[track_caller]
    pub fn partitions(&self, args: &[&str]) -> Run {
        run(&mut self.command(args))
    }

    /// The first run that lets partitions go.
    #[track_caller]
    pub fn rotate(&self) -> Run {
        self.partitions(&["rotate", "--arm"])
    }

    /// The partitions of a table by their bounds; those that are pending say so.
    pub fn children(&self, table: &str) -> String {
        let rows = self.db.sql(&format!(
            "SELECT c.oid::regclass::text || CASE WHEN i.inhdetachpending THEN ' pending' ELSE '' END \
             FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '{table}'::regclass \
             ORDER BY pg_get_expr(c.relpartbound, 0)"
        ));
        rows.into_iter().map(|row| row[0].clone().unwrap()).collect::<Vec<_>>().join(" ")
    }

    pub fn count(&self, what: &str) -> String {
        self.db.one(&format!("SELECT count(*) FROM {what}"))
    }

    /// `partition mode state` of all that left.
    pub fn left(&self) -> String {
        let rows = self.db.sql("SELECT partition || ' ' || mode || ' ' || state FROM dbctl.partition ORDER BY id");
        rows.into_iter().map(|row| row[0].clone().unwrap()).collect::<Vec<_>>().join(", ")
    }
}

/// The first day of a month, so many after this one.
pub(crate) fn month(db: &Database, after: i32) -> String {
    db.one(&format!("SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') + interval '{after} months')::date"))
}

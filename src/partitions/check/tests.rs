//! Which situation has which findings, at which level; and where the runway's limits lie.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::config::env::Env;
use crate::outcome::Outcome;
use crate::partitions::observe::{DefaultRows, Drift, Known, LastRun, wish};
use crate::partitions::read::{Leaving, Partition, PartitionKind, Recorded, State, Table, TableKind};
use crate::partitions::status;
use crate::partitions::work;
use crate::pg::Server;
use crate::policy::bounds;
use crate::policy::file;

const NOW: &str = "2026-11-25T12:00:00Z";

/// Everything that is judged, in order at first: months from January until the end of February, three ahead.
struct Situation {
    now: DateTime<Utc>,
    extra: &'static str,
    months: Vec<(&'static str, &'static str)>,
    default: Option<Known<DefaultRows>>,
    pending: Vec<&'static str>,
    indexes: u64,
    state: State,
    systems: Option<Vec<String>>,
    drift: Known<Vec<(&'static str, Option<&'static str>)>>,
    last_run: Known<Option<LastRun>>,
    trash: Known<Vec<(u32, TableName)>>,
    skew: TimeDelta,
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn unknown() -> Unknown {
    Unknown { why: "a lock was not to be had within 1 s".to_owned(), hint: None }
}

fn in_order() -> Situation {
    Situation {
        now: at(NOW),
        extra: "",
        months: vec![
            ("2026-09-01", "2026-10-01"),
            ("2026-10-01", "2026-11-01"),
            ("2026-11-01", "2026-12-01"),
            ("2026-12-01", "2027-01-01"),
            ("2027-01-01", "2027-02-01"),
            ("2027-02-01", "2027-03-01"),
        ],
        default: None,
        pending: Vec::new(),
        indexes: 2,
        state: State {
            recorded: BTreeMap::from([(
                "public.t".to_owned(),
                Recorded { keep: "2 months".to_owned(), expire: "drop".to_owned() },
            )]),
            ..State::default()
        },
        systems: Some(Vec::new()),
        drift: Ok(Vec::new()),
        last_run: Ok(None),
        trash: Ok(Vec::new()),
        skew: TimeDelta::zero(),
    }
}

fn bound(from: &str, to: &str) -> String {
    let edge = |day: &str| match day {
        "MINVALUE" | "MAXVALUE" => day.to_owned(),
        day => format!("'{day} 00:00:00+00'"),
    };
    format!("FOR VALUES FROM ({}) TO ({})", edge(from), edge(to))
}

fn partition(oid: u32, name: &str, bound: &str, pending: bool) -> Partition {
    let kind = PartitionKind::Table;
    Partition { oid, name: TableName::new("public", name), bound: bounds::parse(bound), kind, pending }
}

fn leaving(state: &str, mode: &str, now: bool) -> Leaving {
    Leaving {
        id: 1,
        parent: "public.t".to_owned(),
        parent_oid: 1,
        partition: "public.t_gone".to_owned(),
        oid: 77,
        lower: "MINVALUE".to_owned(),
        upper: "2020-01-01 00:00:00+00".to_owned(),
        mode: mode.to_owned(),
        place: now.then(|| "dbctl_trash.p77_t_gone".to_owned()),
        state: state.to_owned(),
        uri: None,
        rows: None,
        content_hash: None,
        manifest: None,
        drop_after: Some(at("2026-11-20T00:00:00Z")),
        hooks_due: false,
        changed_at: at("2026-11-10T00:00:00Z"),
        now: now.then(|| TableName::new("dbctl_trash", "p77_t_gone")),
        parent_now: None,
        pending: false,
    }
}

impl Situation {
    fn judge(&self) -> Report {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("partitions.yaml");
        let text = format!(
            "version: 1\ndefaults: {{timezone: UTC}}\ntables:\n  public.t:\n    key: k\n    every: month\n    ahead: 3\n    \
             keep: 2 months\n    expire: drop\n{}",
            self.extra
        );
        std::fs::write(&path, text).unwrap();
        let policy = file::open(&path, &Env::default()).unwrap_or_else(|failure| panic!("{failure}"));
        let snapshot = self.snapshot();
        let holds: Vec<Hold> = policy.holds.iter().chain(&snapshot.state.holds).cloned().collect();
        let drift = self.drift.clone().map(|drift| {
            let drift = drift.into_iter().map(|(aspect, detail)| Drift {
                partition: TableName::new("public", "t_2026_11"),
                aspect: aspect.to_owned(),
                detail: detail.map(str::to_owned),
            });
            BTreeMap::from([(1, drift.collect())])
        });
        let observed = Observed {
            estimates: BTreeMap::new(),
            drift,
            last_run: self.last_run.clone(),
            trash: self.trash.clone(),
            defaults: self.default.iter().map(|rows| (99, rows.clone())).collect(),
        };
        let looked: Vec<Looked<'_>> = policy
            .tables
            .iter()
            .map(|entry| Looked {
                entry,
                found: work::find(&policy, entry, &snapshot, &holds, &wish(), self.now),
                earlier: work::find(&policy, entry, &snapshot, &holds, &wish(), self.now - DUE).ok(),
            })
            .collect();
        let statuses: Vec<Option<TableStatus>> = looked
            .iter()
            .map(|looked| {
                let found = looked.found.as_ref().ok()?;
                Some(status::of(found, &status::ground(&snapshot, looked.entry, &holds), &observed))
            })
            .collect();
        judge(&Scene {
            policy: &policy,
            system: None,
            only: &[],
            snapshot: &snapshot,
            holds: &holds,
            looked: &looked,
            statuses: &statuses,
            observed: &observed,
            now: self.now,
            skew: self.skew,
        })
    }

    fn snapshot(&self) -> Snapshot {
        let mut partitions: Vec<Partition> = Vec::new();
        for (oid, (from, to)) in (10..).zip(&self.months) {
            let name = format!("t_{from}");
            partitions.push(partition(oid, &name, &bound(from, to), self.pending.contains(from)));
        }
        if self.default.is_some() {
            partitions.push(partition(99, "t_default", "DEFAULT", false));
        }
        let kind =
            TableKind::Range { key: "k".to_owned(), key_type: "timestamp with time zone".to_owned(), not_null: true };
        let name = TableName::new("public", "t");
        let default = self.default.as_ref().map(|_| 99);
        let table =
            Table { oid: 1, name: name.clone(), kind, indexes: self.indexes, default, largest: None, partitions };
        Snapshot {
            server: Server {
                major: 18,
                version: "18.0".to_owned(),
                in_recovery: false,
                read_only: false,
                role: "app".to_owned(),
                database: "app".to_owned(),
                search_path: "public".to_owned(),
                current_schema: None,
                backend_pid: 1,
                watches_clients: true,
                has_state: true,
                reads_state: true,
            },
            now: self.now,
            lock_slots: 6400,
            systems: self.systems.clone(),
            tables: BTreeMap::from([(name, table)]),
            state: self.state.clone(),
        }
    }

    /// `LEVEL check` of each finding.
    fn findings(&self) -> Vec<String> {
        self.judge().findings.iter().map(|finding| format!("{} {}", finding.level, finding.id)).collect()
    }
}

#[test]
fn a_table_in_order_has_no_findings() {
    let report = in_order().judge();
    assert_eq!(report.findings, Vec::new());
    assert_eq!((report.level(), report.count(Level::Ok)), (Level::Ok, database::CHECKS + table::CHECKS));
    assert_eq!(outcome(&report, false, false), Outcome::Done);
}

/// What is the case, how it comes about, and what is found.
type Case = (&'static str, Box<dyn Fn(&mut Situation)>, &'static [&'static str]);

#[test]
fn each_situation_has_its_findings() {
    type Change = fn(&mut Situation);
    let keep_all: Change = |s| s.state.recorded.clear();
    let armed = |s: &mut Situation| s.now = at("2026-12-02T00:00:00Z");
    let rows = |rows| Some(Ok(DefaultRows { rows, ..DefaultRows::default() }));
    let run = |days: i64| {
        Ok(Some(LastRun { started_at: at(NOW), outcome: None, good_at: Some(at(NOW) - TimeDelta::days(days)) }))
    };
    let cases: Vec<Case> = vec![
        ("never armed, nothing expired", Box::new(keep_all), &[]),
        ("a run is a day late", Box::new(|s| s.months.truncate(5)), &[]),
        ("half of it is used up", Box::new(|s| s.months.truncate(4)), &["WARN runway"]),
        ("less than a period is left", Box::new(|s| s.months.truncate(3)), &["CRIT runway"]),
        ("now has none", Box::new(|s| s.months.truncate(2)), &["CRIT runway"]),
        ("a hole ahead", Box::new(|s| s.months.retain(|m| m.0 != "2027-01-01")), &["CRIT gaps", "WARN runway"]),
        ("a hole behind", Box::new(|s| s.months.retain(|m| m.0 != "2026-10-01")), &["WARN gaps"]),
        (
            "a DEFAULT partition that is forbidden",
            Box::new(move |s| s.default = rows(Some(0))),
            &["WARN default_partition"],
        ),
        (
            "rows in a DEFAULT partition",
            Box::new(move |s| {
                s.extra = "    default_partition: allow\n";
                s.default = rows(Some(3));
            }),
            &["CRIT default_rows"],
        ),
        (
            "more rows than can be counted",
            Box::new(move |s| {
                s.extra = "    default_partition: allow\n";
                s.default = rows(None);
            }),
            &["CRIT default_rows"],
        ),
        (
            "a DEFAULT partition that is locked",
            Box::new(|s| {
                s.extra = "    default_partition: require\n";
                s.default = Some(Err(unknown()));
            }),
            &["UNKNOWN default_rows"],
        ),
        (
            "a DEFAULT partition is missing",
            Box::new(|s| s.extra = "    default_partition: require\n"),
            &["WARN default_partition"],
        ),
        ("bounds off the grid", Box::new(|s| s.months[0].0 = "2026-08-31"), &["WARN misaligned"]),
        (
            "bounds off the grid, bridged",
            Box::new(|s| {
                s.months[0].0 = "2026-08-31";
                s.extra = "    on_misaligned: bridge\n";
            }),
            &["OK misaligned"],
        ),
        ("a partition has expired", Box::new(armed), &[]),
        (
            "a partition has expired, and nothing may leave yet",
            Box::new(move |s| {
                armed(s);
                s.state.recorded.clear();
            }),
            &["WARN armed"],
        ),
        (
            "a partition should have left long ago",
            Box::new(|s| s.months.insert(0, ("2026-05-01", "2026-06-01"))),
            &["WARN expired_overdue", "WARN gaps"],
        ),
        (
            "a partition has expired and is held",
            Box::new(|s| {
                s.months.insert(0, ("MINVALUE", "2026-09-01"));
                s.extra = "holds:\n  - {id: CASE-1, tables: [\"public.*\"], reason: asked}\n";
            }),
            &["OK hold"],
        ),
        (
            "a partition has expired and is protected",
            Box::new(|s| {
                s.months.insert(0, ("MINVALUE", "2026-09-01"));
                s.extra = "    rails: {protect: [\"*MINVALUE\"]}\n";
            }),
            &[],
        ),
        (
            "the policy has become shorter",
            Box::new(|s| {
                s.months.insert(0, ("2026-08-01", "2026-09-01"));
                s.state.recorded.get_mut("public.t").unwrap().keep = "3 years".to_owned();
            }),
            &["WARN policy_change"],
        ),
        (
            "a detach is pending",
            Box::new(|s| s.pending.push("2026-09-01")),
            &["WARN detached_early", "WARN pending_detach"],
        ),
        ("a quarter of the locks", Box::new(|s| s.indexes = 299), &["WARN lock_budget"]),
        ("half of the locks", Box::new(|s| s.indexes = 599), &["CRIT lock_budget"]),
        ("another owner", Box::new(|s| s.drift = Ok(vec![("owner", Some("x instead of y"))])), &["WARN parity"]),
        ("more rights than its table's", Box::new(|s| s.drift = Ok(vec![("more grants", None)])), &["WARN parity"]),
        ("fewer rights than its table's", Box::new(|s| s.drift = Ok(vec![("fewer grants", None)])), &["OK parity"]),
        (
            "what is not cloned may differ",
            Box::new(|s| {
                s.drift = Ok(vec![("owner", None), ("more grants", None), ("replica identity", None)]);
                s.extra = "    clone: [tablespace]\n";
            }),
            &[],
        ),
        (
            "an index that the policy wants",
            Box::new(|s| {
                s.drift = Ok(vec![("extra unique index", Some("i"))]);
                s.extra = "    child_unique: [[k]]\n";
            }),
            &[],
        ),
        (
            "an index that nobody wants",
            Box::new(|s| s.drift = Ok(vec![("extra unique index", Some("i"))])),
            &["WARN parity"],
        ),
        ("likeness cannot be read", Box::new(|s| s.drift = Err(unknown())), &["UNKNOWN parity"]),
        (
            "schema dbctl may not be read",
            Box::new(|s| s.state = State { unreadable: true, ..State::default() }),
            &["UNKNOWN armed", "UNKNOWN state"],
        ),
        (
            "schema dbctl may not be read, and something has expired",
            Box::new(move |s| {
                armed(s);
                s.state = State { unreadable: true, ..State::default() };
                s.systems = None;
            }),
            &["UNKNOWN state", "UNKNOWN armed"],
        ),
        ("clocks differ", Box::new(|s| s.skew = TimeDelta::minutes(6)), &["WARN clock"]),
        (
            "a grace is over",
            Box::new(|s| {
                s.state.leaving.push(leaving("aside", "drop", true));
                s.trash = Ok(vec![(77, TableName::new("dbctl_trash", "p77_t_gone"))]);
            }),
            &["WARN grace_overdue"],
        ),
        (
            "one on its way is gone",
            Box::new(|s| s.state.leaving.push(leaving("aside", "drop", false))),
            &["WARN orphans"],
        ),
        (
            "a stranger lies aside",
            Box::new(|s| s.trash = Ok(vec![(5, TableName::new("dbctl_trash", "x"))])),
            &["WARN orphans"],
        ),
        ("what lies aside is unknown", Box::new(|s| s.trash = Err(unknown())), &["UNKNOWN orphans"]),
        (
            "one on its way is of a table that nobody names",
            Box::new(|s| {
                let mut row = leaving("aside", "drop", true);
                row.parent = "public.other".to_owned();
                row.drop_after = None;
                s.state.leaving.push(row);
            }),
            &["WARN orphans"],
        ),
        (
            "an archive is stuck",
            Box::new(|s| s.state.leaving.push(leaving("exported", "archive", true))),
            &["WARN archive"],
        ),
        ("a detach is stuck", Box::new(|s| s.state.leaving.push(leaving("detached", "drop", true))), &["WARN leaving"]),
        ("no run for long, and nothing to do", Box::new(move |s| s.last_run = run(20)), &[]),
        (
            "no run for long, and something to do",
            Box::new(move |s| {
                s.last_run = run(20);
                s.months.truncate(5);
            }),
            &["WARN last_success"],
        ),
        (
            "something to do, and a run of today",
            Box::new(move |s| {
                s.last_run = run(0);
                s.months.truncate(5);
            }),
            &[],
        ),
        ("the last run cannot be read", Box::new(|s| s.last_run = Err(unknown())), &["UNKNOWN last_success"]),
    ];
    for (name, change, expected) in cases {
        let mut situation = in_order();
        change(&mut situation);
        let mut found = situation.findings();
        found.sort();
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{name}: {:#?}", situation.judge().findings);
    }
}

#[test]
fn the_worst_is_told_first_and_decides_the_end() {
    let mut situation = in_order();
    situation.months.truncate(3);
    situation.drift = Ok(vec![("owner", None)]);
    situation.last_run = Err(unknown());
    let report = situation.judge();
    assert_eq!(situation.findings(), ["CRIT runway", "UNKNOWN last_success", "WARN parity"]);
    assert_eq!((outcome(&report, true, false), outcome(&report, false, false)), (Outcome::Critical, Outcome::Findings));
    let only =
        |level| Report { findings: report.findings.iter().filter(|f| f.level == level).cloned().collect(), checks: 20 };
    assert_eq!(outcome(&only(Level::Unknown), true, false), Outcome::Unknown);
    assert_eq!(outcome(&only(Level::Unknown), false, false), Outcome::Findings);
    assert_eq!(outcome(&only(Level::Warn), true, false), Outcome::Warning);
    assert_eq!(outcome(&only(Level::Warn), false, true), Outcome::Invalid);
}

#[test]
fn limits_of_the_runway() {
    let day = 86_400.0;
    let limits = |ahead: f64, period: f64| {
        let runway = status::Runway {
            covered: None,
            until: None,
            length: 0.0,
            ahead: Some(ahead * day),
            period: period * day,
            is_time: true,
        };
        let shares = crate::policy::Runway { warn: 0.5, crit: 0.2 };
        table::limits(&runway, shares).map(|(warn, crit)| (warn / day, crit / day)).unwrap()
    };
    // Six months: half, and a fifth.
    assert_eq!(limits(180.0, 30.0), (90.0, 36.0));
    // Three: a fifth would be less than a period.
    assert_eq!(limits(90.0, 30.0), (45.0, 30.0));
    // One quarter: when a daily run is late, and then at a fifth.
    let (warn, crit) = limits(90.0, 90.0);
    assert!((88.9..89.0).contains(&warn) && crit == 18.0, "{warn} {crit}");
    // None ahead: only that now has one.
    assert_eq!(limits(0.0, 30.0), (0.0, 0.0));
    // Ninety days of days.
    assert_eq!(limits(90.0, 1.0), (45.0, 18.0));
}

#[test]
fn a_nagios_line_is_one_line_whatever_names_say() {
    let mut report = in_order().judge();
    assert_eq!(
        line(&report, &[], &[]),
        "PARTITIONS OK - 20 checks of 0 tables are in order | critical=0;;0;0 warning=0;0;;0 unknown=0;;;0"
    );
    let nasty = TableName::new("a|b", "c\nd'=");
    report.findings.push(Finding::new("gaps", Level::Crit, Some(&nasty), format!("{nasty}: hole")));
    let said = line(&report, &[], &[]);
    assert!(said.lines().count() == 1 && said.matches('|').count() == 1, "{said}");
    assert!(said.starts_with("PARTITIONS CRITICAL - 1 critical: "), "{said}");
    assert_eq!(nagios_unknown("a\nb | c"), "PARTITIONS UNKNOWN - a\\nb / c");
}

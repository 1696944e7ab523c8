//! The shipped partitions.yaml on the systems as they are migrated, over six years of runs: each run
//! ends in order, a second one finds nothing, and no row leaves before its time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike as _, Months, NaiveDate, Utc};
use dbctl::config::connection::Connection;
use dbctl::config::env::Env;
use dbctl::ident::TableName;
use dbctl::outcome::Outcome;
use dbctl::output::{Document, Format, Style, render};
use dbctl::partitions::{self, Request, Wish};
use dbctl::pg::Interrupt;
use dbctl::policy::{Keep, Policy, file};
use dbctl::steps::Means;
use dbctl::steps::events::{Event, Events};
use dbctl::steps::gate::{Confirm, Rails};

use crate::harness::{Database, dbctl, majors, run};

/// Nobody to ask, nobody to tell; failures are kept.
#[derive(Default)]
struct Silent(Vec<String>);

impl Events for Silent {
    fn event(&mut self, event: Event<'_>) {
        if let Event::Failed { title, failure } = event {
            self.0.push(format!("{title}: {failure}"));
        }
    }
}

impl Confirm for Silent {
    fn confirm(&mut self, _: &[String], _: &str) -> bool {
        false
    }
}

/// The shipped policy with its archives in a folder of this test.
fn policy(folder: &Path) -> Policy {
    let shipped = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("partitions.yaml")).unwrap();
    let there = shipped.replace("file:///var/lib/dbctl/archive", &format!("file://{}", folder.display()));
    assert_ne!(there, shipped, "the shipped policy has another place for archives");
    let path = folder.join("partitions.yaml");
    std::fs::write(&path, there).unwrap();
    file::open(&path, &Env::default()).unwrap_or_else(|failure| panic!("{failure}"))
}

fn request(database: &Database, policy: &Policy, system: &str, at: DateTime<Utc>, leap: bool) -> Request {
    let connection = Connection::resolve(Some(&database.url()), &Env::default()).unwrap();
    Request {
        connection,
        verb: "rotate",
        policy: policy.clone(),
        system: Some(system.to_owned()),
        only: Vec::new(),
        wish: Wish {
            create: true,
            expire: true,
            arm: true,
            // A leap over months lets more leave at once than any night would.
            max_drops: leap.then_some(10_000),
            ..Wish::default()
        },
        rows: false,
        jobs: Vec::new(),
        at: Some(at),
        env: Env::default(),
        allow_clock_skew: false,
        dry_run: false,
        out: None,
        saved: None,
        lock_wait: std::time::Duration::from_secs(10),
        rails: Rails { protected: None, target_named: false, yes: true, interactive: false, always_ask: false },
    }
}

fn text(document: &Document) -> String {
    let mut out = Vec::new();
    render(document, Format::Table, &Style { color: false, width: 200 }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// One night's runs, and the proof that they left nothing to do. Two: the grace is counted by the server's
/// own clock, and for years to come what the first puts aside is over it.
fn night(request: &Request) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let interrupt = Interrupt::default();
    let at = request.at.unwrap();
    for _ in 0..2 {
        let (mut events, mut confirm) = (Silent::default(), Silent::default());
        let mut means = Means { interrupt: &interrupt, events: &mut events, confirm: &mut confirm };
        let done = runtime.block_on(partitions::run(request, &mut means));
        let (outcome, document) = done.unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(outcome, Outcome::Done, "{at}: {}\n{}", events.0.join("\n"), text(&document));
    }
    let (again, document) =
        runtime.block_on(partitions::plan(request, true, &interrupt)).unwrap_or_else(|f| panic!("{f}"));
    assert_eq!(again, Outcome::Done, "{at}: a second run would do something\n{}", text(&document));
    // A leap leaves days behind that no night has seen.
    if request.wish.max_drops.is_some() {
        return;
    }
    let checked = runtime.block_on(partitions::check(request, false, None, &interrupt));
    let shown = text(&checked.unwrap_or_else(|failure| panic!("{failure}")).1);
    // A year of days is much for one query, and check says so: that is as it is.
    let odd = |line: &&str| ["WARN", "CRIT", "UNKNOWN"].iter().any(|level| line.starts_with(level));
    let odd: Vec<&str> = shown.lines().filter(odd).filter(|line| !line.contains("lock_budget")).collect();
    assert!(odd.is_empty(), "{at}: not in order\n{shown}");
}

/// The times of the rows of a table, in order.
fn times(database: &Database, table: &TableName) -> Vec<DateTime<Utc>> {
    let sql = format!(
        "SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM {table} ORDER BY 1"
    );
    database.sql(&sql).into_iter().map(|row| row[0].as_deref().unwrap().parse().unwrap()).collect()
}

/// Six years: fourteen months one by one, then quarters in leaps; on all majors but the newest three
/// months and then years.
fn calendar(from: NaiveDate, all: bool) -> Vec<(DateTime<Utc>, bool)> {
    let at = |day: NaiveDate| day.and_hms_opt(2, 30, 0).unwrap().and_utc();
    let (months, leaps, leap) = if all { (14, 5..=24, 3) } else { (3, 1..=6, 12) };
    let monthly = (0..months).map(|n| (at(from + Months::new(n)), false));
    let leaps = leaps.map(|n| (at(from + Months::new(leap * n)), true));
    monthly.chain(leaps).collect()
}

fn six_years(major: u32, system: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut policy = policy(folder.path());
    // It refuses a cutoff that is in the future of the server's own clock.
    for entry in policy.tables.iter_mut().filter(|entry| entry.table == TableName::new("public", "activity_mappings")) {
        entry.after_expire.clear();
    }
    let database = Database::on(major);
    let url = database.url();
    for words in ["migrate --quiet", "demo-data --quiet"] {
        let mut args: Vec<&str> = words.split(' ').collect();
        args.extend(["--yes", "--system", system, "--database-url", &url]);
        run(&mut dbctl(&args)).expect_code(0);
    }
    let tables: Vec<_> = policy.tables.iter().filter(|entry| entry.system.as_deref() == Some(system)).collect();
    assert!(!tables.is_empty());
    let all: BTreeMap<&TableName, Vec<DateTime<Utc>>> =
        tables.iter().map(|entry| (&entry.table, times(&database, &entry.table))).collect();
    assert!(all.values().any(|times| !times.is_empty()), "{system} has no rows to lose");
    for (at, leap) in calendar(Utc::now().date_naive().with_day(1).unwrap(), major == *majors().last().unwrap()) {
        night(&request(&database, &policy, system, at, leap));
        for entry in &tables {
            let Some(Keep::Time(keep)) = entry.keep else { panic!("{}", entry.table) };
            let oldest = keep.before(at.naive_utc()).unwrap().and_utc();
            let due = |times: &[DateTime<Utc>]| times.iter().filter(|time| **time >= oldest).count();
            let left = due(&times(&database, &entry.table));
            let should = due(&all[&entry.table]);
            // Rows that came from another table are more than there were.
            assert!(left >= should, "{system} on {major}, {at}: {} has {left} of {should} rows", entry.table);
        }
    }
    let archives: PathBuf = folder.path().to_owned();
    if system == "bridge" {
        let kept = database.one("SELECT count(*) FROM dbctl.partition WHERE mode = 'archive' AND state = 'dropped'");
        assert_ne!(kept, "0", "nothing was ever archived below {}", archives.display());
    }
}

#[test]
fn bridge_for_six_years_on_every_major() {
    for major in majors() {
        six_years(major, "bridge");
    }
}

#[test]
fn chat_for_six_years_on_every_major() {
    for major in majors() {
        six_years(major, "chat");
    }
}

#[test]
fn fsm_for_six_years_on_every_major() {
    for major in majors().into_iter().filter(|major| *major >= 15) {
        six_years(major, "fsm");
    }
}

#[test]
fn what_belongs_to_messages_goes_with_their_month_and_not_before_its_grace_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let policy = policy(folder.path());
    for major in majors() {
        let database = Database::on(major);
        let url = database.url();
        run(&mut dbctl(&["migrate", "--quiet", "--yes", "--system", "bridge", "--database-url", &url])).expect_code(0);
        database.sql(
            "SET TimeZone = 'UTC'; SELECT ensure_range_partitions('activity_mappings', 'month', date_trunc('month', now() - \
             interval '15 months'), date_trunc('month', now())); INSERT INTO activity_mappings (chatwoot_message_id, \
             krayin_activity_id, conversation_id, message_type, created_at) SELECT n, n, 1, 'incoming', now() - n * interval '1 \
             month' FROM generate_series(0, 14) AS n",
        );
        let keys = || database.one("SELECT count(*) FROM activity_message_keys");
        assert_eq!(keys(), "15");
        night(&request(&database, &policy, "bridge", Utc::now(), true));
        let gone = database.one("SELECT 15 - count(*) FROM activity_mappings");
        assert_ne!(gone, "0");
        assert_eq!(keys(), "15", "{gone} messages may still come back");
        database.sql("UPDATE dbctl.partition SET drop_after = now() - interval '1 s' WHERE state = 'aside'");
        night(&request(&database, &policy, "bridge", Utc::now(), true));
        assert_eq!(keys(), database.one("SELECT count(*) FROM activity_mappings"), "on {major}");
        assert_eq!(database.one("SELECT count(*) FROM dbctl.partition WHERE hooks_due"), "0");
    }
}

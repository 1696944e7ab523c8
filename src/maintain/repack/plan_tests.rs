//! Which tables are chosen and with what they are written anew, on made-up servers. There is no server 19 to try the
//! server's own REPACK on: here it is seen only which statement would be sent, and when.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::super::read::{Leftover, Setup, Snapshot, Standing};
use super::super::{Gain, Wish};
use super::*;
use crate::ident::Ident;

fn server(major: u32) -> Server {
    Server {
        major,
        version: format!("{major}.1"),
        in_recovery: false,
        read_only: false,
        role: "app".to_owned(),
        database: "app".to_owned(),
        search_path: "public".to_owned(),
        current_schema: Some("public".to_owned()),
        backend_pid: 1,
        watches_clients: true,
        has_state: false,
        reads_state: false,
    }
}

fn standing(oid: u32, name: &str) -> Standing {
    Standing {
        oid,
        table: TableName::new("public", name),
        parent: false,
        persistence: "p".to_owned(),
        above: Vec::new(),
        file: oid,
        owned: true,
        maintained: false,
        has_key: true,
        has_identity: true,
        invalid: Vec::new(),
        prepared: Vec::new(),
        worked_by: None,
        place: None,
    }
}

fn setup(version_num: i32) -> Setup {
    Setup { version_num, wal_level: "replica".to_owned(), is_superuser: true, ..Setup::default() }
}

fn gain(bytes: u64, reclaimable: u64) -> Gain {
    Gain { bytes, reclaimable: Some(reclaimable), confidence: "high", ..Gain::default() }
}

fn named(name: &str) -> Wish {
    Wish { tables: vec![TableName::new("public", name)], ..Wish::default() }
}

fn one(version_num: i32, table: Standing, gain: Gain, wish: &Wish) -> RepackPlan {
    let snapshot = Snapshot { setup: setup(version_num), tables: vec![table.clone()], ..Snapshot::default() };
    plan(&snapshot, wish, &BTreeMap::from([(table.oid, gain)])).unwrap()
}

fn why(plan: &RepackPlan) -> &str {
    assert!(plan.tasks.is_empty(), "{plan:?}");
    plan.skipped.first().map_or("", |skipped| skipped.why.as_str())
}

fn program(version: &str) -> Program {
    Program { path: "/usr/lib/postgresql/17/bin/pg_repack".into(), version: version.to_owned() }
}

#[test]
fn a_server_of_19_does_it_itself_and_only_concurrently() {
    let plan = one(190_001, standing(7, "Odd one"), gain(1000, 500), &named("Odd one"));
    let server = server(19);
    let way = way(&server, &setup(190_001), &[program("1.5.3")], &plan.tasks).unwrap();
    assert_eq!(way, Way::Native);
    let [task] = &plan.tasks[..] else { panic!("{plan:?}") };
    assert_eq!(way.line(task, &named("Odd one"), Duration::ZERO), "REPACK (CONCURRENTLY) public.\"Odd one\";");
    let step = task.step(&server, Timeouts { lock: Duration::from_secs(3), statement: Duration::ZERO });
    let sent: Vec<String> = step.messages().iter().map(|message| message.sql.to_string()).collect();
    assert!(sent.contains(&task.sql()), "{sent:?}");
    let begins = sent.iter().position(|sql| *sql == task.sql()).unwrap();
    assert!(sent[begins - 1].contains("COMMIT") && sent[0].contains("SET lock_timeout = '3000ms'"), "{sent:?}");
}

#[test]
fn what_19_wants_is_told_before() {
    let refuse = |setup: Setup| way(&server(19), &setup, &[], &[]).unwrap_err().to_string();
    assert!(refuse(Setup { wal_level: "minimal".to_owned(), ..setup(190_000) }).contains("wal_level = replica"));
    let slots = Setup { repack_slots: Some("0".to_owned()), ..setup(190_000) };
    assert!(refuse(slots).contains("max_repack_replication_slots = 1"));
    let without = Standing { has_identity: false, ..standing(7, "t") };
    assert!(why(&one(190_000, without, gain(1000, 500), &named("t"))).contains("REPLICA IDENTITY"));
    let foreign = Standing { owned: false, ..standing(7, "t") };
    let plan = one(190_000, foreign.clone(), gain(1000, 500), &named("t"));
    assert!(why(&plan).contains("GRANT MAINTAIN ON public.t") && plan.skipped[0].is_forbidden);
    let allowed = Standing { maintained: true, ..foreign };
    assert_eq!(one(190_000, allowed, gain(1000, 500), &named("t")).tasks.len(), 1);
}

#[test]
fn a_rewrite_that_gains_little_or_grows_is_refused_unless_forced() {
    for (gain, word) in [
        (gain(1000, 199), "only 20 %"),
        (Gain { grows: true, ..gain(1000, 0) }, "larger"),
        (Gain::default(), "not known"),
    ] {
        let plan = one(150_000, standing(7, "t"), gain.clone(), &named("t"));
        assert!(why(&plan).contains(word) && plan.skipped[0].counts, "{plan:?}");
        let forced = one(150_000, standing(7, "t"), gain.clone(), &Wish { force: true, ..named("t") });
        assert_eq!((forced.tasks.len(), forced.forced.len()), (1, 1));
        let of_schema = Wish { schemas: vec!["public".to_owned()], ..Wish::default() };
        let plan = one(150_000, standing(7, "t"), gain, &of_schema);
        assert!(plan.tasks.is_empty() && !plan.skipped[0].counts, "{plan:?}");
    }
    assert_eq!(one(150_000, standing(7, "t"), gain(1000, 200), &named("t")).tasks.len(), 1);
}

#[test]
fn the_program_is_that_of_the_extensions_version() {
    let with = |extension: &str| Setup { extension: Some(extension.to_owned()), ..setup(170_000) };
    let programs = [program("1.5.0"), program("1.5.3")];
    let found = way(&server(17), &with("1.5.3"), &programs, &[]).unwrap();
    assert_eq!(found, Way::Program { program: program("1.5.3"), as_owner: false });
    let refused = way(&server(17), &with("1.4.8"), &programs, &[]).unwrap_err().to_string();
    for word in ["1.5.0 (/usr/lib", "apt-get install postgresql-17-repack", "in version 1.4.8"] {
        assert!(refused.contains(word), "{refused}");
    }
    for (version, allowed) in [("1.5.1", false), ("1.5.2", true), ("1.10.0", true)] {
        let owner = Setup { is_superuser: false, ..with(version) };
        let found = way(&server(17), &owner, &[program(version)], &[]);
        assert_eq!(found.is_ok(), allowed, "{version}");
        if let Ok(way) = found {
            assert!(matches!(way, Way::Program { as_owner: true, .. }));
        }
    }
}

#[test]
fn the_alternatives_fit_the_table() {
    let tasks = |gain: Gain| one(170_000, standing(7, "t"), gain, &Wish { force: true, ..named("t") }).tasks;
    let told = |gain: Gain| way(&server(17), &setup(170_000), &[], &tasks(gain)).unwrap_err().to_string();
    let heap = told(gain(100_000_000, 90_000_000));
    assert!(heap.contains("dbctl vacuum --full --table public.t --yes") && heap.contains("some 2 s"), "{heap}");
    let indexes = told(Gain { index_bytes: 100_000, index_reclaimable: 60_000, ..gain(1000, 10) });
    assert!(indexes.contains("dbctl reindex --table public.t") && !indexes.contains("--full"), "{indexes}");
}

#[test]
fn a_full_disk_is_seen_before() {
    let mut plan = one(150_000, standing(7, "t"), gain(1000, 500), &named("t"));
    let places = BTreeMap::from([(7, Path::new("/data"))]);
    let unknown = {
        let mut plan = plan.clone();
        refuse_full(&mut plan, &places, |_| None);
        plan.tasks.len()
    };
    assert_eq!(unknown, 1);
    refuse_full(&mut plan, &places, |_| Some(999));
    assert!(plan.tasks.is_empty() && plan.skipped[0].counts, "{plan:?}");
}

#[test]
fn arguments_hold_no_place_and_nobody_is_ended() {
    let [task] = &one(150_000, standing(7, "it's"), gain(1000, 500), &named("it's")).tasks[..] else { panic!() };
    let words = arguments(task, &Wish { jobs: 2, ..Wish::default() }, Duration::from_secs(5), true);
    assert_eq!(
        words,
        [
            "--no-kill-backend",
            "--no-order",
            "--no-password",
            "--wait-timeout=5",
            "--elevel=DEBUG",
            "--no-superuser-check",
            "--jobs=2",
            "--table=public.\"it's\""
        ]
    );
    let way = Way::Program { program: program("1.5.3"), as_owner: false };
    let line = way.line(task, &Wish::default(), Duration::from_secs(5));
    assert!(line.ends_with(r#"'--table=public."it'\''s"'"#), "{line}");
}

#[test]
fn only_what_was_found_is_removed_in_one_transaction() {
    let left = Leftover {
        oid: 7,
        table: TableName::new("public", "Odd"),
        home: Ident::new("repack"),
        trigger: Some(Ident::new("repack_trigger")),
        log: Some(Ident::new("log_7")),
        copy: None,
        key_type: Some(Ident::new("pk_7")),
        worked_by: None,
    };
    let step = cleaning(&left, &server(15), Timeouts { lock: Duration::from_secs(3), statement: Duration::ZERO });
    assert_eq!(step.lane, Lane::Transaction);
    assert_eq!(
        &*step.statements[0].sql,
        "DROP TRIGGER repack_trigger ON public.\"Odd\";\nDROP TABLE repack.log_7;\nDROP TYPE repack.pk_7;"
    );
    let busy = Leftover { worked_by: Some(4711), ..left.clone() };
    assert_eq!(abandoned(&[busy, left.clone()]), [left]);
}

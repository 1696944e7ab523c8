//! What a policy file may say, and that the shipped one says what the systems' own functions do.

use chrono::{NaiveDate, NaiveTime};
use proptest::prelude::*;

use super::*;
use crate::ident::{Ident, TableName};
use crate::policy::calendar::{Every, Unit};
use crate::policy::key::{Codec, EpochUnit};
use crate::policy::span::Span;
use crate::policy::*;

pub(super) fn env() -> Env {
    Env::from_iter([("RECIPIENT", "age1qqq"), ("DAYS", "90 days")])
}

/// Every mistake's message, for other tests.
pub(in crate::policy) fn mistakes(text: &str) -> Vec<String> {
    let source = Source::new(Path::new("partitions.yaml"), text.as_bytes().to_vec()).unwrap();
    let nodes = [source.read().unwrap_or_else(|e| panic!("{text}: {e}"))];
    let env = env();
    let mut draft = Draft::new(vec![source], String::new(), &env);
    draft.read(&nodes);
    draft.readers.remove(0).findings.into_iter().map(|finding| finding.message).collect()
}

pub(super) fn read_one(text: &str) -> Result<Policy> {
    read(vec![(PathBuf::from("partitions.yaml"), text.as_bytes().to_vec())], &env())
}

fn shipped() -> Policy {
    open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("partitions.yaml"), &Env::default())
        .unwrap_or_else(|e| panic!("{e}"))
}

fn months(months: u32) -> Span {
    Span { months, ..Span::default() }
}

fn days(days: u32) -> Span {
    Span { days, ..Span::default() }
}

const ALL: &str = r#"
version: 1
defaults:
  timezone: America/Sao_Paulo
  ahead: 4
  lock: { timeout: 30ms, patience: 5m, backoff: 100ms..2s, detach_wait: 30s, on_blocked: report }
  default_partition: allow
  rails: { max_drops: 5, grace: 3d }
  runway: { warn: 40%, crit: 10% }
  on_misaligned: bridge
  clone: [owner, grants]
archives:
  cold:
    to: "s3://bucket/{db}/{schema}.{table}/{from:%Y/%m}/{partition}.csv.zst.age"
    format: csv
    compress: zstd-19
    verify: readback+rehash
    keep: 7 years
    mode: "0640"
    encrypt: ["${RECIPIENT}"]
  bare: { to: "file:///srv/{partition}.csv.zst" }
holds:
  - { id: 14, tables: [public.*], from: 2025-01-01, to: 2025-07-01, until: lifted, reason: "a request" }
  - { id: B, tables: ["*.audit_log?"], reason: all }
floors:
  - { tables: ["public.logs"], at_least: 5 years }
tables:
  public.logs:
    key: at
    codec: epoch_ms
    every: 3 months
    origin: 2024-02-01
    timezone: UTC
    ahead: 90 days
    from: 2020-01-01
    keep: 24 months
    exact: true
    expire: { archive: cold, then: drop }
    name: "{table}_{from:%Y_%m}"
    default_partition: require
    on_misaligned: error
    lock: { timeout: 20ms }
    rails: { max_drop_fraction: 12.5%, protect: ["*_keep", { from: 2024-01-01 }] }
    runway: { crit: 5% }
    clone: []
    storage: { fillfactor: 70, autovacuum_enabled: false, toast.autovacuum_vacuum_scale_factor: 0.05 }
    child_unique: [[a], [b, c]]
    after_expire:
      - "SELECT public.purge({cutoff});"
  'odd."Ta.ble"': { key: id, every: 1000000, keep: 50000000, expire: detach }
  public.moved: { key: at, every: week, ahead: never, keep: "${DAYS}", expire: { move: old } }
rows:
  job:
    table: public.people
    age: { column: created_at, over: 90 days }
    where: "x = '$1'"
    action: anonymise
    set: { ip: "ip_prefix(24, 48)", name: null, mail: hash(KEY), note: "text('it''s gone')" }
    batch: { target: 20ms, max_rows: 100 }
    pace: { max_replica_lag: 10s, max_slot_wal: 2GB, window: "23:00-05:00", budget: 20m }
    vacuum: 10%
    once_per_partition: true
    timezone: UTC
  gone: { table: public.events, where: done, action: delete }
  away: { table: public.a, age: { column: at, over: 1 year }, action: { move: public.b } }
  kept: { table: public.consents, action: keep, floor: 5 years }
"#;

#[test]
fn everything_that_may_be_said_is_read() {
    let policy = read_one(ALL).unwrap_or_else(|e| panic!("{e}"));
    let logs = &policy.tables[0];
    let date = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
    assert_eq!((&logs.table, logs.key.raw()), (&TableName::new("public", "logs"), "at"));
    assert_eq!(logs.codec, Some(Codec::Epoch(EpochUnit::Milliseconds)));
    assert_eq!(logs.every, Every::Time { unit: Unit::Month, count: 3, origin: Some(date(2024, 2, 1)) });
    assert_eq!((logs.timezone, logs.ahead), (chrono_tz::Tz::UTC, Ahead::For(days(90))));
    assert_eq!((logs.from, logs.keep, logs.exact), (Some(date(2020, 1, 1)), Some(Keep::Time(months(24))), true));
    assert_eq!(logs.expire, Expire::Archive { archive: "cold".to_owned(), then: Then::Drop });
    assert_eq!((logs.default_partition, logs.on_misaligned), (DefaultRule::Require, Misaligned::Error));
    assert_eq!((logs.lock.timeout.as_millis(), logs.lock.patience.as_secs()), (20, 300));
    assert_eq!((logs.lock.first_pause.as_millis(), logs.lock.longest_pause.as_secs()), (100, 2));
    assert_eq!((logs.rails.max_drops, logs.rails.max_drop_fraction, logs.rails.grace), (5, 0.125, days(3)));
    let since = DayRange { from: Some(date(2024, 1, 1)), to: None };
    assert_eq!(logs.rails.protect, [Protect::Named("*_keep".to_owned()), Protect::Days(since)]);
    assert_eq!(logs.runway, Runway { warn: 0.4, crit: 0.05 });
    assert!(!logs.clone.owner && !logs.clone.row_security);
    let storage: Vec<String> = logs.storage.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(storage, ["fillfactor=70", "autovacuum_enabled=false", "toast.autovacuum_vacuum_scale_factor=0.05"]);
    assert_eq!(logs.child_unique.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(logs.after_expire, ["SELECT public.purge({cutoff})"]);
    assert_eq!((logs.at.name.as_str(), logs.at.file), ("tables.public.logs", 0));

    let odd = &policy.tables[1];
    assert_eq!((&odd.table, odd.every), (&TableName::new("odd", "Ta.ble"), Every::Values(1_000_000)));
    assert_eq!((odd.keep, odd.ahead), (Some(Keep::Values(50_000_000)), Ahead::Periods(4)));
    assert_eq!((odd.default_partition, odd.on_misaligned), (DefaultRule::Allow, Misaligned::Bridge));
    assert!(odd.clone.grants && !odd.clone.tablespace);
    let moved = &policy.tables[2];
    assert_eq!((moved.ahead, moved.keep), (Ahead::Never, Some(Keep::Time(days(90)))));
    assert_eq!(moved.expire, Expire::Move { schema: Ident::new("old") });
    assert_eq!(moved.timezone, chrono_tz::America::Sao_Paulo);

    let cold = &policy.archives["cold"];
    assert_eq!((cold.level, cold.mode, cold.keep), (19, 0o640, Some(months(84))));
    assert_eq!(cold.recipients, ["age1qqq"]);
    assert_eq!((policy.archives["bare"].level, policy.archives["bare"].mode), (3, 0o600));
    assert_eq!((policy.holds[0].id.as_str(), policy.holds[0].days.to), ("14", Some(date(2025, 7, 1))));
    assert_eq!(policy.floors.len(), 2, "with that of the job that keeps");
    assert_eq!(policy.floors[1].tables, ["public.consents"]);

    let job = &policy.rows[0];
    let time = |h| NaiveTime::from_hms_opt(h, 0, 0).unwrap();
    assert_eq!(job.condition.as_deref(), Some("x = '$1'"));
    let masks = [
        (Ident::new("ip"), Mask::IpPrefix { v4: 24, v6: 48 }),
        (Ident::new("name"), Mask::Null),
        (Ident::new("mail"), Mask::Hash { secret: "KEY".to_owned() }),
        (Ident::new("note"), Mask::Text("it's gone".to_owned())),
    ];
    assert_eq!(job.action, RowAction::Anonymise { set: masks.to_vec() });
    assert_eq!(job.pace.max_slot_wal, Some(2 << 30));
    assert_eq!(job.pace.window, Some(Window { from: time(23), to: time(5) }));
    assert_eq!((job.vacuum, job.once_per_partition, job.batch.max_rows), (Some(0.1), true, 100));
    assert_eq!((job.timezone, job.lock.timeout.as_millis()), (chrono_tz::Tz::UTC, 30));
    assert_eq!((&policy.rows[1].age, &policy.rows[1].action), (&None, &RowAction::Delete));
    assert_eq!(policy.rows[2].action, RowAction::Move { to: TableName::new("public", "b") });
}

#[test]
fn what_is_left_out_is_as_the_manual_says() {
    let policy = read_one("tables: {public.a: {key: at, every: month, timezone: UTC}}").unwrap();
    let table = &policy.tables[0];
    assert_eq!((table.ahead, table.keep, &table.expire), (Ahead::Periods(3), None, &Expire::Detach));
    assert_eq!((table.default_partition, table.on_misaligned), (DefaultRule::Forbid, Misaligned::Error));
    assert_eq!((table.lock.timeout.as_millis(), table.lock.patience.as_secs()), (50, 600));
    assert_eq!((table.lock.first_pause.as_millis(), table.lock.longest_pause.as_secs()), (200, 5));
    assert_eq!(table.lock.detach_wait.as_secs(), 60);
    assert_eq!((table.rails.max_drops, table.rails.max_drop_fraction, table.rails.grace), (3, 0.25, days(7)));
    assert_eq!(table.runway, Runway { warn: 0.5, crit: 0.2 });
    assert!(table.clone.owner && table.clone.row_security && table.clone.tablespace);
    assert_eq!(table.name, None);
}

#[test]
fn a_folder_is_one_policy() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("b.yml", "tables: {public.b: {key: at, every: day, keep: 1 day, expire: {archive: cold, then: drop}}}");
    write("a.yaml", "defaults: {timezone: UTC}\ntables: {public.a: {key: at, every: day}}");
    write("c.yaml", "defaults: {ahead: 9}\narchives: {cold: {to: 'file:///x/{partition}.csv.zst'}}");
    write("notes.txt", "tables: [");
    write(".hidden.yaml", "tables: [");
    let policy = open(folder.path(), &Env::default()).unwrap_or_else(|e| panic!("{e}"));
    let names: Vec<&str> = policy.tables.iter().map(|table| table.table.name.raw()).collect();
    assert_eq!((names, policy.paths().len()), (vec!["a", "b"], 3));
    assert!(policy.tables.iter().all(|table| table.ahead == Ahead::Periods(9)));
    let refused = policy.refuse(&policy.tables[1].at, "the key is not created_at", None).to_string();
    assert!(refused.contains("b.yml:1:10: tables.public.b: the key is not created_at"), "{refused}");
}

#[test]
fn the_hash_follows_every_byte_and_nothing_else() {
    let hash = |text: &str| read_one(text).unwrap().hash;
    let text = "tables: {public.a: {key: at, every: month, timezone: UTC}}\n";
    assert_eq!(hash(text), hash(text));
    assert_ne!(hash(text), hash(&format!("{text}\n")));
    assert_eq!(hash(text).len(), 64);
}

#[test]
fn one_table_may_be_there_in_two_systems() {
    let table = "tables: {public.a: {key: at, every: month, timezone: UTC}}";
    let policy = read_one(&format!("systems: {{chat: {{{table}}}, bridge: {{{table}}}}}")).unwrap();
    let systems: Vec<&str> = policy.tables.iter().map(|table| table.system.as_deref().unwrap()).collect();
    assert_eq!(systems, ["chat", "bridge"]);
    assert_eq!(policy.tables[0].at.name, "systems.chat.tables.public.a");
}

#[test]
fn a_floor_counts_the_archive_and_follows_rows_to_where_they_go() {
    let policy = |keep: &str, rest: &str| {
        read_one(&format!(
            "defaults: {{timezone: UTC}}\n\
             archives: {{short: {{to: 'file:///x/{{partition}}.csv.zst', keep: 3 years}}, \
             ever: {{to: 'file:///x/{{partition}}.csv.zst'}}}}\n\
             floors: [{{tables: [public.a], at_least: 5 years}}]\n\
             tables:\n  public.a: {{key: at, every: month, keep: {keep}}}\n{rest}"
        ))
    };
    for (keep, holds) in [
        ("60 months, expire: drop", true),
        ("59 months, expire: drop", false),
        ("1826 days, expire: drop", false),
        ("1827 days, expire: drop", true),
        ("24 months, expire: {archive: short, then: drop}", true),
        ("23 months, expire: {archive: short, then: drop}", false),
        ("1 month, expire: {archive: ever, then: drop}", true),
        ("1 month, expire: detach", true),
        ("1 month, expire: {move: old}", true),
        ("1 month, expire: {attach: public.elsewhere}", true),
    ] {
        assert_eq!(policy(keep, "").is_ok(), holds, "{keep}");
    }
    let archive =
        |keep: &str| format!("  public.b: {{key: at, every: month, ahead: never, keep: {keep}, expire: drop}}");
    let attach = "12 months, expire: {attach: public.b}";
    assert!(policy(attach, &archive("60 months")).is_ok());
    assert!(policy(attach, &archive("48 months")).is_err());
    let job = |job: &str| format!("rows: {{job: {{table: public.a, {job}}}}}");
    let keep = "60 months, expire: drop";
    assert!(policy(keep, &job("age: {column: at, over: 5 years}, action: delete")).is_ok());
    assert!(policy(keep, &job("age: {column: at, over: 4 years}, action: delete")).is_err());
    assert!(policy(keep, &job("where: done, action: delete")).is_err());
    assert!(policy(keep, &job("age: {column: at, over: 1 day}, action: anonymise, set: {ip: null}")).is_ok());
    assert!(policy(keep, &job("where: done, action: {move: public.c}")).is_ok());
    let circle = "  public.b: {key: at, every: month, keep: 12 months, expire: {attach: public.a}}";
    assert!(policy(attach, circle).is_ok(), "nobody lets them go");
}

/// What V0009 and V0010 of bridge, V0008 of fsm and V0010 of chat do.
#[test]
fn the_shipped_policy_agrees_with_the_functions_of_the_systems() {
    let policy = shipped();
    let line = |table: &TablePolicy| {
        let (every, ahead) = match (table.every, table.ahead) {
            (Every::Time { unit, count: 1, origin: None }, ahead) => (format!("{unit:?}"), format!("{ahead:?}")),
            other => panic!("{other:?}"),
        };
        let keep = match table.keep {
            Some(Keep::Time(span)) => span.to_string(),
            other => panic!("{other:?}"),
        };
        let expire = match &table.expire {
            Expire::Drop => "drop".to_owned(),
            Expire::Archive { archive, then: Then::Drop } => format!("{archive}, drop"),
            Expire::Attach { parent } => format!("to {parent}"),
            other => panic!("{other:?}"),
        };
        assert_eq!((table.timezone, table.on_misaligned), (chrono_tz::Tz::UTC, Misaligned::Bridge));
        let purges = table.after_expire.len();
        let system = table.system.as_deref().unwrap();
        format!("{system} {} {every} {ahead}, {keep}, {expire}, {purges} purges", table.table)
    };
    let lines: Vec<String> = policy.tables.iter().map(line).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    bridge public.activity_mappings Month Periods(3), 12 months, drop, 1 purges
    bridge public.stage_change_logs Quarter Periods(1), 5 years, cold, drop, 0 purges
    bridge public.audit_logs Quarter Periods(1), 5 years, cold, drop, 0 purges
    fsm app.tasks Month Periods(6), 2 years, drop, 2 purges
    fsm app.notifications Month Periods(6), 6 months, drop, 0 purges
    fsm audit.audit_log Month Periods(6), 2 years, cold, drop, 0 purges
    fsm analytics.events Day For(Span { months: 0, days: 90, micros: 0 }), 12 months, drop, 0 purges
    fsm analytics.page_views Month Periods(6), 12 months, drop, 0 purges
    chat public.messages Month Periods(3), 2 years, to public.messages_archive, 0 purges
    chat public.messages_archive Month Never, 9 years, drop, 1 purges
    "#);
    let rows: Vec<String> = policy.rows.iter().map(|job| format!("{} {}", job.at.name, job.table)).collect();
    insta::assert_snapshot!(rows.join("\n"), @r#"
    systems.bridge.rows.consent public.consent_records
    systems.consultor.rows.webhook-events public.webhook_events
    systems.consultor.rows.audit-ip public.audit_logs
    systems.consultor.rows.audit-logs public.audit_logs
    systems.consultor.rows.messages public.messages
    "#);
}

/// Each partitioned table that a system's migrations make has its entry, and none has one without.
#[test]
fn the_shipped_policy_names_every_partitioned_table() {
    let mut made = Vec::new();
    for system in SYSTEMS {
        for (_, sql) in system.migrations() {
            let mut table = String::new();
            for line in sql.lines() {
                if let Some(rest) = line.strip_prefix("CREATE TABLE ") {
                    table = rest.split([' ', '(']).next().unwrap().to_owned();
                }
                if line.starts_with(") PARTITION BY RANGE (created_at)") {
                    let schema = if table.contains('.') { "" } else { "public." };
                    made.push(format!("{} {schema}{table}", system.name));
                }
            }
        }
    }
    let policy = shipped();
    let mut named: Vec<String> = policy
        .tables
        .iter()
        .map(|entry| {
            format!("{} {}.{}", entry.system.as_deref().unwrap(), entry.table.schema.raw(), entry.table.name.raw())
        })
        .collect();
    made.sort();
    named.sort();
    assert_eq!((made.len(), made), (10, named));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), like in "[a-z:{}\\[\\] \\n,0-9%.]{0,60}") {
        let _ = read_one(&text);
        let _ = read_one(&like);
        let _ = read_one(&format!("tables: {{public.a: {{key: at, every: {like}, keep: {like}, rails: {like}}}}}"));
    }
}

//! What a person reads when the entry of a table is wrong.

use super::tests::read_one;
use crate::error::Kind;

pub(super) fn refused(text: &str) -> String {
    let failure = read_one(text).unwrap_err();
    assert_eq!(failure.what(), Kind::Invalid, "{text}");
    failure.to_string()
}

pub(super) fn all(texts: &[String]) -> String {
    texts.iter().map(|text| refused(text)).collect::<Vec<_>>().join("\n\n")
}

/// A table whose entry is right but for these keys.
fn tables(entries: &[&str]) -> String {
    let text = |entry: &&str| format!("tables:\n  public.a: {{key: at, every: month, timezone: UTC, {entry}}}\n");
    all(&entries.iter().map(text).collect::<Vec<_>>())
}

#[test]
fn keys_that_are_not_known_or_missing() {
    insta::assert_snapshot!(all(&[
        "tabels: {}\n".to_owned(),
        "version: 2\n".to_owned(),
        "tables:\n  public.a: {kee: at, every: month, timezone: UTC}\n".to_owned(),
        "tables:\n  public.a:\n".to_owned(),
        "# nothing\n".to_owned(),
        "tables:\n  - public.a\n".to_owned(),
    ]), @r#"
    error: partitions.yaml:1:1: unknown key 'tabels'
     --> partitions.yaml:1:1
      |
    1 | tabels: {}
      | ^^^^^^ did you mean 'tables'?

    error: partitions.yaml:1:10: version: '2' is not known: this dbctl reads version: 1
     --> partitions.yaml:1:10
      |
    1 | version: 2
      |          ^ here

    error: partitions.yaml has 2 mistakes
     --> partitions.yaml:2:3
      |
    2 |   public.a: {kee: at, every: month, timezone: UTC}
      |   ^^^^^^^^ tables.public.a: key is missing; add key: the column that the table is partitioned by, by range

     --> partitions.yaml:2:14
      |
    2 |   public.a: {kee: at, every: month, timezone: UTC}
      |              ^^^ unknown key 'kee' in tables.public.a; did you mean 'key'?

    error: partitions.yaml has 2 mistakes
     --> partitions.yaml:2:3
      |
    2 |   public.a:
      |   ^^^^^^^^ tables.public.a: key is missing; add key: the column that the table is partitioned by, by range

     --> partitions.yaml:2:3
      |
    2 |   public.a:
      |   ^^^^^^^^ tables.public.a: every is missing; add every: the width of a partition: month, 3 months, 15 days; a plain number counts values of the key

    error: partitions.yaml names no table
    hint: add tables: {public.events: {key: created_at, every: month, timezone: UTC}}

    error: partitions.yaml:1:1: tables: expected keys with values, found a list
     --> partitions.yaml:1:1
      |
    1 | tables:
      | ^^^^^^ here
    "#);
}

#[test]
fn many_mistakes_are_shown_at_once() {
    insta::assert_snapshot!(refused("\
defaults:
  timezone: America/Sao_Paolo
  lock: { timeout: 0, backoff: 5s..1s }
tables:
  messages: { key: at, every: month }
  public.a: { key: at, every: monthly, ahead: some, keep: 1 fortnight, expire: dorp }
"), @r#"
    error: partitions.yaml has 8 mistakes
     --> partitions.yaml:2:13
      |
    2 |   timezone: America/Sao_Paolo
      |             ^^^^^^^^^^^^^^^^^ defaults.timezone: there is no time zone 'America/Sao_Paolo'; did you mean 'America/Sao_Paulo'?

     --> partitions.yaml:3:20
      |
    3 |   lock: { timeout: 0, backoff: 5s..1s }
      |                    ^ defaults.lock.timeout: 0 would be no limit at all: write it like 50ms

     --> partitions.yaml:3:32
      |
    3 |   lock: { timeout: 0, backoff: 5s..1s }
      |                                ^^^^^^ defaults.lock.backoff: '5s..1s' begins with the longer pause: write it like 200ms..5s

     --> partitions.yaml:5:3
      |
    5 |   messages: { key: at, every: month }
      |   ^^^^^^^^ 'messages' has no schema in front: write public.messages

     --> partitions.yaml:6:31
      |
    6 |   public.a: { key: at, every: monthly, ahead: some, keep: 1 fortnight, expire: dorp }
      |                               ^^^^^^^ tables.public.a.every: 'monthly' is not a grid: write one of hour, day, week, month, quarter, year, a number of them such as 3 months, or a plain number of values

     --> partitions.yaml:6:47
      |
    6 |   public.a: { key: at, every: monthly, ahead: some, keep: 1 fortnight, expire: dorp }
      |                                               ^^^^ tables.public.a.ahead: 'some' does not say how far ahead: write 3 (periods), 90 days, or never

     --> partitions.yaml:6:59
      |
    6 |   public.a: { key: at, every: monthly, ahead: some, keep: 1 fortnight, expire: dorp }
      |                                                           ^^^^^^^^^^^ tables.public.a.keep: '1 fortnight' is not a span of time: unknown unit 'fortnight'; write it like 12 months, 90 days, 1 year 6 months, 36h or P1Y6M

     --> partitions.yaml:6:80
      |
    6 |   public.a: { key: at, every: monthly, ahead: some, keep: 1 fortnight, expire: dorp }
      |                                                                                ^^^^ tables.public.a.expire: unknown word 'dorp'; did you mean 'drop'?
    "#);
}

#[test]
fn grids_and_zones() {
    insta::assert_snapshot!(all(&[
        "tables:\n  public.a: {key: at, every: hour}\n".to_owned(),
        "tables:\n  public.a: {key: at, every: day, timezone: Sao Paulo}\n".to_owned(),
        "tables:\n  public.a: {key: at, every: day, timezone: '-03:00'}\n".to_owned(),
        "tables:\n  public.a: {key: at, every: 0 hours, timezone: UTC}\n".to_owned(),
        "tables:\n  public.a: {key: at, every: 36 minutes, timezone: UTC}\n".to_owned(),
        "tables:\n  public.a: {key: id, every: 1000, origin: 2025-01-01, from: 2025-01-01, keep: 90 days, expire: drop}\n".to_owned(),
        "tables:\n  public.a: {key: id, every: 1000, ahead: 90 days}\n".to_owned(),
        "tables:\n  public.a: {key: id, every: 1000, codec: uuidv7}\n".to_owned(),
        "tables:\n  public.a: {key: id, every: day, timezone: UTC, codec: epoch_sec}\n".to_owned(),
    ]), @r#"
    error: partitions.yaml:2:3: tables.public.a: timezone is missing: it decides when a day begins
     --> partitions.yaml:2:3
      |
    2 |   public.a: {key: at, every: hour}
      |   ^^^^^^^^ add timezone: UTC here or under defaults

    error: partitions.yaml:2:45: tables.public.a.timezone: there is no time zone 'Sao Paulo'
     --> partitions.yaml:2:45
      |
    2 |   public.a: {key: at, every: day, timezone: Sao Paulo}
      |                                             ^^^^^^^^^ did you mean 'America/Sao_Paulo'?

    error: partitions.yaml:2:45: tables.public.a.timezone: there is no time zone '-03:00'
     --> partitions.yaml:2:45
      |
    2 |   public.a: {key: at, every: day, timezone: '-03:00'}
      |                                             ^^^^^^^^ write an IANA name such as UTC or America/Sao_Paulo

    error: partitions.yaml:2:30: tables.public.a.every: '0 hours' has no width; write one of hour, day, week, month, quarter, year, a number of them such as 3 months, or a plain number of values
     --> partitions.yaml:2:30
      |
    2 |   public.a: {key: at, every: 0 hours, timezone: UTC}
      |                              ^^^^^^^ here

    error: partitions.yaml:2:30: tables.public.a.every: '36 minutes' is not a grid: write one of hour, day, week, month, quarter, year, a number of them such as 3 months, or a plain number of values
     --> partitions.yaml:2:30
      |
    2 |   public.a: {key: at, every: 36 minutes, timezone: UTC}
      |                              ^^^^^^^^^^ here

    error: partitions.yaml has 3 mistakes
     --> partitions.yaml:2:36
      |
    2 |   public.a: {key: id, every: 1000, origin: 2025-01-01, from: 2025-01-01, keep: 90 days, expire: drop}
      |                                    ^^^^^^ tables.public.a.origin: a plain number of values has no days; remove it: such a grid begins at 0

     --> partitions.yaml:2:56
      |
    2 |   public.a: {key: id, every: 1000, origin: 2025-01-01, from: 2025-01-01, keep: 90 days, expire: drop}
      |                                                        ^^^^ tables.public.a.from: a plain number of values has no days; remove it

     --> partitions.yaml:2:80
      |
    2 |   public.a: {key: id, every: 1000, origin: 2025-01-01, from: 2025-01-01, keep: 90 days, expire: drop}
      |                                                                                ^^^^^^^ tables.public.a.keep: 90 days is time, but every counts values of the key; write a number of values, or every: month with the codec that says how the key stands for time

    error: partitions.yaml:2:43: tables.public.a.ahead: 90 days is time, but every counts values of the key
     --> partitions.yaml:2:43
      |
    2 |   public.a: {key: id, every: 1000, ahead: 90 days}
      |                                           ^^^^^^^ write a number of periods: ahead: 3

    error: partitions.yaml:2:43: tables.public.a.codec: it says how the key stands for time, but every: 1000 counts values; write every: month
     --> partitions.yaml:2:43
      |
    2 |   public.a: {key: id, every: 1000, codec: uuidv7}
      |                                           ^^^^^^ here

    error: partitions.yaml:2:57: tables.public.a.codec: 'epoch_sec' is not a codec: did you mean 'epoch_s'? one of epoch_s, epoch_ms, epoch_us, epoch_ns, uuidv7, snowflake or snowflake(EPOCH)
     --> partitions.yaml:2:57
      |
    2 |   public.a: {key: id, every: day, timezone: UTC, codec: epoch_sec}
      |                                                         ^^^^^^^^^ here
    "#);
}

#[test]
fn what_is_kept_and_what_happens_then() {
    insta::assert_snapshot!(tables(&[
        "keep: 12 months",
        "expire: drop",
        "after_expire: [SELECT 1]",
        "keep: 12, expire: drop",
        "keep: 0 days, expire: drop",
        "keep: 6m, expire: drop",
        "keep: 12 months, expire: archive",
        "keep: 12 months, expire: {archive: colt, then: drop}",
        "keep: 12 months, expire: {move: old, attach: public.b}",
        "keep: 12 months, expire: {attach: public.a}",
        "from: 2025-13-01",
    ]), @r#"
    error: partitions.yaml:2:52: tables.public.a: nothing says what happens to what has expired
     --> partitions.yaml:2:52
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, keep: 12 months}
      |                                                    ^^^^ add expire: drop, detach, {move: SCHEMA}, {attach: SCHEMA.TABLE} or {archive: NAME, then: drop}

    error: partitions.yaml:2:52: tables.public.a.expire: without keep nothing ever expires
     --> partitions.yaml:2:52
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, expire: drop}
      |                                                    ^^^^^^ add keep: 12 months, or remove expire

    error: partitions.yaml:2:52: tables.public.a.after_expire: without keep nothing ever expires
     --> partitions.yaml:2:52
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, after_expire: [SELECT 1]}
      |                                                    ^^^^^^^^^^^^ remove after_expire, or add keep and expire

    error: partitions.yaml:2:58: tables.public.a.keep: 12 of what? periods of time are kept by time
     --> partitions.yaml:2:58
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, keep: 12, expire: drop}
      |                                                          ^^ write 12 months, or 12 days

    error: partitions.yaml:2:58: tables.public.a.keep: 0 would keep nothing; write it like 90 days
     --> partitions.yaml:2:58
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, keep: 0 days, expire: drop}
      |                                                          ^^^^^^ here

    error: partitions.yaml:2:58: tables.public.a.keep: '6m' is not a span of time: 'm' may be months or minutes: write months or min; write it like 12 months, 90 days, 1 year 6 months, 36h or P1Y6M
     --> partitions.yaml:2:58
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, keep: 6m, expire: drop}
      |                                                          ^^ here

    error: partitions.yaml:2:77: tables.public.a.expire: that needs to know where to
     --> partitions.yaml:2:77
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, keep: 12 months, expire: archive}
      |                                                                             ^^^^^^^ write {archive: NAME, then: drop}

    error: partitions.yaml:2:87: tables.public.a.expire.archive: there is no archive 'colt'
     --> partitions.yaml:2:87
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, keep: 12 months, expire: {archive: colt, then: drop}}
      |                                                                                       ^^^^ add archives: {colt: {to: file:///...}}

    error: partitions.yaml:2:89: tables.public.a.expire: only one of move, attach and archive can be done
     --> partitions.yaml:2:89
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, keep: 12 months, expire: {move: old, attach: public.b}}
      |                                                                                         ^^^^^^ remove one

    error: partitions.yaml:2:86: tables.public.a.expire.attach: that is the table itself
     --> partitions.yaml:2:86
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, keep: 12 months, expire: {attach: public.a}}
      |                                                                                      ^^^^^^^^ here

    error: partitions.yaml:2:58: tables.public.a.from: '2025-13-01' is not a day: write it like 2025-01-31
     --> partitions.yaml:2:58
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, from: 2025-13-01}
      |                                                          ^^^^^^^^^^ here
    "#);
}

#[test]
fn locks_rails_and_runways() {
    insta::assert_snapshot!(tables(&[
        "lock: {timeout: 0}",
        "lock: {backoff: 1s}",
        "rails: {max_drop_fraction: 0.25}",
        "rails: {max_drops: 0}",
        "rails: {protect: [{from: 2025-02-01, to: 2025-01-01}]}",
        "runway: {warn: 10%}",
        "clone: [owner, acl]",
        "child_unique: [a]",
    ]), @r#"
    error: partitions.yaml:2:68: tables.public.a.lock.timeout: 0 would be no limit at all: write it like 50ms
     --> partitions.yaml:2:68
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, lock: {timeout: 0}}
      |                                                                    ^ here

    error: partitions.yaml:2:68: tables.public.a.lock.backoff: '1s' is not a pair of pauses: write it like 200ms..5s
     --> partitions.yaml:2:68
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, lock: {backoff: 1s}}
      |                                                                    ^^ here

    error: partitions.yaml:2:79: tables.public.a.rails.max_drop_fraction: '0.25' is not a share: write it like 25%, from 0% to 100%
     --> partitions.yaml:2:79
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, rails: {max_drop_fraction: 0.25}}
      |                                                                               ^^^^ here

    error: partitions.yaml:2:71: tables.public.a.rails.max_drops: expected a number from 1 to 100000
     --> partitions.yaml:2:71
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, rails: {max_drops: 0}}
      |                                                                       ^ here

    error: partitions.yaml:2:93: tables.public.a.rails.protect.0.to: 2025-01-01 is not after from, 2025-02-01
     --> partitions.yaml:2:93
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, rails: {protect: [{from: 2025-02-01, to: 2025-01-01}]}}
      |                                                                                             ^^^^^^^^^^ to is the first day that is not in it any more

    error: partitions.yaml:2:52: tables.public.a.runway: crit is more than warn
     --> partitions.yaml:2:52
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, runway: {warn: 10%}}
      |                                                    ^^^^^^ check warns first: write warn: 50%, crit: 20%

    error: partitions.yaml:2:67: tables.public.a.clone.1: unknown word 'acl'
     --> partitions.yaml:2:67
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, clone: [owner, acl]}
      |                                                                   ^^^ one of owner, grants, replica_identity, reloptions, tablespace, row_security

    error: partitions.yaml:2:67: tables.public.a.child_unique.0: not a list
     --> partitions.yaml:2:67
      |
    2 |   public.a: {key: at, every: month, timezone: UTC, child_unique: [a]}
      |                                                                   ^ each is a list of columns: [[a], [b, c]]
    "#);
}

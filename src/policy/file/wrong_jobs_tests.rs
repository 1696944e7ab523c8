//! What a person reads when archives, holds, floors and row jobs are wrong, or files do not go together.

use super::tests::env;
use super::wrong_tests::{all, refused};
use super::*;

fn archives(entries: &[&str]) -> String {
    let text =
        |entry: &&str| format!("archives:\n  cold: {{{entry}}}\ntables: {{public.a: {{key: at, every: 100}}}}\n");
    all(&entries.iter().map(text).collect::<Vec<_>>())
}

fn rows(entries: &[&str]) -> String {
    let text = |entry: &&str| format!("defaults: {{timezone: UTC}}\nrows:\n  job: {{table: public.a, {entry}}}\n");
    all(&entries.iter().map(text).collect::<Vec<_>>())
}

fn files(texts: &[(&str, &str)]) -> String {
    let texts = texts.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec()));
    read(texts.collect(), &env()).unwrap_err().to_string()
}

#[test]
fn archives_that_cannot_be_written_to() {
    insta::assert_snapshot!(archives(&[
        "to: /srv/archive",
        "to: 'file://srv/{partition}.csv.zst'",
        "to: 'gs://bucket/{partition}.csv.zst'",
        "to: 'file:///srv/{tabel}/{partition}.csv.zst'",
        "to: 'file:///srv/{table}.csv.zst'",
        "to: 'file:///srv/{partition}_{from}.csv.zst'",
        "to: 'file:///srv/{partition}.csv.gz'",
        "to: 'file:///srv/{partition}.csv.zst', encrypt: [age1x]",
        "to: 'file:///srv/{partition}.csv.zst.age', encrypt: [AGE-SECRET-KEY-1X]",
        "to: 'file:///srv/{partition}.csv.zst.age', encrypt: ['${NOBODY}']",
        "to: 'file:///srv/{partition}.csv.zst', format: parquet, compress: zstd-22, mode: '0644'",
    ]), @r#"
    error: partitions.yaml:2:14: archives.cold.to: '/srv/archive' is not a URL: write file:///srv/archive/... or s3://BUCKET/...
     --> partitions.yaml:2:14
      |
    2 |   cold: {to: /srv/archive}
      |              ^^^^^^^^^^^^ here

    error: partitions.yaml:2:14: archives.cold.to: a file's URL has three slashes and an absolute path: file:///srv/archive/...
     --> partitions.yaml:2:14
      |
    2 |   cold: {to: 'file://srv/{partition}.csv.zst'}
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ here

    error: partitions.yaml:2:14: archives.cold.to: gs is not usable now: only file and s3 are
     --> partitions.yaml:2:14
      |
    2 |   cold: {to: 'gs://bucket/{partition}.csv.zst'}
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ here

    error: partitions.yaml:2:14: archives.cold.to: {tabel} is not known: {db} {schema} {table} {partition} {from:%Y-%m} {to:%Y-%m}
     --> partitions.yaml:2:14
      |
    2 |   cold: {to: 'file:///srv/{tabel}/{partition}.csv.zst'}
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ here

    error: partitions.yaml:2:14: archives.cold.to: partitions would overwrite each other: {partition} is missing
     --> partitions.yaml:2:14
      |
    2 |   cold: {to: 'file:///srv/{table}.csv.zst'}
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ here

    error: partitions.yaml:2:14: archives.cold.to: {from} does not say how the day is written: {from:%Y-%m-%d}
     --> partitions.yaml:2:14
      |
    2 |   cold: {to: 'file:///srv/{partition}_{from}.csv.zst'}
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ here

    error: partitions.yaml:2:14: archives.cold.to: the files are compressed CSV: let it end in .csv.zst
     --> partitions.yaml:2:14
      |
    2 |   cold: {to: 'file:///srv/{partition}.csv.gz'}
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ here

    error: partitions.yaml:2:14: archives.cold.to: the files are encrypted: let it end in .csv.zst.age
     --> partitions.yaml:2:14
      |
    2 |   cold: {to: 'file:///srv/{partition}.csv.zst', encrypt: [age1x]}
      |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ here

    error: partitions.yaml:2:63: archives.cold.encrypt.0: not an age recipient: it begins with age1 (age-keygen prints it), or write ${VARIABLE}
     --> partitions.yaml:2:63
      |
    2 |   cold: {to: 'file:///srv/{partition}.csv.zst.age', encrypt: [AGE-SECRET-KEY-1X]}
      |                                                               ^^^^^^^^^^^^^^^^^ here

    error: partitions.yaml:2:64: the environment variable NOBODY is not set (archives.cold.encrypt.0 needs it)
     --> partitions.yaml:2:64
      |
    2 |   cold: {to: 'file:///srv/{partition}.csv.zst.age', encrypt: ['${NOBODY}']}
      |                                                                ^^^^^^^^^ export NOBODY=... before dbctl runs

    error: partitions.yaml has 3 mistakes
     --> partitions.yaml:2:57
      |
    2 |   cold: {to: 'file:///srv/{partition}.csv.zst', format: parquet, compress: zstd-22, mode: '0644'}
      |                                                         ^^^^^^^ archives.cold.format: unknown word 'parquet'; one of csv

     --> partitions.yaml:2:76
      |
    2 |   cold: {to: 'file:///srv/{partition}.csv.zst', format: parquet, compress: zstd-22, mode: '0644'}
      |                                                                            ^^^^^^^ archives.cold.compress: 'zstd-22' is not known: write zstd-1 (fast) to zstd-19 (small)

     --> partitions.yaml:2:91
      |
    2 |   cold: {to: 'file:///srv/{partition}.csv.zst', format: parquet, compress: zstd-22, mode: '0644'}
      |                                                                                           ^^^^^^ archives.cold.mode: '0644' would let everybody read the archive: write "0600", or "0640" for a group
    "#);
}

#[test]
fn holds_and_floors() {
    insta::assert_snapshot!(all(&[
        "holds:\n  - {id: A, tables: [audit_logs]}\n  - {id: B, tables: [a.b], until: 2027-01-01, reason: x}\n".to_owned(),
        "holds:\n  - {id: A, tables: [a.b], reason: x}\n  - {id: A, tables: [a.c], reason: x}\n".to_owned(),
        "defaults: {timezone: UTC}\nfloors: [{tables: [public.*], at_least: 5 years}]\ntables:\n  public.a: {key: at, every: month, keep: 12 months, expire: drop}\n".to_owned(),
        "defaults: {timezone: UTC}\nrows:\n  a: {table: public.a, age: {column: at, over: 90 days}, action: delete}\n  b: {table: public.a, action: keep, floor: 5 years}\n".to_owned(),
    ]), @r#"
    error: partitions.yaml has 3 mistakes
     --> partitions.yaml:2:5
      |
    2 |   - {id: A, tables: [audit_logs]}
      |     ^^^ holds.0: reason is missing; add reason: why, for those who read the plan

     --> partitions.yaml:2:22
      |
    2 |   - {id: A, tables: [audit_logs]}
      |                      ^^^^^^^^^^ holds.0.tables.0: 'audit_logs' is not schema.table: write public.audit_logs, or *.audit_log* for every schema

     --> partitions.yaml:3:35
      |
    3 |   - {id: B, tables: [a.b], until: 2027-01-01, reason: x}
      |                                   ^^^^^^^^^^ holds.1.until: unknown word '2027-01-01'; one of lifted

    error: partitions.yaml:3:5: the hold A is given twice: partitions.yaml:2 has it as holds.0
     --> partitions.yaml:3:5
      |
    3 |   - {id: A, tables: [a.c], reason: x}
      |     ^^^ remove one

    error: partitions.yaml:4:3: tables.public.a: rows are kept for 12 months, but floors.0 asks for 5 years
     --> partitions.yaml:4:3
      |
    4 |   public.a: {key: at, every: month, keep: 12 months, expire: drop}
      |   ^^^^^^^^ keep: 5 years, or expire: {archive: NAME, then: drop} with an archive that keeps the rest

    error: partitions.yaml:3:3: rows.a: rows are kept for 90 days, but rows.b asks for 5 years
     --> partitions.yaml:3:3
      |
    3 |   a: {table: public.a, age: {column: at, over: 90 days}, action: delete}
      |   ^ age: {over: 5 years}, or action: {move: SCHEMA.TABLE}
    "#);
}

#[test]
fn row_jobs_that_contradict_themselves() {
    insta::assert_snapshot!(rows(&[
        "action: delete",
        "action: anonymise, where: x",
        "action: anonymize, where: x",
        "action: delete, where: x, set: {ip: null}",
        "action: keep, floor: 1 year, where: x",
        "action: keep",
        "action: delete, where: x, once_per_partition: true",
        "action: anonymise, age: {column: at, over: 1 day}, set: {at: null}",
        "action: anonymise, where: x, set: {ip: ip_prefix(24)}",
        "action: anonymise, where: x, set: {ip: hash(my key)}",
        "action: {move: public.a}, where: x",
        "action: delete, where: x, pace: {window: '1-5', max_slot_wal: 2 gigs}",
    ]), @r#"
    error: partitions.yaml:3:3: rows.job: without age and where it takes every row
     --> partitions.yaml:3:3
      |
    3 |   job: {table: public.a, action: delete}
      |   ^^^ add age: {column: created_at, over: 90 days}, or a condition: where: ...

    error: partitions.yaml:3:3: rows.job: anonymise without set changes nothing
     --> partitions.yaml:3:3
      |
    3 |   job: {table: public.a, action: anonymise, where: x}
      |   ^^^ add set: {ip_address: ip_prefix(24, 48)}

    error: partitions.yaml:3:34: rows.job.action: unknown word 'anonymize'
     --> partitions.yaml:3:34
      |
    3 |   job: {table: public.a, action: anonymize, where: x}
      |                                  ^^^^^^^^^ did you mean 'anonymise'?

    error: partitions.yaml:3:52: rows.job.set: set goes with action: anonymise only
     --> partitions.yaml:3:52
      |
    3 |   job: {table: public.a, action: delete, where: x, set: {ip: null}}
      |                                                    ^^^ write action: anonymise, or remove set

    error: partitions.yaml:3:55: rows.job.where: action: keep does nothing, so where has no meaning
     --> partitions.yaml:3:55
      |
    3 |   job: {table: public.a, action: keep, floor: 1 year, where: x}
      |                                                       ^^^^^ remove it

    error: partitions.yaml:3:3: rows.job: action: keep needs to say for how long
     --> partitions.yaml:3:3
      |
    3 |   job: {table: public.a, action: keep}
      |   ^^^ add floor: 5 years

    error: partitions.yaml:3:52: rows.job.once_per_partition: without age no partition is ever closed
     --> partitions.yaml:3:52
      |
    3 |   job: {table: public.a, action: delete, where: x, once_per_partition: true}
      |                                                    ^^^^^^^^^^^^^^^^^^ add age, or remove once_per_partition

    error: partitions.yaml:3:77: rows.job.set: at says how old a row is and cannot be taken away
     --> partitions.yaml:3:77
      |
    3 |   job: {table: public.a, action: anonymise, age: {column: at, over: 1 day}, set: {at: null}}
      |                                                                             ^^^ remove it from set

    error: partitions.yaml:3:65: rows.job.set.ip: 'ip_prefix(24)' is not two numbers of bits, up to 32 and 128: write ip_prefix(24, 48)
     --> partitions.yaml:3:65
      |
    3 |   job: {table: public.a, action: anonymise, where: x, set: {ip: ip_prefix(24)}}
      |                                                                 ^^^^^^^^^^^^^ here

    error: partitions.yaml:3:65: rows.job.set.ip: 'hash(my key)' does not name the environment variable that holds the key: write hash(DBCTL_MASK_KEY)
     --> partitions.yaml:3:65
      |
    3 |   job: {table: public.a, action: anonymise, where: x, set: {ip: hash(my key)}}
      |                                                                 ^^^^^^^^^^^^ here

    error: partitions.yaml:3:34: rows.job.action: that is the table itself
     --> partitions.yaml:3:34
      |
    3 |   job: {table: public.a, action: {move: public.a}, where: x}
      |                                  ^^^^^^^^^^^^^^^ here

    error: partitions.yaml has 2 mistakes
     --> partitions.yaml:3:67
      |
    3 |   job: {table: public.a, action: delete, where: x, pace: {window: '1-5', max_slot_wal: 2 gigs}}
      |                                                                   ^^^^^ rows.job.pace.window: '1-5' is not a time of day: write it like "01:00-05:00"

     --> partitions.yaml:3:88
      |
    3 |   job: {table: public.a, action: delete, where: x, pace: {window: '1-5', max_slot_wal: 2 gigs}}
      |                                                                                        ^^^^^^ rows.job.pace.max_slot_wal: '2 gigs' is not a size: write it like 500MB or 2GB
    "#);
    insta::assert_snapshot!(refused("\
defaults: {timezone: UTC}
tables: {public.a: {key: created_at, every: month}}
rows:
  job: {table: public.a, age: {column: at, over: 1 day}, action: anonymise, set: {ip: null}, once_per_partition: true}
"), @r#"
    error: partitions.yaml:4:3: rows.job: once_per_partition goes by created_at, the partition key, but age by at
     --> partitions.yaml:4:3
      |
    4 |   job: {table: public.a, age: {column: at, over: 1 day}, action: anonymise, set: {ip: null}, once_per_partition: true}
      |   ^^^ write age: {column: created_at, ...}, or remove once_per_partition
    "#);
}

#[test]
fn what_is_given_twice() {
    insta::assert_snapshot!(all(&[
        "tables:\n  public.a: {key: at, every: 10}\n  public.\"a\": {key: at, every: 10}\n".to_owned(),
        "systems:\n  bridge: {tables: {public.a: {key: at, every: 10}}}\ntables: {public.a: {key: at, every: 10}}\n".to_owned(),
        "systems:\n  brige: {tables: {public.a: {key: at, every: 10}}}\n".to_owned(),
    ]), @r#"
    error: partitions.yaml:3:3: tables.public."a" is given twice: partitions.yaml:2 has it as tables.public.a
     --> partitions.yaml:3:3
      |
    3 |   public."a": {key: at, every: 10}
      |   ^^^^^^^^^^ remove one

    error: partitions.yaml:2:21: systems.bridge.tables.public.a is given twice: partitions.yaml:3 has it as tables.public.a
     --> partitions.yaml:2:21
      |
    2 |   bridge: {tables: {public.a: {key: at, every: 10}}}
      |                     ^^^^^^^^ remove one

    error: partitions.yaml:2:3: there is no embedded system 'brige'
     --> partitions.yaml:2:3
      |
    2 |   brige: {tables: {public.a: {key: at, every: 10}}}
      |   ^^^^^ did you mean 'bridge'?
    "#);
    insta::assert_snapshot!(files(&[
        ("p/a.yaml", "defaults: {timezone: UTC}\narchives: {cold: {to: 'file:///x/{partition}.csv.zst'}}\ntables: {public.a: {key: at, every: day}}\n"),
        ("p/b.yaml", "archives: {cold: {to: 'file:///x/{partition}.csv.zst'}}\ntables: {public.a: {key: at, every: day}}\n"),
        ("p/c.yaml", "defaults: {timezone: UTC}\n"),
    ]), @r#"
    error: 2 files have mistakes
    p/b.yaml has 2 mistakes
     --> p/b.yaml:1:12
      |
    1 | archives: {cold: {to: 'file:///x/{partition}.csv.zst'}}
      |            ^^^^ archives.cold is given twice: p/a.yaml:2 has it as archives.cold; remove one

     --> p/b.yaml:2:10
      |
    2 | tables: {public.a: {key: at, every: day}}
      |          ^^^^^^^^ tables.public.a is given twice: p/a.yaml:3 has it as tables.public.a; remove one

    p/c.yaml:1:12: defaults.timezone is given twice: p/a.yaml:1 has it as defaults.timezone
     --> p/c.yaml:1:12
      |
    1 | defaults: {timezone: UTC}
      |            ^^^^^^^^ remove one
    "#);
}

#[test]
fn a_file_that_is_not_there_and_a_folder_without_files() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |path: &Path| {
        let failure = open(path, &env()).unwrap_err();
        assert_eq!(failure.what(), Kind::Invalid);
        failure.to_string().replace(&folder.path().display().to_string(), "DIR")
    };
    insta::assert_snapshot!(refused(folder.path()), @r#"
    error: DIR holds no *.yaml
    hint: --policy FILE names another file, or a folder of them
    "#);
    insta::assert_snapshot!(refused(&folder.path().join("partitions.yaml")), @r#"
    error: cannot read DIR/partitions.yaml
      caused by: No such file or directory (os error 2)
    hint: --policy FILE names another file, or a folder of them
    "#);
}

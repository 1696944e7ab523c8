//! What the config file may say, and what a person reads when it says something else.

use proptest::prelude::*;

use super::*;
use crate::config::Secret;
use crate::config::target::Role;

fn env() -> Env {
    Env::from_iter([("PGPASSWORD", "hunter2 'x'"), ("DB_HOST", "db.example.com"), ("DB_PORT", "6432"), ("YES", "true")])
}

fn read(text: &str) -> Result<ConfigFile> {
    ConfigFile::read(Source::new(Path::new("conf/dbctl.yaml"), text.as_bytes().to_vec())?, &env())
}

fn refused(text: &str) -> String {
    let failure = read(text).unwrap_err();
    assert_eq!(failure.what(), Kind::Invalid);
    failure.to_string()
}

#[test]
fn a_file_may_be_empty() {
    for text in
        ["", "# nothing\n", "---\n", "{}", "targets:\n", "targets:\ndefaults:\n", "\u{feff}targets: {}\n", "null"]
    {
        assert!(read(text).unwrap_or_else(|e| panic!("{text:?}: {e}")).targets.is_empty());
    }
}

#[test]
fn targets_and_defaults_are_read() {
    let file = read(
        "\
targets:
  dev:
    url: postgres://app@localhost/shop
    system: bridge
  prod:
    host: ${DB_HOST}
    port: ${DB_PORT}
    user: app
    dbname: a$$b$c
    password: ${PGPASSWORD}
    sslmode: verify-full
    migrations: sql/shop
    role: replica
    tags: [eu, shop]
    protected: ${YES}
  7:
defaults:
  lock_timeout: 500ms
  statement_timeout: 0
  jobs: 4
  format: json
  progress: false
",
    )
    .unwrap();
    let names: Vec<(&str, Option<usize>)> = file.targets.iter().map(|t| (t.name.as_str(), file.line(t))).collect();
    assert_eq!(names, [("dev", Some(2)), ("prod", Some(5)), ("7", Some(16))]);
    let dev = file.target(0).unwrap();
    assert_eq!(dev.conninfo, Some(Secret::new("postgres://app@localhost/shop")));
    assert_eq!((dev.system.as_deref(), dev.role, dev.protected), (Some("bridge"), Role::Primary, false));
    let prod = file.target(1).unwrap();
    assert_eq!(
        prod.conninfo.as_ref().unwrap().reveal(),
        r"host=db.example.com port=6432 user=app dbname='a$b$c' password='hunter2 \'x\'' sslmode=verify-full"
    );
    assert!(!format!("{file:?}{prod:?}").contains("hunter2"));
    assert_eq!(prod.migrations.as_deref(), Some(Path::new("conf/sql/shop")));
    assert_eq!((prod.role, prod.tags.len(), prod.protected), (Role::Replica, 2, true));
    assert_eq!(file.target(2).unwrap().conninfo, None);
    assert_eq!(file.defaults.lock_timeout, Some(Written { value: Duration::from_millis(500), line: Some(18) }));
    assert_eq!(file.defaults.jobs, Some(Written { value: 4, line: Some(20) }));
    assert_eq!(file.defaults.format, Some(Written { value: Format::Json, line: Some(21) }));
    assert_eq!(file.defaults.progress, Some(Written { value: false, line: Some(22) }));
    assert!(file.defaults.lock_wait.is_none());
}

#[test]
fn a_mistyped_key_is_pointed_at() {
    insta::assert_snapshot!(refused("targets:\n  prod:\n    hots: localhost\n"), @r"
    error: conf/dbctl.yaml:3:5: unknown key 'hots' in targets.prod
     --> conf/dbctl.yaml:3:5
      |
    3 |     hots: localhost
      |     ^^^^ did you mean 'host'?
    ");
}

#[test]
fn a_key_that_resembles_nothing_lists_what_is_known() {
    insta::assert_snapshot!(refused("banana: 1\n"), @r"
    error: conf/dbctl.yaml:1:1: unknown key 'banana'
     --> conf/dbctl.yaml:1:1
      |
    1 | banana: 1
      | ^^^^^^ known here: targets, defaults, migrate, drift, checks, maintain, backup
    ");
}

#[test]
fn all_mistakes_are_shown_at_once() {
    insta::assert_snapshot!(refused("\
targets:
  -prod: {}
  prod:
    url: mydb
    host: localhost
    port: 70000
    sslmode: requier
    tags: eu
    protected: maybe
    role: leader
    system: bridge
    migrations: sql
  prod:
    host: x
  dev:
    dbname: 2026
    user:
    sslmode: verify-ful
"), @r"
    error: conf/dbctl.yaml has 11 mistakes
     --> conf/dbctl.yaml:2:3
      |
    2 |   -prod: {}
      |   ^^^^^ '-prod' cannot be the name of a target; use letters, digits, '_', '-' and '.', not '-' in front

     --> conf/dbctl.yaml:4:10
      |
    4 |     url: mydb
      |          ^^^^ targets.prod.url: not a connection URL; write postgresql://user@host:5432/dbname

     --> conf/dbctl.yaml:5:5
      |
    5 |     host: localhost
      |     ^^^^ targets.prod.host and url exclude each other; keep the URL or the parts

     --> conf/dbctl.yaml:8:11
      |
    8 |     tags: eu
      |           ^^ targets.prod.tags: expected a list, found text

     --> conf/dbctl.yaml:9:16
      |
    9 |     protected: maybe
      |                ^^^^^ targets.prod.protected: expected true or false, found text

      --> conf/dbctl.yaml:10:11
       |
    10 |     role: leader
       |           ^^^^^^ targets.prod.role: unknown word 'leader'; one of primary, replica

      --> conf/dbctl.yaml:11:5
       |
    11 |     system: bridge
       |     ^^^^^^ targets.prod: system and migrations exclude each other; keep one

      --> conf/dbctl.yaml:13:3
       |
    13 |   prod:
       |   ^^^^ targets.prod is given twice; remove one

      --> conf/dbctl.yaml:16:13
       |
    16 |     dbname: 2026
       |             ^^^^ targets.dev.dbname: expected text, found a number; put it in quotes

      --> conf/dbctl.yaml:17:5
       |
    17 |     user:
       |     ^^^^ targets.dev.user: expected text, found nothing; give it a value or remove the key
    hint: 10 are shown, 1 left out
    ");
    insta::assert_snapshot!(refused("\
targets: [a]
defaults:
  lock_timeout: 3
  lock_patience: forever
  jobs: 0
  format: html
  color: yes
  lock_timeout: 3s
  <<: {}
"), @r"
    error: conf/dbctl.yaml has 8 mistakes
     --> conf/dbctl.yaml:1:1
      |
    1 | targets: [a]
      | ^^^^^^^ targets: expected keys with values, found a list

     --> conf/dbctl.yaml:3:17
      |
    3 |   lock_timeout: 3
      |                 ^ defaults.lock_timeout: '3' is not a duration: the unit is missing; write it like 500ms, 3s, 5min, 1h or 7d

     --> conf/dbctl.yaml:4:18
      |
    4 |   lock_patience: forever
      |                  ^^^^^^^ defaults.lock_patience: 'forever' is not a duration: a number is missing; write it like 500ms, 3s, 5min, 1h or 7d

     --> conf/dbctl.yaml:5:9
      |
    5 |   jobs: 0
      |         ^ defaults.jobs: expected a number from 1 to 64

     --> conf/dbctl.yaml:6:11
      |
    6 |   format: html
      |           ^^^^ defaults.format: unknown word 'html'; one of table, json, ndjson, csv, yaml, markdown

     --> conf/dbctl.yaml:7:10
      |
    7 |   color: yes
      |          ^^^ defaults.color: unknown word 'yes'; one of auto, always, never

     --> conf/dbctl.yaml:8:3
      |
    8 |   lock_timeout: 3s
      |   ^^^^^^^^^^^^ defaults.lock_timeout is given twice; remove one

     --> conf/dbctl.yaml:9:3
      |
    9 |   <<: {}
      |   ^^ unknown key '<<' in defaults; merge keys are not read; repeat the keys
    ");
}

#[test]
fn more_mistakes_than_fit_are_counted() {
    let text: String = (0..25).map(|i| format!("key{i}: 1\n")).collect();
    let shown = refused(&text);
    assert!(shown.starts_with("error: conf/dbctl.yaml has 25 mistakes"), "{shown}");
    assert!(shown.ends_with("hint: 10 are shown, 15 left out"), "{shown}");
}

#[test]
fn a_file_full_of_mistakes_or_targets_is_read_in_one_go() {
    // Far beyond what a person writes: what is quadratic here would not end.
    let keys: String = (0..10_000).map(|i| format!("key{i}: 1\n")).collect();
    assert!(refused(&keys).starts_with("error: conf/dbctl.yaml has 10000 mistakes"));
    let targets: String = (0..5_000).map(|i| format!("  t{i}: {{host: h}}\n")).collect();
    assert_eq!(read(&format!("targets:\n{targets}")).unwrap().targets.len(), 5_000);
}

#[test]
fn a_variable_that_is_not_set_matters_to_its_target_only() {
    let file = read(
        "targets:\n  dev: {dbname: x}\n  prod:\n    url: >-\n      postgres://app:pw55@${NOPE}/x\n    user: $NOPE\n",
    );
    // A URL beside a part is wrong whatever the variables say.
    assert!(file.is_err());
    let file =
        read("targets:\n  dev: {dbname: x}\n  prod:\n    url: >-\n      postgres://app:pw55@${NOPE}/x\n").unwrap();
    assert!(file.target(0).is_ok());
    insta::assert_snapshot!(file.target(1).unwrap_err(), @r"
    error: conf/dbctl.yaml:5:27: the environment variable NOPE is not set (targets.prod.url needs it)
     --> conf/dbctl.yaml:5:27
      |
    5 |       postgres://app:****@${NOPE}/x
      |                           ^^^^^^^ export NOPE=... before dbctl runs
    ");
    assert_eq!(file.check().unwrap_err().to_string(), file.target(1).unwrap_err().to_string());
    insta::assert_snapshot!(refused("defaults:\n  lock_timeout: ${NOPE}\n"), @r"
    error: conf/dbctl.yaml:2:17: the environment variable NOPE is not set (defaults.lock_timeout needs it)
     --> conf/dbctl.yaml:2:17
      |
    2 |   lock_timeout: ${NOPE}
      |                 ^^^^^^^ export NOPE=... before dbctl runs
    ");
    insta::assert_snapshot!(refused("targets:\n  x:\n    host: '${A B}'\n"), @r"
    error: conf/dbctl.yaml:3:12: targets.x.host: not a reference to an environment variable
     --> conf/dbctl.yaml:3:12
      |
    3 |     host: '${A B}'
      |            ^^ write ${NAME}, and $${ for the characters themselves
    ");
}

#[test]
fn passwords_do_not_show_in_excerpts() {
    for text in [
        "targets:\n  x: {password: hunter2, hots: y}\n",
        "targets:\n  x: {url: 'postgres://a:hunter2@h/d', hots: y}\n",
        "targets:\n  x:\n    password: 'hunter2\n",
        "targets:\n  x:\n    password: [hunter2]\n",
        "targets:\n  x:\n    password: {hunter2: 1}\n",
        "targets:\n  x:\n    password: hunter2: 1\n",
        "targets:\n  x:\n    password: @hunter2\n",
        "targets:\n  x:\n    password: !hunter2\n",
        "targets:\n  x:\n    url: postgres://a:hunter2@h/${\n",
        "targets:\n  x:\n    url: a:hunter2@h/d\n",
        "targets:\n  x:\n    sslmode: postgres://a:hunter2@h/d\n",
        "targets:\n  x:\n    port: x password=hunter2\n",
        "targets:\n  x:\n    password:\n      @hunter2\n",
        "targets:\n  x:\n    password: >-\n      hunter2\n\t",
        "targets:\n  x:\n    sslmode: a:hunter2@h\n",
        "defaults:\n  lock_timeout: a:hunter2@h\n",
        "targets:\n  x:\n    ? password\n    : - hunter2\n",
    ] {
        let shown = refused(text);
        assert!(!shown.contains("hunter2"), "{text}{shown}");
    }
}

#[test]
fn what_is_no_yaml_is_explained() {
    let broken = [
        "targets:\n\tprod: x\n",
        "targets:\n  prod:\n    url: @x\n",
        "targets:\n  prod:\n    dbname: a: b\n",
        "targets:\n  prod:\n   url: x\n    host: y\n",
        "targets: {\n",
        "a: 1\n---\nb: 2\n",
        "targets: *nobody\n",
        "targets: !tag x\n",
        "targets: \"\\q\"\n",
        "just text",
        "a\0b",
    ];
    insta::assert_snapshot!(broken.map(refused).join("\n\n"), @r#"
    error: conf/dbctl.yaml:2:1: not valid YAML
     --> conf/dbctl.yaml:2:1
      |
    2 |  prod: x
      | ^ a tab; YAML is indented with spaces

    error: conf/dbctl.yaml:3:10: not valid YAML
     --> conf/dbctl.yaml:3:10
      |
    3 |     url: @x
      |          ^ a value cannot start with '@'; put it in quotes

    error: conf/dbctl.yaml:3:14: not valid YAML
     --> conf/dbctl.yaml:3:14
      |
    3 |     dbname: a: b
      |              ^ a second ': ' in one line; put the value in quotes, or check the indentation

    error: conf/dbctl.yaml:4:9: not valid YAML
     --> conf/dbctl.yaml:4:9
      |
    4 |     host: y
      |         ^ a second ': ' in one line; put the value in quotes, or check the indentation

    error: conf/dbctl.yaml:2:1: not valid YAML
     --> conf/dbctl.yaml:2:1
      |
    2 |
      | ^ did not find expected node content, while parsing a flow node

    error: conf/dbctl.yaml: cannot be read: it has more than one document ('---')

    error: conf/dbctl.yaml:1:10: not valid YAML
     --> conf/dbctl.yaml:1:10
      |
    1 | targets: *nobody
      |          ^ an alias (*name) without its anchor (&name)

    error: conf/dbctl.yaml:1:10: not valid YAML
     --> conf/dbctl.yaml:1:10
      |
    1 | targets: !tag x
      |          ^ a tag (!name); put the value in quotes if the ! belongs to it

    error: conf/dbctl.yaml:1:11: not valid YAML
     --> conf/dbctl.yaml:1:11
      |
    1 | targets: "\q"
      |           ^ found unknown escape character, while parsing a quoted scalar at line 1 column 10

    error: conf/dbctl.yaml:1:1: the file: expected keys with values, found text
     --> conf/dbctl.yaml:1:1
      |
    1 | just text
      | ^^^^^^^^^ here

    error: conf/dbctl.yaml:1:1: not valid YAML
     --> conf/dbctl.yaml:1:1
      |
    1 | a b
      | ^ a control character
    "#);
}

#[test]
fn files_that_are_no_text_or_too_large_are_refused() {
    let source = |bytes: Vec<u8>| Source::new(Path::new("dbctl.yaml"), bytes).map(|_| ()).unwrap_err().to_string();
    insta::assert_snapshot!(source(b"targets:\n  d\xe9v:\n".to_vec()), @r"
    error: dbctl.yaml:2: not UTF-8 text
    hint: save the file as UTF-8: iconv -f latin1 -t utf-8 OLD > NEW
    ");
    insta::assert_snapshot!(source(vec![b'#'; (1 << 20) + 1]), @"error: dbctl.yaml is larger than 1 MB");
    insta::assert_snapshot!(refused(&format!("a: {}\n", "[".repeat(5000))), @r"
    error: conf/dbctl.yaml:1:131: not valid YAML
     --> conf/dbctl.yaml:1:131
      |
    1 | ...[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[...
      |                                                           ^ nested too deeply
    ");
    let folder = tempfile::tempdir().unwrap();
    let missing = ConfigFile::open(&folder.path().join("dbctl.yaml"), &env()).unwrap_err();
    let text = missing.to_string().replace(&folder.path().display().to_string(), "");
    insta::assert_snapshot!(text, @r"
    error: cannot read /dbctl.yaml
      caused by: No such file or directory (os error 2)
    hint: --config FILE and DBCTL_CONFIG name another file; 'dbctl init' writes a sample
    ");
    assert_eq!(ConfigFile::open(folder.path(), &env()).unwrap_err().what(), Kind::Invalid);
    // A device that never ends.
    assert_eq!(ConfigFile::open(Path::new("/dev/zero"), &env()).unwrap_err().what(), Kind::Invalid);
}

#[test]
fn aliases_may_share_but_not_explode() {
    let file = read("targets:\n  a: &base\n    host: h\n    dbname: d\n  b: *base\n").unwrap();
    assert_eq!(file.target(0).unwrap().conninfo, file.target(1).unwrap().conninfo);
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (this, last) in "bcdefghi".chars().zip("abcdefgh".chars()) {
        bomb += &format!("{this}: &{this} [{}]\n", vec![format!("*{last}"); 10].join(", "));
    }
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(400_000), vec!["*a"; 20_000].join(", "));
    insta::assert_snapshot!(refused(&bomb).lines().next().unwrap(), @"error: conf/dbctl.yaml: cannot be read: its aliases unfold to more than 4 MB");
    assert!(refused(&long).contains("unfold to more than 4 MB"));
}

#[test]
fn a_password_that_others_can_read_earns_a_note() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dbctl.yaml");
    let notes = |text: &str, mode: u32| {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let notes = ConfigFile::open(&path, &env()).unwrap().notes.join("\n");
        notes.replace(&folder.path().display().to_string(), "conf")
    };
    insta::assert_snapshot!(notes("targets: {a: {url: 'postgres://a:b@c/d'}}", 0o640), @"conf/dbctl.yaml holds a password and other users can read it: chmod 600 conf/dbctl.yaml, or write ${PGPASSWORD} in its place, or use a password file (passfile)");
    assert_ne!(notes("targets: {a: {password: x}}", 0o604), "");
    for (text, mode) in [
        ("targets: {a: {url: 'postgres://a:b@c/d'}}", 0o600),
        ("targets: {a: {url: 'postgres://a:${PGPASSWORD}@c/d'}}", 0o644),
        ("targets: {a: {password: '${PGPASSWORD}'}}", 0o644),
        ("targets: {a: {host: x}}", 0o644),
    ] {
        assert_eq!(notes(text, mode), "", "{text}");
    }
}

#[test]
fn the_file_is_found_here_then_in_the_home_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (cwd, home) = (folder.path().join("work"), folder.path().join("home"));
    let of_user = home.join(".config/dbctl/dbctl.yaml");
    std::fs::create_dir_all(of_user.parent().unwrap()).unwrap();
    std::fs::create_dir_all(&cwd).unwrap();
    let env = Env::from_iter([("HOME", home.to_str().unwrap())]);
    assert_eq!(find(None, &cwd, &env), None);
    std::fs::write(&of_user, "").unwrap();
    assert_eq!(find(None, &cwd, &env), Some(of_user));
    std::fs::write(cwd.join("dbctl.yaml"), "").unwrap();
    assert_eq!(find(None, &cwd, &env), Some(cwd.join("dbctl.yaml")));
    assert_eq!(find(Some(Path::new("other.yaml")), &cwd, &env), Some("other.yaml".into()));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_words(text in any::<String>(), like in "(targets|defaults|url|host|[a-z*&!{}\\[\\]:,$'\"# \n-]){0,40}") {
        for text in [text, like] {
            if let Err(failure) = read(&text) {
                prop_assert_eq!(failure.what(), Kind::Invalid);
                prop_assert!(!failure.to_string().chars().any(|c| c.is_control() && c != '\n'), "{}", failure);
            }
        }
    }

    #[test]
    fn parts_become_a_keyword_string_that_keeps_every_character(value in any::<String>().prop_filter("NUL is no YAML", |v| !v.contains('\0'))) {
        let yaml = serde_yaml::to_string(&serde_json::json!({"targets": {"a": {"dbname": value.replace('$', "$$")}}})).unwrap();
        let conninfo = read(&yaml).unwrap().target(0).unwrap().conninfo.unwrap();
        let written = conninfo.reveal().strip_prefix("dbname=").unwrap();
        let unquoted = written.strip_prefix('\'').and_then(|w| w.strip_suffix('\'')).unwrap_or(written);
        let mut chars = unquoted.chars();
        let mut read_back = String::new();
        while let Some(c) = chars.next() {
            read_back.push(if c == '\\' { chars.next().unwrap() } else { c });
        }
        prop_assert_eq!(read_back, value);
    }
}

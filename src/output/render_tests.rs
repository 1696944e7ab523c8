//! One document through every renderer, and hostile text through all of them.

use chrono::{TimeZone, Utc};
use proptest::prelude::*;

use super::*;

fn sample() -> Document {
    let mut table = Table::new(
        "migrations",
        "no migrations",
        vec![
            Column::new("version", "version"),
            Column::new("name", "name"),
            Column::new("size_bytes", "size"),
            Column::new("took_seconds", "took"),
            Column::new("applied_at", "applied"),
            Column::machine("checksum"),
            Column::new("tags", "tags"),
        ],
    );
    let at = Utc.with_ymd_and_hms(2026, 11, 21, 1, 2, 3).unwrap();
    table.push(vec![
        1_i64.into(),
        "create_orders".into(),
        Value::Bytes(1_288_490_189),
        Value::Seconds(0.34),
        at.into(),
        "17".into(),
        Value::List(vec!["base".into(), "x|y".into()]),
    ]);
    table.push(vec![
        10_i64.into(),
        "add \u{1b}[31mred\u{1b}[0m, \"quoted\" and a name long enough\nto be wrapped".into(),
        Value::Unknown,
        Value::Seconds(f64::NAN),
        Value::None,
        Value::Unknown,
        Value::List(vec![]),
    ]);
    Document::new("migrate.status", 1)
        .fact("target", "target", "prod")
        .fact("standby", "standby", false)
        .fact("lag_bytes", "replay lag", Value::Unknown)
        .fact("ratio", "cache hits", Value::Float(0.9973))
        .table(table)
        .table(Table::new("missing", "nothing is missing", vec![Column::new("version", "version")]))
        .text("sql", "SET lock_timeout = '3s';\nALTER TABLE orders ADD note text;")
        .note("migration 10 was edited after it was applied; run 'dbctl migrate repair --version 10 --reason REASON' once you know why")
}

fn shown(format: Format, color: bool, width: u16) -> String {
    let mut out = Vec::new();
    render(&sample(), format, &Style { color, width }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn table_at_eighty_columns() {
    insta::assert_snapshot!(shown(Format::Table, false, 80), @r#"
    target:      prod
    standby:     no
    replay lag:  UNKNOWN
    cache hits:  0.9973

    version  name                      size    took  applied               tags
    -------  ---------------------  -------  ------  --------------------  ---------
          1  create_orders           1.2 GB  340 ms  2026-11-21 01:02:03Z  base, x|y
         10  add                    UNKNOWN     NaN
             \x1b[31mred\x1b[0m,
             "quoted" and a name
             long enough\nto be
             wrapped

    nothing is missing

    SET lock_timeout = '3s';
    ALTER TABLE orders ADD note text;

    note: migration 10 was edited after it was applied; run 'dbctl migrate repair
          --version 10 --reason REASON' once you know why
    "#);
}

#[test]
fn table_on_a_wide_terminal() {
    insta::assert_snapshot!(shown(Format::Table, false, 160), @r#"
    target:      prod
    standby:     no
    replay lag:  UNKNOWN
    cache hits:  0.9973

    version  name                                                                       size    took  applied               tags
    -------  ----------------------------------------------------------------------  -------  ------  --------------------  ---------
          1  create_orders                                                            1.2 GB  340 ms  2026-11-21 01:02:03Z  base, x|y
         10  add \x1b[31mred\x1b[0m, "quoted" and a name long enough\nto be wrapped  UNKNOWN     NaN

    nothing is missing

    SET lock_timeout = '3s';
    ALTER TABLE orders ADD note text;

    note: migration 10 was edited after it was applied; run 'dbctl migrate repair --version 10 --reason REASON' once you know why
    "#);
}

#[test]
fn a_table_that_cannot_fit_becomes_records() {
    insta::assert_snapshot!(shown(Format::Table, false, 40), @r#"
    target:      prod
    standby:     no
    replay lag:  UNKNOWN
    cache hits:  0.9973

    version:  1
    name:     create_orders
    size:     1.2 GB
    took:     340 ms
    applied:  2026-11-21 01:02:03Z
    tags:     base, x|y

    version:  10
    name:     add \x1b[31mred\x1b[0m,
              "quoted" and a name long
              enough\nto be wrapped
    size:     UNKNOWN
    took:     NaN
    applied:
    tags:

    nothing is missing

    SET lock_timeout = '3s';
    ALTER TABLE orders ADD note text;

    note: migration 10 was edited after it
          was applied; run 'dbctl migrate
          repair --version 10 --reason
          REASON' once you know why
    "#);
}

#[test]
fn colour_changes_no_character() {
    let colored = shown(Format::Table, true, 80);
    assert!(colored.contains("\u{1b}[1m"));
    let sgr = |text: &str| {
        let mut parts = text.split('\u{1b}');
        let first = parts.next().unwrap().to_owned();
        parts.fold(first, |all, part| all + part.split_once('m').unwrap().1)
    };
    assert_eq!(sgr(&colored), shown(Format::Table, false, 80));
}

#[test]
fn json() {
    insta::assert_snapshot!(shown(Format::Json, false, 80), @r#"
    {
      "kind": "migrate.status",
      "version": 1,
      "target": "prod",
      "standby": false,
      "lag_bytes": null,
      "ratio": 0.9973,
      "migrations": [
        {
          "version": 1,
          "name": "create_orders",
          "size_bytes": 1288490189,
          "took_seconds": 0.34,
          "applied_at": "2026-11-21T01:02:03Z",
          "checksum": "17",
          "tags": [
            "base",
            "x|y"
          ]
        },
        {
          "version": 10,
          "name": "add \u001b[31mred\u001b[0m, \"quoted\" and a name long enough\nto be wrapped",
          "size_bytes": null,
          "took_seconds": null,
          "applied_at": null,
          "checksum": null,
          "tags": []
        }
      ],
      "missing": [],
      "sql": "SET lock_timeout = '3s';\nALTER TABLE orders ADD note text;",
      "notes": [
        "migration 10 was edited after it was applied; run 'dbctl migrate repair --version 10 --reason REASON' once you know why"
      ]
    }
    "#);
}

#[test]
fn ndjson() {
    insta::assert_snapshot!(shown(Format::Ndjson, false, 80), @r#"
    {"kind":"migrate.status","version":1,"name":"create_orders","size_bytes":1288490189,"took_seconds":0.34,"applied_at":"2026-11-21T01:02:03Z","checksum":"17","tags":["base","x|y"]}
    {"kind":"migrate.status","version":10,"name":"add \u001b[31mred\u001b[0m, \"quoted\" and a name long enough\nto be wrapped","size_bytes":null,"took_seconds":null,"applied_at":null,"checksum":null,"tags":[]}
    "#);
}

#[test]
fn csv() {
    insta::assert_snapshot!(shown(Format::Csv, false, 80).replace('\u{1b}', "ESC"), @r#"
    version,name,size_bytes,took_seconds,applied_at,checksum,tags
    1,create_orders,1288490189,0.34,2026-11-21T01:02:03Z,17,"base,x|y"
    10,"add ESC[31mredESC[0m, ""quoted"" and a name long enough
    to be wrapped",,,,,
    "#);
}

#[test]
fn yaml() {
    insta::assert_snapshot!(shown(Format::Yaml, false, 80), @r#"
    kind: migrate.status
    version: 1
    target: prod
    standby: false
    lag_bytes: null
    ratio: 0.9973
    migrations:
    - version: 1
      name: create_orders
      size_bytes: 1288490189
      took_seconds: 0.34
      applied_at: 2026-11-21T01:02:03Z
      checksum: '17'
      tags:
      - base
      - x|y
    - version: 10
      name: "add \e[31mred\e[0m, \"quoted\" and a name long enough\nto be wrapped"
      size_bytes: null
      took_seconds: null
      applied_at: null
      checksum: null
      tags: []
    missing: []
    sql: |-
      SET lock_timeout = '3s';
      ALTER TABLE orders ADD note text;
    notes:
    - migration 10 was edited after it was applied; run 'dbctl migrate repair --version 10 --reason REASON' once you know why
    "#);
}

#[test]
fn markdown() {
    insta::assert_snapshot!(shown(Format::Markdown, false, 80), @r#"
    - **target:** prod
    - **standby:** no
    - **replay lag:** UNKNOWN
    - **cache hits:** 0.9973

    | version | name | size | took | applied | tags |
    | ---: | --- | --- | ---: | --- | --- |
    | 1 | create_orders | 1.2 GB | 340 ms | 2026-11-21 01:02:03Z | base, x\|y |
    | 10 | add \\x1b\[31mred\\x1b\[0m, "quoted" and a name long enough\\nto be wrapped | UNKNOWN | NaN |  |  |

    nothing is missing

    ```
    SET lock_timeout = '3s';
    ALTER TABLE orders ADD note text;
    ```

    > note: migration 10 was edited after it was applied; run 'dbctl migrate repair --version 10 --reason REASON' once you know why
    "#);
}

#[test]
fn without_a_table_the_facts_are_the_row() {
    let document = Document::new("config.check", 1).fact("path", "file", "a,b").fact("ok", "ok", true);
    let print = |format| {
        let mut out = Vec::new();
        render(&document, format, &Style { color: false, width: 80 }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(print(Format::Csv), "path,ok\r\n\"a,b\",true\r\n");
    insta::assert_snapshot!(print(Format::Ndjson), @r#"{"kind":"config.check","version":1,"path":"a,b","ok":true,"notes":[]}"#);
    assert_eq!(print(Format::Table), "file:  a,b\nok:    yes\n");
}

#[test]
fn an_empty_document_prints_nothing_for_a_person() {
    let mut out = Vec::new();
    render(&Document::new("x", 1), Format::Table, &Style { color: false, width: 80 }, &mut out).unwrap();
    assert!(out.is_empty());
}

#[test]
fn a_cell_of_a_megabyte_is_wrapped() {
    let mut table = Table::new("t", "", vec![Column::new("query", "query"), Column::new("n", "n")]);
    table.push(vec!["SELECT ".repeat(150_000).into(), 1_i64.into()]);
    let document = Document::new("x", 1).table(table);
    let mut out = Vec::new();
    render(&document, Format::Table, &Style { color: false, width: 80 }, &mut out).unwrap();
    assert!(String::from_utf8(out).unwrap().lines().all(|line| line.len() <= 80));
}

/// One text in every place where a server's text can stand.
fn everywhere(texts: &[String]) -> Document {
    let columns = vec![
        Column::new("a", "first column"),
        Column::new("b", "b"),
        Column::new("size_bytes", "size"),
        Column::new("at", "at"),
    ];
    let mut table = Table::new("rows", "none", columns);
    for text in texts {
        let at = Utc.with_ymd_and_hms(2026, 11, 21, 1, 2, 3).unwrap();
        table.push(vec![text.as_str().into(), Value::List(texts.to_vec()), Value::Bytes(123_456_789), at.into()]);
    }
    let text = texts.concat();
    Document::new("x", 1).fact("fact", "a fact", text.as_str()).table(table).note(text)
}

/// How many cells of a terminal a line takes.
fn cells(line: &str) -> usize {
    let mut table = comfy_table::Table::new();
    table.force_no_tty().add_row([line]);
    table.column_max_content_widths()[0].into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_line_is_wider_than_the_terminal(texts in prop::collection::vec(any::<String>(), 1..4), words in "[a-z ]{0,300}", width in 40_u16..=200) {
        let mut texts = texts;
        texts.push(words);
        let mut out = Vec::new();
        render(&everywhere(&texts), Format::Table, &Style { color: false, width }, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for line in text.lines() {
            prop_assert!(cells(line) <= usize::from(width), "{} > {width}: {line:?}", cells(line));
            prop_assert!(!line.chars().any(char::is_control));
        }
    }

    #[test]
    fn machine_formats_give_back_every_text(texts in prop::collection::vec(any::<String>(), 1..4)) {
        let document = everywhere(&texts);
        let print = |format| {
            let mut out = Vec::new();
            render(&document, format, &Style { color: false, width: 80 }, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let json: serde_json::Value = serde_json::from_str(&print(Format::Json)).unwrap();
        let yaml: serde_json::Value = serde_yaml::from_str(&print(Format::Yaml)).unwrap();
        prop_assert_eq!(&json, &yaml);
        prop_assert_eq!(json["fact"].as_str().unwrap(), texts.concat());
        let lines = print(Format::Ndjson);
        let printed = print(Format::Csv);
        let mut csv = csv::Reader::from_reader(printed.as_bytes());
        for (((text, line), row), object) in texts.iter().zip(lines.lines()).zip(csv.records()).zip(json["rows"].as_array().unwrap()) {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            prop_assert_eq!(line["a"].as_str().unwrap(), text);
            prop_assert_eq!(object["a"].as_str().unwrap(), text);
            prop_assert_eq!(&row.unwrap()[0], text);
        }
        prop_assert_eq!(lines.lines().count(), texts.len());
        prop_assert!(!print(Format::Json).chars().any(|c| c != '\n' && c.is_control()));
    }

    #[test]
    fn markdown_keeps_its_columns(texts in prop::collection::vec(any::<String>(), 1..4)) {
        let mut out = Vec::new();
        render(&everywhere(&texts), Format::Markdown, &Style { color: false, width: 80 }, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for row in text.lines().filter(|line| line.starts_with('|')) {
            prop_assert_eq!(row.replace("\\\\", "").replace("\\|", "").matches('|').count(), 5, "{}", row);
        }
    }
}

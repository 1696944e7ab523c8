//! Every type there is, out and back in every form.

use super::{ENDINGS, Folder, export, import, json, rows};
use crate::archive::zoo::ZOO;
use crate::harness::{Database, majors};

const TABLE: &str = r#""Odd ""schema"."Zoo""#;
const COPY: &str = r#""Odd ""schema".copy"#;

/// What JSON gets wrong where nobody takes care.
const JSON: &str = r#"
CREATE TABLE public.j (id int PRIMARY KEY, jb jsonb, js json, n numeric, i bigint, r8 float8, r4 float4, vs jsonb[], t text[]);
INSERT INTO public.j (id, jb, js) VALUES
(1, NULL, NULL), (2, 'null', 'null'), (3, '{"$json": "1"}', '{"$json": "null"}'), (4, '{"\u0024json": 1, "x": 2}', '{"\u0024json": "1"}'),
(5, '"\"\\\n\u2028😀"', E' {"a" : 1,\n\t"a":\r\n"\\u0000" } '), (6, '"text"', '"text"'), (7, '[null]', '[1.50, 1e400]'), (8, '1.500', '-0'),
(9, 'true', '{"deep": {"$json": "2"}}'), (10, '{}', '""');
INSERT INTO public.j (id, n, i, r8, r4) VALUES
(20, '123456789012345678901234567890.123456789000', 9223372036854775807, 0.1, 0.1), (21, 'NaN', -9223372036854775808, 'NaN', 'Infinity'),
(22, 1e100, 9007199254740993, '-0', '-Infinity'), (23, '0.00', 0, 5e-324, 1e-45), (24, NULL, NULL, 1.7976931348623157e308, 3.4028235e38);
INSERT INTO public.j (id, vs, t) VALUES
(30, ARRAY['null', NULL, '{"a":1}']::jsonb[], ARRAY[E'a\\b', '"', NULL, E'\n', 'null', '']), (31, '{}', '{}'),
(32, NULL, '[2:3]={a,b}'), (33, NULL, '{{a,b},{c,d}}');
"#;

#[test]
fn every_type_comes_back_in_every_form_on_every_major() {
    for major in majors() {
        let db = Database::on(major);
        db.sql(ZOO);
        let from = rows(&db, TABLE);
        for ending in ENDINGS {
            let folder = Folder::new();
            let file = folder.path(&format!("zoo.{ending}"));
            export(&db, &["--table", TABLE, "--to", &file]).expect_code(0);
            db.sql(&format!(
                "DROP TABLE IF EXISTS {COPY}; \
                 CREATE TABLE {COPY} (LIKE {TABLE} INCLUDING GENERATED INCLUDING IDENTITY INCLUDING CONSTRAINTS)"
            ));
            let done = import(&db, &["--from", &file, "--into", COPY]).expect_code(0);
            assert_eq!(rows(&db, COPY), from, "{ending} on {major}");
            let told = json(&done);
            assert_eq!((&told["proven"], &told["stored"]), (&true.into(), &from.len().into()), "{told}");
        }
    }
}

#[test]
fn what_json_gets_wrong_comes_back_on_every_major() {
    for major in majors() {
        let db = Database::on(major);
        db.sql(JSON);
        let from = rows(&db, "public.j");
        for ending in ENDINGS {
            let folder = Folder::new();
            let file = folder.path(&format!("j.{ending}"));
            export(&db, &["--table", "public.j", "--to", &file]).expect_code(0);
            let done = import(&db, &["--from", &file, "--into", "public.copy", "--create"]).expect_code(0);
            assert_eq!(rows(&db, "public.copy"), from, "{ending} on {major}");
            assert_eq!(json(&done)["proven"], true);
            db.sql("DROP TABLE public.copy");
        }
    }
}

#[test]
fn ndjson_reads_as_people_expect() {
    let db = Database::new();
    db.sql(
        "CREATE TABLE public.t (id bigint, n numeric, at timestamptz, b bytea, f float8, j jsonb, tags text[], ok bool, r int4range); \
         INSERT INTO public.t VALUES (9007199254740993, 1.50, '2025-03-01 12:00+02', '\\x00ff', 'NaN', '{\"a\": [1, null]}', '{x,NULL}', true, '[1,3)')",
    );
    let out = export(&db, &["--table", "public.t", "--to", "-"]).expect_code(0).stdout;
    let wanted = r#"{"id":9007199254740993,"n":1.50,"at":"2025-03-01T10:00:00+00:00","b":"\\x00ff","f":"NaN","j":{"a": [1, null]},"tags":["x",null],"ok":true,"r":"[1,3)"}"#;
    assert_eq!(out, format!("{wanted}\n"));
}

#[test]
fn empty_and_odd_tables_come_back_too() {
    let db = Database::new();
    db.sql(
        "CREATE TABLE public.no_rows (id int, note text); CREATE TABLE public.one_null (note text); \
         INSERT INTO public.one_null VALUES (NULL), (''), (NULL), (E'\\n'), ('\\N'), ('\\.'); \
         CREATE TABLE public.named (r int, j int, l int, doc int, line int); INSERT INTO public.named VALUES (1, 2, 3, 4, 5); \
         CREATE TABLE public.wide (); CREATE TABLE public.parts (at date, n int) PARTITION BY RANGE (at); \
         CREATE TABLE public.p1 PARTITION OF public.parts FOR VALUES FROM ('2025-01-01') TO ('2025-02-01'); \
         CREATE TABLE public.p2 PARTITION OF public.parts FOR VALUES FROM ('2025-02-01') TO ('2025-03-01'); \
         INSERT INTO public.parts VALUES ('2025-01-31', 1), ('2025-02-01', 2)",
    );
    let columns: Vec<String> = (1..=300).map(|n| format!("ADD c{n} int DEFAULT {n}")).collect();
    db.sql(&format!("ALTER TABLE public.wide {}; INSERT INTO public.wide DEFAULT VALUES", columns.join(", ")));
    for table in ["no_rows", "one_null", "named", "wide", "parts"] {
        let table = format!("public.{table}");
        let from = rows(&db, &table);
        for ending in ENDINGS {
            let folder = Folder::new();
            let file = folder.path(&format!("f.{ending}"));
            export(&db, &["--table", &table, "--to", &file]).expect_code(0);
            let told = import(&db, &["--from", &file, "--into", &table, "--truncate", "--yes"]).expect_code(0);
            assert_eq!(json(&told)["proven"], true);
            assert_eq!(rows(&db, &table), from, "{table} as {ending}");
        }
    }
}

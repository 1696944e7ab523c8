//! Every type there is, out and back: the table that comes back is the one that went.

use dbctl::archive::store::Store;
use dbctl::archive::{Identities, Options, content_hash, read_back};
use dbctl::ident::TableName;

use super::{back, encrypted, folder, key, out, run, session};
use crate::harness::{Database, S3, majors};

pub const ZOO: &str = r#"
CREATE SCHEMA "Odd ""schema";
CREATE TYPE public.mood AS ENUM ('sad', 'it''s "ok"', 'happy, very');
CREATE TYPE public.pair AS (a int, b text);
CREATE DOMAIN public.short AS varchar(10) CHECK (length(VALUE) < 9);
CREATE TABLE "Odd ""schema"."Zoo" (
    id bigint GENERATED ALWAYS AS IDENTITY,
    gone int,
    r text, "row" text, "select" text DEFAULT 'x', "a""b, c" text,
    b boolean, i2 smallint, r4 real, r8 double precision, n numeric, n2 numeric(10, 2), m money,
    c char(5), vc varchar(20) COLLATE "C", d public.short, nm name, by bytea, bits bit varying(9),
    dt date, tm time, tmz timetz, ts timestamp, tstz timestamptz, iv interval,
    u uuid, ip inet, net cidr, mac macaddr,
    j json, jb jsonb, x xml, v tsvector, rg regclass,
    ia int[], ta text[], ma int[][], e public.mood, ea public.mood[], p public.pair, pa public.pair[],
    ir int4range, tr tstzrange, mr int4multirange, pt point, bx box,
    g text GENERATED ALWAYS AS ("row" || '!') STORED,
    CONSTRAINT small CHECK (i2 < 32767),
    CONSTRAINT pk PRIMARY KEY (id)
);
CREATE INDEX zoo_partial ON "Odd ""schema"."Zoo" (lower("row")) WHERE b;
ALTER TABLE "Odd ""schema"."Zoo" DROP COLUMN gone;
SET DateStyle = 'ISO'; SET TimeZone = 'America/Sao_Paulo'; SET lc_monetary = 'C';
INSERT INTO "Odd ""schema"."Zoo" (
    r, "row", "select", "a""b, c", b, i2, r4, r8, n, n2, m, c, vc, d, nm, by, bits, dt, tm, tmz, ts, tstz, iv,
    u, ip, net, mac, j, jb, x, v, rg, ia, ta, ma, e, ea, p, pa, ir, tr, mr, pt, bx
) VALUES
('', E'line\nnext\r\nlast\r', '"quoted", ''so''', E'\\N \\. tab\there', true, -32768, 'NaN', '-Infinity', 'NaN', 0.10,
 '-1234.50', 'ab', 'é', 'short', 'n', '\x00ff0a22', '101', 'infinity', '24:00', '12:00+05:30', '-infinity', 'infinity',
 '-1 year 2 days -3.5 seconds', '00000000-0000-0000-0000-000000000001', '::1/64', '10.0.0.0/8', '08:00:2b:01:02:03',
 E'{"a" : 1,\n "a": "\\u0000x"}', '{"k": [1.50, null, "é"]}', '<a>1</a>text', 'a:1 b', 'pg_catalog.pg_class', '{}',
 ARRAY['', NULL, 'NULL', '"', E'\\', '{'], '{{1,2},{3,4}}', 'it''s "ok"', ARRAY['sad', NULL]::public.mood[],
 ROW(1, E'a,"b"\n'), ARRAY[ROW(NULL, '')::public.pair], 'empty', '[2025-01-01 00:00-03,)', '{[1,3),[5,)}', '(1.5,-2)', '((0,0),(1,1))'),
(E'\\.', E'\\.', 'NULL', E'a\n\\.\nb', false, 1, '1e-37', '0.1', 'Infinity', NULL, NULL, '     ', E'\U0001F600 \u200B',
 NULL, '', '', '', '0044-03-15 BC', '00:00', '00:00-15:59', '0001-01-01 BC', '1914-01-01 12:00:00.000001+00', '0', NULL,
 '192.168.0.1', '::/0', NULL, 'null', 'null', NULL, '', NULL, '[0:1]={7,8}', '{}', NULL, 'sad', '{}', ROW(NULL, NULL),
 '{}', '[1,10]', '(,)', '{}', NULL, NULL);
INSERT INTO "Odd ""schema"."Zoo" DEFAULT VALUES;
INSERT INTO "Odd ""schema"."Zoo" (n, r8, "row", jb) SELECT i * 1.10, random(), repeat('x', i), jsonb_build_object('i', i)
FROM generate_series(1, 300) AS i;
-- Types that send themselves alike everywhere.
CREATE DOMAIN public.shorter AS public.short;
CREATE DOMAIN public.scores AS real[] CHECK (cardinality(VALUE) < 5);
CREATE TABLE "Odd ""schema".simple AS SELECT
    id, r, "row", "select", "a""b, c", b, i2, r4, r8, n, n2, m, c, vc, d, d::public.shorter AS d2, nm, by, bits,
    dt, tm, tmz, ts, tstz, u, ip, net, mac, j, jb, ia, ta, ma, e,
    'x'::"char" AS ch, 16::oid AS o, B'10'::bit(2) AS fixed, mac::macaddr8 AS mac8,
    '{1,NULL}'::int[] AS holes, CASE WHEN id > 1 THEN '{NaN,NULL,-0}'::public.scores END AS scores,
    ARRAY[tstz, 'infinity'] AS moments, ARRAY[jb, 'null'] AS documents
FROM "Odd ""schema"."Zoo";
-- Which still claims to hold NULLs, until it is written anew.
UPDATE "Odd ""schema".simple SET holes[2] = 2 WHERE id > 1;
"#;

/// Makes the table of a manifest under another name, restores into it, and compares every row's text.
async fn there_and_back(db: &Database, table: &TableName, store: &Store, options: &Options, identities: &Identities) {
    let exported = out(db, table, store, options).await.unwrap_or_else(|failure| panic!("{failure}"));
    let manifest = exported.manifest;
    let proven = read_back(store, &manifest, identities).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(proven.plain_checked && proven.rows == manifest.rows && proven.bytes == manifest.file.bytes);

    let copy = TableName::new(table.schema.raw(), "copy");
    db.sql(&format!("DROP TABLE IF EXISTS {copy}; {}", manifest.create_table_as(&copy)));
    let restored = back(db, store, &manifest, &copy, identities).await.unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(restored.rows, manifest.rows);
    let rows = |table: &TableName| {
        db.sql(&format!("SELECT (r.*)::text FROM {table} AS r ORDER BY 1"))
            .into_iter()
            .map(|mut row| row.remove(0))
            .collect::<Vec<_>>()
    };
    assert_eq!(rows(&copy), rows(table));
    let of = async |table: &TableName| content_hash(&session(&db.url()).await, table).await.unwrap();
    assert_eq!(of(&copy).await, of(table).await);
    assert_eq!(of(table).await, manifest.content_hash);
}

#[test]
fn every_type_comes_back_as_it_went_on_every_major() {
    for major in majors() {
        let db = Database::on(major);
        db.sql(ZOO);
        let zoo = TableName::new("Odd \"schema", "Zoo");
        let (recipients, identities) = key();
        run(async {
            let (_keep, store) = folder();
            there_and_back(&db, &zoo, &store, &Options::default(), &Identities::default()).await;
            let (_keep, store) = folder();
            there_and_back(&db, &zoo, &store, &encrypted(&recipients), &identities).await;
        });
        // NULL and the empty text stay apart.
        let apart = db.one(r#"SELECT count(*) FROM "Odd ""schema".copy WHERE r = '' OR (r IS NULL AND n IS NULL)"#);
        assert_eq!(apart, "2");
    }
}

#[test]
fn every_type_comes_back_from_s3_and_nobody_reads_it_there() {
    let Some(s3) = S3::start() else { return };
    let db = Database::new();
    db.sql(ZOO);
    let zoo = TableName::new("Odd \"schema", "Zoo");
    let (recipients, identities) = key();
    run(async {
        let plain = Store::open(&s3.url(), &s3.env()).unwrap();
        there_and_back(&db, &zoo, &plain, &Options::default(), &Identities::default()).await;
        let sealed = Store::open(&format!("{}/sealed", s3.url()), &s3.env()).unwrap();
        there_and_back(&db, &zoo, &sealed, &encrypted(&recipients), &identities).await;
        let stored = sealed.read_small("db/t.csv.zst", 1 << 20).await.unwrap().unwrap();
        assert!(stored.starts_with(b"age-encryption.org/v1"));
    });
}

#[test]
fn empty_and_odd_tables_come_back_too() {
    for major in majors() {
        let db = Database::on(major);
        db.sql(
            "CREATE TABLE public.no_rows (id int, note text); \
             CREATE TABLE public.no_columns (); INSERT INTO public.no_columns SELECT FROM generate_series(1, 3); \
             CREATE TABLE public.nothing (); \
             CREATE TABLE public.only_generated (g int GENERATED ALWAYS AS (1) STORED); \
             INSERT INTO public.only_generated SELECT FROM generate_series(1, 2); \
             CREATE TABLE public.one_null (note text); INSERT INTO public.one_null VALUES (NULL), (''), (NULL), (E'\\n'); \
             CREATE TABLE public.parts (at date) PARTITION BY RANGE (at); \
             CREATE TABLE public.part PARTITION OF public.parts FOR VALUES FROM ('2025-01-01') TO ('2025-02-01'); \
             INSERT INTO public.parts VALUES ('2025-01-31')",
        );
        if major >= 18 {
            db.sql(
                "CREATE TABLE public.imagined (i int, g int GENERATED ALWAYS AS (i * 2) VIRTUAL); \
                 INSERT INTO public.imagined VALUES (1), (NULL)",
            );
        }
        let mut names = vec!["no_rows", "no_columns", "nothing", "only_generated", "one_null", "part"];
        names.extend((major >= 18).then_some("imagined"));
        for name in names {
            run(async {
                let (_keep, store) = folder();
                let table = TableName::new("public", name);
                there_and_back(&db, &table, &store, &Options::default(), &Identities::default()).await;
            });
        }
    }
}

#[test]
fn the_quick_hash_is_taken_where_it_says_enough() {
    let db = Database::new();
    db.sql(
        "CREATE TYPE public.mood AS ENUM ('ok'); \
         CREATE TABLE public.plain (id bigint, note varchar(10), at timestamptz, ip inet, j jsonb, tags text[]); \
         CREATE TABLE public.enum (m public.mood[]); CREATE TABLE public.json (j json); \
         CREATE TABLE public.spot (p point)",
    );
    run(async {
        let session = session(&db.url()).await;
        for (table, quick) in [("plain", true), ("enum", false), ("json", false), ("spot", false)] {
            let hash = content_hash(&session, &TableName::new("public", table)).await.unwrap();
            assert_eq!(hash.algorithm.contains("hash_record"), quick, "{table}: {}", hash.algorithm);
            assert_eq!((hash.rows, hash.value.as_str()), (0, "0"));
        }
        // A server that was built without ICU has no such collations.
        let loose = "CREATE COLLATION public.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";
        if db.try_sql(loose).is_ok() {
            db.sql(
                "CREATE TABLE public.loosely (note text COLLATE public.loose); INSERT INTO public.loosely VALUES ('a')",
            );
            let hash = async || content_hash(&session, &TableName::new("public", "loosely")).await.unwrap();
            let before = hash().await;
            db.sql("UPDATE public.loosely SET note = 'A'");
            assert_eq!(before.same_as(&hash().await), Some(false));
        }
    });
}

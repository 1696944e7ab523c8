//! Tables and indexes of many layouts.

/// A name, columns, and what fills them from `g`, 1 to a number of rows.
pub const HEAPS: [(&str, &str, &str, u32); 20] = [
    ("narrow", "a int, b int", "g, g % 7", 40_000),
    ("padded", "a bigint, b int, c bigint, d smallint", "g, g, g, 1", 30_000),
    ("worst", "a bool, b bigint, c bool, d bigint, e bool, f bigint", "true, g, false, g, true, g", 20_000),
    (
        "oltp",
        "id bigint, u uuid, amount numeric(12,2), at timestamptz, status text, note text",
        "g, gen_random_uuid(), (random() * 100000)::numeric(12,2), now(), (ARRAY['new','paid','sent'])[1 + g % 3], repeat('n', g % 40)",
        20_000,
    ),
    ("wide", "id int, t text", "g, repeat(md5(g::text), 10 + g % 20)", 4_000),
    (
        "nulls",
        "id int, a int, b bigint, c text, d timestamptz, e uuid",
        "g, CASE WHEN random() < 0.2 THEN g END, CASE WHEN random() < 0.2 THEN g END, CASE WHEN random() < 0.2 THEN md5(g::text) END, CASE WHEN random() < 0.2 THEN now() END, CASE WHEN random() < 0.2 THEN gen_random_uuid() END",
        30_000,
    ),
    (
        "toasted",
        "id int, t text",
        "g, CASE WHEN g % 16 = 0 THEN (SELECT string_agg(md5((g * i)::text), '') FROM generate_series(1, 150) AS i) ELSE md5(g::text) END",
        20_000,
    ),
    (
        "mixed",
        "id int, t text, u text",
        "g, (SELECT string_agg(md5((g + i)::text), '') FROM generate_series(1, 1 + (hashint4(g) & 63)) AS i), md5(g::text)",
        4_000,
    ),
    ("compressed", "id int, t text", "g, repeat('abcdefgh', 400 + g % 100)", 10_000),
    (
        "json",
        "id int, j jsonb",
        "g, jsonb_build_object('id', g, 'name', md5(g::text), 'tags', ARRAY['a', 'b'], 'n', g % 1000)",
        12_000,
    ),
    ("loose", "id bigint, t text", "g, md5(g::text)", 20_000),
    ("vectors", "id int, v bytea", "g, decode(repeat(md5(g::text), 48), 'hex')", 3_000),
    ("names", "id int, n name, t text", "g, ('n' || g)::name, 'x'", 12_000),
    ("arrays", "id int, a int[], t text[]", "g, ARRAY[g, g + 1, g % 3], ARRAY[md5(g::text), 'x']", 12_000),
    ("short", "id int, c char(1), t varchar(10), s smallint", "g, 'x', 'v' || g % 1000, 3", 30_000),
    ("hashes", "h text, n bigint", "md5(g::text), g", 20_000),
    ("emails", "id int, e text, n numeric, at timestamp", "g, 'person' || g || '@example.com', g * 1.5, now()", 20_000),
    (
        "varied",
        "t text, n bigint, u text",
        "repeat('x', (random() * 60)::int), g, repeat('y', (random() * 60)::int)",
        20_000,
    ),
    ("keys", "a bigint, b bigint, c int, d date", "g % 100, g % 1000, g % 10, date '2026-01-01' + (g % 365)", 30_000),
    ("dropped", "id int, gone text, kept text", "g, repeat('g', 100), md5(g::text)", 20_000),
];

/// Columns of the table of all the indexes, and what fills them.
pub const KEYED: (&str, &str, u32) = (
    "id int, big bigint, few int, several int, many int, u uuid, h text, email text, status text, city text, at timestamptz, day date, amount numeric, flag bool, seldom int, parent int, skewed int, small smallint, f float8, long text",
    "(g * 7919::bigint % 40009)::int, g, g % 100, (random() * 1000)::int, (random() * 10000)::int, gen_random_uuid(), md5(g::text), 'person' || g || '@example.com', (ARRAY['new','paid','sent','lost','found'])[1 + (random() * 4)::int], 'city ' || (random() * 50)::int, timestamptz '2026-01-01' + g * interval '1 minute', date '2026-01-01' + (random() * 365)::int, (random() * 100000)::numeric(12,2), random() < 0.5, CASE WHEN random() < 0.2 THEN g END, CASE WHEN random() < 0.5 THEN (random() * 500)::int END, CASE WHEN random() < 0.5 THEN 1 ELSE g END, (g % 1000)::smallint, random(), repeat(md5(g::text), 3)",
    40_000,
);

/// Names and what follows `ON`, made before the rows were there.
pub const GROWN: [(&str, &str); 8] = [
    ("grown_id", "keyed (id)"),
    ("grown_big", "keyed (big)"),
    ("grown_several", "keyed (several)"),
    ("grown_u", "keyed (u)"),
    ("grown_h", "keyed (h)"),
    ("grown_city", "keyed (city)"),
    ("grown_at", "keyed (at)"),
    ("grown_many", "keyed (many)"),
];

/// The same, made afterwards.
pub const BUILT: [(&str, &str); 27] = [
    ("few", "keyed (few)"),
    ("several", "keyed (several)"),
    ("many", "keyed (many)"),
    ("email", "keyed (email)"),
    ("status", "keyed (status)"),
    ("city", "keyed (city)"),
    ("at_back", "keyed (at DESC)"),
    ("day", "keyed (day)"),
    ("amount", "keyed (amount)"),
    ("flag", "keyed (flag)"),
    ("seldom", "keyed (seldom)"),
    ("parent", "keyed (parent)"),
    ("few_id", "keyed (few, id)"),
    ("few_some", "keyed (few, several)"),
    ("status_day", "keyed (status, day)"),
    ("status_at", "keyed (status, at)"),
    ("lower_email", "keyed (lower(email))"),
    ("id_with", "keyed (id) INCLUDE (amount)"),
    ("few_unfolded", "keyed (few) WITH (deduplicate_items = off)"),
    ("id_loose", "keyed (id) WITH (fillfactor = 70)"),
    ("some_full", "keyed (several) WITH (fillfactor = 100)"),
    ("id_flagged", "keyed (id) WHERE flag"),
    ("skewed", "keyed (skewed)"),
    ("small", "keyed (small)"),
    ("f", "keyed (f)"),
    ("long", "keyed (long)"),
    ("u_id", "keyed (u, id)"),
];

/// Everything of a share of rows that are deleted, in a schema of its own, made.
pub fn make(schema: &str) -> Vec<String> {
    let mut all = vec![format!("CREATE SCHEMA {schema}; SET search_path = {schema}, public")];
    for (name, columns, values, rows) in HEAPS {
        let with = if name == "loose" { " WITH (fillfactor = 70, autovacuum_enabled = off)" } else { "" };
        all.push(format!("CREATE TABLE {name} ({columns}){with}"));
        all.push(format!("INSERT INTO {name} SELECT {values} FROM generate_series(1, {rows}) AS g"));
    }
    all.push("ALTER TABLE dropped DROP COLUMN gone".to_owned());
    let (columns, values, rows) = KEYED;
    all.push(format!("CREATE TABLE keyed ({columns})"));
    all.extend(GROWN.iter().map(|(name, on)| format!("CREATE INDEX {name} ON {on}")));
    all.push(format!("INSERT INTO keyed SELECT {values} FROM generate_series(1, {rows}) AS g"));
    all.extend(BUILT.iter().map(|(name, on)| format!("CREATE INDEX {name} ON {on}")));
    all
}

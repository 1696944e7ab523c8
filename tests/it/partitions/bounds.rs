//! What every server prints of a partition's bound is read as what was asked for, and what is written
//! as a literal is understood by every server in any session.

use chrono_tz::Tz;
use dbctl::ident::Literal;
use dbctl::policy::bounds::{self, Bound, Datum};
use dbctl::policy::calendar::{Axis, Every, Grid, Unit};
use dbctl::policy::key::{Codec, Edge, EpochUnit, Range};

use crate::harness::{Database, Session, majors};

/// As dbctl reads: the zone and the style pinned.
const PINNED: &str = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'";

fn bound(reader: &Session, table: &str) -> Bound {
    let text = reader.one(&format!(
        "SELECT pg_catalog.pg_get_expr(relpartbound, 0) FROM pg_catalog.pg_class WHERE oid = '{table}'::regclass"
    ));
    bounds::parse(&text).unwrap_or_else(|error| panic!("{error}"))
}

fn axis(codec: Codec, zone: &str) -> Axis {
    Axis { codec, zone: zone.parse::<Tz>().unwrap() }
}

fn literal(text: &str) -> Datum {
    Datum::Literal(text.to_owned())
}

/// A table of this type with one partition; what is read of its bound.
fn one_partition(database: &Database, columns: &str, key: &str, clause: &str) -> Bound {
    let writer = database.session();
    writer.sql(&format!(
        "SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'SQL, DMY'; DROP TABLE IF EXISTS t; \
         CREATE TABLE t ({columns}) PARTITION BY {key}; CREATE TABLE p PARTITION OF t {clause}"
    ));
    let reader = database.session();
    reader.sql(PINNED);
    bound(&reader, "p")
}

#[test]
fn bounds_are_read_as_they_were_asked_for() {
    for major in majors() {
        let database = Database::on(major);
        let range = |codec, kind: &str, lower: &str, upper: &str| {
            let clause = format!("FOR VALUES FROM ({lower}) TO ({upper})");
            let bound = one_partition(&database, &format!("k {kind}"), "RANGE (k)", &clause);
            bounds::range(&bound, &axis(codec, "America/Sao_Paulo"))
                .unwrap_or_else(|error| panic!("{major}: {clause}: {error}"))
        };
        let at = |lower, upper| Range::new(Edge::At(lower), Edge::At(upper)).unwrap();
        let (hour, day) = (3_600_000_000, 86_400_000_000);

        // Written in a session in Kathmandu, and with an offset of their own.
        let tz = Codec::Timestamptz;
        assert_eq!(
            range(tz, "timestamptz", "'1970-01-01'", "'1970-01-02 00:00:00-03'"),
            at(-19_800_000_000, day + 3 * hour)
        );
        assert_eq!(
            range(tz, "timestamptz", "'0044-03-15 00:00:00+00 BC'", "'1970-01-01 00:00:00.000001+00'"),
            at(-735_160 * day, 1)
        );
        assert_eq!(
            range(tz, "timestamptz(0)", "'4714-11-24 00:00:00+00 BC'", "'294276-12-31 23:59:59+00'"),
            at(-2_440_588 * day, 9_224_318_015_999_000_000)
        );
        assert_eq!(range(tz, "timestamptz", "'-infinity'", "'infinity'"), Range::new(Edge::Min, Edge::Max).unwrap());
        assert_eq!(
            range(tz, "timestamptz", "MINVALUE", "'12000-01-01 00:00:00+00'"),
            Range::new(Edge::Min, Edge::At(3_663_382 * day)).unwrap()
        );

        assert_eq!(
            range(Codec::Timestamp, "timestamp", "'1969-12-31 23:59:59.5'", "MAXVALUE"),
            Range::new(Edge::At(-500_000), Edge::Max).unwrap()
        );
        assert_eq!(
            range(Codec::Timestamp, "timestamp", "'0001-12-31 BC'", "'10000-01-01'"),
            at(-719_163 * day, 2_932_897 * day)
        );
        assert_eq!(range(Codec::Date, "date", "'4714-11-24 BC'", "'5874897-12-31'"), at(-2_440_588, 2_145_042_905));
        assert_eq!(
            range(Codec::Date, "date", "'2024-02-29'", "'infinity'"),
            Range::new(Edge::At(19_782), Edge::Max).unwrap()
        );

        for kind in ["bigint", "integer", "smallint", "numeric"] {
            assert_eq!(range(Codec::Number, kind, "-5", "'10'"), at(-5, 10), "{major} {kind}");
        }
        let ends = (i128::from(i64::MIN), i128::from(i64::MAX));
        assert_eq!(range(Codec::Number, "bigint", "-9223372036854775808", "9223372036854775807"), at(ends.0, ends.1));
        assert_eq!(
            range(Codec::Epoch(EpochUnit::Seconds), "bigint", "1735689600", "1738368000"),
            at(1_735_689_600, 1_738_368_000)
        );
        assert_eq!(
            range(
                Codec::UuidV7,
                "uuid",
                "'01941F29-7c00-0000-0000-000000000000'",
                "'ffffffff-ffff-ffff-ffff-ffffffffffff'"
            ),
            at(((1_735_689_600_000_i128) << 80) + i128::MIN, i128::MAX)
        );
    }
}

#[test]
fn odd_bounds_are_read_as_they_are() {
    for major in majors() {
        let database = Database::on(major);
        for (columns, key, clause, expected) in [
            (
                "k text",
                "RANGE (k)",
                r"FOR VALUES FROM ('it''s), (') TO (E'z\\''')",
                Some((vec![literal("it's), (")], vec![literal(r"z\'")])),
            ),
            (
                "k text",
                "RANGE (k)",
                "FOR VALUES FROM ('') TO ('MAXVALUE')",
                Some((vec![literal("")], vec![literal("MAXVALUE")])),
            ),
            (
                "k text COLLATE \"C\"",
                "RANGE (k COLLATE \"POSIX\")",
                "FOR VALUES FROM ('A') TO ('é')",
                Some((vec![literal("A")], vec![literal("é")])),
            ),
            (
                "k varchar(9)",
                "RANGE (lower(k))",
                "FOR VALUES FROM ('a') TO ('b')",
                Some((vec![literal("a")], vec![literal("b")])),
            ),
            (
                "k numeric",
                "RANGE (k)",
                "FOR VALUES FROM (-1.50) TO (1e3)",
                Some((vec![literal("-1.50")], vec![literal("1000")])),
            ),
            (
                "k float8",
                "RANGE (k)",
                "FOR VALUES FROM (-1e-9) TO ('NaN')",
                Some((vec![literal("-1e-09")], vec![literal("NaN")])),
            ),
            (
                "k boolean",
                "RANGE (k)",
                "FOR VALUES FROM (false) TO (true)",
                Some((vec![literal("false")], vec![literal("true")])),
            ),
            (
                "k bit(2)",
                "RANGE (k)",
                "FOR VALUES FROM (B'00') TO (B'11')",
                Some((vec![literal("00")], vec![literal("11")])),
            ),
            (
                "k interval",
                "RANGE (k)",
                "FOR VALUES FROM ('1 day') TO ('1 mon')",
                Some((vec![literal("1 day")], vec![literal("1 mon")])),
            ),
            (
                "a text, b bigint, c date",
                "RANGE (a, b, c)",
                "FOR VALUES FROM ('x, y', -1, MINVALUE) TO ('x, y', MAXVALUE, MAXVALUE)",
                Some((vec![literal("x, y"), literal("-1"), Datum::Min], vec![literal("x, y"), Datum::Max, Datum::Max])),
            ),
            ("k bigint", "LIST (k)", "FOR VALUES IN (-1, NULL, 2)", None),
            ("k text", "LIST (k)", "FOR VALUES IN ('a)', 'it''s', 'FROM')", None),
            ("k text", "HASH (k)", "FOR VALUES WITH (MODULUS 4, REMAINDER 3)", None),
            ("k text", "RANGE (k)", "DEFAULT", None),
        ] {
            let found = one_partition(&database, columns, key, clause);
            let expected = match expected {
                Some((lower, upper)) => Bound::Range { lower, upper },
                None if clause == "DEFAULT" => Bound::Default,
                None if clause.contains("WITH") => Bound::Hash,
                None => Bound::List,
            };
            assert_eq!(found, expected, "{major}: {clause}");
        }
    }
}

#[test]
fn literals_mean_the_same_in_every_session() {
    let micros = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros().into();
    let moments: Vec<i128> = vec![
        -2_440_588 * 86_400_000_000,
        -719_163 * 86_400_000_000 - 1,
        micros("0001-01-01T00:00:00Z"),
        micros("1883-11-18T12:00:00.000001Z"),
        micros("1900-01-01T00:00:00Z"),
        micros("1969-12-31T23:59:59.999999Z"),
        micros("2018-11-04T03:00:00Z"),
        micros("2025-10-26T00:30:00Z"),
        micros("2025-10-26T01:30:00Z"),
        micros("9999-12-31T23:00:00Z"),
        9_224_318_015_999_999_999,
    ];
    for major in majors() {
        let database = Database::on(major);
        let session = database.session();
        let reader = database.session();
        reader.sql(PINNED);
        for (codec, kind) in [
            (Codec::Timestamptz, "timestamptz"),
            (Codec::Timestamp, "timestamp"),
            (Codec::Date, "date"),
            (Codec::UuidV7, "uuid"),
            (Codec::Epoch(EpochUnit::Microseconds), "bigint"),
        ] {
            for zone in
                ["UTC", "America/Sao_Paulo", "Asia/Kathmandu", "Africa/Monrovia", "Pacific/Apia", "Europe/Berlin"]
            {
                session.sql(&format!("SET TimeZone = '{zone}'; SET DateStyle = 'German'"));
                for at in moments.iter().filter(|at| kind != "bigint" || i64::try_from(**at).is_ok()) {
                    let at = if codec == Codec::Date { at.div_euclid(86_400_000_000) } else { *at };
                    for policy in ["UTC", "America/Sao_Paulo", "Asia/Tokyo"] {
                        let axis = axis(codec, policy);
                        let literal = axis.literal(at);
                        // Through a table, as the bound goes: one session stores, another prints.
                        session.sql(&format!(
                            "CREATE TABLE IF NOT EXISTS stored_{kind} (k {kind}); TRUNCATE stored_{kind}; \
                             INSERT INTO stored_{kind} VALUES ({})",
                            Literal(&literal)
                        ));
                        let printed = reader.one(&format!("SELECT k::text FROM stored_{kind}"));
                        assert_eq!(axis.parse(&printed), Ok(Edge::At(at)), "{major} {kind}: {literal} is {printed}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_year_of_periods_attaches_without_a_hole() {
    for major in majors() {
        let database = Database::on(major);
        let (session, reader) = (database.session(), database.session());
        session.sql("SET TimeZone = 'Asia/Tokyo'");
        reader.sql(PINNED);
        for (number, (codec, kind)) in [
            (Codec::Timestamptz, "timestamptz"),
            (Codec::Timestamp, "timestamp"),
            (Codec::Date, "date"),
            (Codec::UuidV7, "uuid"),
            (Codec::Epoch(EpochUnit::Seconds), "integer"),
            (Codec::Snowflake { epoch_ms: 1_288_834_974_657 }, "bigint"),
        ]
        .into_iter()
        .enumerate()
        {
            let axis = axis(codec, "America/Sao_Paulo");
            let grid = Grid::new(axis, Every::Time { unit: Unit::Month, count: 1, origin: None }).unwrap();
            let mut lower = grid.floor(axis.of_instant("2018-01-15T00:00:00Z".parse().unwrap()).unwrap()).unwrap();
            session.sql(&format!("CREATE TABLE y{number} (k {kind}) PARTITION BY RANGE (k)"));
            for month in 0..13 {
                let upper = grid.next(lower).unwrap();
                let (from, to) = (axis.literal(lower), axis.literal(upper));
                session.sql(&format!(
                    "CREATE TABLE y{number}_{month} PARTITION OF y{number} FOR VALUES FROM ({}) TO ({})",
                    Literal(&from),
                    Literal(&to)
                ));
                let read = bounds::range(&bound(&reader, &format!("y{number}_{month}")), &axis);
                assert_eq!(read, Ok(Range::new(Edge::At(lower), Edge::At(upper)).unwrap()), "{major} {kind}");
                lower = upper;
            }
        }
    }
}

//! The grid's own names are those that the embedded systems' functions give, and those of `to_char`.

use chrono_tz::Tz;
use dbctl::policy::bounds;
use dbctl::policy::calendar::{Axis, Every, Grid, Unit};
use dbctl::policy::key::{Codec, Edge, Range};
use dbctl::policy::naming::Template;

use crate::harness::{Database, dbctl, majors, run};

const UTC: Axis = Axis { codec: Codec::Timestamptz, zone: Tz::UTC };

fn every(unit: Unit) -> Every {
    Every::Time { unit, count: 1, origin: None }
}

/// The unit that a range is one whole period of.
fn unit_of(range: Range) -> Option<Unit> {
    [Unit::Day, Unit::Month, Unit::Quarter].into_iter().find(|unit| {
        let grid = Grid::new(UTC, every(*unit)).unwrap();
        let Edge::At(lower) = range.lower() else { return false };
        grid.floor(lower) == Some(lower) && grid.next(lower).map(Edge::At) == Some(range.upper())
    })
}

#[test]
fn partitions_are_named_as_the_systems_name_them() {
    for (system, units) in [("bridge", &[Unit::Month, Unit::Quarter][..]), ("fsm", &[Unit::Day, Unit::Month])] {
        let database = Database::new();
        run(dbctl(&["migrate", "up", "--system", system]).env("DATABASE_URL", database.url())).expect_code(0);
        if system == "bridge" {
            database.sql("SELECT create_monthly_partitions()");
        }
        database.sql("SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'");
        let rows = database.sql(
            "SELECT p.relname, c.relname, pg_get_expr(c.relpartbound, 0) FROM pg_inherits AS i \
             JOIN pg_class AS p ON p.oid = i.inhparent JOIN pg_class AS c ON c.oid = i.inhrelid \
             WHERE c.relkind = 'r' AND c.relispartition",
        );
        let mut found = Vec::new();
        for row in rows {
            let [Some(table), Some(partition), Some(bound)] = row.as_slice() else { panic!("{row:?}") };
            let Ok(range) = bounds::range(&bounds::parse(bound).unwrap(), &UTC) else { continue };
            let unit = unit_of(range).unwrap_or_else(|| panic!("{partition} {bound}"));
            assert_eq!(&Template::of(every(unit)).name(table, range, &UTC), partition, "{system} {bound}");
            found.push(unit);
        }
        for unit in units {
            assert!(found.contains(unit), "{system} has no partitions by {unit}: {found:?}");
        }
    }
}

#[test]
fn names_are_those_of_to_char() {
    for major in majors() {
        let database = Database::on(major);
        database.sql("SET TimeZone = 'UTC'");
        for (unit, label) in [
            (Unit::Hour, "_YYYY_MM_DD_HH24"),
            (Unit::Day, "_YYYY_MM_DD"),
            (Unit::Week, "_IYYY_\"w\"IW"),
            (Unit::Month, "_YYYY_MM"),
            (Unit::Quarter, "_YYYY_\"q\"Q"),
            (Unit::Year, "_YYYY"),
        ] {
            let grid = Grid::new(UTC, every(unit)).unwrap();
            for moment in
                ["2020-12-31T23:30:00Z", "2021-01-03T00:00:00Z", "2024-02-29T05:00:00Z", "0987-06-05T04:03:02Z"]
            {
                let lower = grid.floor(UTC.of_instant(moment.parse().unwrap()).unwrap()).unwrap();
                let range = Range::new(Edge::At(lower), Edge::At(grid.next(lower).unwrap())).unwrap();
                let server =
                    database.one(&format!("SELECT 't' || to_char('{}'::timestamptz, '{label}')", UTC.literal(lower)));
                assert_eq!(Template::of(every(unit)).name("t", range, &UTC), server, "{major}");
            }
        }
    }
}

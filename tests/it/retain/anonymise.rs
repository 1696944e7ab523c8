//! Columns are made unable to tell who it was, once: what is masked is recognised, what is no address
//! is left and told, and the key of a hash is seen nowhere.

use dbctl::outcome::Outcome;
use dbctl::retain::Count;

use super::*;
use crate::harness::{majors, private_server};
use dbctl::pg::sandbox::Options;

fn values(db: &Database, column: &str) -> Vec<String> {
    let rows = db.sql(&format!("SELECT {column}::text FROM t ORDER BY id"));
    rows.into_iter().map(|row| row[0].clone().unwrap_or_else(|| "NULL".into())).collect()
}

const ADDRESSES: &str = "('10.1.2.3'), ('10.1.2.3/16'), ('10.1.2.0/24'), (NULL), ('2001:db8:1:2::3'), ('::1'), \
                         ('::ffff:1.2.3.4'), ('255.255.255.255'), ('0.0.0.0')";

#[test]
fn addresses_keep_their_first_bits() {
    for major in majors() {
        let db = Database::on(major);
        db.sql(&format!(
            "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, at timestamptz DEFAULT '2020-01-01', ip inet, net cidr);
             INSERT INTO t (ip) VALUES {ADDRESSES}; UPDATE t SET net = network(ip);
             INSERT INTO t (at, ip) VALUES (now(), '10.9.9.9');"
        ));
        let case = Case::new(&db, anonymise(&[("ip", PREFIX), ("net", PREFIX)]));
        // All but the one that has no more bits than it may keep, and NULL.
        assert_eq!(case.plan().rows, Count::Exact(7), "{major}");
        let report = case.run();
        assert_eq!((report.rows, report.outcome()), (7, Outcome::Done));
        let masked = [
            "10.1.2.0/24",
            "10.1.0.0/16",
            "10.1.2.0/24",
            "NULL",
            "2001:db8:1::/48",
            "::/48",
            "::/48",
            "255.255.255.0/24",
            "0.0.0.0/24",
            "10.9.9.9/32",
        ];
        assert_eq!(values(&db, "ip"), masked);
        assert_eq!(values(&db, "net")[..9], masked[..9]);
        let xmin = "SELECT string_agg(xmin::text, ' ' ORDER BY id) FROM t";
        let before = db.one(xmin);
        assert_eq!(case.run().rows, 0);
        assert_eq!(db.one(xmin), before);
    }
}

#[test]
fn texts_that_are_no_addresses_are_left_and_told() {
    let garbage = [
        "",
        "unknown",
        "10.1.2.3, 10.4.5.6",
        "10.1.2.3:5432",
        "999.1.1.1",
        "1.2.3",
        "010.1.1.1",
        "fe80::1%eth0",
        "1::2::3",
        ":::",
        "10.0.0.1/33",
        "::1/129",
        "g::1",
        " 10.1.2.3",
    ];
    let quoted = garbage.iter().map(|text| format!("('{text}')")).collect::<Vec<_>>().join(", ");
    for major in majors() {
        let db = Database::on(major);
        db.sql(&format!(
            "CREATE DOMAIN address AS varchar(45);
             CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, at timestamptz DEFAULT '2020-01-01', ip address,
                             short varchar(39), fixed char(45));
             INSERT INTO t (ip) VALUES {ADDRESSES}, ('FE80:0:0:0:1:2:3:4'), ('1:2:3:4:5:6:7::'), ('::2:3:4:5:6:7:8'),
                 ('1:2:3:4:5:6:1.2.3.4'), {quoted};
             UPDATE t SET short = ip, fixed = ip;"
        ));
        let case = Case::new(&db, anonymise(&[("ip", PREFIX), ("short", PREFIX), ("fixed", PREFIX)]));
        case.warns("14 old enough rows have text in ip that is not an address");
        let report = case.run();
        assert_eq!((report.rows, report.left), (12, Count::Exact(0)), "{major}");
        let long = values(&db, "ip");
        assert_eq!(
            long[..13],
            [
                "10.1.2.0/24",
                "10.1.0.0/16",
                "10.1.2.0/24",
                "NULL",
                "2001:db8:1::/48",
                "::/48",
                "::/48",
                "255.255.255.0/24",
                "0.0.0.0/24",
                "fe80::/48",
                "1:2:3::/48",
                "0:2:3::/48",
                "1:2:3::/48",
            ]
        );
        assert_eq!(long[13..], garbage);
        let short = values(&db, "short");
        assert_eq!(short[..6], ["10.1.2.0", "10.1.0.0", "10.1.2.0", "NULL", "2001:db8:1::", "::"]);
        assert_eq!(values(&db, "fixed")[0].trim_end(), "10.1.2.0/24");
        assert_eq!(case.run().rows, 0, "{major}");
    }
}

#[test]
fn null_text_and_hash_are_done_once() {
    let db = Database::new();
    db.sql(
        "CREATE TABLE t (id int, at date DEFAULT '2020-01-01', a text, b varchar(80), c text);
         INSERT INTO t (id, a, b, c) VALUES (1, 'x', 'ann@example.org', 'y'), (2, NULL, NULL, NULL), (3, 'x', 'ann@example.org', 'z')",
    );
    let hash = Mask::Hash { secret: "HASH_KEY".into() };
    let case = Case::new(&db, anonymise(&[("a", Mask::Null), ("b", hash), ("c", Mask::Text("gone".into()))]));
    assert_eq!(case.run().rows, 3);
    assert_eq!(values(&db, "a"), ["NULL"; 3]);
    assert_eq!(values(&db, "c"), ["gone"; 3]);
    let hashed = values(&db, "b");
    assert!(hashed[0].starts_with("masked:") && hashed[0].len() == 71 && hashed[0] == hashed[2], "{hashed:?}");
    assert_eq!(hashed[1], "NULL");
    assert_eq!(case.run().rows, 0);
}

#[test]
fn the_key_of_a_hash_is_seen_nowhere() {
    let server =
        private_server(&Options { settings: vec![("log_statement".into(), "none".into())], ..Options::default() });
    let db = Database::at(&server);
    db.sql(
        "CREATE TABLE t (id int, at date DEFAULT '2020-01-01', mail text); INSERT INTO t (id, mail) VALUES (1, 'ann');
         CREATE TABLE seen (query text);
         CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN INSERT INTO seen SELECT query FROM pg_stat_activity; RETURN NEW; END $$;
         CREATE TRIGGER see BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION see();",
    );
    let case = Case::new(&db, anonymise(&[("mail", Mask::Hash { secret: "HASH_KEY".into() })]));
    let plan = case.plan();
    let shown = format!("{plan:?}{:?}", retain::view::plan("db", std::slice::from_ref(&plan)));
    assert!(shown.contains("**** from HASH_KEY") && !shown.contains("tell-nobody"));
    let (report, told) = case.try_run();
    assert_eq!(report.unwrap().rows, 1);
    assert!(!told.join("\n").contains("tell-nobody"));
    assert!(db.one("SELECT count(*) FROM seen WHERE query LIKE '%$4::text%'").parse::<u32>().unwrap() > 0);
    for everything in ["seen", "dbctl.run", "dbctl.journal", "t"] {
        assert_eq!(db.one(&format!("SELECT count(*) FROM {everything} AS x WHERE x::text LIKE '%tell-nobody%'")), "0");
    }
    assert!(!server.log().contains("tell-nobody"));
    let mut without =
        Case::new(&db, anonymise(&[("id", Mask::Null), ("mail", Mask::Hash { secret: "NO_KEY".into() })]));
    without.env = [("HOME", "/nowhere")].into_iter().collect();
    let failure = without.try_run().0.unwrap_err();
    assert!(failure.to_string().contains("variable NO_KEY with the key of its hash is not set"), "{failure}");
    assert_eq!(db.one("SELECT id FROM t"), "1");
}

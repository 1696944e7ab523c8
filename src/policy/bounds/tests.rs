//! Bounds as servers print them, as people write them, and as nobody does.

use chrono_tz::Tz;
use proptest::prelude::*;

use super::*;
use crate::ident::Literal;
use crate::policy::key::Codec;

fn literals(texts: &[&str]) -> Vec<Datum> {
    texts.iter().map(|text| Datum::Literal((*text).to_owned())).collect()
}

fn from_to(lower: &[&str], upper: &[&str]) -> Result<Bound, String> {
    Ok(Bound::Range { lower: literals(lower), upper: literals(upper) })
}

#[test]
fn what_servers_print() {
    assert_eq!(parse("DEFAULT"), Ok(Bound::Default));
    assert_eq!(parse("FOR VALUES IN ('a', NULL, 'b)', '-1', 2.5, true)"), Ok(Bound::List));
    assert_eq!(parse("FOR VALUES WITH (modulus 4, remainder 0)"), Ok(Bound::Hash));
    let timestamptz = "FOR VALUES FROM ('2025-01-01 00:00:00+00') TO ('2025-02-01 00:00:00+00')";
    assert_eq!(parse(timestamptz), from_to(&["2025-01-01 00:00:00+00"], &["2025-02-01 00:00:00+00"]));
    assert_eq!(parse("FOR VALUES FROM ('-5') TO (10)"), from_to(&["-5"], &["10"]));
    assert_eq!(
        parse("FOR VALUES FROM (MINVALUE) TO (MAXVALUE)"),
        Ok(Bound::Range { lower: vec![Datum::Min], upper: vec![Datum::Max] })
    );
    assert_eq!(
        parse("FOR VALUES FROM ('a', 1, MINVALUE) TO ('a', 2, MAXVALUE)"),
        Ok(Bound::Range {
            lower: [literals(&["a", "1"]), vec![Datum::Min]].concat(),
            upper: [literals(&["a", "2"]), vec![Datum::Max]].concat(),
        })
    );
}

#[test]
fn quotes_hide_whatever_is_in_them() {
    assert_eq!(parse("FOR VALUES FROM ('it''s), (') TO ('MAXVALUE')"), from_to(&["it's), ("], &["MAXVALUE"]));
    assert_eq!(parse("FOR VALUES FROM ('') TO (''''')')"), from_to(&[""], &["'')"]));
    assert_eq!(parse(r"FOR VALUES FROM ('a\') TO ('a\n')"), from_to(&[r"a\"], &[r"a\n"]));
    assert_eq!(
        parse(r"FOR VALUES FROM (E'a\\\'b''c\n') TO (e'\x41\101\u00e9\U0001F600\xc3\xa9')"),
        from_to(&["a\\'b'c\n"], &["AAé😀é"])
    );
}

#[test]
fn types_may_stand_around_a_literal() {
    for text in [
        "FOR VALUES FROM ('1'::text) TO ('2'::character varying(10))",
        "FOR VALUES FROM (('1'::pg_catalog.text)) TO (('2')::app.\"Kind of it\"[])",
        "for values from (DATE '1') to (timestamp(3) with time zone '2')",
        "FOR VALUES FROM ('1' COLLATE \"C\") TO ('2'::text COLLATE pg_catalog.\"de_DE\")",
        "FOR VALUES FROM (1::bigint) TO ((2)::numeric(10, 2))",
        "FOR VALUES FROM (B'1') TO (X'2')",
        "\tFOR VALUES\nFROM(1)TO(+2)",
    ] {
        assert_eq!(parse(text), from_to(&["1"], &["2"]), "{text}");
    }
    assert_eq!(parse("FOR VALUES FROM ((-1.5)) TO (- 0.5e-3)"), from_to(&["-1.5"], &["-0.5e-3"]));
    assert_eq!(parse("FOR VALUES FROM (false) TO (true)"), from_to(&["false"], &["true"]));
}

#[test]
fn what_is_not_a_bound_is_refused_with_its_place() {
    for (text, place) in [
        ("", "it ends where FOR was expected"),
        ("FOR VALUES", "it ends where FROM, IN or WITH was expected"),
        ("FOR VALUES FROM ()", "a value was expected at )"),
        ("FOR VALUES FROM (1) TO (2", "it ends where , or ) was expected"),
        ("FOR VALUES FROM (1, 2) TO (3)", "2 values at its lower end, 1 at its upper"),
        ("FOR VALUES FROM (1) TO (2) more", "nothing more was expected at more"),
        ("FOR VALUES FROM (1 2) TO (3)", ", or ) was expected at 2"),
        ("FOR VALUES FROM ('1) TO (2)", "a quote is not closed"),
        ("FOR VALUES FROM (now()) TO (2)", "a number was expected at )"),
        ("FOR VALUES FROM (1;) TO (2)", "; means nothing here"),
        ("FOR VALUES WITH (modulus 4)", ", was expected at )"),
        (r"FOR VALUES FROM (E'\xff') TO (2)", "an escape is not UTF-8"),
        ("FOR VALUES FROM (1) TO (2) DEFAULT", "nothing more was expected at DEFAULT"),
    ] {
        assert_eq!(parse(text), Err(format!("not the bound of a partition: {text}: {place}")));
    }
}

#[test]
fn ranges_on_an_axis() {
    let number = Axis { codec: Codec::Number, zone: Tz::UTC };
    let day = Axis { codec: Codec::Date, zone: Tz::UTC };
    let read = |text: &str, axis: &Axis| range(&parse(&format!("FOR VALUES {text}")).unwrap(), axis);
    assert_eq!(read("FROM ('-5') TO (10)", &number), Ok(Range::new(Edge::At(-5), Edge::At(10)).unwrap()));
    assert_eq!(read("FROM (MINVALUE) TO (10)", &number), Ok(Range::new(Edge::Min, Edge::At(10)).unwrap()));
    assert_eq!(read("FROM ('1970-01-02') TO ('infinity')", &day), Ok(Range::new(Edge::At(1), Edge::Max).unwrap()));
    for (text, axis, message) in [
        ("FROM (1, 2) TO (3, 4)", &number, "the partition has a range over 2 columns; one is understood"),
        ("FROM ('a') TO ('b')", &number, "'a' is not a whole number"),
        ("FROM (2) TO (1)", &number, "there is nothing from 2 on in the partition's range"),
        ("FROM ('infinity') TO (MAXVALUE)", &day, "the partition's range holds nothing but infinity"),
        ("IN (1)", &number, "the partition holds a list of values, not a range"),
        ("WITH (modulus 2, remainder 1)", &number, "the partition holds a share of hashes, not a range"),
    ] {
        assert_eq!(read(text, axis), Err(message.to_owned()));
    }
    assert_eq!(range(&Bound::Default, &number), Err("the DEFAULT partition has no range".to_owned()));
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in ".*", words in "(FOR |VALUES |FROM |TO |IN |WITH |[(),'\"E:.\\\\x-]|[0-9a-z ]){0,30}") {
        let _ = parse(&text);
        let _ = parse(&format!("FOR VALUES FROM ({text}"));
        let _ = parse(&format!("FOR VALUES FROM (E'{text}"));
        let _ = parse(&words);
    }

    #[test]
    fn every_literal_is_read_back(lower in proptest::collection::vec(".*", 1..4), upper in ".*") {
        let upper = vec![upper; lower.len()];
        let list = |values: &[String]| values.iter().map(|value| Literal(value).to_string()).collect::<Vec<_>>().join(", ");
        let data = |values: &[String]| values.iter().cloned().map(Datum::Literal).collect();
        let text = format!("FOR VALUES FROM ({}) TO ({})", list(&lower), list(&upper));
        prop_assert_eq!(parse(&text), Ok(Bound::Range { lower: data(&lower), upper: data(&upper) }));
    }
}

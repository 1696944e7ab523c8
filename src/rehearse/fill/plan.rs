//! Made-up rows for a table, as one INSERT … SELECT: values that suit types, lengths, simple checks,
//! enumerations, unique keys, foreign keys and the bounds of a partition. Pure.

use std::collections::BTreeSet;

use crate::ident::{Ident, Literal, TableName};

/// A table to be filled.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its OID.
    pub oid: i64,
    /// Its name.
    pub name: TableName,
    /// Its columns, without those that are computed.
    pub columns: Vec<Column>,
    /// Its foreign keys, those of more columns first.
    pub keys: Vec<Key>,
}

/// A column, as `sql/catalog/fill_columns.sql` has it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Column {
    pub name: String,
    pub type_: String,
    pub base: String,
    pub sort: String,
    pub category: String,
    pub length: Option<i64>,
    pub digits: Option<i64>,
    pub not_null: bool,
    pub has_default: bool,
    pub is_unique: bool,
    pub checks: Vec<String>,
    pub bound: Option<String>,
}

/// A foreign key, as `sql/catalog/fill_keys.sql` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub parent: i64,
    pub parent_name: Option<TableName>,
    pub columns: Vec<String>,
    pub referenced: Vec<String>,
    pub in_unique: bool,
}

/// How much of a row is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Every column without a default.
    All,
    /// Only what must not be null.
    Needed,
}

/// The INSERT for so many rows. `rows_of` says how many rows a parent has.
///
/// # Errors
/// Why there is none, in words: a type without made-up values, a parent without rows.
pub fn insert(table: &Table, rows: u64, width: Width, rows_of: impl Fn(i64) -> u64) -> Result<String, String> {
    let mut columns: Vec<(Ident, String)> = Vec::new();
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    let mut joins = String::new();
    let mut divisor = 1_u64;
    for (number, key) in table.keys.iter().enumerate() {
        let own = table.columns.iter().filter(|column| key.columns.contains(&column.name));
        let needed = own.clone().any(|column| column.not_null && !column.has_default);
        let shared = key.columns.iter().any(|column| taken.contains(column.as_str()));
        let parents = rows_of(key.parent);
        let parent = key.parent_name.as_ref().filter(|_| parents > 0 && key.parent != table.oid && !shared);
        let (Some(parent), true) = (parent, needed || width == Width::All) else {
            if needed && !shared {
                let name = key.parent_name.as_ref().map_or_else(|| "its parent".to_owned(), ToString::to_string);
                return Err(if key.parent == table.oid {
                    "it refers to itself".to_owned()
                } else {
                    format!("{name}, which it refers to, has no rows")
                });
            }
            taken.extend(key.columns.iter().map(String::as_str));
            continue;
        };
        let referenced = key.referenced.iter().map(|column| Ident::new(column.as_str()).to_string());
        joins.push_str(&format!(
            "\nINNER JOIN (SELECT pg_catalog.row_number() OVER () AS n, {} FROM {parent}) AS p{number} ON p{number}.n = 1 + ((g.g - 1) / {divisor}) % {parents}",
            referenced.collect::<Vec<_>>().join(", ")
        ));
        if key.in_unique {
            divisor = divisor.saturating_mul(parents);
        }
        for (column, referenced) in key.columns.iter().zip(&key.referenced) {
            columns.push((Ident::new(column.as_str()), format!("p{number}.{}", Ident::new(referenced.as_str()))));
            taken.insert(column);
        }
    }
    for (position, column) in table.columns.iter().enumerate() {
        if taken.contains(column.name.as_str()) {
            continue;
        }
        let key = column.bound.is_some();
        if (column.has_default && !key) || (!column.not_null && width == Width::Needed && !key) {
            continue;
        }
        match value(column, position) {
            Some(value) => columns.push((Ident::new(column.name.as_str()), value)),
            None if column.not_null => return Err(format!("no values are known for {} {}", column.name, column.type_)),
            None => {}
        }
    }
    let target = &table.name;
    if columns.is_empty() {
        // Every column has a default or may be null.
        return Ok(format!("INSERT INTO {target}\nSELECT FROM pg_catalog.generate_series(1, {rows}) AS g (g);"));
    }
    let names = columns.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>().join(", ");
    let values = columns.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(",\n    ");
    Ok(format!(
        "INSERT INTO {target} ({names})\nSELECT\n    {values}\nFROM pg_catalog.generate_series(1, {rows}) AS g (g){joins}\nON CONFLICT DO NOTHING;"
    ))
}

/// A made-up value for row `g.g`; none for types that nothing is known of.
fn value(column: &Column, position: usize) -> Option<String> {
    let cast = |text: String| Some(format!("({text})::{}", column.type_));
    if let Some(value) = column.bound.as_deref().and_then(|bound| within(bound, column)) {
        return cast(value);
    }
    let words = listed(&column.name, &column.checks);
    if !words.is_empty() && column.category == "S" {
        let list = words.iter().map(|word| Literal(word).to_string()).collect::<Vec<_>>().join(", ");
        return cast(format!("(ARRAY[{list}])[1 + g.g % {}]", words.len()));
    }
    let (least, most) = limits(&column.name, &column.checks);
    match (column.sort.as_str(), column.category.as_str(), column.base.as_str()) {
        ("e", ..) => {
            let labels = format!("pg_catalog.enum_range(NULL::{})", column.type_);
            cast(format!("({labels})[1 + g.g % pg_catalog.cardinality({labels})]"))
        }
        ("r" | "m", ..) => cast("'empty'".to_owned()),
        (_, "A", _) => cast("'{}'".to_owned()),
        (_, "B", _) => cast("g.g % 2 = 0".to_owned()),
        (_, _, base @ ("int2" | "int4" | "int8" | "float4" | "float8" | "numeric" | "money" | "oid")) => {
            cast(number(column, base, least, most))
        }
        (_, "S", _) => cast(text(column, least, most)),
        (_, _, "date" | "timestamp" | "timestamptz") => {
            // An end stands behind its beginning, in tables as in time.
            cast(format!(
                "TIMESTAMPTZ '2026-01-01 12:00:00+00' + g.g * INTERVAL '1 minute' + INTERVAL '{position} days'"
            ))
        }
        (_, _, "time" | "timetz") => cast("TIME '00:00' + g.g * INTERVAL '1 second'".to_owned()),
        (_, _, "interval") => cast("g.g * INTERVAL '1 minute'".to_owned()),
        (_, _, "uuid") => cast("pg_catalog.gen_random_uuid()".to_owned()),
        (_, _, "json" | "jsonb") => cast("'{}'".to_owned()),
        (_, _, "bytea") => cast("pg_catalog.decode(pg_catalog.md5(g.g::text), 'hex')".to_owned()),
        (_, _, "inet" | "cidr") => cast("('10.' || g.g % 256 || '.' || g.g / 256 % 256 || '.1')::inet".to_owned()),
        (_, _, "tsvector") => cast("'made up'".to_owned()),
        (_, _, "point") => cast("pg_catalog.point(g.g % 90, g.g % 90)".to_owned()),
        _ => None,
    }
}

fn number(column: &Column, base: &str, least: Option<f64>, most: Option<f64>) -> String {
    let holds = match base {
        "int2" => 32_767.0,
        "numeric" => {
            column.digits.map_or(1e9, |digits| 10_f64.powi(i32::try_from(digits.clamp(0, 9)).unwrap_or(9)) - 1.0)
        }
        _ => 2e9,
    };
    let first = least.unwrap_or(1.0);
    let last = most.unwrap_or(holds).min(holds);
    let span = (last - first).max(0.0);
    // Of what need not be unique, fifty values do.
    let (first, span) =
        if column.is_unique && least.is_none() && span > 1e6 { (first + 1e6, span - 1e6) } else { (first, span) };
    let different = if column.is_unique { span } else { span.min(49.0) };
    format!("{first:.0} + g.g % {:.0}", different.floor() + 1.0)
}

fn text(column: &Column, least: Option<f64>, most: Option<f64>) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "lengths are small")]
    let bound = |limit: f64| limit.clamp(0.0, 10_000.0) as i64;
    let most = most.map(bound).into_iter().chain(column.length).min();
    let made = match (column.name.contains("mail"), column.is_unique) {
        (true, _) => "'made.up.' || g.g || '@example.org'",
        (false, true) => "'made-up-' || g.g",
        (false, false) => "'made up ' || g.g % 1000",
    };
    let made = match least.map(bound).filter(|least| *least > 8) {
        Some(least) => format!("pg_catalog.rpad({made}, {least}, '.')"),
        None => made.to_owned(),
    };
    // What differs stands at the end.
    most.map_or(made.clone(), |most| format!("pg_catalog.right({made}, {most})"))
}

/// A value in a partition: the bound it begins with and a little more, or the first of its list.
fn within(bound: &str, column: &Column) -> Option<String> {
    let first = |after: &str| {
        let rest = bound.split_once(after)?.1;
        let quoted = rest.trim_start_matches('(').strip_prefix('\'');
        match quoted {
            Some(quoted) => quoted.split_once('\'').map(|(value, _)| value.to_owned()),
            None => rest.trim_start_matches('(').split([',', ')']).next().map(|value| value.trim().to_owned()),
        }
    };
    if bound.contains("IN (") {
        return first("IN ").map(|value| Literal(&value).to_string());
    }
    let from = first("FROM ")?;
    Some(match column.base.as_str() {
        "timestamp" | "timestamptz" => {
            format!("{}::{} + g.g % 3600 * INTERVAL '1 second'", Literal(&from), column.base)
        }
        _ => Literal(&from).to_string(),
    })
}

/// The texts of `column = ANY (ARRAY['a'::text, 'b'::text])`.
fn listed(column: &str, checks: &[String]) -> Vec<String> {
    let list = checks.iter().find_map(|check| {
        let (before, after) = check.split_once(" = ANY (")?;
        let before = before.trim_end_matches(')').trim_end_matches("::text").trim_end_matches(')');
        let named = before.rsplit(['(', ' ']).next()?.trim_matches('"') == column;
        named.then(|| after.split_once("ARRAY[")?.1.split_once(']').map(|(list, _)| list)).flatten()
    });
    list.map_or_else(Vec::new, |list| list.split('\'').skip(1).step_by(2).map(str::to_owned).collect())
}

/// The bounds that checks such as `(rating >= 1) AND (rating <= 5)` or `length(name) > 2` set.
fn limits(column: &str, checks: &[String]) -> (Option<f64>, Option<f64>) {
    let (mut least, mut most) = (None::<f64>, None::<f64>);
    let plain = |c: char| if matches!(c, '(' | ')' | '\'') { ' ' } else { c };
    for check in checks {
        let text: String = check.chars().map(plain).collect();
        let words: Vec<&str> = text.split_whitespace().filter(|word| !word.starts_with("::")).collect();
        for three in words.windows(3) {
            let [name, operator, value] = three else { continue };
            let name = name.split("::").next().unwrap_or(name);
            let value = value.split("::").next().and_then(|value| value.parse::<f64>().ok());
            let (true, Some(value)) = (name == column, value) else { continue };
            match *operator {
                ">=" | "=" => least = Some(least.map_or(value, |l| l.max(value))),
                ">" => least = Some(least.map_or(value + 1.0, |l| l.max(value + 1.0))),
                "<=" => most = Some(most.map_or(value, |m| m.min(value))),
                "<" => most = Some(most.map_or(value - 1.0, |m| m.min(value - 1.0))),
                _ => {}
            }
        }
    }
    (least, most)
}

/// Tables in an order in which parents come first; then those that refer to each other in a circle.
pub fn in_order(tables: &[Table]) -> (Vec<&Table>, Vec<&Table>) {
    let mut ordered: Vec<&Table> = Vec::new();
    let mut open: Vec<&Table> = tables.iter().collect();
    let known: BTreeSet<i64> = tables.iter().map(|table| table.oid).collect();
    let mut done: BTreeSet<i64> = BTreeSet::new();
    while !open.is_empty() {
        let waits = |table: &Table, only_needed: bool| {
            table.keys.iter().any(|key| {
                let needed = || table.columns.iter().any(|c| key.columns.contains(&c.name) && c.not_null);
                key.parent != table.oid
                    && known.contains(&key.parent)
                    && !done.contains(&key.parent)
                    && (!only_needed || needed())
            })
        };
        let next =
            [false, true].iter().find_map(|only_needed| open.iter().position(|table| !waits(table, *only_needed)));
        let Some(next) = next else { break };
        let table = open.remove(next);
        done.insert(table.oid);
        ordered.push(table);
    }
    (ordered, open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, type_: &str, base: &str, category: &str) -> Column {
        Column {
            name: name.into(),
            type_: type_.into(),
            base: base.into(),
            sort: "b".into(),
            category: category.into(),
            not_null: true,
            ..Column::default()
        }
    }

    #[test]
    fn simple_checks_are_kept() {
        let check = |text: &str| vec![text.to_owned()];
        assert_eq!(limits("rating", &check("CHECK (((rating >= 1) AND (rating <= 5)))")), (Some(1.0), Some(5.0)));
        assert_eq!(limits("a", &check("CHECK ((a > (0)::numeric))")), (Some(1.0), None));
        assert_eq!(limits("name", &check("CHECK ((char_length((name)::text) >= 10))")), (Some(10.0), None));
        for states in [
            "CHECK ((state = ANY (ARRAY['new'::text, 'old'::text])))",
            "CHECK (((state)::text = ANY ((ARRAY['new'::character varying, 'old'::character varying])::text[])))",
        ] {
            assert_eq!(listed("state", &check(states)), ["new", "old"], "{states}");
            assert!(listed("other", &check(states)).is_empty());
        }
        let rating = Column {
            checks: check("CHECK (((rating >= 1) AND (rating <= 5)))"),
            ..column("rating", "smallint", "int2", "N")
        };
        insta::assert_snapshot!(value(&rating, 0).unwrap(), @"(1 + g.g % 5)::smallint");
        let code = Column { is_unique: true, length: Some(6), ..column("code", "character(6)", "bpchar", "S") };
        insta::assert_snapshot!(value(&code, 0).unwrap(), @"(pg_catalog.right('made-up-' || g.g, 6))::character(6)");
    }

    #[test]
    fn a_bound_decides_the_partition() {
        let at = column("at", "timestamp with time zone", "timestamptz", "D");
        let bound = "FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2026-02-01 00:00:00+00')";
        insta::assert_snapshot!(within(bound, &at).unwrap(), @"'2026-01-01 00:00:00+00'::timestamptz + g.g % 3600 * INTERVAL '1 second'");
        let list = "FOR VALUES IN ('eu', 'us')";
        assert_eq!(within(list, &column("r", "text", "text", "S")).as_deref(), Some("'eu'"));
        let numbers = "FOR VALUES FROM (100) TO (200)";
        assert_eq!(within(numbers, &column("n", "bigint", "int8", "N")).as_deref(), Some("'100'"));
        assert_eq!(within("FOR VALUES WITH (modulus 4, remainder 0)", &at), None);
    }

    #[test]
    fn parents_come_first_and_circles_are_told() {
        let key = |parent: i64| Key {
            parent,
            parent_name: None,
            columns: vec!["p".into()],
            referenced: vec!["id".into()],
            in_unique: false,
        };
        let table = |oid: i64, parents: &[i64], not_null: bool| Table {
            oid,
            name: TableName::new("s", format!("t{oid}")),
            columns: vec![Column { not_null, ..column("p", "bigint", "int8", "N") }],
            keys: parents.iter().map(|parent| key(*parent)).collect(),
        };
        let tables = [
            table(1, &[2], true),
            table(2, &[], true),
            table(3, &[4], true),
            table(4, &[3], true),
            table(5, &[5, 1], false),
        ];
        let (ordered, circle) = in_order(&tables);
        assert_eq!(ordered.iter().map(|t| t.oid).collect::<Vec<_>>(), [2, 1, 5]);
        assert_eq!(circle.iter().map(|t| t.oid).collect::<Vec<_>>(), [3, 4]);
        assert!(insert(&tables[0], 10, Width::All, |_| 0).unwrap_err().contains("has no rows"));
    }

    #[test]
    fn rows_refer_to_rows_that_there_are() {
        let table = Table {
            oid: 1,
            name: TableName::new("app", "items"),
            columns: vec![
                Column { has_default: true, ..column("id", "bigint", "int8", "N") },
                column("order_id", "bigint", "int8", "N"),
                Column { not_null: false, ..column("note", "text", "text", "S") },
            ],
            keys: vec![Key {
                parent: 2,
                parent_name: Some(TableName::new("app", "orders")),
                columns: vec!["order_id".into()],
                referenced: vec!["id".into()],
                in_unique: false,
            }],
        };
        insta::assert_snapshot!(insert(&table, 9, Width::Needed, |_| 4).unwrap(), @"
        INSERT INTO app.items (order_id)
        SELECT
            p0.id
        FROM pg_catalog.generate_series(1, 9) AS g (g)
        INNER JOIN (SELECT pg_catalog.row_number() OVER () AS n, id FROM app.orders) AS p0 ON p0.n = 1 + ((g.g - 1) / 1) % 4
        ON CONFLICT DO NOTHING;
        ");
    }
}

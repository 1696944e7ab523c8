//! Data types and expressions: which changes leave the rows as they are, which defaults are one value
//! for all rows. Rules of the server, in `ATColumnChangeRequiresRewrite` and the catalog of casts. Pure.

use crate::lint::known::Known;

/// What a change of type does to the rows that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing: the catalog changes.
    Free,
    /// Rows are written again, or at least read.
    Rewrites,
    /// Free from character types without a limit, a rewrite from others.
    FreeFromText,
    /// Free where it widens.
    FreeIfWider,
}

/// A type with its numbers: `numeric(10,2)` is `numeric` with 10 and 2.
#[derive(Debug, PartialEq, Eq)]
struct Type {
    name: String,
    numbers: Vec<i64>,
    array: bool,
}

fn parse(text: &str) -> Type {
    let text = text.trim().to_lowercase();
    let array = text.contains('[') || text.contains(" array");
    let text = text.split('[').next().unwrap_or_default().replace(" array", "");
    let (before, numbers, after) = match (text.find('('), text.find(')')) {
        (Some(open), Some(close)) if open < close => (
            text.get(..open).unwrap_or_default(),
            text.get(open + 1..close).unwrap_or_default(),
            text.get(close + 1..).unwrap_or_default(),
        ),
        _ => (text.as_str(), "", ""),
    };
    let words = format!("{before} {after}").split_whitespace().collect::<Vec<_>>().join(" ");
    let name = match words.trim_start_matches("pg_catalog.") {
        "character varying" | "char varying" => "varchar",
        "character" | "char" | "bpchar" => "bpchar",
        "int" | "integer" | "serial" | "serial4" | "int4" => "int4",
        "bigint" | "bigserial" | "serial8" | "int8" => "int8",
        "smallint" | "smallserial" | "serial2" | "int2" => "int2",
        "decimal" | "numeric" => "numeric",
        "timestamp with time zone" | "timestamptz" => "timestamptz",
        "timestamp without time zone" | "timestamp" => "timestamp",
        "time without time zone" | "time" => "time",
        "time with time zone" | "timetz" => "timetz",
        "bit varying" | "varbit" => "varbit",
        "boolean" | "bool" => "bool",
        "double precision" | "float8" | "float" => "float8",
        other => other,
    };
    let numbers = numbers.split(',').filter_map(|number| number.trim().parse().ok()).collect();
    Type { name: name.to_owned(), numbers, array }
}

/// What a change from one type to another does; `from` where it is known.
pub(super) fn change(from: Option<&str>, to: &str) -> Change {
    let to = parse(to);
    let Some(from) = from.map(parse) else {
        return match to.name.as_str() {
            "text" | "varchar" if to.numbers.is_empty() && !to.array => Change::FreeFromText,
            "varchar" | "numeric" | "varbit" if !to.array => Change::FreeIfWider,
            _ => Change::Rewrites,
        };
    };
    if from == to {
        return Change::Free;
    }
    if from.array != to.array {
        return Change::Rewrites;
    }
    let limit = |of: &Type| of.numbers.first().copied();
    let widens = || match (limit(&from), limit(&to)) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(from), Some(to)) => to >= from,
    };
    let free = match (from.name.as_str(), to.name.as_str()) {
        ("varchar" | "text", "text") | ("cidr", "inet") | ("xml", "text") => true,
        ("text", "varchar") => to.numbers.is_empty(),
        ("varchar", "varchar") | ("varbit", "varbit") => widens(),
        ("timestamp", "timestamp")
        | ("timestamptz", "timestamptz")
        | ("time", "time")
        | ("timetz", "timetz")
        | ("interval", "interval") => widens(),
        ("numeric", "numeric") => {
            let scale = |of: &Type| of.numbers.get(1).copied().unwrap_or(0);
            to.numbers.is_empty() || (!from.numbers.is_empty() && widens() && scale(&from) == scale(&to))
        }
        _ => false,
    };
    if free { Change::Free } else { Change::Rewrites }
}

/// Whether `USING` says no more than the change itself: `USING name`, `USING name::text`.
pub(super) fn plain_using(using: &str, column: &str) -> bool {
    let bare: String = using.chars().filter(|c| !matches!(c, '(' | ')' | '"' | ' ')).collect();
    let column = column.to_lowercase();
    let bare = bare.to_lowercase();
    bare == column
        || bare.strip_prefix(&column).is_some_and(|rest| {
            rest.strip_prefix("::").is_some_and(|kind| {
                ["text", "varchar", "charactervarying", "numeric"].iter().any(|known| kind.starts_with(known))
            })
        })
        || bare == format!("cast{column}astext")
}

/// How a default stands to rows that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// One for all of them, kept in the catalog.
    One,
    /// Another for each of them: the table is written again.
    Many(String),
    /// A function that nothing is known of.
    Unknown(String),
}

/// Functions that give another value each time.
const VOLATILE: &[&str] = &[
    "random",
    "gen_random_uuid",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
    "clock_timestamp",
    "timeofday",
    "nextval",
    "currval",
    "lastval",
    "setval",
    "random_normal",
    "gen_random_bytes",
    "gen_salt",
    "uuid_generate_v7",
    "pg_logical_emit_message",
    "pg_notify",
    "query_to_xml",
    "pgp_sym_encrypt",
    "pgp_pub_encrypt",
    "ulid_generate",
    "gen_ulid",
    "nanoid",
    "uuid_generate_v6",
];

/// Functions, and words that look like one, that give one value for all rows of a statement.
const STEADY: &[&str] = &[
    "now",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtime",
    "localtimestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "date_trunc",
    "date_part",
    "extract",
    "age",
    "timezone",
    "make_date",
    "make_time",
    "make_timestamp",
    "make_timestamptz",
    "make_interval",
    "to_timestamp",
    "to_date",
    "to_char",
    "to_number",
    "coalesce",
    "nullif",
    "greatest",
    "least",
    "concat",
    "concat_ws",
    "format",
    "lower",
    "upper",
    "initcap",
    "btrim",
    "ltrim",
    "rtrim",
    "trim",
    "lpad",
    "rpad",
    "left",
    "right",
    "substr",
    "substring",
    "replace",
    "translate",
    "repeat",
    "reverse",
    "length",
    "char_length",
    "octet_length",
    "position",
    "strpos",
    "split_part",
    "md5",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "encode",
    "decode",
    "digest",
    "hmac",
    "abs",
    "ceil",
    "ceiling",
    "floor",
    "round",
    "trunc",
    "sign",
    "sqrt",
    "power",
    "mod",
    "exp",
    "ln",
    "log",
    "jsonb_build_object",
    "jsonb_build_array",
    "json_build_object",
    "json_build_array",
    "to_json",
    "to_jsonb",
    "jsonb_object",
    "json_object",
    "jsonb_set",
    "array",
    "array_fill",
    "array_append",
    "array_cat",
    "row",
    "cast",
    "current_user",
    "session_user",
    "current_role",
    "current_schema",
    "current_database",
    "current_setting",
    "current_catalog",
    "user",
    "version",
    "inet_client_addr",
    "txid_current",
    "pg_current_xact_id",
    "uuid_nil",
    "uuid_ns_url",
    "uuid_ns_dns",
    "uuid_generate_v3",
    "uuid_generate_v5",
    "tstzrange",
    "tsrange",
    "daterange",
    "int4range",
    "int8range",
    "numrange",
    "point",
    "box",
    "circle",
    "hstore",
    "to_tsvector",
    "to_tsquery",
    "quote_literal",
    "quote_ident",
    "chr",
    "ascii",
    "num_nonnulls",
    "num_nulls",
    "in",
    "and",
    "or",
    "not",
    "interval",
    "timestamp",
    "timestamptz",
    "date",
    "time",
    "numeric",
    "decimal",
    "varchar",
    "char",
    "character",
    "bit",
    "varbit",
    "varying",
    "st_setsrid",
    "st_makepoint",
    "st_geomfromtext",
    "st_point",
    "isfinite",
    "justify_hours",
    "justify_days",
    "bool",
    "text",
    "int4",
    "int8",
    "jsonb",
    "json",
    "precision",
    "pg_catalog",
    "case",
    "when",
    "then",
];

/// Reads a default's words.
pub(super) fn value(default: &str, known: &Known) -> Value {
    let mut unknown = None;
    for name in calls(default) {
        if VOLATILE.contains(&name.as_str()) {
            return Value::Many(name);
        }
        if !STEADY.contains(&name.as_str()) && !known.is_steady(&name) {
            unknown.get_or_insert(name);
        }
    }
    unknown.map_or(Value::One, Value::Unknown)
}

/// The names in front of parentheses, outside of quoted texts.
fn calls(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            _ if quoted => {}
            c if c.is_alphanumeric() || c == '_' => word.push(c.to_ascii_lowercase()),
            '"' => {}
            '(' => {
                if !word.is_empty() {
                    names.push(std::mem::take(&mut word));
                }
            }
            ' ' => {}
            _ => word.clear(),
        }
        if c == ' ' && !quoted {
            word.clear();
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_the_catalog_alone_can_make_is_free() {
        for (from, to, what) in [
            ("varchar(20)", "varchar(40)", Change::Free),
            ("character varying(20)", "text", Change::Free),
            ("varchar(40)", "varchar(20)", Change::Rewrites),
            ("varchar", "varchar(20)", Change::Rewrites),
            ("text", "varchar", Change::Free),
            ("numeric(10, 2)", "numeric(12,2)", Change::Free),
            ("numeric(10,2)", "numeric(12,4)", Change::Rewrites),
            ("numeric(10,2)", "numeric", Change::Free),
            ("int", "bigint", Change::Rewrites),
            ("integer", "int4", Change::Free),
            ("timestamp(3)", "timestamp without time zone", Change::Free),
            ("timestamp", "timestamptz", Change::Rewrites),
            ("char(3)", "text", Change::Rewrites),
            ("text[]", "text", Change::Rewrites),
            ("cidr", "inet", Change::Free),
        ] {
            assert_eq!(change(Some(from), to), what, "{from} to {to}");
        }
        assert_eq!(change(None, "text"), Change::FreeFromText);
        assert_eq!(change(None, "varchar(9)"), Change::FreeIfWider);
        assert_eq!(change(None, "bigint"), Change::Rewrites);
    }

    #[test]
    fn a_default_is_one_value_or_many() {
        let known = Known::default();
        for one in
            ["0", "'random()'", "now()", "'{}'::jsonb", "current_timestamp", "now() + interval '1 day'", "numeric(3)"]
        {
            assert_eq!(value(one, &known), Value::One, "{one}");
        }
        for many in
            ["random()", "pg_catalog.gen_random_uuid()", "(random() * 10)::int", "lower(gen_random_uuid()::text)"]
        {
            assert!(matches!(value(many, &known), Value::Many(_)), "{many}");
        }
        assert_eq!(value("app.make_code('a')", &known), Value::Unknown("make_code".into()));
    }
}

//! How a column is made unable to tell who it was, as SQL: the new value, and the condition that the
//! row is not masked yet, which a second run finds nowhere. Pure.

use super::snapshot::Column;
use crate::ident::{Ident, Literal};
use crate::policy::Mask;

/// Hashed values begin with it: what begins with it and has the length is hashed already.
const HASHED: &str = "masked:";
/// An address of 39 characters and its prefix length.
const LONGEST_NETWORK: u32 = 43;

/// A mask on a column, as SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Masking {
    /// `column = value`.
    pub set: String,
    /// The column is not masked yet. Never NULL where the row is to be changed.
    pub due: String,
    /// There is text in the column that the mask cannot read.
    pub unreadable: Option<String>,
}

/// A mask on a column; `column` is its name in the statement, `secret` the parameter with the key of a
/// hash.
///
/// # Errors
/// Why the mask does not fit the column.
pub(super) fn masking(mask: &Mask, of: &Column, column: &str, secret: usize) -> Result<Masking, String> {
    if of.generated {
        return Err(format!("column {} is computed from others", of.name));
    }
    let set = |value: String| format!("{} = {value}", Ident::new(of.name.as_str()));
    match mask {
        Mask::Null if of.not_null => Err(format!("column {} is NOT NULL", of.name)),
        Mask::Null => {
            Ok(Masking { set: set("NULL".to_owned()), due: format!("{column} IS NOT NULL"), unreadable: None })
        }
        Mask::Text(text) => {
            let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
            if of.max_length.is_some_and(|max| length > max) {
                return Err(format!("the text has {length} characters, column {} is {}", of.name, of.kind));
            }
            // They have no equality.
            if matches!(of.base.as_str(), "json" | "xml" | "point") {
                return Err(format!("column {} is {}: values of it cannot be compared", of.name, of.kind));
            }
            let value = Literal(text);
            Ok(Masking {
                set: set(value.to_string()),
                due: format!("{column} IS DISTINCT FROM {value}"),
                unreadable: None,
            })
        }
        Mask::Hash { .. } => {
            hash(of, column, secret).map(|(value, due)| Masking { set: set(value), due, unreadable: None })
        }
        Mask::IpPrefix { v4, v6 } if matches!(of.base.as_str(), "inet" | "cidr") => {
            let value = format!("{}::pg_catalog.{}", network(&format!("{column}::pg_catalog.inet"), *v4, *v6), of.base);
            Ok(Masking { set: set(value.clone()), due: format!("{column} <> {value}"), unreadable: None })
        }
        Mask::IpPrefix { v4, v6 } if is_text(of) => {
            let text = format!("{column}::text");
            let network = network(&format!("({text})::pg_catalog.inet"), *v4, *v6);
            // A short column has no room for the length of the prefix.
            let short = of.max_length.is_some_and(|max| max < LONGEST_NETWORK);
            let value = if short { format!("pg_catalog.host({network})") } else { format!("{network}::text") };
            // CASE alone keeps the cast from texts that are no addresses.
            let readable = format!("{text} ~ {}", Literal(&address()));
            Ok(Masking {
                set: set(format!("CASE WHEN {readable} THEN {value} ELSE {text} END")),
                due: format!("CASE WHEN {readable} THEN {text} <> {value} ELSE false END"),
                unreadable: Some(format!("NOT ({readable})")),
            })
        }
        Mask::IpPrefix { .. } => Err(format!("column {} is {}: ip_prefix needs inet, cidr or text", of.name, of.kind)),
    }
}

fn hash(of: &Column, column: &str, secret: usize) -> Result<(String, String), String> {
    if !is_text(of) {
        return Err(format!("column {} is {}: hash needs text", of.name, of.kind));
    }
    let length = u32::try_from(HASHED.len()).unwrap_or(u32::MAX).saturating_add(64);
    if of.max_length.is_some_and(|max| max < length) {
        return Err(format!("column {} is {}: a hash needs {length} characters", of.name, of.kind));
    }
    let key = format!("pg_catalog.convert_to(${secret}::text, 'UTF8')");
    let text = format!("{column}::text");
    let known = Literal("^masked:[0-9a-f]{64}$");
    // The key goes around an inner hash: an outer one alone could be extended.
    let inner = format!("pg_catalog.sha256({key} || pg_catalog.convert_to({text}, 'UTF8'))");
    let value = format!("{} || pg_catalog.encode(pg_catalog.sha256({key} || {inner}), 'hex')", Literal(HASHED));
    Ok((format!("CASE WHEN {text} ~ {known} THEN {text} ELSE {value} END"), format!("{text} !~ {known}")))
}

/// The first bits of an address; one that has fewer already keeps them.
fn network(inet: &str, v4: u8, v6: u8) -> String {
    let bits =
        format!("LEAST(pg_catalog.masklen({inet}), CASE pg_catalog.family({inet}) WHEN 4 THEN {v4} ELSE {v6} END)");
    format!("pg_catalog.network(pg_catalog.set_masklen({inet}, {bits}))")
}

fn is_text(of: &Column) -> bool {
    matches!(of.base.as_str(), "text" | "character varying" | "character")
}

/// What `inet` accepts for sure, as a regular expression without a backslash.
fn address() -> String {
    let octet = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    let v4 = format!("{octet}([.]{octet}){{3}}");
    let h = "[0-9a-fA-F]{1,4}";
    let mut forms =
        vec![format!("({h}:){{7}}{h}"), format!("({h}:){{1,7}}:"), format!(":(:{h}){{1,7}}"), "::".to_owned()];
    forms.extend((1..=6).map(|before| format!("({h}:){{1,{before}}}(:{h}){{1,{}}}", 7 - before)));
    forms.extend([format!("({h}:){{6}}{v4}"), format!("::({h}:){{0,5}}{v4}"), format!("({h}:){{1,4}}:{v4}")]);
    let v6 = forms.join("|");
    format!("^({v4}(/(3[0-2]|[12]?[0-9]))?|({v6})(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?)$")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(kind: &str, max_length: Option<u32>) -> Column {
        Column {
            name: "ip".into(),
            kind: kind.into(),
            base: kind.into(),
            max_length,
            not_null: true,
            generated: false,
            has_default: false,
        }
    }

    #[test]
    fn masks_that_do_not_fit_their_column_say_why() {
        let prefix = Mask::IpPrefix { v4: 24, v6: 48 };
        let hash = Mask::Hash { secret: "KEY".into() };
        for (mask, kind, max, why) in [
            (&prefix, "macaddr", None, "column ip is macaddr: ip_prefix needs inet, cidr or text"),
            (&prefix, "integer", None, "ip_prefix needs inet"),
            (&Mask::Null, "text", None, "column ip is NOT NULL"),
            (&hash, "integer", None, "hash needs text"),
            (&hash, "character varying", Some(70), "a hash needs 71 characters"),
            (&Mask::Text("gone".into()), "character varying", Some(3), "the text has 4 characters"),
            (&Mask::Text("{}".into()), "json", None, "cannot be compared"),
        ] {
            let found = masking(mask, &column(kind, max), "t.ip", 4).unwrap_err();
            assert!(found.contains(why), "{found}");
        }
        let generated = Column { generated: true, ..column("text", None) };
        assert!(masking(&prefix, &generated, "t.ip", 4).unwrap_err().contains("computed"));
    }

    #[test]
    fn the_key_is_a_parameter_and_text_is_guarded() {
        let hash = Mask::Hash { secret: "KEY".into() };
        let hashed = masking(&hash, &column("text", None), "t.ip", 4).unwrap();
        assert!(hashed.set.contains("$4::text") && !hashed.set.contains("KEY") && !hashed.due.contains("$4"));
        let masked = masking(&Mask::IpPrefix { v4: 24, v6: 48 }, &column("text", None), "t.ip", 4).unwrap();
        assert!(masked.due.starts_with("CASE WHEN t.ip::text ~ '^("), "{}", masked.due);
        assert!(!masked.due.contains('\\'));
    }
}

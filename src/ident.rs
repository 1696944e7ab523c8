//! Quoting is a type: an identifier or a literal that was not quoted does not fit where SQL is
//! built. Pure, so that planners write SQL without knowing the driver.

use std::fmt;

/// One SQL identifier. `Display` always quotes, so `format!` into SQL is safe for any name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ident(String);

impl Ident {
    /// Takes the name as the catalog has it (unquoted, case kept).
    pub fn new(name: impl Into<String>) -> Ident {
        Ident(name.into())
    }

    /// The name as the catalog has it.
    pub fn raw(&self) -> &str {
        &self.0
    }
}

/// Lowercase names that PostgreSQL reads as themselves stay bare for the reader's sake; keywords
/// and everything else are quoted.
impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0.bytes();
        let plain = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
            && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            && !RESERVED.contains(&self.0.as_str());
        if plain { f.write_str(&self.0) } else { write!(f, "\"{}\"", self.0.replace('"', "\"\"")) }
    }
}

/// A schema-qualified table, index or other relation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// The schema.
    pub schema: Ident,
    /// The relation in it.
    pub name: Ident,
}

impl TableName {
    /// Both parts as the catalog has them.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> TableName {
        TableName { schema: Ident::new(schema), name: Ident::new(name) }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// A string as an SQL literal, safe under either setting of `standard_conforming_strings`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Literal<'a>(pub &'a str);

impl fmt::Display for Literal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.0.contains('\\') { " E" } else { "" };
        write!(f, "{prefix}'{}'", self.0.replace('\'', "''").replace('\\', "\\\\"))
    }
}

/// A word as a shell takes it: in quotes where it needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShellWord<'a>(pub &'a str);

impl fmt::Display for ShellWord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@".contains(c);
        if !self.0.is_empty() && self.0.chars().all(plain) {
            return f.write_str(self.0);
        }
        write!(f, "'{}'", self.0.replace('\'', r"'\''"))
    }
}

/// Keywords that cannot stand bare as a column or table name (PostgreSQL documentation,
/// appendix C, "reserved" and "reserved (can be function or type)").
const RESERVED: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_stay_bare_and_hostile_names_are_quoted() {
        for (raw, sql) in [
            ("orders", "orders"),
            ("user", "\"user\""),
            ("Mixed", "\"Mixed\""),
            ("a\"; drop table b; --", "\"a\"\"; drop table b; --\""),
            ("1st", "\"1st\""),
            ("", "\"\""),
            ("é", "\"é\""),
        ] {
            assert_eq!(Ident::new(raw).to_string(), sql);
        }
    }

    #[test]
    fn literals_survive_quotes_and_backslashes() {
        assert_eq!(Literal("it's").to_string(), "'it''s'");
        assert_eq!(Literal(r"a\'b").to_string(), r" E'a\\''b'");
    }

    #[test]
    fn words_of_a_shell_survive_blanks_and_quotes() {
        assert_eq!(ShellWord("--table=app.t").to_string(), "--table=app.t");
        assert_eq!(ShellWord("it's $HOME").to_string(), r"'it'\''s $HOME'");
        assert_eq!(ShellWord("").to_string(), "''");
    }
}

//! Reads what `pg_get_expr(relpartbound, 0)` prints: the only source of truth about what a partition
//! holds. Pure.

/// The bound of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// DEFAULT.
    Default,
    /// FROM (…) TO (…), a datum for each key column.
    Range {
        /// The first that is in it.
        lower: Vec<Datum>,
        /// The first behind it.
        upper: Vec<Datum>,
    },
    /// IN (…).
    List,
    /// WITH (modulus …, remainder …).
    Hash,
}

/// One value of a range's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Datum {
    /// MINVALUE.
    Min,
    /// MAXVALUE.
    Max,
    /// A literal, unquoted; without the type that may follow it.
    Literal(String),
}

/// Reads a bound.
///
/// # Errors
/// Where it is not what PostgreSQL prints.
pub fn parse(text: &str) -> Result<Bound, String> {
    Err(text.to_owned())
}

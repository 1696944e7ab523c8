//! Which columns of PostgreSQL have a type of Parquet that holds each of their values, and the SQL that sends them so.
//! Pure.

use crate::ident::Ident;
use crate::transfer::columns::Column;
use crate::transfer::format::Form;

/// How the values of a column stand in Parquet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// BOOLEAN.
    Bool,
    /// INT32, of 16 bits.
    Small,
    /// INT32.
    Int,
    /// INT64.
    Big,
    /// FLOAT.
    Real,
    /// DOUBLE.
    Double,
    /// STRING, as the server sends it.
    Text,
    /// BYTE_ARRAY.
    Bytes,
    /// UUID.
    Uuid,
    /// DATE.
    Date,
    /// TIMESTAMP in microseconds; `true` is of UTC.
    Timestamp(bool),
    /// DECIMAL of precision and scale.
    Decimal(u8, u8),
    /// A list of FLOAT: pgvector's `vector`.
    Vector,
    /// JSON, as its text.
    Json,
    /// STRING: what the server writes of any other type.
    Other,
}

/// The most digits that 16 bytes hold.
const LONGEST_DECIMAL: u8 = 38;

impl Kind {
    /// Of a column, by its type's name.
    pub fn of(column: &Column) -> Kind {
        let (bare, arguments) = match column.kind.split_once('(') {
            // `timestamp(3) with time zone` has its argument in the middle.
            Some((bare, rest)) => {
                let (arguments, after) = rest.split_once(')').unwrap_or((rest, ""));
                (format!("{bare}{after}"), arguments)
            }
            None => (column.kind.clone(), ""),
        };
        match bare.as_str() {
            "boolean" => Kind::Bool,
            "smallint" => Kind::Small,
            "integer" => Kind::Int,
            "bigint" => Kind::Big,
            "real" => Kind::Real,
            "double precision" => Kind::Double,
            "text" | "character varying" | "character" | "bpchar" | "name" => Kind::Text,
            "bytea" => Kind::Bytes,
            "uuid" => Kind::Uuid,
            "date" => Kind::Date,
            "timestamp without time zone" => Kind::Timestamp(false),
            "timestamp with time zone" => Kind::Timestamp(true),
            "json" | "jsonb" => Kind::Json,
            "numeric" => decimal(arguments).unwrap_or(Kind::Other),
            _ if column.form == Form::Vector && bare.rsplit('.').next() == Some("vector") => Kind::Vector,
            _ => Kind::Other,
        }
    }

    /// The value of a column of `r`, as COPY's binary form is to send it.
    pub fn sent(self, column: &Ident) -> String {
        match self {
            // What its output function says; a cast to text takes the blanks from the end of a character(n).
            Kind::Json | Kind::Other => format!(
                "CASE WHEN r.{column} IS DISTINCT FROM NULL THEN pg_catalog.format('%s', r.{column}) END AS {column}"
            ),
            _ => format!("r.{column}"),
        }
    }

    /// A condition that all its values must meet, where Parquet's type does not hold all that PostgreSQL's does:
    /// infinity, NaN, the far future.
    pub fn holds(self, column: &Ident) -> Option<String> {
        let between =
            |kind: &str| format!("r.{column} >= {kind} '4713-01-01 BC' AND r.{column} < {kind} '200000-01-01'");
        match self {
            Kind::Date => Some(between("DATE")),
            Kind::Timestamp(false) => Some(between("TIMESTAMP")),
            Kind::Timestamp(true) => Some(between("TIMESTAMPTZ")),
            Kind::Decimal(..) => Some(format!("r.{column} <> 'NaN'::pg_catalog.numeric")),
            _ => None,
        }
    }
}

fn decimal(arguments: &str) -> Option<Kind> {
    let (precision, scale) = arguments.split_once(',')?;
    let (precision, scale): (u8, u8) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
    (precision <= LONGEST_DECIMAL && scale <= precision).then_some(Kind::Decimal(precision, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(of: &str, form: Form) -> Kind {
        Kind::of(&Column {
            name: Ident::new("c"),
            kind: of.to_owned(),
            form,
            not_null: false,
            generated: false,
            key: false,
            default: None,
            sequence: None,
        })
    }

    #[test]
    fn only_types_that_hold_every_value_are_taken() {
        for (of, form, told) in [
            ("character varying(20)", Form::Plain, Kind::Text),
            ("timestamp(3) with time zone", Form::Plain, Kind::Timestamp(true)),
            ("timestamp without time zone", Form::Plain, Kind::Timestamp(false)),
            ("numeric(10,2)", Form::Plain, Kind::Decimal(10, 2)),
            ("numeric(39,2)", Form::Plain, Kind::Other),
            ("numeric(3,-2)", Form::Plain, Kind::Other),
            ("numeric(2,5)", Form::Plain, Kind::Other),
            ("numeric", Form::Plain, Kind::Other),
            ("public.vector(384)", Form::Vector, Kind::Vector),
            ("public.halfvec(3)", Form::Vector, Kind::Other),
            ("public.vector(384)", Form::Text, Kind::Other),
            ("integer[]", Form::Array, Kind::Other),
            ("\"char\"", Form::Text, Kind::Other),
            ("public.text", Form::Text, Kind::Other),
        ] {
            assert_eq!(kind(of, form), told, "{of}");
        }
    }
}

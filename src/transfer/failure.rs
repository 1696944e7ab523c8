//! What the server says of a row that it was sent, with the file's name, line and column in front.

use super::format::Format;
use super::import::STAGE;
use crate::error::{Failure, Kind};
use crate::ident::TableName;
use crate::pg::ServerError;

/// An error while the rows of a file were sent.
pub fn of_copy(error: &ServerError, file: &str, format: Format) -> Failure {
    let failure = error.explain("the server does not take the row");
    let text = failure.to_string();
    let place = text.split(&format!("COPY {STAGE}, line ")).nth(1).map(|rest| {
        let line: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let after = rest.strip_prefix(line.as_str()).unwrap_or_default();
        let column = after.strip_prefix(", column ").map(|rest| {
            let end = rest.find([':', '\n']).unwrap_or(rest.len());
            format!(", column {}", rest.get(..end).unwrap_or_default())
        });
        let unit = if matches!(format, Format::Binary | Format::Parquet) { "row" } else { "line" };
        format!("{file}, {unit} {line}{}", column.unwrap_or_default())
    });
    let failure = data_kind(failure).note("nothing was stored").context(place.unwrap_or_else(|| file.to_owned()));
    match format {
        Format::Binary if is_of_data(error) => failure.hint(
            "the binary form is for the very same types: export as ndjson, csv or copy, which the server reads anew",
        ),
        Format::Csv if is_of_data(error) => failure.hint("CSV has a header, bare nothing is NULL, \"\" the empty text"),
        _ => failure,
    }
}

/// An error while the rows went into the table.
pub fn of_insert(error: &ServerError, file: &str, into: &TableName) -> Failure {
    let failure = error.explain(format!("cannot store the rows of {file} in {into}")).note("nothing was stored");
    match error.code() {
        Some("23505") => failure.hint("--on-conflict skip leaves such rows out, --on-conflict update overwrites"),
        _ => failure,
    }
}

/// Whether a value is wrong, and not the way it is sent.
pub fn is_of_data(error: &ServerError) -> bool {
    error.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}

/// A wrong value is a wrong file.
pub fn data_kind(failure: Failure) -> Failure {
    let of_data = failure.code().is_some_and(|code| code.starts_with("22"));
    if of_data { failure.kind(Kind::Invalid) } else { failure }
}

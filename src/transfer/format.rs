//! The forms of a file, what its name says of it, and the SQL that makes a value what the form wants.
//! Pure.

use std::fmt;
use std::str::FromStr;

use crate::ident::Ident;

/// How rows stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// CSV with a header; NULL is nothing, the empty text is `""`.
    Csv,
    /// The text of COPY, without a header.
    Copy,
    /// The binary form of COPY: for the same types only.
    Binary,
    /// Parquet, whose pages are compressed, never the file.
    Parquet,
}

impl Format {
    /// Every name, as `--as` takes it.
    pub const NAMES: [&str; 5] = ["ndjson", "csv", "copy", "binary", "parquet"];

    /// What a file's name says, without what compression and encryption add.
    pub fn of_name(name: &str) -> Option<Format> {
        let name = name.strip_suffix(".age").unwrap_or(name);
        let name = name.strip_suffix(".zst").unwrap_or(name);
        match name.rsplit_once('.')?.1 {
            "ndjson" | "jsonl" => Some(Format::Ndjson),
            "csv" => Some(Format::Csv),
            "copy" => Some(Format::Copy),
            "bin" => Some(Format::Binary),
            "parquet" => Some(Format::Parquet),
            _ => None,
        }
    }

    /// How files of this form end.
    pub fn ending(self) -> &'static str {
        match self {
            Format::Ndjson => "ndjson",
            Format::Csv => "csv",
            Format::Copy => "copy",
            Format::Binary => "bin",
            Format::Parquet => "parquet",
        }
    }

    /// The options of the COPY that writes or reads it.
    pub fn copy_options(self, out: bool) -> &'static str {
        match (self, out) {
            (Format::Csv, true) => "FORMAT csv, HEADER true, NULL '', FORCE_QUOTE *, ENCODING 'UTF8'",
            (Format::Csv, false) => "FORMAT csv, HEADER true, NULL '', ENCODING 'UTF8'",
            (Format::Copy, _) | (Format::Parquet, false) => "FORMAT text, ENCODING 'UTF8'",
            (Format::Binary | Format::Ndjson, _) | (Format::Parquet, true) => "FORMAT binary, ENCODING 'UTF8'",
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Format, String> {
        Ok(match text {
            "ndjson" | "jsonl" => Format::Ndjson,
            "csv" => Format::Csv,
            "copy" => Format::Copy,
            "binary" => Format::Binary,
            "parquet" => Format::Parquet,
            _ => return Err(format!("one of {}", Format::NAMES.join(", "))),
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Ndjson => "ndjson",
            Format::Csv => "csv",
            Format::Copy => "copy",
            Format::Binary => "binary",
            Format::Parquet => "parquet",
        })
    }
}

/// Whether a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// It is not.
    None,
    /// By zstd.
    Zstd,
}

impl FromStr for Compression {
    type Err = String;

    fn from_str(text: &str) -> Result<Compression, String> {
        match text {
            "none" => Ok(Compression::None),
            "zstd" => Ok(Compression::Zstd),
            _ => Err("one of none, zstd".to_owned()),
        }
    }
}

/// The name of a table's file in a folder: no separator and nothing that two systems read differently.
pub fn file_name(schema: &str, table: &str, format: Format, compression: Compression, encrypted: bool) -> String {
    let mut name = String::new();
    for character in format!("{schema}.{table}").chars() {
        match character {
            '/' | '\\' | '%' | ':' => name.push_str(&format!("%{:02X}", u32::from(character))),
            _ if character.is_control() => name.push_str(&format!("%{:02X}", u32::from(character))),
            _ => name.push(character),
        }
    }
    let zst = if compression == Compression::Zstd && format != Format::Parquet { ".zst" } else { "" };
    let age = if encrypted { ".age" } else { "" };
    format!("{name}.{}{zst}{age}", format.ending())
}

/// How values of a type stand in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As the server makes JSON of them: numbers keep their digits, NaN and infinity are texts.
    Plain,
    /// As an array, unless it has other dimensions or bounds than others read.
    Array,
    /// As themselves.
    Json,
    /// As themselves.
    Jsonb,
    /// As an array of numbers.
    Vector,
    /// As their text.
    Text,
}

impl Form {
    /// From the word of the catalog query.
    pub fn of(word: &str) -> Form {
        match word {
            "plain" => Form::Plain,
            "array" => Form::Array,
            "json" => Form::Json,
            "jsonb" => Form::Jsonb,
            "vector" => Form::Vector,
            _ => Form::Text,
        }
    }

    /// The value of a column of `r` for a JSON object.
    ///
    /// JSON's own null would come back as NULL, and an object of one key `$json` as what it holds; a
    /// line may not hold newlines; `json` keeps its text. All of these go as `{"$json": "text"}`.
    pub fn to_json(self, column: &Ident) -> String {
        let wrapped = format!("pg_catalog.json_build_object('$json', r.{column}::pg_catalog.text)");
        match self {
            Form::Plain => format!("r.{column}"),
            Form::Array => format!(
                "CASE WHEN pg_catalog.cardinality(r.{column}) = 0 \
                 OR (pg_catalog.array_ndims(r.{column}) = 1 AND pg_catalog.array_lower(r.{column}, 1) = 1) \
                 THEN pg_catalog.to_json(r.{column}) ELSE pg_catalog.to_json(r.{column}::pg_catalog.text) END"
            ),
            Form::Json => format!(
                "CASE WHEN r.{column}::pg_catalog.text ~ '[\\n\\r]|^\\s|\\s$|\\$json|\\\\u0024' \
                 OR pg_catalog.json_typeof(r.{column}) = 'null' THEN {wrapped} ELSE r.{column}::pg_catalog.json END"
            ),
            Form::Jsonb => format!(
                "CASE WHEN pg_catalog.jsonb_typeof(r.{column}) = 'null' \
                 OR (pg_catalog.jsonb_typeof(r.{column}) = 'object' AND r.{column}::pg_catalog.jsonb ? '$json') \
                 THEN {wrapped} ELSE r.{column}::pg_catalog.text::pg_catalog.json END"
            ),
            Form::Vector => format!("r.{column}::pg_catalog.text::pg_catalog.json"),
            Form::Text => format!("r.{column}::pg_catalog.text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_its_form() {
        for (name, format) in [
            ("t.ndjson", Some(Format::Ndjson)),
            ("t.jsonl.zst", Some(Format::Ndjson)),
            ("public.t.csv.zst.age", Some(Format::Csv)),
            ("t.copy", Some(Format::Copy)),
            ("t.bin.age", Some(Format::Binary)),
            ("t.zst", None),
            ("csv", None),
            ("t.parquet", Some(Format::Parquet)),
            ("t.parquet.age", Some(Format::Parquet)),
        ] {
            assert_eq!(Format::of_name(name), format, "{name}");
        }
        for name in Format::NAMES {
            assert_eq!(name.parse::<Format>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn names_of_files_lead_nowhere_else() {
        let name = file_name("a/b", "..%\n", Format::Csv, Compression::Zstd, true);
        assert_eq!(name, "a%2Fb...%25%0A.csv.zst.age");
        assert_eq!(file_name("a", "b", Format::Parquet, Compression::Zstd, false), "a.b.parquet");
    }
}

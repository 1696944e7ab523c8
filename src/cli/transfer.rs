//! `dbctl export`, `dbctl import`

use clap::{Args, ValueEnum};

use super::partitions::parse_table;
use crate::ident::{Ident, TableName};
use crate::transfer::export;
use crate::transfer::import::{self, Conflict};
use crate::transfer::{Compression, Format};

/// Write tables or a query's rows to files that other programs read, proven by their sums
///
/// All of one call is of one moment. A file appears when it is whole, readable by you alone; beside it FILE.json says
/// its columns, rows and sums, to which 'dbctl import' holds it. NDJSON keeps the digits of numbers; NaN and infinity
/// are texts, bytea is hex, times are UTC, vectors are arrays of numbers. Columns that the server generates are left
/// out; a partitioned table is exported by its root. Hidden by row security is an error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl export --table public.documents --to documents.ndjson.zst
  dbctl export --table app.a --table app.b --to s3://bucket/nightly/      one moment, a file each
  dbctl export --table app.orders --where \"at >= '2026-01-01'\" --to orders.csv
  dbctl export --query 'SELECT id, name FROM app.users' --to - --as ndjson
  dbctl export --table app.users --to users.bin.zst.age --recipient age1…")]
pub struct ExportArgs {
    /// Table or view, 'schema.name'; may be repeated
    #[arg(long = "table", value_name = "TABLE", value_parser = parse_table, required_unless_present = "query")]
    tables: Vec<TableName>,
    /// A query instead, run in a read-only transaction
    #[arg(long, value_name = "SQL", conflicts_with_all = ["tables", "condition", "columns"])]
    query: Option<String>,
    /// A file, a folder (with / at its end), s3://bucket/path, or - for standard output
    #[arg(long, value_name = "PLACE")]
    to: String,
    /// How rows are written: ndjson, csv, copy, binary, or parquet where it was built in [default: by the file's name, else ndjson]
    #[arg(long = "as", value_name = "FORM")]
    form: Option<Format>,
    /// Only rows of the one table for which this is true
    #[arg(long = "where", value_name = "CONDITION")]
    condition: Option<String>,
    /// Only these columns of the one table
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// none or zstd [default: by the file's name; zstd in a folder]
    #[arg(long, value_name = "HOW")]
    compress: Option<Compression>,
    /// Encrypt to this age key; may be repeated
    #[arg(long = "recipient", value_name = "age1…")]
    recipients: Vec<String>,
}

impl ExportArgs {
    /// What was asked for.
    pub fn into_request(self) -> export::Wish {
        export::Wish {
            tables: self.tables,
            query: self.query,
            to: self.to,
            format: self.form,
            condition: self.condition,
            columns: self.columns.into_iter().map(Ident::new).collect(),
            compression: self.compress,
            recipients: self.recipients,
        }
    }
}

/// Store the rows of a file in a table, all or none
///
/// The file is read into a temporary table, held to its sidecar (FILE.json) where there is one, and stored by one
/// INSERT in the same transaction. What is wrong is named with file, line and column. Encrypted files are opened with
/// the age identities of the file that DBCTL_ARCHIVE_IDENTITY names. Compression and encryption are seen in the file.
///
/// In NDJSON a missing key is the column's default, null is NULL, and another key is an error; JSON's own null in a
/// json column is {\"$json\": \"null\"}, as export writes it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl import --from documents.ndjson.zst --into public.documents
  dbctl import --from orders.csv --into app.orders --on-conflict skip
  dbctl import --from s3://bucket/nightly/app.a.ndjson.zst --into app.a_copy --create
  zcat rows.jsonl.gz | dbctl import --from - --as ndjson --into app.rows
  dbctl import --from users.csv --into app.users --truncate --yes --target staging")]
pub struct ImportArgs {
    /// A file, s3://bucket/path, or - for standard input
    #[arg(long, value_name = "PLACE")]
    from: String,
    /// The table, 'schema.name'
    #[arg(long, value_name = "TABLE", value_parser = parse_table)]
    into: TableName,
    /// How rows are written: ndjson, csv, copy, binary, or parquet where it was built in [default: by the sidecar or the file's name]
    #[arg(long = "as", value_name = "FORM")]
    form: Option<Format>,
    /// The file's columns in their order, or the keys that may be there
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// Make the table first, from the sidecar's columns
    #[arg(long, conflicts_with = "truncate")]
    create: bool,
    /// What happens to a row whose key is there
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = OnConflict::Error)]
    on_conflict: OnConflict,
    /// Remove all rows of the table first, in the same transaction; asks, or wants --yes
    #[arg(long)]
    truncate: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OnConflict {
    /// Nothing is stored
    Error,
    /// It is left out
    Skip,
    /// It overwrites the row with its primary key; asks, or wants --yes
    Update,
}

impl ImportArgs {
    /// What was asked for.
    pub fn into_request(self) -> import::Wish {
        import::Wish {
            from: self.from,
            into: self.into,
            format: self.form,
            columns: self.columns.into_iter().map(Ident::new).collect(),
            create: self.create,
            on_conflict: match self.on_conflict {
                OnConflict::Error => Conflict::Error,
                OnConflict::Skip => Conflict::Skip,
                OnConflict::Update => Conflict::Update,
            },
            truncate: self.truncate,
        }
    }
}

//! `dbctl schema …`

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Take a snapshot of a schema, or look at one object
///
/// A snapshot is the whole schema as sorted objects with properties and fingerprints, free of OIDs and
/// of what differs between server versions. It needs no rights beyond CONNECT and takes no lock that
/// stops anybody. 'dbctl drift' compares snapshots.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl schema snapshot -o schema.json
  dbctl schema snapshot | jq '.objects[].id'
  dbctl schema show app.orders
  dbctl schema show 'function:app.total(integer)' --snapshot schema.json")]
pub struct SchemaArgs {
    #[command(subcommand)]
    verb: VerbArgs,
}

#[derive(Debug, Subcommand)]
enum VerbArgs {
    /// Read the schema; JSON on standard output, or a file
    Snapshot {
        /// Write it here; .yaml is YAML
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Show one object and its parts
    Show {
        /// Its id, or its name with or without the schema
        object: String,
        /// Look into this snapshot instead of a database
        #[arg(long, value_name = "FILE")]
        snapshot: Option<PathBuf>,
    },
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the flags of the same names")]
pub enum Verb {
    Snapshot { output: Option<PathBuf> },
    Show { object: String, snapshot: Option<PathBuf> },
}

impl SchemaArgs {
    /// What was asked for.
    pub fn into_request(self) -> Verb {
        match self.verb {
            VerbArgs::Snapshot { output } => Verb::Snapshot { output },
            VerbArgs::Show { object, snapshot } => Verb::Show { object, snapshot },
        }
    }
}

//! How a backup is restored without dbctl, written into it: by zstd, psql and pg_restore, and age where it is
//! encrypted. Pure.

use crate::backup::manifest::{Manifest, Table};
use crate::ident::{Ident, TableName};
use crate::pg::programs::STATISTICS_SINCE;

/// Names are in UTF8, whatever the database is in and whoever asks; and so is what is binary.
pub const ENCODING: &str = "\\encoding UTF8\n";

/// psql's script that loads the rows; it is run in the backup's folder.
pub fn load(tables: &[Table], encoding: &str, encrypted: bool) -> String {
    let mut script = format!("\\set ON_ERROR_STOP on\n{ENCODING}");
    for table in tables {
        let into = match &table.root {
            Some(root) => TableName::new(root.schema.as_str(), root.name.as_str()),
            None => table.table_name(),
        };
        let columns: Vec<String> = table.columns.iter().map(|column| Ident::new(column).to_string()).collect();
        let columns = if columns.is_empty() { String::new() } else { format!(" ({})", columns.join(", ")) };
        for chunk in &table.chunks {
            let path = &chunk.path;
            let opened =
                if encrypted { format!("age -d -i key.txt {path} | zstd -dc") } else { format!("zstd -dc {path}") };
            let options = table.form.options(encoding);
            script.push_str(&format!("\\copy {into}{columns} FROM PROGRAM '{opened}' WITH ({options})\n"));
        }
    }
    script
}

/// SQL that fills the materialized views.
pub fn refresh(views: &[String]) -> String {
    let lines = views.iter().map(|view| format!("REFRESH MATERIALIZED VIEW {view};\n"));
    [ENCODING.to_owned()].into_iter().chain(lines).collect()
}

/// The text for people.
pub fn text(manifest: &Manifest, passphrase: bool) -> String {
    let name = Ident::new(manifest.database.name.as_str());
    let encrypted = manifest.is_encrypted();
    let open = |file: &str| {
        if encrypted { format!("age -d -i key.txt {file}.zst.age | zstd -dc") } else { format!("zstd -dc {file}.zst") }
    };
    let key = match (encrypted, passphrase) {
        (false, _) => "",
        (true, true) => "    age -d key.age > key.txt                       # asks for the passphrase\n",
        (true, false) => {
            "    cp /where/it/is key.txt                        # the age identity of one of the recipients\n"
        }
    };
    let database = &manifest.database;
    let (encoding, collate, ctype) = (&database.encoding, &database.collate, &database.ctype);
    let provider = match (database.locale_provider.as_str(), &database.locale) {
        ("icu", Some(locale)) => format!(" --locale-provider=icu --icu-locale='{locale}'"),
        ("builtin", Some(locale)) => format!(" --locale-provider=builtin --builtin-locale='{locale}'"),
        _ => String::new(),
    };
    format!(
        "Backup {id} of database {name}, as of {at}, PostgreSQL {server}.
dbctl restores it:    dbctl restore {id} --from FOLDER
Without dbctl, in this folder, with pg_restore {major} or newer, in a shell with 'set -e -o pipefail':

{key}    {globals} | psql -d postgres     # roles; those that are there say so
    createdb -T template0 -E {encoding} --lc-collate='{collate}' --lc-ctype='{ctype}'{provider} NEW
    {schema} > schema.dump
    pg_restore --exit-on-error{none} --section=pre-data -d NEW schema.dump
    psql -X -d NEW -f load.sql
    pg_restore --exit-on-error{none} --section=data -d NEW schema.dump     # large objects
    {sequences} | psql -X -v ON_ERROR_STOP=1 -d NEW
    pg_restore --exit-on-error{none} --section=post-data -d NEW schema.dump
    psql -X -v ON_ERROR_STOP=1 -d NEW -f refresh.sql
    vacuumdb --analyze-only NEW

manifest.json says how many rows each table must have. sha256sum tells whether a file is the one that was written.
",
        id = manifest.id,
        at = manifest.times.snapshot,
        server = manifest.server.version,
        major = manifest.programs.pg_dump_major,
        // An older server could not take statistics; vacuumdb gathers them on any.
        none = if manifest.programs.pg_dump_major >= STATISTICS_SINCE { " --no-statistics" } else { "" },
        globals = open("globals.sql"),
        schema = open("schema.dump"),
        sequences = open("sequences.sql"),
    )
}

//! Whether a backup and a server fit each other: extensions and their packages, locales, settings, what an older major
//! does not know, room on the disk. Decides over values.

use crate::backup::manifest::{Manifest, Table};
use crate::error::{Failure, Kind, Result};
use crate::schema::{Property, Snapshot, Value};

/// Lives in the one database that `cron.database_name` names, and can be made in no other.
pub const CRON: &str = "pg_cron";
/// The schema of its jobs.
const CRON_SCHEMA: &str = "cron";
/// From this major on pg_restore sends a setting that servers before it do not know.
const TIMEOUT_MAJOR: u32 = 17;

/// In so many bytes a script of pg_restore has said its settings.
const HEAD: usize = 1024;

/// What the server says.
#[derive(Debug, Clone, Default)]
pub struct Here {
    /// Its major.
    pub major: u32,
    /// Its version.
    pub version: String,
    /// Name and version of each extension as it would be made here.
    pub extensions: Vec<String>,
    /// Extensions that only a superuser makes, where the role is none.
    pub for_superusers: Vec<String>,
    /// Settings of the database that are none here.
    pub unknown_settings: Vec<String>,
    /// The version of its locale here.
    pub collation_version: Option<String>,
    /// What is free where its data lies.
    pub free: Room,
}

/// Bytes that are free.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Room {
    /// So many.
    Known(u64),
    /// The server's disk cannot be seen from here.
    #[default]
    Elsewhere,
    /// It could, but for a right.
    Hidden,
}

/// What need not stop a restore, a line each.
///
/// # Errors
/// Refused, when it cannot succeed: a locale or a construct that this major does not have, a disk that is too small.
pub fn weigh(manifest: &Manifest, wanted: &[&Table], snapshot: Option<&Snapshot>, here: &Here) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    let database = &manifest.database;
    if here.major < manifest.server.major {
        notes.push(format!(
            "the backup is of PostgreSQL {}, this server is {}: what only the newer one knows ends the restore, and leaves \
             nothing",
            manifest.server.version, here.version
        ));
        let newer = newer(manifest, snapshot, here.major);
        if !newer.is_empty() {
            let message = format!("PostgreSQL {} does not have what this database uses", here.major);
            let failure = newer.iter().fold(Failure::new(Kind::Refused, message), Failure::note);
            return Err(
                failure.hint("nothing was touched; restore into the major that it was backed up from, or a newer")
            );
        }
    }
    for extension in &manifest.extensions {
        let version = here.extensions.iter().find_map(|line| line.strip_prefix(&format!("{} ", extension.name)));
        if let Some(version) = version.filter(|version| *version != extension.version) {
            notes.push(format!("extension {} is {version} here, {} in the backup", extension.name, extension.version));
        }
    }
    for name in &here.for_superusers {
        notes.push(format!("CREATE EXTENSION {name} is a superuser's, unless this service permits it"));
    }
    if has_cron(manifest) {
        notes.push(format!(
            "{CRON} can be made only in the database that cron.database_name names, not in a new one: it and its jobs are \
             left out; afterwards, there: CREATE EXTENSION {CRON}; and cron.schedule() for each job"
        ));
    }
    for name in &here.unknown_settings {
        notes.push(format!("setting {name} is not known to this server: left out"));
    }
    notes.extend(collation(manifest, here));
    let needed: u64 = wanted.iter().map(|table| table.heap_bytes.min(table.plain_bytes)).sum::<u64>() / 2;
    let whole = wanted.len() == manifest.tables.len();
    let likely = if whole { database.bytes } else { wanted.iter().map(|table| table.heap_bytes).sum() };
    notes.extend(fits(&here.free, needed, likely, "database was")?);
    Ok(notes)
}

/// Whether it fits on the disk; a note where it may not, or that is not known.
///
/// # Errors
/// Refused, when less is free than the rows alone need.
pub fn fits(free: &Room, needed: u64, likely: u64, what: &str) -> Result<Option<String>> {
    Ok(match free {
        Room::Known(free) if *free < needed => {
            let message =
                format!("the server has {} free, and the rows alone need more than {}", mb(*free), mb(needed));
            return Err(Failure::new(Kind::Refused, message).hint("nothing was touched; make room on the server"));
        }
        Room::Known(free) if *free < likely => {
            Some(format!("the server has {} free, and the {what} {}: it may not fit", mb(*free), mb(likely)))
        }
        Room::Known(_) => None,
        Room::Elsewhere => Some(format!("room for {} on the server: UNKNOWN, it is another machine", mb(likely))),
        Room::Hidden => Some(format!(
            "room for {} on the server: UNKNOWN, until GRANT pg_read_all_settings TO the role that restores",
            mb(likely)
        )),
    })
}

fn mb(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}

/// Whether the backup holds pg_cron, which no new database can have.
pub fn has_cron(manifest: &Manifest) -> bool {
    manifest.extensions.iter().any(|extension| extension.name == CRON)
}

/// Whether something lies in the schema of its jobs.
pub fn is_crons(manifest: &Manifest, schema: &str) -> bool {
    schema == CRON_SCHEMA && has_cron(manifest)
}

/// Whether a line of `pg_restore --list` makes pg_cron, or says something of it.
pub fn makes_cron(line: &str) -> bool {
    let about = [" EXTENSION - pg_cron ", " COMMENT - EXTENSION pg_cron ", " ACL - SCHEMA cron ", " ACL cron "];
    about.iter().any(|words| line.contains(words))
}

/// Whether pg_restore would send a server what it does not know.
pub fn needs_script(pg_restore: u32, server: u32) -> bool {
    server < TIMEOUT_MAJOR && pg_restore >= TIMEOUT_MAJOR
}

/// A script of pg_restore, before and after the setting that servers before 17 do not know. It is among the first
/// lines; what comes after may be in any encoding.
pub fn for_older(script: &[u8]) -> (&[u8], &[u8]) {
    const UNKNOWN: &[u8] = b"SET transaction_timeout = 0;\n";
    let head = &script[..script.len().min(HEAD)];
    match head.windows(UNKNOWN.len()).position(|words| words == UNKNOWN) {
        Some(at) => (&script[..at], &script[at + UNKNOWN.len()..]),
        None => (script, &[]),
    }
}

fn collation(manifest: &Manifest, here: &Here) -> Option<String> {
    let database = &manifest.database;
    let then = database.collation_version.as_deref()?;
    let locale = database.locale.as_deref().unwrap_or(&database.collate);
    match here.collation_version.as_deref() {
        Some(now) if now == then => None,
        Some(now) => Some(format!(
            "locale {locale} is of version {now} here, {then} in the backup: texts may sort otherwise; indexes are built \
             anew, partitions by ranges of text may refuse a row"
        )),
        None => Some(format!("whether locale {locale} sorts as in the backup ({then}): UNKNOWN")),
    }
}

/// What the database uses that servers of an older major do not have, as far as the schema shows it.
fn newer(manifest: &Manifest, snapshot: Option<&Snapshot>, major: u32) -> Vec<String> {
    let mut found = Vec::new();
    let database = &manifest.database;
    let locale = database.locale.as_deref().unwrap_or_default();
    match database.locale_provider.as_str() {
        "icu" if major < 15 => found.push(format!("ICU's locale {locale} as that of a database is of 15")),
        "builtin" if major < 17 => found.push(format!("the builtin locale {locale} is of 17")),
        _ => {}
    }
    if database.icu_rules.is_some() && major < 16 {
        found.push("ICU_RULES of a database are of 16".to_owned());
    }
    for object in snapshot.map(|snapshot| snapshot.objects.iter()).into_iter().flatten() {
        let text = |property| match object.get(property) {
            Some(Value::Text(text)) => text.to_string(),
            Some(Value::List(parts)) => parts.join(" "),
            _ => String::new(),
        };
        let (definition, options) = (text(Property::Definition), text(Property::Options));
        let uses = [
            (18, text(Property::Generated).starts_with("virtual "), "a virtual column"),
            (18, object.get(Property::Enforced) == Some(&Value::Bool(false)), "a constraint that is NOT ENFORCED"),
            (18, definition.contains("WITHOUT OVERLAPS"), "WITHOUT OVERLAPS"),
            (18, definition.contains(", PERIOD "), "a foreign key over a PERIOD"),
            (15, definition.contains("NULLS NOT DISTINCT"), "NULLS NOT DISTINCT"),
            (15, options.contains("security_invoker"), "security_invoker"),
        ];
        let uses = uses.iter().filter(|(of, uses, _)| *uses && major < *of);
        found.extend(uses.map(|(of, _, what)| format!("{}: {what}, of {of}", object.id)));
    }
    found
}

/// The Debian package that has an extension, as PostgreSQL's own repository names it.
pub fn package(extension: &str, major: u32) -> String {
    let contrib = CONTRIB.contains(&extension) || extension.ends_with("_plpython3u") || extension.ends_with("_plperl");
    match extension {
        _ if contrib => "postgresql-contrib".to_owned(),
        "vector" => format!("postgresql-{major}-pgvector"),
        "timescaledb" => format!("timescaledb-2-postgresql-{major}"),
        "plpython3u" => format!("postgresql-plpython3-{major}"),
        "plperl" | "plperlu" => format!("postgresql-plperl-{major}"),
        "pltcl" | "pltclu" => format!("postgresql-pltcl-{major}"),
        _ if extension.starts_with("postgis") || extension.starts_with("address_standardizer") => {
            format!("postgresql-{major}-postgis-3")
        }
        CRON => format!("postgresql-{major}-cron"),
        "pg_repack" | "pg_partman" => format!("postgresql-{major}-{}", &extension[3..]),
        _ => format!("postgresql-{major}-{}", extension.replace('_', "-")),
    }
}

const CONTRIB: &[&str] = &[
    "amcheck",
    "autoinc",
    "bloom",
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "dblink",
    "dict_int",
    "dict_xsyn",
    "earthdistance",
    "file_fdw",
    "fuzzystrmatch",
    "hstore",
    "insert_username",
    "intagg",
    "intarray",
    "isn",
    "lo",
    "ltree",
    "moddatetime",
    "pageinspect",
    "pg_buffercache",
    "pg_freespacemap",
    "pg_logicalinspect",
    "pg_prewarm",
    "pg_stat_statements",
    "pg_surgery",
    "pg_trgm",
    "pg_visibility",
    "pg_walinspect",
    "pgcrypto",
    "pgrowlocks",
    "pgstattuple",
    "postgres_fdw",
    "refint",
    "seg",
    "sslinfo",
    "tablefunc",
    "tcn",
    "tsm_system_rows",
    "tsm_system_time",
    "unaccent",
    "uuid-ossp",
    "xml2",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_those_of_the_distributions() {
        for (extension, package) in [
            ("pg_trgm", "postgresql-contrib"),
            ("vector", "postgresql-16-pgvector"),
            ("postgis_topology", "postgresql-16-postgis-3"),
            ("pg_cron", "postgresql-16-cron"),
            ("pg_qualstats", "postgresql-16-pg-qualstats"),
        ] {
            assert_eq!(super::package(extension, 16), package);
        }
    }

    #[test]
    fn only_the_setting_that_is_unknown_goes() {
        let script = b"SET lock_timeout = 0;\nSET transaction_timeout = 0;\nSET transaction_timeout = 0;\n\xff";
        let (before, after) = for_older(script);
        assert_eq!((before, after), (&b"SET lock_timeout = 0;\n"[..], &b"SET transaction_timeout = 0;\n\xff"[..]));
        assert_eq!(for_older(b"SELECT 1"), (&b"SELECT 1"[..], &b""[..]));
        assert!(needs_script(18, 14) && !needs_script(16, 14) && !needs_script(18, 17));
    }

    #[test]
    fn lines_about_cron_are_known() {
        assert!(makes_cron("2; 3079 1 EXTENSION - pg_cron ") && makes_cron("9; 0 0 ACL cron TABLE job me"));
        assert!(!makes_cron("9; 0 0 ACL public TABLE cron me"));
    }
}

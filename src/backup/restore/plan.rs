//! What a restore sends, and what it takes of a backup. Pure.

use std::collections::BTreeMap;

use super::keys::ForeignKey;
use super::{mark, meets};
use crate::backup::manifest::{Database, Manifest, Setting, Table};
use crate::backup::pages::{Pages, Read};
use crate::backup::rows::RowSum;
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, Literal, TableName};
use crate::policy::glob;

/// Settings whose value is a list of names: quoting it would make one name of it.
const LISTS: &[&str] = &[
    "search_path",
    "temp_tablespaces",
    "local_preload_libraries",
    "session_preload_libraries",
    "shared_preload_libraries",
    "unix_socket_directories",
];
/// An index may be built in this much memory, whatever the server has.
const LARGEST_MEMORY: i64 = 1 << 30;
/// PostgreSQL cuts longer names.
pub const LONGEST_NAME: usize = 63;

/// The database as it was, under another name, and with the mark of one that is being made for `target`.
pub fn create_database(database: &Database, name: &str, target: &str, tablespace: Option<&str>, major: u32) -> String {
    let mut sql = format!(
        "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}",
        Ident::new(name),
        Literal(&database.encoding),
        Literal(&database.collate),
        Literal(&database.ctype)
    );
    let locale = database.locale.as_deref().unwrap_or_default();
    match database.locale_provider.as_str() {
        "icu" => sql.push_str(&format!(" LOCALE_PROVIDER icu ICU_LOCALE {}", Literal(locale))),
        "builtin" => sql.push_str(&format!(" LOCALE_PROVIDER builtin BUILTIN_LOCALE {}", Literal(locale))),
        // The template may have another one.
        _ if major >= 15 => sql.push_str(" LOCALE_PROVIDER libc"),
        _ => {}
    }
    if let Some(rules) = &database.icu_rules {
        sql.push_str(&format!(" ICU_RULES {}", Literal(rules)));
    }
    if let Some(tablespace) = tablespace {
        sql.push_str(&format!(" TABLESPACE {}", Ident::new(tablespace)));
    }
    sql.push_str(&format!(" CONNECTION LIMIT {}", mark::newborn_limit(name, target)));
    sql
}

/// `shop` -> `shop_restore_20261127010203`, short enough to be a name.
pub fn aside(name: &str, word: &str, stamp: &str) -> String {
    let room = LONGEST_NAME.saturating_sub(word.len() + stamp.len() + 2);
    let mut end = name.len().min(room);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{word}_{stamp}", &name[..end])
}

/// A setting of a database as a statement. A list goes as it is in the catalog, where its names are quoted.
pub fn set(database: &str, setting: &Setting) -> String {
    let database = Ident::new(database);
    let whose = match &setting.role {
        Some(role) => format!("ROLE {} IN DATABASE {database}", Ident::new(role.as_str())),
        None => format!("DATABASE {database}"),
    };
    let value = if LISTS.contains(&setting.name.as_str()) && !setting.value.is_empty() {
        setting.value.clone()
    } else {
        Literal(&setting.value).to_string()
    };
    // Names of settings have dots, and each part is a name.
    let name: Vec<String> = setting.name.split('.').map(|part| Ident::new(part).to_string()).collect();
    format!("ALTER {whose} SET {} TO {value}", name.join("."))
}

/// Whether the rows of a table can go in frozen: as nobody else can see them before they are all there, they need not
/// be marked as visible by the first who reads them. Rows that find their own partition cannot, nor those beside what
/// an extension has put there.
pub fn freezes(table: &Table) -> bool {
    table.root.is_none() && table.condition.is_none()
}

/// The rows of a chunk go in here; `frozen` only in the transaction that emptied the table.
pub fn rows_in(table: &Table, encoding: &str, frozen: bool) -> String {
    let target = match &table.root {
        Some(root) => TableName::new(root.schema.as_str(), root.name.as_str()),
        None => table.table_name(),
    };
    let frozen = if frozen { "FREEZE, " } else { "" };
    format!("COPY {target}{} FROM STDIN ({frozen}{})", columns(table), table.form.options(encoding))
}

/// And come out again, all of them or those of these pages.
pub fn rows_out(table: &Table, pages: Option<Pages>, encoding: &str) -> String {
    let (name, condition) = (table.table_name(), table.condition.as_deref());
    Read { table: &name, columns: &table.columns, condition, pages, form: &table.form }.sql(encoding)
}

fn columns(table: &Table) -> String {
    let names: Vec<String> = table.columns.iter().map(|column| Ident::new(column.as_str()).to_string()).collect();
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
}

/// How much memory an index may be built in: half of what the server caches in, shared by the jobs, never less than
/// it gives anyhow.
pub fn index_memory(shared_buffers: i64, usual: i64, jobs: usize) -> i64 {
    let share = shared_buffers / 2 / i64::try_from(jobs.max(1)).unwrap_or(1);
    share.clamp(0, LARGEST_MEMORY).max(usual)
}

/// Whether so many bytes of them all keep one of the jobs no longer than the others have to do.
pub fn is_fair_share(bytes: u64, total: u64, jobs: usize) -> bool {
    bytes.saturating_mul(2 * jobs as u64) <= total.saturating_mul(3)
}

/// The tables whose rows are wanted: all, where nothing is named.
///
/// # Errors
/// Usage, naming what the backup does not hold.
pub fn wanted<'a>(manifest: &'a Manifest, tables: &[String], schemas: &[String]) -> Result<Vec<&'a Table>> {
    if tables.is_empty() && schemas.is_empty() {
        return Ok(manifest.tables.iter().collect());
    }
    let by_name = |table: &Table, pattern: &str| {
        let name = format!("{}.{}", table.schema, table.name);
        glob::matches(pattern, if pattern.contains('.') { &name } else { &table.name })
    };
    for pattern in tables {
        if !manifest.tables.iter().any(|table| by_name(table, pattern)) {
            return Err(Failure::new(
                Kind::Usage,
                format!("--table {pattern}: backup {} holds no such table", manifest.id),
            ));
        }
    }
    for schema in schemas {
        if !manifest.tables.iter().any(|table| glob::matches(schema, &table.schema)) {
            let message = format!("--schema {schema}: backup {} holds no table of such a schema", manifest.id);
            return Err(Failure::new(Kind::Usage, message));
        }
    }
    let is_wanted = |table: &&Table| {
        tables.iter().any(|pattern| by_name(table, pattern))
            || schemas.iter().any(|schema| glob::matches(schema, &table.schema))
    };
    Ok(manifest.tables.iter().filter(is_wanted).collect())
}

/// The lines of `pg_restore --list` that are wanted: those of foreign keys are not that would be checked against rows
/// that are not there, nor, where it is there, pg_cron.
pub fn kept_lines(list: &str, left: &[ForeignKey], cron: bool) -> String {
    let unwanted = |line: &str| left.iter().any(|key| key.is_in(line)) || (cron && meets::makes_cron(line));
    let wanted = |line: &&str| line.starts_with(';') || !unwanted(line);
    list.lines().filter(wanted).map(|line| format!("{line}\n")).collect()
}

/// What differs between what was read from the restored tables and what the manifest says. Tables whose rows went in
/// through a root are held against it together: in which partition a row lies is that server's choice.
///
/// # Errors
/// Refused, when the manifest's own sums are none.
pub fn differences(tables: &[&Table], read: &[RowSum]) -> Result<Vec<String>> {
    let mut sums: BTreeMap<String, (RowSum, RowSum)> = BTreeMap::new();
    for (table, read) in tables.iter().zip(read) {
        let name = match &table.root {
            Some(root) => TableName::new(root.schema.as_str(), root.name.as_str()).to_string(),
            None => table.table_name().to_string(),
        };
        let (told, found) = sums.entry(name).or_default();
        told.join(&RowSum::parse(table.rows, &table.content)?);
        found.join(read);
    }
    let differing =
        sums.into_iter().filter(|(_, (told, found))| (told.rows(), told.content()) != (found.rows(), found.content()));
    Ok(differing
        .map(|(name, (told, found))| {
            if told.rows() == found.rows() {
                format!("{name}: {} rows as they should be, but other values", found.rows())
            } else {
                format!("{name}: {} rows, the manifest says {}", found.rows(), told.rows())
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(name: &str, value: &str, role: Option<&str>) -> Setting {
        Setting { role: role.map(str::to_owned), name: name.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn settings_keep_their_value_and_lists_their_names() {
        for (given, sql) in [
            (setting("work_mem", "64MB", None), "ALTER DATABASE shop SET work_mem TO '64MB'"),
            (setting("search_path", "\"$user\", app", None), "ALTER DATABASE shop SET search_path TO \"$user\", app"),
            (setting("search_path", "", None), "ALTER DATABASE shop SET search_path TO ''"),
            (setting("app.tenant", "it's", Some("r")), "ALTER ROLE r IN DATABASE shop SET app.tenant TO 'it''s'"),
        ] {
            assert_eq!(set("shop", &given), sql);
        }
    }

    #[test]
    fn names_put_aside_are_names() {
        assert_eq!(aside("shop", "old", "20261127010203"), "shop_old_20261127010203");
        let long = aside(&"ä".repeat(31), "restore", "20261127010203");
        assert!(long.len() <= LONGEST_NAME && long.ends_with("_restore_20261127010203"), "{long}");
    }

    #[test]
    fn memory_is_shared_and_never_less_than_usual() {
        assert_eq!(index_memory(128 << 20, 64 << 20, 4), 64 << 20);
        assert_eq!(index_memory(16 << 30, 64 << 20, 2), LARGEST_MEMORY);
    }

    #[test]
    fn half_as_much_again_as_its_share_is_what_a_job_may_have() {
        for (bytes, jobs, fair) in [(75, 2, true), (76, 2, false), (37, 4, true), (38, 4, false), (100, 1, true)] {
            assert_eq!(is_fair_share(bytes, 100, jobs), fair, "{bytes} of 100, {jobs} jobs");
        }
    }

    #[test]
    fn foreign_keys_are_left_out_and_told() {
        let list = "; a comment\n12; 1 2 TABLE public t me\n13; 1 2 FK CONSTRAINT public t t_fkey me\n\
                    14; 1 2 FK CONSTRAINT public t t_fkey2 me\n15; 1 2 COMMENT public CONSTRAINT t_fkey ON t me\n";
        let pair = |name: &str| ("public".to_owned(), name.to_owned());
        let key = ForeignKey { table: pair("t"), name: "t_fkey".to_owned(), references: pair("r") };
        assert_eq!(
            kept_lines(list, &[key], false),
            "; a comment\n12; 1 2 TABLE public t me\n14; 1 2 FK CONSTRAINT public t t_fkey2 me\n"
        );
    }
}

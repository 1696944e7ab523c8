//! What in a migration reaches beyond its database: roles, databases, tablespaces, settings and
//! subscriptions belong to the whole server, so that trying it in a scratch database beside the live one
//! would not be a trial. Pure.

use super::script::{self, Script};
use super::source::{File, MigrationSet};
use super::words::{self, Words};
use crate::error::{Failure, Kind, Result};
use crate::excerpt;

/// Refuses versions that must not be tried on the server of the live database. That they were applied
/// there before is no excuse: an ALTER ROLE in a DO body would do it once more. Only the embedded systems,
/// whose bodies are known to leave a role as it is, are taken at their plain statements then.
///
/// # Errors
/// Refused, with the place; invalid files.
pub(super) fn refuse(set: &MigrationSet, versions: &[i64], applied: bool) -> Result<()> {
    let known = applied && set.system().is_some();
    for file in versions.iter().filter_map(|version| set.file(*version)) {
        let script = script::read(&file.label, &file.sql)?;
        if let Some((range, what)) = first(file, &script, known) {
            return Err(Failure::new(
                Kind::Refused,
                format!(
                    "{} {what} of the whole server, which a scratch database there does not keep apart",
                    file.label
                ),
            )
            .excerpt(excerpt::at_bytes(&file.label, &file.sql, range, "reaches beyond the database"))
            .hint("try it on a private server instead: --sandbox, or another one: --scratch-url URL"));
        }
    }
    Ok(())
}

/// The roles that the set makes by name, in plain statements or inside of a body.
pub(super) fn made_roles(set: &MigrationSet) -> Vec<String> {
    set.files.iter().flat_map(|file| named_after_create(&file.sql)).collect()
}

fn named_after_create(sql: &str) -> Vec<String> {
    let line = words::one_line(sql);
    let words: Vec<&str> = line.split_whitespace().collect();
    let role = |three: &[&str]| {
        let [verb, kind, name] = three else { return None };
        let makes = verb.to_uppercase().ends_with("CREATE")
            && ["ROLE", "USER", "GROUP"].iter().any(|word| kind.eq_ignore_ascii_case(word));
        let name = name.trim_end_matches([';', '\'', ',', ')']);
        let quoted = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        makes.then(|| quoted.map_or_else(|| name.to_lowercase(), str::to_owned))
    };
    words.windows(3).filter_map(role).collect()
}

fn first(file: &File, script: &Script, known: bool) -> Option<(std::ops::Range<usize>, &'static str)> {
    script.pieces.iter().find_map(|piece| {
        let text = file.sql.get(piece.range.clone())?;
        let words = Words::of(text);
        let what = statement(&words).or_else(|| if known { None } else { body(text) })?;
        Some((piece.range.clone(), what))
    })
}

/// What a plain statement does to the server.
fn statement(words: &Words<'_>) -> Option<&'static str> {
    let verb = ["CREATE", "ALTER", "DROP"].iter().any(|verb| words.is(0, verb));
    let on = |what: &str| words.find(1, &["ON", what]).is_some();
    Some(match () {
        () if words.are(0, &["ALTER", "SYSTEM"]) => "changes settings",
        () if verb && words.is(1, "USER") && words.is(2, "MAPPING") => return None,
        () if verb && ["ROLE", "USER", "GROUP"].iter().any(|kind| words.is(1, kind)) => "changes roles",
        () if verb && words.is(1, "DATABASE") => "changes a database",
        () if verb && words.is(1, "TABLESPACE") => "changes a tablespace",
        () if verb && words.is(1, "SUBSCRIPTION") => "changes a subscription",
        () if words.are(0, &["DROP", "OWNED"]) || words.are(0, &["REASSIGN", "OWNED"]) => "changes what a role owns",
        () if words.is(0, "GRANT") || words.is(0, "REVOKE") => {
            if on("DATABASE") || on("TABLESPACE") || on("PARAMETER") {
                "changes rights"
            } else if words.find(1, &["ON"]).is_none() {
                "changes memberships of roles"
            } else {
                return None;
            }
        }
        () if words.is(0, "COMMENT") || words.is(0, "SECURITY") => {
            if on("DATABASE") || on("ROLE") || on("TABLESPACE") {
                "describes an object"
            } else {
                return None;
            }
        }
        () => return None,
    })
}

/// What a body or a call may do. Texts in it may be code as well: all of them count, also those of a
/// function that is only made here, since a later statement may call it.
fn body(text: &str) -> Option<&'static str> {
    let upper = text.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase();
    [
        ("ALTER SYSTEM", "may change settings"),
        ("CREATE ROLE", "may change roles"),
        ("CREATE USER", "may change roles"),
        ("ALTER ROLE", "may change roles"),
        ("ALTER USER", "may change roles"),
        ("DROP ROLE", "may change roles"),
        ("DROP USER", "may change roles"),
        ("ALTER DATABASE", "may change a database"),
        ("REASSIGN OWNED", "may change what a role owns"),
        ("DROP OWNED", "may change what a role owns"),
        ("COMMENT ON DATABASE", "may describe an object"),
        ("COMMENT ON ROLE", "may describe an object"),
        ("REPLICATION_SLOT", "may change replication slots"),
        ("PG_RELOAD_CONF", "may change settings"),
        ("TO PROGRAM", "may run a program"),
        ("FROM PROGRAM", "may run a program"),
        ("DBLINK", "may change another database"),
        ("CRON.SCHEDULE", "may schedule jobs"),
    ]
    .iter()
    .find_map(|(word, what)| upper.contains(word).then_some(*what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_that_a_file_makes_are_known_by_name() {
        let sql = "-- CREATE ROLE not_me\nCREATE USER \"AppX\"; DO $$ BEGIN\n EXECUTE 'create role Reader'; END $$; CREATE TABLE t (a int)";
        assert_eq!(named_after_create(sql), ["AppX", "reader"]);
    }

    #[test]
    fn what_belongs_to_the_server_is_seen() {
        for reaches in [
            "ALTER SYSTEM SET work_mem = '1MB'",
            "CREATE ROLE r",
            "alter user r SET search_path = x",
            "ALTER DATABASE d SET x.y = 1",
            "GRANT CONNECT ON DATABASE d TO r",
            "GRANT a TO b",
            "COMMENT ON DATABASE d IS 'x'",
            "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p",
            "REASSIGN OWNED BY a TO b",
        ] {
            assert!(statement(&Words::of(reaches)).is_some(), "{reaches}");
        }
        for stays in [
            "CREATE TABLE role (a int)",
            "GRANT SELECT ON t TO r",
            "ALTER TABLE t OWNER TO r",
            "COMMENT ON TABLE t IS 'on database'",
            "CREATE USER MAPPING FOR r SERVER s",
            "CREATE POLICY p ON t TO r",
        ] {
            assert_eq!(statement(&Words::of(stays)), None, "{stays}");
        }
        assert!(body("DO $$ BEGIN EXECUTE format('CREATE  ROLE %I', x); END $$").is_some());
        assert_eq!(body("DO $$ BEGIN PERFORM 1; END $$"), None);
    }
}

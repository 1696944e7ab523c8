//! What a statement, and the code in it, does to more than its database. Words decide, without comments; where
//! words cannot, the answer is that it may.

use crate::migrate::words::{Words, ident, quoted};

/// What a statement is to a server that it shares with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sort {
    /// A routine is made, not run. Where it is run, it may do this.
    Routine {
        /// Its name without a schema, as the catalog has it.
        name: String,
        /// What its code may do.
        may: Option<&'static str>,
    },
    /// A foreign table is made: what is written to it is written elsewhere.
    Foreign(Vec<String>),
    /// It is about a routine or a foreign table without running or using it.
    AboutRoutine,
    /// Anything else.
    Run(Option<Reach>),
}

/// What is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    /// In words that follow a file's name: `changes roles`, `may change roles`.
    pub(super) what: &'static str,
    /// The statement itself says so; otherwise code does, or may.
    pub(super) surely: bool,
}

/// Looks at one statement.
pub(super) fn sort(text: &str) -> Sort {
    let words = Words::of(text);
    let about = ["FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE"];
    let is_about = |at: usize| about.iter().any(|kind| words.is(at, kind));
    if words.is(0, "CREATE") {
        let at = words.skip(1, &["OR", "REPLACE"]);
        if words.is(at, "FUNCTION") || words.is(at, "PROCEDURE") {
            let name = words.name(at + 1).map(|(name, _)| name.name.raw().to_owned());
            return Sort::Routine { name: name.unwrap_or_default(), may: code(text, &words) };
        }
    }
    if words.are(0, &["CREATE", "FOREIGN", "TABLE"]) {
        let at = words.skip(3, &["IF", "NOT", "EXISTS"]);
        let parent = words.find(at, &["PARTITION", "OF"]).map(|at| at + 2);
        let names = [Some(at), parent].into_iter().flatten().filter_map(|at| words.name(at));
        return Sort::Foreign(names.map(|(name, _)| name.name.raw().to_owned()).collect());
    }
    let is_about = |at: usize| is_about(at) || words.are(at, &["FOREIGN", "TABLE"]);
    let verb = ["ALTER", "DROP"].iter().any(|verb| words.is(0, verb));
    if verb && is_about(1) || words.are(0, &["COMMENT", "ON"]) && is_about(2) {
        return Sort::AboutRoutine;
    }
    if (words.is(0, "GRANT") || words.is(0, "REVOKE"))
        && words
            .find(1, &["ON"])
            .is_some_and(|at| is_about(at + 1) || words.is(at + 1, "ALL") && !words.is(at + 2, "TABLES"))
    {
        return Sort::AboutRoutine;
    }
    if let Some(what) = statement(&words, 0) {
        return Sort::Run(Some(Reach { what, surely: true }));
    }
    if words.is(0, "DO") {
        return Sort::Run(code(text, &words).map(|what| Reach { what, surely: false }));
    }
    if let Some(what) = (0..words.len()).find_map(|at| call(&words, at)) {
        return Sort::Run(Some(Reach { what, surely: true }));
    }
    let hidden = (0..words.len()).find_map(|at| spelled(&words, at));
    let imports = words.are(0, &["IMPORT", "FOREIGN"]).then_some("brings in tables of another database");
    Sort::Run(hidden.or(imports).map(|what| Reach { what, surely: false }))
}

/// Whether a text mentions one of these names, as the catalog has them: the first.
pub(super) fn mentions<'n>(text: &str, names: &'n [(String, &'static str)]) -> Option<&'n (String, &'static str)> {
    if names.is_empty() {
        return None;
    }
    let words = Words::of(text);
    let told =
        |word: &str| names.iter().find(|(name, _)| ident(word).is_some_and(|ident| ident.raw() == name.as_str()));
    (0..words.len()).find_map(|at| told(words.get(at)?)).or_else(|| {
        // Inside of a body.
        quoted(text).iter().find_map(|body| mentions(body, names))
    })
}

/// What the code of a routine or of a block may do.
fn code(text: &str, words: &Words<'_>) -> Option<&'static str> {
    if let Some(at) = words.find(1, &["LANGUAGE"]) {
        let language = words.get(at + 1).unwrap_or_default().trim_matches(['\'', '"']).to_lowercase();
        if !["sql", "plpgsql"].contains(&language.as_str()) {
            return Some("runs code in a language that is not looked into");
        }
    }
    let escaped = |word: &&str| {
        let start = word.get(..2).unwrap_or_default().to_lowercase();
        (start == "e'" && word.contains('\\')) || start == "u&"
    };
    if (0..words.len()).filter_map(|at| words.get(at)).any(|word| escaped(&word)) {
        return Some("hides its code in escapes");
    }
    // A body without quotes stands among the words.
    inside(words, 1).or_else(|| quoted(text).iter().find_map(|body| inside(&Words::of(body), 0)))
}

/// What a body does, or the words of a statement behind its verb.
fn inside(words: &Words<'_>, from: usize) -> Option<&'static str> {
    (from..words.len()).find_map(|at| {
        if let Some(what) = spelled(words, at) {
            return Some(what);
        }
        if words.is(at, "EXECUTE") {
            let next = ["FUNCTION", "PROCEDURE", "ON"].iter().any(|next| words.is(at + 1, next));
            // Variables may be called so as well.
            let edges = [";", "BEGIN", "THEN", "ELSE", "LOOP", ">", ">>", "IN", "FOR", "QUERY"];
            let begins = at == 0 || edges.iter().any(|edge| words.is(at - 1, edge));
            return (begins || !next).then_some("runs SQL that it puts together");
        }
        let made = words.skip(at + 1, &["OR", "REPLACE"]);
        let makes = words.is(at, "CREATE") && (words.is(made, "FUNCTION") || words.is(made, "PROCEDURE"));
        let block = words.is(at, "DO")
            && (words.is(at + 1, "LANGUAGE") || words.get(at + 1).is_some_and(|next| next.contains(['\'', '$'])));
        if makes || block {
            return Some("has code within its code");
        }
        // Not a part of a name, such as a column called role.
        let begins = at == 0 || !words.is(at - 1, ".");
        begins.then(|| statement(words, at).and_then(may)).flatten().or_else(|| call(words, at))
    })
}

/// Spellings behind which a name or a text is another one.
fn spelled(words: &Words<'_>, at: usize) -> Option<&'static str> {
    let word = words.get(at)?;
    if word.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("u&\"")) {
        return Some("names things in a way that is not looked into");
    }
    let quotes = ["standard_conforming_strings", "'standard_conforming_strings'"].iter().any(|name| words.is(at, name));
    quotes.then_some("quotes in a way that is not looked into")
}

/// Catalogs that all databases of a server have in common.
const SHARED: [&str; 11] = [
    "pg_authid",
    "pg_auth_members",
    "pg_database",
    "pg_db_role_setting",
    "pg_parameter_acl",
    "pg_replication_origin",
    "pg_shdepend",
    "pg_shdescription",
    "pg_shseclabel",
    "pg_subscription",
    "pg_tablespace",
];

/// Whether the statement that begins at `at` writes rows of such a catalog, as a superuser may.
fn writes_shared(words: &Words<'_>, at: usize) -> bool {
    let into = [["INSERT", "INTO"], ["DELETE", "FROM"], ["MERGE", "INTO"]].iter().any(|verb| words.are(at, verb));
    let target = match () {
        () if into => at + 2,
        () if words.is(at, "UPDATE") || words.is(at, "COPY") => at + 1,
        () => return false,
    };
    let name = words.name(words.skip(target, &["ONLY"]));
    name.is_some_and(|(name, end)| SHARED.contains(&name.name.raw()) && !(words.is(at, "COPY") && words.is(end, "TO")))
}

/// What a plain statement that begins at `at` does to the server.
fn statement(words: &Words<'_>, at: usize) -> Option<&'static str> {
    let verb = ["CREATE", "ALTER", "DROP"].iter().any(|verb| words.is(at, verb));
    let end = words.find(at, &[";"]).unwrap_or(words.len());
    let within = |keywords: &[&str]| words.find(at + 1, keywords).is_some_and(|found| found < end);
    let on = |what: &str| within(&["ON", what]);
    Some(match () {
        () if words.are(at, &["ALTER", "SYSTEM"]) => "changes settings",
        () if verb && words.is(at + 1, "USER") && words.is(at + 2, "MAPPING") => return None,
        () if verb && ["ROLE", "USER", "GROUP"].iter().any(|kind| words.is(at + 1, kind)) => "changes roles",
        () if verb && words.is(at + 1, "DATABASE") => "changes a database",
        () if verb && words.is(at + 1, "TABLESPACE") => "changes a tablespace",
        () if verb && words.is(at + 1, "SUBSCRIPTION") => "changes a subscription",
        () if words.are(at, &["DROP", "OWNED"]) || words.are(at, &["REASSIGN", "OWNED"]) => "changes what a role owns",
        () if words.is(at, "GRANT") || words.is(at, "REVOKE") => {
            // Not GRANT as a word in a list of rights, as in WITH GRANT OPTION.
            if words.is(at + 1, "OPTION") {
                return None;
            } else if on("DATABASE") || on("TABLESPACE") || on("PARAMETER") {
                "changes rights"
            } else if !within(&["ON"]) {
                "changes memberships of roles"
            } else {
                return None;
            }
        }
        () if words.is(at, "COMMENT") || words.are(at, &["SECURITY", "LABEL"]) => {
            if ["DATABASE", "ROLE", "TABLESPACE", "SUBSCRIPTION"].iter().any(|kind| on(kind)) {
                "describes an object"
            } else {
                return None;
            }
        }
        () if words.is(at, "COPY") => {
            let to_file = (at..end).any(|to| words.is(to, "TO") && words.get(to + 1).is_some_and(|w| w.contains('\'')));
            if within(&["PROGRAM"]) {
                "runs a program"
            } else if to_file {
                "writes a file"
            } else {
                return None;
            }
        }
        () => return None,
    })
}

fn may(does: &'static str) -> Option<&'static str> {
    Some(match does {
        "changes settings" => "may change settings",
        "changes roles" => "may change roles",
        "changes a database" => "may change a database",
        "changes a tablespace" => "may change a tablespace",
        "changes a subscription" => "may change a subscription",
        "changes what a role owns" => "may change what a role owns",
        "changes rights" => "may change rights",
        "changes memberships of roles" => "may change memberships of roles",
        "describes an object" => "may describe an object",
        "runs a program" => "may run a program",
        "writes a file" => "may write a file",
        other => other,
    })
}

/// What a call of a function of the server's, or of a well-known extension's, at `at` does.
fn call(words: &Words<'_>, at: usize) -> Option<&'static str> {
    if words.is(at, "cron") && words.is(at + 1, ".") {
        return Some("schedules jobs");
    }
    if writes_shared(words, at) {
        return Some("changes the catalogs");
    }
    if !words.is(at + 1, "(") {
        return None;
    }
    let name = ident(words.get(at)?)?;
    let name = name.raw();
    Some(match name {
        "lo_export" => "writes a file",
        "pg_reload_conf" => "changes settings",
        "pg_switch_wal"
        | "pg_create_restore_point"
        | "pg_promote"
        | "pg_log_standby_snapshot"
        | "pg_rotate_logfile"
        | "pg_wal_replay_pause"
        | "pg_wal_replay_resume"
        | "pg_backup_start"
        | "pg_backup_stop"
        | "pg_start_backup"
        | "pg_stop_backup" => "steers WAL or logs",
        "pg_terminate_backend" | "pg_cancel_backend" | "pg_log_backend_memory_contexts" => "acts on sessions",
        "pg_logical_emit_message" | "pg_logfile_rotate" => "steers WAL or logs",
        "pg_background_launch" => "starts another session",
        "http_get" | "http_post" | "http_put" | "http_patch" | "http_delete" => "calls a service outside",
        "pg_stat_reset_shared"
        | "pg_stat_reset_slru"
        | "pg_stat_reset_subscription_stats"
        | "pg_stat_statements_reset" => "resets counters",
        "query_to_xml"
        | "query_to_xmlschema"
        | "query_to_xml_and_xmlschema"
        | "ts_stat"
        | "ts_rewrite"
        | "crosstab"
        | "crosstabn"
        | "connectby" => "runs SQL that it puts together",
        name if name.starts_with("pg_file_") => "writes a file",
        name if name.contains("replication_slot") || name.starts_with("pg_logical_slot_") => {
            "changes replication slots"
        }
        name if name.contains("replication_origin") => "changes replication origins",
        name if name.starts_with("dblink") => "changes another database",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spelled_otherwise_or_hidden_deeper_is_not_let_through() {
        for reaches in [
            "UPDATE pg_authid SET rolsuper = true",
            "UPDATE ONLY pg_catalog.pg_database SET datconnlimit = 1",
            "WITH x AS (DELETE FROM pg_auth_members RETURNING 1) SELECT FROM x",
            "INSERT INTO pg_db_role_setting VALUES (0, 0, '{}')",
            "SELECT pg_logical_emit_message(false, 'a', 'b')",
            "SELECT net.http_post('x')",
            "DO $$ BEGIN UPDATE pg_authid SET rolconnlimit = 1; END $$",
            "DO $$ DECLARE function text := 'x'; BEGIN EXECUTE function; END $$",
            "DO $$ BEGIN CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'x'; END $$",
            "DO $$ BEGIN DO 'BEGIN ALTER ROLE r NOLOGIN; END'; END $$",
            "DO E'BEGIN EXECUT\\x45 x; END'",
            "DO U&'BEGIN EXECUT\\0045 x; END'",
            "SELECT U&\"\\0070g_reload_conf\"()",
            "SET standard_conforming_strings = off",
            "SELECT set_config('standard_conforming_strings', 'off', false)",
            "IMPORT FOREIGN SCHEMA s FROM SERVER x INTO public",
        ] {
            assert!(run(reaches).is_some(), "{reaches}");
        }
        for stays in [
            "SELECT datname FROM pg_database",
            "INSERT INTO t SELECT oid FROM pg_authid ON CONFLICT DO NOTHING",
            "COPY pg_database TO STDOUT",
            "DO $$ BEGIN INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING; END $$",
            "DO $$ BEGIN CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); END $$",
            "CREATE TABLE pg_database_sizes (a int)",
        ] {
            assert_eq!(run(stays), None, "{stays}");
        }
        assert_eq!(
            sort("CREATE FOREIGN TABLE IF NOT EXISTS p PARTITION OF q DEFAULT SERVER s"),
            Sort::Foreign(vec!["p".to_owned(), "q".to_owned()])
        );
        assert_eq!(sort("ALTER FOREIGN TABLE p OWNER TO r"), Sort::AboutRoutine);
    }

    fn run(text: &str) -> Option<Reach> {
        match sort(text) {
            Sort::Run(reach) => reach,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn what_belongs_to_the_server_is_seen() {
        for reaches in [
            "ALTER SYSTEM SET work_mem = '1MB'",
            "CREATE ROLE r",
            "ALTER /* x */ ROLE r NOLOGIN",
            "CREATE GROUP g",
            "alter user r SET search_path = x",
            "ALTER -- y\n DATABASE d SET x.y = 1",
            "GRANT CONNECT ON DATABASE d TO r",
            "GRANT a TO b",
            "COMMENT ON DATABASE d IS 'x'",
            "COMMENT ON TABLESPACE d IS 'x'",
            "SECURITY LABEL FOR x ON ROLE r IS 'y'",
            "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p",
            "REASSIGN OWNED BY a TO b",
            "COPY t TO '/tmp/x'",
            "COPY t FROM PROGRAM 'id'",
            "SELECT lo_export(1, '/tmp/x')",
            "SELECT pg_catalog.pg_create_physical_replication_slot('s')",
            "SELECT \"pg_reload_conf\"()",
            "SELECT * FROM dblink('x', 'y') AS t (a int)",
            "SELECT cron.schedule('x', '* * * * *', 'SELECT 1')",
        ] {
            assert!(run(reaches).is_some_and(|reach| reach.surely), "{reaches}");
        }
    }

    #[test]
    fn what_stays_in_the_database_is_let_through() {
        for stays in [
            "CREATE TABLE role (a int)",
            "GRANT SELECT ON t TO r WITH GRANT OPTION",
            "ALTER TABLE t OWNER TO r",
            "COMMENT ON TABLE t IS 'on database'",
            "CREATE USER MAPPING FOR r SERVER s",
            "DROP USER MAPPING FOR r SERVER s",
            "CREATE POLICY p ON t TO r",
            "INSERT INTO t VALUES ('alter role x', 'dblink(')",
            "CREATE EXTENSION dblink",
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
            "COPY t FROM '/tmp/x'",
            "ALTER DEFAULT PRIVILEGES FOR ROLE r GRANT SELECT ON TABLES TO s",
            "DO $$ BEGIN PERFORM 1; GRANT EXECUTE ON FUNCTION f() TO r; END $$",
            "DO $$ BEGIN INSERT INTO t VALUES ('create role x'); /* EXECUTE 'x' */ END $$",
            "DO $$ BEGIN SELECT t.role FROM t; END $$",
        ] {
            assert_eq!(run(stays), None, "{stays}");
        }
    }

    #[test]
    fn code_that_runs_may_reach_the_server() {
        for may in [
            "DO $$ BEGIN EXECUTE 'alter'||' role x NOLOGIN'; END $$",
            "DO $$ BEGIN GRANT r1 TO r2; END $$",
            "DO 'BEGIN ALTER /* x */ ROLE r NOLOGIN; END'",
            "DO LANGUAGE plpgsql $x$ BEGIN COMMENT ON TABLESPACE t IS 'x'; END $x$",
            "DO $$ BEGIN CREATE GROUP g; END $$",
            "DO $$ BEGIN PERFORM lo_export(1, 'x'); END $$",
            "DO $$ BEGIN COPY t TO PROGRAM 'id'; END $$",
            "DO LANGUAGE plpython3u $$ import os $$",
            "DO $$ BEGIN IF true THEN SECURITY LABEL ON ROLE r IS 'x'; END IF; END $$",
        ] {
            assert!(run(may).is_some_and(|reach| !reach.surely), "{may}");
        }
    }

    #[test]
    fn a_routine_is_made_and_what_it_may_do_is_known() {
        let may = |text: &str| match sort(text) {
            Sort::Routine { name, may } => (name, may.is_some()),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(
            may("CREATE OR REPLACE FUNCTION App.\"F x\"() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE q; END $$"),
            ("F x".to_owned(), true)
        );
        assert_eq!(may("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"), ("f".to_owned(), false));
        assert_eq!(may("CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'x', 'y'"), ("f".to_owned(), true));
        assert_eq!(may("CREATE PROCEDURE p() BEGIN ATOMIC SELECT lo_export(1, 'x'); END"), ("p".to_owned(), true));
        assert_eq!(sort("DROP FUNCTION f()"), Sort::AboutRoutine);
        assert_eq!(sort("GRANT EXECUTE ON FUNCTION f() TO r"), Sort::AboutRoutine);
        let names = [("f".to_owned(), "may change roles")];
        for text in [
            "SELECT F()",
            "DO $$ BEGIN PERFORM f(); END $$",
            "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION s.f()",
        ] {
            assert!(mentions(text, &names).is_some(), "{text}");
        }
        assert!(mentions("SELECT g('f()x')", &names).is_some(), "a text may be code");
        assert!(mentions("SELECT ff()", &names).is_none());
    }
}

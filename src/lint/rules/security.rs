//! Who may do what afterwards, and settings that outlive their reason.

use super::{Context, actions};
use crate::lint::found::Found;
use crate::lint::rule::{RULE, Rule};
use crate::lint::statement::{Act, Action, Statement};
use crate::output::Level;
use crate::steps::LockMode;

pub(super) static DEFINER: Rule = Rule {
    id: "security-definer-without-search-path",
    finds: "A SECURITY DEFINER function without SET search_path.",
    danger: "Whoever calls it chooses the search_path, and so whose tables and operators run with its owner's rights.",
    lock: "none",
    safe: "CREATE FUNCTION app.purge() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp\n\
           AS 'DELETE FROM app.sessions WHERE ended < now()';",
    bad: "CREATE FUNCTION app.purge() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM app.sessions WHERE ended < now()';",
    good: "CREATE FUNCTION app.purge() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT';",
    ..RULE
};

pub(super) static PUBLIC: Rule = Rule {
    id: "grant-to-public",
    finds: "GRANT … TO PUBLIC.",
    danger: "Every role that there is or will be gets the right, and no REVOKE from a single role takes it back.",
    lock: "none",
    safe: "GRANT SELECT ON app.orders TO reporting;",
    bad: "GRANT SELECT ON app.orders TO PUBLIC;",
    good: "GRANT SELECT ON app.orders TO reporting;",
    ..RULE
};

pub(super) static ROW_SECURITY: Rule = Rule {
    id: "row-security",
    finds: "Row level security switched off, or switched on for a table without a policy.",
    danger: "Off, everybody with SELECT sees every row; on without a policy, nobody but the owner sees any.",
    lock: "ACCESS EXCLUSIVE on the table: brief.",
    safe: "CREATE POLICY own ON app.orders USING (tenant = current_setting('app.tenant'));\nALTER TABLE app.orders ENABLE ROW LEVEL SECURITY;",
    bad: "ALTER TABLE app.orders DISABLE ROW LEVEL SECURITY;",
    good: "CREATE POLICY own ON app.orders USING (tenant = current_setting('app.tenant'));\nALTER TABLE app.orders ENABLE ROW LEVEL SECURITY;",
    squawk: &["ban-alter-row-level-security"],
    ..RULE
};

pub(super) static DISABLE_TRIGGER: Rule = Rule {
    id: "disable-trigger",
    finds: "DISABLE TRIGGER, or session_replication_role = replica.",
    danger: "Foreign keys, audit and whatever else the triggers keep are not kept meanwhile, for everybody, and nothing catches up later.",
    lock: "SHARE ROW EXCLUSIVE on the table: blocks writes until the file commits.",
    safe: "-- let the trigger see why it may keep still, in this transaction only\nSET LOCAL app.maintenance = 'on';",
    bad: "ALTER TABLE app.orders DISABLE TRIGGER ALL;",
    good: "ALTER TABLE app.orders ENABLE TRIGGER orders_audit;",
    squawk: &["ban-disable-trigger"],
    ..RULE
};

pub(super) static SYSTEM: Rule = Rule {
    id: "alter-system",
    finds: "ALTER SYSTEM.",
    danger: "It changes every database of the server, wants a superuser, and is kept in a file that no migration takes back.",
    lock: "none",
    safe: "-- for one database or role\nALTER DATABASE app SET work_mem = '64MB';",
    bad: "ALTER SYSTEM SET work_mem = '1GB';",
    good: "ALTER ROLE reporting SET work_mem = '64MB';",
    squawk: &["ban-alter-system-options"],
    ..RULE
};

pub(super) static SEARCH_PATH: Rule = Rule {
    id: "set-search-path",
    finds: "SET search_path, which is not LOCAL.",
    danger: "Every unqualified name after it may mean another object; what the file does depends on what stands before.",
    lock: "none",
    safe: "CREATE TABLE app.orders (id bigint);",
    bad: "SET search_path = app;\nCREATE TABLE orders (id bigint);",
    good: "CREATE TABLE app.orders (id bigint);",
    ..RULE
};

pub(super) static TIMEOUT: Rule = Rule {
    id: "lock-timeout-overridden",
    finds: "SET lock_timeout to 0 or to more than a minute.",
    danger: "dbctl sets a short lock_timeout and tries again; without it, a statement that waits keeps all later queries of the table waiting.",
    lock: "that of the statements after it, waited for without end",
    safe: "-- leave it to dbctl: --lock-timeout 3s",
    bad: "SET lock_timeout = 0;\nALTER TABLE app.orders ADD COLUMN note text;",
    good: "SET lock_timeout = '2s';\nALTER TABLE app.orders ADD COLUMN note text;",
    ..RULE
};

pub(super) static PASSWORD: Rule = Rule {
    id: "password-in-file",
    level: Level::Error,
    secret: true,
    finds: "A password written into CREATE or ALTER ROLE, a user mapping or a subscription.",
    danger: "Whoever reads the repository or the server's log has it, and it cannot be changed without a new migration.",
    lock: "none",
    safe: "-- the role without it; the password by hand or by a secret store: dbctl connect, then \\password app_login\n\
           CREATE ROLE app_login LOGIN;",
    bad: "CREATE ROLE app_login LOGIN PASSWORD 'secret';",
    good: "CREATE ROLE app_login LOGIN PASSWORD NULL;",
    ..RULE
};

pub(super) static SERVER_FILE: Rule = Rule {
    id: "copy-on-server",
    finds: "COPY from or to a file of the server, or a program that runs there.",
    danger: "It wants rights over the server's files or programs, and what is there on one server is missing on the next: the migration fails.",
    lock: "ROW EXCLUSIVE on a table that is filled: blocks no reads or writes.",
    safe: "INSERT INTO app.settings (name, value) VALUES ('billing', 'on');",
    bad: "COPY app.settings FROM '/tmp/settings.csv' CSV;",
    good: "INSERT INTO app.settings (name, value) VALUES ('billing', 'on');",
    ..RULE
};

pub(super) const RULES: &[&Rule] =
    &[&DEFINER, &PUBLIC, &ROW_SECURITY, &DISABLE_TRIGGER, &SYSTEM, &SEARCH_PATH, &TIMEOUT, &PASSWORD, &SERVER_FILE];

pub(super) fn check(context: &Context<'_>, statement: &Statement, found: &mut Vec<Found>) {
    let span = &statement.span;
    match &statement.act {
        Act::CreateFunction(function)
            if function.definer
                && !function.pins_search_path
                && !pinned_later(context, statement, function.name.name.raw()) =>
        {
            let name = &function.name;
            let kind = if function.procedure { "PROCEDURE" } else { "FUNCTION" };
            let danger = format!("whoever calls {name} chooses whose tables and operators run with its owner's rights");
            found.push(
                Found::new(&DEFINER, span, danger)
                    .fix(format!("ALTER {kind} {name} SET search_path = pg_catalog, pg_temp;")),
            );
        }
        Act::Grant { privileges, on, to_public: true, revoke: false } => {
            let what = if on.is_empty() { privileges.clone() } else { format!("{privileges} on {on}") };
            found.push(
                Found::new(&PUBLIC, span, format!("every role that there is or will be gets {what}")).fix(
                    context
                        .text
                        .get(span.clone())
                        .unwrap_or_default()
                        .replace("PUBLIC", "<role>")
                        .replace("public;", "<role>;"),
                ),
            );
        }
        Act::AlterTable(alter) => {
            let table = &alter.table;
            for (span, action) in actions(context, alter) {
                let exclusive =
                    |danger: String| Found::new(&ROW_SECURITY, span, danger).locks(LockMode::AccessExclusive, table);
                match action {
                    Action::RowSecurity { on: false } => found
                        .push(exclusive(format!("everybody with SELECT on {table} sees every row")).fix(format!(
                            "CREATE POLICY … ON {table} USING (true); -- for the one role that needs it"
                        ))),
                    Action::NoForceRowSecurity => found.push(exclusive(format!("the owner of {table} sees every row"))),
                    Action::RowSecurity { on: true }
                        if !context.known.table(table).is_some_and(|table| table.has_policy)
                            && !context.seen.with_policy.iter().any(|with| with.name == table.name) =>
                    {
                        found.push(
                            exclusive(format!(
                                "{table} has no policy that is known here: nobody but its owner sees a row"
                            ))
                            .fix(format!(
                                "CREATE POLICY … ON {table} USING (…);\nALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
                            )),
                        )
                    }
                    Action::DisableTrigger { which } => {
                        let level = if which.eq_ignore_ascii_case("all") { Level::Error } else { Level::Warning };
                        found.push(
                            Found::new(
                                &DISABLE_TRIGGER,
                                span,
                                format!("what trigger {which} of {table} keeps is not kept, for everybody"),
                            )
                            .locks(LockMode::ShareRowExclusive, table)
                            .level(level)
                            .fix(format!("ALTER TABLE {table} ENABLE TRIGGER {which};")),
                        );
                    }
                    _ => {}
                }
            }
        }
        Act::AlterSystem { what } => found.push(
            Found::new(
                &SYSTEM,
                span,
                format!("{what} changes every database of the server, and no migration takes it back"),
            )
            .fix(format!("ALTER DATABASE <database> {what};")),
        ),
        Act::Password { of } => found.push(
            Found::new(
                &PASSWORD,
                span,
                format!("whoever reads this file or the server's log has the password of {of}"),
            )
            .fix("-- without the password here; set it by hand or from a secret store"),
        ),
        Act::CopyServer { program } => {
            let what = if *program { "a program that runs on the server" } else { "a file of the server" };
            found.push(
                Found::new(&SERVER_FILE, span, format!("it needs {what}, which other servers may not have"))
                    .fix("-- write the rows as INSERT"),
            );
        }
        Act::Set { name, value, local } => set(span, name, value, *local, found),
        _ => {}
    }
}

/// Whether a later statement of the file names both the function and search_path: `ALTER FUNCTION … SET
/// search_path`, or a call of one that does it.
fn pinned_later(context: &Context<'_>, statement: &Statement, function: &str) -> bool {
    let rest = context.text.get(statement.span.end..).unwrap_or_default();
    rest.split(';').any(|later| {
        let is_named = later.match_indices(function).any(|(at, _)| {
            let before = later.get(..at).and_then(|text| text.chars().next_back());
            let after = later.get(at + function.len()..).and_then(|text| text.chars().next());
            let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            !goes_on(before) && !goes_on(after)
        });
        is_named && later.contains("search_path") && !later.to_ascii_uppercase().contains("CREATE ")
    })
}

fn set(span: &std::ops::Range<usize>, name: &str, value: &str, local: bool, found: &mut Vec<Found>) {
    match name {
        "search_path" if !local => found.push(
            Found::new(&SEARCH_PATH, span, "every unqualified name after it may mean another object")
                .fix("-- write schema.name in each statement, or: SET LOCAL search_path = …"),
        ),
        "session_replication_role" if value.trim_matches('\'').eq_ignore_ascii_case("replica") => found.push(
            Found::new(&DISABLE_TRIGGER, span, "foreign keys and triggers of every table keep still in what follows")
                .level(Level::Error)
                .fix("SET LOCAL session_replication_role = origin;"),
        ),
        "lock_timeout" if too_long(value) => found.push(
            Found::new(
                &TIMEOUT,
                span,
                format!("a statement that waits for a lock for {value} keeps all later queries waiting as well"),
            )
            .fix("-- leave it to dbctl: --lock-timeout 3s"),
        ),
        _ => {}
    }
}

/// Without end, or more than a minute.
fn too_long(value: &str) -> bool {
    let value = value.trim_matches('\'').trim();
    let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
    let number: u64 = digits.parse().unwrap_or(u64::MAX);
    let unit = value.get(digits.len()..).unwrap_or_default().trim();
    let milliseconds = match unit {
        "" | "ms" => number,
        "s" => number.saturating_mul(1_000),
        "min" => number.saturating_mul(60_000),
        "h" | "d" => u64::MAX,
        // `default` and the like.
        _ => return false,
    };
    number == 0 || milliseconds > 60_000
}

//! The log of a drain: triggers that write down the primary key of every row that changes, and the
//! functions that take the rows of logged keys over. All in schema dbctl, named after the DEFAULT
//! partition's oid. Pure.

use super::assess::Ground;
use super::drain::{COMMAND, note};
use super::record::Draining;
use crate::ident::{Ident, Literal, TableName};
use crate::partitions::workbench::lock;
use crate::steps::{LockMode, Step};

/// A thing of this drain in schema dbctl.
pub(super) fn function(ground: &Ground<'_>, what: &str) -> TableName {
    TableName::new("dbctl", format!("drain_{}_{what}", ground.default.facts.oid))
}

/// Makes the log, and has everything that changes from now on written there.
pub(super) fn log(ground: &Ground<'_>, draining: &Draining, key: &[Ident]) -> Step {
    let name = &ground.default.name;
    let (log, logs, stops) = (function(ground, "log"), function(ground, "logs"), function(ground, "stops"));
    let (take, last) = (function(ground, "take"), function(ground, "last"));
    let of_key = |column: &Ident| {
        ground.snapshot.columns.iter().find(|c| c.name == column.raw()).map_or("text", |c| c.kind.as_str())
    };
    let list = |prefix: &str| key.iter().map(|column| format!("{prefix}{column}")).collect::<Vec<_>>().join(", ");
    let columns: Vec<String> = key.iter().enumerate().map(|(i, column)| format!("k{i} {}", of_key(column))).collect();
    let names: Vec<String> = (0..key.len()).map(|i| format!("k{i}")).collect();
    let names = names.join(", ");
    let same = |row: &str| {
        let pairs: Vec<String> = key.iter().enumerate().map(|(i, column)| format!("{row}.{column} = k.k{i}")).collect();
        pairs.join(" AND ")
    };
    let stored: Vec<String> = ground
        .snapshot
        .columns
        .iter()
        .filter(|c| c.generated.is_empty())
        .map(|c| Ident::new(c.name.as_str()).to_string())
        .collect();
    let (stored, from) = (stored.join(", "), stored.iter().map(|c| format!("d.{c}")).collect::<Vec<_>>().join(", "));
    let logging = format!(
        "BEGIN IF TG_OP <> 'INSERT' THEN INSERT INTO {log} ({names}) VALUES ({}); END IF; \
         IF TG_OP <> 'DELETE' THEN INSERT INTO {log} ({names}) VALUES ({}); END IF; RETURN NULL; END",
        list("OLD."),
        list("NEW.")
    );
    let stopping = format!(
        "BEGIN RAISE EXCEPTION USING ERRCODE = 'object_in_use', MESSAGE = {}; END",
        Literal(&format!("{name} is being drained: use DELETE, or wait for dbctl partitions default drain"))
    );
    // Where rows go: by way of the stage, or straight into each partition once it has left the stage.
    let staged = vec![(ground.name(&draining.stage), "true".to_owned())];
    let mut apart: Vec<(TableName, String)> = Vec::new();
    for target in &draining.windows {
        apart.push((ground.name(&target.name), ground.condition(&target.lower, &target.upper)));
    }
    let elsewhere: Vec<String> = apart.iter().map(|(_, condition)| format!("({condition}) IS NOT TRUE")).collect();
    apart.push((
        ground.name(&draining.rest),
        if apart.is_empty() { "true".to_owned() } else { elsewhere.join(" AND ") },
    ));
    let taking = |targets: &[(TableName, String)]| {
        // Key by key: each is one look into an index, whatever the planner believes of tables that grow.
        let each = format!("FOR k IN SELECT DISTINCT {names} FROM {log} AS l WHERE l.n = ANY (taken) LOOP");
        let gone = targets.iter().map(|(target, _)| format!("DELETE FROM {target} AS s WHERE {}; ", same("s")));
        let come = targets.iter().map(|(target, condition)| {
            format!(
                "INSERT INTO {target} ({stored}) SELECT {from} FROM {name} AS d WHERE {} AND {condition}; ",
                same("d")
            )
        });
        let (gone, come): (String, String) = (gone.collect(), come.collect());
        let work = format!("      {each}\n        {gone}END LOOP;\n      {each}\n        {come}END LOOP;\n");
        format!(
            "DECLARE k record; taken bigint[]; wanted bigint := amount;\nBEGIN\n  LOOP\n    BEGIN\n      \
             SELECT pg_catalog.array_agg(t.n) INTO taken FROM (SELECT l.n FROM {log} AS l ORDER BY l.n LIMIT wanted) AS t;\n      \
             EXIT WHEN taken IS NULL;\n{work}      DELETE FROM {log} WHERE n = ANY (taken);\n      EXIT;\n    \
             EXCEPTION WHEN unique_violation THEN\n      \
             -- Two rows have exchanged a unique value: they must be taken together.\n      \
             IF wanted > 100000000 THEN RAISE; END IF;\n      wanted := wanted * 10;\n    END;\n  END LOOP;\n  \
             RETURN (SELECT COALESCE(pg_catalog.max(c.n) - pg_catalog.min(c.n) + 1, 0) FROM {log} AS c);\nEND"
        )
    };
    let taker = |function: &TableName, body: &str| {
        // Row security is off so that a policy could only fail the copy, never thin it out. Plans may
        // be made while the tables are empty: they must be those for full ones.
        format!(
            "CREATE FUNCTION {function}(amount integer) RETURNS bigint LANGUAGE plpgsql SET search_path = '' SET row_security = off \
             SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS {};",
            Literal(body)
        )
    };
    let (writes, truncates) = (Ident::new("dbctl_drain_logs"), Ident::new("dbctl_drain_stops"));
    let sql = [
        format!("CREATE TABLE {log} (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {});", columns.join(", ")),
        format!(
            "CREATE FUNCTION {logs}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS {};",
            Literal(&logging)
        ),
        format!(
            "CREATE FUNCTION {stops}() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS {};",
            Literal(&stopping)
        ),
        taker(&take, &taking(&staged)),
        taker(&last, &taking(&apart)),
        format!("REVOKE ALL ON FUNCTION {take}(integer), {last}(integer), {logs}(), {stops}() FROM PUBLIC;"),
        format!(
            "CREATE TRIGGER {writes} AFTER INSERT OR UPDATE OR DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION {logs}();"
        ),
        format!("CREATE TRIGGER {truncates} BEFORE TRUNCATE ON {name} FOR EACH STATEMENT EXECUTE FUNCTION {stops}();"),
        // Also for what a subscription applies.
        format!("ALTER TABLE {name} ENABLE ALWAYS TRIGGER {writes};"),
        format!("ALTER TABLE {name} ENABLE ALWAYS TRIGGER {truncates};"),
        note(ground, "logged", "'true'"),
    ];
    ground.work(COMMAND).transaction(
        "log",
        format!("{name}: log the keys of rows that change"),
        "what changes while rows are copied is copied again",
        &sql,
        vec![lock(name, LockMode::ShareRowExclusive)],
    )
}

/// Writes down every row that was there before.
pub(super) fn seed(ground: &Ground<'_>, key: &[Ident]) -> Step {
    let (name, log) = (&ground.default.name, function(ground, "log"));
    let names: Vec<String> = (0..key.len()).map(|i| format!("k{i}")).collect();
    let list: Vec<String> = key.iter().map(ToString::to_string).collect();
    let sql = [
        "SET LOCAL row_security = off;".to_owned(),
        format!(
            "INSERT INTO {log} ({}) SELECT {} FROM {name} ORDER BY {};",
            names.join(", "),
            list.join(", "),
            list.join(", ")
        ),
        note(ground, "seeded", "'true'"),
    ];
    ground.work(COMMAND).transaction(
        "seed",
        format!("{name}: log the keys of all rows"),
        "reads every row; nobody waits",
        &sql,
        vec![lock(name, LockMode::AccessShare)],
    )
}

/// Removes triggers, functions and log.
pub(super) fn untie(ground: &Ground<'_>) -> Vec<String> {
    let name = &ground.default.name;
    vec![
        format!("DROP TRIGGER IF EXISTS dbctl_drain_logs ON {name};"),
        format!("DROP TRIGGER IF EXISTS dbctl_drain_stops ON {name};"),
        format!(
            "DROP FUNCTION IF EXISTS {}(integer), {}(integer);",
            function(ground, "take"),
            function(ground, "last")
        ),
        format!("DROP FUNCTION IF EXISTS {}();", function(ground, "logs")),
        format!("DROP FUNCTION IF EXISTS {}();", function(ground, "stops")),
        format!("DROP TABLE IF EXISTS {};", function(ground, "log")),
    ]
}

//! Drains a DEFAULT partition whose rows lie in several holes: every window gets a partition of its
//! own. Pure.
//!
//! A row must never be hidden from readers, and the server attaches a partition only when the DEFAULT
//! one has no row for it: rows can therefore not be moved window by window in batches. So they are
//! copied while everybody works, and then one exchange replaces the whole DEFAULT partition:
//!
//! 1. a partitioned table of its own, the stage, gets a partition for each window, and one for the rest;
//! 2. triggers log the primary key of every row that changes in the DEFAULT partition;
//! 3. the log is filled with the keys of all rows that were there before;
//! 4. in batches, the rows of logged keys are taken over as they are now, and their log entries go; what
//!    is logged twice is taken over twice, so that order does not matter and any end can be gone on from;
//! 5. the exchange locks the DEFAULT partition, takes the last entries over, detaches it, and attaches
//!    the stage's partitions, the rest as the new DEFAULT partition.
//!
//! The old DEFAULT partition is left, detached, with all its rows: whoever has looked drops it.

use std::collections::BTreeSet;

use super::assess::{Ground, literals};
use super::plan::{Course, begin, likeness, locks, options, waits};
use super::record::{Draining, Record, Target};
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, Literal, TableName};
use crate::partitions::key::Range;
use crate::partitions::likeness::{free_name, suffixed};
use crate::partitions::naming::Template;
use crate::partitions::policy::DefaultRule;
use crate::partitions::work::lock;
use crate::steps::{LockMode, Plan, Step};

const COMMAND: &str = "partitions default drain";
/// The CHECK of each new partition; it goes with the exchange.
const CHECK: &str = "dbctl_drain_range";

/// The steps before the batches, and the exchange after them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Draft {
    /// Before the batches.
    pub prepare: Course,
    /// After them.
    pub exchange: Plan,
    /// One batch: `$1` is how many log entries it takes; it answers with how many are left.
    pub batch: String,
}

/// Decides.
///
/// # Errors
/// Refused where rows cannot be told apart, or there are too many windows.
pub fn drain(ground: &Ground<'_>) -> Result<Draft> {
    let name = &ground.default.name;
    if let Some(Record::Promote(_)) = &ground.default.begun {
        return Err(Failure::new(Kind::Refused, format!("{name} is being promoted"))
            .hint("let it end: dbctl partitions default promote …"));
    }
    let begun = match &ground.default.begun {
        Some(Record::Drain(draining)) => Some(draining),
        _ => None,
    };
    if begun.is_none() && ground.contents.ends.is_none() {
        return Ok(Draft::default());
    }
    let key = primary_key(ground)?;
    let mut steps = Vec::new();
    let fits = begun.filter(|begun| fits(ground, begun));
    if begun.is_some() && fits.is_none() {
        steps.push(clear(ground, begun));
    }
    let draining = match fits {
        Some(draining) => draining.clone(),
        None => decide(ground, begun)?,
    };
    if fits.is_none() {
        steps.push(stage(ground, &draining)?);
    }
    if !draining.logged {
        steps.push(log(ground, &draining, &key));
    }
    if !draining.seeded {
        steps.push(seed(ground, &key));
    }
    let mut notes = vec![
        format!(
            "{name} is left as {} when the exchange is done, with all its rows: look, then drop it",
            Ident::new(draining.drained.as_str())
        ),
        format!("until then its rows need their disk space twice, and TRUNCATE of {name} is refused"),
    ];
    if ground.contents.nulls || ground.contents.infinite {
        notes.push("rows without a window (NULL, infinity) stay in the DEFAULT partition".to_owned());
    }
    Ok(Draft {
        prepare: Course { plan: Plan { steps }, notes },
        exchange: Plan { steps: vec![exchange(ground, &draining)] },
        batch: format!("SELECT {}($1::integer) AS remaining", function(ground, "take")),
    })
}

/// A thing of this drain in schema dbctl.
fn function(ground: &Ground<'_>, what: &str) -> TableName {
    TableName::new("dbctl", format!("drain_{}_{what}", ground.default.facts.oid))
}

fn primary_key(ground: &Ground<'_>) -> Result<Vec<Ident>> {
    let found = ground.default.indexes.iter().find(|index| index.primary);
    found.map(|index| index.columns.iter().map(|c| Ident::new(c.as_str())).collect()).ok_or_else(|| {
        Failure::new(
            Kind::Refused,
            format!("{} has no primary key: its rows cannot be told apart", ground.default.name),
        )
        .hint("add one, or promote it where its rows lie in one hole: dbctl partitions default promote …")
    })
}

/// Whether what was begun can be gone on with: somebody may have made a partition in a window.
fn fits(ground: &Ground<'_>, begun: &Draining) -> bool {
    let free = |target: &Target| {
        let edges = (ground.grid.axis.parse(&target.lower), ground.grid.axis.parse(&target.upper));
        let (Ok(lower), Ok(upper)) = edges else { return false };
        Range::new(lower, upper).is_some_and(|range| !ground.coverage.touches(range))
    };
    begun.stage_oid.is_some() && begun.windows.iter().all(free)
}

fn decide(ground: &Ground<'_>, old: Option<&Draining>) -> Result<Draining> {
    let (table, name) = (ground.snapshot.table.name.raw(), ground.default.name.name.raw());
    if ground.contents.more {
        return Err(Failure::new(
            Kind::Refused,
            format!("{} has rows in more than {} windows", ground.default.name, ground.contents.windows.len()),
        )
        .hint("a wider grid, or promote it where its rows lie in one hole"));
    }
    let mut taken: BTreeSet<String> = ground.snapshot.facts.names.iter().cloned().collect();
    for free in old.iter().flat_map(|old| old.windows.iter().map(|w| &w.name).chain([&old.stage, &old.rest])) {
        taken.remove(free);
    }
    let template = ground.policy.name.clone().unwrap_or_else(|| Template::of(ground.policy.every));
    let mut windows = Vec::new();
    for (window, _) in &ground.contents.windows {
        // What of the window no partition holds; more than one piece where partitions lie off the grid.
        for piece in ground.coverage.gaps(*window) {
            if let Some((lower, upper)) = literals(&ground.grid, piece) {
                let name = free_name(&template.name(table, piece, &ground.grid.axis), &mut taken);
                windows.push(Target { name, lower, upper });
            }
        }
    }
    Ok(Draining {
        stage: free_name(&suffixed(table, "_dbctl_stage"), &mut taken),
        stage_oid: None,
        rest: free_name(name, &mut taken),
        drained: free_name(&suffixed(name, "_drained"), &mut taken),
        windows,
        logged: false,
        seeded: false,
    })
}

fn note(ground: &Ground<'_>, what: &str, value: &str) -> String {
    format!(
        "UPDATE dbctl.adoption SET plan = pg_catalog.jsonb_set(plan, '{{{what}}}', {value}), \
         changed_at = pg_catalog.clock_timestamp() WHERE relation = {};",
        ground.default.facts.oid
    )
}

fn stage(ground: &Ground<'_>, draining: &Draining) -> Result<Step> {
    let (table, stage) = (&ground.snapshot.table, ground.name(&draining.stage));
    let key = &ground.policy.key;
    let mut sql = vec![
        begin(ground, &Record::Drain(draining.clone()))?,
        format!(
            "CREATE TABLE {stage} (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY EXCLUDING COMMENTS) PARTITION BY RANGE ({key});"
        ),
    ];
    for target in &draining.windows {
        let name = ground.name(&target.name);
        let bound = Ground::bound(&target.lower, &target.upper);
        sql.push(format!("CREATE TABLE {name} PARTITION OF {stage} {bound}{};", options(ground)));
        // The exchange need not look at its rows then.
        sql.push(format!(
            "ALTER TABLE {name} ADD CONSTRAINT {CHECK} CHECK ({});",
            ground.condition(&target.lower, &target.upper)
        ));
        sql.extend(dress(ground, &name));
    }
    let rest = ground.name(&draining.rest);
    sql.push(format!("CREATE TABLE {rest} PARTITION OF {stage} DEFAULT{};", options(ground)));
    sql.extend(dress(ground, &rest));
    let oid = format!(
        "pg_catalog.to_jsonb({}::pg_catalog.regclass::pg_catalog.oid::pg_catalog.int8)",
        Literal(&stage.to_string())
    );
    sql.push(note(ground, "stage_oid", &oid));
    let mut locks = vec![lock(table, LockMode::AccessShare)];
    locks.extend(ground.snapshot.set.outbound.iter().map(|key| lock(&key.table, LockMode::ShareRowExclusive)));
    Ok(ground.work(COMMAND).transaction(
        "stage",
        format!("{table}: prepare {} partitions in {stage}", draining.windows.len()),
        "empty tables that nobody knows yet",
        &sql,
        locks,
    ))
}

/// Foreign keys are checked for each row that is copied, not for all of them in the exchange.
fn dress(ground: &Ground<'_>, table: &TableName) -> Vec<String> {
    let mut sql = likeness(ground, table);
    for key in &ground.snapshot.set.outbound {
        sql.push(format!("ALTER TABLE {table} ADD CONSTRAINT {} {};", Ident::new(key.name.as_str()), key.definition));
    }
    sql
}

fn log(ground: &Ground<'_>, draining: &Draining, key: &[Ident]) -> Step {
    let name = &ground.default.name;
    let (log, logs, stops, take) =
        (function(ground, "log"), function(ground, "logs"), function(ground, "stops"), function(ground, "take"));
    let stage = ground.name(&draining.stage);
    let of_key = |column: &Ident| {
        ground.snapshot.columns.iter().find(|c| c.name == column.raw()).map_or("text", |c| c.kind.as_str())
    };
    let list = |prefix: &str| key.iter().map(|column| format!("{prefix}{column}")).collect::<Vec<_>>().join(", ");
    let columns: Vec<String> = key.iter().enumerate().map(|(i, column)| format!("k{i} {}", of_key(column))).collect();
    let names: Vec<String> = (0..key.len()).map(|i| format!("k{i}")).collect();
    let names = names.join(", ");
    let same = |row: &str| {
        let pairs: Vec<String> = key.iter().enumerate().map(|(i, column)| format!("{row}.{column} = l.k{i}")).collect();
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
    let taking = format!(
        "DECLARE taken bigint[]; wanted bigint := amount;\nBEGIN\n  LOOP\n    BEGIN\n      \
         SELECT pg_catalog.array_agg(t.n) INTO taken FROM (SELECT l.n FROM {log} AS l ORDER BY l.n LIMIT wanted) AS t;\n      \
         EXIT WHEN taken IS NULL;\n      \
         DELETE FROM {stage} AS s USING {log} AS l WHERE l.n = ANY (taken) AND {};\n      \
         INSERT INTO {stage} ({stored}) SELECT {from} FROM {name} AS d WHERE EXISTS (SELECT FROM {log} AS l \
         WHERE l.n = ANY (taken) AND {});\n      \
         DELETE FROM {log} WHERE n = ANY (taken);\n      EXIT;\n    \
         EXCEPTION WHEN unique_violation THEN\n      \
         -- Two rows have exchanged a unique value: they must be taken together.\n      \
         IF wanted > 100000000 THEN RAISE; END IF;\n      wanted := wanted * 10;\n    END;\n  END LOOP;\n  \
         RETURN (SELECT COALESCE(pg_catalog.max(c.n) - pg_catalog.min(c.n) + 1, 0) FROM {log} AS c);\nEND",
        same("s"),
        same("d")
    );
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
        // Row security is off so that a policy could only fail the copy, never thin it out.
        format!(
            "CREATE FUNCTION {take}(amount integer) RETURNS bigint LANGUAGE plpgsql SET search_path = '' SET row_security = off \
             SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS {};",
            Literal(&taking)
        ),
        format!("REVOKE ALL ON FUNCTION {take}(integer), {logs}(), {stops}() FROM PUBLIC;"),
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

fn seed(ground: &Ground<'_>, key: &[Ident]) -> Step {
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

fn exchange(ground: &Ground<'_>, draining: &Draining) -> Step {
    let (table, name) = (&ground.snapshot.table, &ground.default.name);
    let (stage, rest) = (ground.name(&draining.stage), ground.name(&draining.rest));
    let mut sql = waits(ground);
    // Everything, however much has come since the last batch.
    sql.push(format!("SELECT {}(2147483647);", function(ground, "take")));
    sql.push(format!("ALTER TABLE {table} DETACH PARTITION {name};"));
    sql.extend(untie(ground));
    sql.push(format!("ALTER TABLE {name} RENAME TO {};", Ident::new(draining.drained.as_str())));
    for target in &draining.windows {
        let part = ground.name(&target.name);
        sql.push(format!("ALTER TABLE {stage} DETACH PARTITION {part};"));
        sql.push(format!(
            "ALTER TABLE {table} ATTACH PARTITION {part} {};",
            Ground::bound(&target.lower, &target.upper)
        ));
        sql.push(format!("ALTER TABLE {part} DROP CONSTRAINT {CHECK};"));
    }
    let attach = [
        format!("ALTER TABLE {stage} DETACH PARTITION {rest};"),
        format!("ALTER TABLE {rest} RENAME TO {};", name.name),
        format!("ALTER TABLE {table} ATTACH PARTITION {} DEFAULT;", ground.name(name.name.raw())),
    ];
    if ground.policy.default_partition == DefaultRule::Forbid {
        // Rows without a window need a place all the same.
        let body = format!("BEGIN IF EXISTS (SELECT FROM {rest}) THEN {} END IF; END", attach.join(" "));
        sql.push(format!("DO {};", Literal(&body)));
    } else {
        sql.extend(attach);
    }
    sql.push(format!("DROP TABLE {stage};"));
    let mut step = ground.work(COMMAND).transaction(
        "exchange",
        format!("{table}: {} partitions take the place of {name}", draining.windows.len()),
        "takes over what has changed since the last batch, then changes the catalog only",
        &sql,
        locks(ground),
    );
    step.record.push(format!(
        "UPDATE dbctl.adoption SET state = 'done', changed_at = pg_catalog.clock_timestamp() WHERE relation = {};",
        ground.default.facts.oid
    ));
    step
}

/// Removes triggers, functions and log.
fn untie(ground: &Ground<'_>) -> Vec<String> {
    let name = &ground.default.name;
    vec![
        format!("DROP TRIGGER IF EXISTS dbctl_drain_logs ON {name};"),
        format!("DROP TRIGGER IF EXISTS dbctl_drain_stops ON {name};"),
        format!("DROP FUNCTION IF EXISTS {}(integer);", function(ground, "take")),
        format!("DROP FUNCTION IF EXISTS {}();", function(ground, "logs")),
        format!("DROP FUNCTION IF EXISTS {}();", function(ground, "stops")),
        format!("DROP TABLE IF EXISTS {};", function(ground, "log")),
    ]
}

/// Removes what was begun, by the oid that was noted: the stage has copies only.
fn clear(ground: &Ground<'_>, begun: Option<&Draining>) -> Step {
    let name = &ground.default.name;
    let mut sql = untie(ground);
    if let Some((stage, oid)) = begun.and_then(|begun| Some((&begun.stage, begun.stage_oid?))) {
        let stage = ground.name(stage);
        let body = format!(
            "BEGIN IF pg_catalog.to_regclass({}) = {oid}::pg_catalog.oid THEN DROP TABLE {stage}; END IF; END",
            Literal(&stage.to_string())
        );
        sql.push(format!("DO {};", Literal(&body)));
    }
    ground.work(COMMAND).transaction(
        "clear",
        format!("{name}: remove the copies of a drain that does not fit any more"),
        "a partition was made where one of its windows is; all rows are still in the DEFAULT partition",
        &sql,
        vec![lock(name, LockMode::AccessExclusive)],
    )
}

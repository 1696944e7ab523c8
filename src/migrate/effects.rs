//! What one statement does to others: whether it may run in a transaction, which tables it locks
//! and how, what it destroys. Read off its words; lock modes as in the PostgreSQL documentation,
//! 13.3.1 and the pages of the statements. Pure.

use super::words::Words;
use crate::steps::guard::{Name, ObjectKind};
use crate::steps::{Guard, Hazard, LockMode, TableLock};

/// How a statement stands to transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transactions {
    /// Runs in one.
    Allows,
    /// Refuses to run in one.
    Refuses,
    /// May commit by itself: atomic only if the server allows it.
    MayCommit,
    /// Begins or ends one.
    Controls,
    /// A setting for what follows.
    Sets,
}

/// What is known of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effects {
    pub(crate) transactions: Transactions,
    pub(crate) guard: Guard,
    pub(crate) locks: Vec<TableLock>,
    pub(crate) hazards: Vec<Hazard>,
    /// A table that others cannot see before this commits.
    pub(crate) creates: Option<String>,
    /// CREATE INDEX CONCURRENTLY without a name: a rerun could not recognise it.
    pub(crate) nameless_index: bool,
}

impl Effects {
    fn none(transactions: Transactions) -> Effects {
        Effects {
            transactions,
            guard: Guard::Rerun,
            locks: vec![],
            hazards: vec![],
            creates: None,
            nameless_index: false,
        }
    }

    fn refusing(guard: Guard) -> Effects {
        Effects { guard, ..Effects::none(Transactions::Refuses) }
    }

    fn lock(mut self, mode: LockMode, name: Option<&Name>) -> Effects {
        if let Some(name) = name {
            self.locks.push(TableLock { table: name.to_string(), mode });
        }
        self
    }

    fn hazard(mut self, hazard: Hazard) -> Effects {
        self.hazards.push(hazard);
        self
    }
}

/// Reads the effects off a statement's text.
pub(super) fn of(statement: &str) -> Effects {
    let words = Words::of(statement);
    let w = &words;
    if is_control(w) {
        return Effects::none(Transactions::Controls);
    }
    match w.get(0).unwrap_or_default().to_ascii_uppercase().as_str() {
        "CREATE" => create(w),
        "DROP" => drop(w),
        "ALTER" => alter(w),
        "REINDEX" => reindex(w),
        "VACUUM" => vacuum(w),
        "CLUSTER" | "REPACK" => cluster(w),
        "TRUNCATE" => {
            let at = w.skip(w.skip(1, &["TABLE"]), &["ONLY"]);
            let destroyed = Effects::none(Transactions::Allows).hazard(Hazard::Destroys(w.line(0, 8)));
            names(w, at).iter().fold(destroyed, |e, name| e.lock(LockMode::AccessExclusive, Some(name)))
        }
        "SET" if !w.is(1, "LOCAL") && !w.is(1, "TRANSACTION") && !w.is(1, "CONSTRAINTS") => {
            Effects::none(Transactions::Sets)
        }
        "MERGE" => {
            let effects = allows().lock(LockMode::RowExclusive, name_at(w, w.skip(1, &["INTO"])).as_ref());
            if w.find(1, &["DELETE"]).is_some() { effects.hazard(Hazard::Destroys(w.line(0, 10))) } else { effects }
        }
        "INSERT" => allows().lock(LockMode::RowExclusive, name_at(w, w.skip(1, &["INTO"])).as_ref()),
        "UPDATE" => {
            let effects = allows().lock(LockMode::RowExclusive, name_at(w, w.skip(1, &["ONLY"])).as_ref());
            if w.find(0, &["WHERE"]).is_some() { effects } else { effects.hazard(Hazard::Rewrites(w.line(0, 6))) }
        }
        "DELETE" => {
            let effects =
                allows().lock(LockMode::RowExclusive, name_at(w, w.skip(w.skip(1, &["FROM"]), &["ONLY"])).as_ref());
            effects.hazard(Hazard::Destroys(w.line(0, 8)))
        }
        "LOCK" => {
            let at = w.skip(w.skip(1, &["TABLE"]), &["ONLY"]);
            let mode = lock_mode(w);
            names(w, at).iter().fold(allows(), |e, name| e.lock(mode, Some(name)))
        }
        "REFRESH" => {
            let concurrently = w.find(0, &["CONCURRENTLY"]).is_some();
            let at = w.skip(w.skip(1, &["MATERIALIZED", "VIEW"]), &["CONCURRENTLY"]);
            allows().lock(
                if concurrently { LockMode::Exclusive } else { LockMode::AccessExclusive },
                name_at(w, at).as_ref(),
            )
        }
        "COMMENT" if w.are(1, &["ON", "TABLE"]) => {
            allows().lock(LockMode::ShareUpdateExclusive, name_at(w, 3).as_ref())
        }
        "ANALYZE" | "ANALYSE" => {
            allows().lock(LockMode::ShareUpdateExclusive, name_at(w, w.skip(1, &["VERBOSE"])).as_ref())
        }
        "DISCARD" => Effects::refusing(Guard::Rerun),
        "DO" | "CALL" => {
            let effects = Effects { guard: Guard::Unknowable, ..Effects::none(Transactions::MayCommit) };
            let says = statement.to_ascii_uppercase();
            // Code is not run to see what it does; a word in it is reason enough to ask.
            match ["DROP ", "TRUNCATE ", "DELETE "].iter().find(|word| says.contains(**word)) {
                Some(word) => effects.hazard(Hazard::Destroys(format!("a {} that says {}", w.line(0, 1), word.trim()))),
                None => effects.hazard(Hazard::Opaque(w.line(0, 4))),
            }
        }
        "WITH" | "EXPLAIN" | "PREPARE" if w.find(1, &["DELETE"]).is_some() => {
            allows().hazard(Hazard::Destroys(w.line(0, 10)))
        }
        "SELECT" if w.find(0, &["("]).is_some() => allows().hazard(Hazard::Opaque(w.line(0, 8))),
        _ => allows(),
    }
}

fn allows() -> Effects {
    Effects::none(Transactions::Allows)
}

fn name_at(w: &Words<'_>, at: usize) -> Option<Name> {
    w.name(at).map(|(name, _)| name)
}

/// A comma-separated list of names.
fn names(w: &Words<'_>, mut at: usize) -> Vec<Name> {
    let mut names = Vec::new();
    while let Some((name, end)) = w.name(at) {
        names.push(name);
        if !w.is(end, ",") {
            break;
        }
        at = w.skip(end + 1, &["ONLY"]);
    }
    names
}

fn is_control(w: &Words<'_>) -> bool {
    match w.get(0).unwrap_or_default().to_ascii_uppercase().as_str() {
        "BEGIN" | "COMMIT" | "END" | "ABORT" => true,
        "START" => w.is(1, "TRANSACTION"),
        "PREPARE" => w.is(1, "TRANSACTION"),
        "ROLLBACK" => w.find(0, &["TO"]).is_none(),
        _ => false,
    }
}

fn create(w: &Words<'_>) -> Effects {
    let at = w.skip(w.skip(1, &["OR", "REPLACE"]), &["UNIQUE"]);
    if w.is(at, "INDEX") {
        return create_index(w, at + 1);
    }
    for (keyword, kind) in [
        ("DATABASE", ObjectKind::Database),
        ("TABLESPACE", ObjectKind::Tablespace),
        ("SUBSCRIPTION", ObjectKind::Subscription),
    ] {
        if w.is(1, keyword) {
            let guard = name_at(w, 2).map_or(Guard::Rerun, |name| Guard::Create { kind, name: name.name });
            return Effects::refusing(guard);
        }
    }
    let mut at = at;
    for keyword in ["GLOBAL", "LOCAL", "TEMPORARY", "TEMP", "UNLOGGED", "FOREIGN"] {
        at = w.skip(at, &[keyword]);
    }
    if w.is(at, "TABLE") {
        return create_table(w, at + 1);
    }
    if w.are(at, &["MATERIALIZED", "VIEW"]) || w.is(at, "VIEW") {
        let at = w.skip(w.skip(w.skip(at, &["MATERIALIZED"]), &["VIEW"]), &["IF", "NOT", "EXISTS"]);
        return Effects { creates: name_at(w, at).map(|n| n.to_string()), ..allows() };
    }
    let on = |mode| allows().lock(mode, w.find(2, &["ON"]).and_then(|on| name_at(w, on + 1)).as_ref());
    if w.is(at, "TRIGGER") || w.are(at, &["CONSTRAINT", "TRIGGER"]) {
        return on(LockMode::ShareRowExclusive);
    }
    if w.is(at, "POLICY") || w.is(at, "RULE") {
        return on(LockMode::AccessExclusive);
    }
    allows()
}

fn create_table(w: &Words<'_>, at: usize) -> Effects {
    let Some((table, end)) = w.name(w.skip(at, &["IF", "NOT", "EXISTS"])) else { return allows() };
    let mut effects = Effects { creates: Some(table.to_string()), ..allows() };
    if w.are(end, &["PARTITION", "OF"]) {
        effects = effects.lock(LockMode::AccessExclusive, name_at(w, end + 2).as_ref());
    }
    let mut from = end;
    while let Some(references) = w.find(from, &["REFERENCES"]) {
        effects = effects.lock(LockMode::ShareRowExclusive, name_at(w, references + 1).as_ref());
        from = references + 1;
    }
    effects
}

fn create_index(w: &Words<'_>, at: usize) -> Effects {
    let concurrently = w.is(at, "CONCURRENTLY");
    let at = w.skip(w.skip(at, &["CONCURRENTLY"]), &["IF", "NOT", "EXISTS"]);
    let index = if w.is(at, "ON") { None } else { name_at(w, at) };
    let table = w.find(at, &["ON"]).and_then(|on| name_at(w, w.skip(on + 1, &["ONLY"])));
    if !concurrently {
        return allows().lock(LockMode::Share, table.as_ref());
    }
    let effects = match (index, &table) {
        (Some(index), Some(table)) => Effects::refusing(Guard::IndexBuild { index, table: table.clone() }),
        _ => Effects { nameless_index: true, ..Effects::refusing(Guard::Rerun) },
    };
    effects.lock(LockMode::ShareUpdateExclusive, table.as_ref())
}

fn drop(w: &Words<'_>) -> Effects {
    let destroys = || Hazard::Destroys(w.line(0, 10));
    let exists = |at| w.skip(at, &["IF", "EXISTS"]);
    if w.are(1, &["INDEX", "CONCURRENTLY"]) {
        let guard = name_at(w, exists(3)).map_or(Guard::Rerun, |index| Guard::IndexDrop { index });
        return Effects::refusing(guard);
    }
    for (keyword, kind) in [
        ("DATABASE", ObjectKind::Database),
        ("TABLESPACE", ObjectKind::Tablespace),
        ("SUBSCRIPTION", ObjectKind::Subscription),
    ] {
        if w.is(1, keyword) {
            let guard = name_at(w, exists(2)).map_or(Guard::Rerun, |name| Guard::Drop { kind, name: name.name });
            return Effects::refusing(guard).hazard(destroys());
        }
    }
    if w.is(1, "TABLE") || w.are(1, &["FOREIGN", "TABLE"]) || w.are(1, &["MATERIALIZED", "VIEW"]) {
        let at = exists(if w.is(1, "TABLE") { 2 } else { 3 });
        return names(w, at)
            .iter()
            .fold(allows().hazard(destroys()), |e, name| e.lock(LockMode::AccessExclusive, Some(name)));
    }
    let cascades = ["EXTENSION", "TYPE", "DOMAIN"].iter().any(|k| w.is(1, k)) && w.find(2, &["CASCADE"]).is_some();
    if w.is(1, "SCHEMA") || w.is(1, "OWNED") || w.is(1, "SEQUENCE") || cascades {
        return allows().hazard(destroys());
    }
    if w.is(1, "TRIGGER") || w.is(1, "POLICY") || w.is(1, "RULE") {
        let table = w.find(2, &["ON"]).and_then(|on| name_at(w, on + 1));
        return allows().lock(LockMode::AccessExclusive, table.as_ref());
    }
    if w.is(1, "INDEX") {
        return names(w, exists(2)).iter().fold(allows(), |e, name| e.lock(LockMode::AccessExclusive, Some(name)));
    }
    allows()
}

fn alter(w: &Words<'_>) -> Effects {
    if w.is(1, "SYSTEM") {
        return Effects::refusing(Guard::Rerun);
    }
    if w.is(1, "DATABASE") && w.find(2, &["SET", "TABLESPACE"]).is_some() {
        return Effects::refusing(Guard::Rerun);
    }
    if w.is(1, "SUBSCRIPTION") && w.find(2, &["REFRESH"]).is_some() {
        return Effects::refusing(Guard::Rerun);
    }
    if w.is(1, "INDEX") {
        let at = w.skip(2, &["IF", "EXISTS"]);
        let mode =
            if w.find(at, &["RENAME"]).is_some() { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive };
        return allows().lock(mode, name_at(w, at).as_ref());
    }
    if w.is(1, "TYPE") && w.find(2, &["DROP", "ATTRIBUTE"]).is_some() {
        return allows().hazard(Hazard::Destroys(w.line(0, 10)));
    }
    if w.is(1, "TABLE") { alter_table(w) } else { allows() }
}

fn alter_table(w: &Words<'_>) -> Effects {
    let at = w.skip(w.skip(2, &["IF", "EXISTS"]), &["ONLY"]);
    let Some((table, end)) = w.name(at) else { return allows() };
    let end = w.skip(end, &["*"]);
    if let Some(detach) = w.find(end, &["DETACH", "PARTITION"]) {
        return detach_partition(w, &table, detach + 2);
    }
    if let Some(attach) = w.find(end, &["ATTACH", "PARTITION"]) {
        return allows()
            .lock(LockMode::ShareUpdateExclusive, Some(&table))
            .lock(LockMode::AccessExclusive, name_at(w, attach + 2).as_ref());
    }
    let mut effects = allows();
    let foreign = w.find(end, &["REFERENCES"]).and_then(|r| name_at(w, r + 1));
    let mode = if w.are(end, &["VALIDATE", "CONSTRAINT"]) || is_light_setting(w, end) {
        LockMode::ShareUpdateExclusive
    } else if (foreign.is_some() && w.find(end, &["FOREIGN", "KEY"]).is_some()) || switches_trigger(w, end) {
        LockMode::ShareRowExclusive
    } else {
        LockMode::AccessExclusive
    };
    effects = effects.lock(mode, Some(&table));
    if let Some(foreign) = &foreign {
        effects = effects.lock(LockMode::ShareRowExclusive, Some(foreign));
    }
    if drops_column(w, end) {
        effects = effects.hazard(Hazard::Destroys(w.line(0, 10)));
    }
    let scans = |keywords: &[&str]| w.find(end, keywords).is_some();
    let unvalidated = scans(&["NOT", "VALID"]);
    let retypes = w.find(end, &["ALTER"]).is_some() && scans(&["TYPE"]);
    let adds_constraint = w.find(end, &["ADD"]).is_some()
        && (scans(&["CHECK"]) || scans(&["FOREIGN", "KEY"]) || scans(&["UNIQUE"]) || scans(&["PRIMARY", "KEY"]))
        && !scans(&["USING", "INDEX"]);
    if retypes
        || scans(&["SET", "LOGGED"])
        || scans(&["SET", "UNLOGGED"])
        || scans(&["SET", "TABLESPACE"])
        || scans(&["SET", "NOT", "NULL"])
        || (adds_constraint && !unvalidated)
    {
        effects = effects.hazard(Hazard::Rewrites(w.line(0, 12)));
    }
    effects
}

/// SET STATISTICS, SET (autovacuum…), CLUSTER ON and the like.
fn is_light_setting(w: &Words<'_>, at: usize) -> bool {
    w.are(at, &["SET", "("])
        || w.are(at, &["RESET", "("])
        || w.find(at, &["SET", "STATISTICS"]).is_some()
        || w.are(at, &["CLUSTER", "ON"])
}

fn switches_trigger(w: &Words<'_>, at: usize) -> bool {
    (w.is(at, "ENABLE") || w.is(at, "DISABLE")) && w.find(at, &["TRIGGER"]).is_some()
}

/// `DROP [COLUMN] name`, not `DROP CONSTRAINT`, `DROP NOT NULL`, `DROP DEFAULT`, `DROP IDENTITY`, `DROP EXPRESSION`.
fn drops_column(w: &Words<'_>, from: usize) -> bool {
    let mut at = from;
    while let Some(found) = w.find(at, &["DROP"]) {
        let constraint = ["CONSTRAINT", "NOT", "DEFAULT", "IDENTITY", "EXPRESSION"].iter().any(|k| w.is(found + 1, k));
        if !constraint {
            return true;
        }
        at = found + 1;
    }
    false
}

fn detach_partition(w: &Words<'_>, parent: &Name, at: usize) -> Effects {
    let Some((partition, end)) = w.name(at) else { return allows() };
    if w.is(end, "CONCURRENTLY") {
        let guard = Guard::Detach { parent: parent.clone(), partition: partition.clone() };
        return Effects::refusing(guard)
            .lock(LockMode::ShareUpdateExclusive, Some(parent))
            .lock(LockMode::AccessExclusive, Some(&partition));
    }
    allows().lock(LockMode::AccessExclusive, Some(parent)).lock(LockMode::AccessExclusive, Some(&partition))
}

fn reindex(w: &Words<'_>) -> Effects {
    let concurrently = w.find(1, &["CONCURRENTLY"]).is_some();
    let whole = ["SCHEMA", "DATABASE", "SYSTEM"].iter().any(|k| w.find(1, &[k]).is_some());
    let table = ["TABLE", "INDEX"]
        .iter()
        .find_map(|k| w.find(1, &[k]))
        .and_then(|at| name_at(w, w.skip(at + 1, &["CONCURRENTLY"])));
    if concurrently {
        return Effects::refusing(Guard::Reindex).lock(LockMode::ShareUpdateExclusive, table.as_ref());
    }
    let effects = if whole { Effects::refusing(Guard::Rerun) } else { allows() };
    effects.lock(LockMode::AccessExclusive, table.as_ref())
}

fn vacuum(w: &Words<'_>) -> Effects {
    let full = w.find(1, &["FULL"]).is_some();
    let at = (1..w.len()).rev().find(|at| w.is(*at, ")")).map_or(1, |close| close + 1);
    let at = ["FULL", "FREEZE", "VERBOSE", "ANALYZE"].iter().fold(at, |at, k| w.skip(at, &[k]));
    let mode = if full { LockMode::AccessExclusive } else { LockMode::ShareUpdateExclusive };
    Effects::refusing(Guard::Rerun).lock(mode, name_at(w, at).as_ref())
}

fn cluster(w: &Words<'_>) -> Effects {
    let at = w.skip(1, &["VERBOSE"]);
    match name_at(w, at) {
        Some(table) => allows().lock(LockMode::AccessExclusive, Some(&table)).hazard(Hazard::Rewrites(w.line(0, 6))),
        None => Effects::refusing(Guard::Rerun),
    }
}

/// `LOCK TABLE t IN … MODE`; without a mode, ACCESS EXCLUSIVE.
fn lock_mode(w: &Words<'_>) -> LockMode {
    let Some(at) = w.find(1, &["IN"]) else { return LockMode::AccessExclusive };
    [
        LockMode::AccessShare,
        LockMode::RowShare,
        LockMode::RowExclusive,
        LockMode::ShareUpdateExclusive,
        LockMode::ShareRowExclusive,
        LockMode::Share,
        LockMode::Exclusive,
    ]
    .into_iter()
    .find(|mode| w.are(at + 1, &mode.sql().split(' ').collect::<Vec<_>>()))
    .unwrap_or(LockMode::AccessExclusive)
}

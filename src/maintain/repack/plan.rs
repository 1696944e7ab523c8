//! Which tables are written anew, with what and why; which are not, and why not; what there is to do where there is
//! nothing to do it with. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::read::{Leftover, Setup, Snapshot, Standing};
use super::{Gain, Wish};
use crate::error::{Failure, Kind, Result};
use crate::ident::{ShellWord, TableName};
use crate::pg::Server;
use crate::steps::{Guard, Lane, LockMode, Statement, Step, TableLock, Timeouts};

/// A rewrite that gives back less is not worth its price.
const WORTHWHILE: f64 = 0.20;
/// The first server with REPACK (CONCURRENTLY).
const NATIVE: i32 = 190_000;
/// From this version on pg_repack's functions work for a table's owner.
const FOR_OWNERS: [u32; 3] = [1, 5, 2];
/// A transaction that is older is worth a word before the beginning.
const OLD: f64 = 60.0;

/// What will be done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RepackPlan {
    /// The smallest first.
    pub tasks: Vec<Task>,
    /// What was asked for and is not done.
    pub skipped: Vec<Skipped>,
    /// What killed runs have left and is removed first.
    pub leftovers: Vec<Leftover>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// What `--force` has let through.
    pub forced: Vec<String>,
    /// Tables on which another pg_repack works now, and its pid.
    pub busy: Vec<(TableName, i32)>,
}

/// A table that will be written anew.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub table: TableName,
    /// Its file now.
    pub file: u32,
    /// What it gives back.
    pub gain: Gain,
    /// Why.
    pub why: String,
}

/// A table that will not be written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The table.
    pub table: TableName,
    /// Why not.
    pub why: String,
    /// Somebody should see to it: it was named, or is bloated and cannot be written anew.
    pub counts: bool,
    /// It is for lack of a right.
    pub is_forbidden: bool,
}

/// A pg_repack on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The program.
    pub path: PathBuf,
    /// Its version.
    pub version: String,
}

/// What tables are written anew with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// The server's REPACK (CONCURRENTLY).
    Native,
    /// pg_repack.
    Program {
        /// Which.
        program: Program,
        /// The role is no superuser, and need not be.
        as_owner: bool,
    },
}

/// Decides which tables.
///
/// # Errors
/// Usage for what is not there, or where nothing says which.
pub fn plan(snapshot: &Snapshot, wish: &Wish, gains: &BTreeMap<u32, Gain>) -> Result<RepackPlan> {
    let native = snapshot.setup.version_num >= NATIVE;
    let mut plan = RepackPlan { leftovers: abandoned(&snapshot.leftovers), ..RepackPlan::default() };
    let chosen = choose(snapshot, wish)?;
    for table in snapshot.tables.iter().filter(|table| !table.parent) {
        let Some(named) = chosen.get(&table.oid) else { continue };
        let gain = gains.get(&table.oid).cloned().unwrap_or_default();
        if wish.bloated && !named && gain.total() < wish.min_size {
            continue;
        }
        let skipped = |why: String, counts| Skipped { table: table.table.clone(), why, counts, is_forbidden: false };
        if let Some(why) = doubt(&gain) {
            if !named {
                if !wish.bloated {
                    plan.skipped.push(skipped(why, false));
                }
                continue;
            } else if wish.force {
                plan.forced.push(format!("{}: {why}", table.table));
            } else {
                plan.skipped.push(skipped(format!("{why}: --force does it all the same"), true));
                continue;
            }
        }
        if wish.bloated && !named && gain.is_doubtful {
            let why = format!("the estimate is not sure ({}): name it with --table", gain.reasons.join("; "));
            plan.skipped.push(skipped(why, false));
            continue;
        }
        if let Some((why, is_forbidden)) = obstacle(table, &snapshot.setup, native) {
            plan.skipped.push(Skipped { is_forbidden, ..skipped(why, true) });
            continue;
        }
        if let Some(pid) = table.worked_by.filter(|_| !native) {
            plan.skipped.push(skipped(format!("another pg_repack works on it now (pid {pid})"), false));
            plan.busy.push((table.table.clone(), pid));
            continue;
        }
        let why = match gain.share() {
            Some(share) => format!("{:.0} % would be given back (confidence {})", share * 100.0, gain.confidence),
            None => "named".to_owned(),
        };
        plan.tasks.push(Task { oid: table.oid, table: table.table.clone(), file: table.file, gain, why });
    }
    plan.tasks.sort_by(|a, b| a.gain.total().cmp(&b.gain.total()).then_with(|| a.table.cmp(&b.table)));
    plan.skipped.sort_by(|a, b| a.table.cmp(&b.table));
    plan.notes = notes(snapshot);
    Ok(plan)
}

/// What is nobody's any more.
pub fn abandoned(leftovers: &[Leftover]) -> Vec<Leftover> {
    leftovers.iter().filter(|left| left.worked_by.is_none()).cloned().collect()
}

/// The chosen tables, and whether each was named itself.
fn choose(snapshot: &Snapshot, wish: &Wish) -> Result<BTreeMap<u32, bool>> {
    let mut chosen = BTreeMap::new();
    let tables = &snapshot.tables;
    if wish.tables.is_empty() && wish.schemas.is_empty() && !wish.bloated {
        return Err(Failure::new(Kind::Usage, "nothing says which tables")
            .hint("say which: --table NAME, --schema NAME, or --bloated"));
    }
    for schema in &wish.schemas {
        let of: Vec<&Standing> = tables.iter().filter(|table| table.table.schema.raw() == schema).collect();
        if of.is_empty() {
            return Err(Failure::new(Kind::Usage, format!("there is no table in schema {schema}")));
        }
        chosen.extend(of.into_iter().map(|table| (table.oid, false)));
    }
    if wish.bloated && wish.schemas.is_empty() {
        let ours = |table: &&Standing| table.table.schema.raw() != "dbctl";
        chosen.extend(tables.iter().filter(ours).map(|table| (table.oid, false)));
    }
    let named: BTreeSet<&TableName> = wish.tables.iter().collect();
    for name in named {
        let table = tables.iter().find(|table| table.table == *name).ok_or_else(|| {
            Failure::new(Kind::Usage, format!("there is no table {name}"))
                .hint("views and the system's tables cannot be written anew; a name without schema means public")
        })?;
        for below in tables.iter().filter(|below| below.above.contains(&table.oid)) {
            chosen.entry(below.oid).or_insert(false);
        }
        chosen.insert(table.oid, true);
    }
    Ok(chosen)
}

/// Why a rewrite is not worth its price.
fn doubt(gain: &Gain) -> Option<String> {
    if gain.grows {
        return Some("it would be larger afterwards".to_owned());
    }
    match gain.share() {
        None => Some("what it would give back is not known (run ANALYZE, or see 'dbctl bloat --exact')".to_owned()),
        Some(share) if share < WORTHWHILE => {
            Some(format!("only {:.0} % would be given back, at least 20 % are worth it", share * 100.0))
        }
        Some(_) => None,
    }
}

/// Why a table cannot be written anew, and whether a right is missing.
fn obstacle(table: &Standing, setup: &Setup, native: bool) -> Option<(String, bool)> {
    let name = &table.table;
    let because = |why: String| Some((why, false));
    if table.persistence == "t" {
        return because("it is a temporary table of some session".to_owned());
    }
    if table.persistence == "u" {
        return because("it is unlogged: only VACUUM FULL can write it anew".to_owned());
    }
    if native {
        if !(table.owned || table.maintained) {
            return Some((
                format!("not permitted: its owner may allow it: GRANT MAINTAIN ON {name} TO this role"),
                true,
            ));
        }
        if !table.has_identity {
            return because(format!(
                "REPACK (CONCURRENTLY) wants a primary key, or: ALTER TABLE {name} REPLICA IDENTITY USING INDEX …"
            ));
        }
    } else {
        if !(table.owned || setup.is_superuser) {
            return Some(("not permitted: only its owner and a superuser may".to_owned(), true));
        }
        if !table.has_key {
            return because("pg_repack wants a primary key, or a unique index of NOT NULL columns".to_owned());
        }
    }
    if let Some(index) = table.invalid.first() {
        return because(format!(
            "its index {index} is invalid: build it anew (dbctl reindex --invalid) or drop it first"
        ));
    }
    table.prepared.first().and_then(|gid| {
        because(format!(
            "the prepared transaction {gid} holds a lock on it: COMMIT PREPARED or ROLLBACK PREPARED it first"
        ))
    })
}

fn notes(snapshot: &Snapshot) -> Vec<String> {
    let old = |seconds: &f64| *seconds >= OLD;
    let holders = snapshot.holders.iter().filter_map(|holder| Some((holder, holder.seconds.filter(old)?)));
    let mut notes: Vec<String> = holders
        .map(|(holder, seconds)| {
            format!(
                "{} is {seconds:.0} s old: what is begun meanwhile waits for its end, at most --lock-patience ({})",
                holder.what, holder.remedy
            )
        })
        .collect();
    notes.extend(
        snapshot
            .setup
            .idle_slots
            .iter()
            .map(|slot| format!("nobody reads replication slot {slot}: all WAL of the rewrite is kept for it")),
    );
    let busy = snapshot.leftovers.iter().filter_map(|left| Some((left, left.worked_by?)));
    notes.extend(busy.map(|(left, pid)| format!("pid {pid}, a pg_repack, works on {} now", left.table)));
    notes.extend(snapshot.strays.iter().map(|stray| {
        format!("{stray} lies in pg_repack's schema and belongs to no table that is there: look at it, then drop it")
    }));
    notes
}

/// With what, on this server and this machine.
///
/// # Errors
/// Refused, with what is missing and what can be done without it.
pub fn way(server: &Server, setup: &Setup, programs: &[Program], tasks: &[Task]) -> Result<Way> {
    let refused = |message: String| Failure::new(Kind::Refused, message);
    if setup.version_num >= NATIVE {
        if setup.wal_level == "minimal" {
            return Err(refused(
                "REPACK (CONCURRENTLY) wants wal_level = replica or logical, here it is minimal".into(),
            )
            .hint("ALTER SYSTEM SET wal_level = replica; and start the server again"));
        }
        if setup.repack_slots.as_deref() == Some("0") {
            return Err(refused("REPACK (CONCURRENTLY) wants a replication slot, and none is set apart for it".into())
                .hint("ALTER SYSTEM SET max_repack_replication_slots = 1; and start the server again"));
        }
        return Ok(Way::Native);
    }
    let major = server.major;
    let package = format!("apt-get install postgresql-{major}-repack   (dnf: pg_repack_{major})");
    let Some(extension) = &setup.extension else {
        let failure = match (&setup.available, programs) {
            (Some(available), _) => refused(format!(
                "PostgreSQL {} has no REPACK (19 has), and pg_repack {available}, which is installed on the server, is not \
                 created in this database",
                server.version
            ))
            .hint("as superuser: CREATE EXTENSION pg_repack"),
            (None, _) => refused(format!(
                "PostgreSQL {} has no REPACK (19 has), and pg_repack is not installed on the server",
                server.version
            ))
            .hint(format!("on the server: {package}; then in this database, as superuser: CREATE EXTENSION pg_repack")),
        };
        return Err(alternatives(failure, tasks));
    };
    let Some(program) = programs.iter().find(|program| program.version == *extension) else {
        return Err(alternatives(mismatch(setup, extension, programs, &package), tasks));
    };
    if !setup.event_triggers.is_empty() {
        let names = setup.event_triggers.join(", ");
        return Err(alternatives(
            refused(format!("event triggers would fire for what pg_repack creates, swaps and drops: {names}")).hint(
                format!(
                    "while it works: ALTER EVENT TRIGGER {} DISABLE",
                    setup.event_triggers.first().map_or("", |t| t)
                ),
            ),
            tasks,
        ));
    }
    if !setup.is_superuser && numbers(extension) < FOR_OWNERS {
        return Err(Failure::new(
            Kind::NotPermitted,
            format!("pg_repack {extension} works for superusers only, and {} is none", server.role),
        )
        .hint("from pg_repack 1.5.2 on it works for the owner of a table; or connect as a superuser"));
    }
    Ok(Way::Program { program: program.clone(), as_owner: !setup.is_superuser })
}

/// No program, or none of the extension's version.
fn mismatch(setup: &Setup, extension: &str, programs: &[Program], package: &str) -> Failure {
    if programs.is_empty() {
        return Failure::new(
            Kind::Refused,
            format!("extension pg_repack {extension} is in this database, and this machine has no program pg_repack"),
        )
        .hint(format!("on this machine: {package}; or say where it is: --pg-bin FOLDER"));
    }
    let found: Vec<String> = programs.iter().map(|p| format!("{} ({})", p.version, p.path.display())).collect();
    let failure = Failure::new(
        Kind::Refused,
        format!(
            "extension pg_repack {extension} is in this database, and it works only with a program of the same version; \
             found: {}",
            found.join(", ")
        ),
    );
    let newer = setup.available.as_ref().filter(|available| programs.iter().any(|p| p.version == **available));
    if let Some(available) = newer {
        // There are no scripts from one version to the next.
        return failure
            .hint(format!("to {available}, as superuser: DROP EXTENSION pg_repack; CREATE EXTENSION pg_repack"));
    }
    failure.hint(format!("{package}, in version {extension}; or say where that is: --pg-bin FOLDER"))
}

/// What can be done without.
fn alternatives(mut failure: Failure, tasks: &[Task]) -> Failure {
    for task in tasks {
        let (gain, table) = (&task.gain, &task.table);
        let part = |saved: u64, of: u64| of > 0 && saved.saturating_mul(5) >= of;
        let heap = part(gain.reclaimable.unwrap_or(gain.bytes), gain.bytes);
        if !heap && part(gain.index_reclaimable, gain.index_bytes) {
            failure =
                failure.hint(format!("only its indexes are bloated, nobody waits: dbctl reindex --table {table}"));
        } else {
            let seconds = Duration::from_secs(gain.total().div_ceil(FULL_SPEED).max(1));
            failure = failure.hint(format!(
                "dbctl vacuum --full --table {table} --yes: nobody can read or write it meanwhile (ACCESS EXCLUSIVE), \
                 some {} s at 50 MB/s",
                seconds.as_secs()
            ));
        }
    }
    failure.hint(
        "a partitioned table: one partition after the other, each is locked for its own part only; one that is no \
         longer written to can be copied, detached and swapped for its copy",
    )
}

/// Bytes a second that a rewrite comes to on an ordinary disk.
const FULL_SPEED: u64 = 50_000_000;

fn numbers(version: &str) -> [u32; 3] {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

impl Way {
    /// A word for it.
    pub fn name(&self) -> String {
        match self {
            Way::Native => "REPACK (CONCURRENTLY)".to_owned(),
            Way::Program { program, .. } => format!("pg_repack {}", program.version),
        }
    }

    /// What it locks.
    pub fn lock(&self) -> &'static str {
        match self {
            Way::Native => "SHARE UPDATE EXCLUSIVE while it copies; ACCESS EXCLUSIVE for the swap at the end",
            Way::Program { .. } => {
                "ACCESS EXCLUSIVE for a moment at the beginning and for the swap at the end, each tried for a second at \
                 most at a time; ACCESS SHARE in between. Nobody is ended to get it"
            }
        }
    }

    /// What is run for a table: the SQL, or the program's line.
    pub fn line(&self, task: &Task, wish: &Wish, patience: Duration) -> String {
        match self {
            Way::Native => format!("{};", task.sql()),
            Way::Program { program, as_owner } => {
                let words = arguments(task, wish, patience, *as_owner);
                let words = std::iter::once(program.path.display().to_string()).chain(words);
                words.map(|word| ShellWord(&word).to_string()).collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// What pg_repack is told; where to connect to, and as whom, it has from its environment.
pub fn arguments(task: &Task, wish: &Wish, patience: Duration, as_owner: bool) -> Vec<String> {
    let mut words: Vec<String> = ["--no-kill-backend", "--no-order", "--no-password"].map(str::to_owned).to_vec();
    words.push(format!("--wait-timeout={}", patience.as_secs().max(1)));
    words.push("--elevel=DEBUG".to_owned());
    if as_owner {
        words.push("--no-superuser-check".to_owned());
    }
    if wish.jobs > 1 {
        words.push(format!("--jobs={}", wish.jobs));
    }
    words.push(format!("--table={}", task.table));
    words
}

impl Task {
    /// The server's own statement.
    pub fn sql(&self) -> String {
        format!("REPACK (CONCURRENTLY) {}", self.table)
    }

    /// The disk that it takes while it works: the old and the new side by side.
    pub fn disk(&self) -> u64 {
        self.gain.total().saturating_mul(2)
    }

    /// What the server does itself, for the executor.
    pub fn step(&self, server: &Server, timeouts: Timeouts) -> Step {
        let sql: Arc<str> = Arc::from(self.sql());
        let locks = vec![TableLock { table: self.table.to_string(), mode: LockMode::AccessExclusive }];
        // Not in a transaction; one that was stopped has left nothing.
        let statement = Statement { locks, atomic: false, guard: Guard::Rerun, ..Statement::whole(Arc::clone(&sql)) };
        Step {
            id: format!("repack:{}:{}", self.oid, self.file),
            title: format!("repack {}", self.table),
            file: sql.to_string(),
            file_text: sql,
            why: self.why.clone(),
            lane: Lane::Statements,
            settings: server.step_settings("repack"),
            timeouts,
            statements: vec![statement],
            record: Vec::new(),
        }
    }
}

/// Tables for which the disk does not hold the new beside the old: `free` says what is free where a place lies.
pub fn refuse_full(plan: &mut RepackPlan, places: &BTreeMap<u32, &Path>, free: impl Fn(&Path) -> Option<u64>) {
    let (mut kept, mut full) = (Vec::new(), Vec::new());
    for task in std::mem::take(&mut plan.tasks) {
        match places.get(&task.oid).and_then(|place| free(place)) {
            Some(free) if free < task.gain.total() => full.push(Skipped {
                why: format!(
                    "the new beside the old takes up to {} MB, and only {} MB are free",
                    task.gain.total() / 1_000_000,
                    free / 1_000_000
                ),
                table: task.table,
                counts: true,
                is_forbidden: false,
            }),
            _ => kept.push(task),
        }
    }
    plan.tasks = kept;
    plan.skipped.extend(full);
}

/// What removes what a killed pg_repack has left on a table.
pub fn cleaning(left: &Leftover, server: &Server, timeouts: Timeouts) -> Step {
    let of = |name: &crate::ident::Ident| format!("{}.{name}", left.home);
    let mut lines = Vec::new();
    lines.extend(left.trigger.as_ref().map(|name| format!("DROP TRIGGER {name} ON {};", left.table)));
    lines.extend(left.log.as_ref().map(|name| format!("DROP TABLE {};", of(name))));
    lines.extend(left.copy.as_ref().map(|name| format!("DROP TABLE {};", of(name))));
    lines.extend(left.key_type.as_ref().map(|name| format!("DROP TYPE {};", of(name))));
    let sql: Arc<str> = Arc::from(lines.join("\n"));
    let locks = vec![TableLock { table: left.table.to_string(), mode: LockMode::AccessExclusive }];
    Step {
        id: format!("repack clean:{}", left.oid),
        title: format!("remove what a pg_repack has left on {}", left.table),
        file: sql.to_string(),
        file_text: Arc::clone(&sql),
        why: "its trigger keeps filling a log that nobody reads".to_owned(),
        lane: Lane::Transaction,
        settings: server.step_settings("repack"),
        timeouts,
        statements: vec![Statement { locks, ..Statement::whole(sql) }],
        record: Vec::new(),
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;

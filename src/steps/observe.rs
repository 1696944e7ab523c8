//! What a statement does while it runs: the locks that it holds, the files that it replaces, what it
//! reads whole, how long it takes and how much WAL it writes. Inside of a transaction the session
//! itself is asked after each statement, because everything is held until the commit; outside of one a
//! second session looks on. Does not know what is made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::hazard::LockMode;
use crate::error::Result;
use crate::ident::TableName;
use crate::pg::{FromSql, Query, Row, Server, ServerError, Session};

/// PostgreSQL 14 hands its counters on after half a second at the earliest.
const UNTIL_COUNTED: Duration = Duration::from_millis(600);
/// Between two looks at a statement outside of a transaction: often at first.
const TICK: Duration = Duration::from_millis(2);
const SLOW_TICK: Duration = Duration::from_millis(20);
/// A statement that is not seen for so long is not kept waiting any more.
const LONGEST_HOLD: Duration = Duration::from_secs(1);
/// More tables than these are not held for a statement that names them.
const MOST_HELD: usize = 50;

/// What one statement did.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The step.
    pub title: String,
    /// Its statement, from 0.
    pub statement: usize,
    /// What was sent.
    pub sql: Arc<str>,
    /// Outside of a transaction: its locks were sampled, and short ones may have been missed.
    pub alone: bool,
    /// It failed: nothing else is known of it.
    pub failed: bool,
    /// How long it took.
    pub took: Duration,
    /// It was seen waiting for somebody's lock: that is part of how long it took.
    pub waited: bool,
    /// How long the end of its transaction took, where it is the last one in it: deferred constraints
    /// are checked then.
    pub commit: Option<Duration>,
    /// It may have locked more and let go of it: it runs code that catches exceptions.
    pub catches: bool,
    /// Indexes that it built: the relation that it is, and its size.
    pub built: Vec<Relation>,
    /// Bytes of WAL that the whole server wrote meanwhile.
    pub wal: Option<u64>,
    /// What it touched, by the relation's OID.
    pub touched: BTreeMap<i64, Touched>,
}

/// What a statement did to one relation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// The strongest lock that it took and that was not held before.
    pub lock: Option<LockMode>,
    /// The relation has another file now: of this many bytes.
    pub new_file: Option<u64>,
    /// How often it was read from its beginning (of an index: searched); none where that is not known.
    pub scans: Option<i64>,
    /// Rows that were read by those.
    pub rows_read: Option<i64>,
    /// Rows inserted, updated and deleted.
    pub rows_written: Option<i64>,
}

/// A relation as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// As `pg_class.relkind` has it.
    pub kind: String,
    /// Of an index or a TOAST table: the table's OID, else 0.
    pub of: i64,
    /// Its file; 0 for what has none.
    pub file: i64,
    /// Size of its main fork.
    pub bytes: Option<u64>,
    /// `reltuples`: -1 where nobody has counted.
    pub rows: f64,
    scans: i64,
    unsent: i64,
}

impl Relation {
    /// With its schema.
    pub fn name(&self) -> TableName {
        TableName::new(self.schema.as_str(), self.name.as_str())
    }
}

/// All relations of users, by OID.
pub type Relations = BTreeMap<i64, Relation>;

/// Reads all relations of users.
///
/// # Errors
/// The server's.
pub async fn relations(session: &Session) -> Result<Relations> {
    Ok(read_relations(session).await.map_err(|e| e.explain("cannot list the relations"))?.1)
}

async fn read_relations(session: &Session) -> std::result::Result<(Option<i64>, Relations), ServerError> {
    let rows = session.rows(&Query::OBSERVED_RELATIONS, &[]).await?;
    let wal = rows.first().map(|row| get(row, "wal"));
    Ok((wal, rows.iter().map(|row| (get(row, "relation"), relation(row))).collect()))
}

fn relation(row: &Row) -> Relation {
    Relation {
        schema: get(row, "schema"),
        name: get(row, "name"),
        kind: get(row, "kind"),
        of: get(row, "of"),
        file: get(row, "file"),
        bytes: row.try_get("bytes").ok().and_then(size),
        rows: get(row, "rows"),
        scans: get(row, "scans"),
        unsent: get(row, "unsent"),
    }
}

/// Whether code that catches exceptions is in the text or called by it.
fn catches(sql: &str, catchers: &[String]) -> bool {
    let text = sql.to_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    let itself = words.first() == Some(&"do") && words.windows(2).any(|pair| pair == ["exception", "when"]);
    let defines = ["create", "alter", "drop", "comment"].iter().any(|word| words.first() == Some(word));
    itself || (!defines && catchers.iter().any(|name| words.contains(&name.to_lowercase().as_str())))
}

/// What a column of our own query holds; NULL as the type's nothing.
fn get<'a, T: Default + FromSql<'a>>(row: &'a Row, column: &str) -> T {
    row.try_get::<_, Option<T>>(column).ok().flatten().unwrap_or_default()
}

fn size(bytes: Option<i64>) -> Option<u64> {
    bytes.and_then(|bytes| u64::try_from(bytes).ok())
}

/// What is known before a statement.
#[derive(Debug, Default)]
struct Before {
    wal: Option<i64>,
    relations: Relations,
    /// What the transaction has done so far.
    held: BTreeMap<i64, Held>,
}

#[derive(Debug, Clone, Default)]
struct Held {
    modes: BTreeSet<LockMode>,
    file: i64,
    scans: i64,
    rows_read: i64,
    rows_written: i64,
}

/// Who looks on.
pub(super) struct Observer {
    beside: Session,
    major: u32,
    backend_pid: i32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    before: Before,
    seen: Vec<Observation>,
}

impl Observer {
    pub(super) fn new(beside: Session, server: &Server) -> Observer {
        Observer { beside, major: server.major, backend_pid: server.backend_pid, state: Mutex::default() }
    }

    pub(super) fn seen(&self) -> Vec<Observation> {
        self.state().seen.clone()
    }

    pub(super) fn count(&self) -> usize {
        self.state().seen.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Before a transaction, or a statement outside of one. What an earlier attempt has seen beyond the
    /// first `seen` is forgotten.
    pub(super) async fn before(&self, work: &Session, seen: usize) -> Result<()> {
        let doing = "cannot look at the database before the statement";
        // Counters of the session that were not handed on yet would count as the transaction's.
        let mut tries = 0;
        let (wal, relations) = loop {
            hand_on(work, self.major).await.map_err(|e| e.explain(doing))?;
            let (wal, relations) = read_relations(work).await.map_err(|e| e.explain(doing))?;
            tries += 1;
            if tries > 3 || relations.values().all(|relation| relation.unsent == 0) {
                break (wal, relations);
            }
            tokio::time::sleep(UNTIL_COUNTED).await;
        };
        let mut state = self.state();
        state.seen.truncate(seen);
        state.before = Before { wal, relations, held: BTreeMap::new() };
        Ok(())
    }

    /// Looks on while a statement is sent, and after it. `subject` is the step's title and whether the
    /// statement runs outside of a transaction.
    pub(super) async fn over(
        &self,
        sending: impl Future<Output = std::result::Result<(), ServerError>>,
        work: &Session,
        (title, alone): (&str, bool),
        statement: usize,
        sql: &Arc<str>,
    ) -> std::result::Result<(), ServerError> {
        let mut sampled = Sampled::default();
        let (took, sent) = if alone {
            self.sample(sending, sql, &mut sampled).await
        } else {
            let began = Instant::now();
            let sent = sending.await;
            (began.elapsed(), sent)
        };
        let mut observation = Observation {
            title: title.to_owned(),
            statement,
            sql: Arc::clone(sql),
            alone,
            failed: sent.is_err(),
            took,
            waited: sampled.waited,
            commit: None,
            catches: false,
            built: Vec::new(),
            wal: None,
            touched: BTreeMap::new(),
        };
        let looked = match (&sent, alone) {
            (Err(_), _) => Ok(()),
            (Ok(()), false) => self.within(work, &mut observation).await,
            (Ok(()), true) => self.outside(work, sampled.modes, &mut observation).await,
        };
        self.state().seen.push(observation);
        sent.and(looked)
    }

    /// The newest statement was kept waiting.
    pub(super) fn waited(&self) {
        if let Some(newest) = self.state().seen.last_mut() {
            newest.waited = true;
        }
    }

    /// Its transaction has ended.
    pub(super) fn closed(&self, title: &str, took: Duration) {
        if let Some(newest) = self.state().seen.last_mut().filter(|one| one.title == title && !one.alone) {
            newest.commit = Some(took);
        }
    }

    /// In the transaction itself, right after the statement.
    async fn within(&self, work: &Session, observation: &mut Observation) -> std::result::Result<(), ServerError> {
        let rows = work.rows(&Query::OBSERVED_TRANSACTION, &[]).await?;
        let mut state = self.state();
        let Before { wal, relations, held } = &mut state.before;
        let now = rows.first().map(|row| get(row, "wal"));
        observation.wal = grown(*wal, now);
        *wal = now;
        observation.catches =
            catches(&observation.sql, &rows.first().map_or_else(Vec::new, |row| get(row, "catchers")));
        for row in &rows {
            let Ok(Some(oid)) = row.try_get::<_, Option<i64>>("relation") else { continue };
            let modes: Vec<String> = get(row, "modes");
            let is_new = !held.contains_key(&oid) && !relations.contains_key(&oid);
            if is_new && get::<String>(row, "kind") == "i" {
                observation.built.push(relation(row));
            }
            let known = held.entry(oid).or_insert_with(|| Held {
                file: relations.get(&oid).map_or(0, |relation| relation.file),
                ..Held::default()
            });
            let now = Held {
                modes: modes.iter().filter_map(|mode| LockMode::of_catalog(mode)).collect(),
                file: get(row, "file"),
                scans: get(row, "scans"),
                rows_read: get(row, "rows_read"),
                rows_written: get(row, "rows_written"),
            };
            let written = now.rows_written > known.rows_written;
            observation.catches |= written && get::<bool>(row, "catches");
            let replaced = now.file != 0 && known.file != 0 && now.file != known.file;
            let touched = Touched {
                lock: now.modes.difference(&known.modes).max().copied(),
                new_file: replaced.then(|| row.try_get("bytes").ok().and_then(size).unwrap_or(0)),
                scans: Some(now.scans - known.scans),
                rows_read: Some(now.rows_read - known.rows_read),
                rows_written: Some(now.rows_written - known.rows_written),
            };
            if touched.lock.is_some()
                || touched.new_file.is_some()
                || touched.scans > Some(0)
                || touched.rows_written > Some(0)
            {
                observation.touched.insert(oid, touched);
            }
            *known = now;
        }
        Ok(())
    }

    /// After a statement outside of a transaction: nothing is held any more, but files and counters tell.
    async fn outside(
        &self,
        work: &Session,
        modes: BTreeMap<i64, LockMode>,
        observation: &mut Observation,
    ) -> std::result::Result<(), ServerError> {
        hand_on(work, self.major).await?;
        let (wal, relations) = read_relations(&self.beside).await?;
        let state = self.state();
        observation.wal = grown(state.before.wal, wal);
        // Before 15 counters arrive when they arrive.
        let counted = self.major >= 15;
        for (oid, relation) in &relations {
            let Some(before) = state.before.relations.get(oid) else { continue };
            let scans = relation.scans - before.scans;
            let replaced = relation.file != before.file && before.file != 0;
            let lock = modes.get(oid).copied();
            if lock.is_some() || replaced || (counted && scans > 0) {
                let touched = Touched {
                    lock,
                    new_file: replaced.then_some(relation.bytes.unwrap_or(0)),
                    scans: counted.then_some(scans),
                    rows_read: None,
                    rows_written: None,
                };
                observation.touched.insert(*oid, touched);
            }
        }
        let is_new = |oid: &i64| !state.before.relations.contains_key(oid);
        let built = relations.iter().filter(|(oid, relation)| relation.kind == "i" && is_new(oid));
        observation.built = built.map(|(_, relation)| relation.clone()).collect();
        for (oid, lock) in modes.iter().filter(|(oid, _)| !relations.contains_key(oid)) {
            observation.touched.insert(*oid, Touched { lock: Some(*lock), ..Touched::default() });
        }
        Ok(())
    }

    /// Looks from the second session, again and again. That session holds the tables that the statement
    /// names until the statement was seen at their door, so that none is too short to be seen; what was
    /// waited for it is not the statement's time. Returns how long it took from when it could begin.
    async fn sample(
        &self,
        sending: impl Future<Output = std::result::Result<(), ServerError>>,
        sql: &str,
        sampled: &mut Sampled,
    ) -> (Duration, std::result::Result<(), ServerError>) {
        let mut holding = self.hold(sql).await;
        let asked = Instant::now();
        let mut began = asked;
        tokio::pin!(sending);
        loop {
            tokio::select! {
                biased;
                done = &mut sending => {
                    let took = began.elapsed();
                    if holding {
                        let _ = self.beside.send("COMMIT").await;
                    }
                    return (took, done);
                }
                () = tokio::time::sleep(if asked.elapsed() < LONGEST_HOLD { TICK } else { SLOW_TICK }) => {
                    // Looking on is a courtesy: when it fails, the statement still decides.
                    let _ = self.look(sampled, !holding).await;
                    let seen = sampled.modes.values().any(|mode| *mode >= LockMode::ShareUpdateExclusive);
                    if holding && (seen || asked.elapsed() > LONGEST_HOLD) {
                        // The statement goes on while the answer to this is under way.
                        (holding, began) = (false, Instant::now());
                        let letting_go = self.beside.send("COMMIT");
                        tokio::pin!(letting_go);
                        tokio::select! {
                            biased;
                            done = &mut sending => {
                                let took = began.elapsed();
                                let _ = letting_go.await;
                                return (took, done);
                            }
                            _ = &mut letting_go => {}
                        }
                    }
                }
            }
        }
    }

    /// Locks the tables that a statement names, themselves or by an index, against everything that is
    /// no reading or writing. Where that cannot be had at once, the statement runs without.
    async fn hold(&self, sql: &str) -> bool {
        let tables: BTreeSet<String> = {
            let state = self.state();
            let relations = &state.before.relations;
            let named = relations.iter().filter(|(_, relation)| sql.contains(relation.name.as_str()));
            let tables = named.map(|(oid, relation)| if relation.of == 0 { *oid } else { relation.of });
            let tables =
                tables.filter_map(|oid| relations.get(&oid)).filter(|table| ["r", "p"].contains(&&*table.kind));
            tables.map(|table| format!("ONLY {}", table.name())).collect()
        };
        if tables.is_empty() || tables.len() > MOST_HELD {
            return false;
        }
        let tables = tables.into_iter().collect::<Vec<_>>().join(", ");
        let hold =
            format!("BEGIN; SET LOCAL lock_timeout = '200ms'; LOCK TABLE {tables} IN SHARE UPDATE EXCLUSIVE MODE");
        let held = self.beside.send(&hold).await.is_ok();
        if !held {
            let _ = self.beside.send("ROLLBACK").await;
        }
        held
    }

    /// What it holds, or is about to: it has what it waits for before it ends well.
    async fn look(&self, sampled: &mut Sampled, free: bool) -> std::result::Result<(), ServerError> {
        for row in self.beside.rows(&Query::OBSERVED_BACKEND, &[&self.backend_pid]).await? {
            sampled.waited |= free && !get::<bool>(&row, "granted");
            if let Some(mode) = LockMode::of_catalog(&get::<String>(&row, "mode")) {
                let strongest = sampled.modes.entry(get(&row, "relation")).or_insert(mode);
                *strongest = (*strongest).max(mode);
            }
        }
        Ok(())
    }
}

/// What the second session has seen.
#[derive(Default)]
struct Sampled {
    modes: BTreeMap<i64, LockMode>,
    waited: bool,
}

/// Has a session hand its counters on; false where the server cannot be asked to.
pub(super) async fn hand_on(work: &Session, major: u32) -> std::result::Result<bool, ServerError> {
    if major < 15 {
        return Ok(false);
    }
    work.rows_of("SELECT pg_catalog.pg_stat_force_next_flush()").await.map(|_| true)
}

fn grown(before: Option<i64>, now: Option<i64>) -> Option<u64> {
    u64::try_from(now? - before?).ok()
}

//! `backup create`: one database under one snapshot. Definitions and large objects are pg_dump's, rows are
//! copied by several jobs beside it, and the manifest is written when all of it is durable.

mod beside;
pub mod plan;
mod recipe;
mod sealed;
mod view;
mod worker;

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};

use super::copy;
use super::crew;
use super::manifest::{self, Chunk, Id, LeftOut, Manifest, Part, Programs, Role, Root, Scope, Times};
use super::read::{self, Moment, Relation};
use super::repository::{Attempt, Draft, Repository};
use super::rows::RowSum;
use crate::archive::Recipients;
use crate::archive::{settings, store};
use crate::config::Secret;
use crate::config::connection::Connection;
use crate::config::env::Env;
use crate::error::{Failure, Kind, Result};
use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::programs::{Installed, Program};
use crate::pg::{Interrupt, Lease, Query, Server, Session, pooler};
use crate::steps::Means;
use crate::steps::events::{Blocker, Event, Events};
use plan::Selection;
use sealed::{Sealed, Sealing};
use worker::{Copied, Shared};

/// Beyond this many locks they are taken table by table: the server's table of locks is not endless.
const LOCKS: usize = 4000;
/// How often it is tried to meet a moment in which no table is new.
const MOMENTS: usize = 10;
/// How long a further session waits for a table that the first one holds: only who waits for that one is in its way, and
/// everybody else waits behind.
const NEXT_LOCK: Duration = Duration::from_secs(3);
/// How often a backup is begun that met such a one, and after what pause, longer each time.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);
/// How often progress is told.
const TICK: Duration = Duration::from_millis(250);
/// The server sends in less time or not at all: the store and the compressor set the pace.
const SNAPSHOT_SETTINGS: &str = "SET LOCAL search_path = ''; SET LOCAL quote_all_identifiers = off; \
     SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL synchronize_seqscans = off; SET LOCAL jit = off; ";

/// A backup that is wanted.
#[derive(Debug, Clone)]
pub struct Request {
    /// The database.
    pub connection: Connection,
    /// Where backups lie: a folder or a bucket.
    pub repository: String,
    /// Further places for the same backup.
    pub also: Vec<String>,
    /// The variables that stores and programs look at.
    pub env: Env,
    /// What is wanted of the database.
    pub scope: Scope,
    /// How many tables are copied at once.
    pub jobs: usize,
    /// The level of zstd.
    pub level: i32,
    /// Who may open it.
    pub lock: Lock,
    /// Whether large objects are wanted, where everything is.
    pub large_objects: bool,
    /// Whether roles and tablespaces are kept beside it.
    pub globals: bool,
    /// How long a table's lock is waited for.
    pub lock_timeout: Duration,
    /// How long another run is waited for.
    pub lease_wait: Duration,
    /// Show what would be done.
    pub dry_run: bool,
}

/// Who may open a backup.
#[derive(Debug, Clone)]
pub enum Lock {
    /// Everybody who can read the files.
    Open,
    /// The holders of these keys.
    Keys(Recipients),
    /// Whoever knows it.
    Passphrase(Secret),
}

/// Makes a backup, and keeps how that ended.
///
/// # Errors
/// Unreachable, not permitted, busy, deferred when a lock was not to be had, failed when a program or the store
/// fails. Nothing that looks like a backup is there then.
pub async fn create(request: &Request, means: &mut Means<'_>) -> Result<(Outcome, Document)> {
    let repository = Repository::open(&request.repository, &request.env)?;
    for url in &request.also {
        // Nothing is read before all places can be meant.
        Repository::open(url, &request.env)?;
    }
    let begun = Utc::now();
    let made = make(request, &repository, begun, means).await;
    let attempt = |database: &str, id: Option<&str>, failure: Option<String>| Attempt {
        version: manifest::RECORD_VERSION,
        database: database.to_owned(),
        at: rfc3339(begun),
        id: id.map(str::to_owned),
        failure,
    };
    match made {
        Ok(Made::Planned(document)) => Ok((Outcome::Done, document)),
        Ok(Made::Published(manifest)) => {
            let attempt = attempt(&manifest.database.name, Some(&manifest.id), None);
            // The backup is there, whatever becomes of the word of it.
            let noted = repository.add_attempt(&attempt).await;
            if let Err(failure) = &noted {
                let title = format!("backup {} is whole, and that could not be noted", manifest.id);
                means.events.event(Event::Failed { title: &title, failure });
            }
            let mut copies = Vec::new();
            for url in &request.also {
                let copied = copied(&repository, url, &manifest, &attempt, request, means).await;
                if let Err(failure) = &copied {
                    means.events.event(Event::Failed { title: url, failure });
                }
                copies.push((url.clone(), copied.is_ok()));
            }
            let whole = noted.is_ok() && copies.iter().all(|(_, copied)| *copied);
            means.interrupt.check()?;
            let outcome = if whole { Outcome::Done } else { Outcome::Partial };
            Ok((outcome, view::made(&manifest, &request.repository, &copies)))
        }
        // Nothing was tried: another run is at it, or the words were wrong.
        Err(failure) if request.dry_run || matches!(failure.what(), Kind::Busy | Kind::Usage) => Err(failure),
        Err(failure) => {
            let attempt = attempt(&request.connection.dbname, None, Some(failure.messages().join(": ")));
            // The failure itself is the news; where it cannot be kept, it is told all the same.
            match repository.add_attempt(&attempt).await {
                Ok(()) => Err(failure),
                Err(_) => Err(failure.note(format!("and that could not be noted in {}", request.repository))),
            }
        }
    }
}

/// Brings a backup to a further place, which has its own word of how that ended.
async fn copied(
    from: &Repository,
    url: &str,
    manifest: &Manifest,
    attempt: &Attempt,
    request: &Request,
    means: &mut Means<'_>,
) -> Result<()> {
    let to = Repository::open(url, &request.env)?;
    let done = copy::copy(from, &to, manifest, means.interrupt).await;
    let failed = done.as_ref().err().map(|failure| failure.messages().join(": "));
    let id = attempt.id.clone().filter(|_| failed.is_none());
    let noted = to.add_attempt(&Attempt { id, failure: failed, ..attempt.clone() }).await;
    done.and(noted)
}

enum Made {
    Planned(Document),
    Published(Box<Manifest>),
}

async fn make(request: &Request, repository: &Repository, begun: DateTime<Utc>, means: &mut Means<'_>) -> Result<Made> {
    let interrupt = means.interrupt;
    let mut session = Session::open(&request.connection, "backup", interrupt).await?;
    let server = Server::read(&session).await?;
    // Every session and program must meet the server that has the snapshot.
    let mut connection = request.connection.clone();
    connection.hosts = vec![session.host().clone()];
    let pg_dump = Program::PgDump.pick(server.major, &request.env)?;
    if let Some((message, hint)) = pg_dump.behind(&server) {
        means.events.event(Event::Attention { message: &message, hint: Some(&hint) });
    }
    let beside = Session::open_beside(&connection, "backup lease", interrupt).await?;
    pooler::refuse_transaction_pooler(&session, &beside).await?;
    let events = &mut *means.events;
    let lease = Lease::acquire(beside, "backup", request.lease_wait, interrupt, |holder| {
        events.event(Event::LeaseTaken(holder));
    })
    .await?;
    let identifier = read::system_identifier(lease.session()).await;

    let begin = begin(&server);
    let mut tries = 1;
    loop {
        let Frozen { snapshot, moment, mut selection } = freeze(request, &session, &lease, &server, &begin).await?;
        let moment = Moment { system_identifier: identifier.clone(), ..moment };
        if request.large_objects && request.scope.is_whole() {
            plan::permit_large_objects(moment.closed_large_objects, &server.role)?;
        } else if moment.large_objects > 0 {
            let why = "they were not asked for".to_owned();
            selection.left_out.push(LeftOut { name: format!("{} large objects", moment.large_objects), why });
        }
        if request.dry_run {
            return Ok(Made::Planned(view::planned(&moment, &selection, &pg_dump, request)));
        }
        read::measure(&session, &mut selection.tables).await?;
        room(repository, &selection)?;

        let draft = repository.begin(Id::new(begun, fastrand::u16(..)));
        let work = Work {
            request,
            connection: connection.clone(),
            server: &server,
            lease: &lease,
            session: &session,
            begin: begin.clone(),
            snapshot,
            pg_dump: pg_dump.clone(),
        };
        let written = work.write(repository, &draft, selection, moment, begun, interrupt, means.events).await;
        // Its locks kept the tables as the snapshot saw them, if it lived.
        let ended = match written {
            Ok(manifest) => match session.send("COMMIT").await {
                Ok(()) => repository.publish(&draft, &manifest).await.map(|()| manifest),
                Err(error) => Err(error.explain("the session that held the snapshot and its locks is gone")),
            },
            Err(failure) => Err(failure),
        };
        for notice in session.notices() {
            means.events.event(Event::Notice { title: "backup", notice: &notice });
        }
        match ended {
            Ok(manifest) => return Ok(Made::Published(Box::new(manifest))),
            // Somebody else has given the same name to a backup: what lies there is not ours to clear.
            Err(failure) if store::is_taken(&failure) => return Err(failure),
            Err(failure) => {
                let failure = match repository.discard(&draft).await {
                    Ok(()) => failure,
                    Err(left) => failure.note(left.messages().join(": ")),
                };
                if failure.what() != Kind::Deferred || tries == TRIES {
                    return Err(failure);
                }
                // Whoever waits for a table waits for us, and our own sessions wait behind: let go.
                session.send("ROLLBACK").await.map_err(|e| e.explain("cannot end the transaction"))?;
                let reason = "somebody is to change a table that we hold, and would keep our other sessions waiting";
                let pause = PAUSE * tries;
                means.events.event(Event::Retry { title: "backup", reason, pause, blockers: &[] });
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    failure = interrupt.wait() => return Err(failure),
                }
                tries += 1;
            }
        }
    }
}

/// One moment of the database, and what of it is wanted.
struct Frozen {
    snapshot: String,
    moment: Moment,
    selection: Selection,
}

/// Locks the tables, and takes the snapshot then: what was emptied or rewritten while the lock was waited for has no rows
/// for an earlier one. Tables that came meanwhile are locked by beginning again.
async fn freeze(request: &Request, session: &Session, lease: &Lease, server: &Server, begin: &str) -> Result<Frozen> {
    let look = async || -> Result<Selection> {
        let selection = plan::select(read::relations(session).await?, &request.scope, server.in_recovery)?;
        plan::permit(&selection.tables, &server.role)?;
        Ok(selection)
    };
    let mut known = look().await?;
    for _ in 0..MOMENTS {
        session.send(begin).await.map_err(|e| e.explain("cannot begin a read-only transaction"))?;
        if !request.dry_run {
            lock(session, lease, server, &known.tables, request.lock_timeout).await?;
        }
        let snapshot = exported(session).await?;
        let (moment, selection) = (read::moment(session).await?, look().await?);
        let locked: BTreeSet<u32> = known.tables.iter().map(|table| table.oid).collect();
        if request.dry_run || selection.tables.iter().all(|table| locked.contains(&table.oid)) {
            return Ok(Frozen { snapshot, moment, selection });
        }
        session.send("ROLLBACK").await.map_err(|e| e.explain("cannot end the transaction"))?;
        known = selection;
    }
    let message = format!("{MOMENTS} times tables were made between a look and their lock");
    Err(Failure::new(Kind::Deferred, message).hint("run again, or leave them out: --exclude NAME"))
}

/// Opens the transaction that has the snapshot, and the ones that are given it.
fn begin(server: &Server) -> String {
    let endless = if server.major >= 17 { "SET LOCAL transaction_timeout = 0; " } else { "" };
    let settings = settings::for_reading();
    format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {settings}{SNAPSHOT_SETTINGS}{endless}")
}

async fn exported(session: &Session) -> Result<String> {
    let rows = session.rows_of("SELECT pg_catalog.pg_export_snapshot()").await;
    let rows = rows.map_err(|e| e.explain("cannot export a snapshot"))?;
    let row = rows.first().ok_or_else(|| Failure::new(Kind::Failed, "the server exported no snapshot"))?;
    Ok(row.try_get(0)?)
}

/// Half of what the tables take is more than any backup of them needed so far; what runs out is found in time.
fn room(repository: &Repository, selection: &Selection) -> Result<()> {
    let Some(free) = repository.store().free_bytes() else { return Ok(()) };
    let tables: u64 = selection.tables.iter().map(|table| table.heap_bytes).sum();
    let needed = tables / 2;
    if free < needed {
        let message = format!("{} has {free} bytes free, and the backup may need {needed}", repository.url());
        return Err(Failure::new(Kind::Refused, message)
            .hint("make room there ('dbctl backup prune --from …'), or back up to another place"));
    }
    Ok(())
}

/// Takes the lock that every reader takes, so that nothing is dropped or rewritten before it is read.
async fn lock(session: &Session, lease: &Lease, server: &Server, tables: &[Relation], limit: Duration) -> Result<()> {
    let Some(sql) = lock_sql(tables) else { return Ok(()) };
    let sql = format!("SET LOCAL lock_timeout = '{}ms'; {sql}", limit.as_millis());
    let mut blockers: Vec<Blocker> = Vec::new();
    let locking = session.send(&sql);
    tokio::pin!(locking);
    let locked = loop {
        tokio::select! {
            locked = &mut locking => break locked,
            () = tokio::time::sleep(TICK) => {
                let rows = lease.session().rows(&Query::BLOCKERS, &[&server.backend_pid]).await;
                let seen = rows.unwrap_or_default().iter().filter_map(|row| Blocker::read(row).ok()).collect::<Vec<_>>();
                if !seen.is_empty() {
                    blockers = seen;
                }
            }
        }
    };
    locked.map_err(|error| {
        let failure = error.explain("cannot lock the tables for reading");
        blockers.iter().fold(failure, |failure, blocker| {
            let relation = blocker.relation.as_deref().map(|name| format!("{name}: ")).unwrap_or_default();
            failure.note(format!("{relation}blocked by {blocker}"))
        })
    })
}

fn lock_sql(tables: &[Relation]) -> Option<String> {
    let names: Vec<String> = tables.iter().map(|table| format!("ONLY {}", table.name)).collect();
    (!names.is_empty()).then(|| format!("LOCK TABLE {} IN ACCESS SHARE MODE", names.join(", ")))
}

/// What a run works with once it has its snapshot.
struct Work<'a> {
    request: &'a Request,
    connection: Connection,
    server: &'a Server,
    lease: &'a Lease,
    session: &'a Session,
    begin: String,
    snapshot: String,
    pg_dump: Installed,
}

impl Work<'_> {
    #[expect(clippy::too_many_arguments, reason = "what is read, where it goes and who listens")]
    async fn write(
        &self,
        repository: &Repository,
        draft: &Draft,
        selection: Selection,
        moment: Moment,
        begun: DateTime<Utc>,
        interrupt: &Interrupt,
        events: &mut dyn Events,
    ) -> Result<Manifest> {
        let (recipients, locking) = match &self.request.lock {
            Lock::Open => (Recipients::default(), None),
            Lock::Keys(recipients) => (recipients.clone(), None),
            Lock::Passphrase(passphrase) => {
                let ((recipients, identity), passphrase) = (Recipients::made(), passphrase.clone());
                (recipients, Some(tokio::task::spawn_blocking(move || identity.locked(&passphrase))))
            }
        };
        let sealing = Sealing { level: self.request.level, recipients };
        let shared = Arc::new(self.shared(draft, &selection, &moment, &sealing, interrupt));
        events.event(Event::Step { number: 1, of: 2, title: "rows" });
        let jobs = self.request.jobs.clamp(1, shared.pieces().max(1));
        let workers: Vec<_> = (0..jobs)
            .map(|_| {
                let shared = Arc::clone(&shared);
                tokio::task::spawn_blocking(move || worker::work(&shared))
            })
            .collect();
        let others = async {
            let done = self.beside(repository, draft, &sealing, &moment, &selection, interrupt).await;
            if done.is_err() {
                shared.stop.store(true, Ordering::SeqCst);
            }
            done
        };
        let copying = crew::gather(workers);
        let total: u64 = selection.tables.iter().map(|table| table.heap_bytes).sum();
        let telling = tell(&shared, total, events);
        let both = async { tokio::join!(others, copying) };
        let (others, copied) = tokio::select! {
            both = both => both,
            () = telling => return Err(Failure::new(Kind::Failed, "nobody copies any more")),
        };
        let (others, copied) = match (others, copied) {
            (Ok(others), Ok(copied)) => (others, copied),
            // What was stopped tells nothing; the other one does.
            (Err(failure), Err(stopped)) if crew::is_stopped(&stopped) => return Err(failure),
            (_, Err(failure)) | (Err(failure), _) => return Err(failure),
        };
        let passphrase = locking.is_some();
        let locked = match locking {
            Some(locking) => Some(tokio::select! {
                locked = locking => locked??,
                failure = interrupt.wait() => return Err(failure),
            }),
            None => None,
        };
        self.lease.check()?;
        interrupt.check()?;
        events.event(Event::Applied { title: "rows", took: Duration::ZERO });
        events.event(Event::Step { number: 2, of: 2, title: "manifest" });
        let (tables, files) = gathered(&selection, copied);
        let finished = Utc::now();
        let took = (finished - begun).num_milliseconds();
        let mut files: Vec<Part> = others.files.into_iter().chain(files).collect();
        let (store, encrypted) = (repository.store(), !sealing.recipients.is_empty());
        let load = recipe::load(&tables, &moment.database.encoding, encrypted);
        let refresh = recipe::refresh(&others.materialized_views);
        for (name, text) in [("load.sql", load), ("refresh.sql", refresh)] {
            let file = sealed::bare(store, draft, name, text.into_bytes()).await?;
            files.push(Part { role: Role::Recipe, file });
        }
        if let Some(locked) = locked {
            files.push(Part { role: Role::Key, file: sealed::bare(store, draft, "key.age", locked).await? });
        }
        let mut manifest = Manifest {
            version: manifest::VERSION,
            id: draft.id().to_string(),
            server: manifest::Server {
                version: self.server.version.clone(),
                major: self.server.major,
                system_identifier: moment.system_identifier,
                standby: moment.standby,
                data_checksums: moment.data_checksums,
            },
            database: moment.database,
            programs: Programs {
                dbctl: env!("CARGO_PKG_VERSION").to_owned(),
                pg_dump: self.pg_dump.version.clone(),
                pg_dump_major: self.pg_dump.major,
            },
            times: Times {
                begun: rfc3339(begun),
                snapshot: moment.at,
                finished: rfc3339(finished),
                milliseconds: u64::try_from(took).unwrap_or_default(),
            },
            scope: self.request.scope.clone(),
            left_out: selection.left_out,
            extensions: others.extensions,
            roles: others.roles,
            tablespaces: moment.tablespaces,
            migrations: others.migrations,
            schema_fingerprint: others.fingerprint,
            tables,
            sequences: others.sequences,
            materialized_views: others.materialized_views,
            large_objects: if self.takes_large_objects() { moment.large_objects } else { 0 },
            globals: others.globals,
            recipients: sealing.recipients.texts(),
            files,
        };
        let text = recipe::text(&manifest, passphrase).into_bytes();
        let file = sealed::bare(store, draft, "RESTORE.txt", text).await?;
        manifest.files.push(Part { role: Role::Recipe, file });
        Ok(manifest)
    }

    fn shared(
        &self,
        draft: &Draft,
        selection: &Selection,
        moment: &Moment,
        sealing: &Sealing,
        interrupt: &Interrupt,
    ) -> Shared {
        let limit = NEXT_LOCK.min(self.request.lock_timeout).as_millis();
        let pieces = plan::pieces(&selection.tables, &moment.database.encoding, self.request.jobs);
        let few = selection.tables.len() * self.request.jobs <= LOCKS;
        Shared {
            connection: self.connection.clone(),
            interrupt: interrupt.clone(),
            begin: format!(
                "{} SET TRANSACTION SNAPSHOT '{}'; SET LOCAL lock_timeout = '{limit}ms'",
                self.begin, self.snapshot
            ),
            lock: lock_sql(&selection.tables).filter(|_| few),
            url: self.request.repository.clone(),
            env: self.request.env.clone(),
            draft: draft.clone(),
            sealing: sealing.clone(),
            queue: Mutex::new(VecDeque::from(pieces)),
            read: AtomicU64::new(0),
            plain: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        }
    }
}

/// Says how far the rows are. Never ends.
async fn tell(shared: &Shared, total: u64, events: &mut dyn Events) {
    let began = Instant::now();
    loop {
        tokio::time::sleep(TICK).await;
        let (read, plain) = (shared.read.load(Ordering::Relaxed), shared.plain.load(Ordering::Relaxed));
        let took = began.elapsed().as_secs_f64();
        let rate = plain as f64 / took / 1e6;
        let left = if read > 0 && total > read { took * (total - read) as f64 / read as f64 } else { 0.0 };
        let eta = if left >= 1.0 { format!(", {left:.0} s left") } else { String::new() };
        let phase = format!("{} MB, {rate:.0} MB/s{eta}", plain / 1_000_000);
        let (done, total) = (i64::try_from(read).unwrap_or(i64::MAX), i64::try_from(total).unwrap_or(i64::MAX));
        events.event(Event::Progress { title: "rows", phase: &phase, done, total });
    }
}

/// The pieces of each table put together again.
fn gathered(selection: &Selection, copied: Vec<Copied>) -> (Vec<manifest::Table>, Vec<Part>) {
    let table = |relation: &Relation| manifest::Table {
        schema: relation.name.schema.raw().to_owned(),
        name: relation.name.name.raw().to_owned(),
        columns: relation.columns.clone(),
        form: relation.form.clone(),
        condition: relation.condition.clone(),
        root: relation
            .root
            .as_ref()
            .map(|root| Root { schema: root.schema.raw().to_owned(), name: root.name.raw().to_owned() }),
        rows: 0,
        content: String::new(),
        plain_bytes: 0,
        heap_bytes: relation.heap_bytes,
        chunks: Vec::new(),
    };
    let mut tables: Vec<manifest::Table> = selection.tables.iter().map(table).collect();
    let mut sums = vec![RowSum::default(); tables.len()];
    let mut files = Vec::new();
    for piece in copied {
        let (table, sum) = (&mut tables[piece.table], &mut sums[piece.table]);
        sum.join(&piece.sum);
        table.plain_bytes += piece.plain_bytes;
        if let Some(file) = piece.file {
            table.chunks.push(Chunk { path: file.path.clone(), rows: piece.sum.rows(), content: piece.sum.content() });
            files.push(Part { role: Role::Rows, file });
        }
    }
    for (table, sum) in tables.iter_mut().zip(&sums) {
        (table.rows, table.content) = (sum.rows(), sum.content());
        table.chunks.sort_by(|a, b| a.path.cmp(&b.path));
    }
    files.sort_by(|a, b| a.file.path.cmp(&b.file.path));
    (tables, files)
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

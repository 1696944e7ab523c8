//! The files of a backup are held against its manifest, several at once. Knows no proof and no terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::crew;
use super::keys::Keys;
use super::manifest::{Chunk, File, Manifest, Part, Role};
use super::repository::Repository;
use super::rows::{Form, RowSum};
use super::verify::Level;
use crate::archive::{Identities, Store, verify};
use crate::config::env::Env;
use crate::error::{Explain as _, Failure, Kind, Result};
use crate::pg::Interrupt;
use crate::pg::programs::{self, Child, Program};

/// How files are looked at.
pub struct Looking<'a> {
    /// Up to 2.
    pub level: Level,
    /// What opens them.
    pub keys: &'a Keys,
    /// The variables that stores and programs look at.
    pub env: &'a Env,
    /// Signals.
    pub interrupt: &'a Interrupt,
    /// How many at once.
    pub jobs: usize,
}

/// What all jobs share.
struct Shared {
    url: String,
    env: Env,
    manifest: Manifest,
    level: Level,
    identities: Identities,
    interrupt: Interrupt,
    /// The next of the files.
    next: AtomicUsize,
    stop: AtomicBool,
}

/// Proves the files of a backup up to level 2; whatever does not hold is a finding, in the order of the files.
/// `progress` gets each file as it is begun, and how many were before it.
///
/// # Errors
/// Refused, when no key opens it; the store's, when it cannot be asked.
pub async fn files(
    repository: &Repository,
    manifest: &Manifest,
    looking: &Looking<'_>,
    mut progress: impl FnMut(&Part, usize),
) -> Result<Vec<String>> {
    let mut findings = consistent(manifest);
    // The keys first: a wrong one is known before an hour of reading.
    let (level, identities) = match looking.level {
        Level::Presence | Level::Stored => (looking.level, Identities::default()),
        level => match looking.keys.open(repository, manifest).await {
            Ok(identities) => (level, identities),
            // That nothing can be opened says nothing of the other files' bytes.
            Err(failure) if failure.what() == Kind::Refused && key_is_damaged(repository, manifest).await? => {
                (Level::Stored, Identities::default())
            }
            Err(failure) => return Err(failure),
        },
    };
    let shared = Arc::new(Shared {
        url: repository.url().to_owned(),
        env: looking.env.clone(),
        manifest: manifest.clone(),
        level,
        identities,
        interrupt: looking.interrupt.clone(),
        next: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
    });
    let (begins, mut begun) = unbounded_channel();
    let workers: Vec<_> = (0..looking.jobs.clamp(1, manifest.files.len().max(1)))
        .map(|_| {
            let (shared, begins) = (Arc::clone(&shared), begins.clone());
            tokio::task::spawn_blocking(move || crew::work(&shared.stop, shared.look(&begins)))
        })
        .collect();
    drop(begins);
    let telling = async {
        let mut before = 0;
        while let Some(file) = begun.recv().await {
            progress(&manifest.files[file], before);
            before += 1;
        }
    };
    let (found, ()) = tokio::join!(crew::gather(workers), telling);
    let mut found = found?;
    // What a signal ended is not what was found.
    looking.interrupt.check()?;
    found.sort_by_key(|(file, _)| *file);
    findings.extend(found.into_iter().map(|(_, finding)| finding));
    Ok(findings)
}

impl Shared {
    /// Looks at one file after the other, until none is left: what does not hold, and of which.
    async fn look(&self, begins: &UnboundedSender<usize>) -> Result<Vec<(usize, String)>> {
        let repository = Repository::open(&self.url, &self.env)?;
        let tables = self.manifest.tables.iter();
        let chunks =
            tables.flat_map(|table| table.chunks.iter().map(|chunk| (chunk.path.as_str(), (chunk, &table.form))));
        let chunks: BTreeMap<&str, (&Chunk, &Form)> = chunks.collect();
        let mut findings = Vec::new();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = self.manifest.files.get(number).filter(|_| !self.stop.load(Ordering::Relaxed)) else {
                return Ok(findings);
            };
            // Nobody listens any more when the run has ended.
            let _ = begins.send(number);
            let chunk = chunks.get(part.file.path.as_str()).copied();
            let looked = tokio::select! {
                looked = self.look_at(repository.store(), part, chunk) => looked,
                failure = self.interrupt.wait() => return Err(failure),
            };
            match looked {
                Ok(()) => {}
                // Damage goes into the list; a store that does not answer ends the run, and a key that is another one
                // says nothing against the file.
                Err(failure) if failure.what() == Kind::Refused && !verify::is_wrong_key(&failure) => {
                    findings.push((number, told(&failure)));
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Fails once another job has, or a signal came: a file may be long, and reading it need not wait for anything.
    fn going(&self) -> Result<()> {
        self.interrupt.check()?;
        if self.stop.load(Ordering::Relaxed) { Err(crew::stopped()) } else { Ok(()) }
    }

    /// Refused, when it is not what the manifest says.
    async fn look_at(&self, store: &Store, part: &Part, chunk: Option<(&Chunk, &Form)>) -> Result<()> {
        let file = File { path: Repository::path(&self.manifest.id, &part.file.path), ..part.file.clone() };
        let url = store.url_of(&file.path);
        let refused = |message: String| Err(Failure::new(Kind::Refused, message));
        match store.head(&file.path).await? {
            None => return refused(format!("{url} is not there")),
            Some(size) if size != file.bytes => {
                return refused(format!("{url} has {size} bytes, the manifest says {}", file.bytes));
            }
            Some(_) if self.level == Level::Presence => return Ok(()),
            Some(_) => {}
        }
        if part.is_bare() || self.level == Level::Stored {
            let stored = store.hash_of_while(&file.path, || self.going()).await?;
            return match stored {
                Some(stored) if stored.sha256 == file.sha256 => Ok(()),
                _ => refused(format!("{url} is not what its manifest says: sha256")),
            };
        }
        let mut rows = chunk.map(|(_, form)| RowSum::new(form));
        let mut schema = if part.role == Role::Schema { Some(tempfile::NamedTempFile::new()?) } else { None };
        let take = async |piece: Bytes| {
            self.going()?;
            if let Some(rows) = &mut rows {
                rows.add(&piece);
            }
            if let Some(schema) = &mut schema {
                schema.write_all(&piece).explain(Kind::Failed, "cannot write the schema to a temporary file")?;
            }
            Ok(())
        };
        verify::read_file(store, &file, &self.identities, take).await?;
        if let Some((rows, (chunk, _))) = rows.zip(chunk) {
            rows.ended().map_err(|failure| failure.context(url.clone()))?;
            if (rows.rows(), &rows.content()) != (chunk.rows, &chunk.content) {
                let (found, told) = (rows.rows(), chunk.rows);
                return refused(format!("{url} holds {found} rows, the manifest says {told}, or others"));
            }
        }
        if let Some(schema) = schema {
            let pg_restore = Program::PgRestore.pick(self.manifest.programs.pg_dump_major, &self.env)?;
            let list = Child::start_alone(&pg_restore, ["--list".as_ref(), schema.path().as_os_str()])?;
            if let Err(failure) = list.output(&self.interrupt).await {
                self.interrupt.check()?;
                if programs::was_ended(&failure) {
                    return Err(failure);
                }
                return Err(Failure::new(Kind::Refused, format!("pg_restore cannot read {url}")).note(told(&failure)));
            }
        }
        Ok(())
    }
}

/// Whether the locked key of a backup is not what was written.
async fn key_is_damaged(repository: &Repository, manifest: &Manifest) -> Result<bool> {
    let Some(part) = manifest.files.iter().find(|part| part.role == Role::Key) else { return Ok(false) };
    let stored = repository.store().hash_of(&Repository::path(&manifest.id, &part.file.path)).await?;
    Ok(stored.is_none_or(|stored| stored.sha256 != part.file.sha256))
}

/// What the manifest says must fit together.
fn consistent(manifest: &Manifest) -> Vec<String> {
    let mut findings = Vec::new();
    let files: BTreeSet<&str> = manifest.files.iter().map(|part| part.file.path.as_str()).collect();
    for table in &manifest.tables {
        let mut sum = RowSum::default();
        for chunk in &table.chunks {
            match RowSum::parse(chunk.rows, &chunk.content) {
                Ok(part) => sum.join(&part),
                Err(failure) => findings.push(told(&failure)),
            }
            if !files.contains(chunk.path.as_str()) {
                findings.push(format!("the manifest names no file {} for {}", chunk.path, table.table_name()));
            }
        }
        if (sum.rows(), &sum.content()) != (table.rows, &table.content) {
            findings.push(format!("the parts of {} do not come to what the manifest says", table.table_name()));
        }
    }
    findings
}

/// The message and what belongs to it, without what to do: that is said of the whole.
fn told(failure: &Failure) -> String {
    let text = failure.to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("hint:"));
    lines.map(|line| line.trim_start_matches("error: ")).collect::<Vec<_>>().join("; ")
}

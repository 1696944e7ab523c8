//! A folder or a bucket with backups, each in a folder of its own name. A backup exists when its
//! manifest lies there, and the manifest is written last; in a folder the whole is built under another
//! name and renamed. Knows no server.
//!
//! ```text
//! REPO/<id>/manifest.json              what the backup is
//! REPO/<id>/schema.dump.zst[.age]      and the other files that it names
//! REPO/<id>/proofs/<time>.json         what verifying it came to; one file a time
//! REPO/<id>/pin.json                   why it must stay
//! REPO/<id>.partial/                   a backup under way, or what a killed run left (folders only)
//! REPO/attempts/<time>-<random>.json   how a run ended
//! ```

use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::manifest::{Id, Manifest, RECORD_VERSION};
use crate::archive::store::{Create, PRIVATE};
use crate::archive::{Store, summed};
use crate::config::env::Env;
use crate::error::{Failure, Kind, Result};

/// No manifest is larger.
const LIMIT: u64 = 256 << 20;
/// How many small files are asked for at once.
const AT_ONCE: usize = 16;
const MANIFEST: &str = "manifest.json";
/// What a folder is called while it is written.
const PARTIAL: &str = ".partial";
/// What a folder is called while it is removed.
const REMOVED: &str = ".removed";

/// Where backups lie.
pub struct Repository {
    url: String,
    store: Store,
}

/// What lies in a repository.
#[derive(Debug, Default)]
pub struct Listing {
    /// The whole backups, the oldest first.
    pub backups: Vec<Manifest>,
    /// What looks like a backup and is none.
    pub damaged: Vec<Damaged>,
    /// Backups that are being written, or were when somebody killed the run.
    pub unfinished: Vec<Id>,
}

/// A folder whose manifest cannot be read.
#[derive(Debug)]
pub struct Damaged {
    /// Its name.
    pub id: Id,
    /// Why.
    pub why: String,
    /// Whether its manifest was changed or is no manifest; else another dbctl wrote it, or it has another's name.
    pub broken: bool,
}

/// A backup that is being written.
#[derive(Debug, Clone)]
pub struct Draft {
    id: Id,
    folder: String,
}

/// What verifying a backup once came to. Beside the manifest, which is never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Of this form.
    pub version: u32,
    /// The backup.
    pub id: String,
    /// When it began, at UTC.
    pub at: String,
    /// 0 to 4: see `dbctl backup verify`.
    pub level: u8,
    /// Whether everything held.
    pub good: bool,
    /// What did not.
    pub findings: Vec<String>,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// From the first byte read to a database that answers, in milliseconds, where it was restored.
    pub restore_milliseconds: Option<u64>,
    /// The version of the server that it was restored into.
    pub server_version: Option<String>,
}

/// How a run of `backup create` ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Of this form.
    pub version: u32,
    /// The database.
    pub database: String,
    /// When it began, at UTC.
    pub at: String,
    /// The backup it made; none when it failed.
    pub id: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
}

/// Why a backup must stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Of this form.
    pub version: u32,
    /// Since when, at UTC.
    pub at: String,
    /// Why.
    pub reason: String,
}

impl Draft {
    /// Its name.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// Where in the store one of its files lies until it is published.
    pub fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.folder)
    }
}

impl Repository {
    /// A folder (`file:///…` or an absolute path) or a bucket (`s3://…`, `gs://…`, `az://…`). Touches nothing yet.
    ///
    /// # Errors
    /// Usage, when the URL is neither; invalid, when a variable is.
    pub fn open(url: &str, env: &Env) -> Result<Repository> {
        Ok(Repository { url: url.to_owned(), store: Store::open(url, env)? })
    }

    /// As it was given.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What holds the files.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Where in the store a file of a published backup lies.
    pub fn path(id: &str, file: &str) -> String {
        format!("{id}/{file}")
    }

    /// Reads every manifest.
    ///
    /// # Errors
    /// Not permitted, unreachable. A manifest that cannot be read is no error but [`Damaged`].
    pub async fn list(&self) -> Result<Listing> {
        if let Some(failure) = self.missing() {
            return Err(failure);
        }
        let mut listing = Listing::default();
        for name in self.store.folders("").await? {
            if let Some(id) = name.strip_suffix(PARTIAL).and_then(Id::parse) {
                listing.unfinished.push(id);
                continue;
            }
            let Some(id) = Id::parse(&name) else { continue };
            match self.read_manifest(&id).await {
                Ok(Some(manifest)) => match self.is_of(&id, &manifest) {
                    Ok(()) => listing.backups.push(manifest),
                    Err(other) => {
                        listing.damaged.push(Damaged { id, why: other.messages().join(": "), broken: false });
                    }
                },
                // In a folder it has its name with its manifest; in a bucket nothing else tells a backup under way.
                Ok(None) if self.was_published(&id).await? => {
                    let why = format!("the manifest of {} is missing", self.store.url_of(id.as_str()));
                    listing.damaged.push(Damaged { id, why, broken: true });
                }
                Ok(None) => listing.unfinished.push(id),
                Err(failure) if matches!(failure.what(), Kind::Refused | Kind::Invalid) => {
                    let (why, broken) = (failure.messages().join(": "), failure.what() == Kind::Refused);
                    listing.damaged.push(Damaged { id, why, broken });
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(listing)
    }

    /// Whether a backup without a manifest had one: by its name in a folder, by what is kept of it in a bucket.
    async fn was_published(&self, id: &Id) -> Result<bool> {
        if self.store.is_folder() {
            return Ok(true);
        }
        let pinned = self.store.head(&Repository::path(id.as_str(), "pin.json")).await?.is_some();
        Ok(pinned
            || !self.store.files(&Repository::path(id.as_str(), "proofs")).await?.is_empty()
            || self.attempts_that_read().await?.0.iter().any(|attempt| attempt.id.as_deref() == Some(id.as_str())))
    }

    /// The manifest of a backup; none where there is none.
    ///
    /// # Errors
    /// Refused, when it was changed or speaks of another backup; the store's.
    pub async fn manifest(&self, id: &Id) -> Result<Option<Manifest>> {
        let found = self.read_manifest(id).await?;
        found.as_ref().map_or(Ok(()), |manifest| self.is_of(id, manifest))?;
        Ok(found)
    }

    async fn read_manifest(&self, id: &Id) -> Result<Option<Manifest>> {
        let path = Repository::path(id.as_str(), MANIFEST);
        let Some(text) = self.store.read_small(&path, LIMIT).await? else { return Ok(None) };
        Manifest::parse(&text, &self.store.url_of(&path)).map(Some)
    }

    fn is_of(&self, id: &Id, manifest: &Manifest) -> Result<()> {
        if manifest.id == id.as_str() {
            return Ok(());
        }
        let url = self.store.url_of(&Repository::path(id.as_str(), MANIFEST));
        let message = format!("the manifest {url} speaks of backup {}", manifest.id);
        Err(Failure::new(Kind::Refused, message).hint("the folder was renamed or copied: give it its name back"))
    }

    /// Where the repository should be a folder and there is none: that is another thing than an empty one.
    pub fn missing(&self) -> Option<Failure> {
        let folder = self.store.missing_folder()?;
        let shown = folder.display();
        Some(
            Failure::new(Kind::Failed, format!("there is no folder {shown}"))
                .hint(format!("is its disk mounted? 'findmnt -T {shown}'"))
                .hint("'dbctl backup create --to' makes it"),
        )
    }

    /// The backup that is meant: by its name, the beginning of it, or `latest`; of one database where
    /// that is said.
    ///
    /// # Errors
    /// Failed when there is none; usage when several are meant; refused when its manifest is damaged.
    pub async fn find(&self, wanted: &str, database: Option<&str>) -> Result<Manifest> {
        let is_of = |manifest: &Manifest| database.is_none_or(|name| manifest.database.name == name);
        if let Some(id) = Id::parse(wanted) {
            let manifest = self.manifest(&id).await?.filter(is_of);
            return manifest.ok_or_else(|| self.none(wanted, database));
        }
        let listing = self.list().await?;
        let mut names: Vec<&str> = listing.backups.iter().map(|manifest| manifest.database.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        if wanted == "latest" && database.is_none() && names.len() > 1 {
            return Err(Failure::new(
                Kind::Usage,
                format!("'latest' of which database? here are {}", names.join(", ")),
            )
            .hint("say --database NAME"));
        }
        if let Some(damaged) =
            listing.damaged.iter().find(|damaged| wanted != "latest" && damaged.id.as_str().starts_with(wanted))
        {
            return Err(Failure::new(Kind::Refused, &damaged.why));
        }
        let begins = |manifest: &&Manifest| wanted == "latest" || manifest.id.starts_with(wanted);
        let mut meant: Vec<&Manifest> =
            listing.backups.iter().filter(begins).filter(|manifest| is_of(manifest)).collect();
        if wanted == "latest" {
            meant.sort_by(|a, b| a.times.snapshot.cmp(&b.times.snapshot));
            meant = meant.pop().into_iter().collect();
        }
        if wanted == "latest" {
            let since = meant.first().map_or("", |manifest| manifest.id.as_str());
            self.nothing_newer(&listing.damaged, since, database).await?;
        }
        match meant.as_slice() {
            [one] => Ok((*one).clone()),
            [] => Err(self.none(wanted, database)),
            several => {
                let ids: Vec<&str> = several.iter().map(|manifest| manifest.id.as_str()).collect();
                Err(Failure::new(Kind::Usage, format!("'{wanted}' begins the names of {} backups", ids.len()))
                    .note(ids.join(", ")))
            }
        }
    }

    /// Fails when a damaged backup may be the latest: what is older must be asked for by its name.
    async fn nothing_newer(&self, damaged: &[Damaged], since: &str, database: Option<&str>) -> Result<()> {
        let newer: Vec<&Damaged> = damaged.iter().filter(|damaged| damaged.id.as_str() > since).collect();
        if newer.is_empty() {
            return Ok(());
        }
        let (records, _) = self.attempts_that_read().await?;
        let is_of_another = |damaged: &Damaged| {
            let record = records.iter().find(|record| record.id.as_deref() == Some(damaged.id.as_str()));
            record.zip(database).is_some_and(|(record, name)| record.database != name)
        };
        let Some(damaged) = newer.into_iter().rfind(|damaged| !is_of_another(damaged)) else { return Ok(()) };
        let message = format!("the latest may be backup {}, and that is damaged", damaged.id);
        let failure = Failure::new(Kind::Refused, message).note(&damaged.why);
        Err(match since {
            "" => failure.hint(format!("dbctl backup list --from {}", self.url)),
            _ => failure.hint(format!("the newest that is whole is {since}: ask for it by its name")),
        })
    }

    fn none(&self, wanted: &str, database: Option<&str>) -> Failure {
        if let Some(failure) = self.missing() {
            return failure;
        }
        let of = database.map(|name| format!(" of database {name}")).unwrap_or_default();
        Failure::new(Kind::Failed, format!("there is no backup '{wanted}'{of} in {}", self.url))
            .hint(format!("dbctl backup list --from {}", self.url))
    }

    /// A backup begins. Nothing is written yet.
    pub fn begin(&self, id: Id) -> Draft {
        // Where names cannot be changed, the missing manifest alone says that it is not whole.
        let folder = if self.has_folders() { format!("{id}{PARTIAL}") } else { id.to_string() };
        Draft { id, folder }
    }

    fn has_folders(&self) -> bool {
        self.store.is_folder()
    }

    /// Makes a backup exist: its manifest is written, durably, and then it gets its name.
    ///
    /// # Errors
    /// The store's; refused when one of that name is there.
    pub async fn publish(&self, draft: &Draft, manifest: &Manifest) -> Result<()> {
        let path = draft.path(MANIFEST);
        let mut writer = self.store.create(&path, &Create::default()).await?;
        writer.write(manifest.to_json()?.into()).await?;
        writer.finish(&self.store, &path).await?;
        if self.has_folders() {
            self.store.rename_folder(&draft.folder, draft.id.as_str())?;
        }
        Ok(())
    }

    /// Leaves nothing of a draft.
    ///
    /// # Errors
    /// The store's; nothing looks finished then either.
    pub async fn discard(&self, draft: &Draft) -> Result<()> {
        self.clear(&draft.folder).await
    }

    /// When anything of an unfinished backup was written last; none where nothing is left of it.
    ///
    /// # Errors
    /// The store's.
    pub async fn last_written(&self, id: &Id) -> Result<Option<DateTime<Utc>>> {
        self.store.last_written(&self.begin(id.clone()).folder).await
    }

    /// Removes what a killed run left of a backup.
    ///
    /// # Errors
    /// The store's.
    pub async fn clear_unfinished(&self, id: &Id) -> Result<()> {
        let draft = self.begin(id.clone());
        self.clear(&draft.folder).await
    }

    /// Removes a backup: its manifest first, so that at no moment a part of it looks whole.
    ///
    /// # Errors
    /// The store's; run again, it goes on where it stopped.
    pub async fn remove(&self, id: &Id) -> Result<()> {
        let removed = format!("{id}{REMOVED}");
        if self.has_folders() {
            // Another run may be quicker; what it has begun is then ended by both.
            if !self.store.files(id.as_str()).await?.is_empty() {
                self.store.rename_folder(id.as_str(), &removed)?;
            }
            return self.clear(&removed).await;
        }
        self.store.delete(&Repository::path(id.as_str(), MANIFEST)).await?;
        self.clear(id.as_str()).await
    }

    /// Removes what a killed [`Repository::remove`] left; how many.
    ///
    /// # Errors
    /// The store's.
    pub async fn clear_removed(&self) -> Result<usize> {
        let mut cleared = 0;
        for name in self.store.folders("").await? {
            if name.strip_suffix(REMOVED).and_then(Id::parse).is_some() {
                self.clear(&name).await?;
                cleared += 1;
            }
        }
        Ok(cleared)
    }

    async fn clear(&self, folder: &str) -> Result<()> {
        for (path, _) in self.store.files(folder).await? {
            self.store.delete(&path).await?;
        }
        self.store.remove_folder(folder)
    }

    /// What verifying a backup came to so far, the oldest first.
    ///
    /// # Errors
    /// Refused, when one was changed; the store's.
    pub async fn proofs(&self, id: &str) -> Result<Vec<Proof>> {
        let all = self.read_all(&Repository::path(id, "proofs"), "the proof").await?;
        Ok(all.into_iter().map(|(_, proof)| proof).collect())
    }

    /// Keeps what verifying a backup came to.
    ///
    /// # Errors
    /// The store's.
    pub async fn add_proof(&self, proof: &Proof) -> Result<()> {
        let path = format!("{}/proofs/{}-{}.json", proof.id, stamp(&proof.at), proof.level);
        self.store.put_small(&path, summed::to_json(proof)?.into(), PRIVATE).await
    }

    /// How the runs of `backup create` ended, the oldest first.
    ///
    /// # Errors
    /// Refused, when one was changed; the store's.
    pub async fn attempts(&self) -> Result<Vec<Attempt>> {
        Ok(self.records().await?.into_iter().map(|(_, attempt)| attempt).collect())
    }

    /// Those that can be read, and what is to be said of the others: one that was changed hides none.
    ///
    /// # Errors
    /// The store's.
    pub async fn attempts_that_read(&self) -> Result<(Vec<Attempt>, Vec<String>)> {
        let (mut attempts, mut changed) = (Vec::new(), Vec::new());
        for (_, read) in self.read_each("attempts", "the record").await? {
            match read {
                Ok(attempt) => attempts.push(attempt),
                Err(failure) => changed.push(failure.messages().join(": ")),
            }
        }
        Ok((attempts, changed))
    }

    /// The same, each with its file.
    ///
    /// # Errors
    /// As [`Repository::attempts`].
    pub async fn records(&self) -> Result<Vec<(String, Attempt)>> {
        self.read_all("attempts", "the record").await
    }

    /// Forgets how a run ended.
    ///
    /// # Errors
    /// The store's.
    pub async fn forget(&self, record: &str) -> Result<()> {
        self.store.delete(record).await.map(drop)
    }

    /// Keeps how a run ended.
    ///
    /// # Errors
    /// The store's.
    pub async fn add_attempt(&self, attempt: &Attempt) -> Result<()> {
        let path = format!("attempts/{}-{:04x}.json", stamp(&attempt.at), fastrand::u16(..));
        self.store.put_small(&path, summed::to_json(attempt)?.into(), PRIVATE).await
    }

    async fn read_all<T: serde::de::DeserializeOwned>(&self, folder: &str, what: &str) -> Result<Vec<(String, T)>> {
        let each = self.read_each(folder, what).await?;
        each.into_iter().map(|(path, read)| Ok((path, read?))).collect()
    }

    async fn read_each<T: serde::de::DeserializeOwned>(
        &self,
        folder: &str,
        what: &str,
    ) -> Result<Vec<(String, Result<T>)>> {
        let files = self.store.files(folder).await?;
        let paths: Vec<String> =
            files.into_iter().map(|(path, _)| path).filter(|path| path.ends_with(".json")).collect();
        let one = |path: String| async move {
            let text = self.store.read_small(&path, LIMIT).await?;
            Ok::<_, Failure>(text.map(|text| (path, text)))
        };
        // A bucket answers each after a while: not one after the other.
        let texts: Vec<Option<(String, bytes::Bytes)>> =
            stream::iter(paths.into_iter().map(one)).buffered(AT_ONCE).try_collect().await?;
        let mut all = Vec::new();
        for (path, text) in texts.into_iter().flatten() {
            let read = summed::parse(&text, &format!("{what} {}", self.store.url_of(&path)), RECORD_VERSION);
            all.push((path, read));
        }
        Ok(all)
    }

    /// Why a backup must stay; none where it need not.
    ///
    /// # Errors
    /// Refused, when the record was changed; the store's.
    pub async fn pin_of(&self, id: &str) -> Result<Option<Pin>> {
        let path = Repository::path(id, "pin.json");
        let Some(text) = self.store.read_small(&path, LIMIT).await? else { return Ok(None) };
        summed::parse(&text, &format!("the pin {}", self.store.url_of(&path)), RECORD_VERSION).map(Some)
    }

    /// Lets a backup stay until [`Repository::unpin`].
    ///
    /// # Errors
    /// The store's.
    pub async fn pin(&self, id: &str, pin: &Pin) -> Result<()> {
        self.store.put_small(&Repository::path(id, "pin.json"), summed::to_json(pin)?.into(), PRIVATE).await
    }

    /// Lets go of a backup; whether it was pinned.
    ///
    /// # Errors
    /// The store's.
    pub async fn unpin(&self, id: &str) -> Result<bool> {
        self.store.delete(&Repository::path(id, "pin.json")).await
    }
}

/// A moment as a part of a file's name.
fn stamp(at: &str) -> String {
    at.chars().filter(char::is_ascii_alphanumeric).collect()
}

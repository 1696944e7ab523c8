//! Archives of partitions: where the file lies, the export and its proof, and the proof again before
//! anything is dropped. Knows the policy's archives and the room `archive`; sends no DDL.

use super::plan::Candidate;
use super::set::Set;
use crate::archive::{self, ContentHash, Identities, Manifest, Options, Recipients, Store};
use crate::config::env::Env;
use crate::error::{Failure, Kind, Result};
use crate::ident::{Literal, TableName};
use crate::pg::Session;
use crate::policy::{Archive, Policy};

/// What exports need besides the server.
#[derive(Debug, Clone, Copy)]
pub struct Cold<'a> {
    /// The policy, for its archives.
    pub policy: &'a Policy,
    /// Credentials of stores, identities.
    pub env: &'a Env,
    /// The database's name.
    pub database: &'a str,
}

/// Where a partition's file lies.
pub struct Place {
    /// The store.
    pub store: Store,
    /// The path in it.
    pub path: String,
}

impl<'a> Cold<'a> {
    /// The archive of a name.
    ///
    /// # Errors
    /// Invalid where the policy has none: its reader has seen to that.
    pub fn archive(&self, name: &str) -> Result<&'a Archive> {
        self.policy
            .archives
            .get(name)
            .ok_or_else(|| Failure::new(Kind::Invalid, format!("the policy has no archive {name}")))
    }

    /// Where a partition's file goes.
    ///
    /// # Errors
    /// Usage or invalid where the store cannot be told from the archive's `to`.
    pub fn place(&self, archive: &Archive, set: &Set<'_>, partition: &Candidate) -> Result<Place> {
        let to = archive.to.as_str();
        let placeholder = to.find('{').unwrap_or(to.len());
        let cut = to.get(..placeholder).and_then(|fixed| fixed.rfind('/')).unwrap_or(0);
        let (root, template) = (to.get(..cut).unwrap_or_default(), to.get(cut + 1..).unwrap_or_default());
        let root = if root == "file://" { "file:///" } else { root };
        Ok(Place { store: Store::open(root, self.env)?, path: self.fill(template, set, partition) })
    }

    fn fill(&self, template: &str, set: &Set<'_>, partition: &Candidate) -> String {
        let table = &set.policy.table;
        let mut path = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            path.push_str(before);
            let (word, after) = after.split_once('}').unwrap_or((after, ""));
            let wall = |edge: crate::policy::key::Edge, format: &str| match edge {
                crate::policy::key::Edge::At(at) => {
                    set.grid.axis.wall(at).map_or_else(String::new, |w| w.format(format).to_string())
                }
                crate::policy::key::Edge::Min => "min".to_owned(),
                crate::policy::key::Edge::Max => "max".to_owned(),
            };
            path.push_str(&match word.split_once(':') {
                Some(("from", format)) => wall(partition.range.lower(), format),
                Some(("to", format)) => wall(partition.range.upper(), format),
                _ => safe(match word {
                    "db" => self.database,
                    "schema" => table.schema.raw(),
                    "table" => table.name.raw(),
                    _ => partition.name.name.raw(),
                }),
            });
            rest = after;
        }
        path.push_str(rest);
        path
    }

    /// Exports a table's rows and reads the file back. `earlier` is the manifest of an export of the same
    /// partition, whose file may be replaced.
    ///
    /// # Errors
    /// The server's, the store's; refused where the file is not what was written.
    pub async fn export(
        &self,
        session: &Session,
        set: &Set<'_>,
        partition: &Candidate,
        name: &TableName,
        archive: &Archive,
        earlier: Option<&Manifest>,
    ) -> Result<(Manifest, String)> {
        let mut place = self.place(archive, set, partition)?;
        let (path, replaces) = match earlier {
            Some(manifest) => (manifest.file.path.clone(), Some(manifest.file.sha256.clone())),
            None => vacant(&place, self.database, partition.oid).await.map_err(|failure| of_store(failure, session))?,
        };
        place.path = path;
        let options = Options {
            level: archive.level,
            recipients: Recipients::parse(&archive.recipients)?,
            mode: archive.mode,
            partition: Some(archive::manifest::Partition {
                parent: set.policy.table.to_string(),
                key: set.policy.key.to_string(),
                lower: set.bound_text(partition.range.lower()),
                upper: set.bound_text(partition.range.upper()),
            }),
            replaces,
        };
        let exported = archive::export(session, name, &place.store, &place.path, &options, &mut |_| {}).await;
        let exported = exported.map_err(|failure| of_store(failure, session))?;
        let identities = Identities::from_env(self.env)?;
        let read = archive::read_back(&place.store, &exported.manifest, &identities).await;
        read.map_err(|failure| of_store(failure, session))?;
        Ok((exported.manifest, exported.url))
    }

    /// Reads an export back once more.
    ///
    /// # Errors
    /// Refused where the file is gone or is not what was written.
    pub async fn prove(
        &self,
        archive: &Archive,
        set: &Set<'_>,
        partition: &Candidate,
        manifest: &Manifest,
    ) -> Result<()> {
        let mut place = self.place(archive, set, partition)?;
        place.path.clone_from(&manifest.file.path);
        let proven = archive::read_back(&place.store, manifest, &Identities::from_env(self.env)?).await;
        proven.map(drop).map_err(|failure| {
            let kind = if matches!(failure.what(), Kind::Interrupted | Kind::Terminated) { failure.what() } else { Kind::Refused };
            failure
                .context(format!("the archive of {} is not proven, so its table stays", partition.name))
                .kind(kind)
                .hint(format!(
                    "put the file right, or bring the partition back and let it be exported again: dbctl partitions undo {}",
                    super::plan::raw(&partition.name)
                ))
        })
    }

    /// Whether a detached table's rows are what was exported.
    ///
    /// # Errors
    /// The server's.
    pub async fn is_as_exported(&self, session: &Session, place: &TableName, manifest: &Manifest) -> Result<bool> {
        let now: ContentHash = archive::content_hash(session, place).await?;
        Ok(now.same_as(&manifest.content_hash) == Some(true))
    }
}

/// A store that does not answer is the matter of one table, not the end of the run as a server is.
fn of_store(failure: Failure, session: &Session) -> Failure {
    if failure.what() == Kind::Unreachable && !session.is_closed() { failure.kind(Kind::Failed) } else { failure }
}

/// A path where no file lies, or one that a killed run has written of the very same table. Any other is
/// an archive of a partition that came back, or of another of that name: it stays.
async fn vacant(place: &Place, database: &str, oid: u32) -> Result<(String, Option<String>)> {
    let split = place.path.find(".csv.zst").unwrap_or(place.path.len());
    let (stem, ending) = place.path.split_at(split);
    for number in 1..100 {
        let path = if number == 1 { place.path.clone() } else { format!("{stem}-{number}{ending}") };
        if place.store.head(&path).await?.is_none() {
            return Ok((path, None));
        }
        match Manifest::read(&place.store, &path).await {
            Ok(Some(known)) if known.table.oid == oid && known.table.database == database => {
                return Ok((path, Some(known.file.sha256)));
            }
            _ => {}
        }
    }
    Err(Failure::new(Kind::Refused, format!("a hundred files lie at {} already", place.store.url_of(&place.path))))
}

/// The columns of dbctl.partition that say what was exported.
///
/// # Errors
/// None that a manifest could bring about.
pub fn columns(manifest: &Manifest, url: &str) -> Result<Vec<(&'static str, String)>> {
    Ok(vec![
        ("uri", Literal(url).to_string()),
        ("rows", manifest.rows.to_string()),
        ("content_hash", Literal(&manifest.content_hash.value).to_string()),
        ("file_sha256", Literal(&manifest.file.sha256).to_string()),
        ("file_bytes", manifest.file.bytes.to_string()),
        ("manifest", Literal(&manifest.to_json()?).to_string()),
    ])
}

/// A name as a part of a path: no separators, no dots in front, nothing that a shell or a person trips
/// over.
fn safe(name: &str) -> String {
    let mut text = String::new();
    for (n, c) in name.chars().enumerate() {
        if c == '/' || c == '\\' || c == '%' || c.is_control() || (n == 0 && c == '.') {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                text.push_str(&format!("%{byte:02X}"));
            }
        } else {
            text.push(c);
        }
    }
    text
}

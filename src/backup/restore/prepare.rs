//! Everything that can be known before anything is touched: the backup, the keys, the programs, the server, the
//! roles and extensions, the name.

use std::io::Write as _;
use std::path::Path;

use bytes::Bytes;

use super::keys::{self, ForeignKey};
use super::load::Work;
use super::mark::{BUILDING, Wanted};
use super::meets::{self, CRON, Here, Room};
use super::roles::{self, Missing};
use super::tablespaces::{self, Tablespaces};
use super::{Request, plan, swap};
use crate::archive::Identities;
use crate::archive::verify::read_file;
use crate::backup::Repository;
use crate::backup::looks::{self, Looking};
use crate::backup::manifest::{File, Manifest, Role, Root};
use crate::backup::verify::Level;
use crate::config::connection::{Address, Connection};
use crate::error::{Explain as _, Failure, Kind, Result};
use crate::maintain::room::free_bytes;
use crate::pg::programs::{Installed, Program};
use crate::pg::{Interrupt, Query, Server, Session};
use crate::schema::{self, Snapshot};
use crate::steps::Means;

/// Databases that every server has and that need not be in the way.
const MAINTENANCE: &[&str] = &["postgres", "template1"];

/// What is said of a backup whose files are not what they were.
pub(super) const DAMAGED: &str = "is damaged; nothing was touched";

/// What a restore works with.
pub(super) struct Prepared {
    pub work: Work,
    /// The indexes of the tables whose rows are wanted.
    pub tables: Vec<usize>,
    /// Where it is to lie.
    pub tablespaces: Tablespaces,
    /// All tables are wanted.
    pub whole: bool,
    /// What was named of them.
    pub wanted: Wanted,
    pub pg_restore: Installed,
    /// Where the server is too old for what pg_restore sends.
    pub psql: Option<Installed>,
    pub admin: Session,
    /// How the admin session got there.
    pub maintenance: Connection,
    pub server: Server,
    pub target: String,
    pub stamp: String,
    pub is_superuser: bool,
    /// And was so from the beginning.
    pub logs_in_as_superuser: bool,
    pub missing_roles: Vec<Missing>,
    /// Foreign keys that are not made: not all rows are wanted, or they are to be skipped.
    pub left: Vec<ForeignKey>,
    /// Settings of the database that this server does not know.
    pub unknown_settings: Vec<String>,
    /// What is free on the server's disk.
    pub free: Room,
    pub shared_buffers: i64,
    pub maintenance_memory: i64,
    pub warnings: Vec<String>,
}

/// A session for what is done to whole databases, in one that is not the target; signals leave it alone, so that no
/// CREATE or RENAME is cut in two.
pub(super) async fn admin(
    connection: &Connection,
    target: &str,
    interrupt: &Interrupt,
) -> Result<(Session, Connection)> {
    let mut connection = connection.clone();
    let options = connection.options.take().unwrap_or_default();
    let ours = "-c default_transaction_read_only=off -c statement_timeout=0 -c idle_session_timeout=0";
    connection.options = Some(format!("{options} {ours}").trim_start().to_owned());
    let given = connection.dbname.clone();
    let names = MAINTENANCE.iter().copied().chain([given.as_str()]).filter(|name| *name != target);
    let mut failed = None;
    for name in names {
        let there = connection.with_dbname(name);
        match Session::open_beside(&there, "restore", interrupt).await {
            Ok(session) => {
                let mut there = there;
                // Everything must meet this server.
                there.hosts = vec![session.host().clone()];
                return Ok((session, there));
            }
            Err(failure) if failure.what() == Kind::Unreachable => return Err(failure),
            Err(failure) => failed = Some(failure),
        }
    }
    Err(failed.unwrap_or_else(|| Failure::new(Kind::Failed, "there is no database to work from")))
}

/// Looks at all of it.
pub(super) async fn prepare(request: &Request, means: &mut Means<'_>) -> Result<Prepared> {
    let repository = Repository::open(&request.repository, &request.env)?;
    let manifest = repository.find(&request.id, request.database.as_deref()).await?;
    let target = request.to.clone().unwrap_or_else(|| manifest.database.name.clone());
    // The keys first: a wrong one is known before an hour of reading.
    let identities = request.keys.open(&repository, &manifest).await?;
    let pg_restore = Program::PgRestore.pick(manifest.programs.pg_dump_major, &request.env)?;
    let wanted = plan::wanted(&manifest, &request.tables, &request.schemas)?;
    // Rows that go in through a root may land in each of its partitions.
    let roots: Vec<&Root> = wanted.iter().filter_map(|table| table.root.as_ref()).collect();
    let is_wanted = |at: &usize| {
        let table = &manifest.tables[*at];
        let shares_root = table.root.as_ref().is_some_and(|root| roots.contains(&root));
        shares_root || wanted.iter().any(|wanted| std::ptr::eq(*wanted, table))
    };
    let whole = wanted.len() == manifest.tables.len();
    let mut tables: Vec<usize> = (0..manifest.tables.len()).filter(is_wanted).collect();
    tables.retain(|&table| !meets::is_crons(&manifest, &manifest.tables[table].schema));

    let (admin, maintenance) = admin(&request.connection, &target, means.interrupt).await?;
    let server = Server::read(&admin).await?;
    let extensions: Vec<&str> = manifest.extensions.iter().map(|extension| extension.name.as_str()).collect();
    let doing = "cannot see what this server has";
    let roles: Vec<&String> = manifest.roles.iter().chain(request.map_roles.iter().map(|(_, new)| new)).collect();
    let rows = admin.rows(&Query::RESTORE_SERVER, &[&roles, &extensions]).await.map_err(|e| e.explain(doing))?;
    let row = rows.first().ok_or_else(|| Failure::new(Kind::Failed, doing))?;
    let tablespaces = tablespaces::look(&admin, &manifest, &target).await?;
    let mut prepared = Prepared {
        tables,
        whole,
        wanted: Wanted { tables: request.tables.clone(), schemas: request.schemas.clone() },
        psql: match meets::needs_script(pg_restore.major, server.major) {
            true => Some(Program::Psql.pick(pg_restore.major, &request.env)?),
            false => None,
        },
        pg_restore,
        target,
        stamp: row.try_get("stamp")?,
        is_superuser: row.try_get("is_superuser")?,
        logs_in_as_superuser: row.try_get("logs_in_as_superuser")?,
        missing_roles: Vec::new(),
        left: Vec::new(),
        unknown_settings: Vec::new(),
        free: Room::default(),
        shared_buffers: row.try_get("shared_buffers")?,
        maintenance_memory: row.try_get("maintenance_memory")?,
        warnings: tablespaces.notes.clone(),
        tablespaces,
        work: Work {
            connection: maintenance.clone(),
            interrupt: means.interrupt.clone(),
            manifest,
            url: request.repository.clone(),
            env: request.env.clone(),
            identities,
            uncounted: true,
        },
        admin,
        maintenance,
        server,
    };
    let missing_extensions: Vec<String> = row.try_get("missing_extensions")?;
    prepared.permit(row.try_get("may_create")?, &missing_extensions)?;
    let missing_roles = row.try_get("missing_roles")?;
    prepared.missing_roles =
        roles::fates(missing_roles, &prepared.work.manifest.roles, &request.map_roles, request.roles)?;
    prepared.name(request).await?;
    if prepared.work.manifest.is_encrypted() {
        // A small file, for all of them: a wrong identity is known before an hour of hashing.
        described(&repository, &prepared.work.manifest, &prepared.work.identities).await?;
    }
    undamaged(&repository, &prepared.work.manifest, request, means.interrupt).await?;
    prepared.meets(&repository, &request.skip_foreign_keys).await?;
    Ok(prepared)
}

/// Fails unless every file is there and what the manifest says.
pub(super) async fn undamaged(
    repository: &Repository,
    manifest: &Manifest,
    request: &Request,
    interrupt: &Interrupt,
) -> Result<()> {
    let (keys, env, jobs) = (&request.keys, &request.env, request.jobs);
    let looking = Looking { level: Level::Stored, keys, env, interrupt, jobs };
    let findings = looks::files(repository, manifest, &looking, |_, _| {}).await?;
    if findings.is_empty() {
        return Ok(());
    }
    let message = format!("backup {} {DAMAGED}", manifest.id);
    let failure = findings.iter().fold(Failure::new(Kind::Refused, message), Failure::note);
    Err(failure.hint(format!("restore an older one: dbctl backup list --from {}", request.repository)))
}

/// The schema as values, out of the backup.
pub(super) async fn described(
    repository: &Repository,
    manifest: &Manifest,
    identities: &Identities,
) -> Result<Snapshot> {
    let part = manifest.file(Role::SchemaValues)?;
    let file = File { path: Repository::path(&manifest.id, &part.path), ..part.clone() };
    let mut text = tempfile::Builder::new().suffix(".json").tempfile()?;
    let take = async |piece: Bytes| text.write_all(&piece).explain(Kind::Failed, "cannot write a temporary file");
    read_file(repository.store(), &file, identities, take).await?;
    schema::file::read(text.path())
}

/// What is free where the tables of the session's database lie, as far as it can be seen.
pub(super) async fn room(session: &Session) -> Result<Room> {
    // Of pg_class, which lies in the tablespace of its database.
    const PG_CLASS: u32 = 1259;
    let rows = session.rows(&Query::VACUUM_PLACES, &[&vec![PG_CLASS]]).await;
    let rows = rows.map_err(|e| e.explain("cannot see where the database lies"))?;
    let place = rows.first().map(|row| row.try_get("place")).transpose()?;
    Ok(free_room(session, place.flatten()))
}

/// What is free where the server's data lies, where a socket proves that it is this machine.
fn free_room(admin: &Session, data_directory: Option<String>) -> Room {
    if !matches!(admin.host().address, Address::Unix(_)) {
        return Room::Elsewhere;
    }
    let free = data_directory.and_then(|folder| free_bytes(Path::new(&folder)));
    free.map_or(Room::Hidden, Room::Known)
}

impl Prepared {
    fn permit(&self, may_create: bool, extensions: &[String]) -> Result<()> {
        let server = &self.server;
        if server.in_recovery {
            return Err(Failure::new(Kind::Refused, "this server is a standby: nothing can be restored into it"));
        }
        if !may_create {
            return Err(Failure::new(Kind::NotPermitted, format!("role {} may not create databases", server.role))
                .hint(format!("ALTER ROLE {} CREATEDB;", crate::ident::Ident::new(server.role.as_str()))));
        }
        let extensions: Vec<String> = extensions.iter().filter(|name| *name != CRON).cloned().collect();
        if !extensions.is_empty() {
            let message = format!("extensions that this server does not have: {}", extensions.join(", "));
            let hint = |name: &String| format!("{name}: apt-get install {}", meets::package(name, server.major));
            return Err(extensions.iter().map(hint).fold(Failure::new(Kind::Refused, message), Failure::hint));
        }
        Ok(())
    }

    /// What of the backup this server cannot take, or not as it was.
    async fn meets(&mut self, repository: &Repository, skipped: &[String]) -> Result<()> {
        let (manifest, doing) = (&self.work.manifest, "cannot see what this server has");
        let part = !self.whole || !manifest.scope.is_whole();
        let skips = !skipped.is_empty();
        let snapshot = match part || skips || self.server.major < manifest.server.major {
            true => Some(described(repository, manifest, &self.work.identities).await?),
            false => None,
        };
        let wanted: Vec<_> = self.tables.iter().map(|&table| &manifest.tables[table]).collect();
        if let Some(snapshot) = snapshot.as_ref().filter(|_| part || skips) {
            self.left = if part { keys::left_out(&wanted, manifest, snapshot) } else { Vec::new() };
            self.left.extend(keys::skipped(skipped, snapshot)?);
            self.left.dedup();
            let told: Vec<String> = self.left.iter().map(ForeignKey::told).collect();
            self.warnings.extend(keys::notes(&told));
        }
        let database = &manifest.database;
        let extensions: Vec<&str> = manifest.extensions.iter().map(|extension| extension.name.as_str()).collect();
        let settings: Vec<&str> = database.settings.iter().map(|setting| setting.name.as_str()).collect();
        let (provider, locale) = match (database.locale_provider.as_str(), &database.locale) {
            ("icu", Some(locale)) => ("i", locale.as_str()),
            ("builtin", Some(locale)) => ("b", locale.as_str()),
            _ => ("c", database.collate.as_str()),
        };
        let rows = self.admin.rows(&Query::RESTORE_MEETS, &[&extensions, &settings, &provider, &locale]).await;
        let rows = rows.map_err(|e| e.explain(doing))?;
        let row = rows.first().ok_or_else(|| Failure::new(Kind::Failed, doing))?;
        let here = Here {
            major: self.server.major,
            version: self.server.version.clone(),
            extensions: row.try_get("extensions")?,
            for_superusers: row.try_get("for_superusers")?,
            unknown_settings: row.try_get("unknown_settings")?,
            collation_version: row.try_get("collation_version")?,
            free: free_room(&self.admin, row.try_get("data_directory")?),
        };
        self.warnings.extend(meets::weigh(manifest, &wanted, snapshot.as_ref(), &here)?);
        (self.unknown_settings, self.free) = (here.unknown_settings, here.free);
        Ok(())
    }

    /// The name must be free, or that of a database that may be swapped.
    /// Fails when somebody took the name, or it went, since it was looked at.
    pub(super) async fn still_named(&self, request: &Request) -> Result<()> {
        let target = &self.target;
        let taken = swap::databases(&self.admin).await?.into_iter().any(|found| found.name == *target);
        if taken == request.replace {
            return Ok(());
        }
        let what = if taken { "was made" } else { "went" };
        Err(Failure::new(Kind::Refused, format!("database {target} {what} meanwhile; nothing was touched")))
    }

    async fn name(&mut self, request: &Request) -> Result<()> {
        let target = &self.target;
        if target.is_empty() || target.len() > plan::LONGEST_NAME {
            let message = format!("'{target}' is no name of a database: 1 to {} bytes are", plan::LONGEST_NAME);
            return Err(Failure::new(Kind::Usage, message).hint("--to-database NAME"));
        }
        let sql = "SELECT datistemplate FROM pg_catalog.pg_database WHERE datname = $1";
        let rows = self.admin.rows_with(sql, &[target]).await.map_err(|e| e.explain("cannot look for the database"))?;
        let taken = !rows.is_empty();
        if rows.first().map(|row| row.try_get(0)).transpose()? == Some(true) {
            return Err(Failure::new(Kind::Refused, format!("database {target} is a template; nothing was touched"))
                .hint("--to-database NAME restores beside it"));
        }
        let named = MAINTENANCE.contains(&target.as_str()) || target == "template0";
        match (taken, request.replace) {
            (_, true) if named => {
                return Err(Failure::new(Kind::Refused, format!("database {target} is never replaced")));
            }
            (true, false) => {
                return Err(Failure::new(
                    Kind::Refused,
                    format!("database {target} is there already; nothing was touched"),
                )
                .hint("--to-database NAME restores beside it, --replace swaps it out at the end"));
            }
            (false, true) => {
                return Err(Failure::new(Kind::Usage, format!("there is no database {target} to replace"))
                    .hint("without --replace"));
            }
            (false, false) => return Ok(()),
            (true, true) => {}
        }
        if !self.whole || !self.work.manifest.scope.is_whole() {
            return Err(Failure::new(Kind::Refused, format!("database {target} is not replaced by a part of itself"))
                .hint("restore the part beside it: --to-database NAME"));
        }
        let here = crate::backup::read::system_identifier(&self.admin).await;
        if !request.other_cluster && here != self.work.manifest.server.system_identifier {
            return Err(Failure::new(Kind::Refused, "the backup is of another cluster than this one")
                .hint("--allow-other-cluster"));
        }
        let rows = self.admin.rows(&Query::RESTORE_BOUND, &[target]).await;
        let rows = rows.map_err(|e| e.explain("cannot see what hangs on the living database"))?;
        let bound: Vec<String> = rows.iter().map(|row| Ok(row.try_get("thing")?)).collect::<Result<_>>()?;
        if !bound.is_empty() && !request.leave_bound {
            let message = format!("these would stay with the old database: {}", bound.join(", "));
            return Err(Failure::new(Kind::Refused, message).hint("drop them, or say --leave-slots"));
        }
        self.warnings.extend(bound.iter().map(|thing| format!("{thing} stays with the old database")));
        Ok(())
    }

    /// What would be done, a line each.
    pub(super) fn steps(&self, request: &Request) -> Vec<String> {
        let name = plan::aside(&self.target, BUILDING, &self.stamp);
        let mut steps = vec![plan::create_database(
            &self.work.manifest.database,
            &name,
            &self.target,
            self.tablespaces.of_database.as_deref(),
            self.server.major,
        )];
        steps.extend(self.missing_roles.iter().map(Missing::told));
        steps.push(format!(
            "pg_restore {} --section=pre-data ({})",
            self.pg_restore.version,
            self.pg_restore.path.display()
        ));
        steps.push(format!("rows of {} tables by {} jobs, read again and compared", self.tables.len(), request.jobs));
        steps.push("pg_restore --section=post-data, materialized views, ANALYZE".to_owned());
        steps.push(if request.replace {
            format!(
                "{} becomes {}, {name} becomes {}",
                self.target,
                plan::aside(&self.target, "old", &self.stamp),
                self.target
            )
        } else {
            format!("{name} becomes {}", self.target)
        });
        steps
    }
}

//! Brings a partition back from its archive: the file is proven, a table made as the manifest says,
//! filled, compared with what was exported and attached, all in one transaction.

use std::time::Duration;

use super::ddl::Frame;
use super::details;
use super::plan::{Wish, raw};
use super::read;
use super::work::{self, Found};
use super::{Answer, Request, look, state};
use crate::archive::{self, Identities, Manifest, Store};
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::{Query, Session};
use crate::policy::key::{Edge, Range};
use crate::steps::apply::{Executor, Order};
use crate::steps::{Means, Pauses, Plan, gate};

/// What is to be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A partition, by the name it had: its archive is in schema dbctl's memory.
    Partition(String),
    /// An archive's file, by its URL or path.
    File(String),
}

/// Brings one partition back from its archive.
///
/// # Errors
/// Refused where the file is not what was written, or its place is taken; nothing is left then.
pub async fn restore(request: &Request, wanted: &Wanted, means: &mut Means<'_>) -> Result<Answer> {
    let (session, snapshot) = look::snapshot(request, means.interrupt).await?;
    let (store, manifest) = find(request, &session, &snapshot.server, wanted).await?;
    let identities = Identities::from_env(&request.env)?;
    let url = store.url_of(&manifest.file.path);
    let entries = look::entries(request, &snapshot)?;
    let now = look::now(request, &snapshot, chrono::Utc::now())?;
    let works = work::assemble(&session, &request.policy, &entries, &snapshot, &[], &Wish::default(), now).await?;
    let partition = manifest.partition.as_ref().ok_or_else(|| {
        Failure::new(Kind::Refused, format!("{url} holds no partition but table {}", manifest.table.table_name()))
    })?;
    let work = works.iter().find(|work| work.entry.table.to_string() == partition.parent).ok_or_else(|| {
        Failure::new(Kind::Refused, format!("the policy has no table {}, whose partition this was", partition.parent))
            .hint("say --policy or --system; the manifest beside the file holds the DDL for doing it by hand")
    })?;
    let found = match &work.found {
        Ok(found) => found,
        Err(failure) => return Err(Failure::new(Kind::Refused, failure.messages().join(": "))),
    };
    let range = range(found, &partition.lower, &partition.upper)?;
    if let Some(there) = found.set.members.iter().find(|member| member.range.overlaps(range)) {
        return Err(Failure::new(
            Kind::Refused,
            format!("{} holds {} to {} already", there.partition.name, partition.lower, partition.upper),
        )
        .hint("detach it first, if the archive's rows are the ones that are wanted"));
    }
    let name = free(&session, manifest.table.table_name(), found).await?;
    let mut details = details::read(&session, &[found.plan.oid]).await?;
    let details = details.remove(&found.plan.oid).unwrap_or_default();
    let frame = Frame { server: &snapshot.server, set: &found.set, details: &details };
    let checks: Vec<String> = manifest
        .ddl
        .constraints
        .iter()
        .filter(|constraint| constraint.definition.starts_with("CHECK"))
        .map(|c| {
            format!("ALTER TABLE {name} ADD CONSTRAINT {} {};", crate::ident::Ident::new(c.name.as_str()), c.definition)
        })
        .collect();
    let mut step = frame.restore(&name, range, &manifest.create_table_as(&name), &checks);
    step.record.push(state::restored(&raw(&manifest.table.table_name()), manifest.table.oid));
    let plan = Plan { steps: vec![step] };
    let head = Document::new("partitions.restore", 1)
        .fact("database", "database", request.connection.label())
        .fact("file", "file", url.as_str())
        .fact("partition", "partition", name.to_string())
        .fact("rows", "rows", i64::try_from(manifest.rows).unwrap_or(i64::MAX));
    if request.dry_run {
        return Ok((Outcome::Done, head.text("sql", super::view::steps_sql(&plan))));
    }
    // A file that is not what was written is told before anything begins.
    let proven = archive::read_back(&store, &manifest, &identities).await?;
    gate::pass(&plan, &request.rails, means.confirm)?;
    let lock = found.set.policy.lock;
    let order = Order {
        command: "partitions restore".to_owned(),
        lease: "partitions".to_owned(),
        lease_wait: request.lock_wait.max(Duration::from_secs(60)),
        lock_patience: lock.patience,
        pauses: Pauses { first: lock.first_pause, longest: lock.longest_pause },
    };
    let server = snapshot.server.clone();
    drop(works);
    let mut executor =
        Executor::begin(session, server, &request.connection, order, means.interrupt, means.events).await?;
    let mut restored = Ok(());
    for step in &plan.steps {
        let fill = async |session: &Session| {
            archive::restore(session, &store, &manifest, &name, &identities, &mut |_| {}).await
        };
        restored = executor.perform_filled(step, 1, fill, means.events).await.map(drop);
    }
    match restored {
        Ok(()) => executor.close("done", "").await,
        Err(failure) => {
            executor.close_failed(&failure).await;
            return Err(failure);
        }
    }
    let mut document = head.note(
        "it has expired all the same: keep it with 'rails.protect', a hold, or a longer 'keep', or the next run takes it out again",
    );
    if !proven.plain_checked {
        document = document.note("the file was opened only while it was restored");
    }
    Ok((Outcome::Done, document))
}

/// The store and the manifest of what is wanted.
async fn find(
    request: &Request,
    session: &Session,
    server: &crate::pg::Server,
    wanted: &Wanted,
) -> Result<(Store, Manifest)> {
    let url = match wanted {
        Wanted::File(url) => url.clone(),
        Wanted::Partition(name) => {
            let rows = read::departed(session, server, std::slice::from_ref(name)).await?;
            let row = rows.first().ok_or_else(|| {
                Failure::new(Kind::Refused, format!("{name} did not leave its table by dbctl"))
                    .hint("name its file instead: dbctl partitions restore --file URL")
            })?;
            if let Some(place) = &row.now {
                return Err(Failure::new(Kind::Refused, format!("{name} still exists, as {place}"))
                    .hint(format!("dbctl partitions undo {}", row.partition)));
            }
            row.uri.clone().ok_or_else(|| Failure::new(Kind::Refused, format!("{name} left without an archive")))?
        }
    };
    let url = url.strip_suffix(".json").unwrap_or(&url);
    let (root, path) = match Store::bucket_of(url) {
        Some((bucket, path)) => (bucket.to_owned(), path.to_owned()),
        None => {
            let path = url.strip_prefix("file://").unwrap_or(url);
            let path = std::path::absolute(path)?;
            ("file:///".to_owned(), path.to_string_lossy().trim_start_matches('/').to_owned())
        }
    };
    let store = Store::open(&root, &request.env)?;
    let mut manifest = Manifest::read(&store, &path).await?.ok_or_else(|| {
        Failure::new(Kind::Refused, format!("there is no manifest beside {}", store.url_of(&path)))
            .hint("it is called as the file, with .json behind")
    })?;
    // Files may have been moved since.
    manifest.file.path = path;
    Ok((store, manifest))
}

fn range(found: &Found<'_>, lower: &str, upper: &str) -> Result<Range> {
    let edge = |text: &str| match text {
        "MINVALUE" => Ok(Edge::Min),
        "MAXVALUE" => Ok(Edge::Max),
        literal => found.set.grid.axis.parse(literal),
    };
    let range = match (edge(lower), edge(upper)) {
        (Ok(lower), Ok(upper)) => Range::new(lower, upper),
        _ => None,
    };
    range.ok_or_else(|| Failure::new(Kind::Invalid, format!("the manifest's bounds make no range: {lower} to {upper}")))
}

/// The name it had, or one beside it.
async fn free(session: &Session, name: TableName, found: &Found<'_>) -> Result<TableName> {
    let schema = found.set.policy.table.schema.raw();
    let base = name.name.raw();
    let names = [base.to_owned(), work::cut(base, "_restored"), work::cut(base, "_restored2")];
    let schemas = [schema, schema, schema];
    let asked: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = session
        .rows(&Query::NAMES_TAKEN, &[&schemas.as_slice(), &asked])
        .await
        .map_err(|e| e.explain("cannot ask which names are taken"))?;
    let mut taken = Vec::new();
    for row in &rows {
        taken.push(row.try_get::<_, String>("name")?);
    }
    let free = names.into_iter().find(|name| !taken.contains(name));
    free.map(|name| TableName::new(schema, name))
        .ok_or_else(|| Failure::new(Kind::Refused, format!("{name} and the names beside it are taken")))
}

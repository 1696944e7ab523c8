//! A database's whole schema as values: read in one read-only transaction, kept in a file, shown.

use std::path::Path;
use std::time::Duration;

pub mod acl;
pub mod file;
mod fold;
pub mod model;
mod printed;
mod read;
pub(crate) mod view;
mod viewdef;

pub use model::{Id, Kind, Object, Property, Snapshot, Value};
pub use read::{UNSEEN, capture, capture_within};

use crate::config::connection::Connection;
use crate::error::{Failure, Kind as FailureKind, Result};
use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::{Interrupt, Server, Session};

/// Reads a database's schema.
///
/// # Errors
/// Unreachable; the server's.
pub async fn capture_from(
    connection: &Connection,
    command: &str,
    patience: Duration,
    interrupt: &Interrupt,
) -> Result<Snapshot> {
    let session = Session::open(connection, command, interrupt).await?;
    let server = Server::read(&session).await?;
    capture(&session, &server, patience).await
}

/// Writes the schema to a file and says what is in it.
///
/// # Errors
/// Unreachable; the server's; a file that cannot be written.
pub async fn snapshot(
    connection: &Connection,
    file: &Path,
    patience: Duration,
    interrupt: &Interrupt,
) -> Result<(Outcome, Document)> {
    let snapshot = capture_from(connection, "schema", patience, interrupt).await?;
    file::write(file, &snapshot)?;
    Ok((Outcome::Done, view::taken(&connection.label(), &snapshot, Some(&file.display().to_string()))))
}

/// Shows one object of a database: an id, or a name with or without its schema.
///
/// # Errors
/// Unreachable; usage when there is none of that name, or several.
pub async fn show(
    connection: &Connection,
    name: &str,
    patience: Duration,
    interrupt: &Interrupt,
) -> Result<(Outcome, Document)> {
    of_name(&capture_from(connection, "schema", patience, interrupt).await?, name)
}

/// The same of a snapshot file.
///
/// # Errors
/// Invalid for a file that is no snapshot; usage when there is none of that name, or several.
pub fn show_in(file: &Path, name: &str) -> Result<(Outcome, Document)> {
    of_name(&file::read(file)?, name)
}

fn of_name(snapshot: &Snapshot, name: &str) -> Result<(Outcome, Document)> {
    let object = one(snapshot, name)?;
    let id = object.id.to_string();
    let parts: Vec<&Object> = snapshot.objects.iter().filter(|o| o.id.parent.as_deref() == Some(&id)).collect();
    let of =
        |other: &&Object| matches!(other.get(Property::PartitionOf), Some(Value::Text(of)) if **of == *object.id.name);
    let partitions: Vec<&Object> = snapshot.objects.iter().filter(of).collect();
    Ok((Outcome::Done, view::object(object, &parts, &partitions)))
}

fn one<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a Object> {
    let by = |same: &dyn Fn(&Object) -> bool| snapshot.objects.iter().filter(|o| same(o)).collect::<Vec<_>>();
    // The schema left out, and the arguments of a function.
    let short = |full: &str| {
        let call = full.split_once('(').map_or(full, |(call, _)| call);
        call == name || call.rsplit_once('.').is_some_and(|(_, last)| last == name)
    };
    let found = [
        by(&|o| o.id.to_string() == name),
        by(&|o| o.id.parent.is_none() && *o.id.name == *name),
        by(&|o| o.id.parent.is_none() && short(&o.id.name)),
        by(&|o| o.id.parent.is_some() && *o.id.name == *name),
    ]
    .into_iter()
    .find(|found| !found.is_empty());
    match found.as_deref() {
        Some([object]) => Ok(object),
        Some(several) => {
            let ids: Vec<String> = several.iter().take(8).map(|o| o.id.to_string()).collect();
            Err(Failure::new(FailureKind::Usage, format!("{} objects are called {name}", several.len()))
                .hint(format!("say which by its id: {}", ids.join("  "))))
        }
        None => {
            let near: Vec<String> = snapshot
                .objects
                .iter()
                .filter(|o| o.id.name.contains(name))
                .take(5)
                .map(|o| o.id.to_string())
                .collect();
            let failure = Failure::new(FailureKind::Usage, format!("there is no object {name}"));
            Err(if near.is_empty() {
                failure.hint("names stand with their schema: dbctl schema show app.orders")
            } else {
                failure.hint(format!("did you mean {}?", near.join(" or ")))
            })
        }
    }
}

//! A file becomes rows of a table, all or none: it is read into a temporary stage, proven there
//! against its sidecar, and stored by one INSERT. One transaction.

use std::io::Write as _;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use super::columns::{self, Column, Relation};
use super::failure;
use super::fill;
use super::format::{Form, Format};
use super::header::Header;
use super::lines::Lines;
use super::parquet::{self, Opened};
use super::place::Place;
use super::sidecar::Sidecar;
use super::source::{self, Sums};
use super::view;
use crate::archive::{Identities, hash, settings};
use crate::config::connection::Connection;
use crate::config::env::Env;
use crate::error::{Explain as _, Failure, Kind, Result};
use crate::ident::{Ident, TableName};
use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::{Interrupt, Session};
use crate::steps::events::{Event, Events};
use crate::steps::gate::{self, Confirm, Rails};

/// The temporary table that a file is read into.
pub const STAGE: &str = "dbctl_import";
/// How many bytes come together before they are sent.
const PIECE: usize = 128 << 10;

/// What to do with a row whose key is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// Fail.
    Error,
    /// Leave it out.
    Skip,
    /// Overwrite the row with that primary key.
    Update,
}

/// What is to be imported, and how.
#[derive(Debug, Clone)]
pub struct Wish {
    /// A file, `s3://…` or `-`.
    pub from: String,
    /// The table.
    pub into: TableName,
    /// By the sidecar or the name where nothing is said.
    pub format: Option<Format>,
    /// The file's columns in their order, or the keys that are taken.
    pub columns: Vec<Ident>,
    /// Make the table from the sidecar's columns.
    pub create: bool,
    /// Rows whose key is there.
    pub on_conflict: Conflict,
    /// Empty the table first, in the same transaction.
    pub truncate: bool,
}

/// How an import works.
pub struct Request<'a> {
    /// Where.
    pub connection: Connection,
    /// What.
    pub wish: &'a Wish,
    /// Read and prove only.
    pub dry_run: bool,
    /// What may happen without a question.
    pub rails: Rails,
    /// How long a lock is waited for.
    pub lock_timeout: Duration,
    /// Store, keys.
    pub env: &'a Env,
}

/// What an import came to.
pub struct Done {
    /// The file.
    pub file: String,
    /// The table.
    pub table: String,
    /// The file's form.
    pub format: Format,
    /// Rows in the file.
    pub rows: u64,
    /// Rows stored or overwritten; none in a dry run.
    pub stored: Option<u64>,
    /// The size of the text.
    pub plain_bytes: u64,
    /// How long it took.
    pub took: Duration,
    /// File and rows are those of the sidecar.
    pub proven: bool,
    /// Nothing was stored on purpose.
    pub dry_run: bool,
    /// What else to know.
    pub notes: Vec<String>,
}

/// Imports.
///
/// # Errors
/// Refused, when the file is not that of its sidecar; invalid, when a row is wrong, with its line;
/// the server's. Nothing is stored then.
pub async fn run(
    request: &Request<'_>,
    interrupt: &Interrupt,
    events: &mut dyn Events,
    confirm: &mut dyn Confirm,
) -> Result<(Outcome, Document)> {
    let wish = request.wish;
    let identities = Identities::from_env(request.env)?;
    let place = Place::of_file(&wish.from, request.env)?;
    let sidecar = match &place {
        Place::Stream => None,
        Place::File { store, path } => Sidecar::read(store, path).await?,
    };
    let format = format_of(wish, sidecar.as_ref(), &place)?;
    if format == Format::Parquet {
        parquet::built_in()?;
    }
    let mut because = Vec::new();
    if wish.truncate {
        because.push(format!("all rows of {} are removed", wish.into));
    }
    if wish.on_conflict == Conflict::Update {
        because.push(format!("rows of {} with the same key are overwritten", wish.into));
    }
    if !request.dry_run {
        if because.is_empty() {
            because.push(format!("rows are stored in {}", wish.into));
        }
        gate::consent(because, &request.rails, confirm)?;
    }
    let session = Session::open(&request.connection, "import", interrupt).await?;
    let work = Work { session: &session, request, place: &place, sidecar: sidecar.as_ref(), format };
    let done = tokio::select! {
        done = work.all(&identities, events) => done?,
        // Standard input may never end; what is dropped here was never committed.
        failure = interrupt.wait() => return Err(failure),
    };
    Ok((Outcome::Done, view::imported(&done)))
}

fn format_of(wish: &Wish, sidecar: Option<&Sidecar>, place: &Place) -> Result<Format> {
    let told = sidecar.and_then(|sidecar| sidecar.format.parse().ok());
    let named = match place {
        Place::Stream => None,
        Place::File { path, .. } => Format::of_name(path),
    };
    match (wish.format, told) {
        (Some(wished), Some(told)) if wished != told => {
            Err(Failure::new(Kind::Usage, format!("{} is of the form {told}, not {wished}", place.name())))
        }
        (Some(format), _) | (None, Some(format)) => Ok(format),
        (None, None) => named.ok_or_else(|| {
            Failure::new(Kind::Usage, format!("of which form is {}? its name does not say it", place.name()))
                .hint(format!("say --as {}", Format::NAMES.join("|")))
        }),
    }
}

struct Work<'a> {
    session: &'a Session,
    request: &'a Request<'a>,
    place: &'a Place,
    sidecar: Option<&'a Sidecar>,
    format: Format,
}

impl Work<'_> {
    async fn all(&self, identities: &Identities, events: &mut dyn Events) -> Result<Done> {
        let begun = Instant::now();
        let (wish, file) = (self.request.wish, self.place.name());
        let begin = format!("BEGIN; SET LOCAL lock_timeout = {}", self.request.lock_timeout.as_millis());
        self.send(&begin, "cannot begin a transaction").await?;
        let before = settings::pin_for_writing(self.session).await?;
        let relation = self.relation().await?;
        events.event(Event::Step { number: 1, of: 2, title: &format!("read {file}") });
        let opened = match self.format {
            Format::Parquet => Some(self.open(identities).await?),
            _ => None,
        };
        let mut columns = self.columns(&relation, opened.as_ref().map(|(opened, _)| opened.names()))?;
        self.stage(&columns).await?;
        let (rows, sums, lines) = match opened {
            Some((opened, sums)) => (self.read_sheet(opened, &columns, events).await?, sums, None),
            None => self.read(identities, &relation, &columns, events).await?,
        };
        if let Some(sidecar) = self.sidecar {
            sums.compare(&sidecar.file, &file)?;
        }
        if let Some(lines) = &lines {
            if wish.columns.is_empty() && self.sidecar.is_none() {
                columns.retain(|column| lines.with(column.name.raw()) > 0 || lines.rows == 0);
            }
            fill::fill(self.session, &file, &columns, lines).await?;
        }
        let mut notes = Vec::new();
        let proven = self.prove(rows, &columns, &mut notes).await?;
        events.event(Event::Step { number: 2, of: 2, title: &format!("store in {}", wish.into) });
        let stored = match self.request.dry_run {
            true => None,
            false => Some(self.store(&columns, &mut notes).await?),
        };
        before.put_back(self.session).await?;
        self.send(if stored.is_some() { "COMMIT" } else { "ROLLBACK" }, "cannot commit").await?;
        Ok(Done {
            file,
            table: wish.into.to_string(),
            format: self.format,
            rows,
            stored,
            plain_bytes: sums.plain_bytes,
            took: begun.elapsed(),
            proven,
            dry_run: self.request.dry_run,
            notes,
        })
    }

    async fn send(&self, sql: &str, doing: &'static str) -> Result<()> {
        self.session.send(sql).await.map_err(|e| e.explain(doing))
    }

    /// The table, which is made where that was asked for.
    async fn relation(&self) -> Result<Relation> {
        let wish = self.request.wish;
        let into = &wish.into;
        match columns::of_relation(self.session, into).await? {
            Some(_) if wish.create => {
                return Err(Failure::new(Kind::Refused, format!("{into} is there already"))
                    .hint("leave out --create to store the rows in it"));
            }
            Some(relation) if ["r", "p"].contains(&relation.kind.as_str()) => return Ok(relation),
            Some(_) => return Err(Failure::new(Kind::Refused, format!("{into} is no table"))),
            None if wish.create => {}
            None => {
                return Err(Failure::new(Kind::Refused, format!("there is no table {into}"))
                    .hint("make it first, or let --create make it from the file's sidecar"));
            }
        }
        let Some(sidecar) = self.sidecar else {
            return Err(Failure::new(Kind::Refused, format!("nothing says of which columns {into} is"))
                .note("--create takes them from the sidecar (FILE.json), and there is none"));
        };
        let column = |column: &super::sidecar::Column| {
            let not_null = if column.not_null { " NOT NULL" } else { "" };
            format!("{} {}{not_null}", Ident::new(&column.name), column.kind)
        };
        let list: Vec<String> = sidecar.columns.iter().map(column).collect();
        let sql = format!("CREATE TABLE {into} ({})", list.join(", "));
        let created = self.session.rows_of(&sql).await;
        created.map_err(|e| e.explain(format!("cannot make {into} from the sidecar: {sql}")))?;
        let relation = columns::of_relation(self.session, into).await?;
        relation.ok_or_else(|| Failure::new(Kind::Refused, format!("{into} would be a table without columns")))
    }

    /// The file's columns in their order, where it names them itself. For NDJSON, those that may be there.
    fn columns(&self, relation: &Relation, named: Option<Vec<String>>) -> Result<Vec<Column>> {
        let (wish, into) = (self.request.wish, &self.request.wish.into);
        let find = |name: &Ident| {
            let found = relation.columns.iter().find(|column| column.name == *name);
            let column = found.ok_or_else(|| {
                let message = format!("{into} has no column {name}, which {} has", self.place.name());
                Failure::new(Kind::Refused, message).hint("add it to the table, or export without it: --columns")
            })?;
            if column.generated {
                return Err(Failure::new(Kind::Refused, format!("the server generates the column {name} of {into}")));
            }
            Ok(column.clone())
        };
        let names: Vec<Ident> = match self.sidecar {
            _ if !wish.columns.is_empty() => wish.columns.clone(),
            _ if named.is_some() => named.iter().flatten().map(|name| Ident::new(name.as_str())).collect(),
            Some(sidecar) => sidecar.columns.iter().map(|column| Ident::new(&column.name)).collect(),
            None => {
                return Ok(relation.columns.iter().filter(|column| !column.generated).cloned().collect());
            }
        };
        let columns: Vec<Column> = names.iter().map(find).collect::<Result<_>>()?;
        if let (Some(sidecar), Format::Binary) = (self.sidecar, self.format)
            && let Some((column, told)) =
                columns.iter().zip(&sidecar.columns).find(|(here, told)| !same_binary(here, told))
        {
            return Err(Failure::new(
                Kind::Refused,
                format!("column {} of {into} is {}, in the file it is {}", column.name, column.kind, told.kind),
            )
            .note("the binary form is for the very same types")
            .hint("export as ndjson, csv or copy, which the server reads anew"));
        }
        Ok(columns)
    }

    /// Tables without constraints, defaults and triggers, of the very types.
    async fn stage(&self, columns: &[Column]) -> Result<()> {
        let list: Vec<String> = columns.iter().map(|column| column.name.to_string()).collect();
        let sql = format!(
            "CREATE TEMPORARY TABLE {STAGE} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA",
            list.join(", "),
            self.request.wish.into
        );
        let doing = "cannot make a temporary table, into which the file is read";
        self.session.rows_of(&sql).await.map_err(|e| e.explain(doing))?;
        if self.format == Format::Ndjson {
            self.session.rows_of(&fill::create()).await.map_err(|e| e.explain(doing))?;
        }
        Ok(())
    }

    /// A file that is read from its end: a copy of it that nobody else can open, proven before it is looked into.
    async fn open(&self, identities: &Identities) -> Result<(Opened, Sums)> {
        let name = self.place.name();
        let doing = "cannot keep the file in the folder for temporary files";
        let mut copy = tempfile::tempfile().explain(Kind::Failed, doing)?;
        let keep = async |plain: Bytes| copy.write_all(&plain).explain(Kind::Failed, doing);
        let sums = source::read(self.place, identities, keep).await?;
        if let Some(sidecar) = self.sidecar {
            sums.compare(&sidecar.file, &name)?;
        }
        Ok((Opened::open(copy, &name)?, sums))
    }

    /// Reads the rows of a file of columns into the stage.
    async fn read_sheet(&self, opened: Opened, columns: &[Column], events: &mut dyn Events) -> Result<u64> {
        let (file, begun) = (self.place.name(), Instant::now());
        let doing = |error: &crate::pg::ServerError| failure::of_copy(error, &file, self.format);
        let names = opened.names();
        let place = |column: &Column| {
            let at = names.iter().position(|name| name == column.name.raw());
            let at = at.ok_or_else(|| Failure::new(Kind::Usage, format!("{file} has no column {}", column.name)))?;
            Ok((at, column.form == Form::Vector))
        };
        let wanted: Vec<(usize, bool)> = columns.iter().map(place).collect::<Result<_>>()?;
        let list: Vec<String> = columns.iter().map(|column| column.name.to_string()).collect();
        let options = self.format.copy_options(false);
        let sql = format!("COPY pg_temp.{STAGE} ({}) FROM STDIN ({options})", list.join(", "));
        let mut copy = self.session.copy_in(&sql).await.map_err(|e| doing(&e))?;
        let (mut rows, mut bytes) = (opened.rows(&wanted), 0_u64);
        while let Some(piece) = rows.recv().await {
            let piece = piece?;
            bytes += piece.len() as u64;
            copy.send(piece).await.map_err(|e| doing(&e))?;
            let phase = view::rate(bytes, begun.elapsed());
            events.event(Event::Progress { title: "read", phase: &phase, done: i64::try_from(bytes)?, total: 0 });
        }
        copy.finish().await.map_err(|e| doing(&e))
    }

    /// Reads the file into the stage, or its lines into theirs.
    async fn read(
        &self,
        identities: &Identities,
        relation: &Relation,
        columns: &[Column],
        events: &mut dyn Events,
    ) -> Result<(u64, Sums, Option<Lines>)> {
        let (file, begun) = (self.place.name(), Instant::now());
        let doing = |error: &crate::pg::ServerError| failure::of_copy(error, &file, self.format);
        let list: Vec<String> = columns.iter().map(|column| column.name.to_string()).collect();
        let list = if list.is_empty() { String::new() } else { format!(" ({})", list.join(", ")) };
        let (sql, mut lines) = if self.format == Format::Ndjson {
            let known = relation.columns.iter().filter(|column| {
                columns.iter().any(|taken| taken.name == column.name)
                    || (column.generated && self.request.wish.columns.is_empty())
            });
            let known = known.map(|column| (column.name.raw(), column.generated));
            let lines = Lines::new(&file, &self.request.wish.into.to_string(), known);
            let sql = format!("COPY pg_temp.{} FROM STDIN (FORMAT csv, ENCODING 'UTF8')", fill::LINES);
            (sql, Some(lines))
        } else {
            let options = self.format.copy_options(false);
            (format!("COPY pg_temp.{STAGE}{list} FROM STDIN ({options})"), None)
        };
        let mut copy = self.session.copy_in(&sql).await.map_err(|e| doing(&e))?;
        let (mut piece, mut bytes) = (BytesMut::new(), 0_u64);
        // What a sidecar says of the columns was proven with the file.
        let mut header = (self.format == Format::Csv && self.sidecar.is_none()).then(|| {
            let names = columns.iter().map(|column| column.name.raw().to_owned());
            Header::new(&file, names, !self.request.wish.columns.is_empty())
        });
        let sums = source::read(self.place, identities, async |plain| {
            bytes += plain.len() as u64;
            if let Some(header) = &mut header {
                header.take(&plain)?;
            }
            match &mut lines {
                Some(lines) => lines.take(&plain, &mut piece)?,
                None => piece.extend_from_slice(&plain),
            }
            if piece.len() >= PIECE {
                copy.send(piece.split().freeze()).await.map_err(|e| doing(&e))?;
                let phase = view::rate(bytes, begun.elapsed());
                let total = self.sidecar.map_or(0, |sidecar| sidecar.file.plain_bytes);
                let (done, total) = (i64::try_from(bytes)?, i64::try_from(total)?);
                events.event(Event::Progress { title: "read", phase: &phase, done, total });
            }
            Ok(())
        })
        .await?;
        if let Some(header) = &mut header {
            header.end()?;
        }
        if let Some(lines) = &mut lines {
            lines.finish(&mut piece)?;
        }
        copy.send(piece.split().freeze()).await.map_err(|e| doing(&e))?;
        let rows = copy.finish().await.map_err(|e| doing(&e))?;
        Ok((rows, sums, lines))
    }

    /// Whether the rows on the stage are those of the sidecar; why that cannot be said goes to the notes.
    async fn prove(&self, rows: u64, columns: &[Column], notes: &mut Vec<String>) -> Result<bool> {
        let Some(sidecar) = self.sidecar else {
            notes.push("There is no sidecar: that the file is whole could not be proven.".to_owned());
            return Ok(false);
        };
        let wrong = |what: String| {
            Err(Failure::new(Kind::Refused, format!("the rows of {} are not those of its sidecar", self.place.name()))
                .note(what)
                .note("nothing was stored"))
        };
        if rows != sidecar.rows {
            return wrong(format!("rows: {rows}, the sidecar says {}", sidecar.rows));
        }
        let Some(told) = &sidecar.content_hash else { return Ok(true) };
        let same = columns.len() == sidecar.columns.len()
            && columns
                .iter()
                .zip(&sidecar.columns)
                .all(|(here, there)| here.name.raw() == there.name && here.kind == there.kind);
        if !same {
            notes.push(
                "The table's columns are of other types than the file's: its bytes were proven, what its values became was not."
                    .to_owned(),
            );
            return Ok(false);
        }
        let list: Vec<String> = columns.iter().map(|column| column.name.to_string()).collect();
        let from = format!("(SELECT {} FROM pg_temp.{STAGE})", list.join(", "));
        // With a condition, the rows left under the path of whoever wrote it.
        let path = match sidecar.origin.condition {
            None => Some(columns::Path::of_the_catalog(self.session).await?),
            Some(_) => None,
        };
        let here = hash::of_rows(self.session, &from, &told.algorithm).await?;
        if let Some(path) = path {
            path.put_back(self.session).await?;
        }
        if here.same_as(told) == Some(true) {
            return Ok(true);
        }
        wrong(format!("content hash: {}, the sidecar says {}", here.value, told.value))
    }

    /// From the stage into the table; how many rows.
    async fn store(&self, columns: &[Column], notes: &mut Vec<String>) -> Result<u64> {
        let wish = self.request.wish;
        let (into, file) = (&wish.into, self.place.name());
        if wish.truncate {
            let emptied = self.session.rows_of(&format!("TRUNCATE {into}")).await;
            emptied.map_err(|e| failure::of_insert(&e, &file, into))?;
        }
        let list: Vec<String> = columns.iter().map(|column| column.name.to_string()).collect();
        let list = list.join(", ");
        let conflict = self.conflict(columns)?;
        let names = if columns.is_empty() { String::new() } else { format!(" ({list}) OVERRIDING SYSTEM VALUE") };
        let sql = format!(
            "WITH stored AS (INSERT INTO {into}{names} SELECT {list} FROM pg_temp.{STAGE}{conflict} RETURNING 1) \
             SELECT pg_catalog.count(*) FROM stored"
        );
        let rows = self.session.rows_of(&sql).await.map_err(|e| failure::of_insert(&e, &file, into))?;
        for column in columns {
            if let Some(sequence) = &column.sequence {
                notes.push(format!(
                    "Values of {} were stored as they are; its sequence has not moved: SELECT setval('{}', max({})) FROM {into};",
                    column.name,
                    sequence.replace('\'', "''"),
                    column.name
                ));
            }
        }
        let stored: i64 = rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
        Ok(u64::try_from(stored)?)
    }

    fn conflict(&self, columns: &[Column]) -> Result<String> {
        let into = &self.request.wish.into;
        let keys: Vec<String> =
            columns.iter().filter(|column| column.key).map(|column| column.name.to_string()).collect();
        let others: Vec<String> = columns
            .iter()
            .filter(|column| !column.key)
            .map(|column| format!("{0} = EXCLUDED.{0}", column.name))
            .collect();
        Ok(match self.request.wish.on_conflict {
            Conflict::Error => String::new(),
            Conflict::Skip => " ON CONFLICT DO NOTHING".to_owned(),
            Conflict::Update if keys.is_empty() => {
                return Err(Failure::new(Kind::Refused, format!("{into} has no primary key among the file's columns"))
                    .hint("--on-conflict update finds rows by the primary key"));
            }
            Conflict::Update if others.is_empty() => format!(" ON CONFLICT ({}) DO NOTHING", keys.join(", ")),
            Conflict::Update => {
                format!(" ON CONFLICT ({}) DO UPDATE SET {}", keys.join(", "), others.join(", "))
            }
        })
    }
}

/// Whether a column takes the binary form of another: lengths are no matter, types are.
fn same_binary(here: &Column, told: &super::sidecar::Column) -> bool {
    let bare = |kind: &str| kind.split('(').next().unwrap_or(kind).trim().to_owned();
    bare(&here.kind) == bare(&told.kind)
}

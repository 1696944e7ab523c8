//! Tables or a query become files: all in one read-only transaction, each file copied through sha256,
//! zstd and age into its place. A file gets its name when it is whole.

use std::io::Write as _;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;

use super::columns::{self, Column};
use super::format::{self, Compression, Format};
use super::parquet::{self, Sheet};
use super::place::{self, Place};
use super::rows::Rows;
use super::sidecar::{self, Sidecar};
use super::view;
use crate::archive::hash::{self, ContentHash};
use crate::archive::seal::{Plain, Seal};
use crate::archive::store::{Create, Store, Writer};
use crate::archive::{Recipients, settings};
use crate::config::connection::Connection;
use crate::config::env::Env;
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, Literal, TableName};
use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::sqlstate::LOCKED_HINT;
use crate::pg::{Interrupt, Query, Session};
use crate::steps::events::{Event, Events};

/// The level of zstd.
const LEVEL: i32 = 3;
/// How many bytes of rows come together before they are compressed.
const PIECE: usize = 128 << 10;

/// What is to be exported, and whereto.
pub struct Wish {
    /// These tables, or views.
    pub tables: Vec<TableName>,
    /// Or what this gives.
    pub query: Option<String>,
    /// A file, a folder (`/` at its end), `s3://…` or `-`.
    pub to: String,
    /// By the file's name where nothing is said, else NDJSON.
    pub format: Option<Format>,
    /// A condition on the rows of the one table.
    pub condition: Option<String>,
    /// Only these columns of the one table.
    pub columns: Vec<Ident>,
    /// By the file's name where nothing is said, else zstd.
    pub compression: Option<Compression>,
    /// Who may open it.
    pub recipients: Vec<String>,
}

/// An export that is wanted.
pub struct Request<'a> {
    /// The database.
    pub connection: Connection,
    /// What, and where to.
    pub wish: &'a Wish,
    /// Show what would be done.
    pub dry_run: bool,
    /// How long somebody else's lock may keep it waiting.
    pub lock_timeout: Duration,
    /// The variables that stores look at.
    pub env: &'a Env,
}

/// One thing to export.
struct Job {
    table: Option<TableName>,
    place: Place,
    format: Format,
    compression: Compression,
}

/// A written file.
pub struct Written {
    /// `schema.table`, or `query`.
    pub origin: String,
    /// Where it lies.
    pub place: String,
    /// Its form.
    pub format: Format,
    /// How many rows.
    pub rows: u64,
    /// The file's size.
    pub bytes: u64,
    /// Its text's size.
    pub plain_bytes: u64,
    /// How long it took.
    pub took: Duration,
}

/// When and where all of it was read.
struct Moment {
    database: String,
    version: String,
    at: String,
    snapshot: String,
    vector: Option<String>,
}

/// Exports. The document is none when the rows went to standard output.
///
/// # Errors
/// Refused for what is no table or is hidden from this role, or when another file lies there; the
/// server's; the store's. Files that were whole before remain and are named.
pub async fn run(
    request: &Request<'_>,
    interrupt: &Interrupt,
    events: &mut dyn Events,
) -> Result<(Outcome, Document, bool)> {
    let Request { connection, wish, dry_run, env, .. } = request;
    let dry_run = *dry_run;
    let recipients = Recipients::parse(&wish.recipients)?;
    let jobs = jobs(wish, env)?;
    if jobs.iter().any(|job| job.format == Format::Parquet) {
        parquet::built_in()?;
    }
    for job in &jobs {
        if let Place::File { store, path } = &job.place
            && store.head(path).await?.is_some()
        {
            return Err(Failure::new(Kind::Refused, format!("{} is there already", job.place.name()))
                .hint("move it away, or write to another path"));
        }
    }
    let session = Session::open(connection, "export", interrupt).await?;
    let path = session.rows_of("SELECT pg_catalog.current_setting('search_path')").await;
    let path = path.map_err(|e| e.explain("cannot read the search path"))?;
    let path: String = path.first().map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
    let mut begin = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {}SET LOCAL lock_timeout = '{}ms'; ",
        settings::for_reading(),
        request.lock_timeout.as_millis()
    );
    // Before the snapshot: a table that is emptied or rewritten while the lock is waited for has no rows for an earlier one.
    for job in &jobs {
        let Some(table) = &job.table else { continue };
        if may_be_locked(&session, table).await? {
            begin.push_str(&format!("LOCK TABLE {table} IN ACCESS SHARE MODE; "));
        }
    }
    if wish.query.is_some() || wish.condition.is_some() {
        // Their names are found as their writer finds them.
        begin.push_str(&format!("SELECT pg_catalog.set_config('search_path', {}, true)", Literal(&path)));
    }
    session.send(&begin).await.map_err(|e| {
        let failure = e.explain("cannot begin to read");
        match failure.what() {
            Kind::Deferred => failure.hint(LOCKED_HINT),
            _ => failure,
        }
    })?;
    let moment = moment(&session).await?;
    let (mut written, to_stream) = (Vec::new(), jobs.iter().any(|job| matches!(job.place, Place::Stream)));
    for (index, job) in jobs.iter().enumerate() {
        let title = job.table.as_ref().map_or_else(|| "the query".to_owned(), ToString::to_string);
        events.event(Event::Step { number: index + 1, of: jobs.len(), title: &title });
        let begun = Instant::now();
        let done = one(&session, wish, job, &recipients, &moment, dry_run, events).await;
        match done {
            Ok(mut file) => {
                file.took = begun.elapsed();
                events.event(Event::Applied { title: &title, took: file.took });
                written.push(file);
            }
            Err(failure) => {
                let whole = written.iter().filter(|_| !dry_run);
                return Err(failure.done(whole.map(|file| format!("{} is whole in {}", file.origin, file.place))));
            }
        }
    }
    // It has written nothing: how it ends changes nothing.
    let _ = session.send("ROLLBACK").await;
    Ok((Outcome::Done, view::exported(&moment.at, &moment.snapshot, &written, dry_run), to_stream))
}

/// Whether it is of a kind that LOCK TABLE takes; what is not there is told when it is read.
async fn may_be_locked(session: &Session, table: &TableName) -> Result<bool> {
    let sql = "SELECT 1 FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass($1) AND relkind IN ('r', 'p')";
    let rows = session.rows_with(sql, &[&table.to_string()]).await;
    rows.map(|rows| !rows.is_empty()).map_err(|e| e.explain(format!("cannot look for {table}")))
}

fn jobs(wish: &Wish, env: &Env) -> Result<Vec<Job>> {
    let encrypted = !wish.recipients.is_empty();
    let folder = wish.tables.len() > 1 || place::is_folder(&wish.to);
    if folder {
        if wish.query.is_some() {
            return Err(Failure::new(Kind::Usage, "a query is written to a file, and --to names a folder"));
        }
        if wish.to == "-" {
            return Err(Failure::new(Kind::Usage, "several tables do not go to standard output")
                .hint("give a folder: --to DIR/"));
        }
        if wish.tables.len() > 1 && (wish.condition.is_some() || !wish.columns.is_empty()) {
            return Err(Failure::new(Kind::Usage, "--where and --columns are for one table"));
        }
        let (format, compression) =
            (wish.format.unwrap_or(Format::Ndjson), wish.compression.unwrap_or(Compression::Zstd));
        let job = |table: &TableName| {
            let path = format::file_name(table.schema.raw(), table.name.raw(), format, compression, encrypted);
            let place = Place::File { store: place::folder(&wish.to, env)?, path };
            Ok(Job { table: Some(table.clone()), place, format, compression })
        };
        return wish.tables.iter().map(job).collect();
    }
    let place = Place::of_file(&wish.to, env)?;
    let name = match &place {
        Place::Stream => "",
        Place::File { path, .. } => path,
    };
    let bare = name.strip_suffix(".age").unwrap_or(name);
    if bare.len() < name.len() && !encrypted {
        return Err(Failure::new(Kind::Usage, format!("{name} is to be encrypted, and nobody may open it"))
            .hint("give --recipient age1…"));
    }
    let format = wish.format.or_else(|| Format::of_name(name)).unwrap_or(Format::Ndjson);
    let zstd = bare.ends_with(".zst");
    if zstd && format == Format::Parquet {
        return Err(Failure::new(Kind::Usage, format!("{name}: pages of Parquet are compressed, not the file"))
            .hint("name it without .zst; --compress none leaves the pages as they are"));
    }
    let by_name = if zstd || format == Format::Parquet { Compression::Zstd } else { Compression::None };
    Ok(vec![Job {
        table: wish.tables.first().cloned(),
        format,
        compression: wish.compression.unwrap_or(by_name),
        place,
    }])
}

async fn moment(session: &Session) -> Result<Moment> {
    let rows = session.rows(&Query::TRANSFER_MOMENT, &[]).await.map_err(|e| e.explain("cannot look at the server"))?;
    let row = rows.first().ok_or_else(|| Failure::new(Kind::Failed, "the server did not answer"))?;
    if row.try_get::<_, String>("encoding")? == "SQL_ASCII" {
        return Err(Failure::new(
            Kind::Refused,
            "the database's encoding is SQL_ASCII: nobody knows what its texts are",
        )
        .hint("dbctl partitions and pg_dump keep the bytes as they are"));
    }
    Ok(Moment {
        database: row.try_get("database")?,
        version: row.try_get("version")?,
        at: row.try_get("at")?,
        snapshot: row.try_get("snapshot")?,
        vector: row.try_get("vector")?,
    })
}

/// What is selected: SQL, its columns, and whether it gives the same rows twice.
struct Selection {
    sql: String,
    columns: Vec<Column>,
    algorithm: Option<&'static str>,
}

async fn select(session: &Session, wish: &Wish, table: Option<&TableName>) -> Result<Selection> {
    let Some(table) = table else {
        let query = wish.query.as_deref().unwrap_or_default().trim().trim_end_matches(';');
        let columns = columns::of_query(session, query).await?;
        return Ok(Selection { sql: format!("SELECT q.* FROM (\n{query}\n) AS q"), columns, algorithm: None });
    };
    let Some(relation) = columns::of_relation(session, table).await? else {
        return Err(Failure::new(Kind::Refused, format!("there is no table {table} with columns")));
    };
    if !["r", "p", "v", "m", "f"].contains(&relation.kind.as_str()) {
        return Err(Failure::new(Kind::Refused, format!("{table} is no table")));
    }
    if relation.secured {
        return Err(Failure::new(
            Kind::NotPermitted,
            format!("row security would hide rows of {table} from this role"),
        )
        .hint("let a superuser run: ALTER ROLE … BYPASSRLS; or connect as the table's owner"));
    }
    let mut chosen = Vec::new();
    for name in &wish.columns {
        match relation.columns.iter().find(|column| column.name == *name) {
            Some(column) => chosen.push(column.clone()),
            None => return Err(Failure::new(Kind::Usage, format!("{table} has no column {name}"))),
        }
    }
    let all = wish.columns.is_empty();
    if all {
        chosen = relation.columns.into_iter().filter(|column| !column.generated).collect();
    }
    let list: Vec<String> = chosen.iter().map(|column| format!("r.{}", column.name)).collect();
    let condition = wish.condition.as_ref().map_or(String::new(), |c| format!(" WHERE (\n{c}\n)"));
    // The quick hash was chosen for all columns; others are hashed by their text.
    let algorithm = if all { hash::algorithm(session, table).await? } else { hash::BY_TEXT };
    let sql = format!("SELECT {} FROM {table} AS r{condition}", list.join(", "));
    Ok(Selection { sql, columns: chosen, algorithm: Some(algorithm) })
}

fn copy_out(selection: &Selection, format: Format, kinds: &[parquet::Kind]) -> String {
    let options = format.copy_options(true);
    if format == Format::Parquet {
        let values = selection.columns.iter().zip(kinds).map(|(column, kind)| kind.sent(&column.name));
        let values: Vec<String> = values.collect();
        return format!("COPY (SELECT {} FROM (\n{}\n) AS r) TO STDOUT ({options})", values.join(", "), selection.sql);
    }
    if format != Format::Ndjson {
        let options =
            if selection.columns.is_empty() { options.replace(", FORCE_QUOTE *", "") } else { options.to_owned() };
        return format!("COPY (\n{}\n) TO STDOUT ({options})", selection.sql);
    }
    let values: Vec<String> = selection
        .columns
        .iter()
        .map(|column| format!("{} AS {}", column.form.to_json(&column.name), column.name))
        .collect();
    format!(
        "COPY (SELECT pg_catalog.row_to_json(j.*)::pg_catalog.text FROM (SELECT {} FROM (\n{}\n) AS r) AS j) \
         TO STDOUT ({options})",
        values.join(", "),
        selection.sql
    )
}

async fn one(
    session: &Session,
    wish: &Wish,
    job: &Job,
    recipients: &Recipients,
    moment: &Moment,
    dry_run: bool,
    events: &mut dyn Events,
) -> Result<Written> {
    let selection = select(session, wish, job.table.as_ref()).await?;
    let origin = job.table.as_ref().map_or_else(|| "query".to_owned(), ToString::to_string);
    let hash = match selection.algorithm {
        Some(algorithm) => Some(hash::of_rows(session, &format!("(\n{}\n)", selection.sql), algorithm).await?),
        None => None,
    };
    let mut file = Written {
        origin: origin.clone(),
        place: job.place.name(),
        format: job.format,
        rows: hash.as_ref().map_or(0, |hash| hash.rows),
        bytes: 0,
        plain_bytes: 0,
        took: Duration::ZERO,
    };
    if dry_run {
        return Ok(file);
    }
    let seal = match job.compression {
        Compression::Zstd if job.format != Format::Parquet => Seal::new(LEVEL, recipients)?,
        _ => Seal::uncompressed(recipients)?,
    };
    let (store, path) = match &job.place {
        Place::Stream => {
            let mut out = Out::Stream;
            (file.rows, _) = copy(session, &selection, job, hash.as_ref(), seal, &mut out, events).await?;
            return Ok(file);
        }
        Place::File { store, path } => (store, path),
    };
    let mut out = Out::File(Box::new(store.create(path, &Create::default()).await?));
    let copied = copy(session, &selection, job, hash.as_ref(), seal, &mut out, events).await;
    let Out::File(writer) = out else { return Err(Failure::new(Kind::Failed, "the file is gone")) };
    let described = match copied {
        Ok((rows, plain)) => {
            let stored = writer.stored();
            (file.rows, file.bytes, file.plain_bytes) = (rows, stored.bytes, plain.bytes);
            let sidecar = Sidecar {
                version: sidecar::VERSION,
                format: job.format.to_string(),
                origin: sidecar::Origin {
                    database: moment.database.clone(),
                    table: job.table.as_ref().map(ToString::to_string),
                    query: wish.query.clone(),
                    condition: wish.condition.clone(),
                },
                columns: selection.columns.iter().map(described).collect(),
                rows,
                content_hash: hash,
                file: sidecar::File {
                    name: path.clone(),
                    bytes: stored.bytes,
                    sha256: stored.sha256,
                    plain_bytes: plain.bytes,
                    plain_sha256: plain.sha256,
                    compression: match job.compression {
                        Compression::Zstd => format!("zstd-{LEVEL}"),
                        Compression::None => "none".to_owned(),
                    },
                    recipients: recipients.texts(),
                },
                at: moment.at.clone(),
                snapshot: moment.snapshot.clone(),
                server_version: moment.version.clone(),
                vector_version: moment.vector.clone(),
                dbctl_version: env!("CARGO_PKG_VERSION").to_owned(),
            };
            publish(&writer, store, path, &sidecar).await
        }
        Err(failure) => Err(failure),
    };
    match described {
        Ok(()) => writer.finish(store, path).await.map(|_| file),
        Err(failure) => Err(match writer.abort().await {
            Ok(()) => failure,
            Err(left) => failure.note(left.messages().join(": ")),
        }),
    }
}

/// The sidecar first: one without its file is what a killed run leaves.
async fn publish(writer: &Writer, store: &Store, path: &str, sidecar: &Sidecar) -> Result<()> {
    writer.check(store, path).await?;
    sidecar.write(store, path).await
}

fn described(column: &Column) -> sidecar::Column {
    let name = column.name.raw().to_owned();
    sidecar::Column { name, kind: column.kind.clone(), not_null: column.not_null }
}

enum Out {
    Stream,
    File(Box<Writer>),
}

impl Out {
    async fn write(&mut self, piece: Option<Bytes>) -> Result<()> {
        match (self, piece) {
            (_, None) => Ok(()),
            (Out::Stream, Some(piece)) => Ok(std::io::stdout().write_all(&piece)?),
            (Out::File(writer), Some(piece)) => writer.write(piece).await,
        }
    }
}

/// How the columns stand in Parquet: as text, where one holds a value that its type there does not.
async fn kinds(session: &Session, selection: &Selection) -> Result<Vec<parquet::Kind>> {
    let mut kinds: Vec<parquet::Kind> = selection.columns.iter().map(parquet::Kind::of).collect();
    let names = selection.columns.iter().map(|column| &column.name);
    let (asked, conditions): (Vec<usize>, Vec<String>) = kinds
        .iter()
        .zip(names)
        .enumerate()
        .filter_map(|(at, (kind, name))| {
            Some((at, format!("COALESCE(pg_catalog.bool_and({}), true)", kind.holds(name)?)))
        })
        .unzip();
    if asked.is_empty() {
        return Ok(kinds);
    }
    let sql = format!("SELECT {} FROM (\n{}\n) AS r", conditions.join(", "), selection.sql);
    let rows = session.rows_of(&sql).await.map_err(|e| e.explain("cannot look for what Parquet does not hold"))?;
    for row in &rows {
        for (place, &at) in asked.iter().enumerate() {
            if !row.try_get::<_, bool>(place)? {
                kinds[at] = parquet::Kind::Other;
            }
        }
    }
    Ok(kinds)
}

/// Copies the rows; how many there were, and their text's sum.
async fn copy(
    session: &Session,
    selection: &Selection,
    job: &Job,
    hash: Option<&ContentHash>,
    mut seal: Seal,
    out: &mut Out,
    events: &mut dyn Events,
) -> Result<(u64, Plain)> {
    let doing =
        || format!("cannot copy {} out", job.table.as_ref().map_or("the query".to_owned(), ToString::to_string));
    let (kinds, mut sheet) = match job.format {
        Format::Parquet => {
            let kinds = kinds(session, selection).await?;
            let sheet = Sheet::begin(&selection.columns, &kinds, job.compression)?;
            (kinds, Some(sheet))
        }
        _ => (Vec::new(), None),
    };
    let sql = copy_out(selection, job.format, &kinds);
    let (mut piece, mut json, mut messages) = (BytesMut::with_capacity(2 * PIECE), Rows::default(), 0_u64);
    let (title, begun, mut bytes) = (doing(), Instant::now(), 0_u64);
    let title = title.trim_start_matches("cannot ").to_owned();
    let mut rows = Box::pin(session.copy_out(&sql).await.map_err(|e| e.explain(doing()))?);
    let copied: Result<()> = async {
        while let Some(row) = rows.try_next().await.map_err(|e| e.explain(doing()))? {
            messages += 1;
            match &mut sheet {
                Some(sheet) => sheet.take(&row, &mut piece)?,
                None if job.format == Format::Ndjson => json.take(&row, &mut piece)?,
                None => piece.extend_from_slice(&row),
            }
            if piece.len() >= PIECE {
                bytes += piece.len() as u64;
                out.write(seal.write(&piece)?).await?;
                piece.clear();
                let phase = format!("{messages} rows, {}", view::rate(bytes, begun.elapsed()));
                let total = hash.map_or(0, |hash| i64::try_from(hash.rows).unwrap_or(0));
                events.event(Event::Progress {
                    title: &title,
                    phase: &phase,
                    done: i64::try_from(messages).unwrap_or(i64::MAX).min(total),
                    total,
                });
            }
        }
        out.write(seal.write(&piece)?).await
    }
    .await;
    drop(rows);
    if let Err(failure) = copied {
        // Else the server would go on sending to the end. What it says of this is not news.
        let _ = session.cancel().await;
        return Err(failure);
    }
    // A message is a row; besides there is the header of CSV, and the end of the binary form.
    let rows = match (job.format, sheet) {
        (_, Some(sheet)) => {
            piece.clear();
            let rows = sheet.finish(&mut piece)?;
            out.write(seal.write(&piece)?).await?;
            rows
        }
        (Format::Ndjson, _) if !json.ended() => {
            return Err(Failure::new(Kind::Failed, doing()).note("the server ended in the middle of a row"));
        }
        (Format::Ndjson, _) => json.count(),
        (Format::Csv | Format::Binary, _) => messages.saturating_sub(1),
        (Format::Copy | Format::Parquet, _) => messages,
    };
    if let Some(hash) = hash.filter(|hash| hash.rows != rows) {
        return Err(Failure::new(Kind::Failed, doing())
            .note(format!("{} rows were counted, and {rows} came", hash.rows))
            .hint("a condition that is not the same twice, such as random(), belongs into --query"));
    }
    let (last, plain) = seal.finish()?;
    out.write(last).await?;
    if let Out::Stream = out {
        std::io::stdout().flush()?;
    }
    Ok((rows, plain))
}

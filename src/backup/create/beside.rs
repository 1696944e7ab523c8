//! What is not rows: the definitions and large objects by pg_dump, roles by pg_dumpall, sequences, and what
//! the catalog says of the whole. While the jobs copy.

use bytes::Bytes;

use super::{NEXT_LOCK, Sealed, Sealing, Selection, Work, recipe};
use crate::backup::Repository;
use crate::backup::manifest::{Extension, Globals, Migrations, Part, Role, Sequence};
use crate::backup::read::{self, Moment};
use crate::backup::repository::Draft;
use crate::error::{Failure, Kind, Result};
use crate::pg::Interrupt;
use crate::pg::programs::{self, Child, Program, STATISTICS_SINCE};
use crate::pg::sqlstate::LOCKED_HINT;
use crate::schema::{self, model};

/// All of it.
pub(super) struct Beside {
    pub files: Vec<Part>,
    pub extensions: Vec<Extension>,
    pub roles: Vec<String>,
    pub migrations: Vec<Migrations>,
    pub fingerprint: String,
    pub sequences: Vec<Sequence>,
    pub materialized_views: Vec<String>,
    pub globals: Globals,
}

impl Work<'_> {
    pub(super) async fn beside(
        &self,
        repository: &Repository,
        draft: &Draft,
        sealing: &Sealing,
        moment: &Moment,
        selection: &Selection,
        interrupt: &Interrupt,
    ) -> Result<Beside> {
        let store = repository.store();
        let folder = |name: &str| draft.path(name);
        let mut files = Vec::new();
        let mut keep = |role: Role, file| files.push(Part { role, file });

        // First: what pg_dump needs to lock, it should lock as soon as we have.
        let mut file = Sealed::begin(store, folder, "schema.dump", sealing)?;
        let child = Child::start(&self.pg_dump, &self.connection, self.arguments(moment, selection).await?)?;
        let take = async |piece: Bytes| file.write(&piece).await;
        child.stream(interrupt, take).await.map_err(|failure| self.dump_failed(failure))?;
        keep(Role::Schema, file.finish().await?);

        let session = self.session;
        let values = schema::capture_within(session, self.server).await?;
        let text = schema::file::text(&values, false)?;
        keep(Role::SchemaValues, Sealed::whole(store, folder, "schema.json", sealing, text.as_bytes()).await?);
        let (extensions, roles) = (read::extensions(session).await?, read::roles(session).await?);
        let migrations = read::migrations(session).await?;
        let materialized_views =
            if self.request.scope.is_whole() { read::materialized_views(session).await? } else { Vec::new() };
        let sequences = if self.request.scope.is_whole() { read::sequences(session).await? } else { Vec::new() };
        let sql = read::sequences_sql(&sequences);
        let sql = format!("{}{sql}", recipe::ENCODING);
        keep(Role::Sequences, Sealed::whole(store, folder, "sequences.sql", sealing, sql.as_bytes()).await?);

        let globals = match self.globals(interrupt).await? {
            Some((sql, globals)) => {
                keep(Role::Globals, Sealed::whole(store, folder, "globals.sql", sealing, &sql).await?);
                globals
            }
            None => Globals::Absent,
        };
        let fingerprint = model::hex(&values.fingerprint());
        Ok(Beside { files, extensions, roles, migrations, fingerprint, sequences, materialized_views, globals })
    }

    pub(super) fn takes_large_objects(&self) -> bool {
        self.request.large_objects && self.request.scope.is_whole()
    }

    /// Everything but rows, under the snapshot. Uncompressed: it is compressed on its way.
    async fn arguments(&self, moment: &Moment, selection: &Selection) -> Result<Vec<String>> {
        let mut arguments: Vec<String> =
            ["--format=custom", "--compress=0", "--no-password", "--exclude-table-data=*.*"].map(str::to_owned).into();
        arguments.push(format!("--snapshot={}", self.snapshot));
        arguments.push(format!("--lock-wait-timeout={}", NEXT_LOCK.min(self.request.lock_timeout).as_millis()));
        arguments.push(format!("--encoding={}", moment.database.encoding));
        let scope = &self.request.scope;
        let (with, without) =
            if self.pg_dump.major < 16 { ("--blobs", "--no-blobs") } else { ("--large-objects", "--no-large-objects") };
        arguments.push(if self.takes_large_objects() { with } else { without }.to_owned());
        // Statistics hold values: none of tables whose rows were not to be kept.
        if self.pg_dump.major >= STATISTICS_SINCE && scope.exclude.is_empty() {
            arguments.push("--statistics".to_owned());
        }
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        if scope.tables.is_empty() {
            // A schema with all that is in it: functions and types, too.
            arguments.extend(scope.schemas.iter().map(|schema| format!("--schema={}", quoted(schema))));
            return Ok(arguments);
        }
        // A partition without what it is a partition of could not be made again.
        let above = read::ancestors(self.session, &selection.tables).await?;
        for name in selection.tables.iter().map(|table| &table.name).chain(&above) {
            arguments.push(format!("--table={}.{}", quoted(name.schema.raw()), quoted(name.name.raw())));
        }
        Ok(arguments)
    }

    fn dump_failed(&self, failure: Failure) -> Failure {
        let words = failure.to_string();
        let kind = if words.contains("lock timeout") || words.contains("statement timeout") {
            Kind::Deferred
        } else if words.contains("permission denied") {
            Kind::NotPermitted
        } else {
            return failure;
        };
        let failure = Failure::new(kind, failure.messages().join(": "))
            .note(words.lines().skip(1).map(str::trim).collect::<Vec<_>>().join("; "));
        match kind {
            Kind::Deferred => failure.hint(LOCKED_HINT),
            _ => failure.hint("GRANT pg_read_all_data TO the role that backs up"),
        }
    }

    /// Roles with their passwords where that is allowed, else without; none where it is not wanted or where
    /// there is no pg_dumpall.
    async fn globals(&self, interrupt: &Interrupt) -> Result<Option<(Vec<u8>, Globals)>> {
        if !self.request.globals {
            return Ok(None);
        }
        let pg_dumpall = Program::PgDumpall.pick(self.server.major, &self.request.env)?;
        let ask = async |more: &[&str]| {
            let database = format!("--database={}", programs::database(&self.connection.dbname));
            let arguments = ["--globals-only", "--no-password", &database].into_iter().chain(more.iter().copied());
            Child::start(&pg_dumpall, &self.connection, arguments)?.output(interrupt).await
        };
        match ask(&[]).await {
            Ok(output) => Ok(Some((output.stdout, Globals::WithPasswords))),
            Err(failure) if failure.to_string().contains("permission denied") => {
                let output = ask(&["--no-role-passwords"]).await?;
                Ok(Some((output.stdout, Globals::WithoutPasswords)))
            }
            Err(failure) => Err(failure),
        }
    }
}

//! Definitions and large objects go in by pg_restore, in its three sections.

use std::io::Write as _;
use std::path::Path;

use bytes::Bytes;
use tempfile::NamedTempFile;

use super::keys::ForeignKey;
use super::load::Work;
use super::{meets, plan};
use crate::archive::verify;
use crate::backup::Repository;
use crate::backup::manifest::Role;
use crate::config::connection::Connection;
use crate::error::{Explain as _, Kind, Result};
use crate::pg::Interrupt;
use crate::pg::programs::{self, Child, Installed, STATISTICS_SINCE};

/// pg_dump's archive on this machine, as pg_restore wants it; gone when it is dropped.
pub struct Definitions {
    archive: NamedTempFile,
    list: Option<NamedTempFile>,
    /// Runs pg_restore's script on a server that does not know all of what pg_restore itself would send.
    psql: Option<Installed>,
    /// What names a tablespace goes there.
    in_tablespaces: bool,
}

/// Which part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Everything that rows need.
    PreData,
    /// Large objects.
    Data,
    /// The statistics of tables that the source had. Only for a server that takes them.
    Statistics,
    /// Indexes, constraints, triggers, rules, policies.
    PostData,
}

impl Section {
    /// What pg_restore is told. It would bring statistics unasked, also to a server that knows nothing of them.
    fn flags(self, pg_restore: &Installed) -> Vec<String> {
        let section = match self {
            Section::PreData => "--section=pre-data",
            Section::Data | Section::Statistics => "--section=data",
            Section::PostData => "--section=post-data",
        };
        let statistics = match self {
            Section::Statistics => Some("--statistics-only"),
            _ => (pg_restore.major >= STATISTICS_SINCE).then_some("--no-statistics"),
        };
        [section].into_iter().chain(statistics).map(str::to_owned).collect()
    }
}

impl Definitions {
    /// Opens the archive, without these foreign keys; a pg_restore that cannot read it is known here.
    ///
    /// # Errors
    /// Refused, when it is not what the manifest says; failed, when pg_restore cannot read it.
    pub async fn open(
        work: &Work,
        pg_restore: &Installed,
        left: &[ForeignKey],
        psql: Option<&Installed>,
        interrupt: &Interrupt,
    ) -> Result<Definitions> {
        let repository = Repository::open(&work.url, &work.env)?;
        let file = work.file(&work.manifest.file(Role::Schema)?.path)?;
        let mut archive = NamedTempFile::new()?;
        let doing = "cannot write the definitions to a temporary file";
        let keep = async |piece: Bytes| archive.write_all(&piece).explain(Kind::Failed, doing);
        verify::read_file(repository.store(), &file, &work.identities, keep).await?;
        archive.flush()?;
        let mut definitions = Definitions { archive, list: None, psql: psql.cloned(), in_tablespaces: true };
        let listed = Child::start_alone(pg_restore, ["--list".as_ref(), definitions.archive.path().as_os_str()])?;
        let listed = listed.output(interrupt).await?;
        let cron = meets::has_cron(&work.manifest);
        if !left.is_empty() || cron {
            let kept = plan::kept_lines(&String::from_utf8_lossy(&listed.stdout), left, cron);
            let mut list = NamedTempFile::new()?;
            list.write_all(kept.as_bytes())?;
            list.flush()?;
            definitions.list = Some(list);
        }
        Ok(definitions)
    }

    /// Whether what names a tablespace is to go there: all are left out where one is missing.
    #[must_use]
    pub fn in_tablespaces(self, in_tablespaces: bool) -> Definitions {
        Definitions { in_tablespaces, ..self }
    }

    /// Runs pg_restore over one section.
    ///
    /// # Errors
    /// Failed, with its last words: it stops at the first error.
    pub async fn restore(
        &self,
        section: Section,
        pg_restore: &Installed,
        connection: &Connection,
        jobs: usize,
        interrupt: &Interrupt,
    ) -> Result<()> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        if let Some(psql) = &self.psql {
            return self.restore_older(section, pg_restore, psql, connection, interrupt).await;
        }
        let mut arguments = section.flags(pg_restore);
        arguments.extend((!self.in_tablespaces).then(|| "--no-tablespaces".to_owned()));
        arguments.extend(["--exit-on-error", "--no-password"].map(str::to_owned));
        arguments.push(format!("--dbname={}", programs::database(&connection.dbname)));
        if section == Section::PostData {
            arguments.push(format!("--jobs={jobs}"));
        }
        if let Some(list) = &self.list {
            arguments.push(format!("--use-list={}", path(list.path())));
        }
        arguments.push(path(self.archive.path()));
        Child::start(pg_restore, connection, arguments)?.output(interrupt).await.map(drop)
    }

    /// The same by a script, for a server that is older than the setting that pg_restore begins with.
    async fn restore_older(
        &self,
        section: Section,
        pg_restore: &Installed,
        psql: &Installed,
        connection: &Connection,
        interrupt: &Interrupt,
    ) -> Result<()> {
        let path = |file: &NamedTempFile| file.path().to_string_lossy().into_owned();
        let mut arguments = section.flags(pg_restore);
        arguments.extend((!self.in_tablespaces).then(|| "--no-tablespaces".to_owned()));
        arguments.push("--file=-".to_owned());
        arguments.extend(self.list.as_ref().map(|list| format!("--use-list={}", path(list))));
        arguments.push(path(&self.archive));
        let written = Child::start_alone(pg_restore, arguments)?.output(interrupt).await?;
        let mut script = NamedTempFile::new()?;
        let (before, after) = meets::for_older(&written.stdout);
        script.write_all(before)?;
        script.write_all(after)?;
        script.flush()?;
        let arguments = ["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
            .map(str::to_owned);
        let arguments = arguments.into_iter().chain([format!("--file={}", path(&script))]);
        Child::start(psql, connection, arguments)?.output(interrupt).await.map(drop)
    }
}

//! `dbctl doctor`

use clap::Args;

/// Show which of PostgreSQL's programs are here, and whether they fit the server
///
/// A backup takes pg_dump of the server's major or a newer one; a restore takes pg_restore of the writer's. The lowest
/// that fits is used, in its newest minor version; DBCTL_PG_BIN names a folder to ask first. Exit code 2 when one is
/// missing, with the package that has it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dbctl doctor
  DBCTL_PG_BIN=/usr/pgsql-17/bin dbctl doctor --target prod")]
pub struct DoctorArgs {}

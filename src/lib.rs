//! dbctl: change schemas, keep partitions, maintain, diagnose, back up and restore PostgreSQL.
//!
//! # One direction of flow
//!
//! ```text
//! argv + env + files -> Request -> Session -> Snapshot -> plan(policy, snapshot, now) -> gate -> apply -> Outcome
//!                                                                                  \-> view -> Document -> renderer
//! ```
//!
//! Flags, environment and files become a **Request**: plain settings, nothing left to ask. A
//! **Session** is a connection with the facts of its server. A **Snapshot** is what the catalog says,
//! read in one read-only transaction. A **plan** is a pure function's list of **Steps**: the SQL, why,
//! the locks, the time limits, how a rerun recognises it as done. The **gate** says go, ask or refuse.
//! **apply** is the one executor of every command that changes anything; the SQL that a plan prints is
//! the SQL that it sends, because both are rendered from the Step. Commands that only read go from the
//! Snapshot to a **Document**, which a renderer draws.
//!
//! # The map, and who may know what
//!
//! | where | what it is | what it does not know |
//! |---|---|---|
//! | `main.rs`, [`run()`] | arguments to exit code; the only place where commands meet the terminal | SQL |
//! | `cli` | clap: flags, help, requests | the database, exit numbers |
//! | `config` | `dbctl.yaml`, the environment, psql's ways to name a server | clap, the database |
//! | `pg` | the driver: connect, TLS, session, lease, pooler, SQLSTATE, the throwaway server | policies, capabilities, output |
//! | `steps` | Plan, Step, hazard, gate (pure); apply, recover, journal (the effect) | why a step is done |
//! | `migrate` | files, history, assessment and plan (pure), views | terminals |
//! | `lint` | statements as what they do, rules, what is known of objects (pure); what a database says of them (read) | terminals |
//! | `policy` | `partitions.yaml`: its values, spans, zones, grids, names; bounds as the server prints them (pure) | the database |
//! | `archive` | a table as a file in a folder or an object store: written, proven, restored | policies, partitions, terminals |
//! | `transfer` | rows out into files that other programs read (NDJSON, CSV, COPY), and back in, proven by a sidecar | partitions, backups, terminals |
//! | `backup` | a database as a proven backup: written under one snapshot, verified, restored beside the living one, swapped, pruned | terminals |
//! | `retain` | row retention: what is due (read), which batches (pure), the pace, the batches one by one | partitions, terminals |
//! | `partitions` | what the catalog holds (read), what is due (plan, pure), steps (ddl, pure), how they are made and let go | terminals |
//! | `schema` | a whole schema as values free of OIDs: read in one transaction, folded (pure), kept in a file | migrations, policies |
//! | `drift` | a schema and what it should be: both read, compared (pure), told; partitions under a policy, rules, repair as a hint | terminals |
//! | `rehearse` | pending migrations tried on a copy: what each statement locks, rewrites, reads; rows made up for it | terminals |
//! | `inspect` | looks at what goes on, within a time limit: locks as a forest (pure), sessions, who holds the horizon, vital signs, replication; cancel and terminate | terminals |
//! | `bloat` | what tables and indexes would give back: read, modelled and judged (pure), measured in the pages | terminals |
//! | `maintain` | vacuum, reindex, refresh, repack: what is worth it (read), why (pure), done by a crew of sessions, or by pg_repack listened to | terminals |
//! | `check` | checks: what each measures and what that means (pure); counters kept between runs | terminals |
//! | `systems` | the embedded systems' promises, and sample rows | terminals |
//! | `journal`, `sandbox` | what was done; a server to try on | |
//! | `scratch` | a database made for a look and dropped again: where, with which locale, and what is left of a killed run | policies, migrations, terminals |
//! | `talk` | events as lines on standard error, questions to a person | SQL |
//! | `output` | Document, tables, JSON and the other forms, progress | PostgreSQL |
//! | `ident` | quoting as a type | the driver |
//! | `outcome`, `error`, `excerpt` | exit codes; kinds, causes and hints; carets | |
//!
//! The SQL lies in `sql/`: `migrations`, `rollback`, `checks`, `demo`, `catalog` (one read-only query a
//! file), `partitions` (templates of DDL) and `state` (what dbctl keeps in a database). The table above is held as a test in
//! `tests/it/tidy`.

pub mod archive;
pub mod backup;
pub mod bloat;
pub mod check;
pub mod cli;
pub mod config;
pub mod drift;
pub mod error;
mod excerpt;
pub mod ident;
pub mod inspect;
pub mod journal;
pub mod lint;
pub mod maintain;
pub mod migrate;
pub mod outcome;
pub mod output;
pub mod partitions;
pub mod pg;
pub mod policy;
pub mod rehearse;
pub mod report;
pub mod retain;
mod run;
pub mod sandbox;
pub mod schema;
pub mod scratch;
pub mod steps;
pub mod systems;
mod talk;
pub mod transfer;

pub use run::run;

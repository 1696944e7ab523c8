//! A statement as what it does, with the names and places that findings need. Values only; read off
//! the words by the files beside.

use std::ops::Range;

mod alter_table;
mod block;
mod column;
mod create;
mod read;

pub(super) use read::read;

use crate::ident::Ident;
use crate::steps::LockMode;
use crate::steps::guard::Name;

/// One statement of a file, or of a DO block in it.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    /// Its bytes in the file.
    pub(super) span: Range<usize>,
    pub(super) act: Act,
}

/// What a statement does.
#[derive(Debug, Clone)]
pub(super) enum Act {
    AlterTable(AlterTable),
    CreateTable(CreateTable),
    CreateIndex(CreateIndex),
    Drop(Dropped),
    /// ALTER INDEX, ALTER MATERIALIZED VIEW and others with their own ways to move.
    Move {
        kind: &'static str,
        name: Name,
        into: Destination,
    },
    Rename {
        kind: &'static str,
        name: Name,
        to: Ident,
    },
    /// A column of a view, an attribute or a value of a type.
    RenamePart {
        kind: &'static str,
        name: Name,
        part: String,
        to: String,
    },
    Reindex {
        what: String,
        name: Option<Name>,
        concurrently: bool,
    },
    Truncate {
        tables: Vec<Name>,
        cascade: bool,
    },
    VacuumFull {
        tables: Vec<Name>,
    },
    Cluster {
        table: Option<Name>,
    },
    Refresh {
        view: Name,
        concurrently: bool,
    },
    Lock {
        tables: Vec<Name>,
        mode: LockMode,
    },
    Update {
        table: Name,
        filtered: bool,
        assigned: Vec<Ident>,
    },
    Delete {
        table: Name,
        filtered: bool,
    },
    Insert {
        table: Name,
        from_query: bool,
    },
    CreateTrigger {
        trigger: Name,
        table: Name,
        instead: bool,
    },
    CreateFunction(CreateFunction),
    CreateRule {
        table: Name,
        instead: bool,
    },
    /// COPY from or to a file of the server, or a program there.
    CopyServer {
        program: bool,
    },
    /// A role, user mapping or subscription with a password in its text.
    Password {
        of: String,
    },
    CreateView {
        view: Name,
        materialized: bool,
        replace: bool,
    },
    CreatePolicy {
        policy: Ident,
        table: Name,
    },
    CreateType {
        name: Name,
    },
    AddEnumValue {
        name: Name,
        value: String,
        placed: bool,
    },
    DropAttribute {
        name: Name,
        attribute: Ident,
    },
    AlterAttribute {
        name: Name,
        attribute: Ident,
    },
    CreateDomain {
        name: Name,
        constrained: bool,
    },
    DomainConstraint {
        name: Name,
        not_null: bool,
        not_valid: bool,
        constraint: Option<Ident>,
        written: String,
    },
    Do {
        body: Vec<Statement>,
        dynamic: Option<Range<usize>>,
        commits: Option<Range<usize>>,
    },
    Set {
        name: String,
        value: String,
        local: bool,
    },
    Grant {
        privileges: String,
        on: String,
        to_public: bool,
        revoke: bool,
    },
    AlterSystem {
        what: String,
    },
    CreateSchema {
        name: Option<Ident>,
    },
    CreateSequence {
        name: Name,
    },
    Other,
}

/// Where something moves to.
#[derive(Debug, Clone)]
pub(super) enum Destination {
    Schema(Ident),
    Tablespace(Ident),
}

#[derive(Debug, Clone)]
pub(super) struct AlterTable {
    pub(super) table: Name,
    /// FOREIGN TABLE, or a view that is altered as one.
    pub(super) foreign: bool,
    pub(super) actions: Vec<(Range<usize>, Action)>,
}

/// One of the actions of ALTER TABLE.
#[derive(Debug, Clone)]
pub(super) enum Action {
    AddColumn { column: Column, if_not_exists: bool },
    AddConstraint(Constraint),
    DropConstraint { name: Ident, cascade: bool },
    ValidateConstraint { name: Ident },
    DropColumn { name: Ident, cascade: bool },
    Retype { column: Ident, to: String, using: Option<String> },
    SetNotNull { column: Ident },
    DropNotNull { column: Ident },
    SetExpression { column: Ident },
    Attach { partition: Name, default: bool, bound: String },
    Detach { partition: Name, concurrently: bool, finalize: bool },
    RenameTable { to: Ident },
    RenameColumn { from: Ident, to: Ident },
    RenameConstraint,
    SetSchema { to: Ident },
    SetLogged,
    SetUnlogged,
    SetTablespace { to: Ident },
    SetAccessMethod,
    SetOptions { text: String },
    DisableTrigger { which: String },
    RowSecurity { on: bool },
    NoForceRowSecurity,
    ReplicaIdentity { full: bool, nothing: bool },
    Other,
}

/// A column of CREATE TABLE or ADD COLUMN.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: Ident,
    /// In lower case, `timestamp with time zone` as the statement spells it.
    pub(super) data_type: String,
    pub(super) not_null: bool,
    pub(super) default: Option<String>,
    pub(super) primary_key: bool,
    pub(super) unique: bool,
    pub(super) references: Option<Name>,
    pub(super) check: Option<String>,
    pub(super) generated: Option<Generated>,
    pub(super) identity: bool,
    pub(super) type_span: Range<usize>,
    pub(super) span: Range<usize>,
    /// As it is written.
    pub(super) written: String,
}

/// How a generated column keeps its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generated {
    Stored,
    Virtual,
    /// Neither word: an error before 18, virtual since.
    Unsaid,
}

/// A constraint of its own clause.
#[derive(Debug, Clone)]
pub(super) struct Constraint {
    pub(super) name: Option<Ident>,
    pub(super) kind: Sort,
    pub(super) not_valid: bool,
    pub(super) not_enforced: bool,
    pub(super) span: Range<usize>,
    /// As it is written, from its kind on.
    pub(super) written: String,
}

/// What a constraint demands.
#[derive(Debug, Clone)]
pub(super) enum Sort {
    Check { expression: String },
    Foreign { columns: Vec<Ident>, references: Name },
    Unique { columns: Vec<Ident>, using_index: bool, temporal: bool },
    Primary { columns: Vec<Ident>, using_index: bool },
    Exclude,
    NotNull { column: Ident },
}

#[derive(Debug, Clone)]
pub(super) struct CreateTable {
    pub(super) table: Name,
    pub(super) temporary: bool,
    pub(super) unlogged: bool,
    pub(super) if_not_exists: bool,
    pub(super) columns: Vec<Column>,
    pub(super) constraints: Vec<Constraint>,
    pub(super) partition_of: Option<Name>,
    pub(super) default_partition: bool,
    pub(super) partitioned: bool,
    pub(super) name_span: Range<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct CreateIndex {
    pub(super) index: Option<Name>,
    pub(super) table: Name,
    pub(super) unique: bool,
    pub(super) concurrently: bool,
    pub(super) if_not_exists: bool,
    pub(super) only: bool,
    pub(super) columns: Vec<Ident>,
    pub(super) partial: bool,
    /// From ON on, as it is written.
    pub(super) written: String,
}

#[derive(Debug, Clone)]
pub(super) struct Dropped {
    /// In capitals: `TABLE`, `MATERIALIZED VIEW`.
    pub(super) kind: String,
    pub(super) names: Vec<Name>,
    /// The table of a trigger, rule or policy.
    pub(super) on: Option<Name>,
    pub(super) cascade: bool,
    pub(super) concurrently: bool,
    pub(super) if_exists: bool,
}

#[derive(Debug, Clone)]
pub(super) struct CreateFunction {
    pub(super) name: Name,
    pub(super) definer: bool,
    pub(super) pins_search_path: bool,
    /// IMMUTABLE or STABLE.
    pub(super) steady: bool,
    pub(super) procedure: bool,
}

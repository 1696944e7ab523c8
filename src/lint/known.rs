//! What is known of the objects that a statement meets: from earlier files and statements, and from a
//! database where one was given. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::statement::{Act, Action, AlterTable, Column, Constraint, CreateTable, Sort};
use crate::ident::Ident;
use crate::steps::guard::Name;

/// Everything that is known before a statement.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    tables: HashMap<String, Vec<Table>>,
    objects: HashMap<String, Vec<Object>>,
    steady_functions: BTreeSet<String>,
    /// Domains with a CHECK or NOT NULL, by name.
    constrained_domains: BTreeSet<String>,
    /// The file that is read.
    pub(super) file: usize,
    /// Files of the same change: what was born in one of them nobody uses yet.
    pub(super) change: BTreeSet<usize>,
    /// Whether a database was looked at.
    pub(super) of_database: bool,
    pub(super) role: String,
}

/// A table, or what is altered as one.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub(super) schema: Option<Ident>,
    /// The file that creates it; none for one that was there before.
    pub(super) born: Option<usize>,
    pub(super) temporary: bool,
    pub(super) columns: BTreeMap<Ident, Facts>,
    pub(super) checks: Vec<Check>,
    /// The columns of every index that covers all rows.
    pub(super) indexes: Vec<Vec<Ident>>,
    pub(super) partitioned: bool,
    pub(super) has_default_partition: bool,
    pub(super) has_policy: bool,
    /// What the database says; none without one.
    pub(super) real: Option<Real>,
}

/// What a database says of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Real {
    pub(super) name: String,
    pub(super) rows: i64,
    pub(super) bytes: u64,
    pub(super) owner: String,
    pub(super) owned: bool,
    /// Whether its schema is on the search path.
    pub(super) visible: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) data_type: String,
    pub(super) not_null: bool,
}

/// A constraint that a scan can lean on.
#[derive(Debug, Clone)]
pub(super) struct Check {
    pub(super) name: Option<Ident>,
    pub(super) expression: String,
    pub(super) valid: bool,
    /// The file that added it.
    pub(super) file: Option<usize>,
    /// Foreign keys and the like are known by name only.
    pub(super) is_check: bool,
}

/// Another object.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) kind: &'static str,
    pub(super) schema: Option<Ident>,
    pub(super) born: Option<usize>,
    /// Whether its schema is on the search path.
    pub(super) visible: bool,
    /// An index that a failed build left behind.
    pub(super) invalid: bool,
    /// Of an index: its table.
    pub(super) table: Option<Name>,
}

/// The same schema, or one of them leaves it to the search path.
fn fits(a: Option<&Ident>, b: Option<&Ident>) -> bool {
    a.is_none() || b.is_none() || a == b
}

impl Known {
    /// What a database is known by before it is read.
    pub(super) fn of_database() -> Known {
        Known { of_database: true, ..Known::default() }
    }

    pub(super) fn table(&self, name: &Name) -> Option<&Table> {
        self.tables.get(name.name.raw())?.iter().rev().find(|table| fits(table.schema.as_ref(), name.schema.as_ref()))
    }

    pub(super) fn table_mut(&mut self, name: &Name) -> Option<&mut Table> {
        let tables = self.tables.get_mut(name.name.raw())?;
        tables.iter_mut().rev().find(|table| fits(table.schema.as_ref(), name.schema.as_ref()))
    }

    /// What a statement says about a table that nothing else is known of.
    fn touch(&mut self, name: &Name) -> Option<&mut Table> {
        if self.table(name).is_none() {
            self.add_table(name, Table { schema: name.schema.clone(), ..Table::default() });
        }
        self.table_mut(name)
    }

    pub(super) fn add_table(&mut self, name: &Name, table: Table) {
        self.tables.entry(name.name.raw().to_owned()).or_default().push(table);
    }

    pub(super) fn object(&self, kind: &str, name: &Name) -> Option<&Object> {
        let objects = self.objects.get(name.name.raw())?;
        objects.iter().rev().find(|o| o.kind == kind && fits(o.schema.as_ref(), name.schema.as_ref()))
    }

    pub(super) fn add_object(&mut self, name: &Name, object: Object) {
        self.objects.entry(name.name.raw().to_owned()).or_default().push(object);
    }

    fn is_young(&self, born: Option<usize>) -> bool {
        born.is_some_and(|file| file == self.file || self.change.contains(&file))
    }

    /// Whether nobody uses the table yet: it was born in this change, or belongs to this session.
    pub(super) fn is_new(&self, name: &Name) -> bool {
        let temporary = name.schema.as_ref().is_some_and(|schema| schema.raw() == "pg_temp");
        temporary || self.table(name).is_some_and(|table| table.temporary || self.is_young(table.born))
    }

    /// The same for another object.
    pub(super) fn is_new_object(&self, kind: &str, name: &Name) -> bool {
        self.object(kind, name).is_some_and(|object| self.is_young(object.born))
    }

    pub(super) fn column(&self, table: &Name, column: &Ident) -> Option<&Facts> {
        self.table(table)?.columns.get(column)
    }

    /// Whether a function is known to be IMMUTABLE or STABLE.
    pub(super) fn is_steady(&self, function: &str) -> bool {
        self.steady_functions.contains(function)
    }

    /// Whether a data type is a domain that is known to demand something.
    pub(super) fn is_constrained_domain(&self, data_type: &str) -> bool {
        let name = data_type.rsplit('.').next().unwrap_or(data_type);
        self.constrained_domains.contains(name.trim_matches('"'))
    }

    /// A validated CHECK from which the server sees that the column holds no NULL.
    pub(super) fn proves_not_null(&self, table: &Name, column: &Ident) -> bool {
        let Some(table) = self.table(table) else { return false };
        if table.columns.get(column).is_some_and(|facts| facts.not_null) {
            return true;
        }
        table.checks.iter().any(|check| check.valid && check.is_check && says_not_null(&check.expression, column))
    }

    /// The index of a table by its name: it lives in the table's schema, whatever the statement says.
    pub(super) fn index_of(&self, index: &Name, table: &Name) -> Option<&Object> {
        let schema = table.schema.clone().or_else(|| self.table(table)?.schema.clone());
        self.object("index", &Name { schema: index.schema.clone().or(schema), name: index.name.clone() })
    }

    /// Whether an index begins with these columns, in any order.
    pub(super) fn has_index_on(&self, table: &Name, columns: &[Ident]) -> bool {
        let wanted: BTreeSet<&Ident> = columns.iter().collect();
        self.table(table).is_some_and(|table| {
            table.indexes.iter().any(|index| index.iter().take(columns.len()).collect::<BTreeSet<_>>() == wanted)
        })
    }

    /// Takes in what a statement changes.
    pub(super) fn learn(&mut self, act: &Act) {
        let born = Some(self.file);
        let mut object = |kind: &'static str, name: &Name, table: Option<Name>| {
            let object = Object { kind, schema: name.schema.clone(), born, visible: true, invalid: false, table };
            self.add_object(name, object);
        };
        match act {
            Act::CreateTable(create) => self.create_table(create),
            Act::AlterTable(alter) => self.alter_table(alter),
            Act::CreateIndex(index) => {
                if let Some(name) = &index.index {
                    object("index", name, Some(index.table.clone()));
                }
                if !index.partial
                    && let Some(table) = self.touch(&index.table)
                {
                    table.indexes.push(index.columns.clone());
                }
            }
            Act::CreateView { view, materialized, .. } => {
                object(if *materialized { "materialized view" } else { "view" }, view, None);
                if *materialized {
                    self.add_table(view, Table { schema: view.schema.clone(), born, ..Table::default() });
                }
            }
            Act::CreateFunction(function) => {
                object("function", &function.name, None);
                if function.steady {
                    self.steady_functions.insert(function.name.name.raw().to_owned());
                }
            }
            Act::CreateType { name } => object("type", name, None),
            Act::CreateDomain { name, constrained } => {
                object("domain", name, None);
                if *constrained {
                    self.constrained_domains.insert(name.name.raw().to_owned());
                }
            }
            Act::DomainConstraint { name, .. } => {
                self.constrained_domains.insert(name.name.raw().to_owned());
            }
            Act::CreateSequence { name } => object("sequence", name, None),
            Act::CreateTrigger { trigger, .. } => object("trigger", trigger, None),
            Act::CreateSchema { name: Some(name) } => {
                object("schema", &Name { schema: None, name: name.clone() }, None);
            }
            Act::CreatePolicy { table, .. } => {
                if let Some(table) = self.touch(table) {
                    table.has_policy = true;
                }
            }
            Act::Drop(drop) if drop.kind == "TABLE" => {
                for name in &drop.names {
                    if let Some(tables) = self.tables.get_mut(name.name.raw()) {
                        tables.retain(|table| !fits(table.schema.as_ref(), name.schema.as_ref()));
                    }
                }
            }
            Act::Do { body, .. } => {
                for statement in body {
                    self.learn(&statement.act);
                }
            }
            _ => {}
        }
    }

    fn create_table(&mut self, create: &CreateTable) {
        let existed = create.if_not_exists && self.table(&create.table).is_some_and(|t| !self.is_young(t.born));
        if existed {
            return;
        }
        let mut table = Table {
            schema: create.table.schema.clone(),
            born: Some(self.file),
            temporary: create.temporary,
            partitioned: create.partitioned,
            ..Table::default()
        };
        for column in &create.columns {
            table.add_column(column);
        }
        for constraint in &create.constraints {
            table.add_constraint(constraint, Some(self.file));
        }
        self.add_table(&create.table, table);
        if create.default_partition
            && let Some(parent) = create.partition_of.as_ref().and_then(|parent| self.touch(parent))
        {
            parent.has_default_partition = true;
        }
    }

    fn alter_table(&mut self, alter: &AlterTable) {
        let file = self.file;
        for (_, action) in &alter.actions {
            if let Action::RenameTable { to } = action {
                if let Some(table) = self.table(&alter.table).cloned() {
                    self.add_table(&Name { schema: alter.table.schema.clone(), name: to.clone() }, table);
                }
                continue;
            }
            if let Action::Attach { default: true, .. } = action
                && let Some(parent) = self.touch(&alter.table)
            {
                parent.has_default_partition = true;
            }
            let Some(table) = self.touch(&alter.table) else { return };
            match action {
                Action::AddColumn { column, .. } => table.add_column(column),
                Action::AddConstraint(constraint) => table.add_constraint(constraint, Some(file)),
                Action::DropConstraint { name, .. } => table.checks.retain(|check| check.name.as_ref() != Some(name)),
                Action::ValidateConstraint { name } => {
                    for check in table.checks.iter_mut().filter(|check| check.name.as_ref() == Some(name)) {
                        check.valid = true;
                    }
                }
                Action::Retype { column, to, .. } => {
                    table.columns.entry(column.clone()).or_default().data_type.clone_from(to);
                }
                Action::SetNotNull { column } => table.columns.entry(column.clone()).or_default().not_null = true,
                Action::DropNotNull { column } => table.columns.entry(column.clone()).or_default().not_null = false,
                Action::DropColumn { name, .. } => {
                    table.columns.remove(name);
                }
                Action::RenameColumn { from, to } => {
                    if let Some(facts) = table.columns.remove(from) {
                        table.columns.insert(to.clone(), facts);
                    }
                }
                _ => {}
            }
        }
    }
}

impl Table {
    fn add_column(&mut self, column: &Column) {
        let facts = Facts { data_type: column.data_type.clone(), not_null: column.not_null };
        self.columns.insert(column.name.clone(), facts);
        if column.primary_key || column.unique {
            self.indexes.push(vec![column.name.clone()]);
        }
    }

    fn add_constraint(&mut self, constraint: &Constraint, file: Option<usize>) {
        let mut check = Check {
            name: constraint.name.clone(),
            expression: String::new(),
            valid: !constraint.not_valid && !constraint.not_enforced,
            file,
            is_check: false,
        };
        match &constraint.kind {
            Sort::Check { expression } => {
                (check.is_check, check.expression) = (true, expression.clone());
            }
            Sort::NotNull { column } => {
                (check.is_check, check.expression) = (true, format!("{column} is not null"));
            }
            Sort::Unique { columns, .. } | Sort::Primary { columns, .. } => self.indexes.push(columns.clone()),
            Sort::Foreign { .. } | Sort::Exclude => {}
        }
        self.checks.push(check);
    }
}

/// Whether an expression says of a column that it is not null, alone or as one of several demands.
pub(super) fn says_not_null(expression: &str, column: &Ident) -> bool {
    let bare = |text: &str| text.replace(['(', ')'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let expression = bare(expression);
    let wanted = [format!("{column} is not null"), format!("\"{}\" is not null", column.raw())];
    if expression.split(" or ").count() > 1 {
        return false;
    }
    expression.split(" and ").any(|demand| wanted.iter().any(|wanted| demand.eq_ignore_ascii_case(wanted)))
}

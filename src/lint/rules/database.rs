//! What only a look at a database can tell: names that are taken, rights that lack, keys without an index.

use super::{Context, name_of_columns};
use crate::ident::Ident;
use crate::lint::found::Found;
use crate::lint::rule::{RULE, Rule};
use crate::lint::statement::{Act, Action, Sort, Statement};
use crate::output::Level;
use crate::steps::guard::Name;

pub(super) static TAKEN: Rule = Rule {
    id: "name-taken",
    level: Level::Error,
    needs_database: true,
    finds: "A table, view, index, sequence or column that a pending file creates and the database has.",
    danger: "The migration fails where it is run.",
    lock: "none: it fails at once",
    safe: "-- another name, or the object that is there brought under the migrations first\nCREATE TABLE app.orders_2 (id bigint);",
    bad: "CREATE TABLE app.orders (id bigint);",
    good: "CREATE TABLE app.orders_2 (id bigint);",
    ..RULE
};

pub(super) static MISSING: Rule = Rule {
    id: "table-missing",
    level: Level::Error,
    needs_database: true,
    finds: "ALTER TABLE of a table that neither the database nor an earlier pending file has.",
    danger: "The migration fails where it is run.",
    lock: "none: it fails at once",
    safe: "CREATE TABLE app.invoices (id bigint);\nALTER TABLE app.invoices ADD COLUMN note text;",
    bad: "ALTER TABLE app.invoices ADD COLUMN note text;",
    good: "CREATE TABLE app.invoices (id bigint);\nALTER TABLE app.invoices ADD COLUMN note text;",
    ..RULE
};

pub(super) static OWNER: Rule = Rule {
    id: "not-the-owner",
    level: Level::Error,
    needs_database: true,
    finds: "A change of a table that the role of the connection does not own.",
    danger: "The migration fails where it is run by this role: ALTER, DROP and CREATE INDEX want the owner.",
    lock: "none: it fails at once",
    safe: "-- as the owner, or: GRANT owner TO role;\nCREATE TABLE app.mine (id bigint);",
    bad: "ALTER TABLE app.foreign_owned ADD COLUMN note text;",
    good: "CREATE TABLE app.mine (id bigint);\nALTER TABLE app.mine ADD COLUMN note text;",
    ..RULE
};

pub(super) static NO_INDEX: Rule = Rule {
    id: "foreign-key-without-index",
    needs_database: true,
    grows: true,
    finds: "A foreign key whose columns no index of the table begins with.",
    danger: "Every DELETE or key change in the other table reads this one whole.",
    lock: "none by itself",
    safe: "-- in a file of its own, before the key\nCREATE INDEX CONCURRENTLY orders_customer_idx ON app.orders (customer_id);",
    bad: "ALTER TABLE app.orders ADD CONSTRAINT orders_shop_fkey FOREIGN KEY (shop_id) REFERENCES app.shops (id) NOT VALID;",
    good: "ALTER TABLE app.orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer_id) REFERENCES app.customers (id) NOT VALID;",
    ..RULE
};

pub(super) const RULES: &[&Rule] = &[&TAKEN, &MISSING, &OWNER, &NO_INDEX];

pub(super) fn check(context: &Context<'_>, statement: &Statement, found: &mut Vec<Found>) {
    if !context.known.of_database {
        return;
    }
    let span = &statement.span;
    let taken = |kind: &str, name: &Name| {
        Found::new(&TAKEN, span, format!("the database has {kind} {name}: it fails"))
            .fix("-- another name, or IF NOT EXISTS where it is the same")
    };
    match &statement.act {
        Act::CreateTable(create) if !create.if_not_exists && !create.temporary && exists(context, &create.table) => {
            found.push(taken("relation", &create.table).about(&create.table));
        }
        Act::CreateView { view, replace: false, .. } if exists(context, view) => found.push(taken("relation", view)),
        Act::CreateIndex(index) => {
            if let Some(name) = &index.index {
                let taken_by = context
                    .known
                    .index_of(name, &index.table)
                    .filter(|object| object.born.is_none() && !object.invalid);
                if taken_by.is_some() && !index.if_not_exists {
                    found.push(taken("index", name));
                }
            }
            owner(context, statement, &index.table, found);
        }
        Act::AlterTable(alter) => {
            let table = &alter.table;
            if context.known.table(table).is_none() && !alter.foreign && !is_view(context, table) {
                found.push(
                    Found::new(
                        &MISSING,
                        span,
                        format!("neither the database nor an earlier file has {table}: it fails"),
                    )
                    .about(table),
                );
            }
            owner(context, statement, table, found);
            for (span, action) in &alter.actions {
                match action {
                    Action::AddColumn { column, if_not_exists: false }
                        if context.known.column(table, &column.name).is_some() =>
                    {
                        found.push(
                            Found::new(&TAKEN, span, format!("{table} has a column {}: it fails", column.name))
                                .about(table)
                                .fix(format!(
                                    "ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {} {};",
                                    column.name, column.data_type
                                )),
                        );
                    }
                    Action::AddConstraint(constraint) => {
                        if let Sort::Foreign { columns, .. } = &constraint.kind {
                            unindexed(context, span, table, columns, found);
                        }
                    }
                    _ => {}
                }
            }
        }
        Act::Drop(drop) if drop.kind == "TABLE" => {
            drop.names.iter().for_each(|table| owner(context, statement, table, found));
        }
        Act::CreateTrigger { table, .. } | Act::CreatePolicy { table, .. } => owner(context, statement, table, found),
        _ => {}
    }
}

fn is_view(context: &Context<'_>, name: &Name) -> bool {
    ["view", "materialized view", "sequence", "index"].iter().any(|kind| context.known.object(kind, name).is_some())
}

fn exists(context: &Context<'_>, name: &Name) -> bool {
    // Without a schema, only what is on the search path is in the way.
    let in_the_way = |visible: bool| visible || name.schema.is_some();
    context.known.table(name).and_then(|table| table.real.as_ref()).is_some_and(|real| in_the_way(real.visible))
        || ["view", "materialized view", "sequence", "index"].iter().any(|kind| {
            context.known.object(kind, name).is_some_and(|object| object.born.is_none() && in_the_way(object.visible))
        })
}

fn owner(context: &Context<'_>, statement: &Statement, table: &Name, found: &mut Vec<Found>) {
    let Some(real) = context.known.table(table).and_then(|table| table.real.as_ref()) else { return };
    if real.owned || found.iter().any(|it| it.rule.id == OWNER.id && it.span == statement.span) {
        return;
    }
    let (role, owner) = (Ident::new(context.known.role.as_str()), Ident::new(real.owner.as_str()));
    let mut it = Found::new(
        &OWNER,
        &statement.span,
        format!("{} belongs to {owner}, and role {role} is no member of it: it fails", real.name),
    );
    it = it.about(table).fix(format!("GRANT {owner} TO {role};"));
    found.push(it);
}

fn unindexed(
    context: &Context<'_>,
    span: &std::ops::Range<usize>,
    table: &Name,
    columns: &[Ident],
    found: &mut Vec<Found>,
) {
    let known = context.known.table(table).is_some_and(|table| table.real.is_some());
    if !known || columns.is_empty() || context.known.has_index_on(table, columns) {
        return;
    }
    let list = super::list(columns);
    found.push(
        Found::new(
            &NO_INDEX,
            span,
            format!("no index of {table} begins with ({list}): a DELETE in the other table reads it whole"),
        )
        .about(table)
        .fix(format!(
            "-- in a file of its own, before this one\nCREATE INDEX CONCURRENTLY {} ON {table} ({list});",
            name_of_columns(table, columns, "idx")
        )),
    );
}

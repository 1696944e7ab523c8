//! The exchange: one transaction of catalog changes after which the partitioned table has the plain
//! one's name, and the plain one is its first partition. No row is read or written: the CHECK proves
//! the bounds, every index of the new table finds its like on the history. Pure.

use super::assess::{self, Fate};
use super::definition;
use super::plan::{Ground, referenced};
use super::read::{Column, Sequence, Subject};
use super::shell::{names_itself, row_policy};
use crate::error::Result;
use crate::ident::{Ident, Literal, TableName};
use crate::partitions::workbench::{Work, assert_none, lock};
use crate::steps::{Guard, LockMode, Step};

/// The exchange, and the statistics that the planner needs afterwards.
pub(super) fn steps(ground: &Ground<'_>) -> Result<Vec<Step>> {
    let table = &ground.subject.table;
    let mut locks = vec![lock(table, LockMode::AccessExclusive)];
    locks.extend(referenced(ground.subject).map(|other| lock(other, LockMode::AccessExclusive)));
    let mut exchange = ground.work().transaction(
        "exchange",
        format!("{table}: exchange"),
        "changes the catalog only; whoever comes meanwhile waits, and then finds the partitioned table",
        &sql(ground)?,
        locks,
    );
    exchange.record.push(state(ground.subject.facts.oid, "swapped"));
    Ok(vec![exchange, statistics(&ground.work(), ground.subject, ground.subject.facts.oid)])
}

/// Autovacuum never analyzes a partitioned table itself.
pub(super) fn statistics(work: &Work<'_>, subject: &Subject, relation: i64) -> Step {
    let table = &subject.table;
    let mut step = work.alone(
        "statistics",
        format!("{table}: ANALYZE"),
        "autovacuum looks at partitions only, never at a partitioned table as a whole",
        format!("ANALYZE {table}"),
        Guard::Rerun,
        vec![lock(table, LockMode::ShareUpdateExclusive)],
    );
    step.record.push(state(relation, "done"));
    step
}

fn state(relation: i64, state: &str) -> String {
    format!(
        "UPDATE dbctl.adoption SET state = '{state}', changed_at = pg_catalog.clock_timestamp() WHERE relation = {relation};"
    )
}

fn sql(ground: &Ground<'_>) -> Result<Vec<String>> {
    let (subject, record) = (ground.subject, &ground.record);
    let table = &subject.table;
    let (history, shell) = (ground.table(&record.history), ground.table(&record.shell));
    let key = &ground.policy.key;
    let mut sql = vec![format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;")];
    // All that is waited for comes first: whoever is locked out already waits for work alone.
    sql.extend(referenced(subject).map(|other| format!("LOCK TABLE {other} IN ACCESS EXCLUSIVE MODE;")));
    sql.push(format!("ALTER TABLE {table} RENAME TO {};", history.name));
    if subject.columns.iter().any(|c| c.name == key.raw() && !c.not_null) {
        sql.push(format!("ALTER TABLE {history} ALTER COLUMN {key} SET NOT NULL;"));
    }
    sql.extend(indexes(ground, &history)?);
    for trigger in &subject.actions.triggers {
        // The new table's own takes its place when the partition is attached.
        sql.push(format!("DROP TRIGGER {} ON {history};", Ident::new(trigger.name.as_str())));
    }
    sql.push(format!("ALTER TABLE {shell} RENAME TO {};", table.name));
    for column in &subject.columns {
        if let Some(sequence) = &column.sequence {
            sql.extend(self::sequence(ground, column, sequence, &history));
        }
    }
    sql.push(format!(
        "ALTER TABLE {table} ATTACH PARTITION {history} FOR VALUES FROM (MINVALUE) TO ({});",
        Literal(&record.upper)
    ));
    sql.push(format!("ALTER TABLE {history} DROP CONSTRAINT {};", Ident::new(record.check.as_str())));
    for publication in subject.bound.publications.iter().filter(|publication| publication.listed) {
        let name = Ident::new(publication.name.as_str());
        sql.push(format!("ALTER PUBLICATION {name} DROP TABLE {history};"));
        sql.push(format!("ALTER PUBLICATION {name} ADD TABLE {table};"));
    }
    for policy in subject.actions.policies.iter().filter(|policy| names_itself(policy, &subject.facts.shown)) {
        sql.extend(row_policy(policy, table));
    }
    for view in &subject.bound.views {
        // Keeps the view itself, and with it its owner, rights, comments and whatever stands on it.
        let options =
            if view.options.is_empty() { String::new() } else { format!(" WITH ({})", view.options.join(", ")) };
        let definition = view.definition.trim_end().trim_end_matches(';');
        sql.push(format!("CREATE OR REPLACE VIEW {}{options} AS {definition};", view.name));
    }
    sql.push(nothing_was_built(ground, &history));
    Ok(sql)
}

/// Names change hands; a constraint's index that lacked the key gives way to the one with it.
fn indexes(ground: &Ground<'_>, history: &TableName) -> Result<Vec<String>> {
    let (mut away, mut here) = (Vec::new(), Vec::new());
    for index in ground.subject.indexes.iter().filter(|index| ground.record.index(&index.name).is_some()) {
        let names = ground.names(index)?;
        let (old, new) = (ground.table(&index.name), Ident::new(names.history.as_str()));
        match (assess::fate(index, ground.policy), &index.constraint) {
            (Fate::Gains, Some(constraint)) => {
                let definition = index.constraint_definition.as_deref().unwrap_or_default();
                let kind = if index.primary { "PRIMARY KEY" } else { "UNIQUE" };
                let deferral = definition::deferral(definition);
                away.push(format!("ALTER TABLE {history} DROP CONSTRAINT {};", Ident::new(constraint.as_str())));
                away.push(format!("ALTER TABLE {history} ADD CONSTRAINT {new} {kind} USING INDEX {new}{deferral};"));
            }
            (Fate::Gains, None) => away.push(format!("DROP INDEX {old};")),
            (Fate::Joins, _) => away.push(format!("ALTER INDEX {old} RENAME TO {new};")),
            (Fate::Stays, _) => {}
        }
        let shell = ground.table(&names.shell);
        here.push(format!("ALTER INDEX {shell} RENAME TO {};", Ident::new(index.name.as_str())));
    }
    away.extend(here);
    Ok(away)
}

/// A sequence of serial's kind changes its owner. One of an identity column cannot: a new one takes
/// its name, rights and next value while nobody can draw from the old one.
fn sequence(ground: &Ground<'_>, column: &Column, sequence: &Sequence, history: &TableName) -> Vec<String> {
    let table = &ground.subject.table;
    let (name, id) =
        (TableName::new(sequence.schema.as_str(), sequence.name.as_str()), Ident::new(column.name.as_str()));
    let always = match column.identity.as_str() {
        "" => return vec![format!("ALTER SEQUENCE {name} OWNED BY {table}.{id};")],
        "a" => "ALWAYS",
        _ => "BY DEFAULT",
    };
    let aside = TableName { schema: name.schema.clone(), name: Ident::new(ground.record.sequence.as_str()) };
    let cycle = if sequence.cycle { "CYCLE" } else { "NO CYCLE" };
    let mut sql = vec![
        // Locks it against nextval().
        format!("ALTER SEQUENCE {name} INCREMENT BY {};", sequence.increment),
        format!("ALTER SEQUENCE {name} RENAME TO {};", aside.name),
        format!(
            "ALTER TABLE {table} ALTER COLUMN {id} ADD GENERATED {always} AS IDENTITY (SEQUENCE NAME {name} START WITH {} \
             INCREMENT BY {} MINVALUE {} MAXVALUE {} CACHE {} {cycle});",
            sequence.start, sequence.increment, sequence.min, sequence.max, sequence.cache
        ),
        format!(
            "SELECT pg_catalog.setval({}::pg_catalog.regclass, last_value, is_called) FROM {aside};",
            Literal(&name.to_string())
        ),
        format!("ALTER TABLE {history} ALTER COLUMN {id} DROP IDENTITY;"),
    ];
    if let Some(comment) = &sequence.comment {
        sql.push(format!("COMMENT ON SEQUENCE {name} IS {};", Literal(comment)));
    }
    sql.extend(sequence.grants.iter().map(|grant| grant.statement(&format!("SEQUENCE {name}"))));
    sql
}

/// An index that found no like on the history would have been built on it, under the lock: rather
/// nothing at all than that unnoticed.
fn nothing_was_built(ground: &Ground<'_>, history: &TableName) -> String {
    let (table, subject) = (&ground.subject.table, ground.subject);
    let names = |index: &super::read::Index| match assess::fate(index, ground.policy) {
        Fate::Stays => index.name.clone(),
        Fate::Gains | Fate::Joins => ground.record.index(&index.name).map_or_else(String::new, |n| n.history.clone()),
    };
    let mut known: Vec<String> = subject.indexes.iter().map(names).collect();
    // Those that were built for the exchange stand among the table's own by now.
    known.extend(ground.record.indexes.iter().map(|names| names.history.clone()));
    known.sort();
    known.dedup();
    let list: Vec<String> = known.iter().map(|name| Literal(name).to_string()).collect();
    let list = if list.is_empty() { "''".to_owned() } else { list.join(", ") };
    assert_none(
        "pg_catalog.pg_index AS i INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid",
        &format!("i.indrelid = {}::pg_catalog.regclass AND c.relname NOT IN ({list})", Literal(&history.to_string())),
        &format!("an index of {table} found no like on {history}: was one changed meanwhile?"),
    )
}

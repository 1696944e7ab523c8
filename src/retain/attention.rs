//! What stands in the way of a row job, and what a person should know before: rights, row security,
//! foreign keys, triggers, holds on other tables, standbys that cannot be seen. Pure.

use std::time::Duration;

use super::held;
use super::pace::{Verdict, verdict};
use super::plan::{Attention, removes};
use super::snapshot::{Child, Count, JobSnapshot, OnDelete, Rights};
use crate::ident::{Ident, TableName};
use crate::policy::{Hold, RowAction, RowJob};
use crate::steps::lag::Lag;

/// An open transaction older than this is worth a word: it keeps dead rows from VACUUM.
const OLD_TRANSACTION: f64 = 3600.0;

/// What a person must look at.
pub(super) fn obstacles(job: &RowJob, snapshot: &JobSnapshot, holds: &[Hold]) -> Vec<Attention> {
    let mut found = Vec::new();
    let mut add = |message: String, advice: Option<String>, blocks| found.push(Attention { message, advice, blocks });
    if !matches!(snapshot.kind, 'r' | 'p') {
        add(format!("{} is not a table", job.table), None, true);
    }
    if let Some(missing) = missing(needed(&job.action), snapshot.rights, &job.table, &snapshot.role) {
        add(missing.0, Some(missing.1), true);
    }
    if let (RowAction::Move { to }, Some(target)) = (&job.action, &snapshot.target) {
        let needed = Rights { usage: true, insert: true, select: true, ..Rights::default() };
        if let Some(missing) = missing(needed, target.rights, to, &snapshot.role).filter(|_| target.exists) {
            add(missing.0, Some(missing.1), true);
        }
    }
    if snapshot.row_security {
        let role = Ident::new(snapshot.role.as_str());
        let advice =
            format!("work as the owner of {}, or let a superuser run: ALTER ROLE {role} BYPASSRLS;", job.table);
        add(format!("row security may hide rows of {} from role {role}", job.table), Some(advice), true);
    }
    if let Verdict::Unknown(what, advice) = verdict(&job.pace, &snapshot.readings, &Lag::default(), Duration::ZERO) {
        add(format!("there is a limit, but {what}"), Some(advice), true);
    }
    if removes(&job.action) {
        for child in &snapshot.children {
            found.extend(pointing(child, holds));
        }
    }
    if let RowAction::Anonymise { set } = &job.action {
        for (column, _) in set {
            for child in snapshot.children.iter().filter(|child| child.referenced.contains(column)) {
                let message = format!("column {column} is what {} of {} points at", child.name, child.table);
                found.push(Attention { message, advice: None, blocks: true });
            }
        }
    }
    for (column, count) in &snapshot.not_addresses {
        if *count != Count::Exact(0) {
            let message = format!("{count} old enough rows have text in {column} that is not an address: it stays");
            let advice = Some("look at them: it may still tell who it was".to_owned());
            found.push(Attention { message, advice, blocks: false });
        }
    }
    found
}

/// What a foreign key does to the job, or the job to it.
fn pointing(child: &Child, holds: &[Hold]) -> Vec<Attention> {
    let mut found = Vec::new();
    let (table, name) = (&child.table, &child.name);
    let mut add = |message: String, advice: Option<String>, blocks| found.push(Attention { message, advice, blocks });
    match (child.on_delete, child.rows) {
        (OnDelete::NoAction | OnDelete::Restrict, Count::Exact(0)) => {}
        (OnDelete::NoAction | OnDelete::Restrict, rows) => {
            let advice = format!("put a row job on {table} before this one, or give {name} ON DELETE CASCADE");
            let message = format!(
                "{rows} rows of {table} point at rows that are due ({name}, ON DELETE {})",
                child.on_delete.sql()
            );
            // What is only estimated may be nothing: then the batches themselves will tell.
            add(message, Some(advice), matches!(rows, Count::Exact(_)));
        }
        (OnDelete::Cascade | OnDelete::SetNull | OnDelete::SetDefault, rows) => {
            if let Some(hold) = held::over(holds, table).first() {
                let message = format!(
                    "hold {} covers {table}, whose rows {name} would change (ON DELETE {})",
                    hold.id,
                    child.on_delete.sql()
                );
                add(message, Some("lift the hold, or leave this job out until then".to_owned()), true);
            }
            if rows != Count::Exact(0) {
                let message = format!(
                    "every batch also reaches into {table} ({name}, ON DELETE {}): {rows} rows",
                    child.on_delete.sql()
                );
                add(message, Some(format!("a row job on {table} before this one keeps batches short")), false);
            }
        }
    }
    if !child.indexed {
        let columns = child.columns.iter().map(Ident::to_string).collect::<Vec<_>>().join(", ");
        let message = format!("{table} has no index on ({columns}): every deleted row reads all of it ({name})");
        add(message, Some(format!("CREATE INDEX CONCURRENTLY ON {table} ({columns});")), false);
    }
    found
}

/// What a person should know.
pub(super) fn notes(job: &RowJob, snapshot: &JobSnapshot, rows: Count) -> Vec<String> {
    let mut notes = Vec::new();
    if rows == Count::Exact(0) {
        return notes;
    }
    for trigger in &snapshot.triggers {
        let fires = if removes(&job.action) { trigger.on_delete } else { trigger.on_update };
        if fires {
            let refuses = if trigger.may_refuse { ", and it can refuse them" } else { "" };
            notes.push(format!("trigger {} ({}) runs before every row{refuses}", trigger.name, trigger.function));
        }
    }
    if let RowAction::Anonymise { set } = &job.action {
        let is_set = |column: &String| set.iter().any(|(name, _)| name.raw() == column);
        let mut indexes: Vec<&str> = snapshot
            .leaves
            .iter()
            .flat_map(|leaf| &leaf.indexes)
            .filter(|index| index.columns.iter().any(is_set))
            .map(|index| index.name.as_str())
            .collect();
        indexes.truncate(3);
        if !indexes.is_empty() {
            notes.push(format!(
                "a masked column is indexed ({}): every change also writes to all indexes",
                indexes.join(", ")
            ));
        }
    }
    notes.push(format!(
        "the file of {} does not shrink: VACUUM makes the room usable again; pg_repack or VACUUM FULL give it back",
        job.table
    ));
    if let Some(age) = snapshot.readings.oldest_transaction.filter(|age| *age > OLD_TRANSACTION) {
        notes.push(format!("a transaction has been open for {age:.0} s: VACUUM removes nothing that is younger"));
    }
    notes
}

/// FOR UPDATE asks for UPDATE, whatever follows.
fn needed(action: &RowAction) -> Rights {
    let update = Rights { usage: true, select: true, update: true, ..Rights::default() };
    match action {
        RowAction::Keep => Rights::default(),
        RowAction::Delete | RowAction::Move { .. } => Rights { delete: true, ..update },
        RowAction::Anonymise { .. } => update,
    }
}

fn missing(needed: Rights, has: Rights, table: &TableName, role: &str) -> Option<(String, String)> {
    let role = Ident::new(role);
    let rights: Vec<&str> = [
        (needed.select && !has.select, "SELECT"),
        (needed.insert && !has.insert, "INSERT"),
        (needed.update && !has.update, "UPDATE"),
        (needed.delete && !has.delete, "DELETE"),
    ]
    .into_iter()
    .filter_map(|(lacks, right)| lacks.then_some(right))
    .collect();
    let usage = (needed.usage && !has.usage).then(|| format!("GRANT USAGE ON SCHEMA {} TO {role};", table.schema));
    let grant = (!rights.is_empty()).then(|| format!("GRANT {} ON {table} TO {role};", rights.join(", ")));
    let grants: Vec<String> = usage.into_iter().chain(grant).collect();
    if grants.is_empty() {
        return None;
    }
    let lacks = if rights.is_empty() { "USAGE of its schema".to_owned() } else { rights.join(", ") };
    Some((format!("role {role} lacks {lacks} on {table}"), grants.join(" ")))
}

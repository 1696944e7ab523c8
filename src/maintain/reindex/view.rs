//! Plans and reports of `reindex` as documents. Knows columns, not terminals.

use std::time::Duration;

use super::plan::{Left, Plan, Task};
use super::read::{Catalog, Wait};
use super::run::{Done, Request};
use crate::output::{Column, Document, Table, Value};

/// So many sessions are named.
const WAITS: usize = 10;

/// What would be done.
pub fn planned(catalog: &Catalog, plan: &Plan, request: &Request) -> Document {
    let offline = request.wish.offline;
    let sizes = plan.tasks.iter().map(|task| task.bytes);
    let document = Document::new("reindex.plan", 1)
        .fact("database", "database", catalog.server.database.as_str())
        .fact("indexes_count", "indexes", plan.tasks.len())
        .fact("size_bytes", "their size", Value::Bytes(sizes.clone().sum()))
        .fact("disk_bytes", "disk for the largest, at most", Value::Bytes(sizes.max().unwrap_or_default() * 2))
        .fact(
            "free_bytes",
            "free disk",
            catalog.preflight.free.get(&None).map_or(Value::Unknown, |free| Value::Bytes(*free)),
        )
        .fact("lock", "lock", lock(offline));
    let document = resumed(document, "resumes_run", "goes on with run", plan);
    let known = plan.tasks.iter().any(|task| task.expected.is_some());
    let mut table = Table::new(
        "indexes",
        "nothing to do",
        vec![
            Column::new("index", "index"),
            Column::machine("table"),
            Column::new("size_bytes", "size"),
            if known { Column::new("expected_bytes", "after") } else { Column::machine("expected_bytes") },
            Column::new("why", "why"),
            Column::machine("sql"),
        ],
    );
    for task in &plan.tasks {
        table.push(vec![
            task.index.to_string().into(),
            task.table.to_string().into(),
            Value::Bytes(task.bytes),
            task.expected.map_or(Value::Unknown, Value::Bytes),
            task.why.as_str().into(),
            task.sql(offline).into(),
        ]);
    }
    let document = document.table(table).table(waits(&catalog.waits)).table(skipped(plan)).table(leftovers(plan));
    let mut sql: Vec<String> = plan.tasks.iter().map(|task| format!("{};\n", task.sql(offline))).collect();
    // One for all indexes of a table, which stand together.
    sql.dedup();
    let document = document.text("sql", sql.concat());
    noted(document, catalog, plan)
}

/// What was done.
pub fn done(catalog: &Catalog, plan: &Plan, done: &[Done], took: Duration, request: &Request) -> Document {
    let good = || done.iter().filter_map(|done| Some((done, *done.end.as_ref().ok()?)));
    let before: u64 = good().map(|(done, _)| done.task.bytes).sum();
    let after: u64 = good().map(|(_, bytes)| bytes).sum();
    let document = Document::new("reindex.done", 1)
        .fact("database", "database", catalog.server.database.as_str())
        .fact("done_count", "built anew", good().count())
        .fact("failed_count", "failed", done.len() - good().count())
        .fact("before_bytes", "size before", Value::Bytes(before))
        .fact("after_bytes", "size after", Value::Bytes(after))
        .fact("reclaimed_bytes", "given back", Value::Growth(signed(before) - signed(after)))
        .fact("took_seconds", "took", Value::Seconds(took.as_secs_f64()));
    let document = resumed(document, "resumed_run", "went on with run", plan);
    let mut table = Table::new(
        "indexes",
        "nothing to do",
        vec![
            Column::new("index", "index"),
            Column::machine("table"),
            Column::new("before_bytes", "before"),
            Column::new("after_bytes", "after"),
            Column::new("took_seconds", "took"),
            Column::new("outcome", "outcome"),
            Column::machine("attempts"),
            Column::machine("why"),
            Column::machine("error"),
            Column::machine("sql"),
        ],
    );
    for done in done {
        let Task { index, table: of, bytes, why, .. } = &done.task;
        table.push(vec![
            index.to_string().into(),
            of.to_string().into(),
            Value::Bytes(*bytes),
            done.end.as_ref().map_or(Value::None, |bytes| Value::Bytes(*bytes)),
            Value::Seconds(done.took.as_secs_f64()),
            if done.end.is_ok() { "done" } else { "failed" }.into(),
            Value::Int(i64::from(done.attempts)),
            why.as_str().into(),
            done.end.as_ref().err().map(|failure| failure.messages().join(": ")).into(),
            done.task.sql(request.wish.offline).into(),
        ]);
    }
    noted(document.table(table).table(skipped(plan)).table(leftovers(plan)), catalog, plan)
}

fn resumed(document: Document, key: &'static str, label: &'static str, plan: &Plan) -> Document {
    match plan.resumes {
        Some(run) => document.fact(key, label, run),
        None => document.machine(key, Value::None),
    }
}

fn lock(offline: bool) -> &'static str {
    if offline {
        "SHARE on each table and ACCESS EXCLUSIVE on its index: writes wait, and reads of the table"
    } else {
        "SHARE UPDATE EXCLUSIVE on each table: other schema changes wait, nobody who reads or writes"
    }
}

fn waits(waits: &[Wait]) -> Table {
    let columns = vec![
        Column::new("who", "who"),
        Column::new("name", "name"),
        Column::new("age_seconds", "since"),
        Column::new("remedy", "ends by"),
    ];
    let mut table = Table::new("in_the_way", "", columns);
    for wait in waits.iter().take(WAITS) {
        table.push(vec![
            wait.kind.as_str().into(),
            wait.name.as_str().into(),
            wait.seconds.map_or(Value::None, Value::Seconds),
            wait.remedy.as_str().into(),
        ]);
    }
    table
}

fn skipped(plan: &Plan) -> Table {
    let columns = vec![Column::new("index", "left alone"), Column::machine("table"), Column::new("why", "why")];
    let mut table = Table::new("skipped", "", columns);
    for skipped in &plan.skipped {
        table.push(vec![
            skipped.index.to_string().into(),
            skipped.table.to_string().into(),
            skipped.why.as_str().into(),
        ]);
    }
    table
}

fn leftovers(plan: &Plan) -> Table {
    let columns = vec![
        Column::new("index", "left over"),
        Column::new("by", "left by"),
        Column::machine("table"),
        Column::new("size_bytes", "size"),
        Column::new("remedy", "remedy"),
        Column::machine("what"),
    ];
    let mut table = Table::new("leftovers", "", columns);
    for left in &plan.leftovers {
        table.push(leftover(left));
    }
    table
}

fn leftover(left: &Left) -> Vec<Value> {
    let Left { index, what, is_ours } = left;
    vec![
        index.name.to_string().into(),
        if *is_ours { "dbctl" } else { "others" }.into(),
        index.table.to_string().into(),
        Value::Bytes(index.bytes),
        format!("DROP INDEX CONCURRENTLY {};", index.name).into(),
        what.words().into(),
    ]
}

fn noted(mut document: Document, catalog: &Catalog, plan: &Plan) -> Document {
    if plan.done_before > 0 {
        document = document.note(format!("{} indexes of that run were done before", plan.done_before));
    }
    for begun in &plan.unsettled {
        document =
            document.note(format!("{}: what a run that did not end has left of it is removed first", begun.index));
    }
    if !plan.tasks.is_empty() {
        document = catalog.preflight.notes(&catalog.server.role).into_iter().fold(document, Document::note);
        if catalog.preflight.free.is_empty() {
            document = document.note(
                "how much disk is free is UNKNOWN: that is seen only on the server's own machine, over its socket, and \
                 with pg_read_all_settings",
            );
        }
    }
    if plan.leftovers.iter().any(|left| left.is_ours) {
        document = document.note("what dbctl has left is removed by its next run: dbctl reindex --resume");
    }
    if !catalog.slots.is_empty() && !plan.tasks.is_empty() {
        document = document.note(format!(
            "nobody reads from replication slot {}: it keeps the WAL that builds write, as large as the indexes",
            catalog.slots.join(", ")
        ));
    }
    if catalog.estimated {
        document = document.note("a lock was in the way: sizes are those of the last VACUUM or ANALYZE");
    }
    document
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

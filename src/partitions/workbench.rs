//! How partition work becomes steps: a short lock_timeout, names always with their schema. Pure.

use std::sync::Arc;
use std::time::Duration;

use crate::ident::{Literal, TableName};
use crate::pg::Server;
use crate::steps::{Guard, Lane, LockMode, Statement, Step, TableLock, Timeouts};

/// What all steps on one table share.
#[derive(Debug, Clone)]
pub struct Work<'a> {
    /// The server.
    pub server: &'a Server,
    /// What the steps' ids begin with, up to and with its colon.
    pub family: String,
    /// `adopt`, `default promote`: the end of application_name.
    pub command: &'static str,
    /// One attempt to get a lock.
    pub lock: Duration,
}

/// Text that holds a file's place in error messages.
const FILE: &str = "dbctl";

impl Work<'_> {
    /// One transaction, sent as one message: its locks are held for one round trip less for each
    /// statement that it has.
    pub fn transaction(&self, name: &str, title: String, why: &str, sql: &[String], locks: Vec<TableLock>) -> Step {
        let statement = Statement { locks, ..Statement::whole(Arc::from(sql.join("\n"))) };
        self.step(name, title, why, Lane::Transaction, statement)
    }

    /// One statement outside a transaction.
    pub fn alone(
        &self,
        name: &str,
        title: String,
        why: &str,
        sql: String,
        guard: Guard,
        locks: Vec<TableLock>,
    ) -> Step {
        let statement = Statement { atomic: false, guard, locks, ..Statement::whole(Arc::from(sql)) };
        self.step(name, title, why, Lane::Statements, statement)
    }

    fn step(&self, name: &str, title: String, why: &str, lane: Lane, statement: Statement) -> Step {
        let mut settings = self.server.step_settings(self.command);
        for (setting, value) in &mut settings {
            if *setting == "search_path" {
                // Definitions were read with every name in full; nothing else may be found by them.
                *value = String::new();
            }
        }
        Step {
            id: format!("{}{name}", self.family),
            title,
            file: FILE.to_owned(),
            file_text: Arc::clone(&statement.sql),
            why: why.to_owned(),
            lane,
            settings,
            timeouts: Timeouts { lock: self.lock, statement: Duration::ZERO },
            statements: vec![statement],
            record: Vec::new(),
        }
    }
}

/// A lock on a table.
pub fn lock(table: impl ToString, mode: LockMode) -> TableLock {
    TableLock { table: table.to_string(), mode }
}

/// Raises unless the table is empty, so that what follows in the transaction cannot drop a row.
pub fn assert_empty(table: &TableName) -> String {
    assert_none(&table.to_string(), "true", &format!("{table} has rows: it is not dropped"))
}

/// Raises when a row of `from` meets the condition.
pub fn assert_none(from: &str, condition: &str, message: &str) -> String {
    let body = format!(
        "BEGIN IF EXISTS (SELECT FROM {from} WHERE {condition}) THEN RAISE EXCEPTION USING ERRCODE = 'object_in_use', \
         MESSAGE = {}; END IF; END",
        Literal(message)
    );
    format!("DO {};", Literal(&body))
}

//! What all that work on indexes share: what is left, which tables are busy, what is done. Knows no server.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};

use tokio::sync::Notify;

use super::plan::{Plan, Task};
use super::run::Done;
use crate::error::Failure;
use crate::ident::TableName;

/// What is left to do, and what is done, for all that work.
pub struct Board {
    /// How many indexes.
    pub of: usize,
    /// What one statement builds: an index, or all of a table.
    left: RefCell<VecDeque<Vec<Task>>>,
    /// Tables whose index is being built: of two builds on one table the second would wait.
    busy: RefCell<BTreeSet<TableName>>,
    done: RefCell<Vec<Done>>,
    over: RefCell<Option<Failure>>,
    /// What earlier runs have begun is settled.
    is_open: Cell<bool>,
    freed: Notify,
}

impl Board {
    pub fn new(plan: &Plan) -> Board {
        Board {
            of: plan.tasks.len(),
            left: RefCell::new(units(&plan.tasks)),
            busy: RefCell::default(),
            done: RefCell::default(),
            over: RefCell::default(),
            is_open: Cell::new(false),
            freed: Notify::new(),
        }
    }

    /// The smallest index whose table is free, waited for; nothing when none is left.
    pub async fn next(&self) -> Option<Vec<Task>> {
        loop {
            if self.over.borrow().is_some() || self.left.borrow().is_empty() {
                return None;
            }
            if !self.is_open.get() {
                self.freed.notified().await;
                continue;
            }
            let is_free = |unit: &Vec<Task>| unit.first().is_none_or(|task| !self.busy.borrow().contains(&task.table));
            let at = self.left.borrow().iter().position(is_free);
            if let Some(unit) = at.and_then(|at| self.left.borrow_mut().remove(at)) {
                self.busy.borrow_mut().extend(unit.first().map(|task| task.table.clone()));
                return Some(unit);
            }
            self.freed.notified().await;
        }
    }

    /// How many indexes are done or being built.
    pub fn begun(&self) -> usize {
        self.of - self.left.borrow().iter().map(Vec::len).sum::<usize>()
    }

    pub fn units(&self) -> usize {
        self.left.borrow().len()
    }

    /// From now on there is work.
    pub fn open(&self) {
        self.is_open.set(true);
        self.freed.notify_waiters();
    }

    pub fn note(&self, done: Done) {
        self.done.borrow_mut().push(done);
    }

    /// Others may work on the table.
    pub fn free(&self, table: &TableName) {
        self.busy.borrow_mut().remove(table);
        self.freed.notify_waiters();
    }

    /// The first failure that concerns the whole run ends it.
    pub fn stop(&self, failure: Failure) {
        self.over.borrow_mut().get_or_insert(failure);
        self.freed.notify_waiters();
    }

    pub fn end(self) -> (Vec<Done>, Option<Failure>) {
        (self.done.into_inner(), self.over.into_inner())
    }
}

/// Tasks that stand together and are built together.
fn units(tasks: &[Task]) -> VecDeque<Vec<Task>> {
    tasks.chunk_by(|a, b| a.with_table && b.with_table && a.table == b.table).map(<[Task]>::to_vec).collect()
}

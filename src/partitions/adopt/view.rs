//! An adoption as a document: the numbered plan with its locks and times, and what was done.

use super::plan::Course;
use crate::ident::TableName;
use crate::output::Document;
use crate::partitions::listing;
use crate::steps::Plan;
use crate::steps::apply::Applied;

pub(super) fn plan(label: &str, table: &TableName, course: &Course) -> Document {
    let whole = course.whole();
    let document = listing::steps("partitions.adopt.plan", label, table, &whole, &course.estimates);
    course.notes.iter().fold(document, |document, note| document.note(note.as_str()))
}

pub(super) fn abort(label: &str, table: &TableName, plan: &Plan) -> Document {
    listing::steps("partitions.adopt.plan", label, table, plan, &[])
}

pub(super) fn done(label: &str, table: &TableName, state: &str, applied: &[Applied], notes: &[String]) -> Document {
    listing::done("partitions.adopt", label, table, state, applied, notes)
}

//! Turns a plain table into a partitioned one in place: no row is moved, the table becomes the first
//! partition. Stopped at any moment, the same command goes on; until the exchange `--abort` takes
//! everything back. A history partition is not split.

mod assess;
mod definition;
pub(super) mod plan;
pub(super) mod read;
mod record;
mod shell;
mod swap;
mod view;

use std::time::Duration;

use super::{Answer, Means};
use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::outcome::Outcome;
use crate::pg::Session;
use crate::policy::{Policy, TablePolicy};
use crate::steps::Pauses;
use crate::steps::apply::{Applied, Executor, Order};
use crate::steps::gate::{self, Rails};
use read::Subject;

/// What is asked.
#[derive(Debug, Clone)]
pub struct AdoptRequest {
    /// The database.
    pub connection: Connection,
    /// The policy, with an entry for the table.
    pub policy: Policy,
    /// The plain table.
    pub table: TableName,
    /// Stop after the plan.
    pub dry_run: bool,
    /// Take back what was done before the exchange.
    pub abort: bool,
    /// Split the history partition afterwards.
    pub split: bool,
    /// What protects the target.
    pub rails: Rails,
    /// How long another run is waited for.
    pub lock_wait: Duration,
    /// How long all attempts for a lock may take together; nothing is the policy's word.
    pub lock_patience: Option<Duration>,
}

/// Adopts the table, or takes an adoption back.
///
/// # Errors
/// Refused with everything that stands in the way; deferred where a lock was not to be had: the same
/// command goes on.
pub async fn adopt(request: &AdoptRequest, means: &mut Means<'_>) -> Result<Answer> {
    let policy = entry(request)?;
    let session = Session::open(&request.connection, "partitions adopt", means.interrupt).await?;
    let subject = read::subject(&session, &request.table, &policy.key).await?;
    if request.abort {
        return abort(request, policy, session, &subject, means).await;
    }
    if request.split {
        return Err(Failure::new(Kind::Usage, "a history partition cannot be split yet")
            .hint("it leaves by the policy's retention as a whole once its newest row is expired"));
    }
    let (label, table) = (request.connection.label(), &request.table);
    let course = plan::plan(&subject, policy)?;
    if request.dry_run {
        return Ok((Outcome::Done, view::plan(&label, table, &course)));
    }
    if course.whole().is_empty() {
        return Ok((Outcome::Done, view::done(&label, table, "adopted", &[], &[])));
    }
    gate::pass(&course.whole(), &request.rails, means.confirm)?;
    let mut executor = begin(request, policy, session, &subject, means).await?;
    // Another run may have worked while this one waited for the lease.
    let subject = read::subject(executor.session(), table, &policy.key).await?;
    let course = plan::plan(&subject, policy)?;
    let mut applied = executor.apply(&course.prepare, means.events).await?;
    let exchange = if course.prepare.is_empty() {
        course.exchange
    } else {
        let again = read::subject(executor.session(), table, &policy.key).await?;
        unchanged(&subject, &again, &applied)?;
        // What was prepared is in the catalog now: nothing but the exchange is left.
        let rest = plan::plan(&again, policy)?;
        if !rest.prepare.is_empty() {
            return Err(moved_on(table, &applied));
        }
        rest.exchange
    };
    applied.extend(executor.apply(&exchange, means.events).await?);
    Ok((Outcome::Done, view::done(&label, table, "adopted", &applied, &course.notes)))
}

async fn abort(
    request: &AdoptRequest,
    policy: &TablePolicy,
    session: Session,
    subject: &Subject,
    means: &mut Means<'_>,
) -> Result<Answer> {
    let (label, table) = (request.connection.label(), &request.table);
    let first = plan::abort(subject, policy)?;
    if request.dry_run {
        return Ok((Outcome::Done, view::abort(&label, table, &first)));
    }
    gate::pass(&first, &request.rails, means.confirm)?;
    let mut executor = begin(request, policy, session, subject, means).await?;
    let subject = read::subject(executor.session(), table, &policy.key).await?;
    let applied = executor.apply(&plan::abort(&subject, policy)?, means.events).await?;
    Ok((Outcome::Done, view::done(&label, table, "aborted", &applied, &[])))
}

async fn begin(
    request: &AdoptRequest,
    policy: &TablePolicy,
    session: Session,
    subject: &Subject,
    means: &mut Means<'_>,
) -> Result<Executor> {
    let order = Order {
        command: "partitions adopt".to_owned(),
        lease: "partitions".to_owned(),
        lease_wait: request.lock_wait,
        lock_patience: request.lock_patience.unwrap_or(policy.lock.patience),
        pauses: Pauses { first: policy.lock.first_pause, longest: policy.lock.longest_pause },
    };
    Executor::begin(session, subject.server.clone(), &request.connection, order, means.interrupt, means.events).await
}

fn entry(request: &AdoptRequest) -> Result<&TablePolicy> {
    let found = request.policy.tables.iter().find(|entry| entry.table == request.table);
    found.ok_or_else(|| {
        Failure::new(Kind::Invalid, format!("the policy has no entry for table {}", request.table))
            .hint(format!("add one: tables: {{ {}: {{ key: created_at, every: month, ahead: 3 }} }}", request.table))
    })
}

/// An index build may take an hour, in which somebody else changed the table.
fn unchanged(before: &Subject, after: &Subject, applied: &[Applied]) -> Result<()> {
    if plan::fingerprint(before) == plan::fingerprint(after) {
        return Ok(());
    }
    Err(moved_on(&before.table, applied))
}

fn moved_on(table: &TableName, applied: &[Applied]) -> Failure {
    Failure::new(Kind::Refused, format!("{table} was changed while its adoption was prepared"))
        .done(applied.iter().map(|step| step.title.clone()))
        .hint("run the same command again: what does not fit any more is made anew")
}

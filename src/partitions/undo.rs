//! Brings partitions back that have left and still exist: out of the grace, from where they were
//! detached or moved to, or from the table that took them.

use std::time::Duration;

use super::ddl::{Frame, Recall};
use super::departure::Whereabouts;
use super::details;
use super::plan::{Candidate, Wish};
use super::read::{self, Leaving};
use super::work;
use super::{Answer, Request, look};
use crate::error::{Failure, Kind, Result};
use crate::outcome::Outcome;
use crate::output::{Column, Document, Table};
use crate::steps::apply::{Executor, Order};
use crate::steps::{Means, Pauses, Plan, gate};

/// Brings back the partitions of these names, as they were called while they were attached.
///
/// # Errors
/// Refused where one of them never left by dbctl, is gone, or its place is taken.
pub async fn undo(request: &Request, partitions: &[String], means: &mut Means<'_>) -> Result<Answer> {
    let (session, snapshot) = look::snapshot(request, means.interrupt).await?;
    let rows = read::departed(&session, &snapshot.server, partitions).await?;
    let entries = look::entries(request, &snapshot)?;
    let holds = look::holds(request, &snapshot);
    let now = look::now(request, &snapshot, chrono::Utc::now())?;
    let nothing = Wish::default();
    let works = work::assemble(&session, &request.policy, &entries, &snapshot, &holds, &nothing, now).await?;
    let mut plan = Plan::default();
    let mut answer = Table::new(
        "partitions",
        "nothing was brought back",
        vec![
            Column::new("partition", "partition"),
            Column::new("from_place", "was in"),
            Column::new("outcome", "outcome"),
        ],
    );
    for wanted in partitions {
        let meant: Vec<&Leaving> = rows.iter().filter(|row| row.partition == *wanted || named(row, wanted)).collect();
        if meant.len() > 1 {
            let names: Vec<&str> = meant.iter().map(|row| row.partition.as_str()).collect();
            return Err(Failure::new(Kind::Usage, format!("which {wanted}? {}", names.join(" or ")))
                .hint("say it with its schema"));
        }
        let row = meant.first().copied().ok_or_else(|| {
            Failure::new(Kind::Refused, format!("{wanted} did not leave its table by dbctl, or is back already"))
                .hint("'dbctl partitions status' lists those that can be brought back, by name")
        })?;
        let place = row.now.clone().ok_or_else(|| {
            let failure = Failure::new(Kind::Refused, format!("{} is gone", row.partition));
            match &row.uri {
                Some(uri) => failure.hint(format!("its rows are in {uri}: dbctl partitions restore {}", row.partition)),
                None => failure.hint("only a backup has its rows now"),
            }
        })?;
        let work = works.iter().find(|work| super::plan::raw(&work.entry.table) == row.parent);
        let found = match work.map(|work| &work.found) {
            Some(Ok(found)) => found,
            Some(Err(failure)) => {
                return Err(Failure::new(Kind::Refused, failure.messages().join(": ")));
            }
            None => {
                return Err(Failure::new(Kind::Refused, format!("the policy has no table {}", row.parent))
                    .hint("it is brought back under the entry of its table: say --policy, or --system"));
            }
        };
        if found.whereabouts(row) == Whereabouts::Attached {
            return Err(Failure::new(Kind::Refused, format!("{} is attached", row.partition)));
        }
        let range = found.range_of(row)?;
        if found.set.members.iter().any(|member| member.range.overlaps(range)) {
            return Err(Failure::new(
                Kind::Refused,
                format!("{} cannot come back: another partition of {} has its range now", row.partition, row.parent),
            ));
        }
        let mut details = details::read(&session, &[found.plan.oid]).await?;
        let details = details.remove(&found.plan.oid).unwrap_or_default();
        let frame = Frame { server: &snapshot.server, set: &found.set, details: &details };
        let candidate = Candidate { oid: row.oid, name: found.name_of(row), range };
        let other = match row.parent_now {
            Some(oid) => Some(read::name_of(&session, oid).await?),
            None => None,
        };
        let recall = Recall { place: &place, from: other.as_ref() };
        plan.steps.extend(frame.recall(&candidate, &recall));
        answer.push(vec![row.partition.as_str().into(), place.to_string().into(), "back".into()]);
    }
    if request.dry_run {
        let document = Document::new("partitions.undo", 1)
            .fact("database", "database", request.connection.label())
            .text("sql", super::view::steps_sql(&plan));
        return Ok((Outcome::Done, document));
    }
    gate::pass(&plan, &request.rails, means.confirm)?;
    let order = Order {
        command: "partitions undo".to_owned(),
        lease: "partitions".to_owned(),
        lease_wait: request.lock_wait.max(Duration::from_secs(60)),
        lock_patience: Duration::from_secs(120),
        pauses: Pauses::default(),
    };
    let server = snapshot.server.clone();
    drop(works);
    let mut executor =
        Executor::begin(session, server, &request.connection, order, means.interrupt, means.events).await?;
    executor.apply(&plan, means.events).await?;
    let document = Document::new("partitions.undo", 1)
        .fact("database", "database", request.connection.label())
        .table(answer)
        .note("they have expired all the same: keep them with 'rails.protect', a hold, or a longer 'keep', or the next run takes them out again");
    Ok((Outcome::Done, document))
}

/// The name without its schema, where that is enough to tell it.
fn named(row: &Leaving, wanted: &str) -> bool {
    !wanted.contains('.') && row.partition.split_once('.').is_some_and(|(_, name)| name == wanted)
}

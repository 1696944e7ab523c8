//! Which leaves a job visits, and which rows of each are due: old enough, meant by the condition, not
//! held, not done already. Pure.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::clock::Clock;
use super::held;
use super::mask::{self, Masking};
use super::plan::{Attention, Path, Visit, secrets};
use super::snapshot::{Count, JobSnapshot, Leaf};
use super::sql::{Deed, FIRST_SECRET, Ground};
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, TableName};
use crate::policy::bounds::{Bound, Datum};
use crate::policy::{Hold, Mask, RowAction, RowJob};

/// Where a job works.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub visits: Vec<Visit>,
    /// Leaves that are too young, held, or done for good.
    pub left_alone: usize,
    pub cutoff: Option<String>,
    pub obstacles: Vec<Attention>,
}

/// A value, or what stands in the way of it; or a mistake of the file.
type Checked<T> = Result<Result<T, Attention>, String>;

/// The column of a job's age, and its terms.
pub(super) struct Aged<'a> {
    pub column: &'a Ident,
    pub clock: Clock,
}

/// Finds where a job works. What stands in the way of saying so is an obstacle, and there is nowhere
/// to work then.
///
/// # Errors
/// Invalid when the table or a column that the job names is not there.
pub(super) fn field(job: &RowJob, snapshot: &JobSnapshot, holds: &[Hold], now: DateTime<Utc>) -> Result<Field> {
    let invalid = |what: String| Failure::new(Kind::Invalid, format!("row job {}: {what}", job.name));
    if snapshot.oid.is_none() {
        return Err(invalid(format!("there is no table {}", job.table)));
    }
    let mut field = Field { visits: Vec::new(), left_alone: 0, cutoff: None, obstacles: Vec::new() };
    let aged = match aged(job, snapshot).map_err(invalid)? {
        Ok(aged) => aged,
        Err(obstacle) => {
            field.obstacles.push(obstacle);
            return Ok(field);
        }
    };
    if aged.is_none() && job.condition.is_none() && job.action != RowAction::Keep {
        let message = "it has neither an age nor a condition: it would take every row".to_owned();
        field.obstacles.push(Attention { message, advice: Some("say which rows it means".to_owned()), blocks: true });
        return Ok(field);
    }
    let cutoff = match (&aged, &job.age) {
        (Some(aged), Some(age)) => match aged.clock.cutoff(now, age.over, job.timezone) {
            Some(cutoff) => Some((aged, cutoff)),
            // Nothing is that old.
            None => return Ok(field),
        },
        _ => None,
    };
    field.cutoff = cutoff.map(|(aged, cutoff)| aged.clock.literal(cutoff));
    let (deed, masked) = match deed(job, snapshot).map_err(invalid)? {
        Ok(Some(deed)) => deed,
        Ok(None) => return Ok(field),
        Err(obstacle) => {
            field.obstacles.push(obstacle);
            return Ok(field);
        }
    };
    for leaf in &snapshot.leaves {
        if leaf.kind == 'f' {
            let message = format!("{} is a foreign table: its rows are left alone", leaf.name);
            let advice = Some("look after them on their own server".to_owned());
            field.obstacles.push(Attention { message, advice, blocks: false });
            continue;
        }
        let mut due: Vec<String> = Vec::new();
        if let Some((aged, cutoff)) = &cutoff {
            if is_young(leaf, snapshot, aged, *cutoff) {
                field.left_alone += 1;
                continue;
            }
            due.push(format!("{} < {}", held::column(&job.table, aged.column), aged.clock.literal(*cutoff)));
        }
        if let Some(condition) = &job.condition {
            // On a line of its own: it may end in a comment.
            due.push(format!("({condition}\n    )"));
        }
        let Some(held) = spared(job, leaf, holds, aged.as_ref(), &mut field.obstacles) else {
            field.left_alone += 1;
            continue;
        };
        let closes = cutoff
            .as_ref()
            .filter(|_| job.once_per_partition && held.is_empty())
            .and_then(|(aged, cutoff)| closing(leaf, snapshot, aged, *cutoff))
            .map(|upper| format!("{upper} {}", signature(job)));
        if closes.is_some() && snapshot.done.get(&leaf.oid) == closes.as_ref() {
            field.left_alone += 1;
            continue;
        }
        due.extend(held);
        let among = due.join("\n        AND ");
        let unreadable = masked.iter().filter_map(|(column, masking)| {
            let due = format!("{among}\n        AND {}", masking.unreadable.as_ref()?);
            Some((column.clone(), Ground { leaf: &leaf.name, table: &job.table, due: &due }.rows()))
        });
        let unreadable = unreadable.collect();
        if !masked.is_empty() {
            let open: Vec<&str> = masked.iter().map(|(_, masking)| masking.due.as_str()).collect();
            due.push(format!("({})", open.join("\n        OR ")));
        }
        let due = due.join("\n        AND ");
        let ground = Ground { leaf: &leaf.name, table: &job.table, due: &due };
        let indexed = aged.as_ref().filter(|aged| {
            leaf.indexes.iter().any(|i| i.ordered && i.columns.first().is_some_and(|c| c == aged.column.raw()))
        });
        field.visits.push(Visit {
            oid: leaf.oid,
            leaf: leaf.name.clone(),
            rows: snapshot.due.get(&leaf.oid).copied().unwrap_or(Count::Unknown),
            all_rows: leaf.rows,
            path: if indexed.is_some() { Path::Index } else { Path::Blocks },
            by_index: indexed.map(|aged| ground.by_index(&deed, aged.column, aged.clock)),
            by_blocks: ground.by_blocks(&deed),
            count: ground.count(),
            estimate: ground.rows(),
            unreadable,
            closes,
        });
    }
    Ok(field)
}

/// `Ok(Err)`: the column cannot say how old a row is.
fn aged<'a>(job: &'a RowJob, snapshot: &JobSnapshot) -> Checked<Option<Aged<'a>>> {
    let Some(age) = &job.age else { return Ok(Ok(None)) };
    let column = snapshot.column(&age.column).ok_or_else(|| no_column(&job.table, &age.column))?;
    Ok(match Clock::of(&column.base) {
        Some(clock) => Ok(Some(Aged { column: &age.column, clock })),
        None => Err(Attention {
            message: format!("column {} is {}: it does not say how old a row is", age.column, column.kind),
            advice: Some("name a date, timestamp or timestamptz column".to_owned()),
            blocks: true,
        }),
    })
}

type Work = (Deed, Vec<(Ident, Masking)>);

/// What is done, with the masks. Nothing where nothing is done.
fn deed(job: &RowJob, snapshot: &JobSnapshot) -> Checked<Option<Work>> {
    Ok(match &job.action {
        RowAction::Keep => Ok(None),
        RowAction::Delete => Ok(Some((Deed::Delete, Vec::new()))),
        RowAction::Move { to } => match moved(to, snapshot) {
            Ok(columns) => Ok(Some((Deed::Move(to.clone(), columns), Vec::new()))),
            Err(message) => Err(Attention { message, advice: None, blocks: true }),
        },
        RowAction::Anonymise { set } => {
            let mut maskings = Vec::new();
            for (column, mask) in set {
                if snapshot.column(column).is_none() {
                    return Err(no_column(&job.table, column));
                }
                match mask_of(job, snapshot, column, mask) {
                    Ok(masking) => maskings.push((column.clone(), masking)),
                    Err(message) => return Ok(Err(Attention { message, advice: None, blocks: true })),
                }
            }
            let set = maskings.iter().map(|(_, masking)| masking.set.as_str()).collect::<Vec<_>>().join(",\n        ");
            Ok(Some((Deed::Set(set), maskings)))
        }
    })
}

fn no_column(table: &TableName, column: &Ident) -> String {
    format!("table {table} has no column {column}")
}

/// A mask as SQL.
///
/// # Errors
/// Why it does not fit.
pub(super) fn mask_of(
    job: &RowJob,
    snapshot: &JobSnapshot,
    name: &Ident,
    mask: &Mask,
) -> std::result::Result<Masking, String> {
    let column = snapshot.column(name).ok_or_else(|| no_column(&job.table, name))?;
    if job.age.as_ref().is_some_and(|age| age.column == *name) || snapshot.partition_key.iter().any(|k| k == name.raw())
    {
        return Err(format!("column {name} says where or how old a row is: it cannot be masked"));
    }
    let secret = match mask {
        Mask::Hash { secret } => secrets(job).iter().position(|known| known == secret).unwrap_or(0),
        _ => 0,
    };
    mask::masking(mask, column, &held::column(&job.table, name), FIRST_SECRET + secret)
}

/// The columns that are moved: the same names and types there, and nothing else that must be filled.
fn moved(to: &TableName, snapshot: &JobSnapshot) -> std::result::Result<Vec<Ident>, String> {
    let target =
        snapshot.target.as_ref().filter(|target| target.exists).ok_or_else(|| format!("there is no table {to}"))?;
    let mut columns = Vec::new();
    for column in &snapshot.columns {
        let name = Ident::new(column.name.as_str());
        match target.columns.iter().find(|there| there.name == column.name) {
            None => return Err(format!("table {to} has no column {name} {}", column.kind)),
            Some(there) if there.kind != column.kind => {
                return Err(format!("column {name} of table {to} is {}, not {}", there.kind, column.kind));
            }
            Some(there) if there.generated && column.generated => {}
            Some(there) if there.generated => {
                return Err(format!("column {name} of table {to} is computed: the value cannot be kept"));
            }
            Some(_) => columns.push(name),
        }
    }
    let unfilled = target.columns.iter().find(|there| {
        there.not_null
            && !there.has_default
            && !there.generated
            && !snapshot.columns.iter().any(|c| c.name == there.name)
    });
    match unfilled {
        Some(there) => {
            Err(format!("column {} of table {to} is NOT NULL and would stay empty", Ident::new(there.name.as_str())))
        }
        None => Ok(columns),
    }
}

/// The conditions that holds put on a leaf's rows. Nothing when all of its rows are held.
fn spared(
    job: &RowJob,
    leaf: &Leaf,
    holds: &[Hold],
    aged: Option<&Aged<'_>>,
    obstacles: &mut Vec<Attention>,
) -> Option<Vec<String>> {
    let mut conditions = Vec::new();
    let over = held::over(holds, &job.table);
    let here = held::over(holds, &leaf.name);
    for hold in over.iter().chain(here.iter().filter(|hold| !over.contains(hold))) {
        let Some(aged) = aged else {
            let message =
                format!("hold {} covers {}, and a job without an age cannot tell its days", hold.id, leaf.name);
            let obstacle = Attention { message, advice: Some("give the job an age".to_owned()), blocks: true };
            if !obstacles.contains(&obstacle) {
                obstacles.push(obstacle);
            }
            return None;
        };
        let column = held::column(&job.table, aged.column);
        conditions.push(held::spared(&column, aged.clock, job.timezone, hold.days).ok()?);
    }
    Some(conditions)
}

/// All of its rows are younger than the cutoff.
fn is_young(leaf: &Leaf, snapshot: &JobSnapshot, aged: &Aged<'_>, cutoff: NaiveDateTime) -> bool {
    let Some(Bound::Range { lower, .. }) = &leaf.bound else { return false };
    if snapshot.partition_key.first().is_none_or(|key| key != aged.column.raw()) {
        return false;
    }
    match lower.first() {
        Some(Datum::Literal(text)) => aged.clock.parse(text).is_some_and(|lower| lower >= cutoff),
        Some(Datum::Max) => true,
        Some(Datum::Min) | None => false,
    }
}

/// The upper bound of a leaf that no further row can become due in.
fn closing(leaf: &Leaf, snapshot: &JobSnapshot, aged: &Aged<'_>, cutoff: NaiveDateTime) -> Option<String> {
    let Some(Bound::Range { upper, .. }) = &leaf.bound else { return None };
    if snapshot.partition_key != [aged.column.raw()] {
        return None;
    }
    match upper.as_slice() {
        [Datum::Literal(text)] => aged.clock.parse(text).filter(|upper| *upper <= cutoff).map(|_| text.clone()),
        _ => None,
    }
}

/// What a visit for good depends on: another mask is another visit.
fn signature(job: &RowJob) -> String {
    let mut hash = crate::steps::journal::hash(&format!("{:?} {:?} {:?}", job.action, job.condition, job.table));
    hash.truncate(12);
    hash
}

//! What keeps a partition that has left its table already: a hold or a longer retention that came
//! later, and the doubt whether the relation is the one that was noted. Pure.

use super::plan::{self, Attention};
use super::read::Leaving;
use super::set::Set;
use crate::ident::TableName;
use crate::policy::Hold;
use crate::policy::key::{Edge, Range};

/// Why nothing more is done with it for now. `cutoff` is today's.
pub fn stays(set: &Set<'_>, row: &Leaving, holds: &[Hold], cutoff: Option<i128>) -> Option<Attention> {
    let now = row.now.as_ref()?;
    // A database that was restored from a dump has other oids: by its oid alone, any table might be meant.
    let noted = row.place.as_ref().unwrap_or(&row.partition);
    if plan::raw(now) != *noted {
        return Some(Attention {
            id: "other_table",
            message: format!(
                "schema dbctl says that {noted} (oid {}) has left {}, but that oid is {now} now: dbctl leaves it alone",
                row.oid, set.policy.table
            ),
            hint: Some(format!(
                "if nothing is to be done with it any more: DELETE FROM dbctl.partition WHERE id = {};",
                row.id
            )),
        });
    }
    let waits = |id, why: String, hint: String| {
        Some(Attention { id, message: format!("{now}, which was {}, {why}", row.partition), hint: Some(hint) })
    };
    let Some(range) = range(set, row) else {
        let why = format!("has bounds that cannot be read: {} to {}: dbctl leaves it alone", row.lower, row.upper);
        return waits("other_table", why, "look at its row in dbctl.partition".to_owned());
    };
    if let Some(hold) = plan::held(set, range, holds) {
        let hint =
            format!("when the hold has ended: dbctl partitions hold lift {}, or its entry in the policy", hold.id);
        return waits("hold", format!("is held by {}: {}", hold.id, hold.reason), hint);
    }
    let (schema, name) = row.partition.split_once('.').unwrap_or(("", &row.partition));
    let expired = cutoff.is_some_and(|cutoff| range.upper() <= Edge::At(cutoff));
    if !expired || plan::protected(set, &TableName::new(schema, name), range) {
        let why = "has left, and would be kept by today's policy: dbctl leaves it alone".to_owned();
        return waits("not_expired", why, "dbctl partitions undo brings it back".to_owned());
    }
    None
}

/// What it held.
fn range(set: &Set<'_>, row: &Leaving) -> Option<Range> {
    let edge = |text: &str, open: Edge| match text {
        "MINVALUE" | "MAXVALUE" => Some(open),
        literal => set.grid.axis.parse(literal).ok(),
    };
    Range::new(edge(&row.lower, Edge::Min)?, edge(&row.upper, Edge::Max)?)
}

#[cfg(test)]
#[path = "aside_tests.rs"]
mod tests;

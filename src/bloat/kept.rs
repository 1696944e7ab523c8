//! Dead rows that VACUUM cannot remove: who may still see them.

use super::view::{LEAST, Wish};
use super::{LIMIT, Look};
use crate::error::Result;
use crate::inspect::{Eye, activity};

/// What is younger is a statement of now, which nobody need be told of.
const OLD: f64 = 60.0;

/// A sentence about who keeps dead rows of what is shown, where there are many and somebody does.
///
/// # Errors
/// The server's.
pub async fn keeper(eye: &Eye, look: &Look, wish: &Wish) -> Result<Option<String>> {
    if !look.estimates.iter().any(|one| wish.shows(one) && one.dead >= LEAST) {
        return Ok(None);
    }
    // A session or prepared transaction of another database keeps nothing here; a slot may be of none.
    let is_here = |holder: &&activity::Holder| holder.database.as_ref().is_none_or(|name| *name == look.database);
    let holders = activity::holders(eye, LIMIT).await?;
    let oldest = holders.iter().filter(is_here).find(|holder| holder.seconds.is_none_or(|seconds| seconds >= OLD));
    Ok(oldest.filter(|holder| holder.age > 0).map(|holder| {
        format!(
            "dead rows stay for as long as {} {} may see them, {} transactions back; what ends that: {}",
            holder.kind, holder.name, holder.age, holder.remedy
        )
    }))
}

//! What belongs to the whole server, before and after something was tried beside its live databases. Does not
//! say who changed it.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::pg::{Query, Session};

/// How many changes are named one by one.
const NAMED: usize = 10;

/// Roles, memberships, settings, databases, tablespaces, slots, subscriptions: each with its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cluster(BTreeMap<String, Option<String>>);

impl Cluster {
    /// One query of catalogs that have few rows.
    pub(super) async fn read(session: &Session) -> Result<Cluster> {
        let rows = session.rows(&Query::CLUSTER_STATE, &[]).await;
        let rows = rows.map_err(|e| e.explain("cannot see what belongs to the whole server"))?;
        let states = rows.iter().map(|row| Ok((row.try_get("thing")?, row.try_get("state")?)));
        states.collect::<Result<_>>().map(Cluster)
    }

    /// A warning, where they are not the same.
    pub(super) fn told(&self, after: &Cluster) -> Vec<String> {
        let gone = self.0.keys().filter(|thing| !after.0.contains_key(*thing)).map(|thing| format!("{thing} is gone"));
        let other = after.0.iter().filter_map(|(thing, state)| match self.0.get(thing) {
            None => Some(format!("{thing} is new")),
            Some(before) if before != state => Some(format!("{thing} has changed")),
            Some(_) => None,
        });
        let changes: Vec<String> = gone.chain(other).collect();
        if changes.is_empty() {
            return Vec::new();
        }
        let more = changes.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let named = changes.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        vec![format!(
            "WARNING: of the whole server something changed while migrations were tried in a scratch database beside the live \
             ones: {named}{more}. Another session may have done that; if none has, a migration did: try it with --sandbox"
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(things: &[(&str, &str)]) -> Cluster {
        Cluster(things.iter().map(|(thing, state)| ((*thing).to_owned(), Some((*state).to_owned()))).collect())
    }

    #[test]
    fn each_change_is_named_and_none_is_silent() {
        let before = cluster(&[("role a", "1"), ("role b", "1"), ("role c", "1")]);
        assert!(before.told(&before.clone()).is_empty());
        let told = before.told(&cluster(&[("role b", "2"), ("role c", "1"), ("role d", "1")]));
        let said = told.join(" ");
        assert!(said.contains("role a is gone, role b has changed, role d is new."), "{said}");
        assert!(said.contains("Another session may"), "{said}");
    }
}

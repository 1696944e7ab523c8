//! Which materialized views are filled, in which order, and whether others may read them meanwhile. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::read::View;
use crate::error::{Failure, Kind, Result};
use crate::ident::TableName;
use crate::pg::Server;
use crate::steps::{Lane, LockMode, Statement, Step, TableLock, Timeouts};

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// These, with or without their schema; all where none is named.
    pub views: Vec<String>,
    /// Only where others can read meanwhile.
    pub concurrently: bool,
}

/// A view to be filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Which.
    pub view: TableName,
    /// Its size.
    pub bytes: u64,
    /// Why others cannot read it meanwhile; nothing where they can.
    pub locked_because: Option<&'static str>,
}

/// One that is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Which.
    pub view: TableName,
    /// Why.
    pub why: String,
    /// What would change that.
    pub remedy: String,
}

/// What is done, in order, and what is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is done.
    pub tasks: Vec<Task>,
    /// What is not.
    pub skipped: Vec<Skipped>,
}

const NEVER_FILLED: &str = "it was never filled";
const NOT_KEYED: &str = "it has no unique index on columns alone and of all rows";

/// Chooses and sorts.
///
/// # Errors
/// Usage, for a name that means none or several.
pub fn plan(views: &[View], wish: &Wish) -> Result<Plan> {
    let chosen: Vec<&View> = if wish.views.is_empty() {
        views.iter().collect()
    } else {
        let mut chosen = Vec::new();
        for name in &wish.views {
            chosen.push(named(views, name)?);
        }
        chosen
    };
    let mut plan = Plan::default();
    for view in sorted(chosen) {
        let locked_because = match (view.is_filled, view.is_keyed) {
            (false, _) => Some(NEVER_FILLED),
            (true, false) => Some(NOT_KEYED),
            (true, true) => None,
        };
        let skip = |why: String, remedy: String| Skipped { view: view.name.clone(), why, remedy };
        if !view.may {
            let owner = crate::ident::Ident::new(view.owner.as_str());
            plan.skipped.push(skip(
                format!("only its owner {owner} may fill it, or a role that may maintain it"),
                format!("GRANT {owner} TO this role, or from PostgreSQL 17 on GRANT MAINTAIN ON {} TO it", view.name),
            ));
        } else if let Some(why) = locked_because.filter(|_| wish.concurrently) {
            plan.skipped.push(skip(format!("nobody could read it meanwhile: {why}"), remedy(view, why)));
        } else {
            plan.tasks.push(Task { view: view.name.clone(), bytes: view.bytes, locked_because });
        }
    }
    Ok(plan)
}

/// What makes it possible to read while it is filled.
fn remedy(view: &View, why: &str) -> String {
    if why == NEVER_FILLED {
        format!("fill it once without --concurrently: dbctl refresh '{}'", view.name)
    } else {
        format!("CREATE UNIQUE INDEX CONCURRENTLY ON {} (the columns that tell its rows apart)", view.name)
    }
}

fn named<'a>(views: &'a [View], name: &str) -> Result<&'a View> {
    let is = |view: &&View| {
        let (schema, own) = (view.name.schema.raw(), view.name.name.raw());
        name == view.name.to_string() || name == format!("{schema}.{own}")
    };
    if let Some(view) = views.iter().find(is) {
        return Ok(view);
    }
    let mut meant: Vec<&View> = views.iter().filter(|view| view.name.name.raw() == name).collect();
    if meant.len() > 1 && meant.iter().any(|view| view.is_in_path) {
        meant.retain(|view| view.is_in_path);
    }
    match meant.as_slice() {
        [view] => Ok(view),
        [] => {
            let known: Vec<String> = views.iter().take(10).map(|view| view.name.to_string()).collect();
            let hint = if known.is_empty() {
                "this database has none".to_owned()
            } else {
                format!("there are: {}", known.join(", "))
            };
            Err(Failure::new(Kind::Usage, format!("there is no materialized view {name}")).hint(hint))
        }
        several => {
            let names: Vec<String> = several.iter().map(|view| view.name.to_string()).collect();
            Err(Failure::new(Kind::Usage, format!("{name} may be one of several materialized views"))
                .hint(format!("say which: {}", names.join(", "))))
        }
    }
}

/// What others read comes before them.
fn sorted(mut left: Vec<&View>) -> Vec<&View> {
    let mut seen = BTreeSet::new();
    left.retain(|view| seen.insert(view.oid));
    let mut sorted: Vec<&View> = Vec::new();
    while !left.is_empty() {
        let waiting: BTreeSet<u32> = left.iter().map(|view| view.oid).collect();
        let ready = left.iter().position(|view| !view.reads.iter().any(|oid| waiting.contains(oid)));
        // Views cannot read each other in a ring; if a damaged catalog says so, any order is as good.
        sorted.push(left.remove(ready.unwrap_or(0)));
    }
    sorted
}

impl Task {
    /// The statement.
    pub fn sql(&self) -> String {
        let concurrently = if self.locked_because.is_none() { "CONCURRENTLY " } else { "" };
        format!("REFRESH MATERIALIZED VIEW {concurrently}{}", self.view)
    }

    /// The same as a step of its own.
    pub fn step(&self, server: &Server, timeouts: Timeouts) -> Step {
        let sql: Arc<str> = Arc::from(self.sql());
        let mode = if self.locked_because.is_none() { LockMode::Exclusive } else { LockMode::AccessExclusive };
        let locks = vec![TableLock { table: self.view.to_string(), mode }];
        Step {
            id: format!("refresh:{}", self.view),
            title: format!("refresh {}", self.view),
            file: sql.to_string(),
            file_text: Arc::clone(&sql),
            why: "asked for".to_owned(),
            lane: Lane::Transaction,
            settings: server.step_settings("refresh"),
            timeouts,
            statements: vec![Statement { locks, ..Statement::whole(sql) }],
            record: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(oid: u32, name: &str, reads: &[u32]) -> View {
        View {
            oid,
            name: TableName::new("app", name),
            is_filled: true,
            is_keyed: true,
            may: true,
            owner: "app".to_owned(),
            bytes: 8192,
            reads: reads.to_vec(),
            is_in_path: false,
        }
    }

    fn sql(views: &[View], wish: &Wish) -> Vec<String> {
        plan(views, wish).unwrap().tasks.iter().map(Task::sql).collect()
    }

    #[test]
    fn what_others_read_comes_first_and_a_ring_ends() {
        let views = [view(1, "a", &[3]), view(2, "b", &[]), view(3, "c", &[2])];
        let all = sql(&views, &Wish::default());
        let names: Vec<&str> = all.iter().filter_map(|sql| sql.rsplit('.').next()).collect();
        assert_eq!(names, ["b", "c", "a"]);
        assert_eq!(sql(&[view(1, "a", &[2]), view(2, "b", &[1])], &Wish::default()).len(), 2);
    }

    #[test]
    fn readers_are_kept_out_only_where_it_must_be_and_not_where_that_is_not_wanted() {
        let bare = View { is_keyed: false, ..view(1, "bare", &[]) };
        let empty = View { is_filled: false, ..view(2, "empty", &[]) };
        let foreign = View { may: false, ..view(3, "foreign", &[]) };
        let views = [bare, empty, foreign, view(4, "Good", &[])];
        let mut all = sql(&views, &Wish::default());
        all.sort();
        assert_eq!(
            all,
            [
                "REFRESH MATERIALIZED VIEW CONCURRENTLY app.\"Good\"",
                "REFRESH MATERIALIZED VIEW app.bare",
                "REFRESH MATERIALIZED VIEW app.empty"
            ]
        );
        let wish = Wish { concurrently: true, ..Wish::default() };
        let plan = plan(&views, &wish).unwrap();
        assert_eq!((plan.tasks.len(), plan.skipped.len()), (1, 3));
        assert!(plan.skipped.iter().any(|s| s.remedy.starts_with("CREATE UNIQUE INDEX CONCURRENTLY ON app.bare")));
    }

    #[test]
    fn a_name_is_one_view_or_a_mistake() {
        let twin = View { name: TableName::new("other", "a"), ..view(2, "a", &[]) };
        let views = [view(1, "a", &[]), twin];
        let ask = |name: &str| plan(&views, &Wish { views: vec![name.to_owned()], ..Wish::default() });
        assert!(ask("app.a").is_ok() && ask("other.a").is_ok());
        assert!(ask("a").unwrap_err().hints().join(" ").contains("app.a, other.a"));
        assert!(ask("b").unwrap_err().hints().join(" ").contains("there are: app.a"));
    }
}

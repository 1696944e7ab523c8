//! Which views, in which order, and whether their readers can go on meanwhile. Pure.

use crate::ident::TableName;

/// A materialized view as the catalog has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its OID.
    pub oid: u32,
    /// Its name.
    pub name: TableName,
    /// It has rows that can be read.
    pub populated: bool,
    /// It has a unique index on plain columns over all rows.
    pub has_key: bool,
    /// How many views it stands upon.
    pub depth: i64,
    /// The role may refresh it.
    pub permitted: bool,
}

/// One refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Of which view.
    pub view: View,
    /// As it is sent.
    pub sql: String,
    /// Why readers have to wait, where they have to.
    pub why_not: Option<String>,
}

/// What will be done, and what cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RefreshPlan {
    /// In this order.
    pub tasks: Vec<Task>,
    /// Views that the role may not refresh.
    pub refused: Vec<TableName>,
    /// Named, and not there.
    pub missing: Vec<TableName>,
}

/// Decides; `views` come in the order of their depth.
pub fn plan(views: &[View], wanted: &[TableName]) -> RefreshPlan {
    let mut plan = RefreshPlan {
        missing: wanted.iter().filter(|name| views.iter().all(|view| view.name != **name)).cloned().collect(),
        ..RefreshPlan::default()
    };
    for view in views.iter().filter(|view| wanted.is_empty() || wanted.contains(&view.name)) {
        if view.permitted {
            plan.tasks.push(task(view));
        } else {
            plan.refused.push(view.name.clone());
        }
    }
    plan
}

fn task(view: &View) -> Task {
    let why_not = match (view.populated, view.has_key) {
        (true, true) => None,
        (false, _) => Some("it has no rows yet, so nobody can read it".to_owned()),
        (true, false) => Some(format!(
            "it has no unique index on plain columns over all rows: CREATE UNIQUE INDEX ON {} (…)",
            view.name
        )),
    };
    let concurrently = if why_not.is_none() { "CONCURRENTLY " } else { "" };
    Task { view: view.clone(), sql: format!("REFRESH MATERIALIZED VIEW {concurrently}{}", view.name), why_not }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_wait_only_where_they_must_and_the_reason_is_told() {
        let view = |name: &str, populated, has_key, permitted| View {
            oid: 1,
            name: TableName::new("app", name),
            populated,
            has_key,
            depth: 0,
            permitted,
        };
        let views = [
            view("a", true, true, true),
            view("b", true, false, true),
            view("c", false, true, true),
            view("d", true, true, false),
        ];
        let all = plan(&views, &[]);
        let sql: Vec<&str> = all.tasks.iter().map(|task| task.sql.as_str()).collect();
        assert_eq!(
            sql,
            [
                "REFRESH MATERIALIZED VIEW CONCURRENTLY app.a",
                "REFRESH MATERIALIZED VIEW app.b",
                "REFRESH MATERIALIZED VIEW app.c"
            ]
        );
        assert_eq!(all.refused, [TableName::new("app", "d")]);
        let named = plan(&views, &[TableName::new("app", "a"), TableName::new("app", "z")]);
        assert_eq!((named.tasks.len(), named.missing.len()), (1, 1));
    }
}

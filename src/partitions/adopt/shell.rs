//! The partitioned table that will take a plain table's name: made beforehand under a name of its
//! own, with everything that it needs, so that the exchange is short. Nobody knows it until then.

use super::assess::{self, Fate};
use super::definition;
use super::plan::{Ground, odd, referenced};
use super::read::{Constraint, RowPolicy, Trigger};
use crate::error::Result;
use crate::ident::{Ident, Literal, TableName};
use crate::partitions::likeness::{free_name, replica_identity, role_sql, with_options};
use crate::partitions::workbench::lock;
use crate::policy::DefaultRule;
use crate::policy::key::{Edge, Range};
use crate::policy::naming::Template;
use crate::steps::{LockMode, Step, TableLock};

/// The steps that make it: one transaction, its oid noted in it.
pub(super) fn steps(ground: &Ground<'_>) -> Result<Vec<Step>> {
    let shell = ground.table(&ground.record.shell);
    let mut sql = create(ground, &shell);
    sql.extend(indexes(ground, &shell)?);
    sql.extend(partitions(ground, &shell));
    sql.extend(foreign_keys(ground, &shell));
    sql.extend(actions(ground, &shell)?);
    sql.push(format!(
        "UPDATE dbctl.adoption SET plan = pg_catalog.jsonb_set(plan, '{{shell_oid}}', \
         pg_catalog.to_jsonb({}::pg_catalog.regclass::pg_catalog.oid::pg_catalog.int8)), \
         changed_at = pg_catalog.clock_timestamp() WHERE relation = {};",
        Literal(&shell.to_string()),
        ground.subject.facts.oid
    ));
    let mut locks = vec![lock(&ground.subject.table, LockMode::AccessShare)];
    locks.extend(
        referenced(ground.subject)
            .map(|other| TableLock { table: other.to_owned(), mode: LockMode::ShareRowExclusive }),
    );
    Ok(vec![ground.work().transaction(
        "shell",
        format!("{}: prepare the partitioned table as {shell}", ground.subject.table),
        "with its partitions ahead, indexes, rights, policies and triggers; nobody uses it yet",
        &sql,
        locks,
    )])
}

fn create(ground: &Ground<'_>, shell: &TableName) -> Vec<String> {
    let (subject, table) = (ground.subject, &ground.subject.table);
    let space = subject.facts.tablespace.as_ref().map(|s| format!(" TABLESPACE {}", Ident::new(s.as_str())));
    let mut sql = vec![format!(
        "CREATE TABLE {shell} (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES) PARTITION BY RANGE ({}){};",
        ground.policy.key,
        space.unwrap_or_default()
    )];
    if subject.constraints.iter().any(|c| c.name == ground.record.check) {
        sql.push(format!(
            "ALTER TABLE {shell} DROP CONSTRAINT IF EXISTS {};",
            Ident::new(ground.record.check.as_str())
        ));
    }
    for column in &subject.columns {
        let name = Ident::new(column.name.as_str());
        if !column.not_null && column.name == ground.policy.key.raw() {
            sql.push(format!("ALTER TABLE {shell} ALTER COLUMN {name} SET NOT NULL;"));
        }
        if let Some(target) = column.statistics {
            sql.push(format!("ALTER TABLE {shell} ALTER COLUMN {name} SET STATISTICS {target};"));
        }
        if !column.options.is_empty() {
            sql.push(format!("ALTER TABLE {shell} ALTER COLUMN {name} SET ({});", column.options.join(", ")));
        }
    }
    if let Some(comment) = &subject.facts.comment {
        sql.push(format!("COMMENT ON TABLE {shell} IS {};", Literal(comment)));
    }
    if let Some(identity) = replica_identity(&subject.facts.replica_identity) {
        sql.push(format!("ALTER TABLE {shell} REPLICA IDENTITY {identity};"));
    }
    sql.extend(owner_and_rights(ground, shell));
    sql
}

fn owner_and_rights(ground: &Ground<'_>, table: &TableName) -> Vec<String> {
    let facts = &ground.subject.facts;
    let mut sql = vec![format!("ALTER TABLE {table} OWNER TO {};", Ident::new(facts.owner.as_str()))];
    sql.extend(ground.subject.grants.statements(&table.to_string(), &facts.owner));
    sql
}

/// Before the partitions, which then get theirs by themselves.
fn indexes(ground: &Ground<'_>, shell: &TableName) -> Result<Vec<String>> {
    let mut sql = Vec::new();
    for index in ground.subject.indexes.iter().filter(|index| ground.record.index(&index.name).is_some()) {
        let fate = assess::fate(index, ground.policy);
        let name = Ident::new(ground.names(index)?.shell.as_str());
        let widen = |text: &str| {
            let wider = if fate == Fate::Gains {
                definition::with_column(text, &ground.policy.key)
            } else {
                Some(text.to_owned())
            };
            wider.ok_or_else(|| odd(text))
        };
        let qualified = ground.table(name.raw());
        if let Some(definition) = &index.constraint_definition {
            sql.push(format!("ALTER TABLE {shell} ADD CONSTRAINT {name} {};", widen(definition)?));
        } else {
            let tail = definition::index_tail(&index.definition).ok_or_else(|| odd(&index.definition))?;
            let unique = if index.unique { "UNIQUE " } else { "" };
            sql.push(format!("CREATE {unique}INDEX {name} ON {shell} {};", widen(tail)?));
        }
        if let Some(space) = &index.tablespace {
            sql.push(format!("ALTER INDEX {qualified} SET TABLESPACE {};", Ident::new(space.as_str())));
        }
        if let Some(comment) = &index.comment {
            sql.push(format!("COMMENT ON INDEX {qualified} IS {};", Literal(comment)));
        }
        if let Some(comment) = &index.constraint_comment {
            sql.push(format!("COMMENT ON CONSTRAINT {name} ON {shell} IS {};", Literal(comment)));
        }
    }
    Ok(sql)
}

/// Those from the history's end to the policy's horizon, at least one.
fn partitions(ground: &Ground<'_>, shell: &TableName) -> Vec<String> {
    let (policy, facts) = (ground.policy, &ground.subject.facts);
    let horizon = ground.grid.horizon(ground.now.max(0), policy.ahead).unwrap_or(ground.upper);
    let template = policy.name.clone().unwrap_or_else(|| Template::of(policy.every));
    let mut taken = facts.names.iter().cloned().collect();
    let mut sql = Vec::new();
    let mut edge = ground.upper;
    while let Some(next) = ground.grid.next(edge) {
        if edge > ground.upper && edge >= horizon {
            break;
        }
        if let Some(range) = Range::new(Edge::At(edge), Edge::At(next)) {
            let name = template.name(ground.subject.table.name.raw(), range, &ground.grid.axis);
            let bounds = format!(
                "FROM ({}) TO ({})",
                Literal(&ground.grid.axis.literal(edge)),
                Literal(&ground.grid.axis.literal(next))
            );
            sql.extend(partition(
                ground,
                shell,
                &ground.table(&free_name(&name, &mut taken)),
                &format!("FOR VALUES {bounds}"),
            ));
        }
        edge = next;
    }
    if policy.default_partition == DefaultRule::Require {
        let base = crate::partitions::likeness::suffixed(ground.subject.table.name.raw(), "_default");
        sql.extend(partition(ground, shell, &ground.table(&free_name(&base, &mut taken)), "DEFAULT"));
    }
    sql
}

fn partition(ground: &Ground<'_>, shell: &TableName, name: &TableName, bounds: &str) -> Vec<String> {
    let (policy, facts) = (ground.policy, &ground.subject.facts);
    let (own, toast) = if policy.clone.reloptions {
        (facts.options.as_slice(), facts.toast_options.as_slice())
    } else {
        (&[][..], &[][..])
    };
    let mut sql = vec![format!(
        "CREATE TABLE {name} PARTITION OF {shell} {bounds}{};",
        with_options(own, toast, &policy.storage)
    )];
    if policy.clone.owner {
        sql.push(format!("ALTER TABLE {name} OWNER TO {};", Ident::new(facts.owner.as_str())));
    }
    if policy.clone.grants {
        sql.extend(ground.subject.grants.statements(&name.to_string(), &facts.owner));
    }
    if let Some(identity) = replica_identity(&facts.replica_identity).filter(|_| policy.clone.replica_identity) {
        sql.push(format!("ALTER TABLE {name} REPLICA IDENTITY {identity};"));
    }
    // The table's policies hold for what goes through it. Straight into the partition: nobody.
    if policy.clone.row_security && facts.row_security {
        sql.push(format!("ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;"));
        if facts.force_row_security {
            sql.push(format!("ALTER TABLE {name} FORCE ROW LEVEL SECURITY;"));
        }
    }
    for columns in &policy.child_unique {
        let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
        sql.push(format!("CREATE UNIQUE INDEX ON {name} ({});", columns.join(", ")));
    }
    sql
}

/// The history's own are taken for these in the exchange: they say the same.
fn foreign_keys(ground: &Ground<'_>, shell: &TableName) -> Vec<String> {
    let own = |c: &&Constraint| c.kind == "f" && c.inbound != Some(true);
    let keys = ground.subject.constraints.iter().filter(own);
    keys.map(|c| format!("ALTER TABLE {shell} ADD CONSTRAINT {} {};", Ident::new(c.name.as_str()), c.definition))
        .collect()
}

fn actions(ground: &Ground<'_>, shell: &TableName) -> Result<Vec<String>> {
    let (facts, actions) = (&ground.subject.facts, &ground.subject.actions);
    let mut sql = Vec::new();
    if facts.row_security {
        sql.push(format!("ALTER TABLE {shell} ENABLE ROW LEVEL SECURITY;"));
    }
    if facts.force_row_security {
        sql.push(format!("ALTER TABLE {shell} FORCE ROW LEVEL SECURITY;"));
    }
    for policy in actions.policies.iter().filter(|policy| !names_itself(policy, &facts.shown)) {
        sql.extend(row_policy(policy, shell));
    }
    for trigger in &actions.triggers {
        sql.extend(self::trigger(trigger, &facts.shown, shell)?);
    }
    Ok(sql)
}

/// A policy that looks into its own table must be said when the new table has its name.
pub(super) fn names_itself(policy: &RowPolicy, shown: &str) -> bool {
    [&policy.using, &policy.check].into_iter().flatten().any(|text| text.contains(shown))
}

/// A policy as a statement, with its comment.
pub(super) fn row_policy(policy: &RowPolicy, table: &TableName) -> Vec<String> {
    let name = Ident::new(policy.name.as_str());
    let roles: Vec<String> = policy.roles.iter().map(|role| Ident::new(role.as_str()).to_string()).collect();
    let command = match policy.command.as_str() {
        "r" => "SELECT",
        "a" => "INSERT",
        "w" => "UPDATE",
        "d" => "DELETE",
        _ => "ALL",
    };
    let mut sql = format!(
        "CREATE POLICY {name} ON {table} AS {} FOR {command} TO {}",
        if policy.permissive { "PERMISSIVE" } else { "RESTRICTIVE" },
        if roles.is_empty() { role_sql(None) } else { roles.join(", ") }
    );
    if let Some(using) = &policy.using {
        sql.push_str(&format!(" USING ({using})"));
    }
    if let Some(check) = &policy.check {
        sql.push_str(&format!(" WITH CHECK ({check})"));
    }
    let mut statements = vec![sql + ";"];
    if let Some(comment) = &policy.comment {
        statements.push(format!("COMMENT ON POLICY {name} ON {table} IS {};", Literal(comment)));
    }
    statements
}

fn trigger(trigger: &Trigger, shown: &str, shell: &TableName) -> Result<Vec<String>> {
    let name = Ident::new(trigger.name.as_str());
    let sql = definition::trigger_on(&trigger.definition, shown, &shell.to_string())
        .ok_or_else(|| odd(&trigger.definition))?;
    let mut statements = vec![sql + ";"];
    let word = match trigger.enabled.as_str() {
        "D" => Some("DISABLE"),
        "A" => Some("ENABLE ALWAYS"),
        "R" => Some("ENABLE REPLICA"),
        _ => None,
    };
    if let Some(word) = word {
        statements.push(format!("ALTER TABLE {shell} {word} TRIGGER {name};"));
    }
    if let Some(comment) = &trigger.comment {
        statements.push(format!("COMMENT ON TRIGGER {name} ON {shell} IS {};", Literal(comment)));
    }
    Ok(statements)
}

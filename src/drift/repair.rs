//! What could be done about a difference, as SQL to be read by a person: never run. Only where it is simple
//! to word; what would destroy something is a comment. Pure.

use super::compare::{Difference, What};
use super::names::{outermost, parts};
use crate::ident::{Ident, Literal, TableName};
use crate::schema::acl;
use crate::schema::{Id, Kind, Object, Property, Snapshot, Value};

/// The SQL that would bring the database to what is expected, or nothing.
pub fn repair(difference: &Difference, expected: &Snapshot) -> Option<String> {
    match &difference.what {
        // It is its table's, and goes with that one only.
        What::Extra(whole)
            if whole.object.id.kind == Kind::Trigger && words(&whole.object, Property::Definition).is_none() =>
        {
            None
        }
        What::Extra(_) => dropping(&difference.id).map(|sql| format!("-- destroys, look first: {sql}")),
        What::Missing(whole) => creating(&whole.object, expected).map(|sql| with_parts(sql, &whole.object, expected)),
        What::Renamed { to } => renaming(&difference.id, to),
        What::Changed { property, expected: value, actual } => {
            changing(&difference.id, *property, value.as_ref(), actual.as_ref(), expected)
        }
    }
}

/// `app.t` as SQL, whatever the id left bare.
fn qualified(name: &str) -> String {
    parts(name).into_iter().map(|part| Ident::new(part).to_string()).collect::<Vec<_>>().join(".")
}

/// The table that a part is of.
fn table(id: &Id) -> String {
    qualified(&outermost(id).name)
}

/// A part's own name.
fn own(id: &Id) -> Ident {
    Ident::new(parts(&id.name).pop().unwrap_or_default())
}

/// An index or another relation in the schema of its table.
fn beside_table(id: &Id, name: &str) -> String {
    let schema = parts(&outermost(id).name).into_iter().next().unwrap_or_default();
    TableName::new(schema, parts(name).pop().unwrap_or_default()).to_string()
}

/// `TABLE app.t`, `CONSTRAINT c ON app.t`: how COMMENT and DROP call it.
fn called(id: &Id) -> Option<String> {
    let name = &id.name;
    Some(match id.kind {
        Kind::Database | Kind::RoleSetting | Kind::DefaultPrivileges => return None,
        Kind::Column | Kind::Attribute => format!("COLUMN {}.{}", table(id), own(id)),
        Kind::Index => format!("INDEX {}", beside_table(id, name)),
        Kind::Trigger | Kind::ConstraintTrigger => format!("TRIGGER {} ON {}", own(id), table(id)),
        Kind::Rule => format!("RULE {} ON {}", own(id), table(id)),
        Kind::Policy => format!("POLICY {} ON {}", own(id), table(id)),
        kind if is_constraint(kind) => {
            let of = if outermost(id).kind == Kind::Domain { "DOMAIN " } else { "" };
            format!("CONSTRAINT {} ON {of}{}", own(id), table(id))
        }
        kind => format!("{} {}", keyword(kind)?, with_signature(kind, name)),
    })
}

fn is_constraint(kind: Kind) -> bool {
    matches!(kind, Kind::PrimaryKey | Kind::Unique | Kind::Exclusion | Kind::Check | Kind::ForeignKey)
}

fn keyword(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Extension => "EXTENSION",
        Kind::Schema => "SCHEMA",
        Kind::Language => "LANGUAGE",
        Kind::Collation => "COLLATION",
        Kind::Enum | Kind::Composite | Kind::Range | Kind::BaseType => "TYPE",
        Kind::Domain => "DOMAIN",
        Kind::Function | Kind::WindowFunction => "FUNCTION",
        Kind::Procedure => "PROCEDURE",
        Kind::Aggregate => "AGGREGATE",
        Kind::Sequence => "SEQUENCE",
        Kind::Table => "TABLE",
        Kind::ForeignTable => "FOREIGN TABLE",
        Kind::View => "VIEW",
        Kind::MaterializedView => "MATERIALIZED VIEW",
        Kind::Statistics => "STATISTICS",
        Kind::ForeignDataWrapper => "FOREIGN DATA WRAPPER",
        Kind::Server => "SERVER",
        Kind::Publication => "PUBLICATION",
        Kind::Subscription => "SUBSCRIPTION",
        Kind::EventTrigger => "EVENT TRIGGER",
        _ => return None,
    })
}

/// Functions keep the types that they are called with.
fn with_signature(kind: Kind, name: &str) -> String {
    let has_signature = matches!(kind, Kind::Function | Kind::Procedure | Kind::Aggregate | Kind::WindowFunction);
    match name.split_once('(').filter(|_| has_signature) {
        Some((name, types)) => format!("{}({types}", qualified(name)),
        None => qualified(name),
    }
}

fn dropping(id: &Id) -> Option<String> {
    Some(match id.kind {
        Kind::Column => format!("ALTER TABLE {} DROP COLUMN {};", table(id), own(id)),
        Kind::Attribute => format!("ALTER TYPE {} DROP ATTRIBUTE {};", table(id), own(id)),
        // It goes with its functions only, which nobody should be told to do in passing.
        Kind::BaseType => return None,
        Kind::Index => format!("DROP INDEX CONCURRENTLY {};", beside_table(id, &id.name)),
        kind if is_constraint(kind) => {
            let kind = if outermost(id).kind == Kind::Domain { "DOMAIN" } else { "TABLE" };
            format!("ALTER {kind} {} DROP CONSTRAINT {};", table(id), own(id))
        }
        _ => format!("DROP {};", called(id)?),
    })
}

fn renaming(id: &Id, to: &str) -> Option<String> {
    let wanted = own(id);
    let now = Ident::new(parts(to).pop().unwrap_or_default());
    Some(match id.kind {
        Kind::Index => format!("ALTER INDEX {} RENAME TO {wanted};", beside_table(id, to)),
        Kind::Trigger => format!("ALTER TRIGGER {now} ON {} RENAME TO {wanted};", table(id)),
        kind if is_constraint(kind) => format!("ALTER TABLE {} RENAME CONSTRAINT {now} TO {wanted};", table(id)),
        _ => return None,
    })
}

fn words(object: &Object, property: Property) -> Option<&str> {
    match object.get(property) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

fn list(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::List(items)) => items.iter().map(AsRef::as_ref).collect(),
        Some(Value::Text(text)) => vec![text],
        _ => Vec::new(),
    }
}

/// The object with all that is said of it; what there is no SQL for here stands in a comment.
fn creating(object: &Object, expected: &Snapshot) -> Option<String> {
    let mut lines = vec![created(object, expected)?];
    let mut by_hand = Vec::new();
    for (property, value) in object.properties.iter().filter(|(property, _)| !is_created(object.id.kind, **property)) {
        match changing(&object.id, *property, Some(value), None, expected) {
            Some(sql) => lines.push(sql),
            None => by_hand.push(property.word()),
        }
    }
    lines.extend((!by_hand.is_empty()).then(|| format!("-- by hand: {}", by_hand.join(", "))));
    Some(lines.join("\n"))
}

/// And what it is made of.
fn with_parts(mut sql: String, object: &Object, expected: &Snapshot) -> String {
    let id = object.id.to_string();
    for part in expected.objects.iter().filter(|part| part.id.parent.as_deref() == Some(&id)) {
        let more = if object.id.kind == Kind::View && part.id.kind == Kind::Column {
            let of_column =
                |(property, value): (&Property, &Value)| changing(&part.id, *property, Some(value), None, expected);
            part.properties.iter().map(of_column).collect::<Option<Vec<String>>>().map(|lines| lines.join("\n"))
        } else {
            creating(part, expected).map(|sql| with_parts(sql, part, expected))
        };
        sql.push('\n');
        sql.push_str(&more.unwrap_or_else(|| format!("-- by hand: {} {}", part.id.kind.word(), part.id.name)));
    }
    sql
}

/// Whether a property is in the SQL of [`created`].
fn is_created(kind: Kind, property: Property) -> bool {
    match kind {
        Kind::Extension => matches!(property, Property::Schema | Property::Version | Property::Relocatable),
        Kind::Enum => property == Property::Labels,
        Kind::Column => {
            matches!(property, Property::Type | Property::Default | Property::NotNull | Property::Collation)
        }
        Kind::Attribute => matches!(property, Property::Type | Property::Collation),
        Kind::Policy => matches!(
            property,
            Property::Roles | Property::Permissive | Property::Commands | Property::Using | Property::WithCheck
        ),
        Kind::Schema => false,
        Kind::View => matches!(property, Property::Definition | Property::ReplicaIdentity),
        kind if is_constraint(kind) => matches!(property, Property::Definition | Property::Validated),
        _ => property == Property::Definition,
    }
}

fn created(object: &Object, expected: &Snapshot) -> Option<String> {
    let id = &object.id;
    let definition = words(object, Property::Definition);
    Some(match id.kind {
        Kind::Schema => format!("CREATE SCHEMA {};", qualified(&id.name)),
        Kind::Extension => {
            let schema = Ident::new(words(object, Property::Schema)?);
            let version = words(object, Property::Version).map(|version| format!(" VERSION {}", Literal(version)));
            format!("CREATE EXTENSION {} SCHEMA {schema}{};", qualified(&id.name), version.unwrap_or_default())
        }
        Kind::Attribute => {
            let of_type = words(object, Property::Type)?;
            let collation = collation(object);
            format!("ALTER TYPE {} ADD ATTRIBUTE {} {of_type}{collation};", table(id), own(id))
        }
        Kind::Enum => {
            let labels: Vec<String> =
                list(object.get(Property::Labels)).into_iter().map(|label| Literal(label).to_string()).collect();
            format!("CREATE TYPE {} AS ENUM ({});", qualified(&id.name), labels.join(", "))
        }
        Kind::View => format!("CREATE VIEW {} AS\n{}", qualified(&id.name), with_end(definition?)),
        Kind::Statistics => with_end(definition?),
        Kind::Column => {
            let mut column = format!("{} {}{}", own(id), words(object, Property::Type)?, collation(object));
            let is_special = [Property::Identity, Property::Generated].iter().any(|p| object.get(*p).is_some());
            if is_special {
                return None;
            }
            if let Some(default) = words(object, Property::Default) {
                column.push_str(&format!(" DEFAULT {default}"));
            }
            if object.get(Property::NotNull) == Some(&Value::Bool(true)) {
                column.push_str(" NOT NULL");
            }
            format!("ALTER TABLE {} ADD COLUMN {column};", table(id))
        }
        Kind::Index => {
            let definition = definition?;
            let (unique, rest) = match definition.strip_prefix("UNIQUE ") {
                Some(rest) => ("UNIQUE ", rest),
                None => ("", definition),
            };
            let of = expected.object(&outermost(id));
            // A partitioned table's index is made with its partitions' indexes.
            let how = if of.is_some_and(|of| of.get(Property::PartitionKey).is_some()) { "" } else { "CONCURRENTLY " };
            format!("CREATE {unique}INDEX {how}IF NOT EXISTS {} ON {} {rest};", own(id), table(id))
        }
        Kind::Check | Kind::ForeignKey if outermost(id).kind == Kind::Table => {
            let (table, name) = (table(id), own(id));
            let definition = definition?.trim_end_matches(" NOT VALID");
            format!(
                "ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID;\n\
                 ALTER TABLE {table} VALIDATE CONSTRAINT {name};"
            )
        }
        Kind::PrimaryKey | Kind::Unique | Kind::Exclusion => {
            format!("ALTER TABLE {} ADD CONSTRAINT {} {};", table(id), own(id), definition?)
        }
        Kind::Trigger => format!("CREATE TRIGGER {} {};", own(id), definition?),
        Kind::Policy => {
            let roles = list(object.get(Property::Roles)).join(", ");
            let mut sql = format!("CREATE POLICY {} ON {}", own(id), table(id));
            if object.get(Property::Permissive) == Some(&Value::Bool(false)) {
                sql.push_str(" AS RESTRICTIVE");
            }
            if let Some(commands) = words(object, Property::Commands) {
                sql.push_str(&format!(" FOR {commands}"));
            }
            if !roles.is_empty() {
                sql.push_str(&format!(" TO {roles}"));
            }
            format!("{sql}{};", conditions(words(object, Property::Using), words(object, Property::WithCheck)))
        }
        _ => return None,
    })
}

fn collation(object: &Object) -> String {
    words(object, Property::Collation).map(|name| format!(" COLLATE {}", qualified(name))).unwrap_or_default()
}

fn conditions(using: Option<&str>, check: Option<&str>) -> String {
    let using = using.map(|using| format!(" USING ({using})")).unwrap_or_default();
    using + &check.map(|check| format!(" WITH CHECK ({check})")).unwrap_or_default()
}

fn with_end(definition: &str) -> String {
    format!("{};", definition.trim_end().trim_end_matches(';'))
}

fn changing(
    id: &Id,
    property: Property,
    expected: Option<&Value>,
    actual: Option<&Value>,
    of: &Snapshot,
) -> Option<String> {
    let text = expected.map(ToString::to_string);
    match property {
        Property::Comment => {
            let comment = text.map_or("NULL".to_owned(), |text| Literal(&text).to_string());
            return Some(format!("COMMENT ON {} IS {comment};", called(id)?));
        }
        // An extension keeps the owner that made it.
        Property::Owner if id.kind == Kind::Extension => return None,
        Property::Owner => {
            return Some(format!("ALTER {} OWNER TO {};", called(id)?, Ident::new(text?)));
        }
        Property::Privileges => return privileges(id, expected, actual),
        _ => {}
    }
    match id.kind {
        Kind::Column => column(id, property, text.or_else(|| of_parent(id, property, of)).as_deref()),
        Kind::Statistics if property == Property::StatisticsTarget => {
            let target = text.as_deref().unwrap_or("-1");
            Some(format!("ALTER STATISTICS {} SET STATISTICS {target};", qualified(&id.name)))
        }
        Kind::Table | Kind::MaterializedView | Kind::View => relation(id, property, expected, actual, of),
        Kind::Index => index(id, property, expected, actual),
        Kind::Trigger => {
            let how = match text.as_deref() {
                None => "ENABLE",
                Some("no") => "DISABLE",
                Some("replica") => "ENABLE REPLICA",
                Some("always") => "ENABLE ALWAYS",
                Some(_) => return None,
            };
            (property == Property::Enabled).then(|| format!("ALTER TABLE {} {how} TRIGGER {};", table(id), own(id)))
        }
        Kind::Policy if matches!(property, Property::Using | Property::WithCheck) => {
            let clause = if property == Property::Using { "USING" } else { "WITH CHECK" };
            Some(format!("ALTER POLICY {} ON {} {clause} ({});", own(id), table(id), text?))
        }
        Kind::Extension if property == Property::Version => {
            Some(format!("ALTER EXTENSION {} UPDATE TO {};", qualified(&id.name), Literal(&text?)))
        }
        Kind::Sequence => {
            let word = match property {
                Property::Increment => "INCREMENT BY",
                Property::MinValue => "MINVALUE",
                Property::MaxValue => "MAXVALUE",
                Property::Cache => "CACHE",
                _ => return None,
            };
            Some(format!("ALTER SEQUENCE {} {word} {};", qualified(&id.name), text?))
        }
        Kind::Enum if property == Property::Labels => new_labels(id, &list(expected), &list(actual)),
        Kind::Domain if property == Property::Default => Some(match text {
            Some(default) => format!("ALTER DOMAIN {} SET DEFAULT {default};", qualified(&id.name)),
            None => format!("ALTER DOMAIN {} DROP DEFAULT;", qualified(&id.name)),
        }),
        kind if is_constraint(kind) && property == Property::Validated && expected.is_none() => {
            Some(format!("ALTER TABLE {} VALIDATE CONSTRAINT {};", table(id), own(id)))
        }
        _ => None,
    }
}

/// What a partition's column has where nothing is said of it: the same as in the partitioned table.
fn of_parent(id: &Id, property: Property, of: &Snapshot) -> Option<String> {
    let parent = words(of.object(&outermost(id))?, Property::PartitionOf)?;
    let table = Id { parent: None, kind: Kind::Table, name: parent.into() };
    let column = Id { parent: Some(table.to_string().into()), kind: Kind::Column, name: id.name.clone() };
    of.object(&column)?.get(property).map(ToString::to_string)
}

fn column(id: &Id, property: Property, expected: Option<&str>) -> Option<String> {
    let alter = format!("ALTER TABLE {} ALTER COLUMN {}", table(id), own(id));
    Some(match (property, expected) {
        (Property::Default, Some(default)) => format!("{alter} SET DEFAULT {default};"),
        (Property::Default, None) => format!("{alter} DROP DEFAULT;"),
        (Property::NotNull, Some(_)) => format!("{alter} SET NOT NULL;"),
        (Property::NotNull, None) => format!("{alter} DROP NOT NULL;"),
        (Property::StatisticsTarget, target) => format!("{alter} SET STATISTICS {};", target.unwrap_or("-1")),
        (Property::Compression, method) => format!("{alter} SET COMPRESSION {};", method.unwrap_or("default")),
        (Property::Storage, Some(storage)) => format!("{alter} SET STORAGE {storage};"),
        (Property::Type, Some(to)) => format!("-- may rewrite the table or lose what does not fit: {alter} TYPE {to};"),
        _ => return None,
    })
}

fn relation(
    id: &Id,
    property: Property,
    expected: Option<&Value>,
    actual: Option<&Value>,
    of: &Snapshot,
) -> Option<String> {
    let alter = format!("ALTER {}", called(id)?);
    let is_on = expected == Some(&Value::Bool(true));
    Some(match property {
        Property::RowSecurity => format!("{alter} {} ROW LEVEL SECURITY;", if is_on { "ENABLE" } else { "DISABLE" }),
        Property::ForceRowSecurity => format!("{alter} {}FORCE ROW LEVEL SECURITY;", if is_on { "" } else { "NO " }),
        Property::ReplicaIdentity => {
            let to = match expected.map(ToString::to_string).as_deref() {
                None => "DEFAULT".to_owned(),
                Some("full") => "FULL".to_owned(),
                Some("nothing") => "NOTHING".to_owned(),
                Some(index) => format!("USING INDEX {}", Ident::new(index.strip_prefix("index ")?)),
            };
            format!("{alter} REPLICA IDENTITY {to};")
        }
        Property::Options => options(&alter, expected, actual)?,
        Property::Definition if id.kind == Kind::View => {
            format!("CREATE OR REPLACE VIEW {} AS\n{}", qualified(&id.name), with_end(&expected?.to_string()))
        }
        Property::Lacks => attached_indexes(id, actual, of)?,
        _ => return None,
    })
}

fn options(alter: &str, expected: Option<&Value>, actual: Option<&Value>) -> Option<String> {
    let (expected, actual) = (list(expected), list(actual));
    let key = |option: &str| option.split('=').next().unwrap_or_default().to_owned();
    let set: Vec<&str> = expected.iter().filter(|option| !actual.contains(option)).copied().collect();
    let reset: Vec<String> =
        actual.iter().map(|o| key(o)).filter(|name| !expected.iter().any(|o| key(o) == *name)).collect();
    let mut lines = Vec::new();
    lines.extend((!set.is_empty()).then(|| format!("{alter} SET ({});", set.join(", "))));
    lines.extend((!reset.is_empty()).then(|| format!("{alter} RESET ({});", reset.join(", "))));
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The indexes that a partition lacks, made without a long lock and attached.
fn attached_indexes(id: &Id, lacks: Option<&Value>, of: &Snapshot) -> Option<String> {
    let lines: Vec<String> = list(lacks)
        .into_iter()
        .filter_map(|name| {
            let index = of.objects.iter().find(|o| o.id.kind == Kind::Index && own(&o.id).raw() == name)?;
            let definition = words(index, Property::Definition)?;
            let (unique, rest) = definition.strip_prefix("UNIQUE ").map_or(("", definition), |rest| ("UNIQUE ", rest));
            let partition = own(id);
            let mut new = format!("{}_{name}", partition.raw());
            new.truncate((0..=63).rev().find(|at| new.is_char_boundary(*at)).unwrap_or(0));
            let new = Ident::new(new);
            let schema = parts(&id.name).into_iter().next()?;
            Some(format!(
                "CREATE {unique}INDEX CONCURRENTLY {new} ON {} {rest};\nALTER INDEX {} ATTACH PARTITION {};",
                qualified(&id.name),
                beside_table(&index.id, name),
                TableName::new(schema, new.raw()),
            ))
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn index(id: &Id, property: Property, expected: Option<&Value>, actual: Option<&Value>) -> Option<String> {
    let name = beside_table(id, &id.name);
    match property {
        Property::Valid | Property::Ready if expected.is_none() => Some(format!("REINDEX INDEX CONCURRENTLY {name};")),
        Property::Options => options(&format!("ALTER INDEX {name}"), expected, actual),
        _ => None,
    }
}

fn new_labels(id: &Id, expected: &[&str], actual: &[&str]) -> Option<String> {
    if actual.iter().any(|label| !expected.contains(label)) {
        return None;
    }
    let mut lines = Vec::new();
    for (at, label) in expected.iter().enumerate().filter(|(_, label)| !actual.contains(label)) {
        let place = match at.checked_sub(1).and_then(|before| expected.get(before)) {
            Some(before) => format!("AFTER {}", Literal(before)),
            None => format!("BEFORE {}", Literal(actual.first()?)),
        };
        lines.push(format!("ALTER TYPE {} ADD VALUE {} {place};", qualified(&id.name), Literal(label)));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Lines `role: SELECT, INSERT*`, as GRANT and REVOKE of what differs.
fn privileges(id: &Id, expected: Option<&Value>, actual: Option<&Value>) -> Option<String> {
    let usual: &[&str] = match id.kind {
        Kind::Schema if &*id.name == "public" => &["PUBLIC: USAGE"],
        kind => acl::usual(kind),
    };
    let of = |value: Option<&Value>| -> Vec<(String, Vec<String>)> {
        let lines = if value.is_some() { list(value) } else { usual.to_vec() };
        let split = |line: &str| {
            let (role, rights) = line.rsplit_once(": ")?;
            Some((role.to_owned(), rights.split(", ").map(str::to_owned).collect()))
        };
        lines.into_iter().filter_map(split).filter(|(role, _)| role != "(owner)").collect()
    };
    let (expected, actual) = (of(expected), of(actual));
    let lacking = |from: &[(String, Vec<String>)], than: &[(String, Vec<String>)]| -> Vec<(String, Vec<String>)> {
        from.iter()
            .filter_map(|(role, rights)| {
                let there = than.iter().find(|(other, _)| other == role).map(|(_, rights)| rights.as_slice());
                let rights: Vec<String> =
                    rights.iter().filter(|right| !there.unwrap_or_default().contains(right)).cloned().collect();
                (!rights.is_empty()).then(|| (role.clone(), rights))
            })
            .collect()
    };
    let mut lines = Vec::new();
    for (role, rights) in lacking(&actual, &expected) {
        let rights: Vec<&str> = rights.iter().map(|right| right.trim_end_matches('*')).collect();
        lines.push(format!("REVOKE {} FROM {};", granted(id, &rights)?, grantee(&role)));
    }
    for (role, rights) in lacking(&expected, &actual) {
        for option in [false, true] {
            let rights: Vec<&str> = rights
                .iter()
                .filter(|right| right.ends_with('*') == option)
                .map(|right| right.trim_end_matches('*'))
                .collect();
            if !rights.is_empty() {
                let option = if option { " WITH GRANT OPTION" } else { "" };
                lines.push(format!("GRANT {} TO {}{option};", granted(id, &rights)?, grantee(&role)));
            }
        }
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn grantee(role: &str) -> String {
    if role == "PUBLIC" { role.to_owned() } else { Ident::new(parts(role).join(".")).to_string() }
}

fn granted(id: &Id, rights: &[&str]) -> Option<String> {
    let on = match id.kind {
        Kind::Column => {
            let rights: Vec<String> = rights.iter().map(|right| format!("{right} ({})", own(id))).collect();
            return Some(format!("{} ON {}", rights.join(", "), table(id)));
        }
        Kind::Table | Kind::View | Kind::MaterializedView | Kind::ForeignTable => {
            format!("TABLE {}", qualified(&id.name))
        }
        Kind::Server => format!("FOREIGN SERVER {}", qualified(&id.name)),
        Kind::Database | Kind::DefaultPrivileges => return None,
        _ => called(id)?,
    };
    Some(format!("{} ON {on}", rights.join(", ")))
}

#[cfg(test)]
#[path = "repair_tests.rs"]
mod tests;

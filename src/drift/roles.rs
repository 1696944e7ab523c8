//! Roles belong to the server, not to the database: the same one may have another name where the expected
//! schema was made. Pure.

use crate::schema::acl::merged;
use crate::schema::model::bare;
use crate::schema::{Id, Kind, Object, Property, Snapshot, Value};

/// The schema with its roles under the names that they have elsewhere; pairs of here and there.
pub fn mapped(snapshot: Snapshot, roles: &[(String, String)]) -> Snapshot {
    if roles.iter().all(|(here, there)| here == there) {
        return snapshot;
    }
    let Snapshot { origin, objects } = snapshot;
    Snapshot::new(origin, objects.into_iter().map(|object| of_object(object, roles)).collect())
}

/// Who made a schema, as far as its migration history tells: its owner.
pub fn owner_of_history(snapshot: &Snapshot) -> Option<String> {
    let is_history = |object: &&Object| {
        object.id.kind == Kind::Table
            && object.id.parent.is_none()
            && object.id.name.ends_with(".refinery_schema_history")
    };
    match snapshot.objects.iter().find(is_history)?.get(Property::Owner)? {
        Value::Text(owner) => Some(owner.to_string()),
        _ => None,
    }
}

fn there<'a>(role: &'a str, roles: &'a [(String, String)]) -> &'a str {
    roles.iter().find(|(here, _)| here == role).map_or(role, |(_, there)| there)
}

fn of_object(mut object: Object, roles: &[(String, String)]) -> Object {
    if let Some(Value::Text(owner)) = object.properties.get_mut(&Property::Owner) {
        *owner = there(owner, roles).into();
    }
    let owner = match object.get(Property::Owner) {
        Some(Value::Text(owner)) => Some(owner.to_string()),
        _ => None,
    };
    let kind = object.id.kind;
    if let Some(Value::List(mut lines)) = object.properties.remove(&Property::Privileges) {
        for line in &mut lines {
            let Some((grantee, rights)) = line.rsplit_once(": ") else { continue };
            let there = roles.iter().find(|(here, _)| bare(here) == grantee).map(|(_, there)| bare(there));
            let name = there.as_deref().unwrap_or(grantee);
            // Who owns it now has what was given to him by that name.
            let is_owner = owner.as_deref().is_some_and(|owner| bare(owner) == name);
            *line = format!("{}: {rights}", if is_owner { "(owner)" } else { name }).into();
        }
        let lines = merged(kind, &lines);
        object.properties.extend(lines.map(|lines| (Property::Privileges, Value::List(lines))));
    }
    if let Some(Value::List(names)) = object.properties.get_mut(&Property::Roles) {
        names.iter_mut().for_each(|name| *name = there(name, roles).into());
        names.sort();
    }
    if object.id.parent.is_none() && matches!(object.id.kind, Kind::RoleSetting | Kind::DefaultPrivileges) {
        object.id = of_id(&object.id, roles);
    }
    object
}

/// `role`, `role tables` and `schema.role tables`.
fn of_id(id: &Id, roles: &[(String, String)]) -> Id {
    for (here, there) in roles {
        let (here, there) = (bare(here), bare(there));
        let (name, suffix) = match id.kind {
            Kind::RoleSetting => (&*id.name, ""),
            _ => id.name.rfind('"').map_or_else(
                || id.name.split_at(id.name.find(' ').unwrap_or(id.name.len())),
                |quote| id.name.split_at(id.name[quote..].find(' ').map_or(id.name.len(), |at| quote + at)),
            ),
        };
        let schema = name.strip_suffix(here.as_str());
        if let Some(schema) = schema.filter(|schema| schema.is_empty() || schema.ends_with('.')) {
            return Id { parent: None, kind: id.kind, name: format!("{schema}{there}{suffix}").into() };
        }
    }
    id.clone()
}

#[cfg(test)]
mod tests {
    use super::super::compare::tests::{object, snapshot};
    use super::*;

    #[test]
    fn a_role_is_renamed_wherever_it_stands() {
        let mut table = object("table:app.t", &[(Property::Owner, "deploy")]);
        let lines =
            ["(owner): ALL", "\"own er\": SELECT", "App: SELECT", "\"App\": INSERT", "reader: SELECT"].map(Into::into);
        table.properties.insert(Property::Privileges, Value::List(lines.into()));
        let mut policy = object("table:app.t/policy:p", &[]);
        policy.properties.insert(Property::Roles, Value::List(vec!["App".into()]));
        let others = [
            object("role_setting:deploy", &[]),
            object("default_privileges:deploy tables", &[]),
            object("default_privileges:app.deploy tables", &[]),
            object("default_privileges:app.\"App\" large objects", &[]),
        ];
        let before = snapshot([&[table, policy][..], &others].concat());
        let roles = [("deploy".to_owned(), "own er".to_owned()), ("App".to_owned(), "web".to_owned())];
        let after = mapped(before, &roles);
        let shown = |property| after.objects.iter().find_map(|object| object.get(property)).map(ToString::to_string);
        assert_eq!(shown(Property::Owner).unwrap(), "own er");
        assert_eq!(shown(Property::Privileges).unwrap(), "(owner): ALL\nApp: SELECT\nreader: SELECT\nweb: INSERT");
        assert_eq!(shown(Property::Roles).unwrap(), "web");
        let ids: Vec<String> = after.objects.iter().take(4).map(|object| object.id.to_string()).collect();
        assert_eq!(
            ids,
            [
                "role_setting:\"own er\"",
                "default_privileges:\"own er\" tables",
                "default_privileges:app.\"own er\" tables",
                "default_privileges:app.web large objects"
            ]
        );
    }
}

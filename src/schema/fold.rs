//! What is the same is made to look the same: definitions without the names that stand in them,
//! lists without an order in one order, privileges in words, the usual ones left out. Pure.

use super::model::{Kind, Object, Property, Value};
use super::printed::with_cast_elements;
use super::{acl, viewdef};

/// What the server prints from parsed expressions.
const EXPRESSIONS: [Property; 8] = [
    Property::Definition,
    Property::Default,
    Property::Generated,
    Property::Using,
    Property::WithCheck,
    Property::PartitionKey,
    Property::Bound,
    Property::Body,
];

/// Folds one object as the catalog has it. `name` is its own name, `table` the schema and name of the
/// table that it is a part of.
pub fn fold(object: &mut Object, name: &str, table: Option<(&str, &str)>) {
    privileges(object, name);
    for property in [Property::Options, Property::ToastOptions, Property::Roles, Property::Tables, Property::Schemas] {
        if let Some(Value::List(items)) = object.properties.get_mut(&property) {
            items.sort();
        }
    }
    definition(object, name, table);
    expressions(object);
    if object.get(Property::Validated) == Some(&Value::Bool(false))
        && let Some(Value::Text(text)) = object.properties.get_mut(&Property::Definition)
        && let Some(rest) = text.strip_suffix(" NOT VALID")
    {
        *text = rest.into();
    }
}

/// A view's query as servers since 16 print it.
pub fn as_printed_since_16(object: &mut Object) {
    if matches!(object.id.kind, Kind::View | Kind::MaterializedView)
        && let Some(Value::Text(query)) = object.properties.get_mut(&Property::Definition)
        && let Some(plain) = viewdef::unqualified(query)
    {
        *query = plain.into();
    }
}

fn privileges(object: &mut Object, name: &str) {
    let Some(Value::List(items)) = object.properties.remove(&Property::Privileges) else { return };
    let lines = if object.id.kind == Kind::DefaultPrivileges {
        // They are the rights to objects of another kind, whose owner is the role that they are named after.
        let kind = match object.id.name.rsplit(' ').next() {
            Some("tables") => Kind::Table,
            Some("sequences") => Kind::Sequence,
            Some("functions") => Kind::Function,
            Some("types") => Kind::BaseType,
            Some("schemas") => Kind::Schema,
            _ => Kind::DefaultPrivileges,
        };
        acl::all_lines(kind, name, &items)
    } else {
        let owner = match object.get(Property::Owner) {
            Some(Value::Text(owner)) => owner.to_string(),
            _ => String::new(),
        };
        let is_public = object.id.kind == Kind::Schema && name == "public";
        let lines =
            if is_public { acl::public_lines(&owner, &items) } else { acl::lines(object.id.kind, &owner, &items) };
        if is_public && owner == acl::DATABASE_OWNER {
            object.properties.remove(&Property::Owner);
        }
        let Some(lines) = lines else { return };
        lines
    };
    object.properties.insert(Property::Privileges, Value::List(lines));
}

/// Prints the expressions of an object in one way.
fn expressions(object: &mut Object) {
    for property in EXPRESSIONS {
        if let Some(Value::Text(text)) = object.properties.get_mut(&property)
            && (property != Property::Body || is_parsed(text))
            && let Some(printed) = with_cast_elements(text)
        {
            *text = printed.into();
        }
    }
}

/// Whether a body is kept parsed and printed from that, not kept as it was written.
fn is_parsed(body: &str) -> bool {
    let body = body.trim_start();
    body.starts_with("BEGIN ATOMIC") || body.starts_with("RETURN ")
}

/// Takes the names that PostgreSQL prints out of a definition, so that a rename changes none.
fn definition(object: &mut Object, name: &str, table: Option<(&str, &str)>) {
    let kind = object.id.kind;
    let Some(Value::Text(text)) = object.properties.get_mut(&Property::Definition) else { return };
    let short = match kind {
        Kind::Index => table.and_then(|table| index(text, name, table)),
        Kind::Trigger | Kind::ConstraintTrigger => trigger(text, name),
        _ => None,
    };
    if let Some(short) = short {
        *text = short.into();
    }
}

/// `UNIQUE USING btree (a) WHERE …`: without names, and without the options, which are a property.
fn index(text: &str, name: &str, (schema, table): (&str, &str)) -> Option<String> {
    let (unique, rest) = match text.strip_prefix("CREATE UNIQUE INDEX ") {
        Some(rest) => ("UNIQUE ", rest),
        None => ("", text.strip_prefix("CREATE INDEX ")?),
    };
    let rest = after_name(rest, name)?.strip_prefix(" ON ")?;
    let rest = rest.strip_prefix("ONLY ").unwrap_or(rest);
    let rest = after_name(after_name(rest, schema)?.strip_prefix('.')?, table)?.strip_prefix(' ')?;
    Some(format!("{unique}{}", without_options(rest)))
}

fn trigger(text: &str, name: &str) -> Option<String> {
    let (constraint, rest) = match text.strip_prefix("CREATE CONSTRAINT TRIGGER ") {
        Some(rest) => ("CONSTRAINT ", rest),
        None => ("", text.strip_prefix("CREATE TRIGGER ")?),
    };
    Some(format!("{constraint}{}", after_name(rest, name)?.trim_start()))
}

/// What follows a name, whether the server quoted it or not.
fn after_name<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    text.strip_prefix(quoted.as_str()).or_else(|| text.strip_prefix(name))
}

/// Cuts ` WITH (…)` out, where it stands outside of parentheses and quotes.
fn without_options(text: &str) -> String {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut begin = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth = depth.saturating_sub(1);
                if let (0, Some(begin)) = (depth, begin) {
                    return format!("{}{}", &text[..begin], &text[at + 1..]);
                }
            }
            (None, ' ') if depth == 0 && begin.is_none() && text[at..].starts_with(" WITH (") => begin = Some(at),
            _ => {}
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_says_nothing_of_names_and_options() {
        let hostile = "CREATE UNIQUE INDEX \"i \"\" USING x\" ON ONLY app.\"T ON\" USING btree (a, lower((b || ' WITH (x)'::text))) \
                       INCLUDE (c) NULLS NOT DISTINCT WITH (fillfactor='70', x=')') WHERE (a > 0)";
        let folded = index(hostile, "i \" USING x", ("app", "T ON")).unwrap();
        assert_eq!(
            folded,
            "UNIQUE USING btree (a, lower((b || ' WITH (x)'::text))) INCLUDE (c) NULLS NOT DISTINCT WHERE (a > 0)"
        );
        assert_eq!(index("CREATE INDEX i ON s.t USING gin (a)", "i", ("s", "t")).unwrap(), "USING gin (a)");
        assert_eq!(index("CREATE INDEX j ON s.t USING gin (a)", "i", ("s", "t")), None);
    }

    #[test]
    fn a_trigger_says_nothing_of_its_name() {
        let text = "CREATE CONSTRAINT TRIGGER \"a b\" AFTER INSERT ON s.t DEFERRABLE FOR EACH ROW EXECUTE FUNCTION f()";
        assert!(trigger(text, "a b").unwrap().starts_with("CONSTRAINT AFTER INSERT ON s.t"));
    }
}

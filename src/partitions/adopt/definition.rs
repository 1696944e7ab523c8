//! Changes the text of an index, a constraint or a trigger as the server prints it, so that it can be
//! said again for another table. Aware of quotes, of nothing else. Pure.

use crate::ident::Ident;

/// What follows the table's name in `CREATE INDEX … ON table USING …`, with `USING`.
pub fn index_tail(definition: &str) -> Option<&str> {
    let at = outside_quotes(definition, " USING ")?;
    definition.get(at + 1..)
}

/// The tail of an index, or the definition of a constraint, with one more column at the end of its
/// first list.
pub fn with_column(text: &str, column: &Ident) -> Option<String> {
    let open = outside_quotes(text, "(")?;
    let mut depth = 0_i32;
    let mut quote = None;
    for (at, c) in text.get(open..)?.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth -= 1;
                if depth == 0 {
                    let (before, after) = (text.get(..open + at)?, text.get(open + at..)?);
                    return Some(format!("{before}, {column}{after}"));
                }
            }
            (None, _) => {}
        }
    }
    None
}

/// A trigger's definition for another table.
pub fn trigger_on(definition: &str, table: &str, other: &str) -> Option<String> {
    let mark = format!(" ON {table} ");
    let at = outside_quotes(definition, &mark)?;
    let (before, after) = (definition.get(..at)?, definition.get(at + mark.len()..)?);
    Some(format!("{before} ON {other} {after}"))
}

/// What a constraint says behind its list: `DEFERRABLE INITIALLY DEFERRED`.
pub fn deferral(definition: &str) -> &'static str {
    if definition.ends_with(" DEFERRABLE INITIALLY DEFERRED") {
        " DEFERRABLE INITIALLY DEFERRED"
    } else if definition.ends_with(" DEFERRABLE") {
        " DEFERRABLE"
    } else {
        ""
    }
}

/// Where `mark` begins outside of quotes. A mark may hold whole quoted names.
fn outside_quotes(text: &str, mark: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match quote {
            None if text.get(at..)?.starts_with(mark) => return Some(at),
            None if matches!(c, '"' | '\'') => quote = Some(c),
            Some(q) if c == q => quote = None,
            None | Some(_) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_gains_the_key() {
        let key = Ident::new("At");
        for (from, to) in [
            ("PRIMARY KEY (id)", "PRIMARY KEY (id, \"At\")"),
            (
                "USING btree (lower((a)::text), \"x)\") INCLUDE (z)",
                "USING btree (lower((a)::text), \"x)\", \"At\") INCLUDE (z)",
            ),
            (
                "USING btree (COALESCE(a, ')'::text)) WHERE (a > 1)",
                "USING btree (COALESCE(a, ')'::text), \"At\") WHERE (a > 1)",
            ),
        ] {
            assert_eq!(with_column(from, &key).as_deref(), Some(to));
        }
        assert_eq!(with_column("nothing", &key), None);
    }

    #[test]
    fn hostile_names_do_not_lead_astray() {
        let definition = "CREATE UNIQUE INDEX \"a USING b\" ON public.\"t \"\" ON x\" USING btree (id)";
        assert_eq!(index_tail(definition), Some("USING btree (id)"));
        let trigger = "CREATE TRIGGER \"x ON public.t \" BEFORE UPDATE OF \"c\" ON public.\"t \" FOR EACH ROW EXECUTE FUNCTION f()";
        assert_eq!(
            trigger_on(trigger, "public.\"t \"", "public.s").as_deref(),
            Some(
                "CREATE TRIGGER \"x ON public.t \" BEFORE UPDATE OF \"c\" ON public.s FOR EACH ROW EXECUTE FUNCTION f()"
            )
        );
    }
}

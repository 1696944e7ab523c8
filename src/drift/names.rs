//! Names as ids spell them: quoted where SQL would want it; and those that PostgreSQL gives by itself
//! (ChooseRelationName, ChooseIndexColumnNames in src/backend/commands/indexcmds.c). Pure.

use crate::schema::model::bare;
use crate::schema::{Id, Kind};

/// PostgreSQL cuts longer names, both halves evenly.
const LONGEST: usize = 63;

/// The parts of a dotted name as the catalog has them: `app."A.b"` is `app` and `A.b`.
pub fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                push(&mut parts, '"');
            }
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            c => push(&mut parts, c),
        }
    }
    parts
}

fn push(parts: &mut [String], c: char) {
    if let Some(last) = parts.last_mut() {
        last.push(c);
    }
}

/// The name as ids spell it, whatever was quoted.
pub fn normal(name: &str) -> String {
    parts(name).iter().map(|part| bare(part)).collect::<Vec<_>>().join(".")
}

/// The object that this is a part of, or itself: `table:app.t` of `table:app.t/column:a`.
pub fn outermost(id: &Id) -> Id {
    let Some(parent) = &id.parent else { return id.clone() };
    let mut quoted = false;
    let end = parent.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == '/' && !quoted).then_some(at)
    });
    let text = &parent[..end.unwrap_or(parent.len())];
    let parsed = text.split_once(':').and_then(|(kind, name)| Some((Kind::of_word(kind)?, name)));
    match parsed {
        Some((kind, name)) => Id { parent: None, kind, name: name.into() },
        None => id.clone(),
    }
}

/// Whether this is the name that PostgreSQL would have chosen, a number behind it or not: `t_a_b_idx1`.
pub fn is_automatic(id: &Id, definition: &str) -> bool {
    let suffix = match id.kind {
        Kind::PrimaryKey => "_pkey",
        Kind::Unique => "_key",
        Kind::Exclusion => "_excl",
        Kind::Check => "_check",
        Kind::ForeignKey => "_fkey",
        Kind::Index => "_idx",
        Kind::Statistics => "_stat",
        _ => return false,
    };
    let (Some(name), Some(table)) = (parts(&id.name).pop(), parts(&outermost(id).name).pop()) else { return false };
    let Some(stem) = name.trim_end_matches(|c: char| c.is_ascii_digit()).strip_suffix(suffix) else { return false };
    if name.len() + 2 >= LONGEST {
        return stem.chars().zip(table.chars()).take(LONGEST / 4).all(|(a, b)| a == b);
    }
    let Some(columns) = stem.strip_prefix(table.as_str()) else { return false };
    let Some(columns) = columns.strip_prefix('_') else { return columns.is_empty() };
    let chosen = first_columns(definition).join("_");
    match id.kind {
        Kind::Check => definition.contains(columns),
        _ => !chosen.is_empty() && columns.starts_with(&chosen),
    }
}

/// What the first parentheses list, by the word that each begins with; `expr` for one without.
fn first_columns(definition: &str) -> Vec<String> {
    let Some((_, list)) = definition.split_once('(') else { return Vec::new() };
    let (mut depth, mut quoted) = (0_u32, false);
    let mut columns = vec![String::new()];
    for c in list.chars() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth == 0 => break,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                columns.push(String::new());
                continue;
            }
            _ => {}
        }
        push(&mut columns, c);
    }
    columns.iter().map(|column| first_word(column.trim())).collect()
}

fn first_word(column: &str) -> String {
    if let Some(quoted) = column.strip_prefix('"') {
        return quoted.split('"').next().unwrap_or_default().to_owned();
    }
    let word: String = column.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if word.is_empty() { "expr".to_owned() } else { word.to_lowercase() }
}

/// A definition without the name of its own object.
pub fn without_name(definition: &str, name: &str) -> String {
    let is_of_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '.');
    let at = definition.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = definition[..*at].chars().next_back();
        let after = definition[at + name.len()..].chars().next();
        before.is_none_or(|c| !is_of_word(c) || c == '.') && after.is_none_or(|c| !is_of_word(c))
    });
    match at {
        Some(at) => format!("{}*{}", &definition[..at], &definition[at + name.len()..]),
        None => definition.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, table: &str, name: &str) -> Id {
        Id { parent: Some(format!("table:{table}").into()), kind, name: name.into() }
    }

    #[test]
    fn quotes_hide_dots_and_slashes() {
        assert_eq!(parts("app.\"A.\"\"b\""), ["app", "A.\"b"]);
        assert_eq!(outermost(&of(Kind::Column, "app.\"a/b\"", "c")).to_string(), "table:app.\"a/b\"");
        let deeper = of(Kind::Column, "app.t/index:i", "c");
        assert_eq!(outermost(&deeper).to_string(), "table:app.t");
    }

    #[test]
    fn the_servers_own_names_are_known() {
        for (kind, name, definition) in [
            (Kind::PrimaryKey, "t_pkey", "PRIMARY KEY (id)"),
            (Kind::Unique, "t_a_b_key", "UNIQUE (a, b)"),
            (Kind::Index, "t_a_idx", "CREATE INDEX t_a_idx ON app.t USING btree (a)"),
            (Kind::Index, "t_lower_expr_idx12", "CREATE INDEX x ON app.t USING btree (lower((a)::text), ((b || a)))"),
            (Kind::Index, "t_a_b_idx", "CREATE INDEX x ON app.t USING btree (a DESC) INCLUDE (b)"),
            (Kind::Check, "t_check", "CHECK ((a > b))"),
            (Kind::Check, "t_a_check1", "CHECK ((a > 0))"),
            (Kind::ForeignKey, "t_a_fkey", "FOREIGN KEY (a) REFERENCES app.u(id)"),
        ] {
            assert!(is_automatic(&of(kind, "app.t", name), definition), "{name}");
        }
        for (kind, name, definition) in [
            (Kind::Index, "by_a", "CREATE INDEX by_a ON app.t USING btree (a)"),
            (Kind::Index, "t_c_idx", "CREATE INDEX t_c_idx ON app.t USING btree (a)"),
            (Kind::Index, "u_a_idx", "CREATE INDEX u_a_idx ON app.t USING btree (a)"),
            (Kind::Check, "t_positive_check", "CHECK ((a > 0))"),
            (Kind::Trigger, "t_a_key", "CREATE TRIGGER"),
        ] {
            assert!(!is_automatic(&of(kind, "app.t", name), definition), "{name}");
        }
    }

    #[test]
    fn a_definition_is_compared_without_its_own_name() {
        let definition = "CREATE INDEX idx ON app.idx_t USING btree (idx)";
        assert_eq!(without_name(definition, "idx"), "CREATE INDEX * ON app.idx_t USING btree (idx)");
        assert_eq!(without_name("CHECK ((a > 0))", "t_check"), "CHECK ((a > 0))");
    }
}

//! A view's query as servers since 16 print it: before, columns of a query over one table had the table's
//! name in front. Pure.

/// The query without that name; none where it is not over one table alone, or holds another query.
pub fn unqualified(query: &str) -> Option<String> {
    let words = words(query);
    let at = |word: &str| words.iter().position(|(_, found)| *found == word);
    let once = |word: &str| words.iter().filter(|(_, found)| *found == word).count() == 1;
    if !once("SELECT") || !once("FROM") || words.iter().any(|(_, word)| matches!(*word, "JOIN" | "UNION" | "VALUES")) {
        return None;
    }
    let (_, table) = words.get(at("FROM")? + 1)?;
    let next = words.get(at("FROM")? + 2);
    let is_alias =
        |word: &str| !word.starts_with(|c: char| c.is_ascii_uppercase()) && !word.starts_with(['(', ';', ',']);
    let name = match next {
        Some((_, alias)) if is_alias(alias) => alias.trim_end_matches([';', ',']),
        _ => last_part(table.trim_end_matches([';', ','])),
    };
    if table.ends_with(',') || table.starts_with('(') || next.is_some_and(|(_, word)| word.ends_with(',')) {
        return None;
    }
    let prefix = format!("{name}.");
    let table_at = words.get(at("FROM")? + 1)?.0;
    let mut plain = String::with_capacity(query.len());
    let mut quoted = false;
    let mut before = ' ';
    let mut rest = query;
    while let Some(c) = rest.chars().next() {
        let offset = query.len() - rest.len();
        let starts = !quoted && !before.is_alphanumeric() && !matches!(before, '_' | '.' | '"' | '$');
        if starts && offset != table_at && rest.starts_with(&prefix) {
            rest = &rest[prefix.len()..];
            before = '.';
            continue;
        }
        quoted ^= c == '\'';
        plain.push(c);
        before = c;
        rest = &rest[c.len_utf8()..];
    }
    Some(plain)
}

/// The words outside of literals, with where they begin. Quoted names are parts of words.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let (mut begin, mut literal, mut name) = (None, false, false);
    for (at, c) in text.char_indices() {
        match c {
            '\'' if !name => literal = !literal,
            '"' if !literal => name = !name,
            _ => {}
        }
        if c.is_whitespace() && !literal && !name {
            words.extend(begin.take().map(|from| (from, &text[from..at])));
        } else if begin.is_none() {
            begin = Some(at);
        }
    }
    words.extend(begin.map(|from| (from, &text[from..])));
    words
}

/// `t` of `s.t`, also where quotes hide dots.
fn last_part(name: &str) -> &str {
    let mut quoted = false;
    let mut last = 0;
    for (at, c) in name.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => last = at + 1,
            _ => {}
        }
    }
    &name[last..]
}

#[cfg(test)]
mod tests {
    use super::unqualified;

    #[test]
    fn columns_of_one_table_lose_its_name() {
        assert_eq!(
            unqualified(" SELECT customers.id,\n    upper(customers.name) AS n\n   FROM app.customers\n  WHERE (customers.note <> 'customers.x'::text);").unwrap(),
            " SELECT id,\n    upper(name) AS n\n   FROM app.customers\n  WHERE (note <> 'customers.x'::text);"
        );
        assert_eq!(
            unqualified(" SELECT c.id\n   FROM app.customers c;").unwrap(),
            " SELECT id\n   FROM app.customers c;"
        );
        assert_eq!(unqualified(" SELECT \"A b\".id\n   FROM \"A b\";").unwrap(), " SELECT id\n   FROM \"A b\";");
        assert_eq!(
            unqualified(" SELECT count(*) AS n\n   FROM app.orders;").unwrap(),
            " SELECT count(*) AS n\n   FROM app.orders;"
        );
    }

    #[test]
    fn what_is_over_more_stays() {
        for query in [
            " SELECT a.id\n   FROM (a\n     JOIN b ON ((a.id = b.id)));",
            " SELECT a.id\n   FROM a,\n    b;",
            " SELECT a.id\n   FROM a\n  WHERE (EXISTS ( SELECT 1\n           FROM b));",
            " SELECT 1 AS one;",
        ] {
            assert_eq!(unqualified(query), None, "{query}");
        }
    }
}

//! An expression as the server prints it, in one of the ways in which it may: `varchar IN (…)` is printed as an
//! array that is cast, and after a dump and a restore as an array of casts. Pure.

/// The expression with casts of arrays moved to their elements; none where there is no such cast.
pub fn with_cast_elements(text: &str) -> Option<String> {
    if !text.contains("ARRAY[") {
        return None;
    }
    let mut out = text.to_owned();
    let mut from = 0;
    let mut changed = false;
    while let Some(array) = next_array(&out, from) {
        match cast_of(&out, &array) {
            Some(cast) => {
                let elements: Vec<String> =
                    array.elements.iter().map(|element| format!("({element})::{}", cast.element_type)).collect();
                let replaced = format!("ARRAY[{}]", elements.join(", "));
                out.replace_range(cast.begin..cast.end, &replaced);
                // Its elements may hold arrays as well.
                from = cast.begin + "ARRAY[".len();
                changed = true;
            }
            None => from = array.begin + "ARRAY[".len(),
        }
    }
    changed.then_some(out)
}

/// `ARRAY[…]`, and where.
struct Array {
    begin: usize,
    /// Behind the bracket.
    end: usize,
    elements: Vec<String>,
}

/// `(ARRAY[…])::text[]`, and where.
struct Cast {
    begin: usize,
    end: usize,
    element_type: String,
}

fn next_array(text: &str, from: usize) -> Option<Array> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, 'A') if at >= from && text.get(at..)?.starts_with("ARRAY[") => {
                let begins =
                    text.get(..at)?.chars().next_back().is_none_or(|before| !before.is_alphanumeric() && before != '_');
                if let Some(array) = begins.then(|| array_at(text, at)).flatten() {
                    return Some(array);
                }
            }
            _ => {}
        }
    }
    None
}

fn array_at(text: &str, begin: usize) -> Option<Array> {
    let open = begin + "ARRAY[".len();
    let (mut depth, mut quote, mut last) = (0_usize, None, open);
    let mut elements = Vec::new();
    for (at, c) in text.get(open..)?.char_indices().map(|(at, c)| (open + at, c)) {
        match (quote, c) {
            (Some(expected), c) if c == expected => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[') => depth += 1,
            (None, ']') if depth == 0 => {
                elements.push(text.get(last..at)?.trim().to_owned());
                elements.retain(|element| !element.is_empty());
                return Some(Array { begin, end: at + 1, elements });
            }
            (None, ')' | ']') => depth = depth.checked_sub(1)?,
            (None, ',') if depth == 0 => {
                elements.push(text.get(last..at)?.trim().to_owned());
                last = at + 1;
            }
            _ => {}
        }
    }
    None
}

fn cast_of(text: &str, array: &Array) -> Option<Cast> {
    if array.elements.is_empty() {
        return None;
    }
    let begin = array.begin.checked_sub(1).filter(|at| text.get(*at..array.begin) == Some("("))?;
    let rest = text.get(array.end..)?.strip_prefix(")::")?;
    let name = &rest[..rest.find("[]")?];
    let is_type = name.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '.' | '"' | '(' | ')' | ','))
        && name.matches('(').count() == name.matches(')').count()
        && !name.starts_with(['(', ')', ' ']);
    // An array of arrays is cast as one.
    let is_plain = !rest[name.len() + 2..].starts_with('[') && !array.elements.iter().any(|e| e.starts_with("ARRAY["));
    let end = array.end + ")::".len() + name.len() + "[]".len();
    (is_type && is_plain).then(|| Cast { begin, end, element_type: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::with_cast_elements;

    #[test]
    fn a_cast_of_an_array_is_one_of_its_elements() {
        for (as_made, as_restored) in [
            (
                "((s)::text = ANY ((ARRAY['a'::character varying, 'b, ]''('::character varying])::text[]))",
                "((s)::text = ANY (ARRAY[('a'::character varying)::text, ('b, ]''('::character varying)::text]))",
            ),
            ("(ARRAY[f(a, b)])::character varying(10)[]", "ARRAY[(f(a, b))::character varying(10)]"),
            ("x = ANY ((ARRAY[1, 2])::app.\"T x\"[])", "x = ANY (ARRAY[(1)::app.\"T x\", (2)::app.\"T x\"])"),
        ] {
            assert_eq!(with_cast_elements(as_made).as_deref(), Some(as_restored));
            assert_eq!(with_cast_elements(as_restored), None, "it is a fixed point");
        }
    }

    #[test]
    fn anything_else_stays_as_it_is() {
        for text in [
            "'(ARRAY[1])::text[]'::text",
            "(ARRAY[ARRAY['a'::character varying]])::text[]",
            "(ARRAY['a'])::text[][]",
            "(ARRAY[]::text[])",
            "(ARRAY['a'::text] || 'b')::text[]",
            "\"(ARRAY[1])::text[]\"",
            "MYARRAY[1]",
            "(ARRAY['a'",
        ] {
            assert_eq!(with_cast_elements(text), None, "{text}");
        }
    }
}

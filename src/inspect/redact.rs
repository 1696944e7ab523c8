//! A query without the values in it. Pure.

/// Puts `?` in the place of each text and number and leaves comments out. What is cut off in the
/// middle of a text is left out to its end.
pub fn redact(query: &str) -> String {
    let chars: Vec<char> = query.chars().collect();
    let (mut kept, mut at) = (String::with_capacity(query.len()), 0);
    while let Some(&c) = chars.get(at) {
        let rest = &chars[at..];
        let in_word = kept.chars().next_back().is_some_and(|before| before.is_alphanumeric() || before == '_');
        let length = match c {
            '\'' => {
                // E'…' knows backslashes, and so does '…' where standard_conforming_strings is off.
                kept.push('?');
                text(rest)
            }
            '"' => {
                let length = rest.iter().skip(1).position(|c| *c == '"').map_or(rest.len(), |end| end + 2);
                kept.extend(&rest[..length]);
                length
            }
            '-' if rest.get(1) == Some(&'-') => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            '/' if rest.get(1) == Some(&'*') => comment(rest),
            '$' if !in_word && tag(rest).is_some() => {
                let opening = tag(rest).unwrap_or_default();
                kept.push('?');
                let body = &rest[opening..];
                let end = body.windows(opening).position(|window| *window == rest[..opening]);
                end.map_or(rest.len(), |end| opening + end + opening)
            }
            c if c.is_ascii_digit() && !in_word && !kept.ends_with('$') => {
                kept.push('?');
                rest.iter().position(|c| !c.is_alphanumeric() && !"._".contains(*c)).unwrap_or(rest.len())
            }
            c => {
                kept.push(c);
                1
            }
        };
        at += length;
    }
    kept
}

/// A query as it may be shown to whoever may see it: one that speaks of passwords without its values, for it may set one.
pub fn without_passwords(query: String) -> String {
    if query.to_ascii_lowercase().contains("password") { redact(&query) } else { query }
}

fn text(rest: &[char]) -> usize {
    let mut at = 1;
    while let Some(c) = rest.get(at) {
        match c {
            '\\' => at += 2,
            '\'' if rest.get(at + 1) == Some(&'\'') => at += 2,
            '\'' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match (rest[at], rest.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of `$tag$`.
fn tag(rest: &[char]) -> Option<usize> {
    let end = rest.iter().skip(1).position(|c| *c == '$')? + 1;
    let name = &rest[1..end];
    let good =
        name.iter().all(|c| c.is_alphanumeric() || *c == '_') && name.first().is_none_or(|c| !c.is_ascii_digit());
    good.then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::{redact, without_passwords};

    #[test]
    fn a_password_is_never_shown() {
        let set = "ALTER ROLE app Password 'secret' VALID UNTIL 'infinity'".to_owned();
        assert_eq!(without_passwords(set), "ALTER ROLE app Password ? VALID UNTIL ?");
        let other = "SELECT 'a', 1".to_owned();
        assert_eq!(without_passwords(other.clone()), other);
    }

    #[test]
    fn no_value_is_left() {
        for (query, kept) in [
            ("SELECT * FROM t1 WHERE a = 'it''s' AND b = 1.5e3", "SELECT * FROM t1 WHERE a = ? AND b = ?"),
            (r"SELECT E'a\'secret' || $1, $x$secret$x$, $$s$$", "SELECT E? || $1, ?, ?"),
            ("SELECT 1 -- secret\n + 2 /* a /* secret */ b */ , \"Odd 1\"", "SELECT ? \n + ?  , \"Odd 1\""),
            ("UPDATE t SET a = 'cut off in the midd", "UPDATE t SET a = ?"),
            ("SELECT $a$cut off", "SELECT ?"),
        ] {
            assert_eq!(redact(query), kept);
        }
    }
}

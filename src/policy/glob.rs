//! `*` and `?` over `schema.table` and partition names. Pure.

/// Whether the whole text is what the pattern says: `*` is any characters, `?` is one. A dot is a
/// character like any other: `*.audit_log*` is that name in every schema.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Behind the last star, and where the text that it swallows ends so far: a longer swallow of an
    // earlier star never finds more, so one place to come back to is enough.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                star = Some((p, t));
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match &mut star {
                Some((behind, swallowed)) => {
                    *swallowed += 1;
                    (p, t) = (*behind, *swallowed);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;
    use proptest::prelude::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("public.audit_logs", "public.audit_logs", true),
            ("public.audit_logs", "public.audit_logs2", false),
            ("*.audit_log*", "audit.audit_log", true),
            ("*.audit_log*", "public.audit_logs", true),
            ("*.audit_log*", "public.my_audit_log", false),
            ("public.*", "public.a", true),
            ("public.*", "publicXa", false),
            ("a_b", "axb", false),
            ("?.t", "é.t", true),
            ("?.t", ".t", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("*a*b", "xaybab", true),
            ("**a", "ba", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_do_not_blow_up() {
        assert!(!matches(&"*a".repeat(500), &"a".repeat(499)));
        assert!(matches(&"*a".repeat(500), &"a".repeat(500)));
    }

    /// What a pattern means, as plainly as it can be said; slow.
    fn plainly(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|n| plainly(rest, &text[n..])),
            Some((c, rest)) => {
                text.split_first().is_some_and(|(first, t)| (*c == '?' || c == first) && plainly(rest, t))
            }
        }
    }

    proptest! {
        #[test]
        fn it_means_what_is_said_plainly(pattern in "[ab*?.]{0,8}", text in "[ab.]{0,10}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(matches(&pattern, &text), plainly(&chars(&pattern), &chars(&text)));
        }
    }
}

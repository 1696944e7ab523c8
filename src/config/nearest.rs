//! What a mistyped word was meant to be. Pure.

/// The candidate that `word` was probably meant to be, if one is near enough to say so.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase().replace('-', "_");
    let distance = |candidate: &str| strsim::damerau_levenshtein(&folded, &candidate.to_lowercase().replace('-', "_"));
    let near = candidates.into_iter().map(|candidate| (distance(candidate), candidate));
    let near = near.filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1));
    near.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_words_are_offered_and_far_ones_are_not() {
        let keys = ["lock_timeout", "lock_patience", "url", "host"];
        for (word, meant) in [
            ("lock_timeuot", Some("lock_timeout")),
            ("lock-timeout", Some("lock_timeout")),
            ("Host", Some("host")),
            ("uri", Some("url")),
            ("hots", Some("host")),
            ("banana", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, keys), meant, "{word}");
        }
    }
}

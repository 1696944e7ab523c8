//! Takes passwords out of text that is about to be shown: connection strings (whole, broken or half
//! typed) and lines of the config file. Masks too much rather than too little. Pure.

use std::ops::Range;

/// Keys whose value is secret, in URLs, keyword strings and config files alike.
const SECRET_KEYS: &[&str] = &[
    "password",
    "sslpassword",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "token",
    "oauth_client_secret",
    "scram_client_key",
    "scram_server_key",
];

/// Keys that certainly end the value before them: libpq's, as far as people combine them with a password.
const KEYS: &[&str] = &[
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "gssencmode",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "load_balance_hosts",
    "options",
    "passfile",
    "port",
    "require_auth",
    "service",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
];

/// A connection string with `****` in place of every password: `postgres://app:****@db/shop`,
/// `host=db password=****`. Accepts anything; what could be a password is masked.
pub fn mask_conninfo(text: &str) -> String {
    replace(text, secrets(text, &['=']), |_| "****".to_owned())
}

/// A line of a config file with every character of a secret replaced by one `*`, so that columns stay.
pub(super) fn mask_line(line: &str) -> String {
    replace(line, secrets(line, &['=', ':']), |secret| "*".repeat(secret.chars().count()))
}

/// Whether what stands under this key (perhaps quoted, or a list's item) is secret.
pub(super) fn is_secret_key(key: &str) -> bool {
    let key = key.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    SECRET_KEYS.iter().any(|secret| key.eq_ignore_ascii_case(secret))
}

fn replace(text: &str, mut secrets: Vec<Range<usize>>, mask: impl Fn(&str) -> String) -> String {
    secrets.sort_by_key(|range| (range.start, range.end));
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    let mut ranges = secrets.into_iter().peekable();
    while let Some(mut range) = ranges.next() {
        while let Some(next) = ranges.next_if(|next| next.start <= range.end) {
            range.end = range.end.max(next.end);
        }
        masked.push_str(&text[at..range.start]);
        masked.push_str(&mask(&text[range.clone()]));
        at = range.end;
    }
    masked.push_str(&text[at..]);
    masked
}

fn secrets(text: &str, assigns: &[char]) -> Vec<Range<usize>> {
    let mut secrets: Vec<Range<usize>> = of_userinfo(text).into_iter().collect();
    secrets.extend(of_keys(text, assigns));
    secrets.retain(|range| !range.is_empty());
    secrets
}

/// The password in `scheme://user:password@…`. A password typed raw may itself contain `@`, `/`, `?` or
/// spaces: the last `@` of the text ends it.
fn of_userinfo(text: &str) -> Option<Range<usize>> {
    let Some(authority) = text.find("://").map(|at| at + 3) else {
        // user:password@host without its scheme; a colon before a space is YAML's.
        let at = text.rfind('@')?;
        let is_colon = |(i, _): &(usize, &str)| text[i + 1..].starts_with(|next: char| !next.is_whitespace());
        let (colon, _) = text[..at].match_indices(':').find(is_colon)?;
        return Some(colon + 1..at);
    };
    let rest = &text[authority..];
    match rest.rfind('@') {
        Some(at) => {
            let colon = rest[..at].find(':')?;
            Some(authority + colon + 1..authority + at)
        }
        // No host at all, or no user: what follows a colon is a port, or a password without its host.
        None => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            let is_host = |host: &str| match host.rsplit_once(':') {
                Some((name, port)) => {
                    let bracketed = name.starts_with('[') && name.ends_with(']');
                    port.bytes().all(|b| b.is_ascii_digit()) && port.len() <= 5 && (bracketed || !name.contains(':'))
                }
                None => true,
            };
            if rest[..end].trim_end_matches(['"', '\'']).split(',').all(is_host) {
                return None;
            }
            let colon = rest.find(':')?;
            Some(authority + colon + 1..text.len())
        }
    }
}

/// The values of secret keys: from the sign of assignment to the next known key, quotes or not.
fn of_keys(text: &str, assigns: &[char]) -> Vec<Range<usize>> {
    let words = assigned_words(text, assigns);
    let is_secret = |word: &&Word| is_secret_key(word.name);
    let value = |word: &Word| {
        let rest = &text[word.value..];
        let start = word.value + rest.len() - rest.trim_start().len();
        let raw = end_of_quoted(text, start).unwrap_or(start);
        let next = words.iter().find(|next| next.start > raw && KEYS.contains(&next.name));
        // The separator before the next key (a space, `&`) is not part of the secret.
        let separator = |next: &Word| text[..next.start].chars().next_back().map_or(0, char::len_utf8);
        start..next.map_or(text.len(), |next| next.start - separator(next)).max(start)
    };
    words.iter().filter(is_secret).map(value).collect()
}

/// Where a quoted value that starts here ends; the end of the text when the quote is never closed.
fn end_of_quoted(text: &str, start: usize) -> Option<usize> {
    let quote = text[start..].chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut escaped = false;
    for (i, c) in text[start + 1..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(start + 1 + i + 1),
            _ => {}
        }
    }
    Some(text.len())
}

/// A word before a sign of assignment.
struct Word<'a> {
    name: &'a str,
    start: usize,
    value: usize,
}

fn assigned_words<'a>(text: &'a str, assigns: &[char]) -> Vec<Word<'a>> {
    let word = |(at, sign): (usize, char)| {
        let before = text[..at].trim_end().trim_end_matches(['"', '\'']);
        let outside = |c: &char| !c.is_ascii_alphanumeric() && *c != '_';
        let length = before.chars().rev().take_while(|c| !outside(c)).map(char::len_utf8).sum::<usize>();
        let start = before.len() - length;
        (length > 0).then(|| Word { name: &before[start..], start, value: at + sign.len_utf8() })
    };
    text.char_indices().filter(|(_, c)| assigns.contains(c)).filter_map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn passwords_are_masked_and_the_rest_is_kept() {
        for (text, masked) in [
            ("postgres://app:pa55@db:5432/shop", "postgres://app:****@db:5432/shop"),
            ("postgres://app:p@/?#ss@db/shop", "postgres://app:****@db/shop"),
            (
                "postgres://app@db/shop?password=pa55&sslmode=require",
                "postgres://app@db/shop?password=****&sslmode=require",
            ),
            ("postgres://db:5432,db2:5433/shop", "postgres://db:5432,db2:5433/shop"),
            ("postgres://[::1]:5432/shop", "postgres://[::1]:5432/shop"),
            ("postgres://app:pa55", "postgres://app:****"),
            ("postgres://app:pa/55", "postgres://app:****"),
            ("app:pa@55@db/shop", "app:****@db/shop"),
            ("postgres:///shop?host=/run", "postgres:///shop?host=/run"),
            ("host=db password=pa55 user=app", "host=db password=**** user=app"),
            ("host=db password = 'pa\\' 55' user=app", "host=db password = **** user=app"),
            ("host=db PASSWORD=pa 55 user=app", "host=db PASSWORD=**** user=app"),
            ("password='a user=x' host=db", "password=**** host=db"),
            ("password='never closed user=app", "password=****"),
            ("host=db passfile=/home/me/.pgpass", "host=db passfile=/home/me/.pgpass"),
            ("", ""),
            ("shop", "shop"),
        ] {
            assert_eq!(mask_conninfo(text), masked, "{text}");
        }
    }

    #[test]
    fn lines_keep_their_columns() {
        for (line, masked) in [
            ("    url: postgres://app:pä@db/${X}", "    url: postgres://app:**@db/${X}"),
            ("    password: pa55 # old", "    password: **********"),
            ("    \"password\" : pa55", "    \"password\" : ****"),
            ("prod: {host: db, password: pa55}", "prod: {host: db, password: *****"),
            ("    url: app:pa55@db", "    url: app:****@db"),
            ("    sslmode: require", "    sslmode: require"),
        ] {
            assert_eq!(mask_line(line), masked);
        }
    }

    proptest! {
        #[test]
        fn a_password_never_survives(
            password in "[^\\s&]{0,4}[^\\s]{6,20}[^\\s&]{0,4}",
            host in "[a-z]{1,4}",
            broken in any::<bool>(),
        ) {
            // A key of libpq's inside a raw password does end it, by libpq's own grammar.
            prop_assume!(!KEYS.iter().any(|key| password.contains(&format!("{key}="))));
            let quoted = password.replace('\\', "\\\\").replace('\'', "\\'");
            let end = if broken { "" } else { "/shop?sslmode=require" };
            for text in [
                format!("postgres://app:{password}@{host}{end}"),
                format!("postgresql://app:{password}@{host}:5432,{host}2{end}"),
                format!("host={host} password='{quoted}' user=app"),
                format!("host={host} password={password} user=app"),
                format!("password={password}"),
                format!("password = '{password}"),
                format!("postgres://{host}/shop?sslmode=require&password={password}"),
            ] {
                let masked = mask_conninfo(&text);
                prop_assert!(!masked.contains(&password), "{masked}");
                prop_assert!(!mask_line(&text).contains(&password) || password.chars().all(|c| c == '*'));
            }
        }

        #[test]
        fn anything_is_accepted(text in any::<String>(), like in "(postgres://)?[a-z:@/?&='\" \\\\é]{0,40}(password ?= ?)?[a-z:@/?&='\" \\\\é]{0,20}") {
            for text in [&text, &like] {
                let _ = mask_conninfo(text);
                prop_assert_eq!(mask_line(text).chars().count(), text.chars().count());
            }
        }
    }
}

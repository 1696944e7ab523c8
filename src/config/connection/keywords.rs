//! The words of a connection string, and the `key=value` form of one. Knows which words libpq has
//! and which of them dbctl cannot honour; does not know what their values mean.

use std::collections::BTreeMap;

use crate::error::{Failure, Kind, Result};

/// One connection parameter as libpq's table has it.
pub(super) struct Keyword {
    pub name: &'static str,
    pub env: Option<&'static str>,
}

const fn word(name: &'static str) -> Keyword {
    Keyword { name, env: None }
}

const fn from_env(name: &'static str, env: &'static str) -> Keyword {
    Keyword { name, env: Some(env) }
}

/// libpq's parameters up to PostgreSQL 18 (34.1.2 and 34.15). `client_encoding` has a variable too,
/// which is left to psql: it says how a terminal wants its text, and dbctl writes UTF-8.
pub(super) const KEYWORDS: &[Keyword] = &[
    from_env("application_name", "PGAPPNAME"),
    from_env("channel_binding", "PGCHANNELBINDING"),
    word("client_encoding"),
    from_env("connect_timeout", "PGCONNECT_TIMEOUT"),
    from_env("dbname", "PGDATABASE"),
    word("fallback_application_name"),
    from_env("gssdelegation", "PGGSSDELEGATION"),
    from_env("gssencmode", "PGGSSENCMODE"),
    from_env("gsslib", "PGGSSLIB"),
    from_env("host", "PGHOST"),
    from_env("hostaddr", "PGHOSTADDR"),
    word("keepalives"),
    word("keepalives_count"),
    word("keepalives_idle"),
    word("keepalives_interval"),
    from_env("krbsrvname", "PGKRBSRVNAME"),
    from_env("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    from_env("max_protocol_version", "PGMAXPROTOCOLVERSION"),
    from_env("min_protocol_version", "PGMINPROTOCOLVERSION"),
    word("oauth_client_id"),
    word("oauth_client_secret"),
    word("oauth_issuer"),
    word("oauth_scope"),
    from_env("options", "PGOPTIONS"),
    from_env("passfile", "PGPASSFILE"),
    from_env("password", "PGPASSWORD"),
    from_env("port", "PGPORT"),
    word("replication"),
    from_env("require_auth", "PGREQUIREAUTH"),
    from_env("requirepeer", "PGREQUIREPEER"),
    word("scram_client_key"),
    word("scram_server_key"),
    from_env("service", "PGSERVICE"),
    from_env("servicefile", "PGSERVICEFILE"),
    from_env("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    from_env("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    from_env("sslcert", "PGSSLCERT"),
    from_env("sslcertmode", "PGSSLCERTMODE"),
    from_env("sslcompression", "PGSSLCOMPRESSION"),
    from_env("sslcrl", "PGSSLCRL"),
    from_env("sslcrldir", "PGSSLCRLDIR"),
    from_env("sslkey", "PGSSLKEY"),
    word("sslkeylogfile"),
    from_env("sslmode", "PGSSLMODE"),
    from_env("sslnegotiation", "PGSSLNEGOTIATION"),
    word("sslpassword"),
    from_env("sslrootcert", "PGSSLROOTCERT"),
    from_env("sslsni", "PGSSLSNI"),
    from_env("target_session_attrs", "PGTARGETSESSIONATTRS"),
    word("tcp_user_timeout"),
    from_env("user", "PGUSER"),
];

/// Where a value came from, as an error message says it.
#[derive(Clone)]
pub(super) enum Origin {
    Conninfo,
    Service(String),
    Env(&'static str),
}

/// The values that were given, by keyword. Has no `Debug`: one of them is the password.
#[derive(Default)]
pub(super) struct Settings(BTreeMap<&'static str, (String, Origin)>);

impl Settings {
    /// The value, where one was given and is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.given(name).filter(|value| !value.is_empty())
    }

    /// The value even if it is empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|(value, _)| value.as_str())
    }

    /// Takes a value; a later one replaces an earlier one, as in libpq.
    pub fn set(&mut self, name: &str, value: String, origin: Origin) -> Result<()> {
        let keyword = find(name).ok_or_else(|| unknown(name))?;
        if value.contains('\0') {
            return Err(Failure::new(Kind::Usage, format_args!("{name} contains a zero byte")));
        }
        self.0.insert(keyword.name, (value, origin));
        Ok(())
    }

    /// Takes a value unless there is one already.
    pub fn set_default(&mut self, name: &str, value: &str, origin: Origin) -> Result<()> {
        if self.0.contains_key(name) { Ok(()) } else { self.set(name, value.to_owned(), origin) }
    }

    /// A failure about this parameter that says where its value came from.
    pub fn wrong(&self, name: &str, why: impl std::fmt::Display) -> Failure {
        match self.0.get(name) {
            Some((_, Origin::Env(variable))) => Failure::new(Kind::Usage, format_args!("{variable}: {why}")),
            Some((_, Origin::Service(service))) => {
                Failure::new(Kind::Invalid, format_args!("service {service}: {name}: {why}"))
            }
            _ => Failure::new(Kind::Usage, format_args!("{name}: {why}")),
        }
    }
}

/// The keyword of this name, if libpq has it.
pub(super) fn find(name: &str) -> Option<&'static Keyword> {
    KEYWORDS.iter().find(|keyword| keyword.name == name)
}

/// What other drivers call libpq's parameters.
const FOREIGN: &[(&str, &str)] = &[
    ("database", "dbname"),
    ("db", "dbname"),
    ("hostname", "host"),
    ("pass", "password"),
    ("pwd", "password"),
    ("requiressl", "sslmode"),
    ("server", "host"),
    ("ssl", "sslmode"),
    ("timeout", "connect_timeout"),
    ("username", "user"),
];

/// The refusal of a word that libpq does not have, with the nearest one it has. A word that is near
/// to none is not repeated: it may be a piece of a password whose quotes are missing.
pub(super) fn unknown(name: &str) -> Failure {
    let folded = name.to_ascii_lowercase();
    let foreign = FOREIGN.iter().find(|(theirs, _)| *theirs == folded).map(|(_, ours)| *ours);
    let nearest = foreign.or_else(|| {
        let measured =
            KEYWORDS.iter().map(|keyword| (strsim::damerau_levenshtein(&folded, keyword.name), keyword.name));
        measured.min().filter(|(distance, nearest)| *distance <= 2.max(nearest.len() / 3)).map(|(_, nearest)| nearest)
    });
    match nearest {
        Some(nearest) => Failure::new(Kind::Usage, format_args!("unknown connection parameter {name:?}"))
            .hint(format_args!("did you mean {nearest}?")),
        None => Failure::new(Kind::Usage, "unknown connection parameter")
            .hint("PostgreSQL's documentation lists the parameters in section 34.1.2; quote or percent-encode values with blanks, & or ="),
    }
}

/// Reads `host=a port=5432 password='two words'`. Never repeats a value in an error: with a quote
/// forgotten, any piece may belong to the password.
pub(super) fn parse(text: &str, into: &mut Settings) -> Result<()> {
    let mut chars = text.char_indices().peekable();
    let mut password_seen = false;
    loop {
        while chars.next_if(|(_, c)| c.is_ascii_whitespace()).is_some() {}
        let Some(&(start, _)) = chars.peek() else { return Ok(()) };
        let mut name = String::new();
        while let Some((_, c)) = chars.next_if(|(_, c)| *c != '=' && !c.is_ascii_whitespace()) {
            name.push(c);
        }
        while chars.next_if(|(_, c)| c.is_ascii_whitespace()).is_some() {}
        let position = text[..start].chars().count() + 1;
        if chars.next_if(|(_, c)| *c == '=').is_none() {
            return Err(Failure::new(
                Kind::Usage,
                format_args!("the connection string has no \"=\" after the word at character {position}"),
            )
            .hint("quote values that contain blanks: password='two words'"));
        }
        if find(&name).is_none() && password_seen {
            return Err(Failure::new(
                Kind::Usage,
                format_args!("unknown connection parameter at character {position}, after a password"),
            )
            .hint("quote values that contain blanks: password='two words'"));
        }
        while chars.next_if(|(_, c)| c.is_ascii_whitespace()).is_some() {}
        let value = value(&mut chars).ok_or_else(|| {
            Failure::new(
                Kind::Usage,
                format_args!(
                    "the quoted value that starts after character {position} of the connection string has no end"
                ),
            )
            .hint("inside quotes write \\' for a quote and \\\\ for a backslash")
        })?;
        into.set(&name, value, Origin::Conninfo)?;
        password_seen |= name == "password";
    }
}

/// One value, quoted or bare; none where a quote is not closed.
fn value(chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>) -> Option<String> {
    let quoted = chars.next_if(|(_, c)| *c == '\'').is_some();
    let mut value = String::new();
    loop {
        match chars.peek().map(|(_, c)| *c) {
            None if quoted => return None,
            None => return Some(value),
            Some('\'') if quoted => {
                chars.next();
                return Some(value);
            }
            Some(c) if !quoted && c.is_ascii_whitespace() => return Some(value),
            Some('\\') => {
                chars.next();
                if let Some((_, escaped)) = chars.next() {
                    value.push(escaped);
                }
            }
            Some(c) => {
                chars.next();
                value.push(c);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Result<Vec<(&'static str, String)>> {
        let mut settings = Settings::default();
        parse(text, &mut settings)?;
        Ok(settings.0.into_iter().map(|(name, (value, _))| (name, value)).collect())
    }

    #[test]
    fn keyword_strings_are_read_as_libpq_reads_them() {
        for (text, expected) in [
            ("", &[][..]),
            ("  \t\n", &[]),
            ("host=a", &[("host", "a")]),
            ("host = a  port=\t5432", &[("host", "a"), ("port", "5432")]),
            ("dbname='x y' host=a,b", &[("dbname", "x y"), ("host", "a,b")]),
            ("password='it\\'s \\\\ ok'", &[("password", "it's \\ ok")]),
            ("password=a\\ b", &[("password", "a b")]),
            ("password=a=b", &[("password", "a=b")]),
            ("host=", &[("host", "")]),
            ("host='' port=''", &[("host", ""), ("port", "")]),
            ("user=a user=b", &[("user", "b")]),
            ("host='a'port='1'", &[("host", "a"), ("port", "1")]),
            ("password=trailing\\", &[("password", "trailing")]),
            ("user=ünï", &[("user", "ünï")]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
            assert_eq!(pairs(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn broken_strings_are_refused_without_repeating_a_value() {
        for (text, message) in [
            ("host", "no \"=\" after the word at character 1"),
            ("password=hunter2 secret", "no \"=\" after the word at character 18"),
            ("password=hunter2 secret=x", "unknown connection parameter at character 18, after a password"),
            ("password='hunter2", "has no end"),
            ("password='hunter2\\'", "has no end"),
        ] {
            let failure = pairs(text).unwrap_err();
            assert_eq!(failure.what(), Kind::Usage);
            let shown = failure.to_string();
            assert!(shown.contains(message), "{shown}");
            assert!(!shown.contains("hunter2") && !shown.contains("secret"), "{shown}");
        }
    }

    #[test]
    fn an_unknown_word_names_the_nearest() {
        for (word, nearest) in [
            ("hots", "host"),
            ("ssl_mode", "sslmode"),
            ("database", "dbname"),
            ("DBNAME", "dbname"),
            ("passwd", "password"),
            ("sslrootcrt", "sslrootcert"),
            ("conect_timeout", "connect_timeout"),
        ] {
            let shown = pairs(&format!("{word}=x")).unwrap_err().to_string();
            assert!(shown.contains(&format!("unknown connection parameter {word:?}")), "{shown}");
            assert!(shown.contains(&format!("did you mean {nearest}?")), "{shown}");
        }
        assert!(!pairs("hunter2=x").unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn the_table_is_sorted_and_without_repetition() {
        assert!(KEYWORDS.windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    proptest::proptest! {
        #[test]
        fn no_keyword_string_panics(text in "\\PC*") {
            let _ = pairs(&text);
        }

        #[test]
        fn whatever_is_quoted_comes_back(value in "[^\\x00]*") {
            let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
            proptest::prop_assert_eq!(pairs(&format!("password='{quoted}'")).unwrap(), vec![("password", value)]);
        }
    }
}

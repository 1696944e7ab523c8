//! `postgresql://user:password@host:port,host:port/dbname?keyword=value` (PostgreSQL documentation,
//! 34.1.1.2). Errors never repeat a part of the URL: where a delimiter is misplaced, any part may
//! be a piece of the password.

use super::keywords::{Origin, Settings, find};
use crate::error::{Failure, Kind, Result};

/// What follows the scheme, where the text is a URL that PostgreSQL's programs accept.
pub(super) fn after_scheme(text: &str) -> Option<&str> {
    text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://"))
}

/// Reads what follows the scheme. Empty parts count as not given.
pub(super) fn parse(rest: &str, into: &mut Settings) -> Result<()> {
    let (authority, path) = match rest.find(['@', '/']) {
        Some(at) if rest.as_bytes()[at] == b'@' => {
            let (user, password) = rest[..at].split_once(':').unwrap_or((&rest[..at], ""));
            store(into, "user", user)?;
            store(into, "password", password)?;
            (&rest[at + 1..], true)
        }
        _ => (rest, false),
    };
    let after_hosts = hosts(authority, into)?;
    let (dbname, query) = match after_hosts.strip_prefix('/') {
        Some(path) => path.split_once('?').map_or((path, None), |(dbname, query)| (dbname, Some(query))),
        None => ("", after_hosts.strip_prefix('?')),
    };
    // `u:12/ss@host/db` would otherwise be host u, port 12 and a piece of the password as database.
    if !path && dbname.contains('@') {
        return Err(unencoded("\"@\" after the first \"/\""));
    }
    store(into, "dbname", dbname)?;
    query.map_or(Ok(()), |query| parameters(query, into))
}

/// Reads `host:port,host:port` and returns what follows.
fn hosts<'a>(text: &'a str, into: &mut Settings) -> Result<&'a str> {
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    let mut rest = text;
    loop {
        let name;
        (name, rest) = match rest.strip_prefix('[') {
            Some(bracketed) => bracketed
                .split_once(']')
                .filter(|(address, _)| !address.is_empty())
                .filter(|(_, after)| after.is_empty() || after.starts_with([':', '/', '?', ',']))
                .ok_or_else(|| malformed("an IPv6 address in brackets is not complete"))?,
            None => rest.split_at(rest.find([':', '/', '?', ',']).unwrap_or(rest.len())),
        };
        let mut port = "";
        if let Some(after) = rest.strip_prefix(':') {
            (port, rest) = after.split_at(after.find(['/', '?', ',']).unwrap_or(after.len()));
        }
        if name.contains('@') || port.contains('@') {
            return Err(unencoded("more than one \"@\" before the host"));
        }
        if !port.is_empty() && decode(port)?.trim().parse::<u16>().is_err() {
            return Err(unencoded(&format!("the port of host {} is not a port", names.len() + 1)));
        }
        names.push(name);
        ports.push(port);
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => break,
        }
    }
    // Of several hosts none with a port, they get the default ones, whatever PGPORT says.
    store(into, "host", &names.join(","))?;
    store(into, "port", &ports.join(","))?;
    Ok(rest)
}

fn parameters(query: &str, into: &mut Settings) -> Result<()> {
    for pair in query.strip_suffix('&').unwrap_or(query).split('&') {
        let (name, value) = match pair.split_once('=') {
            Some((name, value)) if !value.contains('=') => (decode(name)?, decode(value)?),
            Some((name, _)) => {
                let name = find(name).map_or("a parameter", |known| known.name);
                return Err(
                    malformed(&format!("{name} has more than one \"=\"")).hint("write %3D for a \"=\" in a value")
                );
            }
            None if query.is_empty() => continue,
            None => return Err(malformed("a parameter after \"?\" has no \"=\"")),
        };
        // The JDBC driver's spelling, which libpq accepts in URLs.
        let (name, value) =
            if name == "ssl" && value == "true" { ("sslmode".into(), "require".into()) } else { (name, value) };
        if find(&name).is_none() && into.given("password").is_some() {
            return Err(unencoded("an unknown parameter after \"?\""));
        }
        into.set(&name, value, Origin::Conninfo)?;
    }
    Ok(())
}

fn store(into: &mut Settings, name: &str, encoded: &str) -> Result<()> {
    if encoded.is_empty() { Ok(()) } else { into.set(name, decode(encoded)?, Origin::Conninfo) }
}

/// Undoes percent-encoding.
fn decode(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        match (digit(), digit()) {
            (Some(0), Some(0)) => return Err(malformed("%00 cannot be part of a value")),
            (Some(high), Some(low)) => bytes.push(high << 4 | low),
            _ => {
                return Err(
                    malformed("a \"%\" is not followed by two hexadecimal digits").hint("write %25 for a percent sign")
                );
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| malformed("a percent-encoded value is not UTF-8"))
}

fn malformed(why: &str) -> Failure {
    Failure::new(Kind::Usage, format_args!("the connection URL cannot be read: {why}"))
}

fn unencoded(why: &str) -> Failure {
    malformed(why).hint("in user names, passwords and values write %40 for \"@\", %3A for \":\", %2F for \"/\", %26 for \"&\" and %25 for \"%\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 8] = ["user", "password", "host", "port", "dbname", "sslmode", "hostaddr", "application_name"];

    fn read(url: &str) -> Result<Vec<(&'static str, String)>> {
        let mut settings = Settings::default();
        parse(after_scheme(url).expect("a scheme"), &mut settings)?;
        Ok(WORDS.iter().filter_map(|word| Some((*word, settings.given(word)?.to_owned()))).collect())
    }

    #[test]
    fn urls_are_read_as_libpq_reads_them() {
        for (url, expected) in [
            ("postgresql://", &[][..]),
            ("postgresql:///", &[]),
            ("postgresql://?", &[]),
            ("postgres://localhost", &[("host", "localhost")]),
            ("postgresql://localhost:5433", &[("host", "localhost"), ("port", "5433")]),
            ("postgresql://localhost/mydb", &[("host", "localhost"), ("dbname", "mydb")]),
            ("postgresql://user@localhost", &[("user", "user"), ("host", "localhost")]),
            ("postgresql://user:secret@localhost", &[("user", "user"), ("password", "secret"), ("host", "localhost")]),
            ("postgresql://:@", &[]),
            ("postgresql://:secret@", &[("password", "secret")]),
            ("postgresql://u:p:q@h", &[("user", "u"), ("password", "p:q"), ("host", "h")]),
            (
                "postgresql://other@localhost/otherdb?application_name=my%20app",
                &[("user", "other"), ("host", "localhost"), ("dbname", "otherdb"), ("application_name", "my app")],
            ),
            ("postgresql://host1:123,host2:456/db", &[("host", "host1,host2"), ("port", "123,456"), ("dbname", "db")]),
            ("postgresql://host1,host2:456/", &[("host", "host1,host2"), ("port", ",456")]),
            ("postgresql://host1,,host3", &[("host", "host1,,host3"), ("port", ",,")]),
            ("postgresql://h?user=u&", &[("user", "u"), ("host", "h")]),
            ("postgresql://:5433/db", &[("port", "5433"), ("dbname", "db")]),
            ("postgresql:///mydb?host=/tmp", &[("host", "/tmp"), ("dbname", "mydb")]),
            (
                "postgresql:///mydb?host=localhost&port=5433",
                &[("host", "localhost"), ("port", "5433"), ("dbname", "mydb")],
            ),
            ("postgresql://[2001:db8::1234]/db", &[("host", "2001:db8::1234"), ("dbname", "db")]),
            ("postgresql://[::1]:5433", &[("host", "::1"), ("port", "5433")]),
            ("postgresql://[::1],b?sslmode=disable", &[("host", "::1,b"), ("port", ","), ("sslmode", "disable")]),
            ("postgresql://%2Fvar%2Flib/db", &[("host", "/var/lib"), ("dbname", "db")]),
            ("postgresql://u%40corp:p%2F%3A%25@h", &[("user", "u@corp"), ("password", "p/:%"), ("host", "h")]),
            ("postgresql://h/d%c3%a9?ssl=true", &[("host", "h"), ("dbname", "dé"), ("sslmode", "require")]),
            ("postgresql://h/db%2Fx", &[("host", "h"), ("dbname", "db/x")]),
            ("postgresql://h/a/b", &[("host", "h"), ("dbname", "a/b")]),
            ("postgresql://h?dbname=x&user=y", &[("user", "y"), ("host", "h"), ("dbname", "x")]),
            ("postgresql://h/a?dbname=b", &[("host", "h"), ("dbname", "b")]),
            ("postgresql://h?sslmode=", &[("host", "h"), ("sslmode", "")]),
            ("postgresql://u:p?w@h", &[("user", "u"), ("password", "p?w"), ("host", "h")]),
        ] {
            let mut expected: Vec<_> = expected.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
            expected.sort_by_key(|(k, _)| WORDS.iter().position(|w| w == k));
            assert_eq!(read(url).unwrap(), expected, "{url}");
        }
    }

    #[test]
    fn broken_urls_are_refused_without_repeating_the_password() {
        for (url, message) in [
            ("postgresql://u:hunter2/x@h/db", "the port of host 1 is not a port"),
            ("postgresql://u:12/hunter2@h/db", "\"@\" after the first \"/\""),
            ("postgresql://u:x@hunter2@h/db", "more than one \"@\""),
            ("postgresql://u:hunter2@h:99999/db", "the port of host 1"),
            ("postgresql://u:hunter2@h,i:x/db", "the port of host 2"),
            ("postgresql://u:hunter2%@h", "two hexadecimal digits"),
            ("postgresql://u:hunter2%zz@h", "two hexadecimal digits"),
            ("postgresql://u:hunter2%+1@h", "two hexadecimal digits"),
            ("postgresql://u:hunter2%00@h", "%00"),
            ("postgresql://u:hunter2%ff@h", "not UTF-8"),
            ("postgresql://u:hunter2@[::1", "not complete"),
            ("postgresql://u:hunter2@[]", "not complete"),
            ("postgresql://u:hunter2@[::1]x", "not complete"),
            ("postgresql://h?password=hunter2=x", "password has more than one \"=\""),
            ("postgresql://h?hunter2", "has no \"=\""),
            ("postgresql://u:hunter2@h?sslmod=x", "an unknown parameter"),
            ("postgresql://h?password=x&hunter2=y", "an unknown parameter"),
            ("postgresql://h?sslmod=x", "did you mean sslmode?"),
            ("postgresql://u:/?hunter2=y@h", "unknown connection parameter"),
        ] {
            let failure = read(url).unwrap_err();
            assert_eq!(failure.what(), Kind::Usage);
            let shown = failure.to_string();
            assert!(shown.contains(message), "{url}: {shown}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_url_panics(rest in "\\PC*") {
            let _ = read(&format!("postgresql://{rest}"));
        }

        #[test]
        fn delimiters_in_any_order_do_not_panic(rest in "[a-b:/@?&=,%\\[\\]0-9é]*") {
            let _ = read(&format!("postgres://{rest}"));
        }
    }
}

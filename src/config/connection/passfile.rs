//! The password file (PostgreSQL documentation, 34.16): `host:port:database:user:password` a line.
//! Does not know which server will be asked.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::config::Secret;

/// The lines of a password file. Has no `Debug`.
#[derive(Default)]
pub(super) struct Passfile(Vec<String>);

impl Passfile {
    /// Reads the file; one that libpq would not trust or that cannot be read is as good as absent,
    /// and the note says why. A missing file has no note.
    pub fn read(path: &Path) -> (Passfile, Option<String>) {
        let ignored =
            |why: String| (Passfile::default(), Some(format!("password file {} ignored: {why}", path.display())));
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
                return (Passfile::default(), None);
            }
            Err(e) => return ignored(e.to_string()),
        };
        if !metadata.is_file() {
            return ignored("it is not a plain file".to_owned());
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            return ignored(format!("others may read it; run: chmod 600 {}", path.display()));
        }
        match fs::read(path) {
            Ok(bytes) => (Passfile::parse(&bytes), None),
            Err(e) => ignored(e.to_string()),
        }
    }

    fn parse(bytes: &[u8]) -> Passfile {
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && line[0] != b'#');
        Passfile(
            lines
                .filter_map(|line| std::str::from_utf8(line).ok())
                .map(|line| line.strip_suffix('\r').unwrap_or(line).to_owned())
                .collect(),
        )
    }

    /// The password of the first line that matches. `hosts` are the names the server goes by.
    pub fn password(&self, hosts: &[&str], port: u16, dbname: &str, user: &str) -> Option<Secret> {
        let port = port.to_string();
        self.0.iter().find_map(|line| {
            let rest = hosts.iter().find_map(|host| field(line, host))?;
            let rest = field(rest, &port)?;
            let rest = field(rest, dbname)?;
            unescaped(field(rest, user)?).filter(|password| !password.is_empty()).map(Secret::new)
        })
    }
}

/// What follows the first field, if that field is `*` or `wanted`.
fn field<'a>(line: &'a str, wanted: &str) -> Option<&'a str> {
    if let Some(rest) = line.strip_prefix("*:") {
        return Some(rest);
    }
    let (mut given, mut wanted) = (line.chars(), wanted.chars());
    loop {
        match given.next()? {
            ':' => return wanted.next().is_none().then_some(given.as_str()),
            '\\' => (given.next()? == wanted.next()?).then_some(())?,
            plain => (plain == wanted.next()?).then_some(())?,
        }
    }
}

/// The last field up to its end or an unescaped colon, escapes undone.
fn unescaped(text: &str) -> Option<String> {
    let mut password = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ':' => break,
            '\\' => password.push(chars.next().unwrap_or('\\')),
            plain => password.push(plain),
        }
    }
    Some(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, hosts: &[&str], dbname: &str, user: &str) -> Option<String> {
        let secret = Passfile::parse(file.as_bytes()).password(hosts, 5432, dbname, user);
        secret.map(|secret| secret.reveal().to_owned())
    }

    #[test]
    fn lines_match_as_in_libpq() {
        for (file, expected) in [
            ("db1:5432:app:me:one", Some("one")),
            ("*:*:*:*:any", Some("any")),
            ("*:5432:*:me:some\n*:*:*:*:late", Some("some")),
            ("db2:*:*:*:no\ndb1:*:*:*:yes", Some("yes")),
            ("#db1:5432:app:me:comment\n\n*:*:*:me:after", Some("after")),
            ("db1:5432:app:me:with\\:colon\\\\and", Some("with:colon\\and")),
            ("db1:5432:app:me:cut:rest", Some("cut")),
            ("db1:5432:app:me:crlf\r\n", Some("crlf")),
            ("db1:5432:app:me:trailing\\", Some("trailing\\")),
            ("d\\b1:5432:app:me:escaped", Some("escaped")),
            ("db1:5433:app:me:port", None),
            ("db1:5432:app:you:user", None),
            ("db1:5432:app:me", None),
            ("db1:5432:app:me:", None),
            ("db11:5432:app:me:long", None),
            ("*b1:5432:app:me:star", None),
            ("", None),
            ("\\", None),
            (":::", None),
        ] {
            assert_eq!(found(file, &["db1"], "app", "me").as_deref(), expected, "{file:?}");
        }
    }

    #[test]
    fn colons_and_backslashes_in_names_are_escaped() {
        assert_eq!(found("\\:\\:1:*:a\\:b:c\\\\d:pw", &["::1"], "a:b", "c\\d").as_deref(), Some("pw"));
    }

    #[test]
    fn a_socket_goes_by_localhost_and_by_its_folder() {
        let names = ["/tmp", "localhost"];
        assert_eq!(found("localhost:*:*:*:pw", &names, "d", "u").as_deref(), Some("pw"));
        assert_eq!(found("/tmp:*:*:*:pw", &names, "d", "u").as_deref(), Some("pw"));
    }

    #[test]
    fn a_file_that_others_can_read_is_ignored_with_a_note() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pgpass");
        fs::write(&path, "*:*:*:*:pw\n").unwrap();
        for (mode, usable) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let (passfile, note) = Passfile::read(&path);
            assert_eq!(passfile.password(&["h"], 1, "d", "u").is_some(), usable);
            assert_eq!(note.is_none(), usable, "{note:?}");
        }
        let (_, note) = Passfile::read(folder.path());
        assert!(note.unwrap().contains("not a plain file"));
        assert!(Passfile::read(&folder.path().join("missing")).1.is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_file_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = Passfile::parse(&bytes).password(&["h"], 5432, "d", "u");
        }

        #[test]
        fn whatever_is_escaped_comes_back(password in "[^\\x00\\r\\n]+") {
            let escaped = password.replace('\\', "\\\\").replace(':', "\\:");
            let file = format!("h:5432:d:u:{escaped}");
            proptest::prop_assert_eq!(found(&file, &["h"], "d", "u"), Some(password));
        }
    }
}

//! Privileges in words. An access control list that says what everybody has anyhow is none; who has
//! everything has ALL, whatever that is in the server's version. Pure.
//!
//! Source: <https://www.postgresql.org/docs/current/ddl-priv.html#PRIVILEGE-ABBREVS-TABLE>.

use super::model::Kind;

/// One `aclitem`: who, and which letters.
struct Item<'a> {
    grantee: String,
    letters: &'a str,
    grantor: &'a str,
}

/// Owns schema public as initdb makes it.
pub const DATABASE_OWNER: &str = "pg_database_owner";

/// The lines of schema public; none where they are what initdb gives it since 15. Before, everybody could
/// create there, which is then told.
pub fn public_lines(owner: &str, items: &[Box<str>]) -> Option<Vec<Box<str>>> {
    let lines = all_lines(Kind::Schema, owner, items);
    let is_usual = lines.iter().map(|line| &**line).eq(["(owner): ALL", "PUBLIC: USAGE"]);
    (!is_usual).then_some(lines)
}

/// The lines of [`all_lines`]; none where they are what an object of this kind has without any GRANT.
pub fn lines(kind: Kind, owner: &str, items: &[Box<str>]) -> Option<Vec<Box<str>>> {
    let lines = all_lines(kind, owner, items);
    let is_usual = lines.iter().map(|line| &**line).eq(usual(kind).iter().copied());
    (!is_usual).then_some(lines)
}

/// Lines after a role was given another's name: what both have is one's, and the usual ones are none.
pub fn merged(kind: Kind, lines: &[Box<str>]) -> Option<Vec<Box<str>>> {
    let mut merged: Vec<(&str, Vec<&str>)> = Vec::new();
    for (who, rights) in lines.iter().filter_map(|line| line.rsplit_once(": ")) {
        match merged.iter_mut().find(|(known, _)| *known == who) {
            Some((_, known)) => known.extend(rights.split(", ")),
            None => merged.push((who, rights.split(", ").collect())),
        }
    }
    let mut lines: Vec<Box<str>> =
        merged.iter().map(|(who, rights)| format!("{who}: {}", union(rights)).into()).collect();
    lines.sort();
    let is_usual = lines.iter().map(|line| &**line).eq(usual(kind).iter().copied());
    (!is_usual).then_some(lines)
}

/// Rights without repetition; whoever has all needs no others, and the same WITH GRANT OPTION is more.
fn union(rights: &[&str]) -> String {
    if let Some(all) = ["ALL*", "ALL"].into_iter().find(|all| rights.contains(all)) {
        return all.to_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    for right in rights {
        let grantable = format!("{right}*");
        if !kept.contains(right) && !rights.contains(&grantable.as_str()) {
            kept.push(right);
        }
    }
    kept.sort_by_key(|right| "rawdDxtmXUCcTsA".find(|letter| word(letter) == right.trim_end_matches('*')));
    kept.join(", ")
}

/// The list as lines `role: SELECT, INSERT*`, sorted; `*` is WITH GRANT OPTION, the owner is `(owner)`.
pub fn all_lines(kind: Kind, owner: &str, items: &[Box<str>]) -> Vec<Box<str>> {
    let mut lines: Vec<(String, String)> = Vec::new();
    for item in items.iter().filter_map(|item| parse(item)) {
        let grantee = match item.grantee.as_str() {
            "" => "PUBLIC".to_owned(),
            name if name == owner => "(owner)".to_owned(),
            // Whoever has it from himself is the owner, where another name stands for his.
            name if (owner.is_empty() || owner == DATABASE_OWNER) && name == item.grantor => "(owner)".to_owned(),
            name => super::model::bare(name),
        };
        match lines.iter_mut().find(|(known, _)| *known == grantee) {
            // The same from two grantors.
            Some((_, letters)) => merge(letters, item.letters),
            None => lines.push((grantee, item.letters.to_owned())),
        }
    }
    lines.retain(|(_, letters)| !letters.is_empty());
    let mut lines: Vec<Box<str>> =
        lines.into_iter().map(|(grantee, letters)| format!("{grantee}: {}", words(kind, &letters)).into()).collect();
    lines.sort();
    lines
}

/// `role=rw*/grantor`, the role quoted where it must be.
fn parse(item: &str) -> Option<Item<'_>> {
    let (grantee, rest) = match item.strip_prefix('"') {
        Some(quoted) => {
            let mut name = String::new();
            let mut chars = quoted.char_indices();
            loop {
                let (at, c) = chars.next()?;
                if c != '"' {
                    name.push(c);
                } else if quoted[at + 1..].starts_with('"') {
                    name.push('"');
                    chars.next();
                } else {
                    break (name, quoted[at + 1..].strip_prefix('=')?);
                }
            }
        }
        None => item.split_once('=').map(|(name, rest)| (name.to_owned(), rest))?,
    };
    let (letters, grantor) = rest.split_once('/')?;
    Some(Item { grantee, letters, grantor })
}

fn pairs(letters: &str) -> Vec<(char, bool)> {
    let mut pairs: Vec<(char, bool)> = Vec::new();
    for c in letters.chars() {
        match (c, pairs.last_mut()) {
            ('*', Some(last)) => last.1 = true,
            _ => pairs.push((c, false)),
        }
    }
    pairs
}

fn merge(known: &mut String, more: &str) {
    let mut all = pairs(known);
    for (letter, grantable) in pairs(more) {
        match all.iter_mut().find(|(other, _)| *other == letter) {
            Some(other) => other.1 |= grantable,
            None => all.push((letter, grantable)),
        }
    }
    *known = all.into_iter().map(|(c, grantable)| format!("{c}{}", if grantable { "*" } else { "" })).collect();
}

fn words(kind: Kind, letters: &str) -> String {
    let mut pairs = pairs(letters);
    let has = |letter: char| pairs.iter().any(|(other, _)| *other == letter);
    // MAINTAIN is new in 17: ALL is with it or, as before, without it.
    let mut all = every(kind).chars().filter(|letter| *letter != 'm');
    if !every(kind).is_empty() && all.all(has) {
        let grantable = pairs.iter().all(|(_, grantable)| *grantable);
        return if grantable { "ALL*" } else { "ALL" }.to_owned();
    }
    pairs.sort_by_key(|(letter, _)| "rawdDxtmXUCcTsA".find(*letter));
    let word = |(letter, grantable): &(char, bool)| format!("{}{}", word(*letter), if *grantable { "*" } else { "" });
    pairs.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn word(letter: char) -> String {
    match letter {
        'r' => "SELECT",
        'a' => "INSERT",
        'w' => "UPDATE",
        'd' => "DELETE",
        'D' => "TRUNCATE",
        'x' => "REFERENCES",
        't' => "TRIGGER",
        'm' => "MAINTAIN",
        'X' => "EXECUTE",
        'U' => "USAGE",
        'C' => "CREATE",
        'c' => "CONNECT",
        'T' => "TEMPORARY",
        's' => "SET",
        'A' => "ALTER SYSTEM",
        other => return other.to_string(),
    }
    .to_owned()
}

/// All letters of a kind.
fn every(kind: Kind) -> &'static str {
    match kind {
        Kind::Table | Kind::ForeignTable | Kind::View | Kind::MaterializedView => "rawdDxtm",
        Kind::Sequence => "rwU",
        Kind::Function | Kind::Procedure | Kind::Aggregate | Kind::WindowFunction => "X",
        Kind::Enum | Kind::Domain | Kind::Composite | Kind::Range | Kind::BaseType => "U",
        Kind::Language | Kind::ForeignDataWrapper | Kind::Server => "U",
        Kind::Schema => "UC",
        Kind::Database => "CTc",
        _ => "",
    }
}

/// The lines of an object that nobody gave anything of, sorted.
pub fn usual(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Database => &["(owner): ALL", "PUBLIC: CONNECT, TEMPORARY"],
        kind if matches!(every(kind), "X") => &["(owner): ALL", "PUBLIC: ALL"],
        Kind::Enum | Kind::Domain | Kind::Composite | Kind::Range | Kind::BaseType | Kind::Language => {
            &["(owner): ALL", "PUBLIC: ALL"]
        }
        Kind::Column | Kind::Attribute => &[],
        _ => &["(owner): ALL"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: Kind, items: &[&str]) -> Option<String> {
        let items: Vec<Box<str>> = items.iter().map(|item| (*item).into()).collect();
        lines(kind, "app", &items).map(|lines| lines.join("; "))
    }

    #[test]
    fn what_everybody_has_is_no_grant() {
        assert_eq!(shown(Kind::Table, &["app=arwdDxt/app"]), None);
        assert_eq!(shown(Kind::Table, &["app=arwdDxtm/app"]), None);
        assert_eq!(shown(Kind::Function, &["=X/app", "app=X/app"]), None);
        assert_eq!(shown(Kind::Database, &["=Tc/app", "app=CTc/app"]), None);
        assert_eq!(shown(Kind::Schema, &["app=UC/app"]), None);
    }

    #[test]
    fn a_revoke_shows_too() {
        assert_eq!(shown(Kind::Function, &["app=X/app"]).unwrap(), "(owner): ALL");
        assert_eq!(shown(Kind::Table, &[]).unwrap(), "");
        assert_eq!(shown(Kind::Table, &["app=rw/app"]).unwrap(), "(owner): SELECT, UPDATE");
    }

    #[test]
    fn roles_are_named_and_options_marked() {
        assert_eq!(
            shown(Kind::Table, &["app=arwdDxt/app", "\"od\"\"d=r\"=r*w/app", "=r/app"]).unwrap(),
            "\"od\"\"d=r\": SELECT*, UPDATE; (owner): ALL; PUBLIC: SELECT"
        );
        assert_eq!(shown(Kind::Column, &["reader=r/app", "reader=rw*/other"]).unwrap(), "reader: SELECT, UPDATE*");
    }

    #[test]
    fn schema_public_is_told_where_everybody_may_create() {
        let told =
            |items: [&str; 2]| public_lines(DATABASE_OWNER, &items.map(Into::into)).map(|lines| lines.join("; "));
        assert_eq!(told(["pg_database_owner=UC/pg_database_owner", "=U/pg_database_owner"]), None);
        let open = Some("(owner): ALL; PUBLIC: ALL".to_owned());
        assert_eq!(told(["postgres=UC/postgres", "=UC/postgres"]), open);
        assert_eq!(told(["pg_database_owner=UC/pg_database_owner", "=UC/pg_database_owner"]), open);
    }

    #[test]
    fn all_is_all_with_and_without_maintain() {
        assert_eq!(
            shown(Kind::Table, &["app=arwdDxt/app", "x=arwdDxt/app"]),
            shown(Kind::Table, &["app=arwdDxtm/app", "x=arwdDxtm/app"])
        );
    }
}

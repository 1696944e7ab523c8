//! What makes a new table the like of another besides its columns: owner, grants, replica identity,
//! storage parameters. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ident::{Ident, Literal};

/// One right of one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The role; nothing is PUBLIC.
    pub grantee: Option<String>,
    /// `SELECT`, …
    pub privilege: String,
    /// WITH GRANT OPTION.
    pub grantable: bool,
    /// Only for this column.
    pub column: Option<String>,
}

/// Who may do what with a table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Grants {
    /// Whether rights were ever set: otherwise they are the owner's alone.
    pub explicit: Option<bool>,
    /// The rights.
    pub grants: Vec<Grant>,
    /// Whom ALTER DEFAULT PRIVILEGES lets into new tables.
    pub defaults: Vec<String>,
}

impl Grants {
    /// The statements that give `table`, owned by `owner`, the same rights and no others.
    pub fn statements(&self, table: &str, owner: &str) -> Vec<String> {
        let mut statements = Vec::new();
        let mut strangers: BTreeSet<String> = self.defaults.iter().map(|role| role_sql(Some(role))).collect();
        if self.explicit == Some(true) {
            strangers.insert("PUBLIC".to_owned());
            strangers.insert(Ident::new(owner).to_string());
        }
        // What is the owner's by nature stays, unless it was taken away.
        if self.explicit != Some(true) {
            strangers.remove(&Ident::new(owner).to_string());
        }
        if !strangers.is_empty() {
            let list: Vec<String> = strangers.into_iter().collect();
            statements.push(format!("REVOKE ALL ON TABLE {table} FROM {};", list.join(", ")));
        }
        statements.extend(self.grants.iter().map(|grant| grant.statement(&format!("TABLE {table}"))));
        statements
    }
}

impl Grant {
    /// `GRANT … ON …`.
    pub fn statement(&self, what: &str) -> String {
        let column = self.column.as_ref().map(|c| format!(" ({})", Ident::new(c.as_str()))).unwrap_or_default();
        let option = if self.grantable { " WITH GRANT OPTION" } else { "" };
        format!("GRANT {}{column} ON {what} TO {}{option};", self.privilege, role_sql(self.grantee.as_deref()))
    }
}

/// A role as GRANT takes it.
pub fn role_sql(role: Option<&str>) -> String {
    match role {
        None | Some("public") => "PUBLIC".to_owned(),
        Some(role) => Ident::new(role).to_string(),
    }
}

/// `WITH (…)` from options as the catalog has them (`fillfactor=70`), toast's with their prefix; empty
/// where there are none.
pub fn with_options(options: &[String], toast: &[String], more: &[(String, String)]) -> String {
    let mut list: Vec<(String, String)> = Vec::new();
    let own = options.iter().map(|option| (String::new(), option));
    for (prefix, option) in own.chain(toast.iter().map(|option| ("toast.".to_owned(), option))) {
        if let Some((name, value)) = option.split_once('=') {
            list.push((format!("{prefix}{name}"), value.to_owned()));
        }
    }
    for (name, value) in more {
        list.retain(|(known, _)| known != name);
        list.push((name.clone(), value.clone()));
    }
    if list.is_empty() {
        return String::new();
    }
    let list: Vec<String> = list.iter().map(|(name, value)| format!("{name} = {}", Literal(value))).collect();
    format!(" WITH ({})", list.join(", "))
}

/// REPLICA IDENTITY as it must be said for a new table; nothing where it is the default one.
pub fn replica_identity(letter: &str) -> Option<&'static str> {
    match letter {
        "f" => Some("FULL"),
        "n" => Some("NOTHING"),
        _ => None,
    }
}

/// `base`, or with a number behind it when that is taken; at most 63 bytes.
pub fn free_name(base: &str, taken: &mut BTreeSet<String>) -> String {
    for number in 1_u32.. {
        let suffix = if number == 1 { String::new() } else { format!("_{number}") };
        let name = format!("{}{suffix}", cut(base, 63 - suffix.len()));
        if taken.insert(name.clone()) {
            return name;
        }
    }
    base.to_owned()
}

/// `stem` and `suffix` together in at most 63 bytes: the stem gives way.
pub fn suffixed(stem: &str, suffix: &str) -> String {
    format!("{}{suffix}", cut(stem, 63_usize.saturating_sub(suffix.len())))
}

fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_the_same_and_no_others() {
        let grant = |grantee: Option<&str>, privilege: &str, column: Option<&str>| Grant {
            grantee: grantee.map(str::to_owned),
            privilege: privilege.to_owned(),
            grantable: grantee == Some("Boss"),
            column: column.map(str::to_owned),
        };
        let grants = Grants {
            explicit: Some(true),
            grants: vec![grant(Some("Boss"), "SELECT", None), grant(None, "UPDATE", Some("a b"))],
            defaults: vec!["reader".to_owned()],
        };
        assert_eq!(
            grants.statements("public.t", "o"),
            [
                "REVOKE ALL ON TABLE public.t FROM PUBLIC, o, reader;",
                "GRANT SELECT ON TABLE public.t TO \"Boss\" WITH GRANT OPTION;",
                "GRANT UPDATE (\"a b\") ON TABLE public.t TO PUBLIC;",
            ]
        );
        assert!(Grants::default().statements("public.t", "o").is_empty());
    }

    #[test]
    fn names_stay_within_63_bytes_and_avoid_each_other() {
        let mut taken = BTreeSet::from(["a".to_owned()]);
        assert_eq!(free_name("a", &mut taken), "a_2");
        let long = "é".repeat(40);
        assert_eq!(free_name(&long, &mut taken).len(), 62);
        assert!(free_name(&long, &mut taken).ends_with("_2"));
        assert_eq!(suffixed(&long, "_history").len(), 62);
    }
}

//! What is copied, in which pieces, and what stands against it. Pure.

use crate::backup::manifest::{LeftOut, Scope};
use crate::backup::pages::{self, Read};
use crate::backup::read::Relation;
use crate::backup::rows::Form;
use crate::error::{Failure, Kind, Result};
use crate::ident::Ident;
use crate::policy::glob;

/// What is copied and what is not.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Their rows are copied.
    pub tables: Vec<Relation>,
    /// These are not, and why.
    pub left_out: Vec<LeftOut>,
}

/// A part of a table that becomes a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The index of the table in [`Selection::tables`].
    pub table: usize,
    /// Its file below the backup's folder, without the endings that compression and encryption add.
    pub file: String,
    /// The `COPY … TO STDOUT`.
    pub sql: String,
    /// How that writes rows.
    pub form: Form,
    /// About how many bytes on the server it reads.
    pub bytes: u64,
}

/// Chooses by what was asked for.
///
/// # Errors
/// Usage, when something that was named is not there.
pub fn select(relations: Vec<Relation>, scope: &Scope, standby: bool) -> Result<Selection> {
    let mut selection = Selection::default();
    let named = |patterns: &[String], relation: &Relation| {
        let (schema, name) = (relation.name.schema.raw(), relation.name.name.raw());
        let whole = format!("{schema}.{name}");
        patterns.iter().any(|pattern| glob::matches(pattern, if pattern.contains('.') { &whole } else { name }))
    };
    for (patterns, flag) in [(&scope.tables, "--table"), (&scope.exclude, "--exclude")] {
        for pattern in patterns {
            if !relations.iter().any(|relation| named(std::slice::from_ref(pattern), relation)) {
                return Err(Failure::new(Kind::Usage, format!("{flag} {pattern}: there is no such table"))
                    .hint("tables are named schema.table or table; * and ? are wildcards"));
            }
        }
    }
    for schema in &scope.schemas {
        if !relations.iter().any(|relation| relation.name.schema.raw() == schema) {
            return Err(Failure::new(Kind::Usage, format!("--schema {schema}: no table lies in such a schema")));
        }
    }
    let all = scope.tables.is_empty() && scope.schemas.is_empty();
    for relation in relations {
        let wanted = all
            || named(&scope.tables, &relation)
            || scope.schemas.iter().any(|schema| schema == relation.name.schema.raw());
        let why = if !wanted {
            continue;
        } else if named(&scope.exclude, &relation) {
            "its rows were excluded"
        } else if relation.foreign {
            "a foreign table: its rows are on another server"
        } else if relation.unlogged && standby {
            "an unlogged table: a standby has no rows of it"
        } else {
            selection.tables.push(relation);
            continue;
        };
        selection.left_out.push(LeftOut { name: relation.name.to_string(), why: why.to_owned() });
    }
    Ok(selection)
}

/// Fails unless the role sees every row of every table.
///
/// # Errors
/// Not permitted, naming the tables and what to say to the server.
pub fn permit(tables: &[Relation], role: &str) -> Result<()> {
    let role = Ident::new(role);
    let names = |kept: fn(&Relation) -> bool| {
        tables.iter().filter(|table| kept(table)).map(|table| table.name.to_string()).collect::<Vec<_>>()
    };
    let closed = names(|table| !table.may_read);
    if !closed.is_empty() {
        return Err(Failure::new(Kind::NotPermitted, format!("role {role} may not read {}", listed(&closed)))
            .hint(format!("GRANT pg_read_all_data TO {role};")));
    }
    let hidden = names(|table| table.hides_rows);
    if !hidden.is_empty() {
        let message = format!("row security would hide rows of {} from role {role}", listed(&hidden));
        return Err(Failure::new(Kind::NotPermitted, message)
            .note("a backup without them would look whole")
            .hint(format!("ALTER ROLE {role} BYPASSRLS;   (a superuser may), or back up as the owner of the tables")));
    }
    Ok(())
}

/// Fails unless the role may read every large object; pg_read_all_data does not cover them.
///
/// # Errors
/// Not permitted, with what to say to the server.
pub fn permit_large_objects(closed: u64, role: &str) -> Result<()> {
    if closed == 0 {
        return Ok(());
    }
    let role = Ident::new(role);
    Err(Failure::new(Kind::NotPermitted, format!("role {role} may not read {closed} large objects"))
        .note("pg_read_all_data does not cover them")
        .hint("back up as a superuser or as their owner, or leave them out: --no-large-objects")
        .hint(format!("or, for each of them: GRANT SELECT ON LARGE OBJECT … TO {role};")))
}

/// A few names and how many more.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

/// The files and how each is read, the largest first, so that no job is left alone with it at the end.
pub fn pieces(tables: &[Relation], encoding: &str, jobs: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let ranges =
            if table.condition.is_some() { vec![None] } else { pages::cut(table.heap_bytes, table.pages, jobs) };
        let bytes = table.heap_bytes / ranges.len() as u64;
        for pages in ranges {
            let file = format!("data/{:05}.{}", pieces.len() + 1, table.form.ending());
            let read = Read {
                table: &table.name,
                columns: &table.columns,
                condition: table.condition.as_deref(),
                pages,
                form: &table.form,
            };
            let (sql, form) = (read.sql(encoding), table.form.clone());
            pieces.push(Piece { table: index, file, sql, form, bytes });
        }
    }
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.bytes));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::TableName;

    fn table(name: &str, heap_bytes: u64) -> Relation {
        Relation {
            oid: 1,
            name: TableName::new("public", name),
            foreign: false,
            unlogged: false,
            heap_bytes,
            pages: heap_bytes / 8192,
            columns: vec!["id".to_owned(), "Odd\"name".to_owned()],
            form: Form::Text,
            condition: None,
            hides_rows: false,
            may_read: true,
            root: None,
        }
    }

    #[test]
    fn a_large_table_is_cut_and_the_largest_comes_first() {
        let tables = [table("small", 8192), table("large", 1 << 30)];
        let pieces = pieces(&tables, "UTF8", 2);
        let (last, others) = pieces.split_last().unwrap();
        assert_eq!(others.len(), 8);
        assert!(others.iter().all(|piece| piece.table == 1 && piece.sql.contains("WHERE ctid >= ")), "{others:?}");
        assert_eq!((last.table, last.file.as_str()), (0, "data/00001.copy"));
        let part = Relation { condition: Some("WHERE id > 1".to_owned()), ..table("large", 1 << 30) };
        assert_eq!(super::pieces(&[part], "UTF8", 2).len(), 1);
    }

    #[test]
    fn what_is_named_must_be_there_and_what_is_left_out_is_said() {
        let relations = || vec![table("a", 0), Relation { foreign: true, ..table("b", 0) }];
        let scope = |tables: &[&str], exclude: &[&str]| Scope {
            tables: tables.iter().map(|t| (*t).to_owned()).collect(),
            exclude: exclude.iter().map(|t| (*t).to_owned()).collect(),
            ..Scope::default()
        };
        let whole = select(relations(), &Scope::default(), false).unwrap();
        assert_eq!((whole.tables.len(), whole.left_out.len()), (1, 1));
        assert!(select(relations(), &scope(&["c*"], &[]), false).is_err());
        let part = select(relations(), &scope(&["public.a"], &["a"]), false).unwrap();
        assert_eq!((part.tables.len(), part.left_out[0].why.as_str()), (0, "its rows were excluded"));
    }

    #[test]
    fn rows_that_cannot_be_seen_stop_the_backup() {
        let hidden = Relation { hides_rows: true, ..table("secret", 0) };
        let failure = permit(&[table("a", 0), hidden], "backup").unwrap_err();
        assert!(
            failure.to_string().contains("public.secret") && failure.to_string().contains("BYPASSRLS"),
            "{failure}"
        );
        let closed = Relation { may_read: false, ..table("closed", 0) };
        assert!(permit(&[closed], "backup").unwrap_err().to_string().contains("pg_read_all_data"));
    }
}

//! Columns and constraints, as CREATE TABLE and ALTER TABLE spell them.

use super::super::phrase::Phrase;
use super::{Column, Constraint, Generated, Sort};

/// Words that end a column's data type or a default.
const CLAUSES: &[&str] = &[
    "NOT",
    "NULL",
    "DEFAULT",
    "PRIMARY",
    "UNIQUE",
    "REFERENCES",
    "CHECK",
    "GENERATED",
    "COLLATE",
    "CONSTRAINT",
    "STORAGE",
    "COMPRESSION",
    "DEFERRABLE",
    "INITIALLY",
    "OPTIONS",
    "USING",
];

/// Where the data type that begins at `from` ends.
pub(super) fn type_end(phrase: &Phrase<'_>, from: usize) -> usize {
    let mut at = from;
    while at < phrase.len() && (at == from || !phrase.is_one(at, CLAUSES)) {
        at = if phrase.is(at, "(") || phrase.is(at, "[") { phrase.close(at) + 1 } else { at + 1 };
    }
    at
}

/// Reads a column, without ADD COLUMN in front.
pub(super) fn column(phrase: &Phrase<'_>) -> Option<Column> {
    let name = phrase.ident(0)?;
    let end = type_end(phrase, 1);
    let data_type = phrase.part(1, end);
    let mut column = Column {
        name,
        data_type: data_type.plain(),
        not_null: false,
        default: None,
        primary_key: false,
        unique: false,
        references: None,
        check: None,
        generated: None,
        identity: false,
        type_span: data_type.span(),
        span: phrase.span(),
        written: phrase.written().to_owned(),
    };
    let mut at = end;
    while at < phrase.len() {
        at = clause(phrase, at, &mut column);
    }
    let first = column.data_type.split(['(', ' ']).next().unwrap_or_default();
    if ["serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"].contains(&first) {
        column.identity = true;
        column.not_null = true;
    }
    Some(column)
}

/// Reads one clause; where the next begins.
fn clause(phrase: &Phrase<'_>, at: usize, column: &mut Column) -> usize {
    if phrase.are(at, "NOT NULL") {
        column.not_null = true;
        return at + 2;
    }
    if phrase.are(at, "PRIMARY KEY") {
        (column.primary_key, column.not_null) = (true, true);
        return at + 2;
    }
    match phrase.get(at).to_ascii_uppercase().as_str() {
        "DEFAULT" => {
            let mut end = at + 1;
            while end < phrase.len() && !(end > at + 1 && phrase.is_one(end, CLAUSES) && !goes_on(phrase, end)) {
                end = if phrase.is(end, "(") || phrase.is(end, "[") { phrase.close(end) + 1 } else { end + 1 };
            }
            column.default = Some(phrase.part(at + 1, end).plain());
            end
        }
        "UNIQUE" => {
            column.unique = true;
            at + 1
        }
        "REFERENCES" => match phrase.name(at + 1) {
            Some((name, end)) => {
                column.references = Some(name);
                end
            }
            None => at + 1,
        },
        "CHECK" => match phrase.inside(at + 1) {
            Some((expression, end)) => {
                column.check = Some(expression.plain());
                end
            }
            None => at + 1,
        },
        "GENERATED" => generated(phrase, at, column),
        "CONSTRAINT" => at + 2,
        "(" => phrase.close(at) + 1,
        _ => at + 1,
    }
}

/// `DEFAULT a NOT NULL` ends at NOT; `DEFAULT x IS NOT NULL` and `DEFAULT NULL` do not.
fn goes_on(phrase: &Phrase<'_>, at: usize) -> bool {
    at > 0 && phrase.is(at - 1, "IS")
}

fn generated(phrase: &Phrase<'_>, at: usize, column: &mut Column) -> usize {
    let by = phrase.skip(phrase.skip(at + 1, "ALWAYS"), "BY DEFAULT");
    let by = phrase.skip(by, "ON NULL");
    if phrase.are(by, "AS IDENTITY") {
        (column.identity, column.not_null) = (true, true);
        return phrase.inside(by + 2).map_or(by + 2, |(_, end)| end);
    }
    let end = phrase.inside(by + 1).map_or(by + 1, |(_, end)| end);
    column.generated = Some(match phrase.get(end).to_ascii_uppercase().as_str() {
        "STORED" => Generated::Stored,
        "VIRTUAL" => Generated::Virtual,
        _ => Generated::Unsaid,
    });
    phrase.skip(phrase.skip(end, "STORED"), "VIRTUAL")
}

/// Whether a part of CREATE TABLE's list is a constraint and not a column.
pub(super) fn is_constraint(phrase: &Phrase<'_>) -> bool {
    phrase.is_one(0, &["CONSTRAINT", "CHECK", "UNIQUE", "EXCLUDE"])
        || phrase.are(0, "PRIMARY KEY")
        || phrase.are(0, "FOREIGN KEY")
        || phrase.are(0, "NOT NULL")
}

/// Reads a constraint, without ADD in front.
pub(super) fn constraint(phrase: &Phrase<'_>) -> Option<Constraint> {
    let (name, at) = if phrase.is(0, "CONSTRAINT") { (phrase.ident(1), 2) } else { (None, 0) };
    let body = phrase.part(at, phrase.len());
    let idents = |from: usize| body.inside(from).map(|(list, _)| list.idents()).unwrap_or_default();
    let using_index = body.has("USING INDEX") && !body.has("USING INDEX TABLESPACE");
    let temporal = body.holds("WITHOUT OVERLAPS") || body.holds("PERIOD");
    let kind = match body.get(0).to_ascii_uppercase().as_str() {
        "CHECK" => Sort::Check { expression: body.inside(1).map(|(inner, _)| inner.plain()).unwrap_or_default() },
        "UNIQUE" => {
            let at = body.skip(body.skip(1, "NULLS NOT DISTINCT"), "NULLS DISTINCT");
            Sort::Unique { columns: idents(at), using_index, temporal }
        }
        "PRIMARY" => Sort::Primary { columns: idents(2), using_index },
        "FOREIGN" => {
            let at = body.find(0, "REFERENCES")?;
            Sort::Foreign { columns: idents(2), references: body.name(at + 1)?.0 }
        }
        "EXCLUDE" => Sort::Exclude,
        "NOT" => Sort::NotNull { column: body.ident(2)? },
        _ => return None,
    };
    Some(Constraint {
        name,
        kind,
        not_valid: body.has("NOT VALID"),
        not_enforced: body.has("NOT ENFORCED"),
        span: phrase.span(),
        written: body.written().to_owned(),
    })
}

//! Every query of `sql/catalog`, on every major: listed, headed, prepared, and run without rights.

use std::path::Path;

use dbctl::pg::Query;

use crate::harness::{Database, majors};

#[test]
fn every_file_is_a_query_with_a_header_that_answers_three_questions() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/catalog");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().strip_suffix(".sql").unwrap().to_owned())
        .collect();
    files.sort();
    let mut listed: Vec<&str> = Query::ALL.iter().map(|query| query.name).collect();
    listed.sort_unstable();
    assert_eq!(files, listed);
    for query in Query::ALL {
        let mut lines = query.text().lines();
        let mut next = || lines.next().unwrap_or_default();
        let (question, server, rights) = (next(), next(), next());
        assert!(question.starts_with("-- ") && question.contains('?'), "{}: {question}", query.name);
        let lowest = server.strip_prefix("-- Server: ").and_then(|rest| rest.strip_suffix('.'));
        assert!(
            lowest.is_some_and(|major| (14..=18).contains(&major.parse().unwrap_or(0))),
            "{}: {server}",
            query.name
        );
        assert!(rights.starts_with("-- Rights: ") && rights.ends_with('.'), "{}: {rights}", query.name);
    }
}

#[test]
fn every_query_is_prepared_and_answers_on_every_major() {
    for major in majors() {
        let db = Database::on(major);
        db.sql(include_str!("../../sql/state/dbctl.sql"));
        for query in Query::ALL.iter().filter(|query| query.lowest_major().is_some_and(|lowest| lowest <= major)) {
            run(&db.session(), query).unwrap_or_else(|error| panic!("{} on {major}: {error}", query.name));
        }
    }
}

#[test]
fn queries_without_rights_need_none_and_none_of_them_writes() {
    let db = Database::new();
    db.sql(include_str!("../../sql/state/dbctl.sql"));
    for query in Query::ALL {
        let session = db.session();
        session.sql("BEGIN READ ONLY");
        if query.text().contains("-- Rights: none") {
            // A predefined role without any right of its own; `search_path` may be anything.
            session.sql("SET LOCAL ROLE pg_signal_backend; SET LOCAL search_path = pg_temp");
        }
        run(&session, query).unwrap_or_else(|error| panic!("{}: {error}", query.name));
    }
}

fn run(session: &crate::harness::Session, query: &Query) -> Result<(), crate::harness::SqlError> {
    let types = query.parameter_types();
    let list = |items: Vec<&str>| if items.is_empty() { String::new() } else { format!("({})", items.join(", ")) };
    session.try_sql(&format!("PREPARE q{} AS {}", list(types.clone()), query.text()))?;
    let argument = |kind: &&str| match *kind {
        kind if kind.starts_with('_') => "'{}'",
        kind if kind.starts_with("int") || kind == "oid" => "0",
        "bool" => "true",
        _ => "'x'",
    };
    let arguments = types.iter().map(argument).collect();
    session.try_sql(&format!("EXECUTE q{}", list(arguments))).map(drop)
}

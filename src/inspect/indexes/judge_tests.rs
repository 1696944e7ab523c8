//! Which indexes are found, and which are not.

use super::*;
use crate::inspect::indexes::read::{ForeignKey, Table};

fn index(oid: u32, name: &str, columns: &[i64]) -> Index {
    Index {
        oid,
        table_oid: 1,
        parent: None,
        table: TableName::new("app", "t"),
        name: TableName::new("app", name),
        is_partitioned: false,
        partitions: 0,
        method: "btree".to_owned(),
        is_unique: false,
        is_clustered: false,
        is_strict: false,
        is_needed: false,
        is_valid: true,
        is_live: true,
        is_built: false,
        keys: columns.len(),
        columns: columns.to_vec(),
        names: Vec::new(),
        ways: columns.iter().map(|_| "1 0 0".to_owned()).collect(),
        expressions: String::new(),
        condition: String::new(),
        bytes: 1000,
        scans: 5,
        last_scan: None,
    }
}

fn told(indexes: Vec<Index>) -> Vec<String> {
    let catalog = Catalog { counted_seconds: 1e9, indexes, ..Catalog::default() };
    let limits = Limits { min_seconds: 1.0, min_bytes: 0, min_rows: 0 };
    let findings = judge(&catalog, &[], &limits);
    findings.iter().map(|f| format!("{} {}", f.kind.name(), f.index.as_ref().unwrap().1.name.raw())).collect()
}

#[test]
fn of_two_the_same_the_one_that_nothing_needs_goes() {
    let needed = Index { is_needed: true, is_unique: true, ..index(2, "key", &[1]) };
    assert_eq!(told(vec![index(1, "a", &[1]), needed.clone()]), ["duplicate a"]);
    assert_eq!(told(vec![index(1, "a", &[1]), index(2, "b", &[1])]), ["duplicate b"]);
    // What takes the place of another is not unused, whoever of them was used.
    let idle = Index { scans: 0, ..index(1, "a", &[1]) };
    assert_eq!(told(vec![idle, index(2, "b", &[1])]), ["duplicate b"]);
    // Whichever was made first.
    let unique = |oid| Index { is_unique: true, ..index(oid, "u", &[1]) };
    let clustered = |oid| Index { is_clustered: true, ..index(oid, "c", &[1]) };
    for oids in [[1, 2], [2, 1]] {
        let in_order = |mut both: Vec<Index>| {
            both.sort_by_key(|index| index.oid);
            told(both)
        };
        assert_eq!(in_order(vec![index(oids[0], "a", &[1]), unique(oids[1])]), ["duplicate a"]);
        assert_eq!(in_order(vec![index(oids[0], "a", &[1]), clustered(oids[1])]), ["duplicate a"]);
        assert_eq!(in_order(vec![clustered(oids[0]), unique(oids[1])]), ["duplicate c"]);
        let strict = Index { is_strict: true, ..unique(oids[0]) };
        assert_eq!(
            in_order(vec![strict, Index { name: TableName::new("app", "v"), ..unique(oids[1]) }]),
            ["duplicate v"]
        );
    }
    let keys = vec![needed.clone(), Index { oid: 3, ..needed }];
    assert_eq!(told(keys), [""; 0], "constraints are not told");
    // A partition has one of its own beside that of the whole table.
    let whole = Index { is_partitioned: true, table_oid: 2, ..index(9, "whole", &[1]) };
    let part = |oid| Index { parent: Some(9), ..index(oid, "part", &[1]) };
    assert_eq!(told(vec![index(1, "own", &[1]), part(2), whole.clone()]), ["duplicate own"]);
    assert_eq!(told(vec![part(1), part(2), whole]), [""; 0]);
}

#[test]
fn the_beginning_of_a_wider_one_is_redundant_unless_it_does_more() {
    let wide = || index(9, "wide", &[1, 2]);
    assert_eq!(told(vec![index(1, "a", &[1]), wide()]), ["redundant a"]);
    for more in [
        Index { is_unique: true, ..index(1, "a", &[1]) },
        Index { is_needed: true, ..index(1, "a", &[1]) },
        Index { is_clustered: true, ..index(1, "a", &[1]) },
        Index { condition: "x".to_owned(), ..index(1, "a", &[1]) },
        Index { keys: 1, columns: vec![1, 3], ..index(1, "a", &[1]) },
        Index { ways: vec!["2 0 0".to_owned()], ..index(1, "a", &[1]) },
        Index { method: "hash".to_owned(), ..index(1, "a", &[1]) },
        index(1, "a", &[2]),
    ] {
        assert_eq!(told(vec![more, wide()]), [""; 0]);
    }
}

#[test]
fn what_a_foreign_key_or_another_server_needs_is_not_unused() {
    let idle = |oid, name| Index { scans: 0, ..index(oid, name, &[i64::from(oid)]) };
    let catalog = |foreign_keys| Catalog {
        counted_seconds: 1e9,
        indexes: vec![idle(1, "a"), idle(2, "b")],
        foreign_keys,
        ..Catalog::default()
    };
    let key = ForeignKey {
        oid: 100,
        parent: None,
        table_oid: 1,
        table: TableName::new("app", "t"),
        name: "k".to_owned(),
        columns: vec![1],
        names: vec!["x".to_owned()],
    };
    let limits = Limits { min_seconds: 1.0, min_bytes: 0, min_rows: 0 };
    let names =
        |found: Vec<Finding>| found.into_iter().map(|f| f.index.unwrap().1.name.raw().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(judge(&catalog(vec![key]), &[], &limits)), ["b"]);
    let there = |uses: &[(&str, i64)]| {
        uses.iter().map(|(name, scans)| (format!("app.{name}"), *scans)).collect::<BTreeMap<_, _>>()
    };
    let all = [there(&[("a", 0), ("b", 7)]), there(&[("a", 0), ("b", 0)])];
    assert_eq!(names(judge(&catalog(vec![]), &all, &limits)), ["a"]);
    // A server without the index says nothing of its use.
    assert_eq!(names(judge(&catalog(vec![]), &[there(&[("b", 0)])], &limits)), ["b"]);
}

#[test]
fn what_is_never_used_is_unused_only_with_all_its_partitions() {
    let never = |oid, name| Index { scans: 0, ..index(oid, name, &[i64::from(oid)]) };
    let parent = Index { is_partitioned: true, bytes: 0, ..never(1, "tree") };
    let leaf = |oid, scans| Index { parent: Some(1), scans, table_oid: oid, ..never(oid, "leaf") };
    assert_eq!(told(vec![parent.clone(), leaf(2, 0), leaf(3, 0)]), ["unused tree"]);
    assert_eq!(told(vec![parent, leaf(2, 0), leaf(3, 7)]), [""; 0]);
    assert_eq!(told(vec![Index { is_needed: true, ..never(4, "key") }]), [""; 0]);
    assert_eq!(told(vec![Index { is_valid: false, ..never(5, "broken_ccnew1") }]), ["invalid broken_ccnew1"]);
    assert_eq!(told(vec![Index { is_valid: false, is_built: true, ..never(5, "now") }]), [""; 0]);
}

#[test]
fn what_is_left_over_is_dropped_and_what_is_incomplete_is_somebodys_work() {
    let broken = |name: &str| Index { is_valid: false, ..index(1, name, &[1]) };
    let of = |indexes: Vec<Index>| {
        let catalog = Catalog { indexes, ..Catalog::default() };
        let limits = Limits { min_seconds: 1.0, min_bytes: 0, min_rows: 0 };
        judge(&catalog, &[], &limits).into_iter().map(|finding| finding.remedy).collect::<Vec<String>>()
    };
    assert_eq!(of(vec![broken("a_ccnew")]), ["DROP INDEX CONCURRENTLY app.a_ccnew;"]);
    assert_eq!(of(vec![broken("a_ccold12")]), ["DROP INDEX CONCURRENTLY app.a_ccold12;"]);
    assert_eq!(of(vec![broken("a")]), ["REINDEX INDEX CONCURRENTLY app.a;"]);
    let half_dropped = Index { is_live: false, ..broken("a") };
    assert_eq!(of(vec![half_dropped]), ["DROP INDEX CONCURRENTLY app.a;"]);
    let unique = |names: &[&str]| Index {
        is_unique: true,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        ..broken("u")
    };
    let said = of(vec![unique(&["b", "Odd"])]).concat();
    assert!(
        said.contains("-- SELECT b, \"Odd\", count(*) FROM app.t WHERE (b, \"Odd\") IS NOT NULL GROUP BY b, \"Odd\""),
        "{said}"
    );
    assert!(said.ends_with(";\nREINDEX INDEX CONCURRENTLY app.u;"), "{said}");
    let strict = of(vec![Index { is_strict: true, ..unique(&["b"]) }]).concat();
    assert!(strict.contains("FROM app.t GROUP BY b HAVING"), "{strict}");
    assert!(of(vec![unique(&[])]).concat().starts_with("-- Rows of the same value"));

    let whole = |partitions| Index { is_partitioned: true, partitions, oid: 9, ..broken("whole") };
    let part = |is_valid| Index { parent: Some(9), is_valid, oid: 2, ..index(2, "part", &[1]) };
    assert_eq!(of(vec![whole(2), part(true)]), [""; 0], "one is still to be attached");
    assert_eq!(of(vec![whole(1), part(false)]), ["REINDEX INDEX CONCURRENTLY app.part;"]);
    assert_eq!(of(vec![whole(1), part(true)]), ["ALTER INDEX app.whole ATTACH PARTITION app.part;"]);
}

fn table(oid: u32, parent: Option<u32>, rows: i64) -> Table {
    Table {
        oid,
        parent,
        name: TableName::new("app", format!("t{oid}")),
        is_partitioned: false,
        rows,
        bytes: 100,
        scans: 0,
        rows_read: 0,
        writes: 0,
    }
}

#[test]
fn a_foreign_key_of_partitions_is_told_once_unless_each_of_them_covers_it() {
    let key = |oid, parent, table_oid, columns: &[i64]| ForeignKey {
        oid,
        parent,
        table_oid,
        table: TableName::new("app", format!("t{table_oid}")),
        name: "k".to_owned(),
        columns: columns.to_vec(),
        names: vec!["x".to_owned()],
    };
    let tables = vec![
        Table { is_partitioned: true, ..table(1, None, 0) },
        Table { is_partitioned: true, ..table(2, Some(1), 0) },
        table(3, Some(2), 500),
        table(4, Some(2), 250),
        table(5, Some(1), 250),
    ];
    // Partitions may have their columns in another order.
    let keys = vec![
        key(11, None, 1, &[1]),
        key(12, Some(11), 2, &[1]),
        key(13, Some(12), 3, &[1]),
        key(14, Some(12), 4, &[2]),
        key(15, Some(11), 5, &[1]),
    ];
    let told = |indexes: Vec<Index>, min_rows| {
        let catalog = Catalog { tables: tables.clone(), foreign_keys: keys.clone(), indexes, ..Catalog::default() };
        let limits = Limits { min_seconds: 1.0, min_bytes: 0, min_rows };
        let found = judge(&catalog, &[], &limits);
        found.iter().map(|f| format!("{} {}", f.object, f.numbers.rows.unwrap())).collect::<Vec<String>>()
    };
    let on = |oid, table_oid, column: i64| Index { table_oid, ..index(oid, "i", &[column]) };
    assert_eq!(told(vec![], 1000), ["app.t1.k 1000"]);
    assert_eq!(told(vec![], 1001), [""; 0]);
    assert_eq!(told(vec![on(21, 3, 1), on(22, 4, 1), on(23, 5, 1)], 0), ["app.t1.k 1000"], "4 has another column");
    let each = vec![on(21, 3, 1), on(22, 4, 2), on(23, 5, 1)];
    assert_eq!(told(each.clone(), 0), [""; 0]);
    assert_eq!(told(vec![on(21, 2, 1), on(23, 5, 1)], 0), [""; 0]);
    assert_eq!(told(vec![on(21, 1, 1)], 0), [""; 0]);
    // And none of them is unused.
    let idle = each.into_iter().map(|index| Index { scans: 0, ..index }).collect();
    let catalog = Catalog { counted_seconds: 1e9, foreign_keys: keys.clone(), indexes: idle, ..Catalog::default() };
    assert_eq!(judge(&catalog, &[], &Limits { min_seconds: 1.0, min_bytes: 0, min_rows: 0 }), []);
}

#[test]
fn few_uses_for_many_writes_and_many_reads_of_whole_tables() {
    let day = 86_400.0;
    let told = |days: f64, indexes: &[Index], tables: &[Table], uses: &[(&str, i64)]| {
        let catalog = Catalog {
            counted_seconds: days * day,
            indexes: indexes.to_vec(),
            tables: tables.to_vec(),
            ..Catalog::default()
        };
        let uses = uses.iter().map(|(name, scans)| (format!("app.{name}"), *scans)).collect::<BTreeMap<_, _>>();
        let elsewhere = if uses.is_empty() { vec![] } else { vec![uses] };
        let limits = Limits { min_seconds: 5.0 * day, min_bytes: 0, min_rows: 1000 };
        let found = judge(&catalog, &elsewhere, &limits);
        found.iter().map(|f| format!("{} {}", f.kind.name(), f.evidence)).collect::<Vec<String>>()
    };
    let few = |scans| Index { scans, ..index(9, "few", &[1]) };
    let written = |writes| Table { writes, ..table(1, None, 10) };
    let said = told(10.0, &[few(12)], &[written(12_000)], &[]);
    assert_eq!(said, ["rarely-used used 12 times for 12000 writes in 10 days of counting"]);
    assert_eq!(told(10.0, &[few(12)], &[written(11_999)], &[]), [""; 0]);
    assert_eq!(told(10.0, &[few(1)], &[written(9_999)], &[]), [""; 0], "it costs nothing");
    assert_eq!(told(4.0, &[few(12)], &[written(12_000)], &[]), [""; 0], "too early to tell");
    assert_eq!(told(10.0, &[few(12)], &[written(12_000)], &[("few", 1)]), [""; 0], "13 in all");
    assert_eq!(told(10.0, &[few(12)], &[written(12_000)], &[("other", 1)]), [""; 0], "who knows its name there?");

    let read = |times: i64| Table { scans: times * 2, rows_read: times * 2000, ..table(1, None, 2000) };
    let said = told(1.0, &[], &[read(100)], &[]);
    assert_eq!(
        said,
        ["missing a hint, no verdict: 200 sequential scans read 200000 rows in 1.0 days, ~100 times all ~2000"]
    );
    assert_eq!(told(1.0, &[], &[read(99)], &[]), [""; 0]);
    assert_eq!(told(100.0, &[], &[read(999)], &[]), [""; 0], "less than ten times a day");
    assert_eq!(told(1.0, &[], &[Table { rows: 999, ..read(1000) }], &[]), [""; 0], "it is small");
    let parts =
        [table(1, None, 0), Table { parent: Some(1), ..read(50) }, Table { oid: 2, parent: Some(1), ..read(150) }];
    let parts = parts.map(|part| if part.parent.is_some() { Table { oid: part.oid + 5, ..part } } else { part });
    assert_eq!(told(1.0, &[], &parts, &[]).len(), 1, "the whole table is told, once");
}

//! Which indexes are meant, in which order, and which are not.

use std::collections::BTreeMap;

use super::*;
use crate::maintain::reindex::read::Unfinished;

fn server(version: &str) -> Server {
    Server {
        major: 14,
        version: version.to_owned(),
        in_recovery: false,
        read_only: false,
        role: "me".into(),
        database: "db".into(),
        search_path: "public".into(),
        current_schema: Some("public".into()),
        backend_pid: 1,
        watches_clients: true,
        has_state: true,
        reads_state: true,
    }
}

fn index(oid: u32, table: &str, name: &str, bytes: u64) -> Index {
    Index {
        oid,
        filenode: oid + 1000,
        name: TableName::new("public", name),
        heap_oid: 1,
        table: TableName::new("public", table),
        tables: vec![1],
        indexes: vec![oid],
        is_partitioned: false,
        is_toast: false,
        is_system: false,
        is_exclusion: false,
        is_valid: true,
        is_held: false,
        owns: true,
        may: true,
        place: None,
        bytes,
    }
}

fn catalog(indexes: Vec<Index>) -> Catalog {
    Catalog {
        server: server("14.12 (Debian 14.12-1)"),
        path: vec!["public".into()],
        indexes,
        changed: BTreeMap::new(),
        waits: Vec::new(),
        slots: Vec::new(),
        preflight: Default::default(),
        told: Default::default(),
        estimated: false,
    }
}

fn all() -> Wish {
    Wish { all: true, ..Wish::default() }
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.tasks.iter().map(|task| task.index.name.raw()).collect()
}

#[test]
fn the_smallest_is_first_and_what_is_half_built_is_no_index() {
    let mut catalog = catalog(vec![
        index(1, "t", "large", 900),
        index(2, "t", "small", 10),
        Index { is_valid: false, ..index(3, "t", "small_ccnew2", 10) },
        Index { is_valid: false, ..index(4, "t", "large_ccold", 10) },
        Index { is_valid: true, ..index(5, "t", "named_ccnew", 11) },
        Index { is_valid: false, is_held: true, ..index(6, "t", "large_ccnew", 10) },
    ]);
    let plan = super::plan(&catalog, &all(), None).unwrap();
    assert_eq!(names(&plan), ["small", "named_ccnew", "large"]);
    let left: Vec<Leftover> = plan.leftovers.iter().map(|left| left.what).collect();
    assert_eq!(left, [Leftover::Copy, Leftover::Replaced], "what somebody builds now is not left");
    catalog.indexes[0].may = false;
    let plan = super::plan(&catalog, &all(), None).unwrap();
    assert_eq!(names(&plan), ["small", "named_ccnew"]);
    assert_eq!(plan.skipped[0].index.name.raw(), "large");
}

#[test]
fn servers_that_corrupt_what_they_build_beside_others_are_refused() {
    for (version, refused) in [
        ("14.0", true),
        ("14.3 (Debian 14.3-1.pgdg110+1)", true),
        ("14.4", false),
        ("14.10", false),
        ("15.3", false),
        ("14beta1", false),
    ] {
        let catalog = Catalog { server: server(version), ..catalog(Vec::new()) };
        let refusal = super::plan(&catalog, &all(), None).err();
        assert_eq!(refusal.map(|failure| failure.what()), refused.then_some(Kind::Refused), "{version}");
        assert!(super::plan(&catalog, &Wish { offline: true, ..all() }, None).is_ok(), "{version}");
    }
    let standby = Catalog { server: Server { in_recovery: true, ..server("17.1") }, ..catalog(Vec::new()) };
    assert_eq!(super::plan(&standby, &all(), None).unwrap_err().what(), Kind::Refused);
}

#[test]
fn without_a_selector_bloat_decides_and_without_an_estimate_it_is_asked_for() {
    let catalog =
        catalog(vec![index(1, "t", "a", 90 << 20), index(2, "t", "b", 80 << 20), index(3, "t", "c", 12 << 20)]);
    assert_eq!(super::plan(&catalog, &Wish::default(), None).unwrap_err().what(), Kind::Usage);
    let bloat = |share: f64, mb: u64, is_doubtful| Bloat { share, bytes: mb << 20, is_doubtful };
    let known = BTreeMap::from([(1, bloat(0.5, 45, false)), (2, bloat(0.9, 70, true)), (3, bloat(0.6, 7, false))]);
    let plan = super::plan(&catalog, &Wish::default(), Some(&known)).unwrap();
    assert_eq!(names(&plan), ["a"], "neither a doubtful nor a small one");
    assert_eq!((plan.tasks[0].expected, plan.tasks[0].why.as_str()), (Some(45 << 20), "50 % bloat"));
}

#[test]
fn a_run_is_gone_on_with_where_its_indexes_are_as_they_were() {
    let listed = |oid: u32, name: &str| Listed {
        mark: Mark { oid, filenode: oid + 1000 },
        name: TableName::new("public", name),
        heap: 1,
    };
    let mut catalog = catalog(vec![
        index(1, "t", "as_it_was", 5),
        Index { filenode: 7, ..index(2, "t", "built_offline", 5) },
        Index { is_valid: false, ..index(3, "t", "swapped_ccold", 5) },
        index(4, "t", "swapped", 5),
        index(6, "t", "another", 5),
    ]);
    catalog.told.unfinished = Some(Unfinished {
        run: 9,
        indexes: vec![listed(1, "as_it_was"), listed(2, "built_offline"), listed(3, "swapped"), listed(5, "dropped")],
    });
    catalog.told.begun = vec![listed(3, "swapped")];
    let resume = Wish { resume: true, ..Wish::default() };
    let plan = super::plan(&catalog, &resume, None).unwrap();
    assert_eq!(names(&plan), ["as_it_was"]);
    assert_eq!((plan.resumes, plan.done_before), (Some(9), 3));
    assert_eq!(plan.unsettled.iter().map(|task| task.mark.oid).collect::<Vec<_>>(), [3]);
    let limited = Wish { indexes: vec!["another".into()], ..resume };
    assert_eq!(names(&super::plan(&catalog, &limited, None).unwrap()), Vec::<&str>::new(), "not of that run");
    catalog.told.unfinished = None;
    assert_eq!(names(&super::plan(&catalog, &limited, None).unwrap()), ["another"], "nothing to go on with");
}

#[test]
fn names_are_meant_as_sql_and_as_the_catalog_has_them() {
    let name = TableName::new("Odd", "T \" x");
    let path = ["public".to_owned(), "Odd".to_owned()];
    for (asked, found) in [
        (r#""Odd"."T "" x""#, Some(0)),
        (r#"Odd.T " x"#, Some(0)),
        (r#"Odd."T "" x""#, Some(0)),
        (r#""T "" x""#, Some(2)),
        (r#"T " x"#, Some(2)),
        ("T", None),
        ("odd.T", None),
    ] {
        assert_eq!(rank(&name, &path, asked), found, "{asked}");
    }
    assert_eq!(rank(&name, &[], r#"T " x"#), None, "not in the path");
}

#[test]
fn all_of_a_small_table_are_built_together_where_nothing_is_against_it() {
    let of = |oid, heap, table: &str, name: &str, bytes| Index { heap_oid: heap, ..index(oid, table, name, bytes) };
    let toast = Index { is_toast: true, ..of(3, 2, "t", "pg_toast_1_index", 8) };
    let mut catalog = catalog(vec![
        of(1, 1, "t", "t_a", 30),
        of(2, 1, "t", "t_b", 10),
        toast,
        of(4, 4, "u", "u_a", 20),
        of(5, 5, "v", "v_a", 12 << 20),
        of(6, 5, "v", "v_b", 12 << 20),
    ]);
    let sql = |plan: &Plan| {
        let mut sql: Vec<String> = plan.tasks.iter().map(|task| task.sql(false)).collect();
        sql.dedup();
        sql
    };
    let [u, va, vb] = ["u_a", "v_a", "v_b"].map(|name| format!("REINDEX INDEX CONCURRENTLY public.{name}"));
    let [ta, tb, tt] =
        ["t_a", "t_b", "pg_toast_1_index"].map(|name| format!("REINDEX INDEX CONCURRENTLY public.{name}"));
    let t = "REINDEX TABLE CONCURRENTLY public.t".to_owned();
    let plan = super::plan(&catalog, &all(), None).unwrap();
    assert_eq!(sql(&plan), [u.clone(), t.clone(), va.clone(), vb.clone()]);
    let step = plan.tasks[1].step(
        &plan.tasks[2..4],
        &catalog.server,
        Timeouts { lock: std::time::Duration::ZERO, statement: std::time::Duration::ZERO },
        false,
    );
    let started = step.statement_messages(0)[1].sql.to_string();
    for subject in ["reindex:1:1001", "reindex:2:1002", "reindex:3:1003"] {
        assert!(started.contains(&format!("('{subject}', 0, 'started')")), "{started}");
    }
    let apart = [tt.clone(), tb.clone(), u.clone(), ta.clone(), va, vb];
    let two = Wish { indexes: vec!["t_a".into(), "t_b".into()], ..Wish::default() };
    assert_eq!(sql(&super::plan(&catalog, &two, None).unwrap()), [tb, ta], "its TOAST table was not meant");
    assert!(sql(&super::plan(&catalog, &Wish { offline: true, ..all() }, None).unwrap()).contains(&t).eq(&false));
    let begun = Listed { mark: Mark { oid: 9, filenode: 9 }, name: TableName::new("public", "x"), heap: 2 };
    catalog.told.begun = vec![begun];
    assert_eq!(sql(&super::plan(&catalog, &all(), None).unwrap()), apart, "what was begun is looked at by itself");
    catalog.told.begun.clear();
    catalog.indexes[0].is_exclusion = true;
    assert!(!sql(&super::plan(&catalog, &all(), None).unwrap()).contains(&t));
    catalog.indexes[0] = Index { is_exclusion: false, is_valid: false, ..catalog.indexes[0].clone() };
    assert!(!sql(&super::plan(&catalog, &all(), None).unwrap()).contains(&t), "it would leave the invalid one");
}

#[test]
fn what_is_left_is_ours_or_of_others_and_is_no_index_to_name() {
    let mut catalog = catalog(vec![
        index(1, "t", "a", 5),
        Index { is_valid: false, ..index(2, "t", "a_ccnew1", 5) },
        Index { is_valid: false, ..index(3, "t", "b_ccold", 5) },
    ]);
    catalog.told.begun =
        vec![Listed { mark: Mark { oid: 1, filenode: 1001 }, name: TableName::new("public", "a"), heap: 1 }];
    let ours: Vec<bool> = leftovers(&catalog.indexes, &catalog.told.begun).iter().map(|left| left.is_ours).collect();
    assert_eq!(ours, [true, false]);
    let wish = Wish { indexes: vec!["a_ccnew1".into()], ..Wish::default() };
    let refused = super::plan(&catalog, &wish, None).unwrap_err();
    assert_eq!(refused.what(), Kind::Refused);
    assert!(refused.hints().iter().any(|hint| hint.contains("DROP INDEX CONCURRENTLY public.a_ccnew1;")));
}

#[test]
fn a_full_disk_and_a_missing_right_are_seen_before() {
    let mut catalog = catalog(vec![index(1, "t", "a", 5_000_000), index(2, "t", "b", 90_000_000)]);
    catalog.preflight.free.insert(None, 50_000_000);
    let plan = super::plan(&catalog, &all(), None).unwrap();
    assert_eq!(names(&plan), ["a"]);
    assert_eq!(plan.skipped[0].why, "the new one takes up to 90 MB, and only 50 MB of disk are free");
    assert!(!plan.skipped[0].is_never, "somebody should see to it");
    let slim = BTreeMap::from([(2, Bloat { share: 0.9, bytes: 80_000_000, is_doubtful: false })]);
    assert_eq!(
        names(&super::plan(&catalog, &all(), Some(&slim)).unwrap()),
        ["a", "b"],
        "the new one is known to be small"
    );
    catalog.server.major = 17;
    catalog.indexes[0].may = false;
    let plan = super::plan(&catalog, &all(), None).unwrap();
    assert_eq!(plan.skipped[0].why, "the role is not its owner: GRANT MAINTAIN ON public.t TO me;");
}

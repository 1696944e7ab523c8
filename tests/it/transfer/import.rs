//! What an import does with keys, defaults, conflicts, and roles without rights.

use super::{Folder, command, export, import, json, rows, small};
use crate::harness::{Database, run};

#[test]
fn missing_keys_are_defaults_and_null_is_null() {
    let db = Database::new();
    db.sql(
        "CREATE TABLE public.d (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text DEFAULT 'x', n int DEFAULT 7, \
         serial bigserial, left_out text DEFAULT 'there', g int GENERATED ALWAYS AS (n * 2) STORED)",
    );
    let folder = Folder::new();
    let file = folder.write("d.jsonl", "{\"name\":null,\"n\":1}\n{\"n\":null}\n{\"id\":50,\"name\":\"y\"}\n");
    import(&db, &["--from", &file, "--into", "public.d"]).expect_code(0);
    assert_eq!(rows(&db, "public.d"), ["(1,,1,1,there,2)", "(2,x,,2,there,)", "(50,y,7,3,there,14)"]);
    let file = folder.write("g.jsonl", "{\"g\":1}\n");
    let told = import(&db, &["--from", &file, "--into", "public.d"]).expect_code(65).stderr;
    assert!(told.contains("the server generates \"g\""), "{told}");
}

#[test]
fn keys_that_are_there_fail_are_left_out_or_overwritten() {
    let db = small();
    db.sql("INSERT INTO public.copy VALUES (7, now(), 'mine')");
    let folder = Folder::new();
    let file = folder.path("t.ndjson");
    export(&db, &["--table", "public.t", "--to", &file]).expect_code(0);
    let told = import(&db, &["--from", &file, "--into", "public.copy"]).expect_code(1).stderr;
    assert!(told.contains("--on-conflict skip") && told.contains("23505"), "{told}");
    assert_eq!(db.one("SELECT count(*) FROM public.copy"), "1");
    let told = import(&db, &["--from", &file, "--into", "public.copy", "--on-conflict", "skip"]).expect_code(0);
    assert_eq!((&json(&told)["rows"], &json(&told)["stored"]), (&5000.into(), &4999.into()));
    assert_eq!(db.one("SELECT note FROM public.copy WHERE id = 7"), "mine");
    // What overwrites asks.
    let told =
        import(&db, &["--from", &file, "--into", "public.copy", "--on-conflict", "update"]).expect_code(4).stderr;
    assert!(told.contains("overwritten") && told.contains("--yes"), "{told}");
    import(&db, &["--from", &file, "--into", "public.copy", "--on-conflict", "update", "--yes"]).expect_code(0);
    assert_eq!(rows(&db, "public.copy"), rows(&db, "public.t"));
}

#[test]
fn what_removes_rows_asks_and_a_dry_run_stores_nothing() {
    let db = small();
    db.sql("INSERT INTO public.copy VALUES (-1, now(), 'old')");
    let folder = Folder::new();
    let file = folder.path("t.csv");
    export(&db, &["--table", "public.t", "--to", &file]).expect_code(0);
    let told = import(&db, &["--from", &file, "--into", "public.copy", "--truncate"]).expect_code(4).stderr;
    assert!(told.contains("all rows of public.copy are removed"), "{told}");
    let told = import(&db, &["--from", &file, "--into", "public.copy", "--truncate", "--dry-run"]).expect_code(0);
    assert_eq!((&json(&told)["proven"], &json(&told)["dry_run"]), (&true.into(), &true.into()));
    assert_eq!(rows(&db, "public.copy").len(), 1);
    import(&db, &["--from", &file, "--into", "public.copy", "--truncate", "--yes"]).expect_code(0);
    assert_eq!(rows(&db, "public.copy"), rows(&db, "public.t"));
}

#[test]
fn rows_that_row_security_hides_are_an_error_and_so_is_a_missing_right() {
    let db = small();
    db.sql(
        "DROP ROLE IF EXISTS reader_of_exports; CREATE ROLE reader_of_exports LOGIN; \
         GRANT SELECT ON public.t TO reader_of_exports; \
         ALTER TABLE public.t ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON public.t USING (id < 10)",
    );
    let folder = Folder::new();
    let url = db.url_as("reader_of_exports");
    let told = run(&mut command(&url, "export", &["--table", "public.t", "--to", &folder.path("t.csv")]));
    let told = told.expect_code(77).stderr;
    assert!(told.contains("row security would hide rows") && told.contains("ALTER ROLE"), "{told}");
    let query = ["--query", "SELECT * FROM public.t", "--to", &folder.path("q.csv")];
    run(&mut command(&url, "export", &query)).expect_code(77);
    run(&mut command(&url, "export", &["--table", "public.copy", "--to", &folder.path("c.csv")])).expect_code(77);
    assert_eq!(folder.names(), Vec::<String>::new());
    let file = folder.write("c.csv", "id,at,note\n1,2025-01-01,a\n");
    run(&mut command(&url, "import", &["--from", &file, "--into", "public.copy"])).expect_code(77);
    db.sql(
        "ALTER TABLE public.t DISABLE ROW LEVEL SECURITY; DROP OWNED BY reader_of_exports; DROP ROLE reader_of_exports",
    );
}

#[test]
fn a_query_only_reads_and_conditions_and_columns_choose() {
    let db = small();
    let folder = Folder::new();
    let to = folder.path("q.ndjson");
    let run = export(
        &db,
        &["--query", "SELECT id, note AS \"the note\" FROM t WHERE id <= 3 ORDER BY id -- the first", "--to", &to],
    );
    assert_eq!(json(&run.expect_code(0))["files"][0]["rows"], 3);
    let text = std::fs::read_to_string(&to).unwrap();
    assert_eq!(text.lines().next().unwrap(), "{\"id\":1,\"the note\":\"note 1\\nnext\"}");
    for (query, told) in [
        ("DELETE FROM t RETURNING *", "syntax error"),
        ("SELECT 1) TO STDOUT; DROP TABLE t; --", "syntax error"),
        ("SELECT nextval('s')", "read-only"),
        ("SELECT 1 AS a, 2 AS a", "two columns named a"),
    ] {
        db.sql("CREATE SEQUENCE IF NOT EXISTS public.s");
        let run = export(&db, &["--query", query, "--to", &folder.path("bad.csv")]);
        assert!(run.code != 0 && run.stderr.contains(told), "{query}: {} {}", run.code, run.stderr);
    }
    let to = folder.path("w.csv");
    export(&db, &["--table", "public.t", "--where", "id % 2 = 0", "--columns", "note,id", "--to", &to]).expect_code(0);
    db.sql("ALTER TABLE public.copy ALTER at SET DEFAULT now()");
    let told = import(&db, &["--from", &to, "--into", "public.copy"]).expect_code(0);
    assert_eq!((&json(&told)["stored"], &json(&told)["proven"]), (&2500.into(), &true.into()));
    let names = folder.names();
    assert_eq!(names, ["q.ndjson", "q.ndjson.json", "w.csv", "w.csv.json"]);
}

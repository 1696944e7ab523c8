//! `dbctl reindex`: what each selector means, what is left alone and why, and what the answer says.

use dbctl::pg::sandbox::Options;

use super::{answer, column, files, names, reindex};
use crate::harness::{Database, dbctl, eventually, majors, private_server, run, standby};

const TABLES: &str = r#"
CREATE TABLE a (id int PRIMARY KEY, t text);
CREATE INDEX a_t ON a (t);
INSERT INTO a SELECT i, 'text ' || i FROM generate_series(1, 2000) AS g (i);
CREATE SCHEMA "Odd ""s";
CREATE TABLE "Odd ""s"."T; 1" (id int);
CREATE INDEX "I %' x" ON "Odd ""s"."T; 1" (id);
CREATE TABLE p (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE INDEX p_at ON p (at);
CREATE TABLE e (r int4range, EXCLUDE USING gist (r WITH &&));
CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
CREATE INDEX m_a ON m (a);
"#;

#[test]
fn each_selector_means_its_indexes_and_each_becomes_a_new_valid_one() {
    for major in majors() {
        let db = Database::on(major);
        db.sql(TABLES);
        for (flags, expected) in [
            (&["--table", "p"][..], &["public.p1_at_idx", "public.p2_at_idx"][..]),
            (&["--table", "public.p2"], &["public.p2_at_idx"]),
            (&["--index", "p_at"], &["public.p1_at_idx", "public.p2_at_idx"]),
            (&["--index", "a_t", "--index", "a_pkey"], &["public.a_pkey", "public.a_t"]),
            (&["--table", r#""Odd ""s"."T; 1""#], &[r#""Odd ""s"."I %' x""#]),
            (&["--schema", r#"Odd "s"#], &[r#""Odd ""s"."I %' x""#]),
        ] {
            let before = files(&db);
            let plan = answer(&db, &[flags, &["--dry-run"]].concat(), 0);
            assert_eq!(plan["kind"], "reindex.plan");
            let planned: Vec<String> = names(&plan).into_iter().filter(|name| !name.contains("pg_toast")).collect();
            assert_eq!(planned, expected, "{flags:?}");
            assert_eq!(files(&db), before, "a plan changes nothing");
            let done = answer(&db, flags, 0);
            assert_eq!(names(&done), names(&plan));
            assert!(column(&done, "indexes", "outcome").iter().all(|outcome| outcome == "done"), "{done}");
            let changed = before.iter().zip(files(&db)).filter(|(before, after)| **before != *after).count();
            assert_eq!(changed, expected.len(), "{flags:?}");
        }
        let all = answer(&db, &["--all"], 0);
        let mut all_names: Vec<String> = names(&all).into_iter().filter(|name| name.starts_with("public.")).collect();
        all_names.sort();
        let expected = ["public.a_pkey", "public.a_t", "public.m_a", "public.p1_at_idx", "public.p2_at_idx"];
        assert_eq!(all_names, expected);
        assert_eq!(column(&all, "skipped", "index"), ["public.e_r_excl"]);
        assert_eq!(db.one("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0");
        // The smallest first, where all of a table are one.
        let mut sizes: Vec<(String, u64)> = Vec::new();
        for row in all["indexes"].as_array().expect("rows") {
            let (sql, bytes) =
                (row["sql"].as_str().unwrap_or_default(), row["before_bytes"].as_u64().unwrap_or_default());
            match sizes.last_mut().filter(|(last, _)| last == sql) {
                Some((_, sum)) => *sum += bytes,
                None => sizes.push((sql.to_owned(), bytes)),
            }
        }
        assert!(sizes.iter().map(|(_, bytes)| bytes).is_sorted() && sizes.len() > 5, "{sizes:?}");
        assert!(sizes.iter().any(|(sql, _)| sql == "REINDEX TABLE CONCURRENTLY public.a"), "{sizes:?}");
    }
}

#[test]
fn what_is_the_systems_or_not_there_or_not_said_is_refused_and_why() {
    let db = Database::new();
    db.sql(TABLES);
    for (flags, code, said) in [
        (&["--table", "pg_catalog.pg_class"][..], 4, "table pg_catalog.pg_class is the system's"),
        (&["--index", "pg_catalog.pg_class_oid_index"], 4, "is the system's"),
        (&["--schema", "pg_catalog"], 4, "schema pg_catalog is the system's"),
        (&["--table", "nowhere"], 64, "there is no table nowhere with an index"),
        (&["--index", "nowhere"], 64, "there is no index nowhere"),
        (&["--schema", "nowhere"], 64, "in schema nowhere"),
        (&["--offline", "--table", "a"], 4, "allow it with --yes"),
    ] {
        let refused = run(&mut reindex(&db, flags)).expect_code(code);
        assert!(refused.stderr.contains(said), "{flags:?}: {}", refused.stderr);
    }
    assert_eq!(db.one("SELECT to_regnamespace('dbctl')"), "NULL", "nothing was begun");
}

#[test]
fn offline_builds_what_cannot_be_built_beside_others_and_is_gone_on_with() {
    let db = Database::new();
    db.sql(TABLES);
    let before = files(&db);
    let plan = answer(&db, &["--offline", "--all", "--dry-run"], 0);
    assert!(plan["lock"].as_str().expect("a lock").contains("ACCESS EXCLUSIVE"), "{plan}");
    let done = answer(&db, &["--offline", "--all", "--yes"], 0);
    assert!(names(&done).contains(&"public.e_r_excl".to_owned()), "{done}");
    assert!(column(&done, "indexes", "sql").iter().all(|sql| !sql.contains("CONCURRENTLY")), "{done}");
    for ((name, before), (_, after)) in before.iter().zip(files(&db)) {
        assert_ne!(*before, after, "{name}");
    }
    // Of two tables the second is locked: only its index is left for the next run.
    let holder = db.session();
    holder.sql("BEGIN; LOCK TABLE p2 IN ROW EXCLUSIVE MODE");
    let flags = ["--offline", "--table", "p", "--yes", "--lock-timeout", "100ms", "--lock-patience", "200ms"];
    run(&mut reindex(&db, &[&flags[..], &["--retries", "0"]].concat())).expect_code(5);
    holder.rollback();
    let resumed = answer(&db, &["--offline", "--resume", "--yes"], 0);
    assert_eq!(names(&resumed), ["public.p2_at_idx"]);
}

#[test]
fn invalid_indexes_are_built_or_say_why_they_cannot_be() {
    for major in majors() {
        let db = Database::on(major);
        db.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)");
        assert_eq!(db.try_sql("CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)").unwrap_err().code, "23505");
        db.sql("CREATE INDEX t_valid ON t (a)");
        let failed = run(&mut reindex(&db, &["--invalid"])).expect_code(1);
        assert!(failed.stderr.contains("Key (a)=(1) is duplicated"), "{}", failed.stderr);
        assert_eq!(
            db.one("SELECT string_agg(indexrelid::regclass::text, ' ') FROM pg_index WHERE NOT indisvalid"),
            "t_a"
        );
        db.sql("DELETE FROM t");
        let done = answer(&db, &["--invalid"], 0);
        assert_eq!(names(&done), ["public.t_a"]);
        assert_eq!(db.one("SELECT count(*) FROM pg_index WHERE NOT indisvalid"), "0");
    }
}

#[test]
fn collations_of_another_version_choose_their_indexes() {
    // Of the collations that every build has, only the builtin ones have a version.
    for major in majors().into_iter().filter(|major| *major >= 17) {
        let db = Database::on(major);
        db.sql(
            "CREATE COLLATION changed (provider = builtin, locale = 'C.UTF-8'); CREATE TABLE t (a text COLLATE changed, b text COLLATE \"C\", c int);
             CREATE INDEX t_a ON t (a); CREATE INDEX t_b ON t (b); CREATE INDEX t_c ON t (c);
             CREATE INDEX t_part ON t (c) WHERE b COLLATE changed > 'x'",
        );
        let none = answer(&db, &["--collation-changed"], 0);
        assert_eq!(names(&none), Vec::<String>::new());
        db.sql("UPDATE pg_collation SET collversion = '0.1' WHERE collname = 'changed'");
        let done = answer(&db, &["--collation-changed"], 0);
        let mut found = names(&done);
        found.sort();
        assert_eq!(found, ["public.t_a", "public.t_part"]);
        assert!(column(&done, "indexes", "why")[0].contains("was of version 0.1"), "{done}");
        // The database's own: the answer is that of the server, which knows no version of some.
        db.sql("CREATE TABLE u (a text); CREATE INDEX u_a ON u (a)");
        db.sql("UPDATE pg_database SET datcollversion = '0.1' WHERE datname = current_database()");
        let actual = "SELECT pg_database_collation_actual_version(oid) IS NOT NULL FROM pg_database WHERE datname = current_database()";
        let done = answer(&db, &["--collation-changed"], 0);
        assert_eq!(names(&done).contains(&"public.u_a".to_owned()), db.one(actual) == "t", "{done}");
    }
}

#[test]
fn an_owner_without_superuser_builds_his_and_is_told_what_is_not() {
    for major in majors() {
        let db = Database::on(major);
        let role = format!("owner_of_{}", db.name());
        db.sql(&format!(
            "CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE {} TO {role}; CREATE TABLE theirs (a int PRIMARY KEY);
             CREATE TABLE mine (a int PRIMARY KEY, long text); ALTER TABLE mine OWNER TO {role}",
            db.name()
        ));
        let ask = |flags: &[&str]| {
            let mut command = dbctl(&["reindex", "--database-url", &db.url_as(&role), "--format", "json"]);
            let run = run(command.args(flags)).expect_code(5);
            serde_json::from_str::<serde_json::Value>(&run.stdout).expect("JSON")
        };
        let done = ask(&["--all"]);
        assert!(names(&done).contains(&"public.mine_pkey".to_owned()), "{done}");
        let skipped = column(&done, "skipped", "index");
        assert!(skipped.contains(&"public.theirs_pkey".to_owned()), "{done}");
        assert!(skipped.iter().any(|name| name.starts_with("pg_toast.")), "{done}");
        let why = column(&done, "skipped", "why").join("; ");
        assert_eq!(why.contains(&format!("GRANT MAINTAIN ON public.theirs TO {role};")), major >= 17, "{done}");
        if major >= 17 {
            db.sql(&format!(
                "REASSIGN OWNED BY {role} TO CURRENT_USER; GRANT pg_maintain TO {role}; GRANT USAGE ON SCHEMA dbctl TO {role};
                 GRANT ALL ON ALL TABLES IN SCHEMA dbctl TO {role}"
            ));
            let done = ask(&["--all"]);
            let done = names(&done);
            assert!(["public.mine_pkey", "public.theirs_pkey"].iter().all(|name| done.contains(&(*name).to_owned())));
        }
        db.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    }
}

#[test]
fn a_standby_refuses_with_the_reason() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql(TABLES);
    let copy = standby(&server);
    eventually("the standby answers", || copy.session(db.name()).is_ok());
    for more in [&["--all", "--dry-run"][..], &["--all"], &["--resume"]] {
        let mut command = dbctl(&["reindex", "--database-url", &copy.url(db.name())]);
        let refused = run(command.args(more)).expect_code(4);
        assert!(refused.stderr.contains("this server is a standby"), "{}", refused.stderr);
        assert!(refused.stderr.contains("connect to the primary"), "{}", refused.stderr);
    }
}

#[test]
fn without_a_word_of_which_the_bloated_ones_are_built_anew() {
    let db = Database::new();
    db.sql("CREATE TABLE fat (id int) WITH (autovacuum_enabled = off); INSERT INTO fat SELECT generate_series(1, 700000); CREATE INDEX fat_id ON fat (id)");
    db.sql("CREATE TABLE slim (id int PRIMARY KEY); INSERT INTO slim SELECT generate_series(1, 1000)");
    let session = db.session();
    session.sql("DELETE FROM fat WHERE id % 10 <> 0");
    drop(session);
    let counted = "SELECT n_tup_del FROM pg_stat_user_tables WHERE relname = 'fat'";
    eventually("what was deleted is counted", || db.one(counted) == "630000");
    // A snapshot that somebody takes in this moment keeps dead rows: then no estimate is sure, and nothing is chosen.
    eventually("the bloated one is chosen", || {
        db.sql("VACUUM ANALYZE");
        names(&answer(&db, &["--dry-run"], 0)) == ["public.fat_id"]
    });
    let plan = answer(&db, &["--dry-run"], 0);
    assert!(column(&plan, "indexes", "why")[0].contains("% bloat"), "{plan}");
    let done = answer(&db, &[], 0);
    assert!(done["reclaimed_bytes"].as_i64() > Some(10 << 20), "{done}");
    assert_eq!(names(&answer(&db, &[], 0)), [""; 0]);
}

#[test]
fn collations_are_found_inside_types_expressions_and_predicates() {
    for major in majors().into_iter().filter(|major| *major >= 17) {
        let db = Database::on(major);
        db.sql(
            "CREATE COLLATION changed (provider = builtin, locale = 'C.UTF-8');
             CREATE TYPE words AS RANGE (subtype = text, collation = changed);
             CREATE TYPE pair AS (a int, b text COLLATE changed);
             CREATE DOMAIN pairs AS pair[];
             CREATE TYPE around AS (p pairs);
             CREATE TABLE t (w words, m int, p pair, o around, b text COLLATE changed, c int, d text COLLATE \"C\");
             CREATE INDEX t_w ON t (w); CREATE INDEX t_p ON t (p); CREATE INDEX t_o ON t (o);
             CREATE INDEX t_m ON t (multirange(w)); CREATE INDEX t_where ON t (c) WHERE b > 'x';
             CREATE INDEX t_expression ON t ((b < 'x')); CREATE INDEX t_c ON t (c); CREATE INDEX t_d ON t (d) WHERE d > 'x'",
        );
        db.sql("UPDATE pg_collation SET collversion = '0.1' WHERE collname = 'changed'");
        let plan = answer(&db, &["--collation-changed", "--dry-run"], 0);
        let mut found = names(&plan);
        found.sort();
        let expected = ["t_expression", "t_m", "t_o", "t_p", "t_w", "t_where"].map(|name| format!("public.{name}"));
        assert_eq!(found, expected, "{plan}");
    }
}

#[test]
fn the_databases_own_collation_is_found_where_no_column_names_it() {
    for major in majors() {
        let db = Database::on(major);
        db.sql(
            "CREATE TABLE t (a text, b text COLLATE \"C\", c int); CREATE TYPE pair AS (a int, b text);
             CREATE TABLE p (p pair, i int4range); CREATE INDEX p_p ON p (p); CREATE INDEX p_i ON p (i);
             CREATE INDEX t_where ON t (c) WHERE a > 'x'; CREATE INDEX t_a ON t (a); CREATE INDEX t_b ON t (b);
             CREATE INDEX t_expression ON t ((a < 'x')); CREATE INDEX t_c ON t (c)",
        );
        // Whether the server knows another version of it is the machine's affair: the query is asked as if.
        let query = dbctl::pg::Query::REINDEX_COLLATIONS.text().replace("$1", "'it changed'");
        let sql = format!(
            "SELECT string_agg(q.oid::regclass::text, ' ' ORDER BY q.oid::regclass::text) FROM ({query}) AS q \
             WHERE q.oid > 16384 AND q.oid::regclass::text !~ '^pg_toast'"
        );
        assert_eq!(db.one(&sql), "p_p t_a t_expression t_where", "{major}");
    }
}

#[test]
fn an_invalid_index_of_a_partitioned_table_is_told() {
    let db = Database::new();
    db.sql(
        "CREATE TABLE p (id int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);
         CREATE INDEX p_id ON ONLY p (id)",
    );
    let told = answer(&db, &["--invalid"], 0);
    assert_eq!(column(&told, "skipped", "index"), ["public.p_id"], "{told}");
    assert!(column(&told, "skipped", "why")[0].contains("ATTACH PARTITION"), "{told}");
}

#[test]
fn what_is_left_is_not_built_by_name_and_says_what_removes_it() {
    let db = Database::new();
    db.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)");
    db.try_sql("CREATE UNIQUE INDEX CONCURRENTLY t_a_ccnew ON t (a)").unwrap_err();
    let refused = run(&mut reindex(&db, &["--index", "t_a_ccnew"])).expect_code(4);
    assert!(refused.stderr.contains("index public.t_a_ccnew: a copy"), "{}", refused.stderr);
    assert!(refused.stderr.contains("DROP INDEX CONCURRENTLY public.t_a_ccnew;"), "{}", refused.stderr);
}

#[test]
fn standbys_and_the_disk_are_looked_at_before() {
    let server = private_server(&Options::default());
    let db = Database::at(&server);
    db.sql("CREATE TABLE t (a int PRIMARY KEY)");
    let plan = answer(&db, &["--all", "--dry-run"], 0);
    assert!(plan["free_bytes"].as_u64().is_some(), "{plan}");
    let notes = |plan: &serde_json::Value| plan["notes"].to_string();
    assert!(!notes(&plan).contains("UNKNOWN") && !notes(&plan).contains("standby"), "{plan}");
    let copy = standby(&server);
    eventually("the standby answers", || copy.session(db.name()).is_ok());
    copy.session(db.name()).expect("a session").sql("SELECT pg_wal_replay_pause()");
    db.sql("SELECT pg_logical_emit_message(false, 'x', repeat('x', 60000000))");
    let plan = answer(&db, &["--all", "--dry-run"], 0);
    assert!(notes(&plan).contains("standby copy is "), "{plan}");
    db.sql("CREATE ROLE plain LOGIN; ALTER TABLE t OWNER TO plain");
    let mut command =
        dbctl(&["reindex", "--database-url", &db.url_as("plain"), "--format", "json", "--all", "--dry-run"]);
    let plan = serde_json::from_str(&run(&mut command).expect_code(0).stdout).expect("JSON");
    assert!(notes(&plan).contains("UNKNOWN: GRANT pg_monitor TO plain"), "{plan}");
    assert!(notes(&plan).contains("how much disk is free is UNKNOWN"), "{plan}");
    copy.session(db.name()).expect("a session").sql("SELECT pg_wal_replay_resume()");
    let set = |names: &str| {
        db.sql(&format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'"));
        db.sql("SELECT pg_reload_conf()");
    };
    set("copy");
    eventually("its standby confirms", || db.one("SELECT sync_state FROM pg_stat_replication") == "sync");
    let plan = answer(&db, &["--all", "--dry-run"], 0);
    assert!(notes(&plan).contains("each commit of a build waits for copy"), "{plan}");
    set("another");
    eventually("nobody confirms", || db.one("SELECT sync_state FROM pg_stat_replication") == "async");
    let refused = run(&mut reindex(&db, &["--all"])).expect_code(4);
    assert!(refused.stderr.contains("no commit would end"), "{}", refused.stderr);
    db.sql("ALTER SYSTEM RESET synchronous_standby_names");
    db.sql("SELECT pg_reload_conf()");
}

//! Roles that the server lacks: mapped, skipped, left half-way by a kill, and shared by two runs.

use nix::sys::signal::Signal;

use super::restore::{databases, one_of, restore, slow};
use super::{Place, create, json, run};
use crate::harness::{Database, dbctl, eventually, spawn};

fn has_role(db: &Database, role: &str) -> bool {
    db.one(&format!("SELECT count(*) FROM pg_roles WHERE rolname = '{role}'")) == "1"
}

/// Drops the database when it is over, and what the roles own with it.
struct Copy<'a>(&'a Database, String);

impl Drop for Copy<'_> {
    fn drop(&mut self) {
        let _ = self.0.try_sql(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.1));
    }
}

const HAS: &str = "SELECT (SELECT tableowner FROM pg_tables WHERE tablename = 'owned') || ' '
    || has_table_privilege('NEW', 'public.other', 'SELECT, UPDATE') || has_table_privilege('NEW', 'public.other', 'UPDATE WITH GRANT OPTION')
    || has_column_privilege('NEW', 'public.third', 'a', 'SELECT') || has_schema_privilege('NEW', 'app', 'USAGE')
    || has_function_privilege('NEW', 'app.f(integer)', 'EXECUTE') || has_sequence_privilege('NEW', 'public.s', 'USAGE')
    || has_database_privilege('NEW', current_database(), 'CREATE') || ' '
    || (SELECT string_agg(polname::text || polroles::regrole[]::text, ',') FROM pg_policy) || ' '
    || (SELECT string_agg(pg_get_userbyid(defaclrole)::text || defaclobjtype::text || defaclacl::text, ',' ORDER BY defaclobjtype) FROM pg_default_acl) || ' '
    || (SELECT string_agg(setrole::regrole::text || setconfig::text, ',') FROM pg_db_role_setting AS s, pg_database AS d WHERE d.oid = setdatabase AND datname = current_database())";

/// Everything in which a database names a role.
#[test]
fn a_mapped_role_owns_and_may_what_the_missing_one_did() {
    let (db, place) = (Database::new(), Place::new());
    let (old, new, name) = (format!("Old {}", db.name()), format!("new_{}", db.name()), db.name().to_owned());
    db.sql(&format!(
        "CREATE ROLE \"{old}\"; CREATE ROLE {new};
         CREATE TABLE public.owned (id int); INSERT INTO public.owned VALUES (1); ALTER TABLE public.owned OWNER TO \"{old}\";
         CREATE TABLE public.other (id int); GRANT SELECT ON public.other TO \"{old}\"; GRANT UPDATE ON public.other TO \"{old}\" WITH GRANT OPTION;
         CREATE TABLE public.third (a int, b int); GRANT SELECT (a) ON public.third TO \"{old}\";
         CREATE SCHEMA app; GRANT USAGE ON SCHEMA app TO \"{old}\"; CREATE SEQUENCE public.s; GRANT USAGE ON SEQUENCE public.s TO \"{old}\";
         CREATE FUNCTION app.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION app.f FROM PUBLIC; GRANT EXECUTE ON FUNCTION app.f TO \"{old}\";
         ALTER TABLE public.other ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON public.other TO \"{old}\" USING (true);
         ALTER DEFAULT PRIVILEGES FOR ROLE \"{old}\" IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC;
         ALTER DEFAULT PRIVILEGES FOR ROLE \"{old}\" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
         GRANT CREATE ON DATABASE {name} TO \"{old}\"; ALTER ROLE \"{old}\" IN DATABASE {name} SET work_mem = '7MB'"
    ));
    let has = |as_role: &str| HAS.replace("NEW", as_role);
    // Arrays of names and grants quote names each in its own way.
    let bare = |text: String| text.replace(['"', '\\'], "");
    let wanted = bare(db.one(&has(&old))).replace(&old, &new);
    run(&mut create(&db, &place, &[])).expect_code(0);
    db.sql(&format!("DROP OWNED BY \"{old}\"; DROP ROLE \"{old}\""));
    let copy = Copy(&db, format!("{name}_copy"));
    let map = format!("{old}={new}");
    let refused = run(&mut restore(&db, &place, &["--to-database", &copy.1])).expect_code(4);
    assert!(refused.stderr.contains(&format!("--map-role {old}=NAME")), "{}", refused.stderr);
    run(&mut restore(&db, &place, &["--to-database", &copy.1, "--map-role", &format!("{old}=nobody_{name}")]))
        .expect_code(64);
    let dry =
        run(&mut restore(&db, &place, &["--to-database", &copy.1, "--map-role", &map, "--dry-run"])).expect_code(0);
    assert!(dry.stdout.contains(&format!("mapped, {new} owns")), "{}", dry.stdout);
    assert!(!has_role(&db, &old), "a dry run makes nothing");
    run(&mut restore(&db, &place, &["--to-database", &copy.1, "--map-role", &map])).expect_code(0);
    assert!(!has_role(&db, &old));
    assert_eq!(bare(one_of(&db, &copy.1, &has(&new))), wanted);
    drop(copy);
    db.sql(&format!("DROP ROLE {new}"));
}

fn owned_by(db: &Database, role: &str) {
    db.sql(&format!(
        "CREATE ROLE {role}; CREATE TABLE public.t (id int); ALTER TABLE public.t OWNER TO {role}; GRANT SELECT ON public.t TO PUBLIC"
    ));
}

#[test]
fn a_stand_in_that_a_kill_left_is_listed_and_goes_with_the_next_run() {
    let (db, place) = (slow(), Place::new());
    let role = format!("gone_{}", db.name());
    owned_by(&db, &role);
    run(&mut create(&db, &place, &[])).expect_code(0);
    db.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    let copy = Copy(&db, format!("{}_copy", db.name()));
    let skip = ["--to-database", copy.1.as_str(), "--skip-missing-roles"];
    let child = spawn(&mut restore(&db, &place, &skip));
    eventually("it stands in", || has_role(&db, &role));
    eventually("its index is built", || {
        db.one(&format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE '{}_restore_%' AND query LIKE 'CREATE INDEX%'",
            copy.1
        )) != "0"
    });
    child.signal(Signal::SIGKILL);
    child.wait();
    let mut list = dbctl(&["restore", "list", "--format", "json"]);
    let listed = run(list.env("DATABASE_URL", db.url())).expect_code(0);
    assert!(json(&listed.stdout)["roles"].to_string().contains(&role), "{}", listed.stdout);

    // It is still missing, and what the killed run left names it.
    let again = run(&mut restore(&db, &place, &["--to-database", &copy.1])).expect_code(4);
    assert!(again.stderr.contains(&role), "{}", again.stderr);
    let left = databases(&db);
    let left = left.split(' ').find(|name| name.contains("_restore_")).unwrap_or_else(|| panic!("{left}"));
    let inside = db.session_with(|config| {
        config.dbname(left).application_name("looker");
    });
    let done = run(&mut restore(&db, &place, &skip)).expect_code(0);
    let stays = format!("DROP DATABASE {left} WITH (FORCE);");
    for part in ["looker", stays.as_str(), &format!("role {role}, a stand-in")] {
        assert!(done.stderr.contains(part), "{part}: {}", done.stderr);
    }
    let owner = "SELECT tableowner FROM pg_tables WHERE tablename = 't'";
    assert_eq!(one_of(&db, &copy.1, owner), "postgres");

    drop(inside);
    db.sql(&format!("DROP DATABASE {} WITH (FORCE)", copy.1));
    run(&mut restore(&db, &place, &skip)).expect_code(0);
    assert!(!has_role(&db, &role));
    assert_eq!(databases(&db), format!("{} {}", db.name(), copy.1), "nobody looks at what was left: it is gone");
}

#[test]
fn a_killed_run_is_gone_on_with_and_its_role_made_for_good() {
    let (db, place) = (slow(), Place::new());
    let role = format!("gone_{}", db.name());
    owned_by(&db, &role);
    run(&mut create(&db, &place, &[])).expect_code(0);
    db.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    let copy = Copy(&db, format!("{}_copy", db.name()));
    let child = spawn(&mut restore(&db, &place, &["--to-database", &copy.1, "--skip-missing-roles"]));
    eventually("the rows are proven", || {
        db.one(&format!("SELECT count(*) FROM pg_database WHERE datname LIKE '{}_restore_%' AND shobj_description(oid, 'pg_database') LIKE '%\"proven\"%'", copy.1)) == "1"
    });
    child.signal(Signal::SIGKILL);
    child.wait();
    run(&mut restore(&db, &place, &["--to-database", &copy.1, "--resume", "--create-missing-roles"])).expect_code(0);
    assert_eq!(one_of(&db, &copy.1, "SELECT tableowner FROM pg_tables WHERE tablename = 't'"), role);
    assert_eq!(db.one(&format!("SELECT coalesce(shobj_description('{role}'::regrole, 'pg_authid'), 'none')")), "none");
    drop(copy);
    db.sql(&format!("DROP ROLE {role}"));
}

#[test]
fn two_runs_share_a_stand_in() {
    let (db, place) = (slow(), Place::new());
    let role = format!("gone_{}", db.name());
    owned_by(&db, &role);
    run(&mut create(&db, &place, &[])).expect_code(0);
    db.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    let copies: Vec<Copy<'_>> = (0..3).map(|number| Copy(&db, format!("{}_copy{number}", db.name()))).collect();
    let runs: Vec<_> = copies
        .iter()
        .map(|copy| spawn(&mut restore(&db, &place, &["--to-database", &copy.1, "--skip-missing-roles"])))
        .collect();
    for run in runs {
        run.wait().expect_code(0);
    }
    assert!(!has_role(&db, &role), "the last one takes it away");
}

/// At its roles, its definitions, its rows, its indexes, what it gives away: the next run needs no hand.
#[test]
fn a_run_that_maps_is_killed_at_any_moment_and_done_by_the_next() {
    let (db, place) = (slow(), Place::new());
    let (role, new) = (format!("gone_{}", db.name()), format!("new_{}", db.name()));
    owned_by(&db, &role);
    db.sql(&format!("CREATE ROLE {new}; GRANT SELECT ON public.customers TO {role}"));
    run(&mut create(&db, &place, &[])).expect_code(0);
    db.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    let copy = Copy(&db, format!("{}_copy", db.name()));
    let map = format!("{role}={new}");
    let flags = ["--to-database", copy.1.as_str(), "--map-role", map.as_str()];
    let building = format!(
        "SELECT count(*) FROM pg_database WHERE datname LIKE '{}_restore_%' AND shobj_description(oid, 'pg_database') LIKE '%\"building\"%'",
        copy.1
    );
    let mut died = 0;
    for step in 0..6 {
        let mut child = spawn(&mut restore(&db, &place, &flags));
        eventually("it has begun", || has_role(&db, &role) || child.has_ended());
        std::thread::sleep(std::time::Duration::from_millis(step * 90));
        if child.has_ended() {
            break;
        }
        child.signal(Signal::SIGKILL);
        died += 1;
        child.wait();
        // Those whose rows are proven are kept for --resume, and name the stand-in.
        let proven: Vec<String> =
            databases(&db).split(' ').filter(|name| name.contains("_restore_")).map(str::to_owned).collect();
        if db.one(&building) == "0" {
            proven.iter().for_each(|name| drop(db.sql(&format!("DROP DATABASE {name} WITH (FORCE)"))));
        }
    }
    assert!(died > 0, "no run was hit");
    db.sql(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", copy.1));
    run(&mut restore(&db, &place, &flags)).expect_code(0);
    assert_eq!(databases(&db), format!("{} {}", db.name(), copy.1), "what was unfinished is gone");
    assert!(!has_role(&db, &role));
    let has = format!(
        "SELECT tableowner || has_table_privilege('{new}', 'public.customers', 'SELECT') FROM pg_tables WHERE tablename = 't'"
    );
    assert_eq!(one_of(&db, &copy.1, &has), format!("{new}true"));
    drop(copy);
    db.sql(&format!("DROP ROLE {new}"));
}

/// A monitor, a pool, a person who looks: whoever is in the new database is waited for, and named.
#[test]
fn who_is_in_the_new_database_is_named_and_waited_for() {
    let (db, place) = (slow(), Place::new());
    run(&mut create(&db, &place, &[])).expect_code(0);
    let copy = Copy(&db, format!("{}_copy", db.name()));
    let child = spawn(&mut restore(&db, &place, &["--to-database", &copy.1]));
    let building = || {
        let all = databases(&db);
        all.split(' ').find(|name| name.contains("_restore_")).map(str::to_owned)
    };
    eventually("it is being built", || building().is_some());
    let name = building().unwrap();
    let inside = db.session_with(|config| {
        config.dbname(&name).application_name("looker");
    });
    eventually("it wants its name", || {
        db.one(&format!("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%ALTER DATABASE {name} RENAME%' AND application_name LIKE 'dbctl%' AND state = 'active'")) == "1"
    });
    // The server itself gives up after five seconds.
    std::thread::sleep(std::time::Duration::from_secs(6));
    drop(inside);
    let done = child.wait().expect_code(0);
    assert!(done.stderr.contains("looker") && done.stderr.contains("trying again"), "{}", done.stderr);
}

/// What a session may do is asked in the database where it does it.
#[test]
fn a_role_that_is_superuser_elsewhere_alone_restores() {
    let (db, place) = (Database::new(), Place::new());
    let (boss, role) = (format!("boss_{}", db.name()), format!("keeper_{}", db.name()));
    db.sql(&format!(
        "CREATE ROLE {boss} SUPERUSER; CREATE ROLE {role} LOGIN CREATEDB; GRANT {boss} TO {role};
         ALTER ROLE {role} IN DATABASE postgres SET role = '{boss}';
         CREATE TABLE public.t (id int PRIMARY KEY); INSERT INTO public.t VALUES (1); ALTER TABLE public.t OWNER TO {role}"
    ));
    run(&mut create(&db, &place, &[])).expect_code(0);
    let copy = Copy(&db, format!("{}_copy", db.name()));
    let mut restore = dbctl(&["restore", "latest", "--from", &place.url(), "--to-database", &copy.1]);
    let restored = run(restore.args(["--database-url", &db.url_as(&role)]));
    let rows = restored.code == 0 && one_of(&db, &copy.1, "SELECT count(*) FROM public.t") == "1";
    drop(copy);
    db.sql(&format!("DROP TABLE public.t; DROP OWNED BY {role}, {boss}; DROP ROLE {role}, {boss}"));
    assert!(rows, "{}", restored.stderr);
}

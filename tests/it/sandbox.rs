//! The private server, from the library and from the command line.

use std::ffi::OsString;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dbctl::pg::sandbox::{Options, StopMode};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};

use crate::harness::{self, Database, Session, dbctl, eventually, majors, private_server, run, server, spawn};

/// A folder in which the sandboxes of one test lie, so that `--all` and `list` see no others.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory } else { Path::new("/tmp") };
        let folder = tempfile::Builder::new().prefix("dbctl-it-").tempdir_in(base).unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        Place(folder)
    }

    fn dbctl(&self, args: &[&str]) -> Command {
        let mut command = dbctl(args);
        command.env("DBCTL_SANDBOX_DIR", self.0.path().join("s"));
        command
    }

    /// The folders of the sandboxes that exist now.
    fn folders(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.0.path().join("s")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn the_folder(&self) -> PathBuf {
        let folders = self.folders();
        assert_eq!(folders.len(), 1, "{folders:?}");
        folders[0].clone()
    }
}

/// A process of ours that does nothing; killed when the test ends.
struct Owner(std::process::Child);

impl Owner {
    fn new() -> Owner {
        Owner(Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn connect(url: &str) -> Result<Session, harness::SqlError> {
    Session::open(url.trim().parse().unwrap())
}

fn server_pid(folder: &Path) -> i32 {
    let file = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
    file.lines().next().unwrap().parse().unwrap()
}

fn is_alive(pid: i32) -> bool {
    // A zombie of a machine whose process 1 reaps nothing is as dead as it gets.
    let zombie = std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    kill(Pid::from_raw(pid), None).is_ok() && !zombie
}

#[test]
fn every_major_starts_answers_and_is_gone_after_the_drop() {
    for major in majors() {
        let sandbox = private_server(&Options { major: Some(major), ..Options::default() });
        let folder = sandbox.socket_dir().to_owned();
        let database = Database::at(&sandbox);
        assert_eq!(database.one("SHOW server_version_num")[..2], major.to_string());
        assert_eq!(database.one("SHOW listen_addresses"), "");
        drop(database);
        drop(sandbox);
        assert!(!folder.exists(), "{} is still there", folder.display());
    }
}

#[test]
fn statements_are_counted_where_the_library_is_there() {
    for major in majors() {
        let database = Database::on(major);
        if server(major).installation().has_library("pg_stat_statements") {
            database.sql("CREATE EXTENSION pg_stat_statements");
            assert_ne!(database.one("SELECT count(*) FROM pg_stat_statements"), "0");
        }
    }
}

#[test]
fn only_the_servers_account_may_enter_the_folder() {
    let sandbox = private_server(&Options::default());
    let folder = sandbox.socket_dir().metadata().unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    assert!(sandbox.socket_dir().join(".s.PGSQL.65535").as_os_str().len() <= 100);
}

#[test]
fn as_root_the_server_does_not_run_as_root() {
    if !Uid::effective().is_root() {
        return;
    }
    let sandbox = private_server(&Options::default());
    let postmaster = Path::new("/proc").join(sandbox.pid().unwrap().to_string()).metadata().unwrap();
    let data = sandbox.data_dir().metadata().unwrap();
    assert_ne!(postmaster.uid(), 0);
    assert_eq!(postmaster.uid(), data.uid());
    assert_ne!(sandbox.account(), "root");
}

#[test]
fn a_killed_server_recovers_and_keeps_what_was_committed() {
    let mut sandbox = private_server(&Options::default());
    let database = Database::at(&sandbox);
    database.sql("CREATE TABLE t (i int); INSERT INTO t VALUES (1)");
    sandbox.kill().unwrap();
    eventually("the session breaks", || database.try_sql("SELECT 1").is_err());
    sandbox.start_again().unwrap();
    assert_eq!(database.session().one("SELECT count(*) FROM t"), "1");
    sandbox.stop(StopMode::Fast).unwrap();
    sandbox.start_again().unwrap();
    assert_eq!(database.session().one("SELECT count(*) FROM t"), "1");
}

#[test]
fn a_paused_server_is_still_removed() {
    let mut sandbox = private_server(&Options::default());
    let (folder, pid) = (sandbox.socket_dir().to_owned(), sandbox.pid().unwrap());
    sandbox.pause().unwrap();
    drop(sandbox);
    assert!(!folder.exists());
    assert!(!is_alive(pid.cast_signed()));
}

#[test]
fn a_server_that_does_not_start_shows_its_log() {
    let settings = vec![("shared_buffers".to_owned(), "plenty".to_owned())];
    let failure = dbctl::pg::sandbox::Sandbox::start(&Options { settings, ..Options::default() }).unwrap_err();
    let shown = failure.to_string();
    assert!(shown.contains("the server did not start"), "{shown}");
    assert!(shown.contains("invalid value for parameter \"shared_buffers\": \"plenty\""), "{shown}");
}

#[test]
fn a_setting_or_hba_line_of_the_caller_wins() {
    let sandbox = private_server(&Options {
        settings: vec![
            ("timezone".to_owned(), "Asia/Tokyo".to_owned()),
            ("cluster_name".to_owned(), "it's".to_owned()),
        ],
        hba: vec!["local all nobody_at_all reject".to_owned()],
        ..Options::default()
    });
    let database = Database::at(&sandbox);
    assert_eq!(database.one("SHOW timezone"), "Asia/Tokyo");
    assert_eq!(database.one("SHOW cluster_name"), "it's");
    database.sql("CREATE ROLE nobody_at_all LOGIN");
    let refused = connect(&database.url_as("nobody_at_all")).err().unwrap();
    assert_eq!(refused.code, "28000");
}

#[test]
fn databases_of_one_server_do_not_see_each_other() {
    for major in majors() {
        let (one, other) = (Database::on(major), Database::on(major));
        one.sql("CREATE TABLE t ()");
        assert_eq!(other.try_sql("SELECT FROM t").unwrap_err().code, "42P01");
        assert_eq!(one.one("SELECT current_database()"), one.name());
        assert_eq!(server(major).major(), one.major());
    }
}

#[test]
fn the_started_server_answers_at_the_printed_url_until_it_is_stopped() {
    let place = Place::new();
    let started = run(&mut place.dbctl(&["sandbox", "start"])).expect_code(0);
    assert_eq!(started.stdout.lines().count(), 1, "the URL alone: {}", started.stdout);
    assert_eq!(connect(&started.stdout).unwrap().one("SELECT current_user"), "postgres");
    let name = started.stderr.rsplit(' ').next().unwrap().trim();
    let listed = run(&mut place.dbctl(&["sandbox", "list"])).expect_code(0);
    assert!(listed.stdout.contains(name), "{}", listed.stdout);
    run(&mut place.dbctl(&["sandbox", "stop", "nosuchname"])).expect_code(64);
    let folder = place.the_folder();
    let pid = server_pid(&folder);
    run(&mut place.dbctl(&["sandbox", "stop", name])).expect_code(0);
    assert!(!folder.exists());
    assert!(!is_alive(pid));
    run(&mut place.dbctl(&["sandbox", "stop"])).expect_code(0);
}

#[test]
fn the_server_goes_when_its_owner_is_killed() {
    let place = Place::new();
    let mut owner = Owner::new();
    let pid = owner.0.id().to_string();
    run(&mut place.dbctl(&["sandbox", "start", "--owner", &pid])).expect_code(0);
    let folder = place.the_folder();
    let server = server_pid(&folder);
    assert!(is_alive(server));
    owner.0.kill().unwrap();
    // Not reaped yet: a zombie owner counts as dead.
    eventually("the folder is gone", || !folder.exists());
    assert!(!is_alive(server));
}

#[test]
fn an_owner_that_does_not_live_is_refused() {
    let place = Place::new();
    let run = run(&mut place.dbctl(&["sandbox", "start", "--owner", "999999999"])).expect_code(64);
    assert!(run.stderr.contains("there is no process 999999999"), "{}", run.stderr);
    assert!(place.folders().is_empty());
}

#[test]
fn a_server_started_in_a_subshell_lives_as_long_as_the_shell() {
    let place = Place::new();
    // Redirected and in a loop, bash puts a copy of itself between us and the script.
    let script = r#"
        for i in 1; do url=$("$0" sandbox start 2>/dev/null); done
        sleep 1
        echo "url $url end"; exec sleep 60
    "#;
    for shell in ["bash", "sh"] {
        let mut command = Command::new(shell);
        command.args(["-c", script, env!("CARGO_BIN_EXE_dbctl")]).env_clear().envs(environment_of(&place.dbctl(&[])));
        let running = spawn(&mut command);
        running.wait_for_stdout(" end");
        let url = running.stdout().split(' ').nth(1).unwrap().to_owned();
        assert_eq!(connect(&url).unwrap().one("SELECT 1"), "1");
        running.signal(Signal::SIGKILL);
        eventually("the folder is gone", || place.folders().is_empty());
    }
}

fn environment_of(command: &Command) -> Vec<(OsString, OsString)> {
    command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect()
}

#[test]
fn a_kept_server_outlives_everyone_and_is_not_swept() {
    let place = Place::new();
    let mut short_lived = Command::new("/bin/sh");
    short_lived.args(["-c", "\"$0\" sandbox start --keep; exit 0", env!("CARGO_BIN_EXE_dbctl")]);
    short_lived.env_clear().envs(environment_of(&place.dbctl(&[])));
    let started = run(&mut short_lived).expect_code(0);
    run(&mut place.dbctl(&["sandbox", "run", "--", "true"])).expect_code(0);
    assert_eq!(connect(&started.stdout).unwrap().one("SELECT 1"), "1");
    run(&mut place.dbctl(&["sandbox", "stop", "--all"])).expect_code(0);
    assert!(place.folders().is_empty());
}

#[test]
fn a_command_runs_with_the_server_and_its_exit_code_is_ours() {
    let place = Place::new();
    let sql = r#"psql -XAtc "SELECT current_database() || ' ' || current_user" && psql -XAt "$DATABASE_URL" -c 'SELECT 1' && exit 7"#;
    let mut command = place.dbctl(&["sandbox", "run", "--", "sh", "-c", sql]);
    let ran = run(command.env("PGSERVICE", "nowhere").env("PGSSLMODE", "require")).expect_code(7);
    assert_eq!(ran.stdout, "postgres postgres\n1\n");
    assert!(place.folders().is_empty());
    run(&mut place.dbctl(&["sandbox", "run", "--", "sh", "-c", "kill -KILL $$"])).expect_code(137);
    let missing = run(&mut place.dbctl(&["sandbox", "run", "--", "/no/such/program"])).expect_code(127);
    assert!(missing.stderr.contains("cannot run /no/such/program"), "{}", missing.stderr);
    run(&mut place.dbctl(&["sandbox", "run", "--", "/etc/passwd"])).expect_code(126);
    run(&mut place.dbctl(&["sandbox", "run"])).expect_code(64);
    assert!(place.folders().is_empty());
}

#[test]
fn a_signal_reaches_the_command_and_the_server_is_cleaned_up() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let place = Place::new();
        let script = "trap 'exit 9' TERM INT HUP; echo ready >&2; while :; do sleep 0.05; done";
        let child = spawn(&mut place.dbctl(&["sandbox", "run", "--", "sh", "-c", script]));
        child.wait_for_stderr("ready");
        let server = server_pid(&place.the_folder());
        child.signal(signal);
        child.wait().expect_code(9);
        assert!(place.folders().is_empty());
        assert!(!is_alive(server));
    }
}

#[test]
fn kill_9_of_the_program_leaves_nothing() {
    let place = Place::new();
    let child = spawn(&mut place.dbctl(&["sandbox", "run", "--", "sh", "-c", "echo ready $$ >&2; exec sleep 20"]));
    child.wait_for_stderr("ready");
    let server = server_pid(&place.the_folder());
    child.signal(Signal::SIGKILL);
    eventually("the folder is gone", || place.folders().is_empty());
    assert!(!is_alive(server));
    let left: i32 = child.stderr().trim().rsplit(' ').next().unwrap().parse().unwrap();
    let _ = kill(Pid::from_raw(left), Signal::SIGKILL);
}

#[test]
fn what_a_dead_owner_and_its_dead_keeper_left_is_swept_at_the_next_start() {
    if !Path::new("/proc/self/cmdline").exists() {
        return;
    }
    let place = Place::new();
    let child = spawn(&mut place.dbctl(&["sandbox", "run", "--", "sh", "-c", "echo ready $$ >&2; exec sleep 20"]));
    child.wait_for_stderr("ready");
    let (folder, left) = (place.the_folder(), child.stderr());
    let server = server_pid(&folder);
    for pid in shells_that_name(&folder) {
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    }
    child.signal(Signal::SIGKILL);
    drop(child);
    assert!(folder.exists() && is_alive(server), "nobody is left to clean up");
    run(&mut place.dbctl(&["sandbox", "run", "--", "true"])).expect_code(0);
    assert!(place.folders().is_empty());
    assert!(!is_alive(server));
    let left: i32 = left.trim().rsplit(' ').next().unwrap().parse().unwrap();
    let _ = kill(Pid::from_raw(left), Signal::SIGKILL);
}

/// The keeper: the shell that has the folder as its argument.
fn shells_that_name(folder: &Path) -> Vec<i32> {
    let pids =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let names = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut words = line.split(|byte| *byte == 0);
        words.next() == Some(b"/bin/sh") && words.any(|word| word == folder.as_os_str().as_encoded_bytes())
    };
    let found: Vec<i32> = pids.filter(names).collect();
    assert!(!found.is_empty(), "the keeper was not found");
    found
}

#[test]
fn many_starts_at_once_on_a_cold_cache_make_one_template() {
    let place = Place::new();
    let cache = place.0.path().join("cache");
    let start = || spawn(place.dbctl(&["sandbox", "run", "--", "true"]).env("DBCTL_CACHE_DIR", &cache));
    let children: Vec<_> = (0..4).map(|_| start()).collect();
    for child in children {
        child.wait().expect_code(0);
    }
    let names: Vec<String> = std::fs::read_dir(cache.join("clusters"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.iter().filter(|name| !name.ends_with(".lock")).count(), 1, "{names:?}");
    assert!(place.folders().is_empty());
}

#[test]
fn a_port_opens_tcp_for_those_who_know_the_password() {
    let place = Place::new();
    let started = run(&mut place.dbctl(&["sandbox", "start", "--port", "0"])).expect_code(0);
    let url = started.stdout.trim();
    let (head, tail) = (url.split_once("postgres:").unwrap().0, url.split_once('@').unwrap().1);
    assert_eq!(connect(url).unwrap().one("SELECT host(inet_server_addr())"), "127.0.0.1");
    let refused = connect(&format!("{head}postgres:wrong@{tail}")).err().unwrap();
    assert_eq!(refused.code, "28P01");
    run(&mut place.dbctl(&["sandbox", "stop"])).expect_code(0);
}

#[test]
fn a_taken_port_is_said_so() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = run(&mut place.dbctl(&["sandbox", "start", "--port", &port])).expect_code(1);
    assert!(run.stderr.contains("Address already in use"), "{}", run.stderr);
    assert!(place.folders().is_empty());
}

#[test]
fn a_missing_server_names_the_package() {
    let place = Place::new();
    let missing = run(&mut place.dbctl(&["sandbox", "start", "--major", "99"])).expect_code(1);
    assert!(missing.stderr.contains("no PostgreSQL 99 server programs on this machine; found: "), "{}", missing.stderr);
    assert!(missing.stderr.contains("apt-get install postgresql-99"), "{}", missing.stderr);
    let wrong = run(place.dbctl(&["sandbox", "start"]).env("DBCTL_PG_BIN", "/usr/share")).expect_code(65);
    assert!(wrong.stderr.contains("no PostgreSQL server programs in /usr/share (DBCTL_PG_BIN)"), "{}", wrong.stderr);
}

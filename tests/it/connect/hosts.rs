//! Several hosts, hosts that do not answer, and hosts of the wrong sort.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use dbctl::config::connection::Connection;
use dbctl::pg::connect;
use dbctl::pg::sandbox::{Options, Sandbox};

use super::{env, one, open, refusal, refused, run, sql, tcp_server};
use crate::harness::private_server;

/// A port where nothing listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn the_first_host_that_answers_is_taken_with_its_own_password() {
    let server = tcp_server(&["host all app 127.0.0.1/32 scram-sha-256"]);
    sql(&server, "CREATE ROLE app LOGIN PASSWORD 'right'");
    let folder = tempfile::tempdir().unwrap();
    let (dead, alive) = (closed_port(), server.port());
    let lines = format!("127.0.0.1:{dead}:*:*:wrong\n127.0.0.1:{alive}:*:*:right\n");
    let passfile = super::certificates::write(&folder.path().join("pass"), &lines);
    let hosts = format!("host=127.0.0.1,nowhere.invalid,127.0.0.1 port={dead},5432,{alive} user=app dbname=postgres");
    let link = run(open(&format!("{hosts} passfile={}", passfile.display()))).unwrap();
    assert_eq!(link.host.port, alive);
}

#[test]
fn every_failed_attempt_is_listed() {
    let (one, other) = (closed_port(), closed_port());
    let (code, text) =
        refusal(&format!("host=127.0.0.1,nowhere.invalid,/nowhere,127.0.0.1 port={one},1,2,{other} user=u dbname=d"));
    assert_eq!(code, 69);
    for piece in [
        &format!("127.0.0.1:{one}"),
        &format!("127.0.0.1:{other}"),
        "nowhere.invalid:1: the host name cannot be resolved",
        "/nowhere:2: no server listens on this socket",
        "connection refused",
        "/nowhere/.s.PGSQL.2",
        "hint: nothing listens at",
    ] {
        assert!(text.contains(piece), "{piece:?} is not in: {text}");
    }
}

#[test]
fn a_refused_login_ends_the_search() {
    let server = tcp_server(&["host all free 127.0.0.1/32 trust"]);
    sql(&server, "CREATE ROLE free LOGIN");
    let hosts =
        format!("host=127.0.0.1,127.0.0.1 port={},{} user=nobody dbname=postgres", server.port(), server.port());
    let (code, text) = refusal(&format!("{hosts} password=x sslmode=disable"));
    assert_eq!(code, 77);
    assert!(!text.contains("every attempt"), "{text}");
}

#[test]
fn a_listener_that_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap().port();
    for mode in ["disable", "require", "prefer"] {
        let more = format!("host=127.0.0.1 port={silent} user=u dbname=d connect_timeout=1 sslmode={mode}");
        refused(&more, 69, &["no answer within 1 s", "connect_timeout="]);
    }
    // Each host has the time for itself.
    let server = tcp_server(&["host all free 127.0.0.1/32 trust"]);
    sql(&server, "CREATE ROLE free LOGIN");
    let both =
        format!("host=127.0.0.1,127.0.0.1 port={silent},{} user=free dbname=postgres connect_timeout=1", server.port());
    assert_eq!(run(open(&both)).unwrap().host.port, server.port());
}

#[test]
fn what_is_no_postgres_server_is_said() {
    use std::io::Write as _;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let host = format!("host=127.0.0.1 port={port} user=u dbname=d connect_timeout=5");
    refused(&format!("{host} sslmode=require"), 69, &["is not a PostgreSQL server"]);
    refused(&format!("{host} sslmode=disable"), 69, &["cannot connect to d on"]);
}

#[test]
fn children_connect_to_the_same_place() {
    let server = tcp_server(&["host all app 127.0.0.1/32 scram-sha-256"]);
    sql(&server, "CREATE ROLE app LOGIN PASSWORD 'hunter2'");
    let conninfo = format!("postgresql://app:hunter2@127.0.0.1:{}/postgres?application_name=child", server.port());
    let connection = Connection::resolve(Some(&conninfo), &env(&[])).unwrap();
    let mut child = Command::new(server.program("psql"));
    child.env("PGSERVICE", "nowhere").args(["-AtXc", "SELECT current_user, current_setting('application_name')"]);
    // psql names itself unless the connection string does.
    let out = connection.hand_to(&mut child).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(String::from_utf8_lossy(&out.stdout).starts_with("app|"), "{out:?}");
}

#[test]
fn the_role_of_a_server_decides_under_target_session_attrs() {
    let primary = private_server(&Options::default());
    let standby = Standby::of(&primary);
    let place = |server: &str| match server {
        "primary" => (primary.socket_dir().to_owned(), primary.port()),
        _ => (standby.socket_dir.clone(), standby.port),
    };
    let try_both = |order: [&str; 2], wanted: &str| {
        let [(one, one_port), (two, two_port)] = order.map(place);
        open_blocking(&format!(
            "host={},{} port={one_port},{two_port} user=postgres dbname=postgres target_session_attrs={wanted}",
            one.display(),
            two.display()
        ))
    };
    for (wanted, chosen) in [
        ("any", None),
        ("read-write", Some("f")),
        ("read-only", Some("t")),
        ("primary", Some("f")),
        ("standby", Some("t")),
        ("prefer-standby", Some("t")),
    ] {
        for order in [["primary", "standby"], ["standby", "primary"]] {
            let expected = chosen.unwrap_or(if order[0] == "primary" { "f" } else { "t" });
            assert_eq!(try_both(order, wanted).unwrap(), expected, "{wanted} of {order:?}");
        }
    }
    assert_eq!(try_both(["primary", "primary"], "prefer-standby").unwrap(), "f");
    let text = try_both(["primary", "primary"], "standby").unwrap_err();
    assert!(text.contains("the server is a primary, but target_session_attrs=standby"), "{text}");
    assert!(try_both(["standby", "standby"], "read-write").unwrap_err().contains("is read-only"));
    // A primary may be read-only by setting.
    sql(&primary, "ALTER ROLE postgres SET default_transaction_read_only = on");
    assert!(try_both(["primary", "primary"], "read-write").unwrap_err().contains("is read-only"));
    assert_eq!(try_both(["primary", "standby"], "primary").unwrap(), "f");
    assert_eq!(try_both(["primary", "standby"], "read-only").unwrap(), "f");
}

fn open_blocking(conninfo: &str) -> Result<String, String> {
    run(async {
        let link = open(conninfo).await.map_err(|failure| failure.to_string())?;
        Ok(one(&link, "SELECT pg_is_in_recovery()").await)
    })
}

#[test]
fn a_server_that_is_starting_is_passed_over() {
    let mut server = private_server(&Options::default());
    server.pause().unwrap();
    let alive = private_server(&Options::default());
    let hosts = format!(
        "host={},{} port={},{} user=postgres dbname=postgres connect_timeout=1",
        server.socket_dir().display(),
        alive.socket_dir().display(),
        server.port(),
        alive.port()
    );
    assert_eq!(run(open(&hosts)).unwrap().host.port, alive.port());
    server.resume().unwrap();
    let connection = Connection { connect_timeout: None, ..server.connection("postgres") };
    run(connect::open(&connection, "test")).unwrap();
}

/// A hot standby beside a sandbox, stopped when it is dropped.
struct Standby<'a> {
    primary: &'a Sandbox,
    data: PathBuf,
    socket_dir: PathBuf,
    port: u16,
}

impl Standby<'_> {
    fn of(primary: &Sandbox) -> Standby<'_> {
        let data = primary.socket_dir().join("standby");
        let standby = Standby { primary, data, socket_dir: primary.socket_dir().to_owned(), port: closed_port() };
        standby.run(
            "pg_basebackup",
            &["-R", "-X", "stream", "-c", "fast", "-D"],
            &[
                "-h",
                &primary.socket_dir().display().to_string(),
                "-p",
                &primary.port().to_string(),
                "-U",
                primary.superuser(),
            ],
        );
        let options = format!("-p {} -k {} -c listen_addresses=", standby.port, standby.socket_dir.display());
        standby.run(
            "pg_ctl",
            &["start", "-w", "-s", "-D"],
            &["-l", &format!("{}.log", standby.data.display()), "-o", &options],
        );
        standby
    }

    fn run(&self, program: &str, before: &[&str], after: &[&str]) {
        let program = self.primary.program(program);
        let mut command = self.primary.command_as_server(&program);
        let status =
            command.args(before).arg(&self.data).args(after).stdout(std::process::Stdio::null()).status().unwrap();
        assert!(status.success(), "{} failed", program.display());
    }
}

impl Drop for Standby<'_> {
    fn drop(&mut self) {
        let mut stop = self.primary.command_as_server(self.primary.program("pg_ctl"));
        let _ = stop.args(["stop", "-s", "-m", "immediate", "-D"]).arg(&self.data).status();
    }
}

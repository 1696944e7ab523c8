//! Roles, passwords and what the server says against them.

use std::os::unix::fs::PermissionsExt;

use dbctl::config::connection::Connection;
use dbctl::pg::connect;

use super::{env, on, one, open, refused, run, sql, tcp_server};

const HBA: &[&str] = &[
    "host all cleartext 127.0.0.1/32 password",
    "host all hashed 127.0.0.1/32 md5",
    "host all nobody 127.0.0.1/32 trust",
    "host all nologin 127.0.0.1/32 trust",
    "host all banned 127.0.0.1/32 reject",
    "host all free 127.0.0.1/32 trust",
    "local all wanted peer",
];

fn roles() -> &'static str {
    "CREATE ROLE app LOGIN PASSWORD 'päss:w\\ord ''x'; CREATE ROLE cleartext LOGIN PASSWORD 'c';
     SET password_encryption = 'md5'; CREATE ROLE hashed LOGIN PASSWORD 'h';
     CREATE ROLE free LOGIN; CREATE ROLE banned LOGIN; CREATE ROLE nologin NOLOGIN; CREATE ROLE wanted LOGIN"
}

#[test]
fn passwords_come_from_url_variable_service_and_password_file() {
    let server = tcp_server(HBA);
    sql(&server, roles());
    let home = tempfile::tempdir().unwrap();
    let passfile = home.path().join(".pgpass");
    std::fs::write(&passfile, format!("127.0.0.1:{}:*:app:päss\\:w\\\\ord 'x\n", server.port())).unwrap();
    std::fs::set_permissions(&passfile, std::fs::Permissions::from_mode(0o600)).unwrap();
    let service =
        format!("[app]\nhost=127.0.0.1\nport={}\nuser=app\ndbname=postgres\npassword=päss:w\\ord 'x\n", server.port());
    std::fs::write(home.path().join(".pg_service.conf"), service).unwrap();
    let port = server.port().to_string();
    let at_home = ("HOME", home.path().to_str().unwrap());
    let variable = [("PGHOST", "127.0.0.1"), ("PGPORT", &port), ("PGUSER", "app"), ("PGPASSWORD", "päss:w\\ord 'x")];
    let url = format!("postgresql://app:p%C3%A4ss%3Aw%5Cord%20%27x@127.0.0.1:{port}/postgres?sslmode=disable");
    for (conninfo, variables) in [
        (url, vec![]),
        (format!("postgresql://app@127.0.0.1:{port}/postgres"), vec![at_home]),
        ("dbname=postgres".to_owned(), variable.to_vec()),
        ("service=app".to_owned(), vec![("PGSERVICEFILE", ""), at_home]),
        (on(&server, "user=app password='päss:w\\\\ord \\'x'"), vec![]),
        (on(&server, "user=cleartext password=c"), vec![]),
        (on(&server, "user=hashed password=h"), vec![]),
    ] {
        let variables = variables.into_iter().chain([("PGSYSCONFDIR", "/nowhere")]).collect();
        let connection = Connection::resolve(Some(&conninfo), &variables).unwrap();
        run(async {
            let link =
                connect::open(&connection, "test").await.unwrap_or_else(|failure| panic!("{conninfo}: {failure}"));
            assert_eq!(one(&link, "SELECT current_user").await, connection.user);
        });
    }
}

#[test]
fn refusals_say_what_to_do() {
    let server = tcp_server(HBA);
    sql(&server, roles());
    sql(&server, "CREATE DATABASE closed; ");
    sql(&server, "REVOKE CONNECT ON DATABASE closed FROM public");
    for (more, code, pieces) in [
        ("user=app password=wrong", 77, &["28P01", "ALTER ROLE app PASSWORD"][..]),
        ("user=app", 77, &["asks for a password and none was given", "PGPASSWORD", "~/.pgpass"]),
        ("user=cleartext", 77, &["asks for a password"]),
        ("user=hashed password=x", 77, &["28P01"]),
        ("user=nobody", 77, &["28000", "role \"nobody\" does not exist"]),
        ("user=nologin", 77, &["28000", "not permitted to log in"]),
        ("user=banned", 77, &["28000", "pg_hba.conf"]),
        ("user=free dbname=missing", 69, &["3D000", "CREATE DATABASE missing"]),
        ("user=free dbname=closed", 77, &["42501", "GRANT CONNECT ON DATABASE closed TO free"]),
    ] {
        refused(&on(&server, more), code, pieces);
    }
    let (_, text) = super::refusal(&on(&server, "user=app password=hunter2"));
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.starts_with("error: cannot connect to postgres on 127.0.0.1:"), "{text}");
}

#[test]
fn a_full_server_is_named_as_such() {
    let server = tcp_server(&["host all free 127.0.0.1/32 trust"]);
    sql(&server, "CREATE ROLE free LOGIN CONNECTION LIMIT 1");
    run(async {
        let _held = open(&on(&server, "user=free")).await.unwrap();
        let failure = open(&on(&server, "user=free")).await.err().expect("the limit is one");
        assert_eq!(failure.what().outcome().code(), 69);
        assert!(failure.to_string().contains("53300"), "{failure}");
    });
}

#[test]
fn an_ignored_password_file_is_mentioned_where_it_was_missed() {
    let server = tcp_server(&[]);
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".pgpass"), "*:*:*:*:x\n").unwrap();
    std::fs::set_permissions(home.path().join(".pgpass"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let variables = env(&[]);
    let conninfo = format!("{} passfile={}", on(&server, ""), home.path().join(".pgpass").display());
    let connection = Connection::resolve(Some(&conninfo), &variables).unwrap();
    let failure = run(connect::open(&connection, "test")).err().expect("no password");
    assert!(failure.to_string().contains("chmod 600"), "{failure}");
}

#[test]
fn requirepeer_is_held_against_the_sockets_owner() {
    let server = tcp_server(&[]);
    let socket = format!("host={} port={} user=postgres dbname=postgres", server.socket_dir().display(), server.port());
    run(open(&format!("{socket} requirepeer={}", server.account()))).unwrap();
    refused(&format!("{socket} requirepeer=somebody"), 77, &["belongs to", "requirepeer=somebody"]);
}

//! Connecting as psql does, against real servers.

mod certificates;
mod hosts;
mod login;
mod tls;

use std::time::Duration;

use dbctl::config::connection::Connection;
use dbctl::config::env::Env;
use dbctl::error::Result;
use dbctl::pg::connect::{self, Link};
use dbctl::pg::sandbox::{Options, Sandbox};
use tokio_postgres::SimpleQueryMessage;

use crate::harness::private_server;

/// Runs a test as dbctl runs: on one thread.
fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

/// Variables without those of whoever runs the tests.
fn env(variables: &[(&str, &str)]) -> Env {
    variables.iter().copied().chain([("HOME", "/nowhere"), ("PGSYSCONFDIR", "/nowhere")]).collect()
}

fn resolve(conninfo: &str) -> Connection {
    Connection::resolve(Some(conninfo), &env(&[])).unwrap()
}

/// Connects and asks, so that the answer comes through the whole chain.
async fn open(conninfo: &str) -> Result<Link> {
    connect::open(&resolve(conninfo), "test").await
}

/// The whole text of a refusal.
fn refusal(conninfo: &str) -> (i32, String) {
    match run(open(conninfo)) {
        Ok(link) => panic!("{conninfo}: connected to {}", link.host),
        Err(failure) => (i32::from(failure.what().outcome().code()), failure.to_string()),
    }
}

/// Asserts a refusal with this exit code and these pieces of text.
#[track_caller]
fn refused(conninfo: &str, code: i32, pieces: &[&str]) {
    let (found, text) = refusal(conninfo);
    assert_eq!(found, code, "{text}");
    for piece in pieces {
        assert!(text.contains(piece), "{piece:?} is not in: {text}");
    }
}

async fn one(link: &Link, sql: &str) -> String {
    let messages = link.client.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    row.unwrap_or_else(|| panic!("{sql}: no row"))
}

/// A server that also listens on 127.0.0.1, with lines for pg_hba.conf.
fn tcp_server(hba: &[&str]) -> Sandbox {
    let hba = hba.iter().map(|line| (*line).to_owned()).collect();
    private_server(&Options { port: Some(0), hba, ..Options::default() })
}

/// `host=127.0.0.1 port=…` and what is added.
fn on(server: &Sandbox, more: &str) -> String {
    format!("host=127.0.0.1 port={} user=postgres dbname=postgres {more}", server.port())
}

/// Runs SQL as the superuser over the socket.
fn sql(server: &Sandbox, sql: &str) -> String {
    run(async {
        let link = connect::open(&server.connection("postgres"), "test").await.unwrap();
        let text = match link.client.simple_query(sql).await {
            Ok(messages) => messages.iter().find_map(|m| match m {
                SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                _ => None,
            }),
            Err(error) => panic!("{sql}: {error:?}"),
        };
        link.close().await;
        text.unwrap_or_default()
    })
}

#[test]
fn a_socket_connection_says_who_it_is_and_sends_no_options() {
    let server = private_server(&Options::default());
    run(async {
        let link = connect::open(&server.connection("postgres"), "dbctl:test").await.unwrap();
        assert_eq!(one(&link, "SHOW application_name").await, "dbctl:test");
        assert_eq!(one(&link, "SHOW client_encoding").await, "UTF8");
        assert!(!link.encrypted);
        link.close().await;
        let url =
            format!("postgresql://postgres@/postgres?host={}&port={}", server.socket_dir().display(), server.port());
        let with = format!(
            "{url}&options=-c%20work_mem%3D3MB%20-c%20datestyle%3DSQL,%5C%20DMY&application_name=mine&sslmode=verify-full"
        );
        let link = connect::open(&resolve(&with), "").await.unwrap();
        assert_eq!(one(&link, "SHOW work_mem").await, "3MB");
        assert_eq!(one(&link, "SHOW datestyle").await, "SQL, DMY");
        assert_eq!(one(&link, "SHOW application_name").await, "mine");
    });
}

#[test]
fn closing_says_goodbye_and_notices_arrive() {
    let server = private_server(&Options {
        settings: vec![("log_disconnections".to_owned(), "on".to_owned())],
        ..Options::default()
    });
    run(async {
        let mut link = connect::open(&server.connection("postgres"), "notices").await.unwrap();
        link.client.simple_query("DO $$BEGIN RAISE NOTICE 'first'; RAISE WARNING 'second'; END$$").await.unwrap();
        assert_eq!(link.notices.recv().await.unwrap().message(), "first");
        assert_eq!(link.notices.recv().await.unwrap().severity(), "WARNING");
        link.close().await;
    });
    assert!(!server.log().contains("unexpected EOF"), "{}", server.log());
}

#[test]
fn a_terminated_session_leaves_the_servers_last_word() {
    let server = private_server(&Options::default());
    run(async {
        let link = connect::open(&server.connection("postgres"), "victim").await.unwrap();
        let other = connect::open(&server.connection("postgres"), "killer").await.unwrap();
        assert!(link.broken_by().is_none());
        let pid = one(&link, "SELECT pg_backend_pid()").await;
        one(&other, &format!("SELECT pg_terminate_backend({pid})")).await;
        for _ in 0..200 {
            if link.broken_by().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(link.broken_by().unwrap().code().unwrap().code(), "57P01");
        assert!(link.client.is_closed());
    });
}

#[test]
fn a_cancel_request_stops_the_statement_and_nothing_else() {
    let server = private_server(&Options::default());
    run(async {
        let link = connect::open(&server.connection("postgres"), "test").await.unwrap();
        cancels(&link).await;
    });
}

/// Cancels a long sleep, many times short ones, and checks that what follows is left alone.
async fn cancels(link: &Link) {
    let cancel = link.cancel.clone();
    let later = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancel.send().await.unwrap();
    };
    let sleep = tokio::time::timeout(Duration::from_secs(20), link.client.simple_query("SELECT pg_sleep(60)"));
    let (slept, ()) = tokio::join!(sleep, later);
    assert_eq!(slept.expect("cancelled").unwrap_err().code().unwrap().code(), "57014");
    for _ in 0..20 {
        cancel.send().await.unwrap();
        assert_eq!(one(link, "SELECT 1").await, "1");
    }
}

//! Every sslmode, with good, strange and bad certificates on either side.

use dbctl::pg::sandbox::Sandbox;

use super::certificates::{Authority, Pair, install, self_signed, write};
use super::{cancels, on, one, open, refused, run, sql, tcp_server};

const HBA: &[&str] = &[
    "hostssl all certuser 127.0.0.1/32 cert",
    "hostssl all tlsonly 127.0.0.1/32 trust",
    "host all tlsonly 127.0.0.1/32 reject",
    "hostnossl all plainonly 127.0.0.1/32 trust",
    "host all plainonly 127.0.0.1/32 reject",
    "host all free 127.0.0.1/32 trust",
];

struct World {
    server: Sandbox,
    authority: Authority,
    folder: tempfile::TempDir,
}

impl World {
    /// A server with a certificate for localhost and 127.0.0.1, and the authority's file as `ca.crt`.
    fn new() -> World {
        let (authority, folder) = (Authority::new("the authority"), tempfile::tempdir().unwrap());
        let mut server = tcp_server(HBA);
        sql(
            &server,
            "CREATE ROLE certuser LOGIN; CREATE ROLE tlsonly LOGIN; CREATE ROLE plainonly LOGIN; CREATE ROLE free LOGIN; CREATE ROLE app LOGIN PASSWORD 'pw'",
        );
        install(&mut server, &authority.sign("localhost", &["localhost", "127.0.0.1"]), &authority);
        write(&folder.path().join("ca.crt"), &authority.pem);
        write(&folder.path().join("foreign.crt"), &Authority::new("somebody else").pem);
        World { server, authority, folder }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A connection string in which `@name` stands for a file.
    fn conninfo(&self, more: &str) -> String {
        on(&self.server, &format!("user=free {}", more.replace('@', &format!("{}/", self.folder.path().display()))))
    }

    #[track_caller]
    fn connects(&self, more: &str, encrypted: bool) {
        run(async {
            let link = open(&self.conninfo(more)).await.unwrap_or_else(|failure| panic!("{more}: {failure}"));
            let sql = "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
            assert_eq!(one(&link, sql).await, encrypted.to_string(), "{more}");
            assert_eq!(link.encrypted, encrypted, "{more}");
        });
    }

    #[track_caller]
    fn refuses(&self, more: &str, code: i32, pieces: &[&str]) {
        refused(&self.conninfo(more), code, pieces);
    }
}

#[test]
fn every_sslmode_on_a_server_with_tls() {
    let world = World::new();
    for (more, encrypted) in [
        ("", true),
        ("sslmode=disable", false),
        ("sslmode=allow", false),
        ("sslmode=allow user=tlsonly", true),
        ("sslmode=prefer", true),
        ("sslmode=prefer user=plainonly", false),
        ("sslmode=prefer sslrootcert=@ca.crt", true),
        // As in libpq: prefer falls back to plain text where the certificate is no good.
        ("sslmode=prefer sslrootcert=@foreign.crt", false),
        ("sslmode=require", true),
        ("sslmode=require host=wrong.example.com hostaddr=127.0.0.1", true),
        ("sslmode=require host=not_a_/name hostaddr=127.0.0.1", true),
        ("sslmode=require sslrootcert=@ca.crt host=wrong.example.com hostaddr=127.0.0.1", true),
        ("sslmode=verify-ca sslrootcert=@ca.crt", true),
        ("sslmode=verify-ca sslrootcert=@ca.crt host=wrong.example.com hostaddr=127.0.0.1", true),
        ("sslmode=verify-full sslrootcert=@ca.crt", true),
        ("sslmode=verify-full sslrootcert=@ca.crt host=localhost hostaddr=127.0.0.1", true),
        ("sslmode=verify-full sslrootcert=@ca.crt host='' hostaddr=127.0.0.1", true),
        ("sslmode=verify-full sslrootcert=@ca.crt sslsni=0 ssl_min_protocol_version=TLSv1.3", true),
        ("sslmode=verify-full sslrootcert=@ca.crt ssl_max_protocol_version=TLSv1.2", true),
        ("sslmode=require channel_binding=require user=app password=pw", true),
        ("sslmode=require channel_binding=disable user=app password=pw", true),
        ("sslmode=disable user=app password=pw", false),
    ] {
        world.connects(more, encrypted);
    }
    for (more, code, pieces) in [
        ("sslmode=disable user=tlsonly", 77, &["28000"][..]),
        ("sslmode=require user=plainonly", 77, &["28000"]),
        (
            "sslmode=require sslrootcert=@foreign.crt",
            69,
            &[
                "sslmode=require refused",
                "not signed by the authorities in",
                "foreign.crt",
                "because a root certificate is configured",
            ],
        ),
        ("sslmode=verify-ca", 65, &["sslmode=verify-ca needs a root certificate", "sslrootcert="]),
        ("sslmode=verify-full sslrootcert=@missing.crt", 65, &["missing.crt", "No such file"]),
        ("sslmode=require sslrootcert=@missing.crt", 65, &["missing.crt"]),
        ("sslmode=verify-ca sslrootcert=@foreign.crt", 69, &["sslmode=verify-ca refused"]),
        ("sslmode=verify-full sslrootcert=@foreign.crt", 69, &["name the authority that signed it: sslrootcert="]),
        (
            "sslmode=verify-full sslrootcert=@ca.crt host=wrong.example.com hostaddr=127.0.0.1",
            69,
            &["it is for localhost, 127.0.0.1, not for wrong.example.com", "sslmode=verify-ca"],
        ),
        ("sslmode=disable channel_binding=require user=app password=pw", 69, &["channel binding"]),
        ("channel_binding=require", 69, &["channel binding", "over TLS only"]),
        ("user=plainonly sslmode=prefer password=x dbname=missing", 69, &["3D000"]),
    ] {
        world.refuses(more, code, pieces);
    }
}

#[test]
fn the_systems_authorities_do_not_vouch_for_a_private_server() {
    let (code, text) = super::refusal(&World::new().conninfo("sslrootcert=system"));
    let refused = code == 69 && text.contains("sslmode=verify-full refused");
    // A small machine has no authorities at all.
    assert!(refused || (code == 65 && text.contains("ca-certificates")), "{text}");
}

#[test]
fn every_sslmode_on_a_server_without_tls() {
    let server = tcp_server(HBA);
    sql(&server, "CREATE ROLE free LOGIN");
    for mode in ["disable", "allow", "prefer"] {
        let link = run(open(&on(&server, &format!("user=free sslmode={mode}")))).unwrap();
        assert!(!link.encrypted);
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        let folder = tempfile::tempdir().unwrap();
        let root = write(&folder.path().join("ca.crt"), &Authority::new("a").pem);
        let more = format!("user=free sslmode={mode} sslrootcert={}", root.display());
        refused(
            &on(&server, &more),
            69,
            &[&format!("the server has no TLS, but sslmode={mode} wants it"), "ALTER SYSTEM SET ssl"],
        );
    }
}

#[test]
fn certificates_of_every_make_are_judged_as_libpq_judges_them() {
    let mut world = World::new();
    let expired = |params: &mut rcgen::CertificateParams| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 2, 3);
    };
    let not_yet = |params: &mut rcgen::CertificateParams| params.not_before = rcgen::date_time_ymd(2999, 1, 1);
    let own = self_signed("localhost");
    let (ca, foreign) = (&world.authority, Authority::new("somebody else"));
    // The certificate, a root file, the host, whether verify-ca and whether verify-full take it, the reason.
    let cases: Vec<(Pair, &str, &str, bool, bool, &str)> = vec![
        (ca.sign("db", &["*.example.com"]), &ca.pem, "db.example.com", true, true, ""),
        (ca.sign("db", &["*.example.com"]), &ca.pem, "a.db.example.com", true, false, "it is for *.example.com"),
        // An alternative name makes the common name void.
        (
            ca.sign("db.example.com", &["other.example.com"]),
            &ca.pem,
            "db.example.com",
            true,
            false,
            "other.example.com",
        ),
        (ca.sign("db.example.com", &[]), &ca.pem, "db.example.com", true, true, ""),
        (ca.sign("*.example.com", &[]), &ca.pem, "db.example.com", true, true, ""),
        (ca.sign("127.0.0.1", &[]), &ca.pem, "127.0.0.1", true, true, ""),
        (
            ca.sign("db.example.com", &[]),
            &ca.pem,
            "127.0.0.1",
            true,
            false,
            "it is for db.example.com, not for 127.0.0.1",
        ),
        (ca.sign_with("db", &["localhost"], expired), &ca.pem, "localhost", false, false, "it expired on 2021-02-03"),
        (ca.sign_with("db", &["localhost"], not_yet), &ca.pem, "localhost", false, false, "only from 2999-01-01"),
        (foreign.sign("db", &["localhost"]), &ca.pem, "localhost", false, false, "not signed by"),
        (ca.sign_version_1("localhost", true), &ca.pem, "localhost", true, true, ""),
        (ca.sign_version_1("localhost", true), &ca.pem, "other", true, false, "it is for localhost, not for other"),
        (ca.sign_version_1("localhost", false), &ca.pem, "localhost", false, false, "sslmode=verify"),
        (ca.sign_version_1("localhost", true), &foreign.pem, "localhost", false, false, "sslmode=verify"),
        // The same name, another key.
        (
            ca.sign_version_1("localhost", true),
            &Authority::new("the authority").pem.leak()[..],
            "localhost",
            false,
            false,
            "sslmode=verify",
        ),
        (Pair { cert: own.cert.clone(), key: own.key.clone() }, &own.cert, "localhost", true, true, ""),
        (Pair { cert: own.cert.clone(), key: own.key.clone() }, &own.cert, "other", true, false, "it is for localhost"),
        (
            Pair { cert: own.cert.clone(), key: own.key.clone() },
            &self_signed("localhost").cert.leak()[..],
            "localhost",
            false,
            false,
            "sslmode=verify",
        ),
    ];
    for (pair, root, host, verify_ca, verify_full, reason) in &cases {
        install(&mut world.server, pair, &world.authority);
        write(&world.folder.path().join("root.crt"), root);
        for version in ["TLSv1.2", "TLSv1.3"] {
            let tls = format!(
                "host={host} hostaddr=127.0.0.1 ssl_min_protocol_version={version} ssl_max_protocol_version={version}"
            );
            world.connects(&format!("{tls} sslmode=require"), true);
            for (mode, accepted) in [("verify-ca", *verify_ca), ("verify-full", *verify_full)] {
                let more = format!("{tls} sslmode={mode} sslrootcert=@root.crt");
                if accepted {
                    world.connects(&more, true);
                } else {
                    world.refuses(&more, 69, &[reason, &format!("sslmode={mode} refused")]);
                }
            }
        }
    }
}

#[test]
fn client_certificates_let_in_and_their_keys_are_guarded() {
    let world = World::new();
    let (good, other) = (world.authority.sign("certuser", &[]), Authority::new("x").sign("certuser", &[]));
    for (name, text) in
        [("c.crt", &good.cert), ("c.key", &good.key), ("other.crt", &other.cert), ("other.key", &other.key)]
    {
        write(&world.folder.path().join(name), text);
    }
    write(&world.folder.path().join("open.key"), &good.key);
    let mode = |file: &str, mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(world.file(file), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("open.key", 0o644);
    write(
        &world.folder.path().join("locked.key"),
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    world.connects("user=certuser sslmode=verify-full sslrootcert=@ca.crt sslcert=@c.crt sslkey=@c.key", true);
    world.connects("user=certuser sslcert=@c.crt sslkey=@c.key ssl_max_protocol_version=TLSv1.2", true);
    for (more, code, pieces) in [
        ("user=certuser sslmode=require", 77, &["28000"][..]),
        (
            "user=certuser sslcert=@other.crt sslkey=@other.key sslmode=require",
            77,
            &["refused the client certificate", "sslcert="],
        ),
        (
            "user=certuser sslcert=@other.crt sslkey=@other.key sslmode=require ssl_max_protocol_version=TLSv1.2",
            77,
            &["refused the client certificate"],
        ),
        ("sslcert=@c.crt sslkey=@other.key", 65, &["do not fit"]),
        ("sslcert=@c.crt sslkey=@missing.key", 65, &["cannot read private key", "missing.key"]),
        ("sslcert=@missing.crt sslkey=@c.key", 65, &["cannot read client certificate"]),
        ("sslcert=@c.key sslkey=@c.key", 65, &["contains no certificate"]),
        ("sslcert=@c.crt sslkey=@locked.key", 65, &["no usable key", "openssl pkey"]),
        ("sslcert=@c.crt sslkey=@open.key", 65, &["open to others", "chmod 600"]),
    ] {
        world.refuses(more, code, pieces);
    }
    // sslcertmode=disable keeps it back.
    world.refuses("user=certuser sslcert=@c.crt sslkey=@c.key sslcertmode=disable sslmode=require", 77, &["28000"]);
    // Unix sockets never use TLS: nothing of it is even read.
    let socket = format!("host={} sslmode=verify-full sslrootcert=/missing", world.server.socket_dir().display());
    assert!(!run(open(&on(&world.server, &socket))).unwrap().encrypted);
}

#[test]
fn direct_negotiation_works_from_17_on() {
    let world = World::new();
    let more = "sslmode=verify-full sslrootcert=@ca.crt sslnegotiation=direct";
    if world.server.major() >= 17 {
        world.connects(more, true);
        run(async { cancels(&open(&world.conninfo(more)).await.unwrap()).await });
    } else {
        world.refuses(more, 69, &["handshake"]);
    }
}

#[test]
fn cancel_requests_use_the_same_tls() {
    let world = World::new();
    for more in
        ["sslmode=verify-full sslrootcert=@ca.crt", "sslmode=disable", "sslmode=prefer", "sslmode=allow user=tlsonly"]
    {
        run(async {
            let link = open(&world.conninfo(more)).await.unwrap();
            cancels(&link).await;
        });
    }
}

//! Which source wins, and what every default is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::super::{ChannelBinding, TargetSessionAttrs};
use super::*;

/// A home folder and the variables of a run in it.
struct Home {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Home {
    fn new(variables: &[(&str, &str)]) -> Home {
        let folder = tempfile::tempdir().unwrap();
        let mut variables: Vec<_> = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        variables.push(("HOME".to_owned(), folder.path().display().to_string()));
        variables.push(("PGSYSCONFDIR".to_owned(), "/nowhere".to_owned()));
        Home { folder, variables }
    }

    fn file(self, name: &str, mode: u32, text: &str) -> Home {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    fn resolve(&self, conninfo: &str) -> Result<Connection> {
        Connection::resolve(Some(conninfo), &self.variables.iter().cloned().collect())
    }
}

fn resolved(conninfo: &str) -> Connection {
    Home::new(&[]).resolve(conninfo).unwrap()
}

fn refused(conninfo: &str) -> Failure {
    Home::new(&[]).resolve(conninfo).unwrap_err()
}

fn password(connection: &Connection) -> Option<&str> {
    connection.password.as_ref().or(connection.hosts[0].password.as_ref()).map(Secret::reveal)
}

#[test]
fn labels_name_database_hosts_and_role() {
    for (conninfo, label) in [
        ("postgresql://app:pw@db1/bridge", "bridge on db1:5432 as app"),
        ("postgresql://app@db1:6432/", "app on db1:6432 as app"),
        ("host=a,b port=5432,5433 dbname='x y' user=u", "x y on a:5432, b:5433 as u"),
        ("host=a,b port=6000 user=u", "u on a:6000, b:6000 as u"),
        ("host=a,b port=,5433 user=u", "u on a:5432, b:5433 as u"),
        ("postgresql://u@[::1]:5433/d", "d on [::1]:5433 as u"),
        ("postgresql:///d?host=/run/pg&user=u", "d on /run/pg:5432 as u"),
        ("postgresql://%2Frun%2Fpg:6000/d?user=u", "d on /run/pg:6000 as u"),
        ("hostaddr=10.0.0.1 user=u", "u on 10.0.0.1:5432 as u"),
        ("host=db hostaddr=10.0.0.1 user=u", "u on db:5432 as u"),
        ("host=db user=u dbname='a\nb'", "a\u{fffd}b on db:5432 as u"),
        ("host=db dbname='' user=u", "u on db:5432 as u"),
        ("  postgresql://u@db/d\n", "d on db:5432 as u"),
    ] {
        assert_eq!(resolved(conninfo).label(), label, "{conninfo}");
    }
}

#[test]
fn a_bare_word_is_a_database_on_the_local_socket_as_the_system_user() {
    let connection = resolved("mydb");
    let me = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name;
    assert_eq!((connection.dbname.as_str(), connection.user.as_str()), ("mydb", me.as_str()));
    assert!(
        matches!(&connection.hosts[0].address, Address::Unix(folder) if SOCKET_FOLDERS.iter().any(|f| folder.ends_with(&f[1..])))
    );
    assert_eq!(connection.tls.mode, SslMode::Prefer);
    assert_eq!(connection.options, None);
    assert_eq!(connection.connect_timeout, None);
    assert_eq!(resolved("").dbname, me);
}

#[test]
fn the_string_beats_the_service_which_beats_the_environment() {
    let home = Home::new(&[
        ("PGHOST", "envhost"),
        ("PGPORT", "1"),
        ("PGUSER", "envuser"),
        ("PGDATABASE", "envdb"),
        ("PGPASSWORD", "envpw"),
        ("PGAPPNAME", "envapp"),
        ("PGOPTIONS", "-c a=b"),
        ("PGSSLMODE", "disable"),
        ("PGCONNECT_TIMEOUT", "7"),
        ("PGTARGETSESSIONATTRS", "primary"),
    ])
    .file(".pg_service.conf", 0o644, "[prod]\nhost=servicehost\nport=2\nuser=serviceuser\n");
    let connection = home.resolve("service=prod user=me").unwrap();
    assert_eq!(connection.label(), "envdb on servicehost:2 as me");
    assert_eq!(password(&connection), Some("envpw"));
    assert_eq!(connection.application_name.as_deref(), Some("envapp"));
    assert_eq!(connection.options.as_deref(), Some("-c a=b"));
    assert_eq!(connection.tls.mode, SslMode::Disable);
    assert_eq!(connection.connect_timeout, Some(Duration::from_secs(7)));
    assert_eq!(connection.target_session_attrs, TargetSessionAttrs::Primary);
    // An empty part of a URL leaves the variable standing, an empty keyword does not.
    assert_eq!(home.resolve("postgresql://@:/").unwrap().label(), "envdb on envhost:1 as envuser");
    assert_eq!(home.resolve("dbname='' user=x").unwrap().label(), "x on envhost:1 as x");
}

#[test]
fn services_come_from_the_named_file_then_home_then_the_system() {
    let system = tempfile::tempdir().unwrap();
    fs::write(system.path().join("pg_service.conf"), "[far]\nhost=system\n[near]\nhost=shadowed\n").unwrap();
    let mut home = Home::new(&[("PGUSER", "u")]).file(".pg_service.conf", 0o644, "[near]\nhost=home\n").file(
        "other.conf",
        0o644,
        "[near]\nhost=named\n",
    );
    home.variables.push(("PGSYSCONFDIR".to_owned(), system.path().display().to_string()));
    home.variables.retain(|(k, v)| k != "PGSYSCONFDIR" || v != "/nowhere");
    assert_eq!(home.resolve("service=near").unwrap().label(), "u on home:5432 as u");
    assert_eq!(home.resolve("service=far").unwrap().label(), "u on system:5432 as u");
    let missing = home.resolve("service=nowhere").unwrap_err();
    assert!(missing.to_string().contains("service \"nowhere\" is not defined in"), "{missing}");
    home.variables.push(("PGSERVICE".to_owned(), "near".to_owned()));
    home.variables.push(("PGSERVICEFILE".to_owned(), home.folder.path().join("other.conf").display().to_string()));
    assert_eq!(home.resolve("").unwrap().label(), "u on named:5432 as u");
    let missing = home.resolve("servicefile=/nowhere/file").unwrap_err();
    assert!(missing.to_string().contains("/nowhere/file not found"), "{missing}");
}

#[test]
fn passwords_come_from_the_string_the_variable_or_the_file() {
    let lines = "a:5432:d:u:for-a\nb:*:d:u:for-b\nlocalhost:*:*:*:local\n*:*:other:u:for-other\n";
    let home = Home::new(&[]).file(".pgpass", 0o600, lines);
    let connection = home.resolve("host=a,b,c user=u dbname=d").unwrap();
    let per_host: Vec<_> = connection.hosts.iter().map(|h| h.password.as_ref().map(Secret::reveal)).collect();
    assert_eq!(per_host, [Some("for-a"), Some("for-b"), None]);
    assert_eq!(password(&connection.with_dbname("other")), Some("for-other"));
    assert_eq!(password(&home.resolve("host=/tmp user=u dbname=d").unwrap()), Some("local"));
    assert_eq!(password(&home.resolve("host=/elsewhere user=u dbname=d").unwrap()), None);
    assert_eq!(password(&home.resolve("host=x hostaddr=1.2.3.4 user=u dbname=d").unwrap()), None);
    assert_eq!(password(&home.resolve("postgresql://u:given@a/d").unwrap()), Some("given"));
    assert_eq!(password(&home.resolve("host=a user=u dbname=d passfile=/nowhere").unwrap()), None);
    let open = Home::new(&[]).file(".pgpass", 0o644, lines).resolve("host=a user=u dbname=d").unwrap();
    assert_eq!(password(&open), None);
    assert!(open.notes[0].contains("chmod 600"), "{:?}", open.notes);
}

#[test]
fn neither_debug_nor_label_shows_a_password() {
    let home = Home::new(&[("PGPASSWORD", "hunter2")]).file(".pgpass", 0o600, "*:*:*:*:hunter2\n");
    for conninfo in ["host=a", "postgresql://u:hunter2@h/d", "password=hunter2"] {
        let connection = home.resolve(conninfo).unwrap();
        assert_eq!(password(&connection), Some("hunter2"));
        assert!(!format!("{connection:?} {connection:#?} {}", connection.label()).contains("hunter2"));
    }
}

#[test]
fn tls_settings_have_libpqs_defaults_and_files() {
    let home = Home::new(&[]).file(".postgresql/root.crt", 0o644, "").file(".postgresql/postgresql.crt", 0o644, "");
    let tls = home.resolve("host=a").unwrap().tls;
    assert_eq!(tls.root, RootCert::File(home.folder.path().join(".postgresql/root.crt")));
    assert_eq!(tls.key, Some(home.folder.path().join(".postgresql/postgresql.key")));
    assert_eq!(home.resolve("host=a sslcertmode=disable").unwrap().tls.cert, None);
    let tls = resolved("host=a").tls;
    assert_eq!((tls.root, tls.cert, tls.key, tls.sni, tls.direct), (RootCert::Absent, None, None, true, false));
    assert_eq!(resolved("sslrootcert=system").tls.mode, SslMode::VerifyFull);
    assert_eq!(resolved("sslmode=verify-ca sslrootcert=/ca").tls.root, RootCert::File("/ca".into()));
    assert!(resolved("sslmode=require sslnegotiation=direct").tls.direct);
    assert!(resolved("ssl_min_protocol_version=TLSv1.3").tls.only_tls13);
    assert!(resolved("ssl_min_protocol_version=TLSv1 ssl_max_protocol_version=TLSv1.2").tls.only_tls12);
    assert!(!resolved("sslsni=0").tls.sni);
    assert_eq!(resolved("channel_binding=require").channel_binding, ChannelBinding::Require);
    for (conninfo, message) in [
        ("sslrootcert=system sslmode=require", "too weak for sslrootcert=system"),
        ("sslnegotiation=direct", "too weak for sslnegotiation=direct"),
        ("ssl_max_protocol_version=TLSv1.1", "cannot honour"),
        ("ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2", "is above"),
    ] {
        assert!(refused(conninfo).to_string().contains(message), "{}", refused(conninfo));
    }
}

#[test]
fn times_and_keepalives_have_libpqs_units() {
    let connection = resolved(
        "connect_timeout=5 keepalives_idle=30 keepalives_interval=10 keepalives_count=3 tcp_user_timeout=1500 keepalives=1",
    );
    assert_eq!(connection.connect_timeout, Some(Duration::from_secs(5)));
    assert_eq!(connection.tcp_user_timeout, Some(Duration::from_millis(1500)));
    let keepalives = connection.keepalives;
    assert_eq!((keepalives.on, keepalives.idle, keepalives.count), (true, Some(Duration::from_secs(30)), Some(3)));
    let zeros = resolved("connect_timeout=0 keepalives=0 keepalives_idle=0 tcp_user_timeout=-1");
    assert_eq!((zeros.connect_timeout, zeros.tcp_user_timeout), (None, None));
    assert_eq!((zeros.keepalives.on, zeros.keepalives.idle), (false, None));
    assert_eq!(resolved("connect_timeout=-1").connect_timeout, None);
}

#[test]
fn wrong_values_are_refused_by_name() {
    for (conninfo, message) in [
        ("mysql://u:hunter2@h/d", "\"mysql\" is not a scheme"),
        ("jdbc:postgresql://h/d?password=hunter2", "is not a scheme"),
        ("host=a,b hostaddr=1.1.1.1 user=u", "1 addresses for 2 hosts"),
        ("host=a,b,c port=1,2", "2 ports for 3 hosts"),
        ("port=0", "\"0\" is not a port number"),
        ("port=65536", "is not a port number"),
        ("port=-1", "is not a port number"),
        ("port=5432x", "is not a port number"),
        ("hostaddr=localhost", "is not an IP address"),
        ("host=@abstract", "abstract namespace"),
        ("sslmode=verify_full", "did you mean sslmode=verify-full?"),
        ("sslmode=''", "\"\" is not a valid value"),
        ("postgresql://h/d?sslmode=", "\"\" is not a valid value"),
        ("target_session_attrs=read-wrte", "did you mean target_session_attrs=read-write?"),
        ("connect_timeout=5s", "is not a whole number"),
        ("connect_timeout=99999999999999999999", "is not a whole number"),
        ("gssencmode=require", "cannot honour gssencmode=require"),
        ("require_auth=scram-sha-256", "cannot honour require_auth"),
        ("sslcrl=/crl", "cannot honour sslcrl"),
        ("sslpassword=hunter2", "cannot honour sslpassword"),
        ("oauth_client_secret=hunter2", "cannot honour oauth_client_secret"),
        ("sslcertmode=require", "cannot honour sslcertmode=require"),
        ("client_encoding=LATIN1", "client_encoding=UTF8"),
        ("replication=database", "cannot honour replication=database"),
    ] {
        let failure = refused(conninfo);
        assert_eq!(failure.what(), Kind::Usage, "{conninfo}");
        assert!(failure.to_string().contains(message), "{conninfo}: {failure}");
        assert!(!failure.to_string().contains("hunter2"), "{failure}");
    }
    let failure = Home::new(&[("PGREQUIREAUTH", "scram-sha-256")]).resolve("").unwrap_err();
    assert!(failure.to_string().contains("PGREQUIREAUTH"), "{failure}");
    let failure = Home::new(&[("PGPORT", "http")]).resolve("").unwrap_err();
    assert!(failure.to_string().contains("PGPORT: \"http\""), "{failure}");
}

#[test]
fn what_asks_for_nothing_is_accepted() {
    for conninfo in [
        "gssencmode=prefer",
        "gssencmode=disable krbsrvname=postgres gsslib=gssapi gssdelegation=0",
        "client_encoding=UTF8",
        "client_encoding=auto",
        "replication=false",
        "sslcompression=0",
        "min_protocol_version=3.0 max_protocol_version=latest",
        "require_auth=''",
        "sslcertmode=allow",
        "load_balance_hosts=random",
        "fallback_application_name=x",
    ] {
        assert!(Home::new(&[]).resolve(conninfo).is_ok(), "{conninfo}");
    }
}

#[test]
fn start_up_options_are_sent_only_where_someone_gave_some() {
    assert_eq!(resolved("host=a").options, None);
    let home = Home::new(&[("PGTZ", "Europe/Berlin"), ("PGDATESTYLE", "ISO, DMY"), ("PGGEQO", "default")]);
    let options = home.resolve("options='-c work_mem=1MB'").unwrap().options;
    assert_eq!(options.as_deref(), Some("-c work_mem=1MB -c datestyle=ISO,\\ DMY -c timezone=Europe/Berlin"));
}

#[test]
fn children_get_the_same_connection_by_environment() {
    let connection = resolved(
        "host=a,/run/pg hostaddr=10.0.0.1, port=1,2 user=u dbname=d password=pw sslmode=require options='-c a=b'",
    );
    let variables = connection.env_for_children();
    let get = |name: &str| variables.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str());
    for (name, value) in [
        ("PGHOST", Some("a,/run/pg")),
        ("PGHOSTADDR", Some("10.0.0.1,")),
        ("PGPORT", Some("1,2")),
        ("PGUSER", Some("u")),
        ("PGDATABASE", Some("d")),
        ("PGPASSWORD", Some("pw")),
        ("PGSSLMODE", Some("require")),
        ("PGOPTIONS", Some("-c a=b")),
        ("PGTARGETSESSIONATTRS", None),
        ("PGSERVICE", None),
    ] {
        assert_eq!(get(name), value, "{name}");
    }
    // What a child is given resolves to the same connection again.
    let mut again = Connection::resolve(None, &variables.iter().cloned().collect()).unwrap();
    again.notes = connection.notes.clone();
    assert_eq!(again, connection);
    let mut child = std::process::Command::new("true");
    connection.hand_to(&mut child);
    assert!(child.get_envs().any(|(k, v)| k == "PGSERVICE" && v.is_none()));
    assert_eq!(child.get_args().count(), 0);
}

proptest::proptest! {
    #[test]
    fn no_connection_string_panics(text in "\\PC*") {
        let _ = Home::new(&[]).resolve(&text);
    }

    #[test]
    fn no_combination_of_parameters_panics(
        pairs in proptest::collection::vec((proptest::sample::select(KEYWORDS.iter().map(|k| k.name).collect::<Vec<_>>()), "[a-z0-9,/@:. -]{0,12}"), 0..6)
    ) {
        let text = pairs.iter().map(|(k, v)| format!("{k}='{v}'")).collect::<Vec<_>>().join(" ");
        let _ = Home::new(&[]).resolve(&text);
    }
}

//! Puts a [`Connection`] together: connection string > service file > PG* variables > defaults.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::keywords::{self, KEYWORDS, Origin, Settings};
use super::passfile::Passfile;
use super::{Address, Connection, Host, RootCert, SslMode, Tls, service, url};
use crate::config::Secret;
use crate::config::env::Env;
use crate::error::{Failure, Kind, Result};

/// Where servers put their sockets: Debian's and Red Hat's place, then PostgreSQL's own.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

impl Connection {
    /// What psql would connect to: `conninfo` is a `postgresql://` URL, a keyword string
    /// (`host=a,b dbname='x y'`) or a bare database name; what it leaves open comes from the service
    /// file, the PG* variables, the password file and libpq's defaults.
    ///
    /// A mistake is [`Kind::Usage`], one in a service file [`Kind::Invalid`]; no message repeats a
    /// password.
    pub fn resolve(conninfo: Option<&str>, env: &Env) -> Result<Connection> {
        let mut settings = Settings::default();
        read(conninfo.unwrap_or_default(), &mut settings)?;
        let account = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
        let home = env.home().or_else(|| account.as_ref().map(|account| account.dir.clone()));
        service::fill(&mut settings, env, home.as_deref())?;
        for (name, variable) in KEYWORDS.iter().filter_map(|keyword| Some((keyword.name, keyword.env?))) {
            if let Some(value) = env.get(variable) {
                settings.set_default(name, value, Origin::Env(variable))?;
            }
        }
        settings.refuse_what_cannot_be_honoured()?;

        let user = settings.get("user").map(str::to_owned).or_else(|| account.map(|account| account.name));
        let user =
            user.ok_or_else(|| Failure::new(Kind::Usage, "no role to connect as").hint("set user= or PGUSER"))?;
        let passfile = settings.get("passfile").map(PathBuf::from);
        let application_name = settings.get("application_name").or_else(|| settings.get("fallback_application_name"));
        let mut connection = Connection {
            hosts: hosts(&settings)?,
            password: settings.get("password").map(Secret::new),
            dbname: settings.get("dbname").unwrap_or(&user).to_owned(),
            tls: tls(&settings, home.as_deref())?,
            target_session_attrs: settings.target_session_attrs()?,
            connect_timeout: settings.connect_timeout()?,
            application_name: application_name.map(str::to_owned),
            options: options(&settings, env),
            keepalives: settings.keepalives()?,
            tcp_user_timeout: settings.tcp_user_timeout()?,
            channel_binding: settings.channel_binding()?,
            requirepeer: settings.get("requirepeer").map(str::to_owned),
            load_balance: settings.load_balance()?,
            passfile: passfile.or_else(|| home.map(|home| home.join(".pgpass"))),
            notes: Vec::new(),
            user,
        };
        connection.look_up_passwords();
        Ok(connection)
    }

    /// Asks the password file for each host, unless a password was given.
    pub(super) fn look_up_passwords(&mut self) {
        let Some(path) = self.passfile.as_deref().filter(|_| self.password.is_none()) else { return };
        let (passfile, note) = Passfile::read(path);
        self.notes = note.into_iter().collect();
        for host in &mut self.hosts {
            let folder;
            let names = match &host.address {
                Address::Tcp { host, .. } => vec![host.as_str()],
                Address::Unix(path) => {
                    folder = path.to_string_lossy();
                    let standard = SOCKET_FOLDERS.contains(&&*folder);
                    [&*folder].into_iter().chain(standard.then_some("localhost")).collect()
                }
            };
            host.password = passfile.password(&names, host.port, &self.dbname, &self.user);
        }
    }
}

fn read(text: &str, into: &mut Settings) -> Result<()> {
    if let Some(rest) = url::after_scheme(text.trim()) {
        return url::parse(rest, into);
    }
    if let Some((scheme, _)) = text.trim_start().split_once("://").filter(|(scheme, _)| !scheme.contains(['=', ' '])) {
        let shown: String = scheme.chars().take(30).collect();
        return Err(Failure::new(Kind::Usage, format_args!("{shown:?} is not a scheme of a PostgreSQL URL"))
            .hint("write postgresql://user@host:5432/dbname"));
    }
    if text.contains('=') {
        return keywords::parse(text, into);
    }
    if text.trim().is_empty() { Ok(()) } else { into.set("dbname", text.to_owned(), Origin::Conninfo) }
}

/// Pairs up the comma-separated lists of `host`, `hostaddr` and `port`.
fn hosts(settings: &Settings) -> Result<Vec<Host>> {
    let list = |name| settings.get(name).map(|value| value.split(',').collect::<Vec<_>>());
    let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = addresses.as_ref().or(names.as_ref()).map_or(1, Vec::len);
    if let Some(names) = names.as_ref().filter(|names| names.len() != count) {
        return Err(settings.wrong("hostaddr", format_args!("{count} addresses for {} hosts", names.len())));
    }
    if let Some(ports) = ports.as_ref().filter(|ports| ports.len() != 1 && ports.len() != count) {
        return Err(settings
            .wrong("port", format_args!("{} ports for {count} hosts", ports.len()))
            .hint("give one port for all hosts or one for each"));
    }
    let at = |list: &Option<Vec<&str>>, i: usize| {
        list.as_ref()
            .and_then(|list| list.get(i).or(list.first().filter(|_| list.len() == 1)).map(|v| v.trim().to_owned()))
    };
    (0..count)
        .map(|i| {
            let port = match at(&ports, i).filter(|port| !port.is_empty()) {
                None => 5432,
                Some(text) => text.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
                    settings.wrong("port", format_args!("{text:?} is not a port number from 1 to 65535"))
                })?,
            };
            let address = address(settings, at(&names, i), at(&addresses, i), port)?;
            Ok(Host { address, port, password: None })
        })
        .collect()
}

fn address(settings: &Settings, name: Option<String>, hostaddr: Option<String>, port: u16) -> Result<Address> {
    let name = name.filter(|name| !name.is_empty());
    if let Some(text) = hostaddr.filter(|text| !text.is_empty()) {
        let ip: IpAddr =
            text.parse().map_err(|_| settings.wrong("hostaddr", format_args!("{text:?} is not an IP address")))?;
        return Ok(Address::Tcp { host: name.unwrap_or(text), hostaddr: Some(ip) });
    }
    match name {
        None => Ok(Address::Unix(default_socket_folder(port))),
        Some(name) if name.starts_with('/') => Ok(Address::Unix(PathBuf::from(name))),
        Some(name) if name.starts_with('@') => Err(settings
            .wrong("host", "sockets in the abstract namespace are not supported")
            .hint("name the socket's folder")),
        Some(host) => Ok(Address::Tcp { host, hostaddr: None }),
    }
}

/// The folder that has a socket for this port, else the first that exists.
fn default_socket_folder(port: u16) -> PathBuf {
    let folders = SOCKET_FOLDERS.map(PathBuf::from);
    let with_socket = folders.iter().find(|folder| folder.join(format!(".s.PGSQL.{port}")).exists());
    let chosen = with_socket.or_else(|| folders.iter().find(|folder| folder.is_dir()));
    chosen.cloned().unwrap_or_else(|| PathBuf::from("/tmp"))
}

fn tls(settings: &Settings, home: Option<&Path>) -> Result<Tls> {
    let own = |file: &str| home.map(|home| home.join(".postgresql").join(file)).filter(|path| path.exists());
    let root = match settings.get("sslrootcert") {
        Some("system") => RootCert::System,
        Some(file) => RootCert::File(PathBuf::from(file)),
        None => own("root.crt").map_or(RootCert::Absent, RootCert::File),
    };
    let mode = match (settings.sslmode()?, &root) {
        (None, RootCert::System) => SslMode::VerifyFull,
        (Some(mode), RootCert::System) if mode != SslMode::VerifyFull => {
            return Err(settings
                .wrong(
                    "sslmode",
                    "is too weak for sslrootcert=system: anyone can get a certificate from a public authority",
                )
                .hint("use sslmode=verify-full"));
        }
        (mode, _) => mode.unwrap_or(SslMode::Prefer),
    };
    let direct = settings.direct()?;
    if direct && matches!(mode, SslMode::Disable | SslMode::Allow | SslMode::Prefer) {
        return Err(settings
            .wrong("sslmode", "is too weak for sslnegotiation=direct, which cannot fall back to no TLS")
            .hint("use sslmode=require, or better verify-full"));
    }
    let given = |name| settings.get(name).map(PathBuf::from);
    let cert = if settings.offers_certificate()? { given("sslcert").or_else(|| own("postgresql.crt")) } else { None };
    let default_key = || home.map(|home| home.join(".postgresql").join("postgresql.key"));
    let key = cert.as_ref().and_then(|_| given("sslkey").or_else(default_key));
    let (only_tls13, only_tls12) = settings.tls_versions()?;
    Ok(Tls { mode, root, cert, key, direct, sni: settings.sni()?, only_tls13, only_tls12 })
}

/// PGOPTIONS or `options`, and the three settings that libpq takes from variables of their own.
fn options(settings: &Settings, env: &Env) -> Option<String> {
    let mut options: Vec<String> = settings.get("options").map(str::to_owned).into_iter().collect();
    for (variable, setting) in [("PGDATESTYLE", "datestyle"), ("PGTZ", "timezone"), ("PGGEQO", "geqo")] {
        if let Some(value) = env.get(variable).filter(|value| !value.eq_ignore_ascii_case("default")) {
            options.push(format!("-c {setting}={}", value.replace('\\', "\\\\").replace(' ', "\\ ")));
        }
    }
    (!options.is_empty()).then(|| options.join(" "))
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;

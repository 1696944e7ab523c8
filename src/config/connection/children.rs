//! The same connection for a child process that uses libpq: psql, pg_dump, pg_basebackup.

use std::process::Command;

use super::keywords::KEYWORDS;
use super::{Address, ChannelBinding, Connection, RootCert, SslMode, TargetSessionAttrs};

impl Connection {
    /// The PG* variables that make a libpq program connect as this does, password included: hand
    /// them over as environment, never as arguments. See [`Connection::hand_to`], which also removes
    /// what would override them.
    pub fn env_for_children(&self) -> Vec<(String, String)> {
        let mut variables = Vec::new();
        let mut put = |name: &str, value: String| {
            if !value.is_empty() {
                variables.push((name.to_owned(), value));
            }
        };
        let each = |f: fn(&super::Host) -> String| self.hosts.iter().map(f).collect::<Vec<_>>().join(",");
        put(
            "PGHOST",
            each(|host| match &host.address {
                Address::Tcp { host, .. } => host.clone(),
                Address::Unix(folder) => folder.to_string_lossy().into_owned(),
            }),
        );
        let numeric = |host: &super::Host| matches!(host.address, Address::Tcp { hostaddr: Some(_), .. });
        if self.hosts.iter().any(numeric) {
            put(
                "PGHOSTADDR",
                each(|host| match host.address {
                    Address::Tcp { hostaddr: Some(ip), .. } => ip.to_string(),
                    _ => String::new(),
                }),
            );
        }
        put("PGPORT", each(|host| host.port.to_string()));
        put("PGUSER", self.user.clone());
        put("PGDATABASE", self.dbname.clone());
        put("PGPASSWORD", self.password.as_ref().map(|p| p.reveal().to_owned()).unwrap_or_default());
        let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
        put("PGPASSFILE", self.passfile.as_deref().map(path).unwrap_or_default());
        put("PGSSLMODE", self.tls.mode.word().to_owned());
        match &self.tls.root {
            RootCert::Absent => {}
            RootCert::System => put("PGSSLROOTCERT", "system".to_owned()),
            RootCert::File(file) => put("PGSSLROOTCERT", path(file)),
        }
        put("PGSSLCERT", self.tls.cert.as_deref().map(path).unwrap_or_default());
        put("PGSSLKEY", self.tls.key.as_deref().map(path).unwrap_or_default());
        let unless = |usual: bool, word: &str| if usual { String::new() } else { word.to_owned() };
        put("PGSSLCERTMODE", unless(self.tls.cert.is_some(), "disable"));
        put("PGSSLNEGOTIATION", unless(!self.tls.direct, "direct"));
        put("PGSSLSNI", unless(self.tls.sni, "0"));
        put("PGSSLMINPROTOCOLVERSION", unless(!self.tls.only_tls13, "TLSv1.3"));
        put("PGSSLMAXPROTOCOLVERSION", unless(!self.tls.only_tls12, "TLSv1.2"));
        put("PGCONNECT_TIMEOUT", self.connect_timeout.map(|t| t.as_secs().max(1).to_string()).unwrap_or_default());
        let attrs = self.target_session_attrs;
        put("PGTARGETSESSIONATTRS", unless(attrs == TargetSessionAttrs::Any, attrs.word()));
        put("PGCHANNELBINDING", self.channel_binding.word().to_owned());
        put("PGREQUIREPEER", self.requirepeer.clone().unwrap_or_default());
        put("PGLOADBALANCEHOSTS", unless(!self.load_balance, "random"));
        put("PGAPPNAME", self.application_name.clone().unwrap_or_default());
        put("PGOPTIONS", self.options.clone().unwrap_or_default());
        variables
    }

    /// Makes a child process that uses libpq connect as this does, whatever the environment of this
    /// process says: PGSERVICE and the like are removed first.
    pub fn hand_to<'a>(&self, child: &'a mut Command) -> &'a mut Command {
        for variable in KEYWORDS.iter().filter_map(|keyword| keyword.env) {
            child.env_remove(variable);
        }
        child.envs(self.env_for_children())
    }
}

impl SslMode {
    /// libpq's spelling.
    pub fn word(self) -> &'static str {
        match self {
            SslMode::Disable => "disable",
            SslMode::Allow => "allow",
            SslMode::Prefer => "prefer",
            SslMode::Require => "require",
            SslMode::VerifyCa => "verify-ca",
            SslMode::VerifyFull => "verify-full",
        }
    }
}

impl TargetSessionAttrs {
    /// libpq's spelling.
    pub fn word(self) -> &'static str {
        match self {
            TargetSessionAttrs::Any => "any",
            TargetSessionAttrs::ReadWrite => "read-write",
            TargetSessionAttrs::ReadOnly => "read-only",
            TargetSessionAttrs::Primary => "primary",
            TargetSessionAttrs::Standby => "standby",
            TargetSessionAttrs::PreferStandby => "prefer-standby",
        }
    }
}

impl ChannelBinding {
    /// libpq's spelling.
    pub fn word(self) -> &'static str {
        match self {
            ChannelBinding::Disable => "disable",
            ChannelBinding::Prefer => "prefer",
            ChannelBinding::Require => "require",
        }
    }
}

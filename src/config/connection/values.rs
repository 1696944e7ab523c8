//! What the values of connection parameters mean, and which valid ones dbctl cannot honour: those
//! are refused by name, never ignored.

use std::time::Duration;

use super::keywords::Settings;
use super::{ChannelBinding, Keepalives, SslMode, TargetSessionAttrs};
use crate::error::{Failure, Result};

impl Settings {
    /// The meaning of a value out of a list of words; an empty value is a mistake, as in libpq.
    fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>> {
        let Some(given) = self.given(name) else { return Ok(None) };
        let chosen = choices.iter().find(|(word, _)| *word == given).map(|(_, meaning)| *meaning);
        chosen.map(Some).ok_or_else(|| {
            let words = choices.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            let failure =
                self.wrong(name, format_args!("{given:?} is not a valid value")).hint(format_args!("valid: {words}"));
            let near = choices.iter().map(|(word, _)| (strsim::damerau_levenshtein(given, word), *word)).min();
            match near.filter(|(distance, _)| *distance <= 2 && !given.is_empty()) {
                Some((_, near)) => failure.hint(format_args!("did you mean {name}={near}?")),
                None => failure,
            }
        })
    }

    /// A whole number; empty counts as not given.
    fn number(&self, name: &str) -> Result<Option<i32>> {
        let Some(given) = self.get(name) else { return Ok(None) };
        let number = given.trim().parse();
        number.map(Some).map_err(|_| self.wrong(name, format_args!("{given:?} is not a whole number")))
    }

    fn seconds(&self, name: &str) -> Result<Option<Duration>> {
        Ok(self.number(name)?.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0).map(Duration::from_secs))
    }

    pub fn sslmode(&self) -> Result<Option<SslMode>> {
        self.choice(
            "sslmode",
            &[
                ("disable", SslMode::Disable),
                ("allow", SslMode::Allow),
                ("prefer", SslMode::Prefer),
                ("require", SslMode::Require),
                ("verify-ca", SslMode::VerifyCa),
                ("verify-full", SslMode::VerifyFull),
            ],
        )
    }

    pub fn target_session_attrs(&self) -> Result<TargetSessionAttrs> {
        let choices = [
            ("any", TargetSessionAttrs::Any),
            ("read-write", TargetSessionAttrs::ReadWrite),
            ("read-only", TargetSessionAttrs::ReadOnly),
            ("primary", TargetSessionAttrs::Primary),
            ("standby", TargetSessionAttrs::Standby),
            ("prefer-standby", TargetSessionAttrs::PreferStandby),
        ];
        Ok(self.choice("target_session_attrs", &choices)?.unwrap_or(TargetSessionAttrs::Any))
    }

    pub fn channel_binding(&self) -> Result<ChannelBinding> {
        let choices = [
            ("disable", ChannelBinding::Disable),
            ("prefer", ChannelBinding::Prefer),
            ("require", ChannelBinding::Require),
        ];
        Ok(self.choice("channel_binding", &choices)?.unwrap_or(ChannelBinding::Prefer))
    }

    pub fn direct(&self) -> Result<bool> {
        Ok(self.choice("sslnegotiation", &[("postgres", false), ("direct", true)])?.unwrap_or(false))
    }

    pub fn sni(&self) -> Result<bool> {
        Ok(self.choice("sslsni", &[("1", true), ("0", false), ("", true)])?.unwrap_or(true))
    }

    pub fn load_balance(&self) -> Result<bool> {
        Ok(self.choice("load_balance_hosts", &[("disable", false), ("random", true)])?.unwrap_or(false))
    }

    /// False where `sslcertmode=disable` keeps the client certificate back.
    pub fn offers_certificate(&self) -> Result<bool> {
        let chosen =
            self.choice("sslcertmode", &[("disable", Some(false)), ("allow", Some(true)), ("require", None)])?;
        chosen.unwrap_or(Some(true)).ok_or_else(|| self.cannot("sslcertmode", "require"))
    }

    /// Whether only TLS 1.3 and whether only TLS 1.2 may be spoken.
    pub fn tls_versions(&self) -> Result<(bool, bool)> {
        let versions = [("TLSv1", 10), ("TLSv1.1", 11), ("TLSv1.2", 12), ("TLSv1.3", 13)];
        let lowest = self.choice("ssl_min_protocol_version", &versions)?.unwrap_or(12);
        let highest = self.choice("ssl_max_protocol_version", &[&versions[..], &[("", 13)]].concat())?.unwrap_or(13);
        if highest < 12 {
            return Err(self.cannot("ssl_max_protocol_version", "versions before TLSv1.2"));
        }
        if lowest > highest {
            return Err(self.wrong("ssl_min_protocol_version", "is above ssl_max_protocol_version"));
        }
        Ok((lowest == 13, highest == 12))
    }

    /// None waits for ever, which is what zero and negative numbers mean too.
    pub fn connect_timeout(&self) -> Result<Option<Duration>> {
        self.seconds("connect_timeout")
    }

    pub fn keepalives(&self) -> Result<Keepalives> {
        Ok(Keepalives {
            on: self.number("keepalives")?.is_none_or(|n| n != 0),
            idle: self.seconds("keepalives_idle")?,
            interval: self.seconds("keepalives_interval")?,
            count: self.number("keepalives_count")?.and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0),
        })
    }

    pub fn tcp_user_timeout(&self) -> Result<Option<Duration>> {
        let milliseconds = self.number("tcp_user_timeout")?.and_then(|n| u64::try_from(n).ok());
        Ok(milliseconds.filter(|n| *n > 0).map(Duration::from_millis))
    }

    /// Refuses what libpq knows and dbctl cannot do; a value that asks for nothing passes.
    pub fn refuse_what_cannot_be_honoured(&self) -> Result<()> {
        // What may stand there because it asks for nothing; everything else is refused.
        let harmless: &[(&str, &[&str])] = &[
            ("gssencmode", &["disable", "prefer"]),
            ("client_encoding", &["auto", "utf8", "utf-8", "unicode"]),
            ("replication", &["false", "off", "no", "0"]),
            ("min_protocol_version", &["3.0"]),
            ("require_auth", &[]),
            ("sslcrl", &[]),
            ("sslcrldir", &[]),
            ("sslpassword", &[]),
            ("sslkeylogfile", &[]),
            ("scram_client_key", &[]),
            ("scram_server_key", &[]),
            ("oauth_client_id", &[]),
            ("oauth_client_secret", &[]),
            ("oauth_issuer", &[]),
            ("oauth_scope", &[]),
        ];
        for (name, harmless) in harmless {
            if let Some(given) = self.get(name)
                && !harmless.contains(&given.to_ascii_lowercase().as_str())
            {
                // Values are shown only where they are one of a few words, never keys or passwords.
                let shown = if harmless.is_empty() { "" } else { given };
                return Err(self.cannot(name, shown));
            }
        }
        Ok(())
    }

    fn cannot(&self, name: &str, value: &str) -> Failure {
        let equals = if value.is_empty() { "" } else { "=" };
        let failure = self.wrong(name, format_args!("dbctl cannot honour {name}{equals}{value}"));
        match name {
            "gssencmode" | "require_auth" => failure.hint("ask for TLS instead: sslmode=verify-full"),
            "client_encoding" => failure.hint("dbctl speaks UTF-8 only: client_encoding=UTF8"),
            "sslpassword" => failure.hint("decrypt the key: openssl pkey -in KEY -out NEWKEY, then chmod 600 NEWKEY"),
            _ => failure.hint(format_args!("leave {name} out")),
        }
    }
}

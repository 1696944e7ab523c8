//! Where a scratch database is made, and what of the target it takes after: version, encoding,
//! locale, the search_path.

use crate::config::connection::Connection;
use crate::error::{Failure, Kind, Result};
use crate::ident::{Ident, Literal};
use crate::pg::{Query, Server, ServerError, Session};

/// Where a scratch database is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On the target's own server, beside the target. Needs CREATEDB.
    SameServer(Connection),
    /// On another server, by a database there that may be connected to. Needs CREATEDB there.
    Url(Connection),
    /// On a private server that is started for it and ends with it.
    Sandbox,
}

/// What a scratch database takes after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Like {
    /// The database's name.
    pub name: String,
    /// The server's major version.
    pub major: u32,
    /// The session's search_path, as the server spells it.
    pub search_path: String,
    /// The role by which it was made: on a private server the scratch database is made by one of that name, so
    /// that owners and rights are called as they are there.
    pub role: String,
    /// Encoding and locale.
    pub locale: Locale,
    /// Which server it is on; none where that could not be told.
    pub(super) server: Option<Identity>,
}

/// A database's encoding and locale, and whether its role may make another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locale {
    pub(super) encoding: String,
    lc_collate: String,
    lc_ctype: String,
    /// `c`, `i` (ICU) or `b` (builtin).
    provider: String,
    locale: Option<String>,
    icu_rules: Option<String>,
    pub(super) may_create: bool,
    pub(super) role: String,
    pub(super) now: i64,
}

impl Like {
    /// Reads it off the target. Writes nothing.
    ///
    /// # Errors
    /// The server's.
    pub async fn read(session: &Session, server: &Server) -> Result<Like> {
        Ok(Like {
            name: server.database.clone(),
            major: server.major,
            search_path: server.search_path.clone(),
            role: server.role.clone(),
            locale: Locale::of_server(session).await?,
            server: identity(session).await.ok(),
        })
    }
}

impl Like {
    /// Whether a session is on the target's server, or may be: a standby's primary is the same cluster.
    pub(super) async fn is_on(&self, session: &Session) -> bool {
        let (Ok(here), Some(there)) = (identity(session).await, self.server) else { return true };
        here.started == there.started || here.system == there.system
    }
}

/// Which database of which server a session is in, whatever address led to it. A restored copy has the
/// system identifier and the OIDs of its original, but not the microsecond of its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    started: i64,
    system: i64,
    database: i64,
}

impl Identity {
    /// Whether both are the very same database, not a copy.
    pub fn is(&self, other: &Identity) -> bool {
        self.started == other.started && self.database == other.database
    }
}

/// Asks for it.
///
/// # Errors
/// The server's.
pub async fn identity(session: &Session) -> Result<Identity> {
    let doing = "cannot tell which server this is";
    let rows = session.rows(&Query::SERVER_IDENTITY, &[]).await.map_err(|e| e.explain(doing))?;
    let row = rows.first().ok_or_else(|| Failure::new(Kind::Failed, doing))?;
    Ok(Identity {
        started: row.try_get("started")?,
        system: row.try_get("system")?,
        database: row.try_get("database")?,
    })
}

impl Locale {
    pub(super) async fn of_server(session: &Session) -> Result<Locale> {
        let doing = "cannot see which locale the database has";
        let rows = session.rows(&Query::SCRATCH_LIKE, &[]).await.map_err(|e| e.explain(doing))?;
        let row = rows.first().ok_or_else(|| Failure::new(Kind::Failed, doing))?;
        Ok(Locale {
            encoding: row.try_get("encoding")?,
            lc_collate: row.try_get("lc_collate")?,
            lc_ctype: row.try_get("lc_ctype")?,
            provider: row.try_get("provider")?,
            locale: row.try_get("locale")?,
            icu_rules: row.try_get("icu_rules")?,
            may_create: row.try_get("may_create")?,
            role: row.try_get("role")?,
            now: row.try_get("now")?,
        })
    }

    /// What every server has.
    pub(super) fn plain(encoding: &str) -> Locale {
        Locale {
            encoding: encoding.to_owned(),
            lc_collate: "C".to_owned(),
            lc_ctype: "C".to_owned(),
            provider: "c".to_owned(),
            locale: None,
            icu_rules: None,
            may_create: true,
            role: String::new(),
            now: 0,
        }
    }

    /// The CREATE DATABASE. From template0, whose contents are the same everywhere.
    pub(super) fn create(&self, name: &str, connection_limit: Option<i32>) -> String {
        let mut sql = format!(
            "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}",
            Ident::new(name),
            Literal(&self.encoding),
            Literal(&self.lc_collate),
            Literal(&self.lc_ctype)
        );
        let locale = self.locale.as_deref().unwrap_or_default();
        match self.provider.as_str() {
            "i" => sql.push_str(&format!(" LOCALE_PROVIDER icu ICU_LOCALE {}", Literal(locale))),
            "b" => sql.push_str(&format!(" LOCALE_PROVIDER builtin BUILTIN_LOCALE {}", Literal(locale))),
            _ => {}
        }
        if let Some(rules) = &self.icu_rules {
            sql.push_str(&format!(" ICU_RULES {}", Literal(rules)));
        }
        if let Some(limit) = connection_limit {
            sql.push_str(&format!(" CONNECTION LIMIT {limit}"));
        }
        sql
    }

    /// Whether CREATE DATABASE failed at a locale, provider or option that this server does not have.
    pub(super) fn is_unknown(error: &ServerError) -> bool {
        matches!(error.code(), Some("42809" | "22023" | "0A000" | "42601" | "22P05"))
    }

    /// What a person should know where another locale was taken.
    pub(super) fn missed(&self, taken: &Locale) -> String {
        format!(
            "the scratch server has no locale {} ({}): the scratch database has {}, so sorting may differ",
            self.locale.as_deref().unwrap_or(&self.lc_collate),
            match self.provider.as_str() {
                "i" => "ICU",
                "b" => "builtin",
                _ => "libc",
            },
            taken.lc_collate
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn create_database_names_what_the_provider_needs() {
        let plain = Locale::plain("UTF8");
        insta::assert_snapshot!(plain.create("s", Some(7)), @"CREATE DATABASE s TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' CONNECTION LIMIT 7");
        let icu = Locale { provider: "i".into(), locale: Some("de-DE".into()), ..plain };
        insta::assert_snapshot!(icu.create("S x", None), @r#"CREATE DATABASE "S x" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'"#);
    }
}

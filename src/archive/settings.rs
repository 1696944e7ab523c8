//! Settings under which a value has one text, whoever asks. Put back afterwards: the transaction may
//! be somebody's who goes on.

use crate::error::Result;
use crate::ident::Literal;
use crate::pg::Session;

/// By which values become text, and by which text becomes values.
const TEXT: &[(&str, &str)] = &[
    ("bytea_output", "hex"),
    ("DateStyle", "ISO, YMD"),
    ("extra_float_digits", "1"),
    ("IntervalStyle", "postgres"),
    ("lc_monetary", "C"),
    ("TimeZone", "UTC"),
    ("xmloption", "content"),
];
/// When whole tables are read. Row security would leave rows out in silence: off, it is an error.
const READING: &[(&str, &str)] = &[("row_security", "off"), ("search_path", "pg_catalog"), ("statement_timeout", "0")];
/// When they are written. Names in checks are found by the path of whoever restores.
const WRITING: &[(&str, &str)] = &[("array_nulls", "on"), ("statement_timeout", "0")];

/// No transaction is too long, and no session waits too long, in whatever major: those that it does not know are left
/// out. A superuser's work fires no event trigger.
pub const UNLIMITED: &str = "SET statement_timeout = 0; SET default_transaction_read_only = off; SELECT pg_catalog.set_config(name, CASE name WHEN 'event_triggers' THEN 'off' ELSE '0' END, false) \
     FROM pg_catalog.pg_settings \
     WHERE name IN ('transaction_timeout', 'idle_session_timeout') \
        OR name = 'event_triggers' AND pg_catalog.current_setting('is_superuser')::BOOL";

/// For reading, as one message of `SET LOCAL`, in a transaction that ends soon.
pub fn for_reading() -> String {
    [TEXT, READING].concat().iter().map(|(name, value)| format!("SET LOCAL {name} = {}; ", Literal(value))).collect()
}

/// What was in force before.
pub struct Before(Vec<(&'static str, String)>);

/// Pins what reading needs.
pub async fn pin_for_reading(session: &Session) -> Result<Before> {
    pin(session, READING).await
}

/// Pins what writing needs.
pub async fn pin_for_writing(session: &Session) -> Result<Before> {
    pin(session, WRITING).await
}

async fn pin(session: &Session, further: &'static [(&'static str, &'static str)]) -> Result<Before> {
    let settings: Vec<(&'static str, &str)> = TEXT.iter().chain(further).copied().collect();
    let asked: Vec<String> =
        settings.iter().map(|(name, _)| format!("pg_catalog.current_setting({})", Literal(name))).collect();
    let doing = "cannot read the session's settings";
    let rows = session.rows_of(&format!("SELECT {}", asked.join(", "))).await.map_err(|e| e.explain(doing))?;
    let mut before = Vec::new();
    for row in &rows {
        for (index, (name, _)) in settings.iter().enumerate() {
            before.push((*name, row.try_get(index)?));
        }
    }
    set(session, settings.iter().map(|(name, value)| (*name, *value))).await?;
    Ok(Before(before))
}

impl Before {
    /// Puts them back. After an error there is nothing to put back: the transaction has ended.
    pub async fn put_back(self, session: &Session) -> Result<()> {
        set(session, self.0.iter().map(|(name, value)| (*name, value.as_str()))).await
    }
}

async fn set<'a>(session: &Session, settings: impl Iterator<Item = (&'static str, &'a str)>) -> Result<()> {
    let calls: Vec<String> = settings
        .map(|(name, value)| format!("pg_catalog.set_config({}, {}, true)", Literal(name), Literal(value)))
        .collect();
    let sql = format!("SELECT {}", calls.join(", "));
    session.rows_of(&sql).await.map(drop).map_err(|e| e.explain("cannot set the session's settings"))
}

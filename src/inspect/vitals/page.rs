//! The page of vital signs: its sections, and the document. Pure.

use super::read::Part;
use super::readings::{Autovacuum, Cache, Checkpoints, Database, OldTable, Sequence, Server, Vacuum, percent};
use crate::inspect::activity::Holder;
use crate::output::{Column, Document, Table, Value};

/// Rows of a list that a person is shown; programs get all.
const SHOWN: usize = 5;
/// A sequence that has used less is not listed.
const USED: f64 = 50.0;
/// Transaction numbers wrap around here.
const WRAP: i64 = 1 << 31;

/// A part of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Cache hits.
    Cache,
    /// Age of transaction numbers.
    Wraparound,
    /// Sequences and the integer keys that they fill.
    Sequences,
    /// Deadlocks, temporary files, rollbacks.
    Counters,
    /// Checkpoints.
    Checkpoints,
    /// What autovacuum has to do, and does.
    Autovacuum,
    /// Who keeps old row versions.
    Horizon,
}

impl Section {
    /// All of them, in the page's order.
    pub const ALL: [Section; 7] = [
        Section::Cache,
        Section::Wraparound,
        Section::Sequences,
        Section::Counters,
        Section::Checkpoints,
        Section::Autovacuum,
        Section::Horizon,
    ];
    /// Their spellings.
    pub const NAMES: [&'static str; 7] =
        ["cache", "wraparound", "sequences", "counters", "checkpoints", "autovacuum", "horizon"];

    /// The spelling.
    pub fn name(self) -> &'static str {
        match self {
            Section::Cache => "cache",
            Section::Wraparound => "wraparound",
            Section::Sequences => "sequences",
            Section::Counters => "counters",
            Section::Checkpoints => "checkpoints",
            Section::Autovacuum => "autovacuum",
            Section::Horizon => "horizon",
        }
    }
}

/// What was read for the page; a part that was not asked for is none.
pub struct Vitals {
    pub(super) server: Part<Server>,
    pub(super) databases: Option<Part<Vec<Database>>>,
    pub(super) cache: Option<Part<Cache>>,
    pub(super) oldest: Option<Part<Vec<OldTable>>>,
    pub(super) sequences: Option<Part<Vec<Sequence>>>,
    pub(super) counters: bool,
    pub(super) wraparound: bool,
    pub(super) checkpoints: Option<Part<Checkpoints>>,
    pub(super) queue: Option<Part<Vec<Autovacuum>>>,
    pub(super) vacuums: Option<Part<Vec<Vacuum>>>,
    pub(super) horizon: Option<Part<Vec<Holder>>>,
}

/// The signs, a row each, and why some are not known.
struct Page {
    signs: Table,
    notes: Vec<String>,
}

impl Page {
    fn sign(&mut self, section: Section, sign: &str, shown: String, value: f64, unit: &str, of: String) {
        self.signs.push(vec![
            section.name().into(),
            sign.into(),
            shown.into(),
            Value::Float(value),
            unit.into(),
            of.into(),
        ]);
    }

    fn nothing(&mut self, section: Section, sign: &str, unit: &str, why: &str) {
        self.signs.push(vec![section.name().into(), sign.into(), "-".into(), Value::None, unit.into(), why.into()]);
    }

    fn unknown(&mut self, section: Section, sign: &str, why: &str) {
        let row = vec![section.name().into(), sign.into(), Value::Unknown, Value::Unknown, Value::None, why.into()];
        self.signs.push(row);
    }

    /// The part, where it is known; told as UNKNOWN where not.
    fn known<'a, T>(&mut self, section: Section, sign: &str, part: &'a Part<T>) -> Option<&'a T> {
        match part {
            Ok(seen) => Some(seen),
            Err(why) => {
                self.unknown(section, sign, why);
                None
            }
        }
    }
}

/// The document.
pub fn view(vitals: &Vitals) -> Document {
    let columns = vec![
        Column::machine("section"),
        Column::new("sign", "sign"),
        Column::new("shown", "now"),
        Column::machine("value"),
        Column::machine("unit"),
        Column::new("of", "in detail"),
    ];
    let mut page = Page { signs: Table::new("signs", "No section was asked for.", columns), notes: Vec::new() };
    let mut tables = Vec::new();
    if let Some(part) = &vitals.cache {
        cache(&mut page, part);
    }
    if vitals.wraparound
        && let (Some(databases), Some(oldest)) = (&vitals.databases, &vitals.oldest)
    {
        tables.extend(wraparound(&mut page, &vitals.server, databases, oldest));
    }
    if let Some(part) = &vitals.sequences {
        tables.push(sequences(&mut page, part));
    }
    if vitals.counters
        && let Some(part) = &vitals.databases
    {
        counters(&mut page, part);
    }
    if let Some(part) = &vitals.checkpoints {
        checkpoints(&mut page, part);
    }
    if let (Some(queue), Some(vacuums)) = (&vitals.queue, &vitals.vacuums) {
        tables.extend(autovacuum(&mut page, &vitals.server, queue, vacuums));
    }
    if let Some(part) = &vitals.horizon {
        horizon(&mut page, part);
    }
    let mut document = Document::new("health", 1);
    match &vitals.server {
        Ok(server) => {
            document = document
                .fact("database", "database", server.database.as_str())
                .fact("standby", "standby", server.standby)
                .fact("uptime_seconds", "up since", Value::Seconds(server.uptime_seconds));
        }
        Err(why) => page.notes.push(format!("the server's settings are UNKNOWN: {why}")),
    }
    document = document.table(page.signs);
    document.notes = page.notes;
    tables.into_iter().fold(document, Document::table)
}

fn since(seconds: Option<f64>) -> String {
    match seconds {
        Some(seconds) => format!("in {}", span(seconds)),
        None => "since the server was made".to_owned(),
    }
}

/// Roughly how long.
fn span(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3_600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}

fn cache(page: &mut Page, part: &Part<Cache>) {
    let Some(cache) = page.known(Section::Cache, "cache hits", part) else { return };
    for (sign, hit, read) in [
        ("cache hits, tables", cache.tables_hit, cache.tables_read),
        ("cache hits, indexes", cache.indexes_hit, cache.indexes_read),
    ] {
        match percent(hit, hit + read) {
            Some(share) => {
                let of = format!("of {} blocks {}", hit + read, since(cache.stats_seconds));
                page.sign(Section::Cache, sign, format!("{share:.1} %"), share, "percent", of);
            }
            None => page.nothing(Section::Cache, sign, "percent", "nothing was read yet"),
        }
    }
}

fn wraparound(
    page: &mut Page,
    server: &Part<Server>,
    databases: &Part<Vec<Database>>,
    oldest: &Part<Vec<OldTable>>,
) -> Vec<Table> {
    let section = Section::Wraparound;
    let columns = vec![
        Column::new("database", "database"),
        Column::new("xid_age", "xid age"),
        Column::new("mxid_age", "mxid age"),
    ];
    let mut table = Table::new("databases", "The age of databases is UNKNOWN.", columns);
    if let Some(databases) = page.known(section, "transaction numbers", databases) {
        type Age = fn(&Database) -> Option<i64>;
        type Limit = fn(&Server) -> i64;
        let ages: [(&str, Age, Limit); 2] = [
            ("oldest xid", |d| d.xid_age, |s| s.xid_freeze_max_age),
            ("oldest mxid", |d| d.mxid_age, |s| s.mxid_freeze_max_age),
        ];
        for (sign, age, limit) in ages {
            let Some((age, database)) = databases.iter().filter_map(|d| Some((age(d)?, &d.database))).max() else {
                continue;
            };
            let share = percent(age, WRAP).unwrap_or_default();
            let freeze = server.as_ref().ok().and_then(|server| percent(age, limit(server)));
            let freeze = freeze.map_or("UNKNOWN".to_owned(), |share| format!("{share:.0} %"));
            let of = format!("{age} in {database}; {freeze} of its freeze_max_age");
            page.sign(section, sign, format!("{share:.1} % of 2^31"), share, "percent", of);
        }
        for d in databases.iter().filter(|d| d.xid_age.is_some()).take(SHOWN) {
            table.push(vec![d.database.as_str().into(), d.xid_age.into(), d.mxid_age.into()]);
        }
    }
    let columns = vec![
        Column::new("relation", "oldest tables here"),
        Column::new("xid_age", "xid age"),
        Column::new("mxid_age", "mxid age"),
        Column::new("bytes", "size"),
        Column::machine("remedy"),
    ];
    let empty = if oldest.is_ok() { "No table." } else { "The age of tables is UNKNOWN." };
    let mut tables = Table::new("tables", empty, columns);
    match oldest {
        Ok(oldest) => {
            for t in oldest.iter().take(SHOWN) {
                tables.push(vec![
                    t.relation.as_str().into(),
                    t.xid_age.into(),
                    t.mxid_age.into(),
                    size(t.bytes),
                    t.remedy.as_str().into(),
                ]);
            }
        }
        Err(why) => page.notes.push(format!("the age of tables is UNKNOWN: {why}")),
    }
    vec![table, tables]
}

fn sequences(page: &mut Page, part: &Part<Vec<Sequence>>) -> Table {
    let section = Section::Sequences;
    let columns = vec![
        Column::new("sequence", "sequence"),
        Column::new("fills", "fills"),
        Column::new("used_percent", "used %"),
        Column::new("last", "last"),
        Column::new("most", "most"),
        Column::machine("cycles"),
    ];
    let empty = if part.is_ok() { "No sequence has used half of its numbers." } else { "Sequences are UNKNOWN." };
    let mut table = Table::new("sequences", empty, columns);
    let Some(all) = page.known(section, "fullest sequence", part) else { return table };
    match all.iter().filter(|s| !s.cycles).find_map(|s| Some((s, s.used_percent?))) {
        Some((s, used)) => {
            let of = match &s.fills {
                Some(fills) => format!("{}, which fills {fills}", s.sequence),
                None => s.sequence.clone(),
            };
            page.sign(section, "fullest sequence", format!("{used:.1} %"), used, "percent", of);
        }
        None if all.is_empty() => page.nothing(section, "fullest sequence", "percent", "there is none"),
        None => page.unknown(section, "fullest sequence", "no sequence can be read"),
    }
    for s in all.iter().filter(|s| s.used_percent.is_some_and(|used| used >= USED)) {
        table.push(vec![
            s.sequence.as_str().into(),
            s.fills.clone().into(),
            s.used_percent.map_or(Value::Unknown, |used| Value::Float((used * 100.0).round() / 100.0)),
            s.last.into(),
            s.most.into(),
            s.cycles.into(),
        ]);
    }
    let hidden = all.iter().filter(|s| !s.readable).count();
    if hidden > 0 {
        page.notes.push(format!(
            "{} UNKNOWN: locked by somebody, or for want of GRANT SELECT ON ALL SEQUENCES IN SCHEMA … TO this role",
            if hidden == 1 { "1 sequence is".to_owned() } else { format!("{hidden} sequences are") }
        ));
    }
    table
}

fn counters(page: &mut Page, part: &Part<Vec<Database>>) {
    let section = Section::Counters;
    let Some(all) = page.known(section, "deadlocks, temporary files, rollbacks", part) else { return };
    let Some(d) = all.iter().find(|d| d.here) else { return };
    let since = since(d.stats_seconds);
    #[expect(clippy::cast_precision_loss, reason = "counters")]
    let number = |count: i64| count as f64;
    page.sign(section, "deadlocks", d.deadlocks.to_string(), number(d.deadlocks), "count", since.clone());
    let megabytes = number(d.temp_bytes) / 1_048_576.0;
    let of = format!("{megabytes:.0} MB {since}");
    page.sign(section, "temporary files", d.temp_files.to_string(), number(d.temp_files), "count", of);
    match percent(d.rollbacks, d.commits + d.rollbacks) {
        Some(share) => {
            let of = format!("of {} transactions {since}", d.commits + d.rollbacks);
            page.sign(section, "rollbacks", format!("{share:.1} %"), share, "percent", of);
        }
        None => page.nothing(section, "rollbacks", "percent", "there was no transaction"),
    }
}

fn checkpoints(page: &mut Page, part: &Part<Checkpoints>) {
    let section = Section::Checkpoints;
    let Some(c) = page.known(section, "requested checkpoints", part) else { return };
    let (timed, requested) = (c.timed.unwrap_or_default(), c.requested.unwrap_or_default());
    match percent(requested, timed + requested) {
        Some(share) => {
            let of = format!("{requested} of {} {}", timed + requested, since(c.stats_seconds));
            page.sign(section, "requested checkpoints", format!("{share:.0} %"), share, "percent", of);
        }
        None => page.nothing(section, "requested checkpoints", "percent", "there was none yet"),
    }
}

fn autovacuum(
    page: &mut Page,
    server: &Part<Server>,
    queue: &Part<Vec<Autovacuum>>,
    vacuums: &Part<Vec<Vacuum>>,
) -> Vec<Table> {
    let section = Section::Autovacuum;
    let columns = vec![
        Column::new("relation", "table"),
        Column::new("waits_for", "waits for"),
        Column::new("overdue_ratio", "x threshold"),
        Column::new("dead", "dead rows"),
        Column::machine("inserted"),
        Column::machine("modified"),
        Column::new("enabled", "autovacuum"),
        Column::machine("never_analyzed"),
        Column::machine("vacuumed_seconds"),
        Column::machine("analyzed_seconds"),
        Column::machine("bytes"),
        Column::machine("remedy"),
    ];
    let empty = if queue.is_ok() { "No table waits for autovacuum." } else { "The queue is UNKNOWN." };
    let mut waiting = Table::new("queue", empty, columns);
    if let Some(queue) = page.known(section, "autovacuum queue", queue) {
        let over = queue.iter().filter(|t| t.enabled && t.overdue() > 1.0).count();
        let off = queue.iter().filter(|t| !t.enabled).count();
        let mut of = format!("tables over their threshold, {off} with autovacuum switched off");
        if server.as_ref().is_ok_and(|server| !server.autovacuum) {
            of.push_str("; autovacuum is off for the whole server");
        }
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        page.sign(section, "autovacuum queue", over.to_string(), over as f64, "count", of);
        for t in queue.iter().take(2 * SHOWN) {
            let seconds = |seconds: Option<f64>| seconds.map_or(Value::None, Value::Seconds);
            waiting.push(vec![
                t.relation.as_str().into(),
                if t.never_analyzed { "analyze, never had" } else { t.waits_for() }.into(),
                Value::Float((t.overdue() * 10.0).round() / 10.0),
                t.dead.into(),
                t.inserted.into(),
                t.modified.into(),
                if t.enabled { "on" } else { "OFF" }.into(),
                t.never_analyzed.into(),
                seconds(t.vacuumed_seconds),
                seconds(t.analyzed_seconds),
                size(t.bytes),
                t.remedy().into(),
            ]);
        }
        if queue.len() > 2 * SHOWN {
            page.notes.push(format!("of {} tables in the queue the {} worst are listed", queue.len(), 2 * SHOWN));
        }
    }
    let columns = vec![
        Column::new("pid", "pid"),
        Column::new("relation", "vacuums now"),
        Column::new("phase", "phase"),
        Column::new("scanned_percent", "scanned %"),
        Column::new("seconds", "for"),
        Column::new("by", "by"),
    ];
    let empty = if vacuums.is_ok() { "No vacuum runs." } else { "What runs is UNKNOWN." };
    let mut running = Table::new("vacuums", empty, columns);
    if let Some(vacuums) = page.known(section, "vacuums that run", vacuums) {
        let automatic = vacuums.iter().filter(|v| v.automatic).count();
        let workers = server.as_ref().map_or("UNKNOWN".to_owned(), |server| server.workers.to_string());
        #[expect(clippy::cast_precision_loss, reason = "a count")]
        page.sign(
            section,
            "vacuums that run",
            vacuums.len().to_string(),
            vacuums.len() as f64,
            "count",
            format!("{automatic} of {workers} workers of autovacuum"),
        );
        for v in vacuums {
            let elsewhere =
                v.database.as_ref().map_or("UNKNOWN".to_owned(), |database| format!("a table of {database}"));
            let share = v.scanned.zip(v.blocks).and_then(|(scanned, blocks)| percent(scanned, blocks));
            running.push(vec![
                v.pid.into(),
                v.relation.clone().unwrap_or(elsewhere).into(),
                v.phase.clone().map_or(Value::Unknown, Value::Text),
                share.map_or(Value::None, |share| Value::Float(share.round())),
                v.seconds.map_or(Value::Unknown, Value::Seconds),
                match (v.automatic, v.against_wraparound) {
                    (true, true) => "autovacuum, against wraparound",
                    (true, false) => "autovacuum",
                    (false, _) => "a person",
                }
                .into(),
            ]);
        }
    }
    vec![waiting, running]
}

fn horizon(page: &mut Page, part: &Part<Vec<Holder>>) {
    let section = Section::Horizon;
    let Some(holders) = page.known(section, "xmin horizon", part) else { return };
    let Some(oldest) = holders.first() else {
        return page.nothing(section, "xmin horizon", "transactions", "nothing holds it");
    };
    let seconds = oldest.seconds.map_or(String::new(), |seconds| format!(" since {}", span(seconds)));
    let of = format!("transactions, held by {} {}{seconds}: {}", oldest.kind, oldest.name, oldest.remedy);
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    page.sign(section, "xmin horizon", oldest.age.to_string(), oldest.age as f64, "transactions", of);
}

fn size(bytes: i64) -> Value {
    Value::Bytes(u64::try_from(bytes).unwrap_or_default())
}

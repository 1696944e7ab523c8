//! Ranked statements as an answer.

use super::delta::Window;
use super::measure::Measure;
use super::rank::{Ranked, Ranking, Sort, Wish};
use super::read::{Counts, Setup};
use super::steps::{Running, Steps};
use crate::inspect::redact::redact;
use crate::output::chart::Bar;
use crate::output::{Column, Document, Table, Value};

/// So much of a statement stands in a line for people.
const SHOWN: usize = 200;

/// The document. `window` is how long was looked, where not everything since the last reset is meant.
pub fn view(setup: &Setup, counts: &Counts, ranking: &Ranking, wish: &Wish, window: Option<Window>) -> Document {
    let mut document = Document::new("slow_queries", 1)
        .machine("at", counts.at)
        .fact("database", "database", setup.database.as_str())
        .fact("standby", "standby", setup.standby)
        .fact("sort", "sorted by", wish.sort.name())
        .fact("statements", "statements", ranking.statements)
        .fact("calls", "calls", ranking.whole.value(Measure::Calls))
        .fact("total_seconds", "took in all", ranking.whole.value(Measure::Total))
        // How many of them ran in a window cannot be known.
        .machine("hidden", if window.is_some() && ranking.hidden > 0 { Value::Unknown } else { ranking.hidden.into() })
        .machine("hidden_seconds", Value::Seconds(ranking.hidden_seconds))
        .machine("deallocations", counts.deallocations.map_or(Value::Unknown, Value::Int));
    document = match window {
        Some(window) => document.fact("window_seconds", "window", Value::Seconds(window.seconds)).fact(
            "since",
            "since",
            window.from,
        ),
        None => document.fact("since", "counted since", counts.reset_at.map_or(Value::Unknown, Value::from)),
    };
    let sorted = by(wish.sort);
    let mut columns = vec![
        Column::new("statement", "statement"),
        Column::new("calls", "calls"),
        Column::new("total_seconds", "total"),
        Column::new("mean_seconds", "mean"),
        Column::new("share_percent", "% of time"),
    ];
    columns.extend(sorted.map(|(_, key, heading)| Column::new(key, heading)));
    columns.extend(["query", "database", "role", "queryid", "toplevel", "hit_percent"].map(Column::machine));
    let shown = ["calls", "total_seconds"];
    let others =
        || Measure::all().filter(|(_, key)| !shown.contains(key) && sorted.is_none_or(|(_, other, _)| other != *key));
    columns.extend(others().map(|(_, key)| Column::machine(key)));
    let mut table = Table::new("queries", "No statement was counted.", columns);
    for ranked in &ranking.top {
        let measures = &ranked.entry.measures;
        let percent = |share: Option<f64>| share.map_or(Value::None, |share| Value::Float(share * 100.0));
        let mut row = vec![
            ranked.text.query.as_deref().map_or(Value::Unknown, |query| one_line(query).into()),
            measures.value(Measure::Calls),
            measures.value(Measure::Total),
            measures.mean().map_or(Value::None, Value::Seconds),
            percent(ranked.share),
        ];
        row.extend(sorted.map(|(measure, ..)| measures.value(measure)));
        row.extend([
            ranked.text.query.clone().map_or(Value::Unknown, Value::from),
            ranked.text.database.clone().into(),
            ranked.text.role.clone().into(),
            ranked.entry.key.queryid.map(|id| id.to_string()).into(),
            ranked.entry.key.toplevel.into(),
            percent(measures.hit_ratio()),
        ]);
        row.extend(others().map(|(measure, _)| measures.value(measure)));
        table.push(row);
    }
    notes(document.table(table), setup, counts, ranking, wish, window)
}

fn of_others(hidden: usize) -> String {
    if hidden == 1 {
        "1 statement of another role is".to_owned()
    } else {
        format!("{hidden} statements of other roles are")
    }
}

/// The measure that is sorted by, where it is not shown anyhow.
fn by(sort: Sort) -> Option<(Measure, &'static str, &'static str)> {
    Some(match sort {
        Sort::Total | Sort::Mean | Sort::Calls => return None,
        Sort::Max => (Measure::Max, "max_seconds", "max"),
        Sort::Io => (Measure::Read, "read_bytes", "read"),
        Sort::Wal => (Measure::Wal, "wal_bytes", "WAL"),
        Sort::Temp => (Measure::TempWritten, "temp_written_bytes", "temp"),
        Sort::Plan => (Measure::Plan, "plan_seconds", "planning"),
        Sort::Jit => (Measure::Jit, "jit_seconds", "JIT"),
    })
}

fn notes(
    mut document: Document,
    setup: &Setup,
    counts: &Counts,
    ranking: &Ranking,
    wish: &Wish,
    window: Option<Window>,
) -> Document {
    if setup.is_off("compute_query_id") {
        document = document.note("nothing is counted: compute_query_id is off");
    }
    if setup.settings.get("pg_stat_statements.track").is_some_and(|track| track == "none") {
        document = document.note("nothing is counted: pg_stat_statements.track is none");
    }
    if window.is_some_and(|window| window.was_reset) {
        document = document.note("the counters began anew in this time: what had been counted before is not known");
    }
    if ranking.hidden > 0 {
        let who = if window.is_some() { "what other roles ran is".to_owned() } else { of_others(ranking.hidden) };
        document = document.note(format!(
            "{who} hidden, {:.1} s of the time: GRANT pg_read_all_stats to this role",
            ranking.hidden_seconds
        ));
    }
    if counts.deallocations.is_some_and(|times| times > 0) {
        let times = counts.deallocations.unwrap_or_default();
        document = document.note(format!(
            "rare statements made room for others {times} times{} and are not counted: raise pg_stat_statements.max",
            if window.is_some() { " in this time" } else { "" }
        ));
    }
    let lacks = setup.extension.as_ref().is_some_and(|extension| !wish.sort.needs().is_in(&extension.columns));
    if lacks {
        let version = setup.extension.as_ref().map(|extension| extension.version.as_str()).unwrap_or_default();
        document = document.note(format!(
            "version {version} of pg_stat_statements does not count {}: ALTER EXTENSION pg_stat_statements UPDATE",
            wish.sort.name()
        ));
    }
    if wish.sort == Sort::Plan && setup.is_off("pg_stat_statements.track_planning") {
        document = document.note("planning is not counted: pg_stat_statements.track_planning is off");
    }
    if wish.sort == Sort::Io && setup.is_off("track_io_timing") {
        document = document
            .note("times of reading and writing are not measured: track_io_timing is off; sorted by what was read");
    }
    document
}

/// Where statements are not counted: what is missing, and what was met running.
pub fn instead(setup: &Setup, steps: &Steps, met: &[Running], looks: usize, wish: &Wish) -> Document {
    let mut document = Document::new("slow_queries.sampled", 1)
        .fact("database", "database", setup.database.as_str())
        .fact("counted", "counted", false)
        .fact("looks", "looks", looks);
    let columns = vec![
        Column::new("statement", "statement"),
        Column::new("looks", "met in looks"),
        Column::new("longest_seconds", "runs for"),
        Column::machine("query"),
        Column::machine("database"),
        Column::machine("role"),
    ];
    let mut table = Table::new("running", "No statement was met running.", columns);
    let most = if wish.limit == 0 { met.len() } else { wish.limit };
    for one in met.iter().take(most) {
        let text = one.query.as_deref().map(|query| if wish.redact { redact(query) } else { query.to_owned() });
        table.push(vec![
            text.as_deref().map_or(Value::Unknown, |text| one_line(text).into()),
            one.looks.into(),
            Value::Seconds(one.seconds),
            text.clone().map_or(Value::Unknown, Value::from),
            one.database.clone().into(),
            one.role.clone().into(),
        ]);
    }
    document = document.table(table);
    document = document.note("statements are not counted here: these are samples of what runs, and miss what is short");
    steps.0.iter().fold(document, |document, step| document.note(format!("pg_stat_statements: {step}")))
}

/// The statements as bars: each its share of the time.
pub fn shares(ranking: &Ranking) -> Vec<Bar> {
    let bar = |ranked: &Ranked| Bar {
        label: ranked.text.query.as_deref().map_or("UNKNOWN".to_owned(), one_line),
        share: ranked.share.unwrap_or_default(),
        value: ranked.entry.measures.value(Measure::Total),
        level: None,
    };
    ranking.top.iter().map(bar).collect()
}

fn one_line(query: &str) -> String {
    let line = query.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

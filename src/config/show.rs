//! `dbctl config show` and `check`: what is in effect and where it came from, secrets masked.

use super::duration::show_duration;
use super::settings::{Setting, Settings};
use super::target::Target;
use crate::error::Result;
use crate::output::{Column, Document, Table, Value};

/// What to say about the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Everything that is in effect.
    Show,
    /// Whether all targets could be used.
    Check,
}

/// Answers without connecting to any database. `Check` fails as invalid when a target cannot be used.
pub fn run(request: Request, settings: &Settings) -> Result<Document> {
    match request {
        Request::Show => Ok(show(settings)),
        Request::Check => check(settings),
    }
}

fn show(settings: &Settings) -> Document {
    let mut document = Document::new("config.show", 1).fact("file", "config file", path(settings));
    document = document.table(effective(settings)).table(targets(settings));
    let unset = settings.file.iter().flat_map(|file| &file.targets).flat_map(|target| target.unset());
    unset.map(str::to_owned).fold(document, Document::note)
}

fn check(settings: &Settings) -> Result<Document> {
    if let Some(file) = &settings.file {
        file.check()?;
    }
    let chosen = settings.targets()?;
    let count = settings.file.as_ref().map_or(0, |file| file.targets.len());
    let document = Document::new("config.check", 1).fact("file", "config file", path(settings));
    let document = document.fact("targets", "targets in the file", count);
    Ok(document.fact("chosen", "chosen now", Value::List(chosen.iter().map(label).collect())))
}

fn path(settings: &Settings) -> Value {
    settings.file.as_ref().map_or(Value::None, |file| file.path().display().to_string().into())
}

/// A target's name, or its masked connection string.
fn label(target: &Target) -> String {
    let unnamed = || target.shown().unwrap_or_else(|| "as psql connects".to_owned());
    target.name.clone().unwrap_or_else(unnamed)
}

fn effective(settings: &Settings) -> Table {
    let columns = vec![
        Column::new("setting", "setting"),
        Column::new("value", "value"),
        Column::machine("value_seconds"),
        Column::new("origin", "from"),
    ];
    let mut table = Table::new("settings", "no settings", columns);
    table.push(row("target", &settings.wanted, ToString::to_string));
    table.push(row("database_url", &settings.conninfo, |url| Target::unnamed(url.clone()).shown().unwrap_or_default()));
    for (name, setting) in [
        ("lock_timeout", &settings.lock_timeout),
        ("lock_patience", &settings.lock_patience),
        ("statement_timeout", &settings.statement_timeout),
        ("lock_wait", &settings.lock_wait),
    ] {
        let mut cells = row(name, setting, |duration| show_duration(*duration));
        cells[2] = Value::Seconds(setting.value.as_secs_f64());
        table.push(cells);
    }
    table.push(row("jobs", &settings.jobs, u32::to_string));
    table.push(row("format", &settings.format, ToString::to_string));
    table.push(row("color", &settings.color, ToString::to_string));
    table.push(row("progress", &settings.progress, bool::to_string));
    if let Some(file) = &settings.file {
        for (key, value) in file.backup.said() {
            table.push(vec![key.into(), value.into(), Value::None, file.path().display().to_string().into()]);
        }
    }
    table
}

fn row<T>(name: &str, setting: &Setting<T>, show: impl FnOnce(&T) -> String) -> Vec<Value> {
    vec![name.into(), show(&setting.value).into(), Value::None, setting.origin.to_string().into()]
}

fn targets(settings: &Settings) -> Table {
    let columns = vec![
        Column::new("name", "target"),
        Column::new("connection", "connection"),
        Column::new("migrations", "migrations"),
        Column::new("role", "role"),
        Column::new("tags", "tags"),
        Column::new("protected", "protected"),
        Column::machine("system"),
        Column::machine("line"),
    ];
    let mut table = Table::new("targets", "no targets", columns);
    let entries = settings.file.iter().flat_map(|file| file.targets.iter().map(move |entry| (file, entry)));
    for (file, entry) in entries {
        let target = entry.as_far_as_known();
        let connection = match (target.shown(), entry.unset().next()) {
            (_, Some(_)) => Value::Unknown,
            (shown, None) => shown.into(),
        };
        let folder = target.migrations.as_ref().map(|folder| folder.display().to_string());
        table.push(vec![
            entry.name.as_str().into(),
            connection,
            folder.or_else(|| target.system.as_ref().map(|system| format!("system {system}"))).into(),
            target.role.name().into(),
            Value::List(target.tags.clone()),
            target.protected.into(),
            target.system.clone().into(),
            file.line(entry).into(),
        ]);
    }
    table
}

//! The list of sandboxes as a Document.

use crate::output::{Column, Document, Table, Value};
use crate::pg::sandbox::Listed;

/// `dbctl sandbox list`.
pub fn listed(sandboxes: &[Listed]) -> Document {
    let columns = vec![
        Column::new("name", "Name"),
        Column::new("version", "Version"),
        Column::new("state", "State"),
        Column::new("until", "Lives until"),
        Column::new("folder", "Socket folder"),
        Column::machine("major"),
        Column::machine("port"),
        Column::machine("tcp"),
        Column::machine("server_pid"),
        Column::machine("owner_pid"),
        Column::machine("started_at"),
        Column::machine("url"),
    ];
    let mut table = Table::new("sandboxes", "no sandbox runs", columns);
    for sandbox in sandboxes {
        let note = &sandbox.note;
        let until = if note.keep { "stopped".to_owned() } else { format!("process {} ends", note.owner) };
        let owner = (!note.keep).then_some(i64::from(note.owner));
        let version = note.version.split_whitespace().next().unwrap_or_default();
        table.push(vec![
            sandbox.name.as_str().into(),
            version.into(),
            if sandbox.server.is_some() { "running" } else { "down" }.into(),
            until.into(),
            sandbox.folder.display().to_string().into(),
            i64::from(note.major).into(),
            i64::from(note.port).into(),
            note.tcp_password.is_some().into(),
            sandbox.server.map(i64::from).into(),
            owner.into(),
            Value::Time(note.started_at),
            sandbox.url("postgres").into(),
        ]);
    }
    let document = Document::new("sandbox.list", 1).table(table);
    match sandboxes.first() {
        Some(first) => {
            document.note(format!("connect: psql -h {} -p {} -U postgres", first.folder.display(), first.note.port))
        }
        None => document,
    }
}

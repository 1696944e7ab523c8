//! `dbctl maintain …` and `dbctl schedule …`: the jobs of dbctl.yaml, run as the command lines that they are.

use crate::cli::Cli;
use crate::config::{Job, Settings};
use crate::error::{Failure, Kind, Result};
use crate::maintain::schedule::{self, Keeper, Paths};
use crate::outcome::Outcome;
use crate::output::{Column, Document, Table, Value};

/// The command line of a job, under the flags that were given.
pub(super) fn job(name: &str, settings: &Settings, given: &Cli) -> Result<std::result::Result<Cli, Outcome>> {
    let jobs = jobs(settings);
    let job = jobs.iter().find(|job| job.name == name).ok_or_else(|| {
        let names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
        let failure =
            Failure::new(Kind::Usage, format!("there is no job {name} in the section maintain of dbctl.yaml"));
        if names.is_empty() {
            failure.hint("see: dbctl maintain --help")
        } else {
            failure.hint(format!("its jobs: {}", names.join(", ")))
        }
    })?;
    Ok(Cli::read(std::iter::once("dbctl".into()).chain(job.run.iter().map(Into::into)))
        .map(|cli| cli.under(given, job.target.as_deref())))
}

/// All jobs.
pub(super) fn list(settings: &Settings) -> Document {
    let columns = vec![
        Column::new("job", "job"),
        Column::new("schedule", "when"),
        Column::new("target", "target"),
        Column::new("run", "dbctl …"),
    ];
    let mut table = Table::new("jobs", "dbctl.yaml has no section maintain", columns);
    for job in jobs(settings) {
        table.push(vec![
            job.name.clone().into(),
            job.schedule.as_ref().map_or(Value::None, |schedule| schedule.to_string().into()),
            job.target.clone().into(),
            job.run.join(" ").into(),
        ]);
    }
    Document::new("maintain.list", 1).table(table)
}

/// Ready lines.
pub(super) fn print(settings: &Settings, keeper: Keeper) -> Result<Document> {
    let Some(file) = &settings.file else {
        return Err(Failure::new(Kind::Usage, "there is no dbctl.yaml, and so there are no jobs")
            .hint("write one with 'dbctl init', or name it: --config FILE"));
    };
    let (program, config) = (std::env::current_exe()?, std::path::absolute(file.path())?);
    let lines = schedule::lines(&file.maintain, keeper, Paths { program: &program, config: &config });
    let document = Document::new("schedule", 1);
    if lines.is_empty() {
        return Ok(document.text("lines", "").note("no job of the section maintain has a schedule"));
    }
    Ok(document.text("lines", lines))
}

fn jobs(settings: &Settings) -> &[Job] {
    settings.file.as_ref().map_or(&[], |file| &file.maintain)
}

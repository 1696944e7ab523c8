//! `cargo xtask demo`: dbctl's main job on a throwaway server. Every line shown is run, with the
//! built program, and its real output follows; the first failure ends it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use chrono::{Days, Utc};
use dbctl::migrate::embedded::System;
use dbctl::pg::sandbox::binaries::BIN_VARIABLE;
use dbctl::pg::sandbox::{Options, Sandbox};

use crate::process::{cargo, line, perform, quoted, root, target};
use crate::{pg, test};

/// Stands for a day five months ahead: of partitions made today none has expired by then.
const A_DAY_TO_COME: &str = "a day to come";

/// What is said before, and what is typed.
struct Step {
    why: &'static str,
    line: &'static [&'static str],
}

const STEPS: [Step; 12] = [
    Step { why: "The schemas built into dbctl", line: &["dbctl", "migrate", "systems"] },
    Step {
        why: "What the first two would run, to the byte, and which locks they take; nothing is changed",
        line: &["dbctl", "migrate", "plan", "--to", "2"],
    },
    Step { why: "The migration itself", line: &["dbctl", "migrate", "--yes"] },
    Step { why: "Sample rows", line: &["dbctl", "demo-data"] },
    Step { why: "Does the database keep the system's promises?", line: &["dbctl", "systems", "verify"] },
    Step { why: "Where the database stands", line: &["dbctl", "migrate", "status"] },
    Step { why: "A second run finds nothing to do", line: &["dbctl", "migrate", "--yes"] },
    Step { why: "Partitions: in order today", line: &["dbctl", "partitions", "rotate"] },
    Step {
        why: "... and what a run would do on a day to come, with its SQL and its locks",
        line: &["dbctl", "partitions", "plan", "--at", A_DAY_TO_COME, "--format", "csv"],
    },
    Step { why: "How far ahead they reach, and what is waiting", line: &["dbctl", "partitions", "status"] },
    Step { why: "The journal: the runs that changed something", line: &["dbctl", "journal"] },
    Step { why: "... and what the first of them did", line: &["dbctl", "journal", "--run", "1"] },
];

/// The steps that are about one system, and say so.
const ABOUT_A_SYSTEM: [&str; 3] = ["migrate", "demo-data", "systems"];

/// `demo [--system S]`.
pub fn run(arguments: &[&str]) -> Result<()> {
    let system = match arguments {
        [] => "bridge",
        ["--system", system] => system,
        _ => bail!("usage: cargo xtask demo [--system S]"),
    };
    test::need_server()?;
    perform(cargo().args(["build", "--quiet", "--package", "dbctl"]))?;
    let sandbox = start()?;
    println!("A throwaway PostgreSQL {}, as user {}:", sandbox.installation().version, sandbox.account());
    println!("  {}\n", sandbox.url("postgres"));
    for step in &STEPS {
        println!("# {}", step.why);
        let words = words(step, system, &sandbox)?;
        println!("$ {}", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "));
        let mut command = command(&words, &sandbox)?;
        let status = command.status().with_context(|| format!("cannot run {}", line(&command)))?;
        if !status.success() {
            bail!("the demo stops: {}: {status}", words.join(" "));
        }
        println!();
    }
    println!("Done; the server and its folder go now.");
    Ok(())
}

/// What is typed: the step's line, of which system, without the parts that the server cannot have.
fn words(step: &Step, system: &str, sandbox: &Sandbox) -> Result<Vec<String>> {
    let later = (Utc::now() + Days::new(150)).format("%Y-%m-%d").to_string();
    let word = |word: &&str| if *word == A_DAY_TO_COME { later.clone() } else { (*word).to_owned() };
    let mut words: Vec<String> = step.line.iter().map(word).collect();
    let about = step.line.get(1).is_some_and(|command| ABOUT_A_SYSTEM.contains(command));
    if about && step.line.get(2) != Some(&"systems") {
        words.extend(["--system".to_owned(), system.to_owned()]);
        let parts = System::named(system).map_err(|failure| anyhow::anyhow!("{failure}"))?.parts();
        for part in parts.into_iter().filter(|extension| !sandbox.installation().has_extension(extension)) {
            words.extend(["--without".to_owned(), part]);
        }
    }
    Ok(words)
}

/// The server that DBCTL_PG_BIN names, else the newest found.
fn start() -> Result<Sandbox> {
    let newest = pg::found()?.into_iter().next().map(|found| found.bin_dir);
    let bin_dir = if std::env::var_os(BIN_VARIABLE).is_some() { None } else { newest };
    Sandbox::start(&Options { bin_dir, ..Options::default() }).map_err(|failure| anyhow::anyhow!("{failure}"))
}

/// The built dbctl, or the sandbox's own psql, pointed at the sandbox.
fn command(words: &[String], sandbox: &Sandbox) -> Result<Command> {
    let (name, arguments) = words.split_first().context("an empty step")?;
    let program: PathBuf = match name.as_str() {
        "dbctl" => target().join("debug/dbctl"),
        other => sandbox.program(other),
    };
    let mut command = Command::new(program);
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("PG") || variable == "DBCTL_CONFIG" {
            command.env_remove(variable);
        }
    }
    command
        .args(arguments)
        .current_dir(root())
        .env("DATABASE_URL", sandbox.url("postgres"))
        .env("PGHOST", sandbox.socket_dir())
        .env("PGPORT", sandbox.port().to_string())
        .env("PGUSER", sandbox.superuser())
        .env("PGDATABASE", "postgres")
        .env("PAGER", "cat");
    Ok(command)
}

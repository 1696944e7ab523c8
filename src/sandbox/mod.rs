//! The use cases of `dbctl sandbox`: start a server and leave it, stop, list, run a command with
//! one. The server itself is `pg::sandbox`'s.

mod owner;
mod run;
mod view;

pub use self::run::{Run, run};
pub use self::view::listed;

use crate::error::{Failure, Kind, Result};
use crate::pg::sandbox::{Listed, Options, Sandbox, list, sweep};

/// `sandbox start`.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// The major version; none is the newest found.
    pub major: Option<u32>,
    /// Lives until it is stopped by name.
    pub keep: bool,
    /// Opens TCP on 127.0.0.1 too; 0 picks a free port.
    pub port: Option<u16>,
    /// The process whose death ends it; none is the shell that started us.
    pub owner: Option<u32>,
}

/// What `sandbox start` left running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The name to stop it by.
    pub name: String,
    /// The server's version.
    pub version: String,
    /// The account the server runs under.
    pub account: String,
    /// The database's URL over the socket.
    pub url: String,
    /// The database's URL over TCP, where a port was asked for; with its password.
    pub tcp_url: Option<String>,
    /// The process whose death ends it; none when it is kept.
    pub owner: Option<u32>,
}

/// Starts a server that outlives this process.
pub fn start(request: &Start) -> Result<Started> {
    let owner = if request.keep { None } else { Some(owner::living(request.owner)?) };
    let options = Options { major: request.major, keep: request.keep, owner, port: request.port, ..Options::default() };
    let sandbox = Sandbox::start(&options)?;
    Ok(Started {
        name: sandbox.name(),
        version: sandbox.installation().version.clone(),
        account: sandbox.account().to_owned(),
        url: sandbox.url("postgres"),
        tcp_url: sandbox.tcp_url("postgres"),
        owner,
    })
}

/// Which sandboxes to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The only one that `sandbox start` left.
    TheOne,
    /// Every one that `sandbox start` left; not those in use by a running command or test.
    All,
    /// By name, whoever uses it.
    Named(Vec<String>),
}

/// Stops servers and removes their folders; returns their names. Nothing to stop is no error.
pub fn stop(which: &Which) -> Result<Vec<String>> {
    sweep()?;
    let stopping = choose(list()?, which)?;
    let mut stopped = Vec::new();
    for sandbox in stopping {
        sandbox.stop().map_err(|failure| failure.done(stopped.iter().map(|name| format!("stopped {name}"))))?;
        stopped.push(sandbox.name);
    }
    Ok(stopped)
}

fn choose(all: Vec<Listed>, which: &Which) -> Result<Vec<Listed>> {
    match which {
        Which::All => Ok(all.into_iter().filter(|sandbox| sandbox.note.left).collect()),
        Which::TheOne => {
            let left: Vec<Listed> = all.into_iter().filter(|sandbox| sandbox.note.left).collect();
            if left.len() < 2 {
                return Ok(left);
            }
            let names: Vec<&str> = left.iter().map(|sandbox| sandbox.name.as_str()).collect();
            Err(Failure::new(Kind::Usage, format!("several sandboxes run: {}", names.join(", ")))
                .hint("name one, or stop them all with --all"))
        }
        Which::Named(names) => {
            if let Some(unknown) = names.iter().find(|name| !all.iter().any(|sandbox| sandbox.name == **name)) {
                return Err(
                    Failure::new(Kind::Usage, format!("there is no sandbox {unknown}")).hint("dbctl sandbox list")
                );
            }
            Ok(all.into_iter().filter(|sandbox| names.contains(&sandbox.name)).collect())
        }
    }
}

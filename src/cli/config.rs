//! `dbctl init` and `dbctl config`.

use std::path::PathBuf;

use crate::config::{init, show};

/// Write a commented dbctl.yaml to start from
///
/// The file is never overwritten, and readable by its owner alone.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// File to write
    #[arg(long, value_name = "FILE", default_value = "dbctl.yaml")]
    file: PathBuf,
}

impl InitArgs {
    /// What to write.
    pub fn into_request(self) -> init::Request {
        init::Request { file: self.file }
    }
}

/// Show or check the settings in effect; connects to no database
#[derive(Debug, clap::Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Clone, Copy, clap::Subcommand)]
enum ConfigCommand {
    /// Print the effective settings and targets, where each came from, secrets masked
    Show,
    /// Read the config file, resolve every target's variables and say what is wrong
    Check,
}

impl ConfigArgs {
    /// What to say about the settings.
    pub fn into_request(self) -> show::Request {
        match self.command {
            ConfigCommand::Show => show::Request::Show,
            ConfigCommand::Check => show::Request::Check,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Init {
        #[command(flatten)]
        args: InitArgs,
    }

    #[derive(Parser)]
    struct Config {
        #[command(flatten)]
        args: ConfigArgs,
    }

    #[test]
    fn flags_become_requests() {
        let init = |argv: &[&str]| Init::try_parse_from(argv).unwrap().args.into_request().file;
        assert_eq!(init(&["init"]), PathBuf::from("dbctl.yaml"));
        assert_eq!(init(&["init", "--file", "other.yaml"]), PathBuf::from("other.yaml"));
        let config = |argv: &[&str]| Config::try_parse_from(argv).unwrap().args.into_request();
        assert_eq!(config(&["config", "show"]), show::Request::Show);
        assert_eq!(config(&["config", "check"]), show::Request::Check);
    }
}

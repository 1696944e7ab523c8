//! `dbctl completions` and `dbctl man`: the command line described for shells and manuals.

use std::io::Write;
use std::path::PathBuf;

use clap_complete::Shell;

use crate::error::{Explain, Kind, Result};
use crate::outcome::Outcome;
use crate::output::is_closed_pipe;

/// Print the completion script of a shell
///
/// For bash: dbctl completions bash > /etc/bash_completion.d/dbctl
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Print the manual page, or write one page per command to a folder
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Folder to write the pages to; made if it does not exist
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl CompletionsArgs {
    /// Prints the script for `root`, the whole command line.
    pub fn run(self, root: &mut clap::Command, out: &mut dyn Write) -> Result<Outcome> {
        let name = root.get_name().to_owned();
        // The generator panics on a writer that fails; a vector never does.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, root, name, &mut script);
        print(&script, out)
    }
}

impl ManArgs {
    /// Prints the page of `root`, or writes the pages of all its commands.
    pub fn run(self, root: clap::Command, out: &mut dyn Write) -> Result<Outcome> {
        let Some(dir) = self.dir else {
            let mut page = Vec::new();
            clap_mangen::Man::new(root).render(&mut page)?;
            return print(&page, out);
        };
        let doing = format!("cannot write manual pages to {}", dir.display());
        std::fs::create_dir_all(&dir).explain(Kind::Failed, &doing)?;
        clap_mangen::generate_to(root, &dir).explain(Kind::Failed, &doing)?;
        Ok(Outcome::Done)
    }
}

fn print(text: &[u8], out: &mut dyn Write) -> Result<Outcome> {
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if !is_closed_pipe(&error) => Err(error.into()),
        _ => Ok(Outcome::Done),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command, CommandFactory, Parser};

    #[derive(Debug, Parser)]
    #[command(name = "dbctl", about = "Change schemas")]
    struct Root {
        #[command(subcommand)]
        command: Sub,
    }

    #[derive(Debug, clap::Subcommand)]
    enum Sub {
        Completions(CompletionsArgs),
        Man(ManArgs),
    }

    fn run(argv: &[&str]) -> String {
        let mut out = Vec::new();
        let mut root: Command = Root::command();
        let outcome = match Root::try_parse_from(argv).unwrap().command {
            Sub::Completions(args) => args.run(&mut root, &mut out),
            Sub::Man(args) => args.run(root, &mut out),
        };
        assert_eq!(outcome.unwrap(), Outcome::Done);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_shell_gets_a_script() {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            assert!(run(&["dbctl", "completions", shell]).contains("completions"), "{shell}");
        }
    }

    #[test]
    fn manual_pages_are_printed_or_written_one_per_command() {
        assert!(run(&["dbctl", "man"]).contains(".TH dbctl 1"));
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("man1");
        assert_eq!(run(&["dbctl", "man", "--dir", dir.to_str().unwrap()]), "");
        let mut pages: Vec<String> =
            std::fs::read_dir(&dir).unwrap().map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
        pages.sort();
        insta::assert_snapshot!(pages.join("\n"), @r"
        dbctl-completions.1
        dbctl-man.1
        dbctl.1
        ");
    }
}

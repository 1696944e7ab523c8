//! `dbctl init`: a commented config file to start from. Never overwrites.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::{Explain, Failure, Kind, Result};
use crate::output::{Document, visible};

/// The commented sample, a valid config file.
pub const SAMPLE: &str = include_str!("sample.yaml");

/// What to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The file to make.
    pub file: PathBuf,
}

/// Writes the sample, readable by its owner alone. Fails as refused when the file exists.
pub fn run(request: &Request) -> Result<Document> {
    let shown = visible(&request.file.display().to_string());
    match create(&request.file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(Failure::new(Kind::Refused, format!("{shown} exists and was left as it is"))
                .hint("choose another name: dbctl init --file FILE"));
        }
        written => written.explain(Kind::Failed, format!("cannot write {shown}"))?,
    }
    Ok(Document::new("init", 1)
        .fact("file", "written", shown.clone())
        .note(format!("put your databases under 'targets', then run: dbctl config check --config {shown}")))
}

fn create(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(SAMPLE.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::env::Env;
    use crate::config::file::ConfigFile;
    use crate::config::yaml::Source;

    #[test]
    fn the_sample_is_a_valid_file_as_it_is_and_with_everything_switched_on() {
        let read = |text: &str| {
            let source = Source::new(Path::new("dbctl.yaml"), text.as_bytes().to_vec()).unwrap();
            ConfigFile::read(source, &Env::from_iter([("PGPASSWORD", "x")])).unwrap_or_else(|e| panic!("{e}"))
        };
        let as_is = read(SAMPLE);
        assert_eq!(as_is.targets.len(), 1);
        let is_setting =
            |line: &str| line.trim_start().starts_with("# ") && line.contains(": ") || line.ends_with("# prod:");
        let switched_on = |line: &str| {
            let of_prose =
                ["targets", "The ", "Durations", "dbctl.yaml", "It is"].iter().any(|word| line.contains(word));
            if is_setting(line) && line.starts_with("  ") && !of_prose {
                line.replacen("# ", "", 1)
            } else {
                line.to_owned()
            }
        };
        let all: String = SAMPLE.lines().map(|line| switched_on(line) + "\n").collect();
        let all = read(&all.replace("    migrations: migrations\n", ""));
        assert_eq!(all.targets.len(), 2);
        let defaults = &all.defaults;
        assert!(defaults.lock_timeout.is_some() && defaults.progress.is_some() && defaults.jobs.is_some());
        assert!(all.target(1).unwrap().protected);
        let checks = &all.checks;
        assert!(checks.profile.is_some() && checks.policy.is_some() && checks.paths.len() == 1, "{checks:?}");
        assert_eq!((checks.off.as_slice(), checks.ignore.len()), (&["stats_age"][..], 1));
    }

    #[test]
    fn a_file_that_exists_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let request = Request { file: folder.path().join("dbctl.yaml") };
        run(&request).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            assert_eq!(std::fs::metadata(&request.file).unwrap().mode() & 0o777, 0o600);
        }
        std::fs::write(&request.file, "targets: {}\n").unwrap();
        let failure = run(&request).unwrap_err();
        assert_eq!(failure.what(), Kind::Refused);
        assert_eq!(std::fs::read_to_string(&request.file).unwrap(), "targets: {}\n");
        let text = failure.to_string().replace(&folder.path().display().to_string(), "");
        insta::assert_snapshot!(text, @r"
        error: /dbctl.yaml exists and was left as it is
        hint: choose another name: dbctl init --file FILE
        ");
        let nowhere = run(&Request { file: folder.path().join("no/such/dbctl.yaml") }).unwrap_err();
        assert_eq!(nowhere.what(), Kind::Failed);
    }
}

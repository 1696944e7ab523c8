//! Which files git says were added or changed since a revision. Starts git; knows no SQL.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::error::{Explain, Failure, Kind, Result};
use crate::output::visible;

/// The files below `folder` that differ from where this branch left `revision`, and those that git does
/// not know yet; as canonical paths.
///
/// # Errors
/// Usage for a revision that there is not; invalid where git is not installed or the folder is in no repository.
pub(super) fn changed(folder: &Path, revision: &str) -> Result<BTreeSet<PathBuf>> {
    let shown = folder.display();
    let inside = git(folder, &["rev-parse", "--show-toplevel"])?;
    if !inside.status.success() {
        return Err(Failure::new(
            Kind::Invalid,
            format!("{shown} is in no git repository that can be read: {}", said(&inside)),
        )
        .hint("without --since, every file is looked at")
        .hint(format!("to see what git sees: git -C {shown} status")));
    }
    let commit = format!("{revision}^{{commit}}");
    // Behind --end-of-options, no revision is taken for an option.
    let resolved = git(folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
    let commit = line(&resolved);
    if !resolved.status.success() || commit.is_empty() {
        return Err(Failure::new(Kind::Usage, format!("git knows no revision '{}'", visible(revision)))
            .hint("fetch it first; a shallow clone has few: git fetch --unshallow, or fetch-depth: 0 in the pipeline")
            .hint(format!("to see which there are: git -C {shown} branch --all")));
    }
    // What others changed meanwhile is not ours.
    let base = git(folder, &["merge-base", &commit, "HEAD"])?;
    let base = if base.status.success() { line(&base) } else { commit };
    let differing = ["diff", "--name-only", "-z", "--diff-filter=d", "--no-ext-diff", "--no-textconv", "--relative"];
    let mut files = paths(&git(folder, &[&differing[..], &[&base, "--", "."]].concat())?)?;
    files.extend(paths(&git(folder, &["ls-files", "-z", "--others", "--exclude-standard", "--", "."])?)?);
    Ok(files.into_iter().filter_map(|file| folder.join(file).canonicalize().ok()).collect())
}

fn git(folder: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new("git");
    // A repository must not choose what is started here.
    command.arg("-C").arg(folder).args(["--no-pager", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false"]);
    command.args(arguments).env("GIT_OPTIONAL_LOCKS", "0").stdin(std::process::Stdio::null());
    command
        .output()
        .explain(Kind::Invalid, "cannot start git, which --since asks")
        .map_err(|failure| failure.hint("install git, or leave --since out: every file is then looked at"))
}

fn line(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn said(output: &Output) -> String {
    visible(String::from_utf8_lossy(&output.stderr).trim().trim_start_matches("fatal: "))
}

fn paths(output: &Output) -> Result<Vec<PathBuf>> {
    use std::os::unix::ffi::OsStrExt;
    if !output.status.success() {
        return Err(Failure::new(Kind::Failed, format!("git could not say what has changed: {}", said(output))));
    }
    let names = output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| PathBuf::from(std::ffi::OsStr::from_bytes(name))).collect())
}

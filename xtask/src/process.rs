//! Running other programs: said before it is done, and a failure is an error.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// The cargo that runs us. What it says of our own package stays with us: build scripts of others go
/// by it, and would run again after every cargo that was typed by hand.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// A program, found by PATH, without input.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null());
    command
}

/// Shows the command line on stderr, runs it, and fails unless it ends with 0.
pub fn perform(command: &mut Command) -> Result<()> {
    let line = line(command);
    eprintln!("+ {line}");
    let status = command.status().with_context(|| format!("cannot run {line}"))?;
    if !status.success() {
        bail!("{line}: {status}");
    }
    Ok(())
}

/// The same, showing each line of stdout to `see` as well, which it passes on; whether it ended with 0.
pub fn watched(command: &mut Command, mut see: impl FnMut(&str)) -> Result<bool> {
    let line = line(command);
    eprintln!("+ {line}");
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot run {line}"))?;
    let mut lines = BufReader::new(child.stdout.take().context("its output")?);
    let mut text = Vec::new();
    while lines.read_until(b'\n', &mut text)? > 0 {
        std::io::stdout().write_all(&text)?;
        see(String::from_utf8_lossy(&text).trim_end());
        text.clear();
    }
    Ok(child.wait()?.success())
}

/// Whether the command runs and ends with 0; says nothing.
pub fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// What the command prints on stdout.
pub fn output(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot run {line}"))?;
    if !output.status.success() {
        bail!("{line}: {}", output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// As it could be typed into a shell.
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

/// Quoted where a shell would take it apart.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%<>~".contains(c) || !c.is_ascii();
    if !word.is_empty() && word.chars().all(plain) && !word.contains(['<', '>']) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

//! Makes every new SQL file rebuild the binary, refuses migrations that would fail at three in the
//! morning, and lists the files that are embedded beside refinery's own. Says how the released program is linked.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let sql = root.join("sql");
    println!("cargo:rerun-if-changed={}", sql.display());
    let mut problems = Vec::new();
    for kind in ["migrations", "rollback"] {
        for system in folders(&sql.join(kind)) {
            let prefix = if kind == "migrations" { 'V' } else { 'D' };
            check_versions(&system, prefix, &mut problems);
        }
    }
    for file in files_below(&sql) {
        println!("cargo:rerun-if-changed={}", file.display());
        check_text(&file, &mut problems);
    }
    if !problems.is_empty() {
        for problem in &problems {
            println!("cargo::error={problem}");
        }
        process::exit(1);
    }
    link_in_place();
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("systems.rs");
    if let Err(error) = fs::write(&out, embedded(&sql)) {
        println!("cargo::error=cannot write {}: {error}", out.display());
        process::exit(1);
    }
}

/// A released program has its fixed place: moving its tables of addresses took a millisecond of each start, a tenth of a
/// look at a server of this machine.
fn link_in_place() {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}

/// `V0001__words.sql`, each version once.
fn check_versions(folder: &Path, prefix: char, problems: &mut Vec<String>) {
    let mut versions: BTreeMap<u64, PathBuf> = BTreeMap::new();
    for file in files_below(folder) {
        let name = file.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let Some(version) = version(name, prefix) else {
            problems.push(format!("{}: must be named {prefix}0001__some_words.sql", file.display()));
            continue;
        };
        if let Some(first) = versions.insert(version, file.clone()) {
            problems.push(format!("{} and {} have the same version", first.display(), file.display()));
        }
    }
}

fn version(name: &str, prefix: char) -> Option<u64> {
    let (digits, words) = name.strip_prefix(prefix)?.strip_suffix(".sql")?.split_once("__")?;
    let worded = !words.is_empty() && words.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let four = digits.len() >= 4 && digits.bytes().all(|b| b.is_ascii_digit());
    if worded && four { digits.parse().ok() } else { None }
}

fn check_text(file: &Path, problems: &mut Vec<String>) {
    if file.extension().is_none_or(|extension| extension != "sql") {
        return;
    }
    match fs::read(file) {
        Err(error) => problems.push(format!("{}: {error}", file.display())),
        Ok(bytes) if bytes.is_empty() => problems.push(format!("{}: is empty", file.display())),
        Ok(bytes) if bytes.starts_with(b"\xEF\xBB\xBF") => {
            problems.push(format!("{}: has a byte order mark", file.display()))
        }
        Ok(bytes) if bytes.contains(&b'\r') => problems.push(format!("{}: has CR line ends", file.display())),
        Ok(bytes) if bytes.contains(&0) => problems.push(format!("{}: has a NUL byte", file.display())),
        Ok(bytes) => {
            if let Err(error) = std::str::from_utf8(&bytes) {
                problems.push(format!("{}: is not UTF-8: {error}", file.display()));
            }
        }
    }
}

/// `SYSTEMS`: a value of `migrate::embedded::System` for every folder of `sql/migrations`.
fn embedded(sql: &Path) -> String {
    let mut modules = String::new();
    let mut systems = String::from("/// All systems, by name.\npub const SYSTEMS: &[System] = &[\n");
    for folder in folders(&sql.join("migrations")) {
        let name = folder.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let _ = writeln!(modules, "mod {name} {{\n    refinery::embed_migrations!(\"sql/migrations/{name}\");\n}}");
        let demo = entries(&sql.join("demo")).into_iter().filter(|path| {
            path.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.split('.').next() == Some(name))
        });
        let _ = writeln!(
            systems,
            "    System {{\n        name: {name:?},\n        lowest_major: {},\n        migrations: || {name}::migrations::runner().get_migrations().clone(),\n        \
             rollbacks: &[{}],\n        checks: &[{}],\n        demo: &[{}],\n    }},",
            lowest_major(&folder),
            parts(files_below(&sql.join("rollback").join(name))),
            parts(files_below(&sql.join("checks").join(name))),
            parts(demo),
        );
    }
    systems.push_str("];\n");
    modules + &systems
}

/// `-- dbctl: needs PostgreSQL 15` in the first migration; 14 without it.
fn lowest_major(folder: &Path) -> u32 {
    let first =
        files_below(folder).into_iter().next().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    let needed = first.lines().find_map(|line| line.strip_prefix("-- dbctl: needs PostgreSQL "));
    needed.and_then(|major| major.trim().parse().ok()).unwrap_or(14)
}

fn parts(files: impl IntoIterator<Item = PathBuf>) -> String {
    let part = |file: PathBuf| {
        let name = file.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        format!("Part {{ name: {name:?}, text: include_str!({:?}) }}", file.display().to_string())
    };
    files.into_iter().map(part).collect::<Vec<_>>().join(", ")
}

fn folders(of: &Path) -> Vec<PathBuf> {
    entries(of).into_iter().filter(|path| path.is_dir()).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in entries(folder) {
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            files.push(path);
        }
    }
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().filter_map(|entry| entry.ok().map(|e| e.path())).collect();
    paths.sort();
    paths
}

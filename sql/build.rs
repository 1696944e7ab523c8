//! Makes every new SQL file rebuild the binary, refuses migrations that would fail at three in the
//! morning, and lists the files that are embedded beside refinery's own.

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
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("embedded_files.rs");
    if let Err(error) = fs::write(&out, embedded(&sql)) {
        println!("cargo::error=cannot write {}: {error}", out.display());
        process::exit(1);
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

/// A module `files` with a constant per system and kind.
fn embedded(sql: &Path) -> String {
    let mut code = String::from("mod files {\n");
    for system in folders(&sql.join("migrations")) {
        let name = system.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        let constant = name.to_uppercase();
        for kind in ["rollback", "checks"] {
            let _ = writeln!(code, "    pub(super) const {constant}_{}: &[(&str, &str)] = &[", kind.to_uppercase());
            for file in files_below(&sql.join(kind).join(&name)) {
                let file_name = file.file_name().and_then(|n| n.to_str()).unwrap_or_default();
                let _ = writeln!(code, "        ({file_name:?}, include_str!({:?})),", file.display().to_string());
            }
            code.push_str("    ];\n");
        }
        let demo = sql.join("demo").join(format!("{name}.sql"));
        let value = if demo.exists() {
            format!("Some(include_str!({:?}))", demo.display().to_string())
        } else {
            "None".to_owned()
        };
        let _ = writeln!(code, "    pub(super) const {constant}_DEMO: Option<&str> = {value};");
    }
    code.push_str("}\n");
    code
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

//! A set of migrations: an embedded system or a folder of the user's, with everything that is
//! wrong with it. Reads files; knows nothing of the database.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::embedded::{System, part_of};
use super::history::Identity;
use crate::error::{Failure, Kind, Result};

/// Where migrations come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An embedded system.
    System(String),
    /// A folder.
    Folder(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::System(name) => write!(f, "system {name}"),
            Origin::Folder(path) => write!(f, "folder {}", path.display()),
        }
    }
}

/// A set of migrations, by version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationSet {
    /// Where they come from.
    pub origin: Origin,
    /// The files that can be used, sorted by version.
    pub files: Vec<File>,
    /// What is wrong with the others.
    pub problems: Vec<Problem>,
    /// Parts that were left out on purpose.
    pub left_out: Vec<String>,
}

/// One migration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path or `bridge/V0001__words.sql`, for messages.
    pub label: String,
    /// File name without `.sql`.
    pub stem: String,
    /// Version, name, checksums.
    pub identity: Identity,
    /// The text.
    pub sql: Arc<str>,
}

/// Why a file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `misnamed`, `duplicate`, `unreadable`.
    pub id: &'static str,
    /// The file.
    pub label: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl MigrationSet {
    /// Reads the set.
    ///
    /// # Errors
    /// Usage for an unknown system; invalid for a folder that cannot be read.
    pub fn load(origin: &Origin) -> Result<MigrationSet> {
        let (candidates, problems) = match origin {
            Origin::System(name) => (embedded(name)?, Vec::new()),
            Origin::Folder(path) => folder(path)?,
        };
        Ok(assemble(origin.clone(), candidates, problems))
    }

    /// The same without the files of these parts.
    ///
    /// # Errors
    /// Usage for a part that the set does not have.
    pub fn without(mut self, parts: &[String]) -> Result<MigrationSet> {
        for part in parts {
            let before = self.files.len();
            self.files.retain(|file| part_of(&file.sql) != Some(part));
            if self.files.len() == before {
                return Err(Failure::new(
                    Kind::Usage,
                    format!("{} has no part '{part}' that could be left out", self.origin),
                ));
            }
        }
        self.left_out = parts.to_vec();
        Ok(self)
    }

    /// The file of a version.
    pub fn file(&self, version: i64) -> Option<&File> {
        self.files.binary_search_by_key(&version, |f| f.identity.version).ok().and_then(|at| self.files.get(at))
    }

    /// The name of the embedded system, if it is one.
    pub fn system(&self) -> Option<&str> {
        match &self.origin {
            Origin::System(name) => Some(name),
            Origin::Folder(_) => None,
        }
    }

    /// Fails when any file of the set cannot be used, naming them all.
    ///
    /// # Errors
    /// Invalid.
    pub fn refuse_problems(&self) -> Result<()> {
        let Some(first) = self.problems.first() else { return Ok(()) };
        let mut failure = Failure::new(Kind::Invalid, format!("{}: {}", first.label, first.message));
        for problem in self.problems.iter().skip(1) {
            failure = failure.note(format!("also {}: {}", problem.label, problem.message));
        }
        Err(failure.hint("a migration is named V<number>__<words>.sql; see 'dbctl migrate status' for all findings"))
    }
}

/// The rollback of a version: `D0001__words.sql`, by number.
///
/// # Errors
/// Invalid when two rollbacks share a number or a file cannot be read.
pub fn rollbacks(origin: &Origin) -> Result<BTreeMap<i64, (String, Arc<str>)>> {
    let mut found: BTreeMap<i64, (String, Arc<str>)> = BTreeMap::new();
    let files: Vec<(String, String, Arc<str>)> = match origin {
        Origin::System(name) => System::named(name)?
            .rollbacks
            .iter()
            .map(|file| (format!("{name}/{}", file.name), file.name.to_owned(), Arc::from(file.text)))
            .collect(),
        Origin::Folder(path) => {
            let beside = rollback_folder(path);
            let mut files = Vec::new();
            for path in if beside.is_dir() { sql_files(&beside)? } else { Vec::new() } {
                let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                let text = read_text(&path)
                    .map_err(|message| Failure::new(Kind::Invalid, format!("{}: {message}", path.display())))?;
                files.push((path.display().to_string(), name, Arc::from(text)));
            }
            files
        }
    };
    for (label, name, sql) in files {
        let version =
            name.strip_prefix('D').and_then(|rest| rest.split_once("__")).and_then(|(digits, _)| digits.parse().ok());
        let Some(version) = version else {
            return Err(Failure::new(Kind::Invalid, format!("{label}: a rollback is named D<number>__<words>.sql")));
        };
        if let Some((first, _)) = found.insert(version, (label.clone(), sql)) {
            return Err(Failure::new(
                Kind::Invalid,
                format!("{first} and {label} are both the rollback of version {version}"),
            ));
        }
    }
    Ok(found)
}

/// `rollback` beside the migrations folder.
pub fn rollback_folder(migrations: &Path) -> PathBuf {
    fs::canonicalize(migrations)
        .unwrap_or_else(|_| migrations.to_owned())
        .parent()
        .map_or_else(|| PathBuf::from("rollback"), |parent| parent.join("rollback"))
}

struct Candidate {
    label: String,
    stem: String,
    sql: String,
}

fn embedded(name: &str) -> Result<Vec<Candidate>> {
    let files = System::named(name)?.migrations();
    Ok(files.into_iter().map(|(stem, sql)| Candidate { label: format!("{name}/{stem}.sql"), stem, sql }).collect())
}

fn folder(path: &Path) -> Result<(Vec<Candidate>, Vec<Problem>)> {
    let mut candidates = Vec::new();
    let mut problems = Vec::new();
    for file in sql_files(path)? {
        let label = file.display().to_string();
        let Some(stem) = file.file_stem().and_then(|stem| stem.to_str()) else {
            problems.push(Problem { id: "misnamed", label, message: "its name is not UTF-8".to_owned() });
            continue;
        };
        if file.extension().is_some_and(|extension| extension != "sql") {
            let message = "its extension must be .sql, in small letters".to_owned();
            problems.push(Problem { id: "misnamed", label, message });
            continue;
        }
        match read_text(&file) {
            Ok(sql) => candidates.push(Candidate { label, stem: stem.to_owned(), sql }),
            Err(message) => problems.push(Problem { id: "unreadable", label, message }),
        }
    }
    Ok((candidates, problems))
}

fn read_text(path: &Path) -> std::result::Result<String, String> {
    // A pipe would be waited for without end.
    if !fs::metadata(path).map_err(|e| format!("cannot be read: {e}"))?.is_file() {
        return Err("is not a regular file".to_owned());
    }
    let bytes = fs::read(path).map_err(|e| format!("cannot be read: {e}"))?;
    String::from_utf8(bytes).map_err(|e| {
        let wide = e.as_bytes().starts_with(&[0xff, 0xfe]) || e.as_bytes().starts_with(&[0xfe, 0xff]);
        format!(
            "is not UTF-8 (byte {}): convert it, for example: iconv -f {} -t UTF-8 {shown} > {shown}.new && mv {shown}.new {shown}",
            e.utf8_error().valid_up_to(),
            if wide { "UTF-16" } else { "LATIN1" },
            shown = path.display()
        )
    })
}

/// Also `.SQL`, which refinery passes over: it is told, not taken.
fn is_sql(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
}

/// All `.sql` files below a folder, as refinery finds them, and Rust migrations, which dbctl cannot run.
fn sql_files(path: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(|e| {
            Failure::new(Kind::Invalid, format!("cannot read the migrations folder {}: {e}", folder.display()))
                .hint("--dir names the folder that holds the V….sql files")
        })?;
        for entry in entries {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            // As refinery does, links to folders are not followed: a link to a parent has no end.
            // Hidden folders are where mounted volumes keep the files that their links lead to.
            if kind.is_dir() {
                if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                    folders.push(path);
                }
            } else if is_sql(&path) && !(kind.is_symlink() && path.is_dir()) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn assemble(origin: Origin, candidates: Vec<Candidate>, mut problems: Vec<Problem>) -> MigrationSet {
    let mut files: Vec<File> = Vec::new();
    for Candidate { label, stem, sql } in candidates {
        match Identity::of(&stem, &sql) {
            Ok(identity) => files.push(File { label, stem, identity, sql: Arc::from(sql) }),
            Err(misnamed) => problems.push(Problem { id: "misnamed", label, message: misnamed.0 }),
        }
    }
    files.sort_by(|a, b| (a.identity.version, &a.label).cmp(&(b.identity.version, &b.label)));
    for pair in files.windows(2) {
        if let [first, second] = pair
            && first.identity.version == second.identity.version
        {
            let message = format!("has version {} as {} has", second.identity.version, first.label);
            problems.push(Problem { id: "duplicate", label: second.label.clone(), message });
        }
    }
    files.dedup_by_key(|file| file.identity.version);
    problems.sort_by(|a, b| a.label.cmp(&b.label));
    MigrationSet { origin, files, problems, left_out: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_tells_all_that_is_wrong_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
        write("V1__a.sql", b"SELECT 1;");
        write("V1__b.sql", b"SELECT 1;");
        write("V2__has-dash.sql", b"SELECT 1;");
        write("V3__latin.sql", b"SELECT '\xe9';");
        write("V20261121010203__stamp.sql", b"SELECT 1;");
        write("README.md", b"not a migration");
        write("V4__loud.SQL", b"SELECT 1;");
        nix::unistd::mkfifo(&folder.path().join("V5__pipe.sql"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let set = MigrationSet::load(&Origin::Folder(folder.path().to_owned())).unwrap();
        assert_eq!(set.files.iter().map(|f| f.stem.as_str()).collect::<Vec<_>>(), ["V1__a", "V20261121010203__stamp"]);
        assert_eq!(
            set.problems.iter().map(|p| p.id).collect::<Vec<_>>(),
            ["duplicate", "misnamed", "unreadable", "misnamed", "unreadable"]
        );
        assert_eq!(set.refuse_problems().unwrap_err().what(), Kind::Invalid);
    }

    #[test]
    fn every_embedded_system_loads_without_a_problem_and_has_every_rollback() {
        for system in crate::migrate::embedded::SYSTEMS {
            let origin = Origin::System(system.name.to_owned());
            let set = MigrationSet::load(&origin).unwrap();
            assert_eq!(set.problems, []);
            assert!(!set.files.is_empty());
            let rollbacks = rollbacks(&origin).unwrap();
            let versions: Vec<i64> = set.files.iter().map(|f| f.identity.version).collect();
            assert_eq!(rollbacks.keys().copied().collect::<Vec<_>>(), versions, "{}", system.name);
        }
    }
}

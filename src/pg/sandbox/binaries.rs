//! Which PostgreSQL servers are installed on this machine. Knows where packages put them; starts
//! nothing but `postgres --version` and `pg_config`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::config::env::Env;
use crate::error::{Failure, Kind, Result};

/// The variable that names one `bin` folder to use before all others.
pub const BIN_VARIABLE: &str = "DBCTL_PG_BIN";
/// The variable that names a folder of installations: `<it>/<major>/bin`, as `cargo xtask pg` makes them.
pub const HOME_VARIABLE: &str = "DBCTL_PG_HOME";

/// The server programs of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The major version, such as 17.
    pub major: u32,
    /// The version as the server prints it, such as `17.11` or `15.18 (Debian 15.18-0+deb12u1)`.
    pub version: String,
    /// The folder with `postgres`, `initdb`, `psql` and the others.
    pub bin_dir: PathBuf,
}

impl Installation {
    /// What is installed in a `bin` folder; none unless both `postgres` and `initdb` are there and run.
    pub fn at(bin_dir: &Path) -> Option<Installation> {
        if !bin_dir.join("initdb").is_file() {
            return None;
        }
        let printed = printed_by(&bin_dir.join("postgres"), "--version")?;
        let (major, version) = parse_version(&printed)?;
        Some(Installation { major, version, bin_dir: behind_links(bin_dir) })
    }

    /// Whether `CREATE EXTENSION name` would find its files.
    pub fn has_extension(&self, name: &str) -> bool {
        self.asked("--sharedir").is_some_and(|share| share.join(format!("extension/{name}.control")).is_file())
    }

    /// Whether a library that `shared_preload_libraries` could name is there.
    pub fn has_library(&self, name: &str) -> bool {
        self.asked("--pkglibdir").is_some_and(|folder| {
            ["so", "dylib"].iter().any(|suffix| folder.join(format!("{name}.{suffix}")).is_file())
        })
    }

    /// A folder as `pg_config` knows it; where there is no `pg_config` (Red Hat puts it into
    /// another package), the usual places relative to `bin`.
    fn asked(&self, which: &str) -> Option<PathBuf> {
        if let Some(printed) = printed_by(&self.bin_dir.join("pg_config"), which) {
            return Some(PathBuf::from(printed.trim()));
        }
        let usual: &[&str] = match which {
            "--pkglibdir" => &["lib/postgresql", "lib"],
            _ => &["share/postgresql", "share"],
        };
        let root = self.bin_dir.parent()?;
        usual.iter().map(|place| root.join(place)).find(|folder| folder.is_dir())
    }
}

/// The folder that `postgres` really is in: one on PATH may hold links to a few of the programs only.
fn behind_links(bin_dir: &Path) -> PathBuf {
    let real = bin_dir.join("postgres").canonicalize().ok().and_then(|program| program.parent().map(Path::to_owned));
    real.filter(|real| real.join("initdb").is_file()).unwrap_or_else(|| bin_dir.to_owned())
}

/// Every server that can be found, the newest major first; within a major the one named by
/// DBCTL_PG_BIN, then PATH, then the system's packages, then DBCTL_PG_HOME.
pub fn find() -> Vec<Installation> {
    find_in(&Env::of_process())
}

/// As [`find`], with the variables as a value.
pub fn find_in(env: &Env) -> Vec<Installation> {
    probe(&candidates(env))
}

/// Every server that has the extension, special builds in DBCTL_PG_HOME (such as `vector-16`,
/// which may lack what an ordinary server has) included.
pub fn find_with_extension(name: &str) -> Vec<Installation> {
    let env = Env::of_process();
    let mut folders = candidates(&env);
    folders.extend(home(&env).into_iter().flat_map(|home| subfolders(home, "")).map(|(_, bin)| bin));
    let mut found = probe(&folders);
    found.dedup();
    found.retain(|installation| installation.has_extension(name));
    found
}

/// A server of this major that has all these extensions, an ordinary one before a special build; none where no server
/// has all of them.
pub fn find_with_extensions(major: u32, names: &[&str]) -> Option<Installation> {
    let env = Env::of_process();
    let has_all = |found: &Installation| names.iter().all(|name| found.has_extension(name));
    let ordinary = pick(Some(major), None, &env).ok().filter(has_all);
    let special =
        || find_with_extension(names.first()?).into_iter().find(|found| found.major == major && has_all(found));
    ordinary.or_else(special)
}

fn probe(folders: &[PathBuf]) -> Vec<Installation> {
    let mut found: Vec<Installation> = std::thread::scope(|scope| {
        let probes: Vec<_> = folders.iter().map(|folder| scope.spawn(|| Installation::at(folder))).collect();
        probes.into_iter().filter_map(|probe| probe.join().ok().flatten()).collect()
    });
    found.sort_by_key(|installation| std::cmp::Reverse(installation.major));
    found
}

fn home(env: &Env) -> Option<&Path> {
    env.get(HOME_VARIABLE).map(Path::new)
}

/// The installation to use: the one in `bin_dir`, or the one DBCTL_PG_BIN names when no other
/// major is asked for, or the first of the wanted (else the newest) major.
pub(super) fn pick(major: Option<u32>, bin_dir: Option<&Path>, env: &Env) -> Result<Installation> {
    if let Some(folder) = bin_dir {
        let installation = Installation::at(folder).ok_or_else(|| no_server_in(folder, "the given folder"))?;
        return match major {
            Some(wanted) if wanted != installation.major => Err(Failure::new(
                Kind::Usage,
                format!("{} holds PostgreSQL {}, not {wanted}", folder.display(), installation.version),
            )),
            _ => Ok(installation),
        };
    }
    if let Some(folder) = env.get(BIN_VARIABLE).map(Path::new) {
        let installation = Installation::at(folder).ok_or_else(|| no_server_in(folder, BIN_VARIABLE))?;
        if major.is_none_or(|wanted| wanted == installation.major) {
            return Ok(installation);
        }
    }
    // A folder that carries the wanted number in its path is asked first: each question starts a process.
    if let Some(wanted) = major {
        let number = wanted.to_string();
        let likely = candidates(env).into_iter().filter(|folder| folder.to_string_lossy().contains(&number));
        if let Some(found) = likely.filter_map(|folder| Installation::at(&folder)).find(|found| found.major == wanted) {
            return Ok(found);
        }
    }
    let found = find_in(env);
    match found.iter().find(|installation| major.is_none_or(|wanted| wanted == installation.major)) {
        Some(installation) => Ok(installation.clone()),
        None => Err(missing(major, &found)),
    }
}

fn no_server_in(folder: &Path, named_by: &str) -> Failure {
    Failure::new(Kind::Invalid, format!("no PostgreSQL server programs in {} ({named_by})", folder.display()))
        .hint("name a folder that holds 'postgres' and 'initdb', such as /usr/lib/postgresql/17/bin")
}

fn missing(major: Option<u32>, found: &[Installation]) -> Failure {
    let wanted = major.map(|m| format!(" {m}")).unwrap_or_default();
    let have = match found {
        [] => String::new(),
        _ => {
            let majors: BTreeSet<String> = found.iter().map(|installation| installation.major.to_string()).collect();
            format!("; found: {}", majors.into_iter().collect::<Vec<_>>().join(", "))
        }
    };
    let package = major.map(|m| format!("-{m}")).unwrap_or_default();
    Failure::new(Kind::Failed, format!("no PostgreSQL{wanted} server programs on this machine{have}"))
        .hint(format!(
            "apt-get install postgresql{package}   (dnf: postgresql-server, brew: postgresql@{})",
            major.unwrap_or(18)
        ))
        .hint(format!("in a checkout of dbctl: cargo xtask pg {}", major.unwrap_or(18)))
        .hint(format!("or say where they are: {BIN_VARIABLE}=/path/to/bin"))
}

/// Every folder that may hold a server, in order of preference, each once.
fn candidates(env: &Env) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let real = named_folders(env).into_iter().filter_map(|folder| real_bin_dir(&folder));
    real.filter(|folder| seen.insert(folder.clone())).collect()
}

/// Every folder that may hold client programs, in order of preference, each once.
pub(in crate::pg) fn client_folders(env: &Env) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let real = named_folders(env).into_iter().filter_map(|folder| folder.canonicalize().ok());
    real.filter(|folder| folder.is_dir() && seen.insert(folder.clone())).collect()
}

fn named_folders(env: &Env) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = env.get(BIN_VARIABLE).map(PathBuf::from).into_iter().collect();
    folders.extend(env.get("PATH").into_iter().flat_map(std::env::split_paths));
    for (parent, prefix) in [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/opt/homebrew/opt", "postgresql@"),
        ("/usr/local/opt", "postgresql@"),
    ] {
        folders.extend(versions_in(Path::new(parent), prefix));
    }
    folders.push(PathBuf::from("/usr/local/pgsql/bin"));
    if let Some(home) = home(env) {
        folders.extend(versions_in(home, ""));
    }
    folders.retain(|folder| folder.is_absolute());
    folders
}

/// Where the programs really are: a folder on PATH often holds links to some of them only.
fn real_bin_dir(folder: &Path) -> Option<PathBuf> {
    let server = folder.join("postgres").canonicalize().ok()?;
    let real = server.parent()?;
    let whole = real.join("initdb").is_file();
    Some(if whole { real.to_owned() } else { folder.to_owned() })
}

/// `<parent>/<prefix><major>/bin`, the newest first; special builds (`vector-16`) are not taken for ordinary ones.
fn versions_in(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let named = subfolders(parent, prefix).into_iter().filter_map(|(rest, bin)| Some((rest.parse::<u32>().ok()?, bin)));
    let mut named: Vec<(u32, PathBuf)> = named.collect();
    named.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    named.into_iter().map(|(_, bin)| bin).collect()
}

/// The `bin` folders of the folders whose name begins with `prefix`, each with the rest of the name.
fn subfolders(parent: &Path, prefix: &str) -> Vec<(String, PathBuf)> {
    let names = std::fs::read_dir(parent).into_iter().flatten();
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut found: Vec<(String, PathBuf)> = names
        .filter_map(|name| Some((name.strip_prefix(prefix)?.to_owned(), parent.join(&name).join("bin"))))
        .collect();
    found.sort();
    found
}

fn printed_by(program: &Path, argument: &str) -> Option<String> {
    let mut command = Command::new(program);
    command.arg(argument).current_dir("/").stdin(Stdio::null());
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// `postgres (PostgreSQL) 18.6` -> 18 and `18.6`; betas (`19beta1`) too.
pub(in crate::pg) fn parse_version(printed: &str) -> Option<(u32, String)> {
    let version = printed.split_once(") ")?.1.trim();
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    Some((digits.parse().ok()?, version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_releases_packages_and_betas_are_read() {
        assert_eq!(parse_version("postgres (PostgreSQL) 18.6"), Some((18, "18.6".to_owned())));
        assert_eq!(
            parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"),
            Some((15, "15.18 (Debian 15.18-0+deb12u1)".to_owned()))
        );
        assert_eq!(parse_version("postgres (PostgreSQL) 19beta1"), Some((19, "19beta1".to_owned())));
        assert_eq!(parse_version("mysqld 8"), None);
    }

    #[test]
    fn the_newest_version_comes_first_and_special_builds_are_left_out() {
        let home = tempfile::tempdir().unwrap();
        for name in ["9", "18", "vector-18", "16"] {
            std::fs::create_dir_all(home.path().join(name).join("bin")).unwrap();
        }
        let names: Vec<String> = versions_in(home.path(), "")
            .iter()
            .map(|bin| bin.strip_prefix(home.path()).unwrap().display().to_string())
            .collect();
        assert_eq!(names, ["18/bin", "16/bin", "9/bin"]);
    }

    #[test]
    fn a_machine_without_a_server_says_which_package_to_install() {
        let failure = missing(Some(17), &[]);
        assert!(failure.to_string().contains("apt-get install postgresql-17"), "{failure}");
        assert!(failure.to_string().contains("cargo xtask pg 17"), "{failure}");
    }

    #[test]
    fn a_named_folder_without_a_server_is_an_error_not_ignored() {
        let env: Env = [(BIN_VARIABLE, "/nowhere/bin")].into_iter().collect();
        let failure = pick(None, None, &env).unwrap_err();
        assert!(failure.to_string().contains("/nowhere/bin (DBCTL_PG_BIN)"), "{failure}");
    }
}

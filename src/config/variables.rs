//! THE list of the DBCTL_ variables. Whoever reads one names it here first.

use super::env::Env;
use super::nearest::nearest;

/// A variable that dbctl reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it sets, as help texts say it.
    pub meaning: &'static str,
    /// The flag that beats it, where there is one.
    pub flag: Option<&'static str>,
}

const fn variable(name: &'static str, meaning: &'static str, flag: Option<&'static str>) -> Variable {
    Variable { name, meaning, flag }
}

/// All of them, sorted by name.
pub const VARIABLES: &[Variable] = &[
    variable("DBCTL_ARCHIVE_IDENTITY", "file with the age identities that open encrypted archives", None),
    variable("DBCTL_BACKUP_PASSPHRASE", "passphrase that locks and opens backups", Some("--passphrase-file")),
    variable("DBCTL_CACHE_DIR", "folder for the sandboxes' templates", None),
    variable("DBCTL_COLOR", "auto, always or never", Some("--color")),
    variable("DBCTL_CONFIG", "the config file", Some("--config")),
    variable("DBCTL_FORMAT", "table, json, ndjson, csv, yaml or markdown", Some("--format")),
    variable("DBCTL_LOCK_PATIENCE", "how long all attempts at a lock may take together", Some("--lock-patience")),
    variable("DBCTL_LOCK_TIMEOUT", "how long one attempt at a lock may take", Some("--lock-timeout")),
    variable("DBCTL_LOCK_WAIT", "how long to wait for another run of dbctl to end", Some("--lock-wait")),
    variable("DBCTL_NO_PROGRESS", "1 draws no progress bars", Some("--no-progress")),
    variable("DBCTL_PG_BIN", "bin folder of the PostgreSQL server to use before all others", None),
    variable("DBCTL_PG_HOME", "folder with PostgreSQL servers: MAJOR/bin", None),
    variable("DBCTL_SANDBOX_DIR", "folder in which sandboxes are made", None),
    variable("DBCTL_STATEMENT_TIMEOUT", "how long one statement may take, 0 for no limit", Some("--statement-timeout")),
    variable("DBCTL_TARGET", "target names, separated by commas", Some("--target")),
];

/// Variables of the tests, which the binary does not read.
const OF_TESTS: &str = "DBCTL_TEST_";

/// A warning for each variable that looks like ours but is none: a setting that silently does nothing.
pub fn warnings(env: &Env) -> Vec<String> {
    let known = || VARIABLES.iter().map(|variable| variable.name);
    let ours = env.names().filter(|name| name.starts_with("DBCTL_") && !name.starts_with(OF_TESTS));
    let unknown = ours.filter(|name| !known().any(|known| known == *name));
    let warning = |name: &str| {
        let shown = crate::output::visible(name);
        match nearest(name, known()) {
            Some(near) => format!("the variable {shown} has no effect; did you mean {near}?"),
            None => format!("the variable {shown} has no effect: dbctl knows none of that name"),
        }
    };
    unknown.map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_has_no_duplicates() {
        assert!(VARIABLES.is_sorted_by(|a, b| a.name < b.name));
    }

    #[test]
    fn a_mistyped_variable_is_named() {
        let env = Env::from_iter([
            ("DBCTL_LOCK_TIMEOUT", "3s"),
            ("DBCTL_LOCKTIMEOUT", "3s"),
            ("DBCTL_BANANA", "1"),
            ("DBCTL_TEST_MATRIX", "1"),
            ("PATH", "/bin"),
        ]);
        insta::assert_snapshot!(warnings(&env).join("\n"), @r"
        the variable DBCTL_BANANA has no effect: dbctl knows none of that name
        the variable DBCTL_LOCKTIMEOUT has no effect; did you mean DBCTL_LOCK_TIMEOUT?
        ");
    }
}

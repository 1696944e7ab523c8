//! Which source wins, which databases are meant, and what is refused.

use super::*;

const FILE: &str = "\
targets:
  dev:
    url: postgres://app:hunter2@localhost/shop
    system: bridge
  prod:
    url: ${PROD_URL}
    tags: [eu]
    protected: true
defaults:
  lock_timeout: 1s
  format: json
";

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(text: &str) -> Folder {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("dbctl.yaml"), text).unwrap();
        Folder(folder)
    }

    fn resolve(&self, flags: &Overrides, variables: &[(&str, &str)]) -> Result<Settings> {
        Settings::resolve(flags, &variables.iter().copied().collect(), self.0.path())
    }
}

fn wanted(names: &[&str]) -> Overrides {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Overrides { wanted: Wanted { names, ..Wanted::default() }, ..Overrides::default() }
}

#[test]
fn a_flag_beats_a_variable_beats_the_file_beats_the_default() {
    let folder = Folder::with(FILE);
    let mut flags = Overrides::default();
    let variable = [("DBCTL_LOCK_TIMEOUT", "2s"), ("DBCTL_NO_PROGRESS", "1")];
    let settings = folder.resolve(&flags, &[]).unwrap();
    assert_eq!(settings.lock_timeout.value, Duration::from_secs(1));
    assert!(matches!(settings.lock_timeout.origin, Origin::File { line: Some(10), .. }));
    assert_eq!(settings.lock_patience, Setting { value: Duration::from_secs(120), origin: Origin::Default });
    let settings = folder.resolve(&flags, &variable).unwrap();
    let origin = Origin::Variable("DBCTL_LOCK_TIMEOUT");
    assert_eq!(settings.lock_timeout, Setting { value: Duration::from_secs(2), origin });
    assert!(!settings.progress.value);
    flags.lock_timeout = Some(Duration::from_secs(3));
    let settings = folder.resolve(&flags, &variable).unwrap();
    assert_eq!(settings.lock_timeout, Setting { value: Duration::from_secs(3), origin: Origin::Flag });
}

#[test]
fn without_a_target_the_url_or_psqls_own_database_is_meant() {
    let folder = Folder::with(FILE);
    let only = |settings: Settings| settings.targets().unwrap().remove(0);
    let url = |settings: Settings| only(settings).conninfo.map(|url| url.reveal().to_owned());
    let none = Overrides::default();
    let flag = Overrides { database_url: Some(Secret::new("postgres://flag")), ..Overrides::default() };
    assert_eq!(url(folder.resolve(&none, &[]).unwrap()), None);
    assert_eq!(url(folder.resolve(&none, &[("DATABASE_URL", "postgres://env")]).unwrap()).unwrap(), "postgres://env");
    let both = [("DATABASE_URL", "postgres://env"), ("DBCTL_TARGET", "dev")];
    assert_eq!(only(folder.resolve(&none, &both).unwrap()).name.unwrap(), "dev");
    assert_eq!(url(folder.resolve(&flag, &both).unwrap()).unwrap(), "postgres://flag");
    assert_eq!(only(folder.resolve(&wanted(&["dev"]), &both[..1]).unwrap()).name.unwrap(), "dev");
}

#[test]
fn what_makes_no_sense_is_refused_with_its_name() {
    let folder = Folder::with(FILE);
    let empty = Folder(tempfile::tempdir().unwrap());
    let clash = Overrides { database_url: Some(Secret::new("x")), ..wanted(&["dev"]) };
    let missing = Overrides { config: Some("/no/such.yaml".into()), ..Overrides::default() };
    let none = Overrides::default();
    let failures = [
        folder.resolve(&clash, &[]).unwrap_err(),
        folder.resolve(&none, &[("DBCTL_LOCK_WAIT", "soon")]).unwrap_err(),
        folder.resolve(&none, &[("DBCTL_FORMAT", "jsn")]).unwrap_err(),
        folder.resolve(&none, &[("DBCTL_NO_PROGRESS", "maybe")]).unwrap_err(),
        folder.resolve(&none, &[("DBCTL_TARGET", "dev,,prod")]).unwrap_err(),
        folder.resolve(&none, &[("DBCTL_TARGET", "dve")]).unwrap().targets().unwrap_err(),
        empty.resolve(&wanted(&["dev"]), &[]).unwrap().targets().unwrap_err(),
        folder.resolve(&wanted(&["prod"]), &[]).unwrap().targets().unwrap_err(),
        folder.resolve(&missing, &[]).unwrap_err(),
    ];
    let text = failures.map(|failure| format!("{failure}  [{}]", failure.what().outcome().code())).join("\n\n");
    insta::assert_snapshot!(text.replace(&folder.0.path().display().to_string(), "."), @r"
    error: --database-url and --target exclude each other
    hint: a URL is a target of its own: drop one of the two  [64]

    error: DBCTL_LOCK_WAIT: 'soon' is not a duration: a number is missing; write it like 500ms, 3s, 5min, 1h or 7d  [64]

    error: DBCTL_FORMAT: 'jsn' is not one of table, json, ndjson, csv, yaml, markdown  [64]

    error: DBCTL_NO_PROGRESS: 'maybe' is neither 1 nor 0  [64]

    error: DBCTL_TARGET: 'dev,,prod' has an empty name
    hint: write it like DBCTL_TARGET=dev,prod  [64]

    error: no target is named 'dve'
    hint: did you mean --target dev?
    hint: known: dev, prod
    hint: the name comes from the variable DBCTL_TARGET  [64]

    error: there is no config file that could name targets
    hint: 'dbctl init' writes a sample; --config FILE or DBCTL_CONFIG names another  [64]

    error: ./dbctl.yaml:6:10: the environment variable PROD_URL is not set (targets.prod.url needs it)
     --> ./dbctl.yaml:6:10
      |
    6 |     url: ${PROD_URL}
      |          ^^^^^^^^^^^ export PROD_URL=... before dbctl runs  [65]

    error: cannot read /no/such.yaml
      caused by: No such file or directory (os error 2)
    hint: --config FILE and DBCTL_CONFIG name another file; 'dbctl init' writes a sample  [65]
    ");
}

#[test]
fn notes_name_variables_without_effect() {
    let settings = Folder::with("").resolve(&Overrides::default(), &[("DBCTL_TARGETS", "dev")]).unwrap();
    assert_eq!(settings.notes, ["the variable DBCTL_TARGETS has no effect; did you mean DBCTL_TARGET?"]);
}

#[test]
fn show_says_what_is_in_effect_and_keeps_secrets() {
    use crate::config::show::{Request, run};
    use crate::config::yaml::Source;
    use crate::output::{Style, render};
    let resolve = |variable: (&str, &str)| {
        let env = Env::from_iter([variable]);
        let source = Source::new(Path::new("dbctl.yaml"), FILE.as_bytes().to_vec()).unwrap();
        let flags = Overrides { jobs: Some(4), ..wanted(&["dev"]) };
        Settings::with_file(&flags, &env, Some(ConfigFile::read(source, &env).unwrap())).unwrap()
    };
    let env = Env::default();
    let settings = resolve(("DBCTL_LOCK_WAIT", "90s"));
    let shown = |document, format| {
        let mut out = Vec::new();
        render(&document, format, &Style::resolve(Color::Auto, false, None, |name| env.get(name)), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    insta::assert_snapshot!(shown(run(Request::Show, &settings).unwrap(), Format::Table), @r"
    config file:  dbctl.yaml

    setting            value         from
    -----------------  ------------  ---------------
    target             --target dev  flag
    database_url                     default
    lock_timeout       1s            dbctl.yaml:10
    lock_patience      2min          default
    statement_timeout  0             default
    lock_wait          1min30s       DBCTL_LOCK_WAIT
    jobs               4             flag
    format             json          dbctl.yaml:11
    color              auto          default
    progress           true          default

    target  connection                       migrations     role     tags  protected
    ------  -------------------------------  -------------  -------  ----  ---------
    dev     postgres://app:****@localhost/s  system bridge  primary        no
            hop
    prod    UNKNOWN                                         primary  eu    yes

    note: the environment variable PROD_URL is not set (targets.prod.url needs it)
    ");
    for format in Format::NAMES {
        assert!(!shown(run(Request::Show, &settings).unwrap(), format.parse().unwrap()).contains("hunter2"));
    }
    let failure = run(Request::Check, &settings).unwrap_err();
    assert_eq!(failure.what(), Kind::Invalid);
    let settings = resolve(("PROD_URL", "postgres://x"));
    insta::assert_snapshot!(shown(run(Request::Check, &settings).unwrap(), Format::Table), @r"
    config file:          dbctl.yaml
    targets in the file:  2
    chosen now:           dev
    ");
}

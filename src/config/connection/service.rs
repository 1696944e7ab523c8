//! The service file (PostgreSQL documentation, 34.17): connection parameters under a `[name]`.

use std::fs;
use std::path::{Path, PathBuf};

use super::keywords::{Origin, Settings, find, unknown};
use crate::config::env::Env;
use crate::error::{Explain, Failure, Kind, Result};

/// Fills in what the service says and the connection string does not, where a service is named by
/// `service=` or PGSERVICE.
pub(super) fn fill(settings: &mut Settings, env: &Env, home: Option<&Path>) -> Result<()> {
    let Some(name) = settings.get("service").or_else(|| env.get("PGSERVICE")).map(str::to_owned) else {
        return Ok(());
    };
    let named = settings.get("servicefile").or_else(|| env.get("PGSERVICEFILE")).map(PathBuf::from);
    if let Some(file) = named.as_deref().filter(|file| !file.exists()) {
        return Err(Failure::new(Kind::Invalid, format_args!("service file {} not found", file.display())));
    }
    let own = named.or_else(|| home.map(|home| home.join(".pg_service.conf")));
    let system = env.get("PGSYSCONFDIR").unwrap_or("/etc/postgresql-common");
    let files: Vec<PathBuf> = own.into_iter().chain([Path::new(system).join("pg_service.conf")]).collect();
    for file in files.iter().filter(|file| file.exists()) {
        let text =
            fs::read(file).explain(Kind::Invalid, format_args!("cannot read service file {}", file.display()))?;
        if section(&String::from_utf8_lossy(&text), &name, file, settings)? {
            return Ok(());
        }
    }
    let places = files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(" or ");
    Err(Failure::new(Kind::Usage, format_args!("service {name:?} is not defined in {places}"))
        .hint(format_args!("add a section [{name}] with host=, port=, user= and dbname= lines, or unset PGSERVICE")))
}

/// Takes the values of one section; false where the file does not have it.
fn section(text: &str, name: &str, file: &Path, settings: &mut Settings) -> Result<bool> {
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            if inside {
                return Ok(true);
            }
            inside = header.strip_suffix(']') == Some(name);
            continue;
        }
        if !inside {
            continue;
        }
        let at = format!("service file {} line {}", file.display(), number + 1);
        let Some((key, value)) = line.split_once('=') else {
            return Err(Failure::new(Kind::Invalid, format_args!("{at}: no \"=\""))
                .hint("a line reads keyword=value; LDAP lookups are not supported"));
        };
        if key != key.trim() || value != value.trim_start() {
            return Err(Failure::new(Kind::Invalid, format_args!("{at}: blanks around \"=\" are not allowed")));
        }
        if key == "service" || key == "servicefile" {
            return Err(Failure::new(Kind::Invalid, format_args!("{at}: a service cannot name another service")));
        }
        if find(key).is_none() {
            return Err(unknown(key).kind(Kind::Invalid).context(at));
        }
        settings.set_default(key, value, Origin::Service(name.to_owned())).map_err(|e| e.context(at))?;
    }
    Ok(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# mine\n[first]\nhost=a\nport=1\n\n[second]\n  host=b \n dbname=x=y\n[second]\nhost=c\n[bad]\nhots=a\n[worse]\nhost = a\n[nested]\nservice=first\n[empty]";

    fn read(name: &str) -> Result<(bool, Settings)> {
        let mut settings = Settings::default();
        Ok((section(FILE, name, Path::new("f"), &mut settings)?, settings))
    }

    #[test]
    fn only_the_named_section_counts_and_its_first_definition() {
        let (found, settings) = read("second").unwrap();
        assert!(found);
        assert_eq!(settings.get("host"), Some("b"));
        assert_eq!(settings.get("dbname"), Some("x=y"));
        assert_eq!(settings.get("port"), None);
        assert!(!read("third").unwrap().0);
        assert!(read("empty").unwrap().0);
    }

    #[test]
    fn mistakes_name_the_line() {
        for (name, message) in [("bad", "line 12"), ("worse", "blanks around"), ("nested", "another service")] {
            let failure = read(name).map(|_| ()).unwrap_err();
            assert_eq!(failure.what(), Kind::Invalid);
            assert!(failure.to_string().contains(message), "{failure}");
        }
    }
}

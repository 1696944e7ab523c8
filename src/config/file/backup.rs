//! `backup:` of the config file: where backups lie, of what, and how long they are kept.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;

use crate::backup::retention::Keep;
use crate::config::duration::{parse_age, show_duration};
use crate::config::yaml::{Field, Reader, Source};

const KEYS: &[&str] = &[
    "to",
    "also",
    "targets",
    "recipients",
    "identity",
    "passphrase_file",
    "jobs",
    "keep",
    "max_age",
    "min_age",
    "zone",
];
const KEEP_KEYS: &[&str] = &["last", "daily", "weekly", "monthly", "yearly", "within"];

/// What `dbctl backup` and `dbctl restore` do where no flag says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileBackup {
    /// The repository: a URL, or a folder, relative to the file.
    pub to: Option<String>,
    /// Second places.
    pub also: Vec<String>,
    /// The targets that are backed up where none is named.
    pub targets: Vec<String>,
    /// age keys to which is encrypted.
    pub recipients: Vec<String>,
    /// The age identity that opens backups.
    pub identity: Option<PathBuf>,
    /// Where the passphrase is that locks and opens backups.
    pub passphrase_file: Option<PathBuf>,
    /// How many tables at once.
    pub jobs: Option<u32>,
    /// Which backups stay.
    pub keep: Keep,
    /// How old the newest backup may be.
    pub max_age: Option<Duration>,
    /// What is younger is not removed.
    pub min_age: Option<Duration>,
    /// Where a day begins.
    pub zone: Option<Tz>,
}

impl FileBackup {
    /// Reads the section; `targets` are those of the file.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Field<'_>, source: &Source, targets: &[&str]) -> FileBackup {
        let fields = reader.fields(section, KEYS);
        let folder = source.path().parent().unwrap_or(Path::new(""));
        let place = |text: String| match text.contains("://") {
            true => text,
            false => folder.join(text).display().to_string(),
        };
        let mut texts = |key: &str| -> Vec<(Field<'_>, String)> {
            let items = fields.get(key).map(|field| reader.items(field)).unwrap_or_default();
            items.into_iter().filter_map(|item| reader.text(&item).map(|text| (item, text))).collect()
        };
        let only = |texts: Vec<(Field<'_>, String)>| texts.into_iter().map(|(_, text)| text).collect::<Vec<String>>();
        let also = only(texts("also")).into_iter().map(place).collect();
        let (recipients, named) = (only(texts("recipients")), texts("targets"));
        for (field, name) in &named {
            if !targets.contains(&name.as_str()) {
                reader.refuse(field, format!("{}: there is no target of that name", field.name), None);
            }
        }
        let to = fields.get("to").and_then(|field| reader.text(field)).map(place);
        let mut file = |key: &str| fields.get(key).and_then(|field| reader.text(field)).map(|path| folder.join(path));
        let (identity, passphrase_file) = (file("identity"), file("passphrase_file"));
        if let (Some(field), false) = (fields.get("passphrase_file"), recipients.is_empty()) {
            let message = format!("{}: recipients lock backups already", field.name);
            reader.refuse_key(field, message, Some("keep one of the two".to_owned()));
        }
        let jobs = fields.get("jobs").and_then(|field| reader.whole(field, 1..=64));
        let mut age = |key: &str| fields.get(key).and_then(|field| reader.parsed(field, parse_age));
        FileBackup {
            to,
            also,
            targets: only(named),
            recipients,
            identity,
            passphrase_file,
            jobs,
            max_age: age("max_age"),
            min_age: age("min_age"),
            keep: fields.get("keep").map(|field| read_keep(reader, field)).unwrap_or_default(),
            zone: fields.get("zone").and_then(|field| reader.parsed(field, parse_zone)),
        }
    }
}

impl FileBackup {
    /// What is said, as text, in the order of the keys.
    pub fn said(&self) -> Vec<(&'static str, String)> {
        let list = |all: &[String]| (!all.is_empty()).then(|| all.join(", "));
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let time = |time: Option<Duration>| time.map(show_duration);
        let all = [
            ("backup.to", self.to.clone()),
            ("backup.also", list(&self.also)),
            ("backup.targets", list(&self.targets)),
            ("backup.recipients", list(&self.recipients)),
            ("backup.identity", path(&self.identity)),
            ("backup.passphrase_file", path(&self.passphrase_file)),
            ("backup.jobs", self.jobs.map(|jobs| jobs.to_string())),
            ("backup.keep", keep_said(&self.keep)),
            ("backup.max_age", time(self.max_age)),
            ("backup.min_age", time(self.min_age)),
            ("backup.zone", self.zone.map(|zone| zone.name().to_owned())),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }
}

fn keep_said(keep: &Keep) -> Option<String> {
    let &Keep { last, daily, weekly, monthly, yearly, within } = keep;
    let counted = [("last", last), ("daily", daily), ("weekly", weekly), ("monthly", monthly), ("yearly", yearly)];
    let mut words: Vec<String> =
        counted.iter().filter(|(_, many)| *many > 0).map(|(word, many)| format!("{word} {many}")).collect();
    words.extend(within.map(|within| format!("within {}", show_duration(within))));
    (!words.is_empty()).then(|| words.join(", "))
}

fn read_keep(reader: &mut Reader<'_>, section: &Field<'_>) -> Keep {
    let fields = reader.fields(section, KEEP_KEYS);
    let mut many = |key: &str| {
        let number = fields.get(key).and_then(|field| reader.whole(field, 0..=100_000));
        number.map_or(0, |number| number as usize)
    };
    Keep {
        last: many("last"),
        daily: many("daily"),
        weekly: many("weekly"),
        monthly: many("monthly"),
        yearly: many("yearly"),
        within: fields.get("within").and_then(|field| reader.parsed(field, parse_age)),
    }
}

/// A time zone by its name.
///
/// # Errors
/// What would be one.
pub fn parse_zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| "no time zone of that name; for example UTC or America/Sao_Paulo".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::env::Env;
    use crate::config::file::ConfigFile;

    fn read(text: &str) -> crate::error::Result<FileBackup> {
        let source = Source::new(Path::new("/etc/dbctl/dbctl.yaml"), text.as_bytes().to_vec()).unwrap();
        ConfigFile::read(source, &Env::from_iter([("BUCKET", "s3://b/here")])).map(|file| file.backup)
    }

    #[test]
    fn places_are_relative_to_the_file_and_rules_are_numbers() {
        let backup = read(
            "targets: {bridge: {url: \"postgres://a\"}, chatwoot: {url: \"postgres://b\"}}\nbackup:\n  to: backups\n  also: [\"${BUCKET}\"]\n  \
             targets: [bridge, chatwoot]\n  recipients: [age1x]\n  identity: key.txt\n  \
             keep: {daily: 30, monthly: 12, within: 7d}\n  max_age: 26h\n  zone: America/Sao_Paulo\n  jobs: 2\n",
        )
        .unwrap();
        assert_eq!(backup.to.as_deref(), Some("/etc/dbctl/backups"));
        assert_eq!(backup.also, ["s3://b/here"]);
        assert_eq!((backup.targets.len(), backup.identity), (2, Some(PathBuf::from("/etc/dbctl/key.txt"))));
        assert_eq!((backup.keep.daily, backup.keep.monthly, backup.keep.weekly), (30, 12, 0));
        assert_eq!(backup.keep.within, Some(Duration::from_secs(7 * 86_400)));
        assert_eq!((backup.max_age, backup.min_age), (Some(Duration::from_secs(26 * 3600)), None));
        assert_eq!(backup.zone, Some(Tz::America__Sao_Paulo));
        assert_eq!((backup.jobs, backup.passphrase_file), (Some(2), None));
        let locked = read("backup: {passphrase_file: ../words}\n").unwrap();
        assert_eq!(locked.passphrase_file, Some(PathBuf::from("/etc/dbctl/../words")));
        assert_eq!(read("backup:\n").unwrap(), FileBackup::default());
    }

    #[test]
    fn what_is_wrong_is_shown_at_its_line() {
        let failure = read(
            "backup:\n  targets: [shop]\n  keep: {dayly: 3, monthly: many}\n  zone: Sao_Paulo\n  jobs: 0\n  \
             recipients: [age1x]\n  passphrase_file: p\n",
        );
        insta::assert_snapshot!(failure.unwrap_err());
    }
}

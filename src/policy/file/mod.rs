//! `partitions.yaml`: what may stand in it, with every mistake shown at its place. Knows the file's
//! shape; does not know the database.

mod archive;
mod floors;
mod hold;
mod rows;
mod settings;
mod table;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::shape::{DEFAULTS, Form, SYSTEM, Shape, TOP};
use super::{At, Policy};
use crate::config::env::Env;
use crate::config::nearest;
use crate::config::yaml::{Field, Fields, Finding, Node, Reader, Source};
use crate::error::{Explain, Failure, Kind, Result};
use crate::migrate::embedded::SYSTEMS;
use crate::output::visible;
use settings::Settings;
use table::Around;

/// What [`Source`] takes; one byte more is enough for it to refuse.
const LARGEST: u64 = (1 << 20) + 1;

/// Reads a file, or every `*.yaml` and `*.yml` of a folder as one policy.
///
/// # Errors
/// Invalid, with every mistake at its line.
pub fn open(path: &Path, env: &Env) -> Result<Policy> {
    let mut texts = Vec::new();
    for path in files(path)? {
        let doing = format!("cannot read {}", visible(&path.display().to_string()));
        let file = std::fs::File::open(&path).explain(Kind::Invalid, &doing).map_err(with_hint)?;
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes).explain(Kind::Invalid, &doing).map_err(with_hint)?;
        texts.push((path, bytes));
    }
    read(texts, env)
}

fn with_hint(failure: Failure) -> Failure {
    failure.hint("--policy FILE names another file, or a folder of them")
}

fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let shown = visible(&path.display().to_string());
    let doing = format!("cannot read the folder {shown}");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).explain(Kind::Invalid, &doing)? {
        let file = entry.explain(Kind::Invalid, &doing)?.path();
        let hidden = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_yaml = file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        if is_yaml && !hidden && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(with_hint(Failure::new(Kind::Invalid, format!("{shown} holds no *.yaml"))));
    }
    Ok(files)
}

/// The policy that dbctl brings along for its embedded systems.
///
/// # Errors
/// Invalid where a variable that it refers to is not set.
pub fn shipped() -> Result<Policy> {
    let text = include_str!("../../../partitions.yaml");
    read(vec![(PathBuf::from("partitions.yaml"), text.as_bytes().to_vec())], &Env::default())
}

/// One text as a policy, for tests.
#[cfg(test)]
pub(crate) fn of_text(text: &str) -> Result<Policy> {
    read(vec![(PathBuf::from("partitions.yaml"), text.as_bytes().to_vec())], &Env::default())
}

/// Paths and their bytes as one policy.
fn read(texts: Vec<(PathBuf, Vec<u8>)>, env: &Env) -> Result<Policy> {
    let mut hash = Sha256::new();
    let mut sources = Vec::new();
    for (path, bytes) in texts {
        hash.update(&bytes);
        sources.push(Source::new(&path, bytes)?);
    }
    let nodes: Vec<Node> = sources.iter().map(Source::read).collect::<Result<_>>()?;
    let hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut draft = Draft::new(sources, hash, env);
    draft.read(&nodes);
    draft.finish()
}

/// A policy that is being read.
struct Draft<'e> {
    /// One for each file.
    readers: Vec<Reader<'e>>,
    defaults: Settings,
    holds_at: HashMap<String, At>,
    policy: Policy,
}

impl<'e> Draft<'e> {
    fn new(sources: Vec<Source>, hash: String, env: &'e Env) -> Draft<'e> {
        Draft {
            readers: sources.iter().map(|_| Reader::new(env)).collect(),
            defaults: Settings::of_dbctl(),
            holds_at: HashMap::new(),
            policy: Policy {
                sources,
                archives: BTreeMap::new(),
                holds: Vec::new(),
                floors: Vec::new(),
                tables: Vec::new(),
                rows: Vec::new(),
                hash,
            },
        }
    }

    fn read(&mut self, nodes: &[Node]) {
        let tops: Vec<Fields<'_>> =
            nodes.iter().zip(&mut self.readers).map(|(node, reader)| map(reader, &Field::root(node), &TOP)).collect();
        let version = |text: &str| match text {
            "1" => Ok(()),
            _ => Err(format!("'{}' is not known: this dbctl reads version: 1", visible(text))),
        };
        for (top, reader) in tops.iter().zip(&mut self.readers) {
            if let Some(field) = top.get("version") {
                reader.parsed(field, version);
            }
        }
        // What others refer to comes first, wherever it stands.
        self.read_defaults(&tops);
        for (file, top) in tops.iter().enumerate() {
            self.read_archives(file, top);
        }
        for (file, top) in tops.iter().enumerate() {
            self.read_entries(file, top, None);
            let systems = top.get("systems").map(|field| self.readers[file].entries(field)).unwrap_or_default();
            for entry in &systems {
                self.check_system(file, entry);
                let fields = map(&mut self.readers[file], entry, &SYSTEM);
                self.read_entries(file, &fields, Some(&entry.key));
            }
        }
    }

    /// Those of all files together; none of them twice.
    fn read_defaults(&mut self, tops: &[Fields<'_>]) {
        let mut given: HashMap<&str, At> = HashMap::new();
        for (file, top) in tops.iter().enumerate() {
            let Some(field) = top.get("defaults") else { continue };
            let fields = map(&mut self.readers[file], field, &DEFAULTS);
            for key in DEFAULTS.names() {
                let Some(field) = fields.get(key) else { continue };
                match given.get(key) {
                    Some(before) => self.refuse_twice(file, field, &field.name, &before.clone()),
                    None => drop(given.insert(key, at(file, field))),
                }
            }
            self.defaults = self.defaults.with(&mut self.readers[file], &fields);
        }
    }

    fn read_archives(&mut self, file: usize, top: &Fields<'_>) {
        let entries = top.get("archives").map(|field| self.readers[file].entries(field)).unwrap_or_default();
        for entry in &entries {
            let archive = archive::read(&mut self.readers[file], entry, at(file, entry));
            match self.policy.archives.get(&entry.key).map(|before| before.at.clone()) {
                Some(before) => self.refuse_twice(file, entry, &entry.name, &before),
                None => drop(self.policy.archives.insert(entry.key.clone(), archive)),
            }
        }
    }

    /// What may stand at the top and under a system.
    fn read_entries(&mut self, file: usize, fields: &Fields<'_>, system: Option<&str>) {
        let holds = fields.get("holds").map(|field| self.readers[file].items(field)).unwrap_or_default();
        for item in &holds {
            let Some(hold) = hold::hold(&mut self.readers[file], item, system) else { continue };
            match self.holds_at.get(&hold.id) {
                Some(before) => {
                    let name = format!("the hold {}", visible(&hold.id));
                    self.refuse_twice(file, item, &name, &before.clone());
                }
                None => drop(self.holds_at.insert(hold.id.clone(), at(file, item))),
            }
            self.policy.holds.push(hold);
        }
        let floors = fields.get("floors").map(|field| self.readers[file].items(field)).unwrap_or_default();
        for item in &floors {
            let floor = hold::floor(&mut self.readers[file], item, system, at(file, item));
            self.policy.floors.extend(floor);
        }
        let tables = fields.get("tables").map(|field| self.readers[file].entries(field)).unwrap_or_default();
        for entry in &tables {
            let around = Around { defaults: &self.defaults, archives: &self.policy.archives, system };
            let Some(table) = table::read(&mut self.readers[file], entry, around, at(file, entry)) else { continue };
            let twice = |before: &&super::TablePolicy| {
                before.table == table.table && floors::share_a_database(&before.system, &table.system)
            };
            match self.policy.tables.iter().find(twice).map(|before| before.at.clone()) {
                Some(before) => self.refuse_twice(file, entry, &entry.name, &before),
                None => self.policy.tables.push(table),
            }
        }
        let rows = fields.get("rows").map(|field| self.readers[file].entries(field)).unwrap_or_default();
        for entry in &rows {
            let around = Around { defaults: &self.defaults, archives: &self.policy.archives, system };
            let Some((job, floor)) = rows::read(&mut self.readers[file], entry, around, at(file, entry)) else {
                continue;
            };
            let twice = |before: &&super::RowJob| {
                before.name == job.name && floors::share_a_database(&before.system, &job.system)
            };
            match self.policy.rows.iter().find(twice).map(|before| before.at.clone()) {
                Some(before) => self.refuse_twice(file, entry, &entry.name, &before),
                None => {
                    self.policy.floors.extend(floor);
                    self.policy.rows.push(job);
                }
            }
        }
    }

    fn check_system(&mut self, file: usize, entry: &Field<'_>) {
        let names = || SYSTEMS.iter().map(|system| system.name);
        if names().any(|name| name == entry.key) {
            return;
        }
        let advice = match nearest(&entry.key, names()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => {
                format!("known are {}; what applies everywhere goes to the top", names().collect::<Vec<_>>().join(", "))
            }
        };
        let message = format!("there is no embedded system '{}'", visible(&entry.key));
        self.readers[file].refuse_key(entry, message, Some(advice));
    }

    /// A second entry that the first one leaves no room for.
    fn refuse_twice(&mut self, file: usize, field: &Field<'_>, name: &str, before: &At) {
        let source = &self.policy.sources[before.file];
        let line = source.line(&before.place).map(|line| format!(":{line}")).unwrap_or_default();
        let place = format!("{}{line}", visible(&source.path().display().to_string()));
        let message = format!("{name} is given twice: {place} has it as {}", before.name);
        self.readers[file].refuse_key(field, message, Some("remove one".to_owned()));
    }

    /// Jobs that go by partitions of a table whose entry is there: the age must be that of its key.
    fn check_once_per_partition(&mut self) {
        for job in self.policy.rows.iter().filter(|job| job.once_per_partition) {
            let Some(age) = &job.age else { continue };
            let table = self
                .policy
                .tables
                .iter()
                .find(|entry| entry.table == job.table && floors::share_a_database(&entry.system, &job.system));
            let Some(table) = table.filter(|table| table.key != age.column) else { continue };
            let message = format!(
                "{}: once_per_partition goes by {}, the partition key, but age by {}",
                job.at.name, table.key, age.column
            );
            let advice = Some(format!("write age: {{column: {}, ...}}, or remove once_per_partition", table.key));
            let finding = Finding { place: job.at.place.clone(), part: None, message, advice };
            self.readers[job.at.file].findings.push(finding);
        }
    }

    fn finish(mut self) -> Result<Policy> {
        self.check_once_per_partition();
        for (file, finding) in floors::broken(&self.policy) {
            self.readers[file].findings.push(finding);
        }
        let mut failures = Vec::new();
        for (source, mut reader) in self.policy.sources.iter().zip(self.readers) {
            reader.findings.append(&mut reader.unset);
            if !reader.findings.is_empty() {
                failures.push(source.refuse(&reader.findings));
            }
        }
        if failures.len() > 1 {
            let all = failures.iter().map(|failure| failure.to_string().replacen("error: ", "", 1));
            let all = all.collect::<Vec<_>>().join("\n\n");
            return Err(Failure::new(Kind::Invalid, format!("{} files have mistakes", failures.len())).excerpt(all));
        }
        if let Some(failure) = failures.pop() {
            return Err(failure);
        }
        if self.policy.tables.is_empty() && self.policy.rows.is_empty() {
            let paths = self.policy.sources.iter().map(|source| visible(&source.path().display().to_string()));
            let message = format!("{} names no table", paths.collect::<Vec<_>>().join(", "));
            return Err(Failure::new(Kind::Invalid, message)
                .hint("add tables: {public.events: {key: created_at, every: month, timezone: UTC}}"));
        }
        Ok(self.policy)
    }
}

fn at(file: usize, field: &Field<'_>) -> At {
    At { file, place: field.key_place(), name: field.name.clone() }
}

/// The fields of a map of this shape; those that must be there are asked for.
fn map<'n>(reader: &mut Reader<'_>, field: &Field<'n>, shape: &Shape) -> Fields<'n> {
    let fields = reader.fields(field, &shape.names());
    if !field.is_map() && !field.is_null() {
        return fields;
    }
    for key in shape.keys.iter().filter(|key| key.needed && fields.get(key.name).is_none()) {
        let message = match field.name.as_str() {
            "" => format!("{} is missing", key.name),
            name => format!("{name}: {} is missing", key.name),
        };
        let advice = match key.form {
            Form::Words(words) => format!("add {}: one of {}", key.name, words.join(", ")),
            _ => format!("add {}: {}", key.name, key.about),
        };
        reader.refuse_key(field, message, Some(advice));
    }
    fields
}

#[cfg(test)]
pub(in crate::policy) mod tests;
#[cfg(test)]
mod wrong_jobs_tests;
#[cfg(test)]
mod wrong_tests;

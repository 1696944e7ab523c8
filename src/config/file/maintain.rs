//! `maintain:` of the config file: jobs with a name, each a command line of dbctl and when it is due.

use crate::config::cron::Cron;
use crate::config::yaml::{Field, Reader};

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// The words after `dbctl`.
    pub run: Vec<String>,
    /// When it is due; none is by hand only.
    pub schedule: Option<Cron>,
    /// On which target; none is as any other command.
    pub target: Option<String>,
}

pub(super) fn read(reader: &mut Reader<'_>, section: &Field<'_>, targets: &[&str]) -> Vec<Job> {
    let entries = reader.entries(section);
    entries.iter().filter_map(|entry| job(reader, entry, targets)).collect()
}

fn job(reader: &mut Reader<'_>, entry: &Field<'_>, targets: &[&str]) -> Option<Job> {
    let name = entry.key.clone();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        let advice = "letters, digits, '-', '_' and '.': it becomes the name of a unit of systemd".to_owned();
        reader.refuse_key(entry, format!("{}: not a name for a job", entry.name), Some(advice));
        return None;
    }
    let fields = reader.fields(entry, &["run", "schedule", "target"]);
    let Some(run) = fields.get("run") else {
        let advice = "for example run: vacuum --budget 45m".to_owned();
        reader.refuse_key(entry, format!("{}: it does not say what to run", entry.name), Some(advice));
        return None;
    };
    let run = reader.parsed(run, words);
    let schedule = fields.get("schedule").and_then(|field| reader.parsed(field, Cron::parse));
    let target = fields.get("target").and_then(|field| Some((field, reader.text(field)?)));
    if let Some((field, name)) = &target
        && !targets.contains(&name.as_str())
    {
        reader.refuse(field, format!("{}: there is no target of that name", field.name), None);
    }
    Some(Job { name, run: run?, schedule, target: target.map(|(_, name)| name) })
}

/// Cuts a command line as a shell does, with quotes and nothing else.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    if words.first().is_some_and(|word| word == "dbctl") {
        words.remove(0);
    }
    match (quote, words.first().map(String::as_str)) {
        (Some(_), _) => Err("a quote is not closed".to_owned()),
        (None, None) => Err("expected a command of dbctl, like vacuum --budget 45m".to_owned()),
        (None, Some("maintain" | "schedule")) => Err("a job cannot run jobs".to_owned()),
        (None, Some(_)) => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_command_line_is_cut_at_spaces_outside_of_quotes() {
        assert_eq!(words("dbctl vacuum  --table app.a").unwrap(), ["vacuum", "--table", "app.a"]);
        assert_eq!(words(r#"vacuum --table '"Odd "" name"'"#).unwrap(), ["vacuum", "--table", r#""Odd "" name""#]);
        for wrong in ["", "dbctl", "vacuum 'a", "maintain run x"] {
            assert!(words(wrong).is_err(), "{wrong}");
        }
    }
}

//! The architecture as a test over the source text: who may know what (the table in `src/lib.rs`),
//! how files look, what must not be there.

mod arrows;
mod files;
mod rooms;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files of these folders with this ending, as paths from the root.
fn files(folders: &[&str], ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path.strip_prefix(root()).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    assert!(!found.is_empty());
    found
}

fn text(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The lines of a source file that run in the program: without comments and tests, with their numbers.
fn code(file: &str) -> Vec<(usize, String)> {
    let text = text(file);
    let text = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.split("// ").next().unwrap().to_owned()));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//")).collect()
}

/// Sources of the program; files of tests are not.
fn sources() -> Vec<String> {
    files(&["src"], ".rs").into_iter().filter(|file| !file.ends_with("tests.rs")).collect()
}

fn within(file: &str, places: &[&str]) -> bool {
    places.iter().any(|place| file == *place || (place.ends_with('/') && file.starts_with(place)))
}

/// Fails for each line outside of `places` that holds one of the words.
fn only(places: &[&str], words: &[&str]) {
    let mut found = Vec::new();
    for file in sources().iter().filter(|file| !within(file, places)) {
        found.extend(lines_with(file, words));
    }
    assert!(found.is_empty(), "only {places:?} may know {words:?}:\n{}", found.join("\n"));
    let known = |file: &String| within(file, places) && !lines_with(file, words).is_empty();
    assert!(sources().iter().any(known), "nobody knows {words:?}: has this test gone blind?");
}

fn lines_with(file: &str, words: &[&str]) -> Vec<String> {
    let hit = |line: &str| words.iter().any(|word| contains_word(line, word));
    code(file).iter().filter(|(_, line)| hit(line)).map(|(n, line)| format!("{file}:{n}: {}", line.trim())).collect()
}

/// `word` not as a part of a longer name on its left.
fn contains_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !word.starts_with(char::is_alphanumeric) || before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    })
}

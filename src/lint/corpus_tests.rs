//! The corpus under `tests/fixtures/lint`: files that are hazardous, each with the rules that must find
//! it, and files that are safe. A file may hold the ones before it, parted by `-- file:`; only the last is judged.

use std::collections::BTreeMap;
use std::path::Path;

use super::check::{Judgement, judge, learn};
use super::known::Known;
use crate::output::Level;

struct Case {
    name: String,
    expected: Vec<String>,
    parts: Vec<String>,
}

fn corpus(kind: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/lint").join(kind);
    let mut cases: Vec<Case> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let (head, body) = text.split_once('\n').unwrap();
            let expected = head.strip_prefix("-- expects: ").unwrap_or_else(|| panic!("{}", path.display()));
            let expected = expected.split(", ").filter(|rule| *rule != "nothing").map(str::to_owned).collect();
            let parts = body.split("-- file:\n").map(str::to_owned).collect();
            Case { name: path.file_stem().unwrap().to_string_lossy().into_owned(), expected, parts }
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(cases.len() >= 100, "{kind}: {}", cases.len());
    cases
}

fn found(case: &Case) -> Vec<(String, Level, String)> {
    let judgement = Judgement { lowest_server: 14, levels: BTreeMap::new() };
    let mut known = Known::default();
    let (last, before) = case.parts.split_last().unwrap();
    for (number, part) in before.iter().enumerate() {
        known.file = number;
        learn("V1__a.sql", part, &mut known);
    }
    known.file = before.len();
    let verdict = judge("V2__b.sql", "V2__b", last, &judgement, &mut known);
    let told = |it: super::Placed| (it.found.rule.id.to_owned(), it.found.level, it.found.danger);
    verdict.found.into_iter().map(told).collect()
}

#[test]
fn recall_and_precision_over_the_corpus() {
    let (mut wanted, mut hit, mut missed, mut stray, mut told) = (0_usize, 0_usize, Vec::new(), Vec::new(), 0_usize);
    let mut files_found = 0_usize;
    for case in corpus("hazardous") {
        assert!(!case.expected.is_empty(), "{}", case.name);
        let found = found(&case);
        wanted += case.expected.len();
        let missing: Vec<&String> =
            case.expected.iter().filter(|rule| !found.iter().any(|(id, ..)| id == *rule)).collect();
        hit += case.expected.len() - missing.len();
        files_found += usize::from(missing.is_empty());
        if !missing.is_empty() {
            missed.push(format!("{}: {missing:?} not in {found:?}", case.name));
        }
        let above: Vec<_> = found.iter().filter(|(_, level, _)| *level > Level::Note).collect();
        told += above.len();
        stray.extend(
            above.iter().filter(|(id, ..)| !case.expected.contains(id)).map(|it| format!("{}: {it:?}", case.name)),
        );
    }
    let safe = corpus("safe");
    let mut wrong = Vec::new();
    for case in &safe {
        let above: Vec<_> = found(case).into_iter().filter(|(_, level, _)| *level > Level::Note).collect();
        if !above.is_empty() {
            wrong.push(format!("{}: {above:?}", case.name));
        }
    }
    let share = |part: usize, whole: usize| part as f64 / whole as f64;
    let recall = share(hit, wanted);
    let precision = share(files_found, files_found + wrong.len());
    let clean = share(safe.len() - wrong.len(), safe.len());
    let apt = share(told - stray.len(), told);
    println!(
        "recall {:.1} % ({hit} of {wanted}), precision {:.1} %, safe files without a finding {:.1} % of {}, \
         findings of hazardous files that were meant {:.1} % of {told}",
        recall * 100.0,
        precision * 100.0,
        clean * 100.0,
        safe.len(),
        apt * 100.0
    );
    let all = format!("missed:\n{}\nwrong:\n{}\nstray:\n{}", missed.join("\n"), wrong.join("\n"), stray.join("\n"));
    println!("{all}");
    assert!(recall >= 0.98 && precision >= 0.95 && clean >= 0.95 && apt >= 0.95, "{all}");
}

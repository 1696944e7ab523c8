//! Every rule has a page, an example that it finds and one that it does not; squawk's catalogue is covered.

use std::collections::BTreeMap;

use super::check::{Judgement, judge};
use super::known::{Facts, Known, Real, Table};
use super::{Rule, all, named};
use crate::ident::Ident;
use crate::output::Level;
use crate::steps::guard::Name;

fn name(table: &str) -> Name {
    Name { schema: Some(Ident::new("app")), name: Ident::new(table) }
}

/// A database with a large table, and one that belongs to somebody else.
fn database() -> Known {
    let mut known = Known::of_database();
    known.role = "deployer".into();
    for (table, owned, indexes) in [("orders", true, vec!["customer_id"]), ("foreign_owned", false, vec![])] {
        let real = Real {
            name: format!("app.{table}"),
            rows: 9_000_000,
            bytes: 5 << 30,
            owner: "boss".into(),
            owned,
            visible: true,
        };
        let mut facts = Table { schema: Some(Ident::new("app")), real: Some(real), ..Table::default() };
        facts.indexes = indexes.into_iter().map(|column| vec![Ident::new(column)]).collect();
        facts.columns.insert(Ident::new("id"), Facts { data_type: "bigint".into(), not_null: true });
        known.add_table(&name(table), facts);
    }
    known
}

fn found(rule: &Rule, text: &str) -> Vec<(&'static str, String)> {
    let mut known = if rule.needs_database { database() } else { Known::default() };
    let levels = BTreeMap::from([(rule.id, Some(rule.level))]);
    let judgement = Judgement { lowest_server: 14, levels };
    let verdict = judge("V1__a.sql", "V1__a", text, &judgement, &mut known);
    verdict.found.into_iter().map(|placed| (placed.found.rule.id, placed.found.danger)).collect()
}

#[test]
fn every_rule_finds_its_bad_example_and_not_its_good_one() {
    for rule in all() {
        let bad = found(rule, rule.bad);
        assert!(bad.iter().any(|(id, _)| *id == rule.id), "{} does not find\n{}\nbut {bad:?}", rule.id, rule.bad);
        let good = found(rule, rule.good);
        assert!(good.iter().all(|(id, _)| *id != rule.id), "{} finds\n{}\n{good:?}", rule.id, rule.good);
        assert!(good.iter().all(|(id, _)| *id != "syntax-error"), "{}: {good:?}", rule.id);
    }
}

#[test]
fn every_rule_has_a_whole_page() {
    for rule in all() {
        for (what, text) in [
            ("finds", rule.finds),
            ("danger", rule.danger),
            ("lock", rule.lock),
            ("servers", rule.servers),
            ("safe", rule.safe),
            ("bad", rule.bad),
            ("good", rule.good),
        ] {
            assert!(!text.is_empty(), "{} says nothing of {what}", rule.id);
        }
        assert!(rule.id.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", rule.id);
        let page = rule.page();
        for part in
            [rule.id, rule.finds, "Why it is dangerous", "whom it blocks", "Servers", "safe way", "dbctl-ignore"]
        {
            assert!(page.contains(part), "{}: {part}\n{page}", rule.id);
        }
    }
    let ids: Vec<&str> = all().iter().map(|rule| rule.id).collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    assert!(ids.len() >= 50, "{}", ids.len());
}

/// Names of squawk 2.68.0 that no rule here answers to, each with its reason.
const LEFT_OUT: &[(&str, &str)] = &[
    ("require-timeout-settings", "dbctl sets lock_timeout itself"),
    ("require-lock-timeout", "dbctl sets lock_timeout itself"),
    ("require-statement-timeout", "dbctl sets statement_timeout itself"),
    ("prefer-robust-stmts", "dbctl resumes by its journal, not by IF NOT EXISTS"),
    ("ban-drop-default", "no reader or writer notices"),
    ("ban-set-default", "no reader or writer notices"),
    ("ban-alter-identity", "changes the catalog only"),
    ("ban-drop-generated-expression", "changes the catalog only"),
    ("ban-revoke", "a matter of the application, not of the migration"),
    ("ban-replace-view-function", "the usual way to change one"),
    ("ban-alter-policy-condition", "a matter of the application, not of the migration"),
    ("ban-alter-policy-roles", "a matter of the application, not of the migration"),
    ("ban-create-policy", "a matter of the application, not of the migration"),
    ("ban-alter-function-options", "changes the catalog only"),
    ("ban-alter-view-options", "changes the catalog only"),
    ("ban-alter-role-options", "a matter of the application, not of the migration"),
    ("ban-alter-database-options", "a matter of the application, not of the migration"),
    ("ban-add-column", "forbids every change"),
    ("ban-alter-sequence-values", "changes the catalog only"),
    ("ban-alter-extension", "a matter of the extension"),
];

const SQUAWK: &str = "require-concurrent-index-creation require-concurrent-index-deletion constraint-missing-not-valid
    adding-field-with-default adding-foreign-key-constraint changing-column-type adding-not-nullable-field
    adding-serial-primary-key-field renaming-column renaming-table disallowed-unique-constraint ban-drop-database
    prefer-bigint-over-int prefer-bigint-over-smallint prefer-identity prefer-repack prefer-robust-stmts prefer-text-field
    prefer-timestamp-tz ban-char-field ban-drop-column ban-drop-table ban-drop-not-null transaction-nesting
    adding-required-field ban-concurrent-index-creation-in-transaction unused-ignore ban-create-domain-with-constraint
    ban-alter-domain-with-add-constraint ban-truncate-cascade require-timeout-settings ban-uncommitted-transaction
    require-enum-value-ordering require-table-schema identifier-too-long require-concurrent-partition-detach
    require-concurrent-reindex require-lock-timeout require-statement-timeout ban-duplicate-column-assignments
    ban-drop-view ban-drop-function ban-drop-type ban-drop-default ban-drop-trigger ban-drop-schema ban-drop-sequence
    ban-drop-domain ban-drop-constraint ban-drop-generated-expression renaming-object ban-set-schema ban-alter-identity
    ban-drop-extension ban-alter-generated-expression ban-drop-index ban-set-default ban-disable-trigger
    ban-replica-identity ban-drop-policy ban-revoke ban-replace-view-function ban-alter-policy-condition
    ban-alter-policy-roles ban-create-policy ban-alter-function-options ban-alter-view-options ban-alter-role-options
    ban-alter-database-options ban-alter-row-level-security ban-new-write-restriction ban-add-enum-value
    ban-add-composite-attribute ban-add-column ban-detach-inheritance ban-alter-sequence-values ban-alter-system-options
    ban-alter-extension";

#[test]
fn squawks_catalogue_is_covered_or_left_out_for_a_reason() {
    let names: Vec<&str> = SQUAWK.split_whitespace().collect();
    assert_eq!(names.len(), 78);
    for squawk in names {
        let left_out = LEFT_OUT.iter().any(|(name, reason)| *name == squawk && !reason.is_empty());
        assert!(named(squawk).is_ok() != left_out, "{squawk}");
    }
}

#[test]
fn the_real_table_decides() {
    let verdict = |bytes: u64| {
        let mut known = Known::of_database();
        let real = Real { name: "app.t".into(), rows: 1, bytes, owner: "me".into(), owned: true, visible: true };
        known.add_table(&name("t"), Table { schema: Some(Ident::new("app")), real: Some(real), ..Table::default() });
        let judgement = Judgement { lowest_server: 14, levels: BTreeMap::new() };
        let text = "CREATE INDEX i ON app.t (a);";
        judge("V1__a.sql", "V1__a", text, &judgement, &mut known).found.first().map(|placed| placed.found.level)
    };
    assert_eq!(verdict(0), None);
    assert_eq!(verdict(8 << 20), None);
    assert_eq!(verdict(100 << 20), Some(Level::Warning));
    assert_eq!(verdict(200 << 30), Some(Level::Error));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*") {
        let judgement = Judgement { lowest_server: 14, levels: BTreeMap::new() };
        let _ = judge("V1__a.sql", "V1__a", &text, &judgement, &mut Known::default());
    }

    #[test]
    fn no_sql_like_text_panics(parts in proptest::collection::vec(proptest::sample::select(vec![
        "CREATE", "INDEX", "CONCURRENTLY", "ON", "t", "(", ")", ";", "$$", "'", "\"", "/*", "*/", "--", "\n", "ALTER TABLE",
        "DROP", "BEGIN", "DO", "END", ".", ",", "ADD", "COLUMN", "TYPE", "ATTACH PARTITION", "é", "SET", "NOT NULL", "CHECK",
        "CONSTRAINT", "UPDATE", "WITH", "DELETE FROM", "EXECUTE", "DEFAULT", "VALUES", "-- dbctl-ignore", "drop-table", ":",
        "GRANT", "TO", "PUBLIC", "[", "]", "RENAME", "VACUUM", "REINDEX", "FULL", "LOCK TABLE", "IN", "CREATE TABLE",
    ]), 0..40)) {
        let judgement = Judgement { lowest_server: 14, levels: BTreeMap::new() };
        let _ = judge("V1__a.sql", "V1__a", &parts.join(" "), &judgement, &mut Known::default());
    }
}

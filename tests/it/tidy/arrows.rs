//! Decisions are pure, and no room knows one that stands above it.

use super::*;

#[test]
fn decisions_are_pure() {
    let decides = |file: &&String| {
        [
            "/plan.rs",
            "/policy.rs",
            "/calendar.rs",
            "/naming.rs",
            "/diff.rs",
            "/gate.rs",
            "/assess.rs",
            "/hazard.rs",
            "/guard.rs",
            "/retry.rs",
            "/judge.rs",
            "/measure.rs",
            "/readings.rs",
            "/page.rs",
            "/view.rs",
            "/tree.rs",
        ]
        .iter()
        .any(|name| file.ends_with(name))
            || within(
                file,
                &[
                    "src/bloat/baseline.rs",
                    "src/bloat/btree.rs",
                    "src/bloat/heap.rs",
                    "src/bloat/layout.rs",
                    "src/check/objects.rs",
                    "src/check/settings.rs",
                    "src/ident.rs",
                    "src/lint/check.rs",
                    "src/lint/found.rs",
                    "src/lint/ignore.rs",
                    "src/lint/known.rs",
                    "src/lint/phrase.rs",
                    "src/lint/rule.rs",
                    "src/lint/rules/",
                    "src/lint/statement/",
                    "src/outcome.rs",
                    "src/inspect/indexes/keys.rs",
                    "src/inspect/indexes/usage.rs",
                    "src/inspect/locks/forest.rs",
                    "src/inspect/locks/sample.rs",
                    "src/inspect/redact.rs",
                    "src/drift/compare.rs",
                    "src/drift/ignore.rs",
                    "src/drift/names.rs",
                    "src/drift/partitions.rs",
                    "src/drift/repair.rs",
                    "src/drift/roles.rs",
                    "src/drift/verdict.rs",
                    "src/migrate/effects.rs",
                    "src/migrate/script.rs",
                    "src/migrate/words.rs",
                    "src/policy/bounds/",
                    "src/partitions/coverage.rs",
                    "src/partitions/ddl.rs",
                    "src/partitions/departure.rs",
                    "src/partitions/saved.rs",
                    "src/partitions/set.rs",
                    "src/partitions/state.rs",
                    "src/policy/calendar/",
                    "src/policy/glob.rs",
                    "src/policy/key.rs",
                    "src/policy/schema.rs",
                    "src/policy/shape.rs",
                    "src/migrate/reach/",
                    "src/scratch/mark.rs",
                    "src/policy/span.rs",
                    "src/retain/attention.rs",
                    "src/retain/clock.rs",
                    "src/retain/held.rs",
                    "src/retain/mask.rs",
                    "src/retain/pace.rs",
                    "src/retain/snapshot.rs",
                    "src/retain/sql.rs",
                    "src/retain/visits.rs",
                    "src/schema/acl.rs",
                    "src/schema/fold.rs",
                    "src/schema/model.rs",
                    "src/schema/viewdef.rs",
                ],
            )
    };
    let impure = [
        "async ",
        ".await",
        "tokio",
        "Utc::now",
        "Local::now",
        "Instant",
        "SystemTime",
        "fastrand",
        "std::io",
        "std::fs",
        "std::env",
        "println!",
        "print!",
        "eprintln!",
        "crate::pg::Session",
        "crate::pg::connect",
    ];
    let sources = sources();
    let deciding: Vec<&String> = sources.iter().filter(decides).collect();
    assert!(deciding.len() >= 10, "{deciding:?}");
    let found: Vec<String> = deciding.iter().flat_map(|file| lines_with(file, &impure)).collect();
    assert!(found.is_empty(), "decisions know no clock, no driver, no files, no terminal:\n{}", found.join("\n"));
}

#[test]
fn arrows_point_down() {
    for (floor, above) in [
        (
            "src/config/",
            &["crate::pg", "crate::steps", "crate::migrate", "crate::retain", "crate::cli", "crate::run"][..],
        ),
        ("src/pg/", &["crate::steps", "crate::migrate", "crate::systems", "crate::cli", "crate::run", "crate::talk"]),
        ("src/output/", &["crate::pg", "crate::steps", "crate::migrate", "crate::systems", "crate::cli"]),
        (
            "src/steps/",
            &[
                "crate::migrate",
                "crate::retain",
                "crate::partitions",
                "crate::systems",
                "crate::cli",
                "crate::run",
                "crate::talk",
                "crate::output",
            ],
        ),
        (
            "src/archive/",
            &[
                "crate::partitions",
                "crate::migrate",
                "crate::steps",
                "crate::systems",
                "crate::cli",
                "crate::run",
                "crate::talk",
                "crate::output",
            ],
        ),
        (
            "src/migrate/",
            &[
                "crate::lint",
                "crate::drift",
                "crate::systems",
                "crate::cli",
                "crate::run",
                "crate::talk",
                "crate::sandbox",
            ],
        ),
        (
            "src/retain/",
            &[
                "crate::migrate",
                "crate::partitions",
                "crate::archive",
                "crate::systems",
                "crate::cli",
                "crate::run",
                "crate::talk",
                "crate::sandbox",
            ],
        ),
        (
            "src/policy/",
            &[
                "crate::pg",
                "crate::steps",
                "crate::partitions",
                "crate::retain",
                "crate::archive",
                "crate::cli",
                "crate::run",
                "crate::talk",
            ],
        ),
        (
            "src/partitions/",
            &["crate::migrate", "crate::systems", "crate::cli", "crate::run", "crate::talk", "crate::sandbox"],
        ),
        (
            "src/scratch/",
            &[
                "crate::steps",
                "crate::migrate",
                "crate::partitions",
                "crate::output",
                "crate::drift",
                "crate::cli",
                "crate::run",
                "crate::talk",
            ],
        ),
        (
            "src/schema/",
            &[
                "crate::migrate",
                "crate::steps",
                "crate::policy",
                "crate::drift",
                "crate::cli",
                "crate::run",
                "crate::talk",
                "crate::sandbox",
            ],
        ),
        (
            "src/lint/",
            &[
                "crate::partitions",
                "crate::retain",
                "crate::archive",
                "crate::systems",
                "crate::steps::apply",
                "crate::cli",
                "crate::run",
                "crate::talk",
                "crate::sandbox",
            ],
        ),
        (
            "src/drift/",
            &["crate::partitions", "crate::systems", "crate::cli", "crate::run", "crate::talk", "crate::sandbox"],
        ),
        (
            "src/inspect/",
            &[
                "crate::steps",
                "crate::migrate",
                "crate::partitions",
                "crate::retain",
                "crate::archive",
                "crate::drift",
                "crate::lint",
                "crate::systems",
                "crate::sandbox",
                "crate::cli",
                "crate::run",
                "crate::talk",
            ],
        ),
        (
            "src/bloat/",
            &[
                "crate::steps",
                "crate::migrate",
                "crate::partitions",
                "crate::retain",
                "crate::archive",
                "crate::drift",
                "crate::lint",
                "crate::systems",
                "crate::sandbox",
                "crate::check",
                "crate::cli",
                "crate::run",
                "crate::talk",
            ],
        ),
        ("src/cli/", &["crate::pg::Session", "crate::pg::Query", "crate::run", "crate::talk"]),
        (
            "src/rehearse/",
            &[
                "crate::partitions",
                "crate::retain",
                "crate::systems",
                "crate::pg::sandbox",
                "crate::sandbox",
                "crate::cli",
                "crate::run",
                "crate::talk",
            ],
        ),
        ("src/sandbox/", &["crate::steps", "crate::migrate", "crate::cli", "crate::run"]),
    ] {
        let inside = |file: &&String| file.starts_with(floor);
        let found: Vec<String> = sources().iter().filter(inside).flat_map(|file| lines_with(file, above)).collect();
        assert!(found.is_empty(), "{floor} must not know what stands above it:\n{}", found.join("\n"));
    }
}

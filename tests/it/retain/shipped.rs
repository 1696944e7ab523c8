//! The row jobs of the shipped partitions.yaml, on the system that they are for: its triggers and its
//! row security included.

use std::path::Path;

use dbctl::outcome::Outcome;
use dbctl::policy::{RowAction, file};

use super::*;
use crate::harness::{dbctl, run};

#[test]
fn the_jobs_of_a_system_do_what_its_triggers_let_them() {
    let db = Database::new();
    run(dbctl(&["migrate", "up", "--system", "consultor"]).env("DATABASE_URL", db.url())).expect_code(0);
    db.sql(
        "INSERT INTO audit_logs (action, ip_address, created_at) VALUES ('ancient', '10.1.2.3', now() - interval '6 years'),
             ('old', '10.1.2.3', now() - interval '1 year'), ('young', '10.1.2.3', now());",
    );
    let policy = file::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("partitions.yaml"), &Env::default()).unwrap();
    let jobs: Vec<_> = policy.rows.iter().filter(|job| job.system.as_deref() == Some("consultor")).collect();
    assert!(jobs.len() >= 4);
    for expected in [Some(3), Some(0)] {
        let mut rows = 0;
        for job in &jobs {
            let pace = Pace { window: None, ..job.pace };
            let case = Case {
                holds: policy.holds.clone(),
                ..Case::new(&db, dbctl::policy::RowJob { pace, ..(*job).clone() })
            };
            let plan = case.plan();
            assert!(!plan.is_blocked(), "{}: {:?}", job.name, plan.attention);
            assert!(job.action != RowAction::Keep || plan.visits.is_empty());
            let report = case.run();
            assert_eq!(report.outcome(), Outcome::Done, "{report:?}");
            rows += report.rows;
        }
        assert_eq!(Some(rows), expected);
    }
    let kept = "SELECT string_agg(action || ' ' || COALESCE(ip_address::text, 'NULL'), ', ' ORDER BY created_at) FROM audit_logs";
    assert_eq!(db.one(kept), "old NULL, young 10.1.2.3/32");
}

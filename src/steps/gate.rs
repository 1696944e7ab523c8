//! Go, ask or refuse: a pure decision over a plan and the rails of this run.

use super::plan::Plan;
use crate::error::{Failure, Kind, Result};

/// What stands between a plan and its execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rails {
    /// The target's name, when `dbctl.yaml` marks it protected.
    pub protected: Option<String>,
    /// `--target NAME` was given on the command line.
    pub target_named: bool,
    /// `--yes` was given.
    pub yes: bool,
    /// Somebody can be asked.
    pub interactive: bool,
    /// The command deserves a question whatever its plan destroys: `migrate down` takes things away,
    /// sample rows do not belong onto a protected target.
    pub always_ask: bool,
}

/// What the gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Work.
    Go,
    /// Ask a person to type `expect`.
    Ask {
        /// What is at stake, a line each.
        because: Vec<String>,
        /// The word to type.
        expect: String,
    },
    /// Do not work.
    Refuse {
        /// What is at stake, a line each.
        because: Vec<String>,
        /// The flags that would allow it.
        allow: String,
    },
}

/// Somebody who can be asked.
pub trait Confirm {
    /// Shows what is at stake and says whether `expect` was typed.
    fn confirm(&mut self, because: &[String], expect: &str) -> bool;
}

/// Decides, asks where it must, and fails unless the plan may go.
///
/// # Errors
/// Refused, naming the flag that would allow it.
pub fn pass(plan: &Plan, rails: &Rails, confirm: &mut dyn Confirm) -> Result<()> {
    let (because, allow) = match decide(plan, rails) {
        Decision::Go => return Ok(()),
        Decision::Ask { because, expect } if confirm.confirm(&because, &expect) => return Ok(()),
        Decision::Ask { because, expect } => (because, format!("typing {expect}")),
        Decision::Refuse { because, allow } => (because, allow),
    };
    let failure = Failure::new(Kind::Refused, "this needs consent, and none was given; nothing was changed");
    Err(because.iter().fold(failure, Failure::note).hint(format!("look at it with --dry-run; allow it with {allow}")))
}

/// Decides. Plans that destroy nothing always go.
pub fn decide(plan: &Plan, rails: &Rails) -> Decision {
    let destructions = plan.destructions();
    if plan.is_empty() || (destructions.is_empty() && !rails.always_ask) {
        return Decision::Go;
    }
    let mut because: Vec<String> =
        destructions.iter().map(|(step, what)| format!("{step} destroys data: {what}")).collect();
    if because.is_empty() {
        because = plan.steps.iter().map(|step| step.title.clone()).collect();
    }
    match &rails.protected {
        Some(_) if rails.yes && rails.target_named => Decision::Go,
        Some(name) if rails.interactive => Decision::Ask { because, expect: name.clone() },
        Some(name) => {
            because.push(format!("target '{name}' is protected"));
            Decision::Refuse { because, allow: format!("--yes --target {name}") }
        }
        None if !rails.always_ask || rails.yes => Decision::Go,
        None if rails.interactive => Decision::Ask { because, expect: "yes".to_owned() },
        None => Decision::Refuse { because, allow: "--yes".to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::steps::{Guard, Hazard, Lane, Statement, Step, Timeouts};

    fn plan(hazards: Vec<Hazard>) -> Plan {
        let statement = Statement {
            sql: "DROP TABLE t".into(),
            offset: 0,
            prelude: vec![],
            atomic: true,
            guard: Guard::Rerun,
            locks: vec![],
            hazards,
        };
        Plan {
            steps: vec![Step {
                id: "x".into(),
                title: "V1 x".into(),
                file: "V1__x.sql".into(),
                file_text: "DROP TABLE t".into(),
                why: "pending".into(),
                lane: Lane::Transaction,
                settings: vec![],
                timeouts: Timeouts { lock: Duration::from_secs(3), statement: Duration::ZERO },
                statements: vec![statement],
                record: vec![],
            }],
        }
    }

    fn rails() -> Rails {
        Rails { protected: None, target_named: false, yes: false, interactive: false, always_ask: false }
    }

    #[test]
    fn a_migration_that_drops_goes_on_an_unprotected_target() {
        assert_eq!(decide(&plan(vec![Hazard::Destroys("DROP TABLE t".into())]), &rails()), Decision::Go);
    }

    #[test]
    fn a_protected_target_wants_its_name() {
        let destroys = plan(vec![Hazard::Destroys("DROP TABLE t".into())]);
        let protected = Rails { protected: Some("prod".into()), ..rails() };
        let Decision::Refuse { allow, .. } = decide(&destroys, &protected) else { panic!("not refused") };
        assert_eq!(allow, "--yes --target prod");
        let only_yes = Rails { yes: true, ..protected.clone() };
        assert!(matches!(decide(&destroys, &only_yes), Decision::Refuse { .. }));
        let both = Rails { yes: true, target_named: true, ..protected.clone() };
        assert_eq!(decide(&destroys, &both), Decision::Go);
        let person = Rails { interactive: true, ..protected.clone() };
        assert!(matches!(decide(&destroys, &person), Decision::Ask { expect, .. } if expect == "prod"));
        assert_eq!(decide(&plan(vec![]), &protected), Decision::Go);
    }

    #[test]
    fn a_command_that_always_ask_is_confirmed_even_without_a_known_hazard() {
        let down = Rails { always_ask: true, ..rails() };
        assert!(matches!(decide(&plan(vec![]), &down), Decision::Refuse { allow, .. } if allow == "--yes"));
        assert_eq!(decide(&plan(vec![]), &Rails { yes: true, ..down.clone() }), Decision::Go);
        assert_eq!(decide(&Plan::default(), &down), Decision::Go);
    }
}

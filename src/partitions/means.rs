//! What the verbs of partitions may use while they work, and what they answer.

use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::Interrupt;
use crate::steps::events::Events;
use crate::steps::gate::Confirm;

/// What a verb answers.
pub type Answer = (Outcome, Document);

/// What a verb may use while it works.
pub struct Means<'a> {
    /// Signals.
    pub interrupt: &'a Interrupt,
    /// Where events go.
    pub events: &'a mut dyn Events,
    /// Who is asked.
    pub confirm: &'a mut dyn Confirm,
}

//! What a verb may use while it works.

use super::events::Events;
use super::gate::Confirm;
use crate::pg::Interrupt;

/// What a verb may use while it works.
pub struct Means<'a> {
    /// Signals.
    pub interrupt: &'a Interrupt,
    /// Where events go.
    pub events: &'a mut dyn Events,
    /// Who is asked.
    pub confirm: &'a mut dyn Confirm,
}

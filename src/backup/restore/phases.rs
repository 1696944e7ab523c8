//! The phases of a restore: which of them is under way, and how long each took.

use std::time::Instant;

use crate::steps::events::{Event, Events};

/// What was done, and what is.
pub struct Phases {
    taken: Vec<(&'static str, f64)>,
    under_way: Option<&'static str>,
    began: Instant,
    number: usize,
    of: usize,
}

impl Phases {
    /// The checks began then and are over; so many phases are to come.
    pub fn after_checks(began: Instant, of: usize) -> Phases {
        let taken = vec![("checks", began.elapsed().as_secs_f64())];
        Phases { taken, under_way: None, began: Instant::now(), number: 0, of }
    }

    /// So many are to come after all.
    pub fn count(&mut self, of: usize) {
        self.of = self.number + of;
    }

    /// Ends what is under way and begins the next.
    pub fn begin(&mut self, name: &'static str, events: &mut dyn Events) {
        self.end(events);
        self.number += 1;
        self.under_way = Some(name);
        events.event(Event::Step { number: self.number, of: self.of, title: name });
    }

    /// Ends what is under way.
    pub fn end(&mut self, events: &mut dyn Events) {
        let took = self.began.elapsed();
        self.began = Instant::now();
        if let Some(name) = self.under_way.take() {
            self.taken.push((name, took.as_secs_f64()));
            events.event(Event::Applied { title: name, took });
        }
    }

    /// Each that is over, and its seconds.
    pub fn taken(&self) -> &[(&'static str, f64)] {
        &self.taken
    }
}

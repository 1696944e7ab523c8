//! What a run says on standard error while it works: events as lines, questions to a person.

use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use crate::cli::Talk;
use crate::output::{Bar, Progress, visible};
use crate::steps::events::{Blocker, Event, Events};
use crate::steps::gate::Confirm;

/// Prints events.
pub struct Talker {
    talk: Talk,
    progress: Progress,
    bar: Option<Bar>,
}

impl Talker {
    /// Says as much as `talk` allows; bars are drawn where `progress` draws.
    pub fn new(talk: Talk, progress: Progress) -> Talker {
        Talker { talk, progress, bar: None }
    }

    fn say(&self, at_least: Talk, line: &str) {
        if self.talk >= at_least {
            self.progress.suspend(|| {
                // Nobody listening is no reason to stop.
                let _ = writeln!(std::io::stderr(), "{}", visible(line));
            });
        }
    }

    fn blockers(&self, blockers: &[Blocker]) {
        for blocker in blockers {
            let relation = blocker.relation.as_ref().map_or(String::new(), |r| format!("{r}: "));
            self.say(Talk::Normal, &format!("  {relation}blocked by {blocker}"));
        }
    }
}

impl Events for Talker {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::LeaseTaken(holder) => {
                self.say(Talk::Normal, &format!("another run is at work ({holder}); waiting for it"))
            }
            Event::Step { number, of, title } => {
                let bar = self.bar.take().unwrap_or_else(|| self.progress.bar(of as u64, "steps"));
                bar.set_message(title);
                self.bar = Some(bar);
                self.say(Talk::Verbose, &format!("[{number}/{of}] {title}"));
            }
            Event::Applied { title, took } => {
                if let Some(bar) = &self.bar {
                    bar.inc(1);
                }
                self.say(Talk::Verbose, &format!("{title}: done in {}", seconds(took)));
            }
            Event::Skipped { title, statement } => {
                self.say(Talk::Normal, &format!("{title}: statement {statement} was done by an earlier run"));
            }
            Event::Blocked { title, blockers, waited } => {
                self.say(Talk::Normal, &format!("{title} has been waiting for a lock for {}", seconds(waited)));
                self.blockers(blockers);
            }
            Event::Retry { title, reason, pause, blockers } => {
                self.say(
                    Talk::Normal,
                    &format!("{title}: {reason}; nothing is kept waiting, trying again in {}", seconds(pause)),
                );
                self.blockers(blockers);
            }
            Event::Notice { title, notice } => {
                let at_least = if notice.severity == "WARNING" { Talk::Normal } else { Talk::Verbose };
                self.say(at_least, &format!("{title}: {}: {}", notice.severity.to_lowercase(), notice.message));
            }
            Event::Failed { title, failure } => {
                for line in format!("{title}: {failure}").lines() {
                    self.say(Talk::Quiet, line);
                }
            }
            // Whoever looks at the answer on a terminal reads it there.
            Event::Attention { message, hint } if self.talk == Talk::Quiet || !std::io::stdout().is_terminal() => {
                self.say(Talk::Quiet, &format!("attention: {message}"));
                if let Some(hint) = hint {
                    self.say(Talk::Quiet, &format!("hint: {hint}"));
                }
            }
            Event::Attention { .. } => {}
            Event::Cleaned { what } => self.say(Talk::Normal, what),
            Event::Progress { title, phase, done, total } => {
                if let Some(bar) = &self.bar {
                    let share =
                        if total > 0 { format!(" {}%", done.saturating_mul(100) / total) } else { String::new() };
                    bar.set_message(&format!("{title}: {phase}{share}"));
                }
            }
        }
    }
}

/// Asks on the terminal.
pub struct Terminal;

impl Terminal {
    /// Whether there is somebody to ask.
    pub fn is_there() -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }
}

impl Confirm for Terminal {
    fn confirm(&mut self, because: &[String], expect: &str) -> bool {
        let mut err = std::io::stderr();
        for line in because {
            let _ = writeln!(err, "  {}", visible(line));
        }
        let _ = write!(err, "Type {expect} to go on: ");
        let _ = err.flush();
        let mut typed = String::new();
        std::io::stdin().lock().read_line(&mut typed).is_ok() && typed.trim() == expect
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

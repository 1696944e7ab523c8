//! What a person reads when something went wrong: a kind (which becomes the exit code), a message
//! with its cause chain, an optional source excerpt with a caret, and hints that can be pasted.
//! Knows nothing of the driver: `pg::sqlstate` turns server errors into a [`Failure`].

use std::fmt;

use crate::outcome::Outcome;

/// What sort of failure this is; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Anything without a better name.
    Failed,
    /// The command line is wrong.
    Usage,
    /// A file the user wrote is wrong: config, policy, migration.
    Invalid,
    /// No server answered, or it went away.
    Unreachable,
    /// The role lacks a right.
    NotPermitted,
    /// A rail or a hazard without its flag stopped the run.
    Refused,
    /// A lock or pace budget ran out.
    Deferred,
    /// Some targets failed, the others are done.
    Partial,
    /// A check could not be told.
    Unknown,
    /// Another run holds the lease.
    Busy,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// A command that the user had us run could not be run; the shell's code for that (126, 127).
    Command(u8),
}

impl Kind {
    /// The outcome that a failure of this kind ends in.
    pub fn outcome(self) -> Outcome {
        match self {
            Kind::Failed => Outcome::Failed,
            Kind::Usage => Outcome::Usage,
            Kind::Invalid => Outcome::Invalid,
            Kind::Unreachable => Outcome::Unreachable,
            Kind::NotPermitted => Outcome::NotPermitted,
            Kind::Refused => Outcome::Refused,
            Kind::Deferred => Outcome::Deferred,
            Kind::Partial => Outcome::Partial,
            Kind::Unknown => Outcome::Unknown,
            Kind::Busy => Outcome::Busy,
            Kind::Interrupted => Outcome::Interrupted,
            Kind::Terminated => Outcome::Terminated,
            Kind::Command(code) => Outcome::Command(code),
        }
    }
}

/// A failed run as a person reads it. Build one with [`Failure::new`] or, on any error with a
/// cause, with the [`Explain`] methods.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    cause: anyhow::Error,
    code: Option<[u8; 5]>,
    excerpt: Option<String>,
    notes: Vec<String>,
    done: Vec<String>,
    hints: Vec<String>,
}

/// The result of everything that can fail in front of a user.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure without a deeper cause. The message is lowercase and names the object.
    pub fn new(kind: Kind, message: impl fmt::Display) -> Failure {
        Failure::from_cause(kind, anyhow::anyhow!("{message}"))
    }

    /// A failure around a cause chain.
    pub fn from_cause(kind: Kind, cause: anyhow::Error) -> Failure {
        Failure { kind, cause, code: None, excerpt: None, notes: Vec::new(), done: Vec::new(), hints: Vec::new() }
    }

    /// Adds a next step: a flag, a command or SQL that can be pasted.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Failure {
        self.hints.push(hint.to_string());
        self
    }

    /// The SQLSTATE of a server that is the cause.
    #[must_use]
    pub fn sqlstate(mut self, code: &str) -> Failure {
        self.code = code.as_bytes().try_into().ok();
        self
    }

    /// The SQLSTATE, where a server is the cause.
    pub fn code(&self) -> Option<&str> {
        std::str::from_utf8(self.code.as_ref()?).ok()
    }

    /// The place that the excerpt shows: `file:line:column`.
    pub fn place(&self) -> Option<&str> {
        self.excerpt.as_deref()?.lines().next()?.trim_start().strip_prefix("--> ")
    }

    /// Shows the place in the user's file: rendered source lines with a caret.
    #[must_use]
    pub fn excerpt(mut self, excerpt: impl Into<String>) -> Failure {
        self.excerpt = Some(excerpt.into());
        self
    }

    /// Adds what else belongs to the message: further findings, who is in the way.
    #[must_use]
    pub fn note(mut self, note: impl fmt::Display) -> Failure {
        self.notes.push(note.to_string());
        self
    }

    /// Says what was already done before the failure, a line each.
    #[must_use]
    pub fn done(mut self, done: impl IntoIterator<Item = String>) -> Failure {
        self.done.extend(done);
        self
    }

    /// Puts what was being done in front of the message.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display + Send + Sync + 'static) -> Failure {
        self.cause = self.cause.context(doing.to_string());
        self
    }

    /// Changes the kind.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Failure {
        self.kind = kind;
        self
    }

    /// What sort of failure this is.
    pub fn what(&self) -> Kind {
        self.kind
    }

    /// The hints, in the order they were added.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The messages from the outermost to the root cause.
    pub fn messages(&self) -> Vec<String> {
        self.cause.chain().map(ToString::to_string).collect()
    }
}

/// `error: …`, `caused by: …`, the excerpt, the notes, `done: …`, then `hint: …`; one item a line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut messages = self.messages().into_iter();
        write!(f, "error: {}", messages.next().unwrap_or_default())?;
        for cause in messages {
            write!(f, "\n  caused by: {cause}")?;
        }
        if let Some(excerpt) = &self.excerpt {
            write!(f, "\n{}", excerpt.trim_end())?;
        }
        for note in &self.notes {
            write!(f, "\n  {note}")?;
        }
        for line in &self.done {
            write!(f, "\n  done: {line}")?;
        }
        for hint in &self.hints {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::from_cause(Kind::Failed, error.into())
    }
}

/// Turns any result into one whose error says what was being done and what kind of failure it is.
pub trait Explain<T> {
    /// Gives the error a kind and a message in front of its cause.
    fn explain(self, kind: Kind, doing: impl fmt::Display) -> Result<T>;
}

impl<T, E: Into<anyhow::Error>> Explain<T> for std::result::Result<T, E> {
    fn explain(self, kind: Kind, doing: impl fmt::Display) -> Result<T> {
        self.map_err(|e| Failure::from_cause(kind, e.into().context(doing.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_reads_from_the_message_down_to_the_hint() {
        let failure = Err::<(), _>(std::io::Error::other("disk on fire"))
            .explain(Kind::Invalid, "cannot read dbctl.yaml")
            .unwrap_err()
            .done(["V1 applied".to_owned()])
            .hint("run 'dbctl init'");
        assert_eq!(failure.what().outcome().code(), 65);
        insta::assert_snapshot!(failure, @r"
        error: cannot read dbctl.yaml
          caused by: disk on fire
          done: V1 applied
        hint: run 'dbctl init'
        ");
    }
}

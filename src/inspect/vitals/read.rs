//! How a part is read: in a look of its own, within a time limit, and none of them stops the others.

use std::time::{Duration, Instant};

use super::readings::{Checkpoints, CheckpointsOf17, Collation, DatabaseCollation};
use crate::error::{Failure, Kind, Result};
use crate::inspect::Eye;
use crate::inspect::activity::{self, Holder};
use crate::pg::{Interrupt, Query, Row, ServerError};

/// What was read, or why it was not.
pub type Part<T> = std::result::Result<T, String>;

/// A row of an answer as a value.
pub trait Reading: Sized {
    /// The question.
    const QUERY: &'static Query;

    /// From a row.
    ///
    /// # Errors
    /// For a column that is not there or of another type.
    fn of(row: &Row) -> Result<Self>;
}

/// Reads parts on one connection until its time is up.
pub struct Reader<'a> {
    eye: &'a Eye,
    interrupt: &'a Interrupt,
    each: Duration,
    all: Duration,
    begun: Instant,
}

impl<'a> Reader<'a> {
    /// A reader whose parts take at most `each`, and `all` together.
    pub fn new(eye: &'a Eye, interrupt: &'a Interrupt, each: Duration, all: Duration) -> Reader<'a> {
        Reader { eye, interrupt, each, all, begun: Instant::now() }
    }

    /// Where it looks.
    pub fn eye(&self) -> &Eye {
        self.eye
    }

    /// All rows of a part.
    ///
    /// # Errors
    /// When the connection is lost or a signal came: then there is no use in the next part.
    pub async fn all<T: Reading>(&self) -> Result<Part<Vec<T>>> {
        let Some(limit) = self.limit()? else { return Ok(Err(self.late())) };
        let seen = match self.eye.rows(limit, T::QUERY).await? {
            Ok(rows) => Ok(rows.iter().map(T::of).collect::<Result<Vec<T>>>()?),
            Err(error) if error.is_lost() => return Err(error.explain("cannot look")),
            Err(error) => Err(reason(&error, limit)),
        };
        self.interrupt.check()?;
        Ok(seen)
    }

    /// The one row of a part.
    ///
    /// # Errors
    /// As [`Reader::all`].
    pub async fn one<T: Reading>(&self) -> Result<Part<T>> {
        let rows = self.all::<T>().await?;
        Ok(rows.and_then(|rows| rows.into_iter().next().ok_or_else(|| "the server gave no answer".to_owned())))
    }

    /// What another look gives, as a part.
    ///
    /// # Errors
    /// As [`Reader::all`].
    pub async fn part<T>(&self, look: impl Future<Output = Result<T>>) -> Result<Part<T>> {
        if self.limit()?.is_none() {
            return Ok(Err(self.late()));
        }
        match look.await {
            Ok(seen) => Ok(Ok(seen)),
            Err(failure) if is_final(&failure) => Err(failure),
            Err(failure) => {
                self.interrupt.check()?;
                Ok(Err(failure.messages().join(": ")))
            }
        }
    }

    /// Checkpoints, from where this server counts them.
    ///
    /// # Errors
    /// As [`Reader::all`].
    pub async fn checkpoints(&self) -> Result<Part<Checkpoints>> {
        let counted = self.one::<Checkpoints>().await?;
        if !matches!(&counted, Ok(Checkpoints { timed: None, .. })) {
            return Ok(counted);
        }
        Ok(self.one::<CheckpointsOf17>().await?.map(|c| Checkpoints {
            timed: c.timed,
            requested: c.requested,
            stats_seconds: c.stats_seconds,
        }))
    }

    /// Collations of another version; before 15 the database itself has none on record.
    ///
    /// # Errors
    /// As [`Reader::all`].
    pub async fn collations(&self, major: i64) -> Result<Part<Vec<Collation>>> {
        let mut found = self.all::<Collation>().await?;
        if let Ok(found) = &mut found
            && major >= 15
        {
            match self.all::<DatabaseCollation>().await? {
                Ok(rows) => found.extend(rows.into_iter().map(|row| Collation {
                    object: row.object,
                    recorded: row.recorded,
                    actual: row.actual,
                    remedy: row.remedy,
                })),
                Err(why) => return Ok(Err(why)),
            }
        }
        Ok(found)
    }

    /// Who keeps old row versions, the oldest first.
    ///
    /// # Errors
    /// As [`Reader::all`].
    pub async fn horizon(&self) -> Result<Part<Vec<Holder>>> {
        Ok(self.part(activity::read(self.eye)).await?.map(|seen| seen.holders))
    }

    fn limit(&self) -> Result<Option<Duration>> {
        self.interrupt.check()?;
        let left = self.all.saturating_sub(self.begun.elapsed());
        Ok(Some(self.each.min(left)).filter(|limit| !limit.is_zero()))
    }

    fn late(&self) -> String {
        format!("there was no time left: all together may take {} s", self.all.as_secs())
    }
}

fn is_final(failure: &Failure) -> bool {
    matches!(failure.what(), Kind::Unreachable | Kind::Interrupted | Kind::Terminated)
}

fn reason(error: &ServerError, limit: Duration) -> String {
    if error.is_cancelled() {
        return format!("it took longer than {:.1} s, or was cancelled", limit.as_secs_f64());
    }
    if error.is_transient() {
        return "the catalog is locked by somebody else: see 'dbctl locks'".to_owned();
    }
    error.message()
}

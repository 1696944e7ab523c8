//! Keeps the crew from beginning a table while a standby is too far behind; what runs is let be.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use crate::error::{Failure, Kind, Result};
use crate::ident::Ident;
use crate::pg::{Query, Row};
use crate::steps::apply::Executor;
use crate::steps::events::{Event, Events};
use crate::steps::lag::Lag;

const LOOK: Duration = Duration::from_secs(1);
/// Where no budget says otherwise.
const LONGEST: Duration = Duration::from_secs(600);

/// The limit, and what was seen.
pub struct Brake {
    most: Option<Duration>,
    began: Instant,
    lag: RefCell<Lag>,
    /// When it was looked last, and who was too far behind then.
    seen: RefCell<Option<(Instant, Option<String>)>>,
}

impl Brake {
    /// Of `--max-lag`.
    pub fn new(most: Option<Duration>) -> Brake {
        Brake { most, began: Instant::now(), lag: RefCell::default(), seen: RefCell::default() }
    }

    /// Waits while a standby is too far behind, at most until `left` is over: why it still is so then.
    ///
    /// # Errors
    /// Not permitted, where the role cannot see the standbys; interrupted; the server's.
    pub async fn hold(
        &self,
        executor: &Executor,
        title: &str,
        left: Option<Duration>,
        events: &mut dyn Events,
    ) -> Result<Option<String>> {
        let since = Instant::now();
        loop {
            let Some(why) = self.look(executor).await? else { return Ok(None) };
            if since.elapsed() >= left.unwrap_or(LONGEST) {
                return Ok(Some(why));
            }
            let phase = format!("waits: {why}");
            events.event(Event::Progress { title, phase: &phase, done: 0, total: 0 });
            executor.pause(LOOK / 2).await?;
        }
    }

    /// Who is too far behind, by a look of at most a second ago, or of as long as a standby may be behind.
    ///
    /// # Errors
    /// As [`Brake::hold`].
    pub async fn look(&self, executor: &Executor) -> Result<Option<String>> {
        let Some(most) = self.most else { return Ok(None) };
        if let Some((at, why)) = &*self.seen.borrow()
            && at.elapsed() < LOOK.min(most)
        {
            return Ok(why.clone());
        }
        let (now, standbys) =
            tokio::join!(executor.look(&Query::ROW_JOB_PACE, &[]), executor.look(&Query::ROW_JOB_STANDBYS, &[]));
        let lsn: Option<i64> = now?.first().map(|row| row.try_get("lsn")).transpose()?.flatten();
        let at = self.began.elapsed();
        if let Some(lsn) = lsn {
            self.lag.borrow_mut().note(at, lsn);
        }
        let mut why = None;
        for row in &standbys? {
            why = why.or(self.behind(row, lsn, at, most, &executor.server().role)?);
        }
        *self.seen.borrow_mut() = Some((Instant::now(), why.clone()));
        Ok(why)
    }

    fn behind(&self, row: &Row, lsn: Option<i64>, at: Duration, most: Duration, role: &str) -> Result<Option<String>> {
        let pid: i32 = row.try_get("pid")?;
        let name: Option<String> = row.try_get("name")?;
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("pid {pid}"));
        let Some(replayed) = row.try_get::<_, Option<i64>>("replayed")? else {
            return Err(Failure::new(
                Kind::NotPermitted,
                format!("--max-lag: how far standby {name} has replayed cannot be seen"),
            )
            .hint(format!("let this role see it: GRANT pg_monitor TO {};", Ident::new(role))));
        };
        let behind = self.lag.borrow().of_standby(at, lsn, replayed, row.try_get("replay_lag")?);
        let told = || {
            let (behind, most) = (behind.as_secs_f64(), most.as_secs_f64());
            format!("standby {name} replays {behind:.1} s behind, more than {most:.1} s")
        };
        Ok((behind > most).then(told))
    }
}

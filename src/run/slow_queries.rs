//! `dbctl slow-queries`: once, over a window, or drawn again and again.

use std::time::Duration;

use super::Run;
use crate::cli::slow_queries::SlowQueries;
use crate::error::Result;
use crate::inspect::Eye;
use crate::inspect::statements::{self, Ranking, Wish};
use crate::migrate::Answer;
use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::Interrupt;

/// How long what runs is sampled where nothing is counted and nobody says how long.
const SAMPLING: Duration = Duration::from_secs(3);
/// Between two samples.
const PAUSE: Duration = Duration::from_millis(200);

impl Run {
    pub(super) fn slow_queries(&self, asked: &SlowQueries) -> Result<Outcome> {
        self.look("slow-queries", asked.watch, async |eye, interrupt| look(eye, asked, interrupt).await)
    }
}

async fn look(eye: &Eye, asked: &SlowQueries, interrupt: &Interrupt) -> Result<Answer> {
    let sampling = asked.window.unwrap_or(if asked.watch.is_some() { Duration::ZERO } else { SAMPLING });
    let (document, _) = ranked(eye, &asked.wish, asked.window, sampling, interrupt).await?;
    Ok((Outcome::Done, document))
}

/// The document, and the ranking where statements are counted.
pub(super) async fn ranked(
    eye: &Eye,
    wish: &Wish,
    window: Option<Duration>,
    sampling: Duration,
    interrupt: &Interrupt,
) -> Result<(Document, Option<Ranking>)> {
    let (setup, counts) = statements::read(eye).await?;
    let (Some(counts), Some(extension)) = (counts, setup.usable()) else {
        return Ok((sampled(eye, &setup, wish, sampling, interrupt).await?, None));
    };
    let counts = match window {
        None => counts,
        Some(window) => {
            interrupt.sleep(window).await?;
            let (_, after) = statements::read(eye).await?;
            after.map(|after| statements::delta(&counts, &after)).unwrap_or(counts)
        }
    };
    let mut ranking = statements::rank(&counts, wish, setup.dbid);
    let texts = statements::texts(eye, extension, &ranking.keys()).await?;
    ranking.say(texts, wish);
    Ok((statements::view(&setup, &counts, &ranking, wish, window), Some(ranking)))
}

async fn sampled(
    eye: &Eye,
    setup: &statements::Setup,
    wish: &Wish,
    time: Duration,
    interrupt: &Interrupt,
) -> Result<Document> {
    let steps = statements::steps(eye, setup).await?;
    let (mut met, mut looks) = (Vec::new(), 0);
    let began = std::time::Instant::now();
    loop {
        statements::running(eye, &mut met).await?;
        looks += 1;
        if began.elapsed() >= time {
            break;
        }
        interrupt.sleep(PAUSE).await?;
    }
    Ok(statements::instead(setup, &steps, &met, looks, wish))
}

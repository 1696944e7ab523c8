//! `dbctl slow-queries`: once, over a window, since the last time, or drawn again and again; plans; the counting begun anew.

use std::cell::RefCell;
use std::time::Duration;

use chrono::Utc;

use super::Run;
use crate::check::exchange;
use crate::cli::slow_queries::SlowQueries;
use crate::config::Target;
use crate::error::{Failure, Kind, Result};
use crate::inspect::Eye;
use crate::inspect::statements::{self, Counts, Key, Ranking, Setup, Text, Window, Wish};
use crate::inspect::vitals::{ALL, EACH, Identity, Reader};
use crate::migrate::Answer;
use crate::outcome::Outcome;
use crate::output::Document;
use crate::pg::Interrupt;
use crate::steps::gate;
use crate::talk::Terminal;

/// How long what runs is sampled where nothing is counted and nobody says how long.
const SAMPLING: Duration = Duration::from_secs(3);
/// Between two samples.
const PAUSE: Duration = Duration::from_millis(200);

impl Run {
    pub(super) fn slow_queries(&self, asked: &SlowQueries) -> Result<Outcome> {
        if asked.reset {
            return self.on_targets(async |run, target, interrupt| {
                let eye = Eye::open(&run.connection(target)?, "slow-queries", interrupt).await?;
                run.forget(&eye, target).await
            });
        }
        if let Some(every) = asked.watch {
            let before = RefCell::new(None);
            return self
                .watch("slow-queries", every, async |eye, interrupt| again(eye, asked, &before, interrupt).await);
        }
        self.on_targets(async |run, target, interrupt| {
            let eye = Eye::open(&run.connection(target)?, "slow-queries", interrupt).await?;
            let (setup, counts) = statements::read(&eye).await?;
            let Some(counts) = counts else {
                let sampling = asked.window.unwrap_or(SAMPLING);
                return Ok((Outcome::Done, sampled(&eye, &setup, &asked.wish, sampling, interrupt).await?));
            };
            let (counts, window, first) = if asked.since_last {
                let before = run.last(&eye, &setup, &counts, interrupt).await?;
                let first = before.is_none();
                let (counts, window) = between(before, counts);
                (counts, window, first)
            } else {
                let (counts, window) = window(&eye, counts, asked.window, interrupt).await?;
                (counts, window, false)
            };
            if let Some(wanted) = asked.explain {
                return Ok((Outcome::Done, plans(&eye, &setup, &counts, wanted, asked).await?));
            }
            let (mut document, _) = told(&eye, &setup, &counts, &asked.wish, window).await?;
            if first {
                document =
                    document.note("nothing was kept before: all counts are shown, and the next run tells from here on");
            }
            Ok((Outcome::Done, document))
        })
    }

    /// What was counted the last time, which from now on is this time.
    async fn last(&self, eye: &Eye, setup: &Setup, counts: &Counts, interrupt: &Interrupt) -> Result<Option<Counts>> {
        let nowhere = |why: String| {
            Failure::new(Kind::Failed, format!("there is no place to keep counts: {why}"))
                .hint("say how long: dbctl slow-queries --for 30s")
        };
        let folder = self.state_folder().ok_or_else(|| nowhere("there is no home folder".to_owned()))?;
        let identity = Reader::new(eye, interrupt, EACH, ALL).one::<Identity>().await?.map_err(nowhere)?;
        // A standby has its primary's identifier and counts for itself; what a role sees, and what a version of the
        // extension in a database counts, is not what others do.
        let version = setup.usable().map(|extension| extension.version.as_str()).unwrap_or_default();
        let (host, role) = (eye.session().host(), &setup.role);
        let key = format!("{}@{host}/{}/{version}/{role}", identity.system, identity.database);
        let now = Utc::now().timestamp_millis() as f64 / 1_000.0;
        exchange(&folder.join("slow-queries.json"), &key, now, |known: Result<Option<Counts>>| {
            (counts.clone(), known.unwrap_or_default())
        })
    }

    async fn forget(&self, eye: &Eye, target: &Target) -> Result<Answer> {
        let (setup, counts) = statements::read(eye).await?;
        let (Some(counts), Some(extension)) = (counts, setup.usable()) else {
            let steps = statements::steps(eye, &setup).await?;
            let failure = Failure::new(Kind::Refused, "statements are not counted here: there is nothing to reset");
            return Err(steps.0.iter().fold(failure, |failure, step| failure.note(step.clone())));
        };
        if self.consent.dry_run {
            return Ok((Outcome::Done, statements::forgotten(&setup, &counts, false)));
        }
        gate::consent(statements::stakes(&setup, &counts), &self.rails(target, true), &mut Terminal)?;
        statements::reset(eye, extension).await?;
        Ok((Outcome::Done, statements::forgotten(&setup, &counts, true)))
    }
}

/// One frame: what ran since the frame before.
async fn again(
    eye: &Eye,
    asked: &SlowQueries,
    before: &RefCell<Option<Counts>>,
    interrupt: &Interrupt,
) -> Result<Answer> {
    let (setup, counts) = statements::read(eye).await?;
    let Some(counts) = counts else {
        return Ok((Outcome::Done, sampled(eye, &setup, &asked.wish, Duration::ZERO, interrupt).await?));
    };
    let (counts, window) = between(before.replace(Some(counts.clone())), counts);
    let (document, _) = told(eye, &setup, &counts, &asked.wish, window).await?;
    Ok((Outcome::Done, document))
}

fn between(before: Option<Counts>, after: Counts) -> (Counts, Option<Window>) {
    match before {
        Some(before) => (statements::delta(&before, &after), Some(Window::between(&before, &after))),
        None => (after, None),
    }
}

async fn window(
    eye: &Eye,
    counts: Counts,
    time: Option<Duration>,
    interrupt: &Interrupt,
) -> Result<(Counts, Option<Window>)> {
    let Some(time) = time else { return Ok((counts, None)) };
    interrupt.sleep(time).await?;
    let (_, after) = statements::read(eye).await?;
    let after = after.ok_or_else(|| Failure::new(Kind::Failed, "pg_stat_statements went away meanwhile"))?;
    Ok(between(Some(counts), after))
}

async fn told(
    eye: &Eye,
    setup: &Setup,
    counts: &Counts,
    wish: &Wish,
    window: Option<Window>,
) -> Result<(Document, Ranking)> {
    let ranking = ranked(eye, setup, counts, wish).await?;
    Ok((statements::view(setup, counts, &ranking, wish, window), ranking))
}

async fn ranked(eye: &Eye, setup: &Setup, counts: &Counts, wish: &Wish) -> Result<Ranking> {
    let mut ranking = statements::rank(counts, wish, setup.dbid);
    if let Some(extension) = setup.usable() {
        ranking.say(statements::texts(eye, extension, &ranking.keys()).await?, wish);
    }
    Ok(ranking)
}

/// The plans of the worst statements of this database, or of one.
async fn plans(
    eye: &Eye,
    setup: &Setup,
    counts: &Counts,
    wanted: Option<i64>,
    asked: &SlowQueries,
) -> Result<Document> {
    let chosen: Vec<(Key, Text)> = match wanted {
        None => {
            let here = Wish { this_database: true, redact: false, limit: 0, ..asked.wish };
            let ranking = ranked(eye, setup, counts, &here).await?;
            let most = if asked.wish.limit == 0 { usize::MAX } else { asked.wish.limit };
            let with_plans =
                ranking.top.into_iter().filter(|ranked| ranked.text.query.as_deref().is_some_and(statements::has_plan));
            with_plans.take(most).map(|ranked| (ranked.entry.key, ranked.text)).collect()
        }
        Some(id) => {
            let mut keys: Vec<Key> =
                counts.entries.iter().map(|entry| entry.key).filter(|key| key.queryid == Some(id)).collect();
            // Of one statement in several databases, or of several roles, the one of this database.
            keys.sort_by_key(|key| (key.dbid != setup.dbid, *key));
            keys.truncate(1);
            let Some(extension) = setup.usable().filter(|_| !keys.is_empty()) else {
                return Err(Failure::new(Kind::Usage, format!("no statement {id} was counted"))
                    .hint("see what was, with queryid: dbctl slow-queries --limit 0 --format csv"));
            };
            let mut texts = statements::texts(eye, extension, &keys).await?;
            keys.into_iter().map(|key| (key, texts.remove(&key).unwrap_or_default())).collect()
        }
    };
    let mut all = Vec::new();
    for (key, text) in chosen {
        all.push(statements::explain(eye, setup, key, text, asked.trust).await?);
    }
    Ok(statements::explained(setup, &all, asked.wish.redact))
}

/// The document, and the ranking where statements are counted.
pub(super) async fn page(eye: &Eye, wish: &Wish, interrupt: &Interrupt) -> Result<(Document, Option<Ranking>)> {
    match statements::read(eye).await? {
        (setup, Some(counts)) => {
            let (document, ranking) = told(eye, &setup, &counts, wish, None).await?;
            Ok((document, Some(ranking)))
        }
        (setup, None) => Ok((sampled(eye, &setup, wish, Duration::ZERO, interrupt).await?, None)),
    }
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

//! `dbctl report`: the looks of other commands, each on its own, as one page.

use std::path::Path;
use std::time::Duration;

use chrono::Utc;

use super::Run;
use super::backup::place;
use super::check::applies;
use super::drift::POLICY;
use crate::backup::Repository;
use crate::cli::partitions::{Source, Verb};
use crate::cli::report::Wish;
use crate::config::Target;
use crate::error::{Explain, Kind, Result};
use crate::inspect::locks::Limits;
use crate::inspect::{Eye, activity, locks, sizes, statements};
use crate::outcome::Outcome;
use crate::output::chart::{bars, timeline, treemap};
use crate::output::{Access, Level, write_whole};
use crate::pg::{Interrupt, Server};
use crate::report::{self, Page, Part};
use crate::{backup, bloat, check, outcome, partitions, policy};

/// A wait from which on the page warns, and from which on it is red; as `dbctl locks` has them.
const LIMITS: Limits = Limits { warn: Duration::from_secs(10), crit: Duration::from_secs(60) };
/// As long as the server may take to say what it is.
const SOON: Duration = Duration::from_secs(2);
/// Tables that are listed.
const SHOWN: usize = 12;
/// Bytes of a table or index from which bloat is shown.
const BLOATED: u64 = 10 << 20;
/// Tables that are drawn; the others are one area.
const PIECES: usize = 40;
/// A transaction that is shown as long.
const LONG: Duration = Duration::from_secs(60);

impl Run {
    pub(super) fn report(&self, wish: &Wish) -> Result<Outcome> {
        self.one_target_only("--html")?;
        self.on_targets(async |run, target, interrupt| {
            let page = run.page(target, wish, interrupt).await?;
            let text = page.html();
            let access = if wish.redact { Access::Everybody } else { Access::Owner };
            write_whole(&wish.html, &text, access)
                .explain(Kind::Failed, format!("cannot write {}", wish.html.display()))?;
            Ok(report::view(&page, &wish.html, text.len()))
        })
    }

    async fn page(&self, target: &Target, wish: &Wish, interrupt: &Interrupt) -> Result<Page> {
        let eye = Eye::open(&self.connection(target)?, "report", interrupt).await?;
        let server = eye.look(SOON, Server::read).await?;
        let mut seen = activity::read(&eye).await?;
        if wish.redact {
            seen.redact();
        }
        let locks = locks_part(&eye, wish.redact).await;
        let health = self.health_part(target, interrupt).await?;
        let mut parts = vec![health, locks, Part::of("activity", "Activity", Ok(activity::view(&seen, LONG)))];
        parts.push(queries_part(&eye, wish.redact, interrupt).await);
        parts.push(sizes_part(&eye).await);
        parts.push(bloat_part(&eye).await);
        parts.extend(self.partitions_part(target, wish, interrupt).await);
        parts.extend(self.backups_part(wish, &seen.database).await);
        Ok(Page {
            subject: target.name.clone().unwrap_or_else(|| seen.database.clone()),
            server: format!(
                "database {} of {}, PostgreSQL {}",
                seen.database,
                if seen.standby { "a standby" } else { "a primary" },
                server.version
            ),
            at: seen.at,
            parts,
        })
    }

    /// The checks of `dbctl check`, without rates: nothing is kept from page to page.
    async fn health_part(&self, target: &Target, interrupt: &Interrupt) -> Result<Part> {
        let settings = self.settings.file.as_ref().map_or_else(check::Settings::default, |file| file.checks.clone());
        let checks: Vec<_> = check::CHECKS
            .iter()
            .filter(|check| !check.is_rate() && !settings.off.contains(&check.id) && applies(check, target, &settings))
            .collect();
        let brought = self.bring(target, &checks, &settings, interrupt).await?;
        let request = check::Request { checks, settings, state: None, brought };
        let report = check::check(&self.connection(target)?, &request, interrupt).await?;
        let (worst, document) = check::view(&[report], Utc::now());
        let level = match worst {
            outcome::Level::Ok => Some(Level::Note),
            outcome::Level::Warn => Some(Level::Warning),
            outcome::Level::Crit => Some(Level::Error),
            outcome::Level::Unknown => None,
        };
        Ok(Part { level, ..Part::of("health", "Health", Ok(document)) })
    }

    /// How it stands with the backups of this database; nothing where neither flag nor file names a repository.
    async fn backups_part(&self, wish: &Wish, database: &str) -> Option<Part> {
        let written = self.written();
        let url = wish.backups.clone().or(written.to)?;
        let read = async {
            let repository = Repository::open(&place(&url)?, &self.env)?;
            backup::list::status(&repository, &[database.to_owned()], written.max_age, None).await
        };
        let answer = read.await;
        let level = match &answer {
            Ok((Outcome::Done, _)) => Some(Level::Note),
            Ok(_) => Some(Level::Error),
            Err(_) => None,
        };
        Some(Part { level, ..Part::of("backups", "Backups", answer.map(|(_, document)| document)) })
    }

    /// Nothing where there is no policy.
    async fn partitions_part(&self, target: &Target, wish: &Wish, interrupt: &Interrupt) -> Option<Part> {
        let file = match &wish.policy {
            Some(file) => file.as_path(),
            None => Path::new(POLICY),
        };
        if wish.policy.is_none() && !file.exists() {
            return None;
        }
        let source = Source { policy: file.to_owned(), system: None, allow_clock_skew: false, tables: Vec::new() };
        let read = async {
            let policy = policy::file::open(file, &self.env)?;
            let request = self.partitions_request(target, &source, &Verb::Status, policy)?;
            partitions::timeline(&request, interrupt).await
        };
        let (picture, answer) = match read.await {
            Ok((document, tracks)) => (Some(timeline(&tracks, Utc::now())), Ok(document)),
            Err(failure) => (None, Err(failure)),
        };
        Some(Part { picture, ..Part::of("partitions", "Partitions", answer) })
    }
}

async fn locks_part(eye: &Eye, redact: bool) -> Part {
    let answer = locks::read(eye, &[]).await.map(|mut sample| {
        if redact {
            sample.redact();
        }
        locks::view(&sample, LIMITS)
    });
    let level = match &answer {
        Ok((Outcome::Done, _)) => Some(Level::Note),
        Ok(_) => Some(Level::Warning),
        Err(_) => None,
    };
    Part { level, ..Part::of("locks", "Locks", answer.map(|(_, document)| document)) }
}

async fn sizes_part(eye: &Eye) -> Part {
    let read = sizes::read(eye, true).await.map(|seen| {
        let trees = sizes::trees(&seen.parts);
        let wish = sizes::Wish { limit: Some(SHOWN), databases: true, ..sizes::Wish::default() };
        let document = sizes::view(&seen, None, None, &wish);
        (document, treemap(&sizes::pieces(&trees, PIECES)))
    });
    let (answer, picture) = match read {
        Ok((document, picture)) => (Ok(document), Some(picture)),
        Err(failure) => (Err(failure), None),
    };
    Part { picture, ..Part::of("sizes", "Sizes", answer) }
}

async fn bloat_part(eye: &Eye) -> Part {
    let read = bloat::read(eye, bloat::LIMIT, 0).await.map(|look| {
        let wish = bloat::Wish { min_bytes: BLOATED, limit: Some(SHOWN), ..bloat::Wish::default() };
        let document = bloat::view(&look, bloat::Mode::Fast, &bloat::Measured::default(), &wish);
        (document, bars(&bloat::bars(&look.estimates, SHOWN)))
    });
    let (answer, picture) = match read {
        Ok((document, picture)) => (Ok(document), Some(picture)),
        Err(failure) => (Err(failure), None),
    };
    Part { picture, ..Part::of("bloat", "Bloat", answer) }
}

async fn queries_part(eye: &Eye, redact: bool, interrupt: &Interrupt) -> Part {
    let wish =
        statements::Wish { sort: statements::Sort::Total, limit: SHOWN, min_calls: 1, this_database: false, redact };
    let read = super::slow_queries::page(eye, &wish, interrupt).await;
    let picture = |ranking: &statements::Ranking| bars(&statements::shares(ranking));
    let (answer, picture) = match read {
        Ok((document, ranking)) => (Ok(document), ranking.as_ref().map(picture)),
        Err(failure) => (Err(failure), None),
    };
    Part { picture, ..Part::of("queries", "Queries", answer) }
}

//! `dbctl bloat`

use chrono::Utc;

use super::Run;
use crate::bloat::{self, Baselines, Measured, Mode};
use crate::check;
use crate::cli::bloat::Bloat;
use crate::error::Result;
use crate::inspect::Eye;
use crate::inspect::vitals::{ALL, EACH, Identity, Reader};
use crate::outcome::Outcome;

impl Run {
    pub(super) fn bloat(&self, asked: &Bloat) -> Result<Outcome> {
        self.on_targets(async |run, target, interrupt| {
            let connection = run.connection(target)?;
            let eye = Eye::open(&connection, "bloat", interrupt).await?;
            let identity = Reader::new(&eye, interrupt, EACH, ALL).one::<Identity>().await?;
            let place = connection.hosts.first().map(ToString::to_string).unwrap_or_default();
            // Without a home, or without a server that says which it is, every time is the first.
            let kept = run.state_folder().zip(identity.as_ref().ok()).map(|(folder, identity)| {
                (folder.join("bloat.json"), format!("{}-{}-{place}", identity.system, identity.database))
            });
            let mut forgotten = None;
            let mut look = bloat::read(&eye, bloat::LIMIT, asked.wish.min_bytes).await?;
            if let Some((path, key)) = &kept {
                #[expect(clippy::cast_precision_loss, reason = "seconds")]
                let now = Utc::now().timestamp() as f64;
                let learned = check::exchange(path, key, now, |known: Result<Option<Baselines>>| match known {
                    Ok(known) => {
                        let known = known.unwrap_or_default();
                        let next = bloat::learn(&known, &look.estimates, now);
                        bloat::compare(&mut look.estimates, &known, &next);
                        (next, None)
                    }
                    Err(failure) => (bloat::learn(&Baselines::new(), &look.estimates, now), Some(failure)),
                });
                forgotten = learned.unwrap_or_else(Some);
            }
            let measured = match asked.mode {
                Mode::Fast => Measured::default(),
                mode => {
                    bloat::measure(&eye, &mut look, mode, asked.budget, interrupt, |one| asked.wish.shows(one)).await?
                }
            };
            let mut document = bloat::view(&look, asked.mode, &measured, &asked.wish);
            if let Some(keeper) = bloat::keeper(&eye, &look, &asked.wish).await? {
                document = document.note(keeper);
            }
            if let Some(failure) = forgotten {
                document = document.note(format!("sizes after builds are not kept: {}", failure.messages().join(": ")));
            }
            Ok((Outcome::Done, document))
        })
    }
}

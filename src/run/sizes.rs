//! `dbctl sizes`

use std::path::PathBuf;

use super::Run;
use crate::cli::sizes::{Place, Sizes};
use crate::error::{Failure, Kind, Result};
use crate::inspect::vitals::{ALL, EACH, Identity, Reader};
use crate::inspect::{Eye, sizes};
use crate::outcome::Outcome;

impl Run {
    pub(super) fn sizes(&self, asked: &Sizes) -> Result<Outcome> {
        if matches!(&asked.save, Some(Place::File(_))) || matches!(&asked.since, Some(Place::File(_))) {
            self.one_target_only("a file for --save or --since")?;
        }
        if asked.wish.sort == sizes::Sort::Growth && asked.since.is_none() {
            return Err(Failure::new(
                Kind::Usage,
                "--sort growth needs something to compare with: --since last, or --since FILE",
            )
            .hint("sizes are kept by: dbctl sizes --save, or dbctl sizes --save FILE"));
        }
        self.on_targets(async |run, target, interrupt| {
            let connection = run.connection(target)?;
            let eye = Eye::open(&connection, "sizes", interrupt).await?;
            // Which server it is matters to what is kept of it, and to that alone.
            let identity = if asked.save.is_some() || asked.since.is_some() {
                Reader::new(&eye, interrupt, EACH, ALL).one::<Identity>().await?
            } else {
                Err("it was not asked".to_owned())
            };
            let place = connection.hosts.first().map(ToString::to_string).unwrap_or_default();
            let file = |place_asked: &Place| -> Result<PathBuf> {
                match place_asked {
                    Place::File(file) => Ok(file.clone()),
                    Place::Last => {
                        let identity = identity
                            .as_ref()
                            .map_err(|why| nowhere(format!("{why}: the server cannot be told from others")))?;
                        let state = run.state_folder().ok_or_else(|| nowhere("there is no home folder".to_owned()))?;
                        Ok(sizes::last(&state, identity, &place))
                    }
                }
            };
            let before = match &asked.since {
                None => None,
                Some(Place::Last) if !file(&Place::Last)?.exists() => None,
                Some(since) => Some(sizes::before(&file(since)?)?),
            };
            let seen = sizes::read(&eye, asked.wish.databases).await?;
            let system = identity.as_ref().ok().map(|identity| identity.system);
            // What is compared with the last time is the last time of the next.
            for kept in asked.save.iter().chain(asked.since.iter().filter(|since| **since == Place::Last)) {
                sizes::save(&file(kept)?, &seen, system)?;
            }
            let first = asked.since.is_some() && before.is_none();
            let mut document = sizes::view(&seen, system, before.as_ref(), &asked.wish);
            if first {
                document = document.note("nothing was kept before: growth is told from the next --since last on");
            }
            Ok((Outcome::Done, document))
        })
    }
}

fn nowhere(why: String) -> Failure {
    Failure::new(Kind::Failed, format!("there is no place to keep sizes: {why}"))
        .hint("name a file: --save FILE, --since FILE")
}

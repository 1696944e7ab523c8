//! `dbctl health`: the vital signs of a server, each part on its own, so that what cannot be read is
//! UNKNOWN and the rest is told. The readers are those of `dbctl check`.

mod page;
mod read;
mod readings;

pub use page::{Section, Vitals, view};
pub use read::{Part, Reader, Reading};
pub(in crate::inspect) use readings::readings;
pub use readings::{
    Archiver, Autovacuum, Cache, Checkpoints, Collation, Database, Identity, OldTable, Role, Sequence, Server,
    Settings, Vacuum, percent,
};

use std::time::Duration;

use futures_util::future::join;

use crate::error::Result;
use crate::inspect::Eye;
use crate::pg::Interrupt;

/// How long one part may take.
pub const EACH: Duration = Duration::from_secs(2);
/// How long all of them may take together.
pub const ALL: Duration = Duration::from_secs(10);

/// Reads these sections.
///
/// # Errors
/// When the connection is lost, or a signal came.
pub async fn look(eye: &Eye, sections: &[Section], interrupt: &Interrupt) -> Result<Vitals> {
    let reader = Reader::new(eye, interrupt, EACH, ALL);
    let wants = |section| sections.contains(&section);
    let (counters, wraparound) = (wants(Section::Counters), wants(Section::Wraparound));
    // These two go out together, for most looks are at few sections.
    let cache = async { if wants(Section::Cache) { reader.one().await.map(Some) } else { Ok(None) } };
    let (server, cache) = join(reader.one(), cache).await;
    Ok(Vitals {
        server: server?,
        databases: if counters || wraparound { Some(reader.all().await?) } else { None },
        cache: cache?,
        oldest: if wraparound { Some(reader.all().await?) } else { None },
        sequences: if wants(Section::Sequences) { Some(reader.all().await?) } else { None },
        counters,
        wraparound,
        checkpoints: if wants(Section::Checkpoints) { Some(reader.checkpoints().await?) } else { None },
        queue: if wants(Section::Autovacuum) { Some(reader.all().await?) } else { None },
        vacuums: if wants(Section::Autovacuum) { Some(reader.all().await?) } else { None },
        horizon: if wants(Section::Horizon) { Some(reader.horizon().await?) } else { None },
    })
}

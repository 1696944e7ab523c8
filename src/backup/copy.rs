//! A backup in a second place: byte for byte, each file held against the manifest on its way, the manifest
//! written last.

use futures_util::TryStreamExt as _;

use super::manifest::{Id, Manifest};
use super::repository::{Draft, Repository};
use crate::archive::store::{Create, Stored};
use crate::error::{Failure, Kind, Result};
use crate::pg::Interrupt;

/// Copies a backup. What fails leaves nothing that looks like a backup there.
///
/// # Errors
/// Refused, when a file is not what the manifest says or a backup of that name is there; the stores'.
pub async fn copy(from: &Repository, to: &Repository, manifest: &Manifest, interrupt: &Interrupt) -> Result<()> {
    let id = Id::parse(&manifest.id)
        .ok_or_else(|| Failure::new(Kind::Refused, format!("'{}' is no name of a backup", manifest.id)))?;
    if to.manifest(&id).await?.is_some() {
        return Err(Failure::new(Kind::Refused, format!("backup {id} is in {} already", to.url())));
    }
    let draft = to.begin(id);
    let copied = tokio::select! {
        copied = files(from, to, &draft, manifest) => copied,
        failure = interrupt.wait() => Err(failure),
    };
    let done = match copied {
        Ok(()) => to.publish(&draft, manifest).await,
        Err(failure) => Err(failure),
    };
    match done {
        Ok(()) => Ok(()),
        Err(failure) => Err(match to.discard(&draft).await {
            Ok(()) => failure,
            Err(left) => failure.note(left.messages().join(": ")),
        }),
    }
}

async fn files(from: &Repository, to: &Repository, draft: &Draft, manifest: &Manifest) -> Result<()> {
    for part in &manifest.files {
        let (here, there) = (Repository::path(&manifest.id, &part.file.path), draft.path(&part.file.path));
        let mut pieces = from.store().read(&here).await?;
        let mut writer = to.store().create(&there, &Create::default()).await?;
        while let Some(piece) = pieces.try_next().await? {
            writer.write(piece).await?;
        }
        let wanted = Stored { bytes: part.file.bytes, sha256: part.file.sha256.clone() };
        if writer.stored() != wanted {
            let damaged =
                Failure::new(Kind::Refused, format!("{} is not what its manifest says", from.store().url_of(&here)));
            return Err(match writer.abort().await {
                Ok(()) => damaged,
                Err(left) => damaged.note(left.messages().join(": ")),
            });
        }
        writer.finish(to.store(), &there).await?;
    }
    Ok(())
}

//! What is to be restored.

use anyhow::{bail, ensure};
use calotype_eventstore::proof::PublicKey;
use calotype_media::objects::Objects;

use super::Restore;
use crate::backup::{Manifest, Manifests, open_place};
use crate::config::Config;

/// A backup, and up to where.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) objects: Objects,
    pub(super) manifest: Manifest,
    pub(super) position: i64,
}

impl Plan {
    pub(super) async fn make(wish: &Restore, config: &Config) -> anyhow::Result<Self> {
        let objects = open_place(&wish.from, &wish.store, config)?;
        let known = Manifests::read(&objects).await?;
        let manifest = known.choose(wish.backup.as_deref())?.clone();
        let position = wish.position.unwrap_or(manifest.position);
        ensure!(
            (0..=manifest.position).contains(&position),
            "the backup goes from position 1 to {}",
            manifest.position
        );
        require_whole(&manifest)?;
        Ok(Self { objects, manifest, position })
    }

    /// The key that signed heads, as the backup tells it.
    pub(super) fn public_key(&self) -> Option<PublicKey> {
        PublicKey::parse(self.manifest.public_key.as_deref()?)
    }
}

/// The pieces must follow one another.
fn require_whole(manifest: &Manifest) -> anyhow::Result<()> {
    let mut after = 0;
    for segment in &manifest.segments {
        if segment.first != after + 1 || segment.last < segment.first {
            bail!("the manifest names no piece of the log behind position {after}");
        }
        after = segment.last;
    }
    ensure!(after == manifest.position, "the manifest names no piece of the log behind {after}");
    Ok(())
}

//! The files of an asset in hand, and its keys let go once it is gone.

use std::collections::BTreeSet;
use std::time::Duration;

use calotype_commands::moves::{Held, hold_in_tx};
use calotype_domain::AssetId;
use calotype_domain::asset::AssetEvent;
use sqlx::PgConnection;

use super::step::parsed;
use super::table;
use crate::error::ProcessorError;
use crate::live::hex;
use crate::worker::Worker;

/// How long to wait for an asset that somebody has in hand.
const SHORTLY: Duration = Duration::from_millis(500);

impl Worker {
    /// Takes an asset's files in hand, so that nobody moves them until what is answered is dropped; nothing when
    /// somebody has them.
    pub(crate) async fn hold_files(
        &self,
        asset_id: AssetId,
    ) -> Result<Option<Held>, ProcessorError> {
        Ok(self.holds.hold(asset_id).await?)
    }

    /// Removes whatever lies under the keys of an asset that is gone, and lets the keys go, once no move of it is
    /// in hand: else that one would put a file where nobody looks for it any more.
    ///
    /// # Errors
    /// [`ProcessorError::NotYet`] while a move is in hand.
    pub(crate) async fn forget_place(&self, asset_id: AssetId) -> Result<(), ProcessorError> {
        let mut tx = self.queries.locks().begin().await?;
        if !hold_in_tx(&mut tx, asset_id).await? {
            return Err(ProcessorError::NotYet { after: SHORTLY });
        }
        self.forget_place_in_tx(&mut tx, asset_id).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn forget_place_in_tx(
        &self,
        tx: &mut PgConnection,
        asset_id: AssetId,
    ) -> Result<(), ProcessorError> {
        let Some(row) = table::place_in_tx(tx, asset_id.uuid()).await? else { return Ok(()) };
        let is_recorded = row.former_key.is_none() || row.moved_at.is_some();
        let new = [(Some(row.key), row.has_put), (row.sidecar_key, row.has_put_sidecar)];
        let former = [row.former_key, row.former_sidecar_key];
        let new = new.into_iter().filter_map(|(key, has_put)| Some((key?, is_recorded || has_put)));
        let all = new.chain(former.into_iter().flatten().map(|key| (key, true)));
        let mut known = None;
        for (key, is_mine) in all {
            let key = parsed(&key)?;
            // The process may have died after it put the file there, and before it said so: the bytes tell.
            if !is_mine {
                let known = match &known {
                    Some(known) => known,
                    None => known.insert(self.digests_of(asset_id).await?),
                };
                let lies = self.blobs.digest(&key).await?;
                if lies.is_none_or(|(_, blake3)| !known.contains(&hex(&blake3))) {
                    continue;
                }
            }
            self.blobs.remove_with_folders(&key).await?;
        }
        table::forget_in_tx(tx, asset_id.uuid()).await
    }

    /// What an original and its sidecars were hashed to, over all of its time.
    async fn digests_of(&self, asset_id: AssetId) -> Result<BTreeSet<String>, ProcessorError> {
        let history = self.asset_events(asset_id).await?;
        let mut digests = BTreeSet::new();
        for told in history.events {
            match told.what {
                AssetEvent::Uploaded(uploaded) => {
                    digests.insert(uploaded.original.blake3);
                    digests.extend(uploaded.sidecar.map(|sidecar| sidecar.blake3));
                }
                AssetEvent::SidecarReplaced(replaced) => {
                    digests.insert(replaced.sidecar.blake3);
                }
                AssetEvent::SidecarWritten(written) => {
                    digests.extend(written.sidecar.map(|sidecar| sidecar.blake3));
                }
                _ => {}
            }
        }
        Ok(digests)
    }
}

//! Listens to applied batches and tells the sockets they concern.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use calotype_domain::{AssetId, UserId};
use calotype_projections::assets::AssetRow;
use calotype_projections::{Applied, Event};
use serde::Serialize;
use socketioxide::SocketIo;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::dto::{AssetEditReady, AssetUploadReady};
use super::sockets::Open;
use super::told::{Told, Waiting};
use crate::assets::dto::AssetResponseDto;
use crate::notifications::dto::load;
use crate::problem::Problem;
use crate::state::Api;

/// No argument: what is told is that it happened. `()` would be sent as `null`.
const NOTHING: [(); 0] = [];

/// Tells sockets what changed.
pub(super) struct Teller {
    pub(super) api: Api,
    pub(super) io: SocketIo,
    pub(super) open: Open,
    pub(super) waiting: Waiting,
}

impl Teller {
    /// Tells batch after batch, until cancelled or until nobody applies any more.
    pub(super) async fn run(
        self,
        mut applied: broadcast::Receiver<Applied>,
        cancel: CancellationToken,
    ) {
        loop {
            let batch = tokio::select! {
                () = cancel.cancelled() => break,
                batch = applied.recv() => batch,
            };
            match batch {
                Ok(Applied { events }) => self.step(&events).await,
                Err(RecvError::Lagged(batches)) => {
                    tracing::warn!(batches, "web sockets were not told of some changes");
                }
                Err(RecvError::Closed) => break,
            }
        }
        self.io.close().await;
    }

    async fn step(&self, events: &Arc<Vec<Event>>) {
        let told = self.waiting.sort_out(events);
        if told.is_empty() || self.open.load(Ordering::Relaxed) == 0 {
            return;
        }
        if let Err(problem) = self.tell(&told).await {
            tracing::warn!(
                status = problem.status().as_u16(),
                "web sockets were not told of a change"
            );
        }
    }

    async fn tell(&self, told: &[Told]) -> Result<(), Problem> {
        let rows = self.rows(told).await?;
        let mut trashed: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
        let mut restored: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
        let mut albums: BTreeSet<Uuid> = BTreeSet::new();
        let mut updated: BTreeSet<Uuid> = BTreeSet::new();
        for told in told {
            match *told {
                Told::Ready(id) => self.ready(rows.get(&id)).await?,
                Told::EditReady(id) => {
                    if let Some(row) = rows.get(&id) {
                        self.edit_ready(row).await;
                    }
                }
                Told::Trashed(id) => {
                    if let Some(row) = rows.get(&id) {
                        trashed.entry(row.owner_id).or_default().push(id);
                    }
                }
                Told::Restored(id) => {
                    if let Some(row) = rows.get(&id) {
                        restored.entry(row.owner_id).or_default().push(id);
                    }
                }
                Told::Deleted(id) => {
                    if let Some(owner_id) = self.owner_of_deleted(id).await? {
                        self.send(owner_id, "on_asset_delete", &id).await;
                    }
                }
                Told::Hidden(id) => {
                    if let Some(row) = rows.get(&id) {
                        self.send(row.owner_id, "on_asset_hidden", &id).await;
                    }
                }
                Told::Updated(id) => {
                    updated.insert(id);
                }
                Told::AlbumChanged(id) => {
                    albums.insert(id);
                }
                Told::PersonPictured(id) => {
                    if let Some(person) = self.api.queries.person(id).await? {
                        self.send(person.owner_id, "on_person_thumbnail", &id).await;
                    }
                }
                Told::StackChanged(id) => {
                    if let Some(owner_id) = self.api.queries.stack_owner(id).await? {
                        self.send(owner_id, "on_asset_stack_update", &NOTHING).await;
                    }
                }
                Told::ConfigChanged => {
                    if let Err(error) = self.io.emit("on_config_update", &NOTHING).await {
                        tracing::debug!(%error, "a socket was not reached");
                    }
                }
                Told::Notified { user_id, notification_id } => {
                    if let Some(told) = load(&self.api, user_id, notification_id).await? {
                        self.send(user_id, "on_notification", &told).await;
                    }
                }
                Told::UserDeleted(id) => {
                    if let Err(error) = self.io.emit("on_user_delete", &id).await {
                        tracing::debug!(%error, "a socket was not reached");
                    }
                }
            }
        }
        for album_id in albums {
            self.album_changed(album_id).await?;
        }
        for row in updated.iter().filter_map(|asset_id| rows.get(asset_id)) {
            self.updated(row).await;
        }
        for (owner_id, ids) in trashed {
            self.send(owner_id, "on_asset_trash", &ids).await;
        }
        for (owner_id, ids) in restored {
            self.send(owner_id, "on_asset_restore", &ids).await;
        }
        Ok(())
    }

    /// The rows of all assets of a batch, in one question.
    async fn rows(&self, told: &[Told]) -> Result<HashMap<Uuid, AssetRow>, Problem> {
        let mut asset_ids: Vec<Uuid> = told
            .iter()
            .filter_map(|told| match told {
                Told::Ready(id)
                | Told::Trashed(id)
                | Told::EditReady(id)
                | Told::Restored(id)
                | Told::Hidden(id)
                | Told::Updated(id) => Some(*id),
                Told::AlbumChanged(_)
                | Told::Deleted(_)
                | Told::PersonPictured(_)
                | Told::StackChanged(_)
                | Told::UserDeleted(_)
                | Told::ConfigChanged
                | Told::Notified { .. } => None,
            })
            .collect();
        asset_ids.sort_unstable();
        asset_ids.dedup();
        if asset_ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = self.api.queries.assets(&asset_ids).await?;
        self.api.caches.owners.learn(&rows);
        Ok(rows.into_iter().map(|row| (row.asset_id, row)).collect())
    }

    /// Whose an asset was that has no row any more: what is not remembered, for instance since before a start,
    /// the log tells.
    async fn owner_of_deleted(&self, asset_id: Uuid) -> Result<Option<Uuid>, Problem> {
        if let Some(owner_id) = self.api.caches.owners.of(asset_id) {
            return Ok(Some(owner_id));
        }
        let owner_id = self.api.queries.owner_of_asset(AssetId::new(asset_id)).await?;
        Ok(owner_id.map(UserId::uuid))
    }

    /// Tells everybody who has a part in an album now.
    async fn album_changed(&self, album_id: Uuid) -> Result<(), Problem> {
        let Some(album) = self.api.queries.album(album_id).await? else { return Ok(()) };
        for user_id in album.member_ids {
            self.send(user_id, "on_album_update", &album_id).await;
        }
        Ok(())
    }

    async fn ready(&self, row: Option<&AssetRow>) -> Result<(), Problem> {
        let Some(row) = row else { return Ok(()) };
        if !matches!(row.visibility.as_str(), "timeline" | "archive") {
            return Ok(());
        }
        let ready = AssetUploadReady::of(row);
        let shown = AssetResponseDto::plain(row.clone());
        self.send(row.owner_id, "on_upload_success", &shown).await;
        if row.has_metadata {
            self.send(row.owner_id, "AssetUploadReadyV2", &ready).await;
        }
        Ok(())
    }

    /// What is locked is not told, as in [`Self::updated`].
    async fn edit_ready(&self, row: &AssetRow) {
        if row.visibility != "locked" {
            self.send(row.owner_id, "AssetEditReadyV2", &AssetEditReady::of(row)).await;
        }
    }

    /// Tells the owner alone: the apps put what they are told of among their own photos. What is locked is not
    /// told, because a room does not know which of its sockets gave the PIN.
    async fn updated(&self, row: &AssetRow) {
        if row.visibility != "locked" {
            let shown = AssetResponseDto::plain(row.clone());
            self.send(row.owner_id, "on_asset_update", &shown).await;
        }
    }

    async fn send<T: Serialize>(&self, room: Uuid, event: &str, data: &T) {
        if let Err(error) = self.io.to(room.to_string()).emit(event, data).await {
            tracing::debug!(%error, "a socket was not reached");
        }
    }
}

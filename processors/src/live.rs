//! Puts live photos together: pairs stills with films by Apple's identifier, whichever came first, and takes
//! the films of motion photos out of their files, byte by byte, as assets of their own.

use std::collections::HashSet;
use std::io::SeekFrom;
use std::time::Duration;

use calotype_commands::assets::Uploaded;
use calotype_commands::{CommandContext, CommandError};
use calotype_domain::AssetId;
use calotype_domain::asset::{
    Asset, AssetError, AssetEvent, AssetLivePartsFound, AssetUploaded, Blob, EmbeddedFilm,
    MediaKind, UploadedFile, Visibility,
};
use calotype_eventstore::Revision;
use calotype_media::blob::{BlobKey, Location, StagedBlob};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tracing::warn;
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::history::History;
use crate::library::as_it_lies;
use crate::reconcile::{LOOK_ASSETS_MAX, TRIES_MAX};
use crate::worker::Worker;

/// Its name in the log.
const NAME: &str = "live-photos";
/// Pairs that one asset is a half of; a pair has one, copies of it make more.
const PAIRS_MAX: i64 = 100;
/// How long to wait for the read model, or for an asset in hand.
const SHORTLY: Duration = Duration::from_millis(250);
/// Bytes of a film copied at once.
const COPY_BYTES: usize = 512 * 1024;

/// A still with what its stream says.
struct Still {
    asset: Asset,
    uploaded: AssetUploaded,
    found: AssetLivePartsFound,
    found_at: Revision,
    ctx: CommandContext,
}

impl Worker {
    /// Pairs an asset, or takes the film out of its file. Doing it twice changes nothing.
    pub(crate) async fn complete_live_photo(
        &self,
        asset_id: AssetId,
    ) -> Result<(), ProcessorError> {
        let Some(_in_hand) = self.take(asset_id) else {
            return Err(ProcessorError::NotYet { after: SHORTLY });
        };
        let Some(still) = self.still(asset_id).await? else { return Ok(()) };
        if let Some(film) = still.asset.film_to_extract() {
            return self.extract(asset_id, &still, film).await;
        }
        // Of two halves that come at once, the one later in the log sees the other.
        let known = self.queries.live_photo_revision(asset_id.uuid()).await?;
        if known.is_none_or(|known| known < still.found_at.get()) {
            return Err(ProcessorError::NotYet { after: SHORTLY });
        }
        let pairs = self.queries.live_pairs(Some(asset_id.uuid()), PAIRS_MAX).await?;
        self.pair(&still.ctx, &pairs).await
    }

    /// A film that was deleted for good belongs to no still.
    pub(crate) async fn part_from(&self, film_id: AssetId) -> Result<(), ProcessorError> {
        for still_id in self.queries.stills_of_film(film_id.uuid()).await? {
            let ctx = self.context(NAME, self.commands.ids().v7(), None);
            self.commands.lose_film(&ctx, AssetId::new(still_id), film_id).await?;
        }
        Ok(())
    }

    /// The full look: pairs that nobody rang for, and films that are still inside.
    pub(crate) async fn look_for_live_photos(&self) -> Result<(), ProcessorError> {
        let pairs = self.queries.live_pairs(None, LOOK_ASSETS_MAX).await?;
        let ctx = self.context(NAME, self.commands.ids().v7(), None);
        self.pair(&ctx, &pairs).await?;
        for asset_id in self.queries.stills_with_films_inside(LOOK_ASSETS_MAX).await? {
            let asset_id = AssetId::new(asset_id);
            if self.tries.count(asset_id) >= TRIES_MAX {
                continue;
            }
            match self.complete_live_photo(asset_id).await {
                Ok(()) => self.tries.forget(asset_id),
                Err(ProcessorError::NotYet { .. }) => {}
                Err(error) => {
                    self.tries.add(asset_id);
                    warn!(asset.id = %asset_id, error = &error as &dyn std::error::Error, "cannot take the film out of a motion photo");
                }
            }
        }
        Ok(())
    }

    /// Pairs, each film with one still.
    async fn pair(
        &self,
        ctx: &CommandContext,
        pairs: &[(Uuid, Uuid)],
    ) -> Result<(), ProcessorError> {
        let mut taken = HashSet::new();
        for (still_id, film_id) in pairs.iter().filter(|(_, film_id)| taken.insert(*film_id)) {
            let ctx = self.context(NAME, ctx.correlation_id, ctx.causation_id);
            let (still_id, film_id) = (AssetId::new(*still_id), AssetId::new(*film_id));
            match self.commands.pair_film(&ctx, still_id, film_id).await {
                // One of them is gone by now.
                Ok(_) | Err(CommandError::Refused(AssetError::NotFound)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads the asset's stream; `None` where nothing was found on it.
    async fn still(&self, asset_id: AssetId) -> Result<Option<Still>, ProcessorError> {
        let History { asset, uploaded, events } = self.asset_events(asset_id).await?;
        let mut found = None;
        for told in &events {
            if let AssetEvent::LivePartsFound(parts) = &told.what {
                found = Some((parts.clone(), told.revision, self.because_of(NAME, told)));
            }
        }
        let exists = asset.owner_id().is_some();
        let uploaded = uploaded.and_then(|uploaded| as_it_lies(&asset, uploaded));
        Ok(uploaded.zip(found).filter(|_| exists).map(|(uploaded, (found, found_at, ctx))| Still {
            asset,
            uploaded,
            found,
            found_at,
            ctx,
        }))
    }

    /// Makes an asset of the film, unless the owner has its bytes already, and lets it belong to the still.
    async fn extract(
        &self,
        still_id: AssetId,
        still: &Still,
        film: EmbeddedFilm,
    ) -> Result<(), ProcessorError> {
        let Some(staged) = self.copy_out(&still.uploaded.original.key, film).await? else {
            warn!(asset.id = %still_id, "the file ends before its film does");
            // Nothing is left to do with it, so that nothing waits for it either.
            let found = AssetLivePartsFound { film: None, ..still.found.clone() };
            let ctx = self.context(NAME, still.ctx.correlation_id, still.ctx.causation_id);
            self.commands.record_live_parts(&ctx, still_id, found).await?;
            return Ok(());
        };
        if !self.lies_still(still_id, &still.uploaded.original.key).await? {
            return Err(ProcessorError::NotYet { after: SHORTLY });
        }
        let owner_id = still.uploaded.owner_id;
        let fresh_id = AssetId::new(self.commands.ids().v4());
        let key = BlobKey::motion_part(owner_id.uuid(), fresh_id.uuid());
        let original = Blob {
            key: key.as_str().to_owned(),
            size_bytes: staged.size_bytes,
            sha1: hex(&staged.sha1),
            blake3: hex(&staged.blake3),
        };
        staged.commit(&key).await?;
        let uploaded = as_upload(still, original);
        let ctx = self.context(NAME, still.ctx.correlation_id, still.ctx.causation_id);
        let film_id = match self.commands.upload_asset(&ctx, fresh_id, uploaded, Vec::new()).await {
            Ok(Uploaded::Created(_)) => fresh_id,
            Ok(Uploaded::Duplicate(known)) => {
                self.blobs.remove(&key).await?;
                known
            }
            Err(error) => {
                if error.is_certainly_unwritten() {
                    self.blobs.remove(&key).await?;
                }
                return Err(error.into());
            }
        };
        self.pair(&still.ctx, &[(still_id.uuid(), film_id.uuid())]).await
    }

    /// A copy of the film's bytes that is not in its place yet; `None` when there are fewer than there should.
    /// A file that is not at hand is an error: it may come back.
    async fn copy_out(
        &self,
        key: &str,
        film: EmbeddedFilm,
    ) -> Result<Option<StagedBlob>, ProcessorError> {
        let Ok(lies) = Location::parse(key) else { return Ok(None) };
        let Some(file) = self.blobs.open_at(&lies).await? else {
            return Err(ProcessorError::File(std::io::ErrorKind::NotFound.into()));
        };
        let (file, _kept) = file.into_parts();
        let mut file = tokio::fs::File::from_std(file);
        file.seek(SeekFrom::Start(film.offset_bytes)).await.map_err(ProcessorError::File)?;
        let mut inside = file.take(film.size_bytes);
        let mut writer = self.blobs.begin().await?;
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            let count = inside.read(&mut buffer).await.map_err(ProcessorError::File)?;
            let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else { break };
            writer.write(read).await?;
        }
        let staged = writer.finish().await?;
        Ok(Some(staged).filter(|staged| staged.size_bytes == film.size_bytes))
    }
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

/// The film that was inside a still, as an upload of its own.
fn as_upload(still: &Still, original: Blob) -> AssetUploaded {
    let is_locked = still.asset.visibility() == Visibility::Locked;
    let name = still.uploaded.file.known().map(|file| file.original_file_name.as_str());
    let name = name.unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    AssetUploaded {
        owner_id: still.uploaded.owner_id,
        kind: MediaKind::Video,
        original,
        sidecar: None,
        file: UploadedFile { original_file_name: format!("{stem}.mp4") }.into(),
        file_created_at: still.uploaded.file_created_at,
        file_modified_at: still.uploaded.file_modified_at,
        is_favorite: false,
        visibility: if is_locked { Visibility::Locked } else { Visibility::Hidden },
        duration_ms: None,
        live_photo_video_id: None,
    }
}

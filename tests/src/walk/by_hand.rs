//! A world for stories instead of walks: single wishes, and the processors' housekeeping beside it.

use std::sync::Arc;

use anyhow::Context as _;
use calotype_commands::assets::{Findings, Uploaded};
use calotype_domain::asset::{
    Asset, AssetThumbnailsRecorded, AssetUploaded, Blob, DerivedImage, MediaKind, ProcessorRef,
    UploadedFile, Visibility,
};
use calotype_domain::{AssetId, UserId};
use calotype_eventstore::StreamId;
use calotype_media::blob::BlobStore;
use calotype_media::decoder::{DecoderPool, PoolConfig};
use calotype_processors::worker::WorkerParts;
use calotype_processors::{InFlight, Worker};
use calotype_projections::Queries;
use chrono::{DateTime, Utc};

use super::world::World;

impl World {
    /// The read side.
    #[must_use]
    pub fn queries(&self) -> Queries {
        Queries::new(self.database.pool.clone(), Arc::clone(&self.store))
    }

    /// The time on the world's clock.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.commands.clock().now()
    }

    /// Processors over this world. They decode nothing.
    ///
    /// # Errors
    /// No folder can be made for files.
    pub async fn worker(&self) -> anyhow::Result<Worker> {
        let folder = tempfile::tempdir()?.keep();
        let blobs = BlobStore::open(folder).await.context("failed to open a folder for files")?;
        Ok(Worker::new(WorkerParts {
            commands: self.commands.clone(),
            queries: self.queries(),
            store: Arc::clone(&self.store),
            blobs,
            decoders: DecoderPool::new(PoolConfig::new("true", [])),
            gazetteer: None,
            places: 1,
            in_flight: InFlight::default(),
            pool: self.database.pool.clone(),
        }))
    }

    /// A new account.
    ///
    /// # Errors
    /// The command fails.
    pub async fn somebody(&mut self) -> anyhow::Result<UserId> {
        self.register().await?;
        self.follow().await?;
        self.users.last().copied().context("nobody was registered")
    }

    /// A photo that was taken at an instant, with its pictures.
    ///
    /// # Errors
    /// A command fails.
    pub async fn photo(
        &mut self,
        owner_id: UserId,
        taken: DateTime<Utc>,
    ) -> anyhow::Result<AssetId> {
        let id = AssetId::new(self.commands.ids().v4());
        let name = id.to_string();
        let blob = Blob {
            key: format!("library/{name}"),
            size_bytes: 1,
            sha1: name.clone(),
            blake3: name.clone(),
        };
        let uploaded = AssetUploaded {
            owner_id,
            kind: MediaKind::Image,
            original: blob,
            sidecar: None,
            file: UploadedFile { original_file_name: "photo.jpg".into() }.into(),
            file_created_at: taken,
            file_modified_at: taken,
            is_favorite: false,
            visibility: Visibility::Timeline,
            duration_ms: None,
            live_photo_video_id: None,
        };
        let ctx = self.context(Some(owner_id));
        match self.commands.upload_asset(&ctx, id, uploaded, Vec::new()).await? {
            Uploaded::Created(_) => {}
            Uploaded::Duplicate(other) => anyhow::bail!("{id} is a duplicate of {other}"),
        }
        let image = |width| DerivedImage { key: name.clone(), size_bytes: 1, width, height: 1 };
        let findings = Findings {
            thumbnails: Some(AssetThumbnailsRecorded {
                processor: ProcessorRef { name: "thumbnails".into(), version: 1 },
                input_blake3: name.clone(),
                thumbhash: "FkgODAY59ohHtouYmJnglGnxRw==".into(),
                thumbnail: image(250),
                preview: image(1440),
                display_width: 3,
                display_height: 2,
            }),
            ..Findings::default()
        };
        let (known, last) = self.commands.load::<Asset>(&StreamId::new("asset", id)).await?;
        let last = last.context("the upload was not written")?;
        let ctx = self.context(None);
        self.commands.record_findings(&ctx, id, (known, last), &findings).await?;
        self.follow().await?;
        Ok(id)
    }

    /// Puts photos into the trash.
    ///
    /// # Errors
    /// The command fails.
    pub async fn trash(&mut self, by: UserId, asset_ids: &[AssetId]) -> anyhow::Result<()> {
        let ctx = self.context(Some(by));
        self.commands.trash_assets(&ctx, by, asset_ids).await?;
        self.follow().await
    }
}

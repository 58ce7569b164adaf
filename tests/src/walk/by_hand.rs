//! A world for stories instead of walks: single wishes, and the processors' housekeeping beside it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use calotype_commands::assets::{Doomed, Findings, Uploaded};
use calotype_commands::{CommandContext, Commands};
use calotype_domain::asset::{
    Asset, AssetThumbnailsRecorded, AssetUploaded, Blob, DerivedImage, MediaKind, ProcessorRef,
    Purging, UploadedFile, Visibility,
};
use calotype_domain::config::{ConfigCommand, SETTINGS, shape};
use calotype_domain::{AssetId, UserId};
use calotype_eventstore::{EventStore, StreamId};
use calotype_media::blob::{BlobKey, BlobStore};
use calotype_media::decoder::{DecoderPool, PoolConfig};
use calotype_media::transcode::Transcoder;
use calotype_processors::encode::Encoding;
use calotype_processors::moves::Moving;
use calotype_processors::worker::WorkerParts;
use calotype_processors::{Gate, InFlight, Worker};
use calotype_projections::Queries;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgPool;

use super::step::accept;
use super::world::World;

/// A file that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// Where it lies.
    pub(crate) key: BlobKey,
    /// Its SHA-1 in hex.
    pub(crate) sha1: String,
}

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
        self.worker_in(&tempfile::tempdir()?.keep()).await
    }

    /// Processors over this world and the files in a folder, as after a start: they remember nothing.
    ///
    /// # Errors
    /// The folder cannot be opened.
    pub async fn worker_in(&self, folder: &Path) -> anyhow::Result<Worker> {
        let (store, pool) = (Arc::clone(&self.store), self.database.pool.clone());
        Self::worker_over(folder, self.commands.clone(), store, pool).await
    }

    /// Processors over a write side, a log and connections.
    pub(crate) async fn worker_over(
        folder: &Path,
        commands: Commands,
        store: Arc<dyn EventStore>,
        pool: PgPool,
    ) -> anyhow::Result<Worker> {
        let blobs = BlobStore::open(folder).await.context("failed to open a folder for files")?;
        Ok(Worker::new(WorkerParts {
            commands,
            queries: Queries::new(pool.clone(), Arc::clone(&store)),
            store,
            blobs,
            decoders: DecoderPool::new(PoolConfig::new("true", [])),
            transcoder: Transcoder::new(PoolConfig::new("true", [])),
            encoding: Encoding::default(),
            embedding: calotype_processors::embed::Embedding::default(),
            reading: calotype_processors::text::Reading::default(),
            finding: calotype_processors::faces::Finding::default(),
            scanning: calotype_processors::library::Scanning::default(),
            gazetteer: None,
            places: 1,
            in_flight: InFlight::default(),
            moving: Moving::default(),
            trying: calotype_processors::Trying::default(),
            pool,
            gate: Gate::default(),
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
        self.asset(owner_id, taken, MediaKind::Image).await
    }

    /// A film that was taken at an instant, with its pictures.
    ///
    /// # Errors
    /// A command fails.
    pub async fn film(
        &mut self,
        owner_id: UserId,
        taken: DateTime<Utc>,
    ) -> anyhow::Result<AssetId> {
        self.asset(owner_id, taken, MediaKind::Video).await
    }

    async fn asset(
        &mut self,
        owner_id: UserId,
        taken: DateTime<Utc>,
        kind: MediaKind,
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
            kind,
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

    /// Somebody who is or was there; nobody before the first account.
    pub(crate) fn some_user(&mut self) -> Option<UserId> {
        (!self.users.is_empty()).then(|| self.anybody())
    }

    /// The write side.
    #[must_use]
    pub fn commands(&self) -> &Commands {
        &self.commands
    }

    /// The circumstances of a command; by the walk itself where there is nobody.
    #[must_use]
    pub fn by(&self, user_id: Option<UserId>) -> CommandContext {
        self.context(user_id)
    }

    /// The database.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.database.pool
    }

    /// Changes settings, each named by its path.
    ///
    /// # Errors
    /// The command fails.
    pub async fn set(&mut self, settings: &[(&str, Value)]) -> anyhow::Result<()> {
        let mut document = SETTINGS.defaults();
        for (path, value) in settings {
            shape::put(&mut document, path, value.clone());
        }
        let ctx = self.context(None);
        self.commands.configure(&ctx, &ConfigCommand::Change(document)).await?;
        self.follow().await
    }

    /// Uploads a file, and what lies beside it, through a processor's store. Nothing is read of it.
    ///
    /// # Errors
    /// The store or a command fails.
    pub async fn upload_file(
        &mut self,
        worker: &Worker,
        owner_id: UserId,
        named: (&str, MediaKind),
        bytes: (&[u8], Option<&[u8]>),
    ) -> anyhow::Result<AssetId> {
        let sent = self.send_file(worker, owner_id, named, bytes).await?;
        let (id, _) = sent.context("the upload was refused")?;
        self.follow().await?;
        Ok(id)
    }

    /// The same, and nothing follows; says under which key the file lies. Nothing where a rule refused it.
    pub(crate) async fn send_file(
        &mut self,
        worker: &Worker,
        owner_id: UserId,
        (file_name, kind): (&str, MediaKind),
        (bytes, sidecar): (&[u8], Option<&[u8]>),
    ) -> anyhow::Result<Option<(AssetId, Sent)>> {
        let id = AssetId::new(self.commands.ids().v4());
        let ending = file_name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let key = BlobKey::original(owner_id.uuid(), id.uuid(), ending);
        let original = stored(worker, &key, bytes).await?;
        let sidecar = match sidecar {
            Some(bytes) => Some(stored(worker, &key.sidecar(), bytes).await?),
            None => None,
        };
        let taken = "2024-05-06T07:08:09Z".parse()?;
        let sent = Sent { key, sha1: original.sha1.clone() };
        let uploaded = AssetUploaded {
            owner_id,
            kind,
            original,
            sidecar,
            file: UploadedFile { original_file_name: file_name.to_owned() }.into(),
            file_created_at: taken,
            file_modified_at: taken,
            is_favorite: false,
            visibility: Visibility::Timeline,
            duration_ms: None,
            live_photo_video_id: None,
        };
        let ctx = self.context(Some(owner_id));
        let uploaded = self.commands.upload_asset(&ctx, id, uploaded, Vec::new()).await;
        Ok(accept(uploaded)?.map(|_| (id, sent)))
    }

    /// Lets a film belong to a still.
    ///
    /// # Errors
    /// The command fails.
    pub async fn pair(&mut self, still_id: AssetId, film_id: AssetId) -> anyhow::Result<()> {
        let ctx = self.context(None);
        self.commands.pair_film(&ctx, still_id, film_id).await?;
        self.follow().await
    }

    /// Deletes a photo for good, as its owner.
    ///
    /// # Errors
    /// The command fails.
    pub async fn purge_photo(&mut self, by: UserId, asset_id: AssetId) -> anyhow::Result<()> {
        let row = self.queries().asset(asset_id.uuid()).await?.context("there is no such asset")?;
        self.purge_sent(by, asset_id, &row.sha1).await?;
        self.follow().await
    }

    /// The same of a photo whose SHA-1 is known, and nothing follows; a rule may refuse it.
    pub(crate) async fn purge_sent(
        &mut self,
        by: UserId,
        asset_id: AssetId,
        sha1: &str,
    ) -> anyhow::Result<()> {
        let ctx = self.context(Some(by));
        let why = Purging::Wished { by };
        let doomed = Doomed { why, owner_id: by, asset_id, sha1 };
        accept(self.commands.purge_assets(&ctx, &[doomed]).await).map(drop)
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

async fn stored(worker: &Worker, key: &BlobKey, bytes: &[u8]) -> anyhow::Result<Blob> {
    let mut writer = worker.blobs.begin().await?;
    writer.write(bytes).await?;
    let staged = writer.finish().await?;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let blob = Blob {
        key: key.as_str().to_owned(),
        size_bytes: staged.size_bytes,
        sha1: hex(&staged.sha1),
        blake3: hex(&staged.blake3),
    };
    staged.commit(key).await?;
    Ok(blob)
}

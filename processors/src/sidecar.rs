//! Writes what people say about an asset into the XMP file beside its original, so that it outlives this
//! server. The original is never touched; see docs/adr/0011-sidecars.md.

use std::time::Duration;

use calotype_commands::{CommandContext, CommandError};
use calotype_domain::asset::{
    Asset, AssetError, AssetSidecarRefused, AssetSidecarWritten, AssetUploaded, Blob,
    SidecarOutcome, SidecarWish, TEMPLATED_ROOT, sidecar_place,
};
use calotype_domain::queue::SIDECAR;
use calotype_domain::tag::Tag;
use calotype_domain::{AssetId, TagId, UserId};
use calotype_eventstore::{Revision, StreamId};
use calotype_media::blob::{BlobKey, KeyError, StagedBlob};
use calotype_media::sidecar::SidecarWords;
use tracing::warn;
use uuid::Uuid;

use crate::error::ProcessorError;
use crate::history::History;
use crate::live::hex;
use crate::reconcile::{LOOK_ASSETS_MAX, TRIES_MAX};
use crate::worker::Worker;

/// Its name in the log.
const NAME: &str = "sidecar";
/// How long to wait for an asset in hand, or for its files to be read.
const SHORTLY: Duration = Duration::from_millis(500);
/// The largest file that is taken in as a sidecar, 16 MiB as for uploads.
const SIDECAR_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Assets looked at in one go for sidecars that nobody told of.
const CHUNK_ASSETS: i64 = 200;

/// An asset with what its stream says.
struct Behind {
    asset: Asset,
    uploaded: AssetUploaded,
    revision: Revision,
    ctx: CommandContext,
}

impl Worker {
    /// Writes an asset's sidecar, if it is behind. Doing it twice changes nothing.
    pub(crate) async fn write_sidecar(&self, asset_id: AssetId) -> Result<(), ProcessorError> {
        if self.is_sidecar_paused().await? {
            // It stays behind; the full look takes it up when the queue goes on.
            return Ok(());
        }
        let Some(_in_hand) = self.take(asset_id) else {
            return Err(ProcessorError::NotYet { after: SHORTLY });
        };
        let Some(behind) = self.behind(asset_id).await? else { return Ok(()) };
        let Some(wish) = behind.asset.sidecar_wish() else {
            return Err(ProcessorError::NotYet { after: SHORTLY });
        };
        let outcome = self.write(asset_id, &behind, &wish).await?;
        let written = matches!(outcome, SidecarOutcome::Written(_));
        let known = (behind.asset.clone(), behind.revision);
        match self.commands.record_sidecar(&behind.ctx, asset_id, known, outcome).await {
            // Somebody said more meanwhile, which is to be written too.
            Err(CommandError::Contended) => Err(ProcessorError::NotYet { after: SHORTLY }),
            Ok(_) if written => self.remove_former(&behind).await,
            Ok(_) | Err(CommandError::Refused(AssetError::NotFound)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A file that was put elsewhere is beside its original now.
    async fn remove_former(&self, behind: &Behind) -> Result<(), ProcessorError> {
        let places = behind.asset.places();
        let Some(former) = places.sidecar() else { return Ok(()) };
        if sidecar_place(places.original(), former) == former {
            return Ok(());
        }
        if let Ok(former) = BlobKey::parse(former) {
            self.blobs.remove(&former).await?;
        }
        Ok(())
    }

    /// The full look: sidecars that nobody rang for.
    pub(crate) async fn look_for_sidecars(
        &self,
        before: chrono::DateTime<chrono::Utc>,
    ) -> Result<(), ProcessorError> {
        for asset_id in self.queries.sidecars_behind(before, LOOK_ASSETS_MAX).await? {
            let asset_id = AssetId::new(asset_id);
            if self.sidecar_tries.count(asset_id) >= TRIES_MAX {
                continue;
            }
            match self.write_sidecar(asset_id).await {
                Ok(()) => self.sidecar_tries.forget(asset_id),
                Err(ProcessorError::NotYet { .. }) => {}
                Err(error) => {
                    self.sidecar_tries.add(asset_id);
                    warn!(asset.id = %asset_id, error = &error as &dyn std::error::Error, "cannot write a sidecar");
                }
            }
        }
        Ok(())
    }

    /// Reads sidecars after an asset again: those that are known, or, to discover, those that lie beside
    /// originals without anybody having told of them. One chunk; says which asset was its last, none at the end.
    pub(crate) async fn read_sidecars(
        &self,
        discover: bool,
        after: Uuid,
        ctx: impl Fn() -> CommandContext,
    ) -> Result<Option<Uuid>, ProcessorError> {
        let chunk = self.queries.sidecars_after(after, CHUNK_ASSETS).await?;
        let Some(last) = chunk.last().map(|(last, ..)| *last) else { return Ok(None) };
        if discover {
            for (asset_id, owner_id, original, sidecar) in &chunk {
                if sidecar.is_none() {
                    let (asset_id, owner_id) = (AssetId::new(*asset_id), UserId::new(*owner_id));
                    self.discover(&ctx(), asset_id, owner_id, original).await?;
                }
            }
            return Ok(Some(last));
        }
        let asset_ids: Vec<AssetId> = chunk
            .iter()
            .filter(|(.., sidecar)| sidecar.is_some())
            .map(|(asset_id, ..)| AssetId::new(*asset_id))
            .collect();
        let stage = calotype_domain::asset::Stage::Metadata;
        self.commands.request_processing(&ctx(), &asset_ids, stage).await?;
        Ok(Some(last))
    }

    /// Takes in the file that lies beside an original, if one does.
    async fn discover(
        &self,
        ctx: &CommandContext,
        asset_id: AssetId,
        owner_id: UserId,
        original: &str,
    ) -> Result<(), ProcessorError> {
        if self.sidecar_beside(original).await?.is_some() {
            // It is read where it lies.
            let stage = calotype_domain::asset::Stage::Metadata;
            return match self.commands.request_processing(ctx, &[asset_id], stage).await {
                Ok(_) | Err(CommandError::Refused(_)) => Ok(()),
                Err(error) => Err(error.into()),
            };
        }
        let Ok(key) = BlobKey::parse(original).map(|key| key.sidecar()) else { return Ok(()) };
        let Some(found) = self.blobs.stat(&key).await? else { return Ok(()) };
        if found.size_bytes > SIDECAR_BYTES_MAX {
            return Ok(());
        }
        let Some(file) = self.blobs.fetch(&key).await? else { return Ok(()) };
        let bytes = tokio::fs::read(file.path()).await.map_err(ProcessorError::File)?;
        let mut writer = self.blobs.begin().await?;
        writer.write(&bytes).await?;
        let staged = writer.finish().await?;
        // The name that a template made is personal: the file is taken in under one made of ids, and comes
        // beside its original again when it is written to.
        let is_templated = original.starts_with(TEMPLATED_ROOT);
        let key = if is_templated {
            BlobKey::original(owner_id.uuid(), self.commands.ids().v4(), "jpg").sidecar()
        } else {
            key
        };
        let sidecar = Blob {
            key: key.as_str().to_owned(),
            size_bytes: staged.size_bytes,
            sha1: hex(&staged.sha1),
            blake3: hex(&staged.blake3),
        };
        if is_templated {
            if self.commands.asset(asset_id).await?.places().original() != original {
                // It was moved meanwhile, and what was read may be another's.
                return Ok(());
            }
            staged.commit(&key).await?;
        }
        match self.commands.replace_sidecar(ctx, owner_id, asset_id, sidecar).await {
            Ok(_) | Err(CommandError::Refused(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn is_sidecar_paused(&self) -> Result<bool, ProcessorError> {
        Ok(self.queries.paused_queues().await?.iter().any(|name| name == SIDECAR))
    }

    /// Reads the asset's stream; `None` where nothing is to be written.
    async fn behind(&self, asset_id: AssetId) -> Result<Option<Behind>, ProcessorError> {
        let History { asset, uploaded, events } = self.asset_events(asset_id).await?;
        let is_behind = asset.is_sidecar_behind();
        Ok(uploaded.zip(events.last()).filter(|_| is_behind).map(|(uploaded, last)| {
            let (revision, ctx) = (last.revision, self.because_of(NAME, last));
            Behind { asset, uploaded, revision, ctx }
        }))
    }

    /// Puts the wish into the file, durably. What was there before stays until the new one is whole.
    async fn write(
        &self,
        asset_id: AssetId,
        behind: &Behind,
        wish: &SidecarWish,
    ) -> Result<SidecarOutcome, ProcessorError> {
        let fields = wish.fields();
        let words = self.words(behind.uploaded.owner_id, wish).await?;
        let known = behind.asset.sidecar();
        if known.is_none() && says_nothing(&words) {
            return Ok(SidecarOutcome::Written(AssetSidecarWritten { sidecar: None, fields }));
        }
        let refused = |reason: String| SidecarOutcome::Refused(AssetSidecarRefused { reason });
        // In the log it is named by ids, wherever it lies.
        let named = match known {
            Some(sidecar) => BlobKey::parse(&sidecar.key),
            None => own_key(asset_id, behind),
        };
        let Ok(named) = named else { return Ok(refused("its key is not right".into())) };
        let places = behind.asset.places();
        let place = BlobKey::parse(&sidecar_place(places.original(), named.as_str()));
        let lies = places.sidecar().map_or_else(|| place.clone(), BlobKey::parse);
        let Ok((place, lies)) = place.and_then(|place| Ok((place, lies?))) else {
            return Ok(refused("its key is not right".into()));
        };
        // Beside a file of a library nothing is written, but what lies there is taken over.
        let former = match (self.blobs.stat(&lies).await?, behind.asset.external()) {
            (Some(_), _) => self.blobs.fetch(&lies).await?,
            (None, Some(file)) => self.sidecar_beside(&file.path).await?,
            (None, None) => None,
        };
        let decoders = self.decoders.apart(behind.uploaded.owner_id.uuid());
        let path = former.as_ref().map(|file| file.path().to_owned());
        let bytes = match decoders.write_sidecar(path, words).await {
            Ok(bytes) => bytes,
            Err(error) if error.is_worth_retrying() => return Err(ProcessorError::Decoder(error)),
            Err(error) => return Ok(refused(error.to_string())),
        };
        let mut writer = self.blobs.begin().await?;
        writer.write(&bytes).await?;
        let staged = writer.finish().await?;
        let sidecar = Blob {
            key: named.as_str().to_owned(),
            size_bytes: staged.size_bytes,
            sha1: hex(&staged.sha1),
            blake3: hex(&staged.blake3),
        };
        if place != lies {
            let own = [Some(&sidecar), known].into_iter().flatten();
            if self.is_anothers(&place, own).await? {
                let reason = "a file that nobody told of lies beside the original";
                return Ok(refused(reason.into()));
            }
        }
        self.put_beside(asset_id, behind, staged, &place).await?;
        Ok(SidecarOutcome::Written(AssetSidecarWritten { sidecar: Some(sidecar), fields }))
    }

    /// Puts a sidecar into its place, durably, unless its original was moved meanwhile: where that lay another
    /// asset may lie by now.
    async fn put_beside(
        &self,
        asset_id: AssetId,
        behind: &Behind,
        staged: StagedBlob,
        place: &BlobKey,
    ) -> Result<(), ProcessorError> {
        let mut held = None;
        if place.as_str().starts_with(TEMPLATED_ROOT) {
            held = self.hold_files(asset_id).await?;
            let lies = self.commands.asset(asset_id).await?;
            if held.is_none() || lies.places() != behind.asset.places() {
                return Err(ProcessorError::NotYet { after: SHORTLY });
            }
        }
        staged.replace(place).await?;
        drop(held);
        Ok(())
    }

    /// Whether something lies where the sidecar is to come that neither an earlier try put there nor was taken in
    /// from there.
    async fn is_anothers(
        &self,
        place: &BlobKey,
        mut own: impl Iterator<Item = &Blob>,
    ) -> Result<bool, ProcessorError> {
        let Some((_, blake3)) = self.blobs.digest(place).await? else { return Ok(false) };
        let lies = hex(&blake3);
        Ok(own.all(|own| own.blake3 != lies))
    }

    async fn words(
        &self,
        owner_id: UserId,
        wish: &SidecarWish,
    ) -> Result<SidecarWords, ProcessorError> {
        let tags = match &wish.tags {
            None => None,
            Some(tag_ids) => {
                let mut names = Vec::new();
                for tag_id in tag_ids {
                    names.extend(self.name_of(owner_id, *tag_id).await?);
                }
                names.sort();
                Some(names)
            }
        };
        Ok(SidecarWords {
            description: wish.description.clone(),
            rating: wish.rating,
            taken: wish.date.map(|date| {
                date.map(|(taken_at, local)| {
                    let offset = (local - taken_at.naive_utc()).num_minutes();
                    (local, i32::try_from(offset).unwrap_or(0))
                })
            }),
            position: wish
                .position
                .map(|position| position.map(|position| (position.latitude, position.longitude))),
            tags,
        })
    }

    /// What a tag is called; nothing when it is gone.
    async fn name_of(
        &self,
        owner_id: UserId,
        tag_id: TagId,
    ) -> Result<Option<String>, ProcessorError> {
        let (tag, _) = self.commands.load::<Tag>(&StreamId::new("tag", tag_id)).await?;
        Ok(tag.value_for(owner_id).ok().map(str::to_owned))
    }
}

/// Where the sidecar of an asset lies that has none: beside the original, and of a file of a library with what
/// is stored here.
fn own_key(asset_id: AssetId, behind: &Behind) -> Result<BlobKey, KeyError> {
    if behind.asset.external().is_some() {
        let owner_id = behind.uploaded.owner_id.uuid();
        return Ok(BlobKey::original(owner_id, asset_id.uuid(), "").sidecar());
    }
    BlobKey::parse(&behind.uploaded.original.key).map(|key| key.sidecar())
}

fn says_nothing(words: &SidecarWords) -> bool {
    words.description.iter().flatten().next().is_none()
        && words.rating.iter().flatten().next().is_none()
        && words.taken.iter().flatten().next().is_none()
        && words.position.iter().flatten().next().is_none()
        && words.tags.iter().flatten().next().is_none()
}

//! Wishes about assets, and what the server finds in them.

use calotype_commands::assets::{Doomed, Findings, Uploaded};
use calotype_commands::embedded::Seen;
use calotype_commands::text::Text;
use calotype_domain::asset::{
    Asset, AssetMetadataRecorded, AssetPlaceFound, AssetProcessingFailed, AssetThumbnailsRecorded,
    AssetUploaded, Blob, DatasetRef, DerivedImage, Details, MediaKind, PersonalMetadata, Place,
    Position, ProcessorRef, Purging, Stage, TextBox, TextLimits, TextReader, UploadedFile,
    Visibility,
};
use calotype_domain::{AssetId, UserId};
use calotype_eventstore::StreamId;
use chrono::Duration;
use rand::Rng as _;
use rand::seq::IndexedRandom as _;

use super::step::accept;
use super::world::World;

/// Different files in a walk; few, so that duplicates happen.
const FILES: u32 = 60;

/// An asset the walk has made.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) id: AssetId,
    pub(super) owner_id: UserId,
    sha1: String,
    pub(super) blake3: String,
}

impl World {
    pub(super) async fn upload(&mut self) -> anyhow::Result<()> {
        let owner_id = self.anybody();
        let file = self.random.random_range(0..FILES);
        let (sha1, blake3) = (format!("{file:040x}"), format!("{file:064x}"));
        let is_video = file % 5 == 0;
        let blob = |key: &str| Blob {
            key: key.to_owned(),
            size_bytes: u64::from(file) * 1000 + 1,
            sha1: sha1.clone(),
            blake3: blake3.clone(),
        };
        let uploaded = AssetUploaded {
            owner_id,
            kind: if is_video { MediaKind::Video } else { MediaKind::Image },
            original: blob(&format!("original/{file}")),
            sidecar: self.random.random_bool(0.1).then(|| blob(&format!("sidecar/{file}"))),
            file: UploadedFile { original_file_name: format!("IMG_{file}.jpg") }.into(),
            file_created_at: self.instant(),
            file_modified_at: self.instant(),
            is_favorite: self.random.random_bool(0.2),
            visibility: self.visibility(),
            duration_ms: is_video.then_some(1234),
            live_photo_video_id: None,
        };
        let id = AssetId::new(self.commands.ids().v4());
        let ctx = self.context(Some(owner_id));
        let outcome = self.commands.upload_asset(&ctx, id, uploaded, Vec::new()).await;
        if let Some(Uploaded::Created(_)) = accept(outcome)? {
            self.assets.push(Known { id, owner_id, sha1, blake3 });
        }
        Ok(())
    }

    fn visibility(&mut self) -> Visibility {
        let all =
            [Visibility::Timeline, Visibility::Archive, Visibility::Hidden, Visibility::Locked];
        if self.random.random_bool(0.7) {
            return Visibility::Timeline;
        }
        all.choose(&mut self.random).copied().unwrap_or_default()
    }

    pub(super) async fn develop(&mut self) -> anyhow::Result<()> {
        let Some(asset) = self.assets.choose(&mut self.random).cloned() else { return Ok(()) };
        let metadata = self.random.random_bool(0.7).then(|| self.metadata(&asset));
        let thumbnails = self.random.random_bool(0.7).then(|| self.thumbnails(&asset));
        let mut failures = Vec::new();
        for (stage, name) in [(Stage::Metadata, "metadata"), (Stage::Thumbnails, "thumbnails")] {
            if self.random.random_bool(0.1) {
                failures.push(AssetProcessingFailed {
                    stage,
                    processor: ProcessorRef { name: name.into(), version: 1 },
                    input_blake3: asset.blake3.clone(),
                    code: "corrupt".into(),
                    reason: "the file ends early".into(),
                });
            }
        }
        let place = self.random.random_bool(0.3).then(|| self.place());
        let tags = self.random.random_bool(0.4).then(|| self.tags_of(asset.owner_id));
        let full_size = self.random.random_bool(0.3).then(|| self.full_size(&asset));
        let edited = self.edited_pictures(&asset).await?;
        let findings = Findings {
            metadata,
            tags,
            place,
            thumbnails,
            failures,
            full_size,
            edited,
            live: None,
            wants_copy: false,
            wants_embedding: self.random.random_bool(0.5).then(|| self.model()),
            wants_text: self.random.random_bool(0.5).then(|| self.reader()),
            wants_faces: self.random.random_bool(0.5).then(|| self.model()),
        };
        let ctx = self.context(None);
        let (known, last) = self.commands.load::<Asset>(&StreamId::new("asset", asset.id)).await?;
        let Some(last) = last else { return Ok(()) };
        let recorded = self.commands.record_findings(&ctx, asset.id, (known, last), &findings);
        accept(recorded.await)?;
        if self.random.random_bool(0.3) {
            self.read(&asset).await?;
        }
        if self.random.random_bool(0.4) {
            return self.look_at(&asset).await;
        }
        Ok(())
    }

    /// A model reads a few lines, or none.
    async fn read(&mut self, asset: &Known) -> anyhow::Result<()> {
        let lines = (0..self.random.random_range(0..4)).map(|line| {
            let place = TextBox { corners: [[0.25, 0.25]; 4], box_score: 0.9, text_score: 0.9 };
            (format!("line {line} of {}", self.random.random_range(0..9)), place)
        });
        let lines = lines.collect();
        let text = Text::new(self.reader(), &asset.blake3, lines);
        let ctx = self.context(None);
        accept(self.commands.record_text(&ctx, asset.id, &text).await).map(drop)
    }

    /// A model with limits.
    fn reader(&mut self) -> TextReader {
        let limits = TextLimits { resolution_px: 736, box_score_min: 0.5, text_score_min: 0.8 };
        TextReader { model: self.model(), limits }
    }

    /// A model says what it sees.
    async fn look_at(&mut self, asset: &Known) -> anyhow::Result<()> {
        let values: Vec<f32> = (0..8).map(|_| self.random.random_range(-1.0..1.0)).collect();
        let seen = Seen::new(self.model(), &asset.blake3, &values)?;
        let ctx = self.context(None);
        accept(self.commands.record_embedding(&ctx, asset.id, &seen).await).map(drop)
    }

    fn metadata(&mut self, asset: &Known) -> AssetMetadataRecorded {
        let taken_at = self.instant();
        let offset = Duration::minutes(self.random.random_range(-14 * 60..=14 * 60));
        AssetMetadataRecorded {
            processor: ProcessorRef { name: "metadata".into(), version: 1 },
            input_blake3: asset.blake3.clone(),
            mime_type: "image/jpeg".into(),
            width: Some(self.random.random_range(1..9000)),
            height: Some(self.random.random_range(1..9000)),
            orientation: Some(self.random.random_range(1..=8)),
            taken_at,
            local_date_time: (taken_at + offset).naive_utc(),
            time_zone: self.random.random_bool(0.5).then(|| "UTC+9".to_owned()),
            date_from_file: self.random.random(),
            make: Some("Make".into()),
            model: None,
            lens_model: None,
            f_number: Some(2.8),
            focal_length_mm: None,
            iso: Some(100),
            exposure_time: Some("1/400".into()),
            fps: None,
            duration_ms: self.random.random_bool(0.2).then_some(5000),
            projection_type: None,
            rating: self.random.random_bool(0.3).then_some(4),
            personal: PersonalMetadata {
                description: self.random.random_bool(0.3).then(|| "A caption".to_owned()),
                position: self.random.random_bool(0.3).then_some(PLACE),
            }
            .into(),
        }
    }

    fn place(&mut self) -> AssetPlaceFound {
        let city = ["Paris", "Pantin", "Montreuil"].choose(&mut self.random);
        AssetPlaceFound {
            dataset: DatasetRef { name: "places".into(), version: "1".into() },
            place: Place {
                position: PLACE,
                city: city.map(|city| (*city).to_owned()),
                state: self.random.random_bool(0.5).then(|| "Île-de-France".to_owned()),
                country: Some("France".into()),
            }
            .into(),
        }
    }

    fn thumbnails(&mut self, asset: &Known) -> AssetThumbnailsRecorded {
        let image = |key: &str, width| DerivedImage {
            key: format!("derived/{}/{key}", asset.id),
            size_bytes: 1000,
            width,
            height: 250,
        };
        AssetThumbnailsRecorded {
            processor: ProcessorRef { name: "thumbnails".into(), version: 1 },
            input_blake3: asset.blake3.clone(),
            thumbhash: "FkgODAY59ohHtouYmJnglGnxRw==".into(),
            thumbnail: image("thumbnail", 250),
            preview: image("preview", 1440),
            display_width: self.random.random_range(1..9000),
            display_height: self.random.random_range(1..9000),
        }
    }

    pub(super) async fn change_assets(&mut self) -> anyhow::Result<()> {
        let some = self.some_assets();
        let Some(owner_id) = some.first().map(|asset| asset.owner_id) else { return Ok(()) };
        // A stranger's wish now and then.
        let by = if self.random.random_bool(0.1) { self.anybody() } else { owner_id };
        let taken_at = self.instant();
        let details = Details {
            favorite: self.random.random_bool(0.4).then(|| self.random.random()),
            visibility: self.random.random_bool(0.3).then(|| self.visibility()),
            description: self.random.random_bool(0.2).then(|| "Words".to_owned()),
            rating: self.random.random_bool(0.2).then(|| STARS[self.random.random_range(0..4)]),
            date: self.random.random_bool(0.2).then(|| (taken_at, taken_at.naive_utc(), None)),
            position: self.random.random_bool(0.1).then_some(PLACE),
            place: self.random.random_bool(0.5).then(|| self.place()),
        };
        let ids: Vec<AssetId> = some.iter().map(|asset| asset.id).collect();
        let ctx = self.context(Some(by));
        accept(self.commands.change_assets(&ctx, by, &ids, &details).await).map(drop)
    }

    pub(super) async fn trash_or_restore(&mut self) -> anyhow::Result<()> {
        let some = self.some_assets();
        let Some(by) = some.first().map(|asset| asset.owner_id) else { return Ok(()) };
        let ids: Vec<AssetId> = some.iter().map(|asset| asset.id).collect();
        let ctx = self.context(Some(by));
        let outcome = if self.random.random() {
            self.commands.trash_assets(&ctx, by, &ids).await
        } else {
            self.commands.restore_assets(&ctx, by, &ids).await
        };
        accept(outcome).map(drop)
    }

    pub(super) async fn purge_asset(&mut self) -> anyhow::Result<()> {
        let Some(asset) = self.assets.choose(&mut self.random).cloned() else { return Ok(()) };
        self.purge(&asset).await
    }

    pub(super) async fn purge(&mut self, asset: &Known) -> anyhow::Result<()> {
        let ctx = self.context(None);
        let by = asset.owner_id;
        let doomed = Doomed {
            why: Purging::Wished { by },
            owner_id: by,
            asset_id: asset.id,
            sha1: &asset.sha1,
        };
        accept(self.commands.purge_assets(&ctx, &[doomed]).await)?;
        self.assets.retain(|one| one.id != asset.id);
        Ok(())
    }

    pub(super) async fn ask_again(&mut self) -> anyhow::Result<()> {
        let ids: Vec<AssetId> = self.some_assets().iter().map(|asset| asset.id).collect();
        let stage = Stage::ALL[self.random.random_range(0..Stage::ALL.len())];
        let ctx = self.context(None);
        let outcome = if self.random.random_bool(0.3) {
            self.commands.dismiss_failure(&ctx, &ids, stage).await
        } else {
            self.commands.request_processing(&ctx, &ids, stage).await
        };
        accept(outcome).map(drop)
    }
}

/// What people give, the last of which is refused.
const STARS: [Option<i8>; 4] = [None, Some(5), Some(-1), Some(9)];
const PLACE: Position = Position { latitude: 48.8566, longitude: 2.3522 };

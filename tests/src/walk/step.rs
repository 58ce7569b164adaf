//! One step of a walk: somebody wishes something. A refusal is a step, too.

use anyhow::bail;
use calotype_commands::assets::{Findings, Uploaded};
use calotype_commands::context::{Actor, ActorKind};
use calotype_commands::{CommandContext, CommandError};
use calotype_domain::api_key::ApiKeyCreated;
use calotype_domain::asset::{
    Asset, AssetMetadataRecorded, AssetPlaceFound, AssetProcessingFailed, AssetThumbnailsRecorded,
    AssetUploaded, Blob, DatasetRef, DerivedImage, Details, MediaKind, PersonalMetadata, Place,
    Position, ProcessorRef, Stage, UploadedFile, Visibility,
};
use calotype_domain::config::{ConfigCommand, SETTINGS, shape};
use calotype_domain::license::License;
use calotype_domain::notification::{
    NotificationKind, NotificationLevel, NotificationSent, NotificationText,
};
use calotype_domain::permission::Permission;
use calotype_domain::queue::{ManualJob, NAMES, QueueCommand, RerunScope};
use calotype_domain::session::{Device, SessionOpened};
use calotype_domain::user::{
    AvatarColor, Profile, ProfileChange, ProfileImage, UserCommand, UserRegistered,
};
use calotype_domain::{AssetId, CommandId, UserId};
use calotype_eventstore::{AppendError, StreamId};
use chrono::{DateTime, Duration, Utc};
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use serde_json::json;

use super::world::World;

/// Different files in a walk; few, so that duplicates happen.
const FILES: u32 = 60;
/// The months that photos are from.
const DAYS: i64 = 200;

/// An asset the walk has made.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) id: AssetId,
    pub(super) owner_id: UserId,
    sha1: String,
    pub(super) blake3: String,
}

impl World {
    /// One wish of somebody.
    pub(super) async fn step(&mut self) -> anyhow::Result<()> {
        if self.users.is_empty() {
            return self.register().await;
        }
        if self.random.random_bool(0.15) {
            return self.pin_or_link().await;
        }
        if self.random.random_bool(0.35) {
            return self.people_step().await;
        }
        match self.random.random_range(0..100) {
            0..3 => self.register().await,
            3..27 => self.upload().await,
            27..35 => self.share().await,
            35..50 => self.develop().await,
            50..58 => self.change_assets().await,
            58..64 => self.organize().await,
            64..70 => self.trash_or_restore().await,
            70..73 => self.purge_asset().await,
            73..77 => self.ask_again().await,
            77..82 => self.change_user().await,
            82..83 => self.configure().await,
            83..84 => self.notify().await,
            84..90 => self.session().await,
            90..96 => self.api_key().await,
            96..99 => self.queue().await,
            _ => self.purge_user().await,
        }
    }

    pub(super) fn context(&self, user_id: Option<UserId>) -> CommandContext {
        let actor = user_id.map_or_else(
            || Actor { kind: ActorKind::System, id: "walk".into(), user_id: None },
            |id| Actor { kind: ActorKind::User, id: id.to_string(), user_id: Some(id.uuid()) },
        );
        CommandContext {
            actor,
            client: Some("walk/1".into()),
            command_id: CommandId::new(self.commands.ids().v7()),
            correlation_id: self.commands.ids().v7(),
            causation_id: None,
            now: self.commands.clock().now(),
        }
    }

    pub(super) fn anybody(&mut self) -> UserId {
        self.users.choose(&mut self.random).copied().unwrap_or_default()
    }

    pub(super) fn some_assets(&mut self) -> Vec<Known> {
        let count = self.random.random_range(1..5);
        let some: Vec<Known> =
            self.assets.choose_multiple(&mut self.random, count).cloned().collect();
        let Some(owner_id) = some.first().map(|asset| asset.owner_id) else { return some };
        some.into_iter().filter(|asset| asset.owner_id == owner_id).collect()
    }

    pub(super) fn some_asset_ids(&mut self) -> Vec<AssetId> {
        self.some_assets().iter().map(|asset| asset.id).collect()
    }

    pub(super) fn instant(&mut self) -> DateTime<Utc> {
        let seconds = self.random.random_range(0..DAYS * 24 * 3600);
        DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default() + Duration::seconds(seconds)
    }

    pub(super) async fn register(&mut self) -> anyhow::Result<()> {
        let number = self.random.random_range(0..20);
        let email = format!("user{number}@example.com");
        let registered = UserRegistered {
            profile: Profile { email: email.clone(), name: format!("User {number}") }.into(),
            password_hash: "hash".to_owned().into(),
            is_admin: self.users.is_empty(),
            should_change_password: self.random.random(),
            avatar_color: AvatarColor::Blue,
            storage_label: None.into(),
            quota_size_bytes: self.random.random_bool(0.3).then_some(1_000_000),
        };
        let first = self.users.is_empty();
        let ctx = self.context(None);
        let made = self.commands.register_user(&ctx, &email, registered, first).await;
        if let Some((user_id, _)) = accept(made)? {
            self.users.push(user_id);
        }
        Ok(())
    }

    async fn upload(&mut self) -> anyhow::Result<()> {
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

    async fn develop(&mut self) -> anyhow::Result<()> {
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
        let findings = Findings { metadata, tags, place, thumbnails, failures };
        let ctx = self.context(None);
        let (known, last) = self.commands.load::<Asset>(&StreamId::new("asset", asset.id)).await?;
        let Some(last) = last else { return Ok(()) };
        let recorded = self.commands.record_findings(&ctx, asset.id, (known, last), &findings);
        accept(recorded.await).map(drop)
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

    async fn change_assets(&mut self) -> anyhow::Result<()> {
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

    async fn trash_or_restore(&mut self) -> anyhow::Result<()> {
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

    async fn purge_asset(&mut self) -> anyhow::Result<()> {
        let Some(asset) = self.assets.choose(&mut self.random).cloned() else { return Ok(()) };
        self.purge(&asset).await
    }

    async fn purge(&mut self, asset: &Known) -> anyhow::Result<()> {
        let ctx = self.context(None);
        let purging =
            self.commands.purge_asset(&ctx, None, asset.owner_id, asset.id, &asset.sha1).await;
        accept(purging)?;
        self.assets.retain(|one| one.id != asset.id);
        Ok(())
    }

    async fn ask_again(&mut self) -> anyhow::Result<()> {
        let ids: Vec<AssetId> = self.some_assets().iter().map(|asset| asset.id).collect();
        let stage = if self.random.random() { Stage::Metadata } else { Stage::Thumbnails };
        let ctx = self.context(None);
        let outcome = if self.random.random_bool(0.3) {
            self.commands.dismiss_failure(&ctx, &ids, stage).await
        } else {
            self.commands.request_processing(&ctx, &ids, stage).await
        };
        accept(outcome).map(drop)
    }

    async fn change_user(&mut self) -> anyhow::Result<()> {
        let user_id = self.anybody();
        let ctx = self.context(Some(user_id));
        let number: u32 = self.random.random_range(0..20);
        if self.random.random_bool(0.4) {
            let change = ProfileChange {
                name: self.random.random_bool(0.5).then(|| format!("Renamed {number}")),
                email: self.random.random_bool(0.3).then(|| format!("user{number}@example.com")),
                is_admin: self.random.random_bool(0.2).then(|| self.random.random()),
                storage_label: self
                    .random
                    .random_bool(0.2)
                    .then(|| Some(format!("label{}", number % 3))),
                quota_size_bytes: self.random.random_bool(0.2).then_some(None),
                avatar_color: Some(AvatarColor::Green),
                ..ProfileChange::default()
            };
            return accept(self.commands.change_user(&ctx, user_id, change).await).map(drop);
        }
        let image = ProfileImage { key: "profile/1".into(), size_bytes: 9, blake3: "0".repeat(64) };
        let changes = json!({ "memories": { "enabled": number.is_multiple_of(2) } });
        let wishes = [
            UserCommand::ChangePreferences { changes },
            UserCommand::SetProfileImage(image),
            UserCommand::RemoveProfileImage,
            UserCommand::EnterLicense(license("IMCL", number)),
            UserCommand::RemoveLicense,
            UserCommand::SetOnboarded(number.is_multiple_of(2)),
            UserCommand::Delete { force: number.is_multiple_of(3) },
            UserCommand::Restore,
        ];
        let Some(wish) = wishes.choose(&mut self.random).cloned() else { return Ok(()) };
        accept(self.commands.user(&ctx, user_id, wish).await).map(drop)
    }

    async fn session(&mut self) -> anyhow::Result<()> {
        let user_id = self.anybody();
        let ctx = self.context(Some(user_id));
        let known = self.sessions.choose(&mut self.random).copied();
        match (self.random.random_range(0..3), known) {
            (0, Some(id)) => accept(self.commands.close_session(&ctx, id).await).map(drop),
            (1, Some(id)) => {
                let pending = self.random.random();
                accept(self.commands.set_session_sync_reset(&ctx, user_id, id, pending).await)
                    .map(drop)
            }
            _ => {
                let opened = SessionOpened {
                    user_id,
                    token_sha256: format!("{:064x}", self.random.random::<u128>()),
                    device: Device { device_type: "Phone".into(), ..Device::default() }.into(),
                    expires_at: None,
                    parent_id: known,
                };
                if let Some((id, _)) = accept(self.commands.open_session(&ctx, opened).await)? {
                    self.sessions.push(id);
                }
                Ok(())
            }
        }
    }

    async fn api_key(&mut self) -> anyhow::Result<()> {
        let user_id = self.anybody();
        let known = self.keys.choose(&mut self.random).copied();
        match (self.random.random_range(0..3), known) {
            (0, Some((by, id))) => {
                let ctx = self.context(Some(by));
                accept(self.commands.revoke_api_key(&ctx, by, id).await).map(drop)
            }
            (1, Some((by, id))) => {
                let ctx = self.context(Some(by));
                let name = Some("Another name".to_owned());
                let permissions = Permission::ALL.first().map(|one| vec![*one]);
                accept(self.commands.change_api_key(&ctx, by, id, name, permissions).await)
                    .map(drop)
            }
            _ => {
                let created = ApiKeyCreated {
                    user_id,
                    secret_sha256: format!("{:064x}", self.random.random::<u128>()),
                    name: "A key".to_owned().into(),
                    permissions: Permission::ALL.to_vec(),
                };
                let ctx = self.context(Some(user_id));
                if let Some((id, _)) = accept(self.commands.create_api_key(&ctx, created).await)? {
                    self.keys.push((user_id, id));
                }
                Ok(())
            }
        }
    }

    async fn queue(&mut self) -> anyhow::Result<()> {
        let wishes = [
            QueueCommand::Pause,
            QueueCommand::Resume,
            QueueCommand::Rerun(RerunScope::All),
            QueueCommand::Rerun(RerunScope::Missing),
            QueueCommand::Empty,
            QueueCommand::ClearFailures,
            QueueCommand::Job(ManualJob::TagCleanup),
        ];
        let wish = wishes[self.random.random_range(0..wishes.len())];
        // Mostly the queues that have work.
        let name = NAMES[self.random.random_range(0..NAMES.len()) % 5];
        let ctx = self.context(None);
        accept(self.commands.control_queue(&ctx, name, wish).await).map(drop)
    }

    async fn configure(&mut self) -> anyhow::Result<()> {
        let number = self.random.random_range(0..20);
        let mut document = SETTINGS.defaults();
        shape::put(&mut document, "trash.days", json!(20 + number));
        if number % 3 == 0 {
            shape::put(&mut document, "server.loginPageMessage", json!(format!("Hello {number}")));
        }
        let wishes = [
            ConfigCommand::Change(document),
            ConfigCommand::SetOnboarded(number % 2 == 0),
            ConfigCommand::EnterLicense(license("IMSV", number)),
            ConfigCommand::RemoveLicense,
        ];
        let Some(wish) = wishes.choose(&mut self.random) else { return Ok(()) };
        let ctx = self.context(None);
        accept(self.commands.configure(&ctx, wish).await).map(drop)
    }

    async fn notify(&mut self) -> anyhow::Result<()> {
        let user_id = self.anybody();
        let ctx = self.context(None);
        if self.random.random_bool(0.3)
            && let Some((by, id)) = self.notifications.choose(&mut self.random).copied()
        {
            return accept(self.commands.delete_notifications(&ctx, by, &[id]).await).map(drop);
        }
        let text = NotificationText { title: "Words".into(), ..NotificationText::default() };
        let sent = NotificationSent {
            user_id,
            level: NotificationLevel::Info,
            kind: NotificationKind::Custom,
            text: text.into(),
        };
        if let Some((id, _)) = accept(self.commands.notify(&ctx, sent).await)? {
            self.notifications.push((user_id, id));
        }
        Ok(())
    }

    /// As the server does it: what belongs to the account goes first.
    async fn purge_user(&mut self) -> anyhow::Result<()> {
        if self.users.len() < 2 {
            return Ok(());
        }
        let user_id = self.anybody();
        let theirs: Vec<Known> =
            self.assets.iter().filter(|asset| asset.owner_id == user_id).cloned().collect();
        for asset in theirs {
            self.purge(&asset).await?;
        }
        let ctx = self.context(None);
        accept(self.commands.user(&ctx, user_id, UserCommand::Delete { force: true }).await)?;
        let ctx = self.context(None);
        accept(self.commands.purge_user(&ctx, user_id).await)?;
        self.users.retain(|one| *one != user_id);
        self.people.retain(|(owner_id, _)| *owner_id != user_id);
        Ok(())
    }
}

/// What people give, the last of which is refused.
const STARS: [Option<i8>; 4] = [None, Some(5), Some(-1), Some(9)];
const PLACE: Position = Position { latitude: 48.8566, longitude: 2.3522 };

fn license(prefix: &str, number: u32) -> License {
    License {
        license_key: format!("{prefix}{}", format!("-{number:04}").repeat(8)),
        activation_key: "key".into(),
    }
}

/// What was done; nothing when a rule refused it.
pub(super) fn accept<T, E>(outcome: Result<T, CommandError<E>>) -> anyhow::Result<Option<T>>
where
    E: std::error::Error + Send + Sync + 'static,
{
    match outcome {
        Ok(done) => Ok(Some(done)),
        // Somebody who is gone for good can do nothing more.
        Err(
            CommandError::Refused(_) | CommandError::Append(AppendError::SubjectForgotten { .. }),
        ) => Ok(None),
        Err(error) => bail!(anyhow::Error::new(error)),
    }
}

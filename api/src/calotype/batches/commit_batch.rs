//! `POST /calotype/batches/{id}/commit`: makes assets of files that were sent, all of a request in one transaction.

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Path, Request, State};
use calotype_commands::CommandContext;
use calotype_commands::batches::{AlbumOf, BatchCommit, NewEntry, asset_id_in};
use calotype_domain::asset::{AssetUploaded, Blob, Details, MediaKind, UploadedFile};
use calotype_domain::batch::{Batch, COMMIT_ENTRIES_MAX, Done};
use calotype_domain::permission::Permission;
use calotype_domain::{AlbumId, AssetId, BatchId, UserId};
use calotype_media::blob::BlobKey;
use calotype_media::kind::Family;
use uuid::Uuid;

use super::arriving::settle;
use super::commit_dto::{
    CommitBatchDto, CommitBatchResponseDto, CommittedAlbumDto, CommittedFileDto,
};
use super::said_of_others::{known_people, stack, stacks_fit};
use super::wish::{Said, album, said, too_many};
use crate::access::require_albums;
use crate::albums::locked::leave_if_locked;
use crate::assets::date_change;
use crate::assets::dto::hex;
use crate::assets::place::name_place;
use crate::assets::receive;
use crate::assets::update_asset::out_of_range;
use crate::assets::upload_asset::quota_exceeded;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// The largest body; sidecars are a part of it.
const BODY_BYTES_MAX: usize = 32 << 20;

/// Makes assets of files that were sent.
#[utoipa::path(
    post, path = "/calotype/batches/{id}/commit", tag = "Calotype", operation_id = "commitBatch",
    params(("id" = Uuid, Path)), request_body = CommitBatchDto,
    responses((status = 200, body = CommitBatchResponseDto))
)]
pub(super) async fn commit_batch(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    mut request: Request,
) -> Result<Json<CommitBatchResponseDto>, Problem> {
    caller.require(Permission::AssetUpload)?;
    let batch_id = BatchId::new(path_uuid("id", &id)?);
    let _importing = api.commands.importing().begin();
    DefaultBodyLimit::max(BODY_BYTES_MAX).apply(&mut request);
    let body = Bytes::from_request(request, &api)
        .await
        .map_err(|error| Problem::new(error.status(), error.body_text()))?;
    let mut fields = Fields::json(&body)?;
    let albums = fields.objects("albums", 0, album).unwrap_or_default();
    if !fields.has("files") {
        fields.missing("array", "files");
    }
    let files = fields.objects("files", 0, said).unwrap_or_default();
    let stacks = fields.objects("stacks", 0, stack).unwrap_or_default();
    fields.finish()?;
    stacks_fit(&stacks)?;
    let files = files.into_iter().collect::<Result<Vec<Said>, Problem>>()?;
    if files.len().max(albums.len()) > COMMIT_ENTRIES_MAX {
        return Err(too_many(COMMIT_ENTRIES_MAX));
    }
    let tags: BTreeSet<&String> = files.iter().flat_map(|file| &file.tags).collect();
    if tags.len() > COMMIT_ENTRIES_MAX {
        return Err(Problem::bad_request("Too many different tags in one request"));
    }
    require_what_is_said(&api, &caller, !albums.is_empty(), &files).await?;
    if !stacks.is_empty() {
        caller.require(Permission::StackCreate)?;
        caller.require(Permission::AssetUpdate)?;
    }
    let (context, by) = (caller.context(), caller.user_id());
    let batch = api.commands.batch(by, batch_id).await?;
    let known_people = known_people(&api, by, &files).await?;
    let wish = BatchCommit { albums, entries: Vec::new(), stacks, known_people };
    let work = Work {
        api: api.clone(),
        context,
        by,
        batch_id,
        batch,
        quota: caller.user().quota_size_bytes,
    };
    // What is begun is finished when the client hangs up: files and events belong together.
    api.uploads.to_the_end(async move { Box::pin(work.run(wish, files)).await }).await?.map(Json)
}

/// A key needs what the single requests would need.
async fn require_what_is_said(
    api: &Api,
    caller: &Caller,
    makes_albums: bool,
    files: &[Said],
) -> Result<(), Problem> {
    let mut once = BTreeSet::new();
    if !files.iter().all(|file| once.insert(file.sha1.as_str())) {
        return Err(Problem::bad_request("A file stands in the request twice"));
    }
    if makes_albums {
        caller.require(Permission::AlbumCreate)?;
    }
    if files.iter().any(|file| !file.tags.is_empty()) {
        caller.require(Permission::TagCreate)?;
        caller.require(Permission::TagAsset)?;
    }
    if files.iter().any(|file| file.details != Details::default() || file.date.is_some()) {
        caller.require(Permission::AssetUpdate)?;
    }
    if files.iter().any(|file| !file.people.is_empty()) {
        caller.require(Permission::PersonCreate)?;
        caller.require(Permission::FaceCreate)?;
    }
    let mut albums: BTreeSet<Uuid> = BTreeSet::new();
    let mut is_any = false;
    for album in files.iter().flat_map(|file| &file.albums) {
        is_any = true;
        if let AlbumOf::Library(album_id) = album {
            albums.insert(album_id.uuid());
        }
    }
    if albums.len() > COMMIT_ENTRIES_MAX {
        return Err(too_many(COMMIT_ENTRIES_MAX));
    }
    if is_any {
        caller.require(Permission::AlbumAssetCreate)?;
    }
    if !albums.is_empty() {
        let albums: Vec<Uuid> = albums.into_iter().collect();
        require_albums(api, caller, Permission::AlbumAssetCreate, &albums).await?;
    }
    Ok(())
}

struct Work {
    api: Api,
    context: CommandContext,
    by: UserId,
    batch_id: BatchId,
    batch: Batch,
    quota: Option<i64>,
}

impl Work {
    async fn run(
        self,
        mut wish: BatchCommit,
        files: Vec<Said>,
    ) -> Result<CommitBatchResponseDto, Problem> {
        let order: Vec<String> = files.iter().map(|file| file.sha1.clone()).collect();
        let mut before: Vec<(String, Done)> = Vec::new();
        let found = self.api.queries.assets_by_sha1(self.by.uuid(), &order).await?;
        let known: BTreeSet<String> = found.into_iter().map(|(sha1, ..)| sha1).collect();
        for file in files {
            match self.batch.done(&file.sha1) {
                Some(done) => before.push((file.sha1, done)),
                None => wish.entries.extend(self.entry(file, &known).await?),
            }
        }
        leave_out_lonely_stills(&mut wish, &before);
        let alone = self.require_room(&wish).await?;
        let (committed, outcome) = match self
            .api
            .commands
            .commit_batch(&self.context, self.by, self.batch_id, &wish)
            .await
        {
            Ok(committed) => committed,
            Err(error) => return Err(error.into()),
        };
        self.api.seen(&outcome).await;
        drop(alone);
        self.after(&wish, &committed).await?;
        settle(&self.api, self.batch_id, &wish.entries).await;
        let mut done = committed.entries;
        done.extend(before);
        let files = order.into_iter().map(|sha1| {
            let found = done.get(&sha1).copied();
            let status = match found {
                Some(Done { is_new: true, .. }) => "created",
                Some(Done { is_new: false, .. }) => "duplicate",
                None => "missing",
            };
            CommittedFileDto { sha1, status, asset_id: found.map(|done| done.asset_id.uuid()) }
        });
        let albums = committed.albums.into_iter();
        let albums =
            albums.map(|(key, album_id)| CommittedAlbumDto { key, album_id: album_id.uuid() });
        Ok(CommitBatchResponseDto { albums: albums.collect(), files: files.collect() })
    }

    /// A file that was sent or is `known`, with what is said of it; nothing for one that is to be sent first.
    async fn entry(
        &self,
        file: Said,
        known: &BTreeSet<String>,
    ) -> Result<Option<NewEntry>, Problem> {
        let (Some(file_type), Some(created), Some(modified)) =
            (file.file_type, file.file_created_at, file.file_modified_at)
        else {
            return Err(Problem::bad_request("Validation failed"));
        };
        let is_read = file.blake3.is_some();
        let blake3 = file.blake3.unwrap_or_default();
        let asset_id = asset_id_in(self.batch_id, &file.sha1, &blake3);
        let key = BlobKey::original(self.by.uuid(), asset_id.uuid(), file_type.extension);
        let stat = if is_read {
            self.api.blobs.stat(&key).await.map_err(|error| receive::storage(&error))?
        } else {
            None
        };
        if stat.is_none() && !known.contains(&file.sha1) {
            return Ok(None);
        }
        let mut details = file.details;
        details.date = match file.date {
            Some(date) => Some(date_change::said(date, None).ok_or_else(out_of_range)?),
            None => None,
        };
        name_place(&self.api, &mut details).await?;
        let sidecar = match &file.sidecar {
            Some(text) if stat.is_some() => Some(self.store_sidecar(&key, text).await?),
            Some(_) | None => None,
        };
        let original = Blob {
            key: key.as_str().to_owned(),
            size_bytes: stat.as_ref().map_or(0, |stat| stat.size_bytes),
            sha1: file.sha1,
            blake3,
        };
        let kind = match file_type.family {
            Family::Video => MediaKind::Video,
            Family::Image | Family::Sidecar => MediaKind::Image,
        };
        let uploaded = AssetUploaded {
            owner_id: self.by,
            kind,
            original,
            sidecar,
            file: UploadedFile { original_file_name: file.file_name }.into(),
            file_created_at: created,
            file_modified_at: modified,
            is_favorite: file.is_favorite,
            visibility: file.visibility,
            duration_ms: None,
            live_photo_video_id: None,
        };
        let is_stored = stat.is_some();
        Ok(Some(NewEntry {
            is_stored,
            asset_id,
            uploaded,
            details,
            film_sha1: file.film_sha1,
            albums: file.albums,
            tags: file.tags,
            people: file.people,
        }))
    }

    async fn store_sidecar(&self, key: &BlobKey, text: &str) -> Result<Blob, Problem> {
        let (storage, key) = (|error| receive::storage(&error), key.sidecar());
        let mut writer = self.api.blobs.begin().await.map_err(storage)?;
        writer.write(text.as_bytes()).await.map_err(storage)?;
        let staged = writer.finish().await.map_err(storage)?;
        let blob = Blob {
            key: key.as_str().to_owned(),
            size_bytes: staged.size_bytes,
            sha1: hex(&staged.sha1),
            blake3: hex(&staged.blake3),
        };
        staged.replace(&key).await.map_err(storage)?;
        Ok(blob)
    }

    /// Requests of one account that end at the same instant are counted one after the other.
    async fn require_room(
        &self,
        wish: &BatchCommit,
    ) -> Result<Option<calotype_projections::alone::Alone>, Problem> {
        let Some(quota) = self.quota.filter(|_| !wish.entries.is_empty()) else { return Ok(None) };
        let alone = self.api.queries.alone_with(self.by.uuid()).await?;
        let used = self.api.queries.usage_bytes(self.by.uuid()).await?;
        let size_bytes: u64 =
            wish.entries.iter().map(|entry| entry.uploaded.original.size_bytes).sum();
        if used.saturating_add(i64::try_from(size_bytes).unwrap_or(i64::MAX)) > quota {
            return Err(quota_exceeded());
        }
        Ok(Some(alone))
    }

    /// Takes away the files of what was there before, and takes out of albums what was locked meanwhile.
    async fn after(
        &self,
        wish: &BatchCommit,
        committed: &calotype_commands::batches::Committed,
    ) -> Result<(), Problem> {
        let mut known: Vec<AssetId> = Vec::new();
        let mut album_ids: BTreeSet<AlbumId> = BTreeSet::new();
        for entry in &wish.entries {
            let done = committed.entries.get(&entry.uploaded.original.sha1);
            let Some(done) = done.filter(|done| done.asset_id != entry.asset_id) else { continue };
            known.push(done.asset_id);
            album_ids.extend(entry.albums.iter().filter_map(|album| match album {
                AlbumOf::Library(album_id) => Some(*album_id),
                AlbumOf::Batch(key) => committed.albums.get(key).copied(),
            }));
            if !entry.is_stored {
                continue;
            }
            let uploaded = &entry.uploaded;
            for blob in [Some(&uploaded.original), uploaded.sidecar.as_ref()].into_iter().flatten()
            {
                let Ok(key) = BlobKey::parse(&blob.key) else { continue };
                if let Err(error) = self.api.blobs.remove(&key).await {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "a file is left over"
                    );
                }
            }
        }
        if !known.is_empty() && !album_ids.is_empty() {
            let album_ids: Vec<AlbumId> = album_ids.into_iter().collect();
            leave_if_locked(&self.api, &self.context, &album_ids, &known).await?;
        }
        Ok(())
    }
}

/// A still waits for its film: who commits it without would make two photos of one.
fn leave_out_lonely_stills(wish: &mut BatchCommit, before: &[(String, Done)]) {
    let sent = wish.entries.iter().map(|entry| &entry.uploaded.original.sha1);
    let there: BTreeSet<String> =
        sent.chain(before.iter().map(|(sha1, _)| sha1)).cloned().collect();
    let has_film = |entry: &NewEntry| {
        entry
            .film_sha1
            .as_ref()
            .is_none_or(|film| there.contains(film) && *film != entry.uploaded.original.sha1)
    };
    wish.entries.retain(has_film);
}

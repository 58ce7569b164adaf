//! A file that becomes an asset: what is said of it, checked, and the event that makes it one.

use calotype_commands::CommandContext;
use calotype_commands::assets::Uploaded;
use calotype_domain::asset::{AssetUploaded, Blob, KeyValue, MediaKind, UploadedFile, Visibility};
use calotype_domain::{AssetId, UserId};
use calotype_media::blob::{BlobKey, StagedBlob};
use calotype_media::kind::{Family, FileType};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::dto::hex;
use super::upload_asset::{check_film, quota_exceeded};
use super::{VISIBILITIES, metadata, names, receive, visibility};
use crate::caller::Caller;
use crate::integrity::heal;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, wrong_type};

/// The largest whole number that JavaScript is sure of.
const SAFE_INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// What became of a file.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// It is a new asset.
    Created(Uuid),
    /// Its owner has these bytes.
    Duplicate(Uuid),
}

impl Answer {
    /// The asset.
    pub(crate) const fn asset_id(self) -> Uuid {
        match self {
            Self::Created(id) | Self::Duplicate(id) => id,
        }
    }
}

/// The owner's asset of these bytes. The read models may not have heard yet that it was deleted for good, and
/// then the bytes would be lost with it: the log has the last word.
///
/// # Errors
/// What the database said.
pub(crate) async fn owned(
    api: &Api,
    owner_id: UserId,
    sha1: String,
) -> Result<Option<Uuid>, Problem> {
    let found = api.queries.assets_by_sha1(owner_id.uuid(), &[sha1]).await?;
    let asset_ids: Vec<AssetId> = found.iter().map(|(_, id, _)| AssetId::new(*id)).collect();
    if asset_ids.is_empty() {
        return Ok(None);
    }
    let kept = api.commands.kept_of(&asset_ids).await?;
    Ok(asset_ids.into_iter().find(|asset_id| kept.contains(asset_id)).map(AssetId::uuid))
}

/// What is said of a file that is to become an asset, checked.
pub(crate) struct Wish {
    file_name: String,
    file_type: &'static FileType,
    file_created_at: chrono::DateTime<chrono::Utc>,
    file_modified_at: chrono::DateTime<chrono::Utc>,
    is_favorite: bool,
    visibility: Visibility,
    duration_ms: Option<u64>,
    live_photo_video_id: Option<AssetId>,
    key_values: Vec<KeyValue>,
}

impl Wish {
    /// Checks the fields of a form. `part_name` is the file's name where they name none, and `size_bytes` its length,
    /// where there is a file.
    ///
    /// # Errors
    /// 400 for what the form should not hold.
    pub(crate) async fn check(
        api: &Api,
        caller: &Caller,
        fields: Map<String, Value>,
        part_name: String,
        size_bytes: Option<u64>,
    ) -> Result<Self, Problem> {
        let mut fields = Fields::form(fields);
        let duration = fields.integer("duration", 0, SAFE_INTEGER_MAX);
        let created = fields.required_datetime("fileCreatedAt");
        let modified = fields.required_datetime("fileModifiedAt");
        let told_name = fields.string("filename").filter(|name| !name.is_empty());
        let is_favorite = fields.boolean("isFavorite").unwrap_or_default();
        let film = fields.uuid("livePhotoVideoId");
        let key_values = key_values(&mut fields);
        let place = fields.option("visibility", VISIBILITIES);
        fields.finish()?;
        let (Some(created), Some(modified)) = (created, modified) else {
            return Err(Problem::bad_request("Validation failed"));
        };
        match size_bytes {
            None => return Err(Problem::bad_request("File is required")),
            Some(0) => return Err(Problem::bad_request("File is empty")),
            Some(_) => {}
        }
        let told_name = told_name.map(|name| names::clean(&name));
        let file_name = told_name.filter(|name| !name.is_empty()).unwrap_or(part_name);
        let file_type = names::file_type(&file_name)
            .filter(|it| it.family != Family::Sidecar)
            .ok_or_else(|| Problem::bad_request(format!("Unsupported file type {file_name}")))?;
        let is_visitor = caller.link().is_some();
        // Where an asset shows and what its owner likes is not for visitors to say.
        let place = place.filter(|_| !is_visitor);
        let visibility = place.as_deref().map(visibility).transpose()?.unwrap_or_default();
        if let Some(film) = film {
            check_film(api, caller, film).await?;
        }
        Ok(Self {
            file_name,
            file_type,
            file_created_at: created.to_utc(),
            file_modified_at: modified.to_utc(),
            is_favorite: is_favorite && !is_visitor,
            visibility,
            duration_ms: duration.and_then(|duration| u64::try_from(duration).ok()),
            live_photo_video_id: film.map(AssetId::new),
            // A visitor's program has nothing to keep with what is somebody else's.
            key_values: if is_visitor { Vec::new() } else { key_values },
        })
    }

    /// Puts the files in place and records the upload; takes the files away again when it was not recorded.
    ///
    /// # Errors
    /// 400 where the quota is over, 503 and 507 when it cannot be kept now.
    pub(crate) async fn keep(
        self,
        api: &Api,
        context: &CommandContext,
        (owner_id, quota_size_bytes): (UserId, Option<i64>),
        (staged, staged_sidecar): (StagedBlob, Option<StagedBlob>),
    ) -> Result<Answer, Problem> {
        let sha1 = hex(&staged.sha1);
        if let Some(asset_id) = owned(api, owner_id, sha1).await? {
            heal::heal(api, context, owner_id, asset_id, staged).await?;
            return Ok(Answer::Duplicate(asset_id));
        }
        // Uploads of one account that end at the same instant are counted one after the other.
        let mut alone = None;
        if let Some(quota) = quota_size_bytes {
            alone = Some(api.queries.alone_with(owner_id.uuid()).await?);
            let used = api.queries.usage_bytes(owner_id.uuid()).await?;
            let size = i64::try_from(staged.size_bytes).unwrap_or(i64::MAX);
            if used.saturating_add(size) > quota {
                return Err(quota_exceeded());
            }
        }
        let asset_id = api.commands.ids().v4();
        let key = BlobKey::original(owner_id.uuid(), asset_id, self.file_type.extension);
        let sidecar_key = key.sidecar();
        let original = described(&staged, &key);
        let sidecar = staged_sidecar.as_ref().map(|staged| described(staged, &sidecar_key));
        let kind = match self.file_type.family {
            Family::Video => MediaKind::Video,
            Family::Image | Family::Sidecar => MediaKind::Image,
        };
        let uploaded = AssetUploaded {
            owner_id,
            kind,
            original,
            sidecar,
            file: UploadedFile { original_file_name: self.file_name }.into(),
            file_created_at: self.file_created_at,
            file_modified_at: self.file_modified_at,
            is_favorite: self.is_favorite,
            visibility: self.visibility,
            duration_ms: self.duration_ms,
            live_photo_video_id: self.live_photo_video_id,
        };
        let placed = place(staged, &key, staged_sidecar, &sidecar_key).await;
        if let Err(problem) = placed {
            clear(api, &[&key, &sidecar_key]).await;
            return Err(problem);
        }
        let kept = api
            .commands
            .upload_asset(context, AssetId::new(asset_id), uploaded, self.key_values)
            .await;
        match kept {
            Ok(Uploaded::Created(outcome)) => {
                api.seen(&outcome).await;
                drop(alone);
                Ok(Answer::Created(asset_id))
            }
            Ok(Uploaded::Duplicate(first)) => {
                clear(api, &[&key, &sidecar_key]).await;
                Ok(Answer::Duplicate(first.uuid()))
            }
            Err(error) => {
                // When the answer was lost the event may stand: then its files must stay.
                if error.is_certainly_unwritten() {
                    clear(api, &[&key, &sidecar_key]).await;
                } else {
                    tracing::error!(asset.id = %asset_id, "an upload may have been recorded, its file is kept");
                }
                Err(error.into())
            }
        }
    }
}

fn described(staged: &StagedBlob, key: &BlobKey) -> Blob {
    Blob {
        key: key.as_str().to_owned(),
        size_bytes: staged.size_bytes,
        sha1: hex(&staged.sha1),
        blake3: hex(&staged.blake3),
    }
}

async fn place(
    original: StagedBlob,
    key: &BlobKey,
    sidecar: Option<StagedBlob>,
    sidecar_key: &BlobKey,
) -> Result<(), Problem> {
    original.commit(key).await.map_err(|error| receive::storage(&error))?;
    if let Some(sidecar) = sidecar {
        sidecar.commit(sidecar_key).await.map_err(|error| receive::storage(&error))?;
    }
    Ok(())
}

/// Removes files that no event refers to.
async fn clear(api: &Api, keys: &[&BlobKey; 2]) {
    for key in keys {
        if let Err(error) = api.blobs.remove(key).await {
            tracing::error!(error = &error as &dyn std::error::Error, "a file is left over");
        }
    }
}

/// What the program keeps with the asset: `metadata` is JSON text, a list of keys with values.
fn key_values(fields: &mut Fields) -> Vec<KeyValue> {
    const NAME: &str = "metadata";
    let Some(text) = fields.string(NAME) else { return Vec::new() };
    let Ok(list @ Value::Array(_)) = serde_json::from_str(&text) else {
        fields.issue(wrong_type("array", Some(&Value::String(text)), &[NAME]));
        return Vec::new();
    };
    let mut inner = Fields::object(Map::from_iter([("items".to_owned(), list)]));
    let entries = metadata::items(&mut inner, metadata::key_value);
    for mut issue in inner.into_issues() {
        if let Some(Value::Array(path)) = issue.get_mut("path")
            && let Some(list) = path.first_mut()
        {
            *list = json!(NAME);
        }
        fields.issue(issue);
    }
    entries
}

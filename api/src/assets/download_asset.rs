//! `GET /assets/{id}/original`.

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use calotype_domain::permission::Permission;
use calotype_projections::assets::EditedPictures;
use uuid::Uuid;

use super::again::make_again;
use super::cache::{AssetFiles, allowed_files};
use super::dto::mime;
use super::linked::bare_name;
use super::view_asset::{stage_of, written_as};
use crate::caller::Caller;
use crate::files::{Served, serve};
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// The uploaded file; on request the edited photo in its stead.
#[utoipa::path(
    get, path = "/assets/{id}/original", tag = "Assets", operation_id = "downloadAsset",
    params(
        ("id" = uuid::Uuid, Path), ("edited" = Option<bool>, Query),
        ("key" = Option<String>, Query), ("slug" = Option<String>, Query)
    ),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>))
)]
pub(crate) async fn download_asset(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require_shared(Permission::AssetDownload)?;
    let id = path_uuid("id", &id)?;
    let mut fields = Fields::query(query.as_deref());
    let edited = fields.boolean("edited").unwrap_or_default();
    fields.finish()?;
    let files = allowed_files(&api, &caller, Permission::AssetDownload, id).await;
    let files = files.map_err(any_is_missing)?;
    // Visitors see a photo as its owner shows it.
    let edited = files.edited.as_ref().filter(|_| edited || caller.link().is_some());
    if let Some(made) = edited {
        return edited_file(&api, (id, &files), made, caller.shows_metadata(), &headers).await;
    }
    if caller.shows_metadata() {
        return original(&api, &files, &headers).await;
    }
    match bare_original(&api, id, &files, &headers).await? {
        Some(response) => Ok(response),
        None => preview(&api, id, &files, &headers).await,
    }
}

/// The edited photo at its full size. It says nothing about itself, so visitors may have it whole.
async fn edited_file(
    api: &Api,
    (id, files): (Uuid, &AssetFiles),
    made: &EditedPictures,
    shows_name: bool,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let (ending, mime) = written_as(&made.full_size_key);
    let file_name = edited_name(id, shows_name.then_some(files.file_name.as_str()), ending);
    let served = Served {
        key: &made.full_size_key,
        mime,
        file_name: &file_name,
        modified: None,
        bare: None,
    };
    made_picture(api, (id, files), served, headers).await
}

/// A picture that was made; one that is missing is asked for.
async fn made_picture(
    api: &Api,
    (id, files): (Uuid, &AssetFiles),
    served: Served<'_>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let stage = stage_of(served.key, files);
    if let Some(response) = serve(&api.blobs, served, headers).await? {
        return Ok(response);
    }
    make_again(api, id, stage, &files.original_key).await;
    Err(missing())
}

/// What the edited photo is called: like the original where that may be told, else by its id.
pub(crate) fn edited_name(id: Uuid, file_name: Option<&str>, ending: &str) -> String {
    let stem = file_name.map(|name| name.rsplit_once('.').map_or(name, |(stem, _)| stem));
    match stem.filter(|stem| !stem.is_empty()) {
        Some(stem) => format!("{stem}_edited.{ending}"),
        None => format!("{id}_edited.{ending}"),
    }
}

/// The file without what it says about itself; `None` when that cannot be told apart.
pub(super) async fn bare_original(
    api: &Api,
    id: Uuid,
    files: &AssetFiles,
    headers: &HeaderMap,
) -> Result<Option<Response>, Problem> {
    let served = Served {
        key: &files.original_key,
        mime: mime(&files.file_name),
        file_name: &bare_name(id, &files.file_name),
        modified: None,
        bare: Some(api.decoders.apart(files.owner_id())),
    };
    serve(&api.blobs, served, headers).await
}

/// What stands in for a file that cannot be told apart from what it says.
async fn preview(
    api: &Api,
    id: Uuid,
    files: &AssetFiles,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let key = files.preview_key.as_deref().ok_or_else(missing)?;
    let (ending, mime) = written_as(key);
    let file_name = format!("{id}_preview.{ending}");
    let served = Served { key, mime, file_name: &file_name, modified: None, bare: None };
    made_picture(api, (id, files), served, headers).await
}

/// Immich answers 404 whatever keeps a file from being sent.
pub(super) fn any_is_missing(problem: Problem) -> Problem {
    if problem.status().is_client_error() { missing() } else { problem }
}

pub(super) fn missing() -> Problem {
    Problem::not_found("Not Found")
}

/// The file as it was uploaded, under its own name, with the time its maker gave it.
pub(super) async fn original(
    api: &Api,
    files: &AssetFiles,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let served = Served {
        key: &files.original_key,
        mime: mime(&files.file_name),
        file_name: &files.file_name,
        modified: Some(files.modified),
        bare: None,
    };
    serve(&api.blobs, served, headers).await?.ok_or_else(missing)
}

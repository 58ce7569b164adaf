//! `GET /assets/{id}/thumbnail`: the small and the screen-sized picture, and where to find the others.

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use calotype_domain::asset::Stage;
use calotype_domain::permission::Permission;
use calotype_media::kind::is_web_safe_name;

use super::again::make_again;
use super::cache::{AssetFiles, allowed_files};
use crate::caller::Caller;
use crate::files::{Served, serve};
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// Immich's words for sizes, in the order of its schema.
const SIZES: &[&str] = &["original", "fullsize", "preview", "thumbnail"];

/// A picture of an asset.
#[utoipa::path(
    get, path = "/assets/{id}/thumbnail", tag = "Assets", operation_id = "viewAsset",
    params(
        ("id" = uuid::Uuid, Path), ("size" = Option<String>, Query),
        ("edited" = Option<bool>, Query), ("key" = Option<String>, Query),
        ("slug" = Option<String>, Query)
    ),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>))
)]
pub(crate) async fn view_asset(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.require_shared(Permission::AssetView)?;
    let id = path_uuid("id", &id)?;
    let mut fields = Fields::query(query.as_deref());
    let edited = fields.boolean("edited").unwrap_or_default();
    let size = fields.option("size", SIZES);
    fields.finish()?;
    let files = allowed_files(&api, &caller, Permission::AssetView, id).await?;
    // Visitors see a photo as its owner shows it.
    let edited = files.edited.as_ref().filter(|_| edited || caller.link().is_some());
    let (key, which) = match size.as_deref() {
        Some("original") => return elsewhere("original", query.as_deref(), None),
        Some("fullsize") if is_web_safe(&files) => {
            return elsewhere("original", query.as_deref(), None);
        }
        Some("fullsize") => {
            match edited.map(|made| &made.full_size_key).or(files.full_size_key.as_ref()) {
                Some(key) => (Some(key), "fullsize"),
                None => return elsewhere("thumbnail", query.as_deref(), Some("preview")),
            }
        }
        Some("preview") => {
            (edited.map(|made| &made.preview_key).or(files.preview_key.as_ref()), "preview")
        }
        _ => (edited.map(|made| &made.thumbnail_key).or(files.thumbnail_key.as_ref()), "thumbnail"),
    };
    let not_there = || Problem::not_found("Asset media not found");
    let key = key.ok_or_else(not_there)?;
    let (ending, mime) = written_as(key);
    let stem = files.file_name.rsplit_once('.').map_or(files.file_name.as_str(), |(stem, _)| stem);
    let file_name = if caller.shows_metadata() { stem.to_owned() } else { id.to_string() };
    let file_name = format!("{file_name}_{which}.{ending}");
    let served = Served { key, mime, file_name: &file_name, modified: None, bare: None };
    if let Some(response) = serve(&api.blobs, served, &headers).await? {
        return Ok(response);
    }
    make_again(&api, id, stage_of(key, &files), &files.original_key).await;
    Err(not_there())
}

/// The step that makes a picture.
pub(super) fn stage_of(key: &str, files: &AssetFiles) -> Stage {
    let is_edited = files.edited.as_ref().is_some_and(|made| {
        [&made.thumbnail_key, &made.preview_key, &made.full_size_key]
            .into_iter()
            .any(|it| it == key)
    });
    if is_edited { Stage::Edits } else { Stage::Thumbnails }
}

/// Ending and media type of a picture that was made, by its key.
pub(crate) fn written_as(key: &str) -> (&'static str, &'static str) {
    #[expect(clippy::case_sensitive_file_extension_comparisons, reason = "we write the keys")]
    let is_webp = key.ends_with(".webp");
    if is_webp { ("webp", "image/webp") } else { ("jpeg", "image/jpeg") }
}

fn is_web_safe(files: &AssetFiles) -> bool {
    !files.is_video && is_web_safe_name(&files.file_name)
}

/// 302 to a neighbour with the same query, but for the size.
fn elsewhere(path: &str, query: Option<&str>, size: Option<&str>) -> Result<Response, Problem> {
    let rest = query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty() && *pair != "size" && !pair.starts_with("size="))
        .map(str::to_owned);
    let pairs: Vec<String> =
        size.map(|size| format!("size={size}")).into_iter().chain(rest).collect();
    let location = HeaderValue::from_str(&format!("{path}?{}", pairs.join("&")))
        .map_err(|error| Problem::internal(&error))?;
    let headers =
        [(header::LOCATION, location), (header::VARY, HeaderValue::from_static("Accept"))];
    Ok((StatusCode::FOUND, headers).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(response: &Response) -> &str {
        response.headers()[header::LOCATION].to_str().unwrap()
    }

    #[test]
    fn redirect_keeps_the_query_without_the_size() {
        let response = elsewhere("original", Some("size=fullsize"), None).unwrap();
        assert_eq!((response.status(), location(&response)), (StatusCode::FOUND, "original?"));
        let response = elsewhere("original", Some("c=a%3D&size=fullsize&edited=true"), None);
        assert_eq!(location(&response.unwrap()), "original?c=a%3D&edited=true");
        let response = elsewhere("thumbnail", Some("size=fullsize&c=x"), Some("preview"));
        assert_eq!(location(&response.unwrap()), "thumbnail?size=preview&c=x");
    }
}

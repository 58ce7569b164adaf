//! `GET /assets/{id}/video/stream/main.m3u8`: begins a session.

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use calotype_domain::permission::Permission;
use calotype_media::hls::{Ladder, main_playlist};
use calotype_media::transcode::TranscodeWish;

use super::{credentials, film, playlist, problem, source};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// The sizes and codecs of a film, under a new session.
#[utoipa::path(
    get, path = "/assets/{id}/video/stream/main.m3u8", tag = "Assets",
    operation_id = "getMainPlaylist",
    params(
        ("id" = uuid::Uuid, Path), ("key" = Option<String>, Query),
        ("slug" = Option<String>, Query)
    ),
    responses((status = 200, content_type = "application/vnd.apple.mpegurl", body = String))
)]
pub(crate) async fn get_main_playlist(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    caller.require_shared(Permission::AssetView)?;
    let id = path_uuid("id", &id)?;
    let files = film(&api, &caller, id).await?;
    let settings = api.queries.settings().await?;
    let source = source(&api, &files).await?;
    let ffmpeg = &settings.document()["ffmpeg"];
    let (wish, ladder) = (TranscodeWish::of_settings(ffmpeg), Ladder::of_settings(ffmpeg));
    let session = api.commands.ids().v4();
    let streamed = api
        .streams
        .begin(session, id, source, wish, &ladder)
        .await
        .map_err(|error| problem(&error))?;
    let query = credentials(query.as_deref());
    let session = session.to_string();
    let text = main_playlist(&streamed.variants, streamed.has_sound, &session, query.as_deref());
    Ok(playlist(text))
}

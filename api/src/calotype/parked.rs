//! `/calotype/parked`: what got stuck and waits for somebody, who may try it again or give it up.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::AssetId;
use calotype_domain::asset::Stage;
use calotype_domain::permission::Permission;
use calotype_projections::parked::{Parked, Retried};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;

/// One event that could not be applied, or that waits behind one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ParkedEvent {
    /// `projection` or `processor`.
    kind: String,
    /// Whose work it is.
    name: String,
    stream_id: String,
    event_id: Uuid,
    position: i64,
    code: String,
    reason: String,
    attempts: i32,
    parked_at: String,
}

impl From<Parked> for ParkedEvent {
    fn from(parked: Parked) -> Self {
        Self {
            kind: parked.kind,
            name: parked.name,
            stream_id: parked.stream_id,
            event_id: parked.event_id,
            position: parked.position,
            code: parked.code,
            reason: parked.reason,
            attempts: parked.attempts,
            parked_at: dates::iso(parked.parked_at),
        }
    }
}

/// What became of one reader's part of a stream.
#[derive(Serialize, ToSchema)]
pub(crate) struct RetriedStream {
    /// Whose work it is.
    name: String,
    /// Events that were applied, or steps that were asked for.
    done: u32,
    /// Events that are still parked.
    left: u32,
    /// Why the first of those cannot be applied.
    #[schema(required)]
    reason: Option<String>,
}

impl From<Retried> for RetriedStream {
    fn from(retried: Retried) -> Self {
        let Retried { name, applied, left, reason } = retried;
        Self { name, done: applied, left, reason }
    }
}

/// Lists what is parked, oldest first; at most a thousand.
#[utoipa::path(
    get,
    path = "/calotype/parked",
    operation_id = "getParked",
    tag = "Calotype",
    responses((status = 200, body = Vec<ParkedEvent>)),
)]
pub(super) async fn get_parked(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<ParkedEvent>>, Problem> {
    caller.require_admin(Permission::All)?;
    Ok(Json(api.queries.parked().await?.into_iter().map(ParkedEvent::from).collect()))
}

/// Lists what is parked of one stream, in order.
#[utoipa::path(
    get,
    path = "/calotype/parked/{streamId}",
    operation_id = "getParkedStream",
    tag = "Calotype",
    params(("streamId" = String, Path)),
    responses((status = 200, body = Vec<ParkedEvent>)),
)]
pub(super) async fn get_parked_stream(
    State(api): State<Api>,
    caller: Caller,
    Path(stream_id): Path<String>,
) -> Result<Json<Vec<ParkedEvent>>, Problem> {
    caller.require_admin(Permission::All)?;
    Ok(Json(parked(&api, &stream_id).await?.into_iter().map(ParkedEvent::from).collect()))
}

/// Tries again what is parked of one stream: applies its events in order, or asks for the failed steps.
#[utoipa::path(
    post,
    path = "/calotype/parked/{streamId}/retry",
    operation_id = "retryParkedStream",
    tag = "Calotype",
    params(("streamId" = String, Path)),
    responses((status = 200, body = Vec<RetriedStream>)),
)]
pub(super) async fn retry_parked_stream(
    State(api): State<Api>,
    caller: Caller,
    Path(stream_id): Path<String>,
) -> Result<Json<Vec<RetriedStream>>, Problem> {
    caller.require_admin(Permission::All)?;
    settle(&api, &caller, &stream_id, Wish::Retry).await.map(Json)
}

/// Gives up what is parked of one stream: no reader sees the event that cannot be applied from now on,
/// and an asset goes without the steps that failed.
#[utoipa::path(
    delete,
    path = "/calotype/parked/{streamId}",
    operation_id = "discardParkedStream",
    tag = "Calotype",
    params(("streamId" = String, Path)),
    responses((status = 200, body = Vec<RetriedStream>)),
)]
pub(super) async fn discard_parked_stream(
    State(api): State<Api>,
    caller: Caller,
    Path(stream_id): Path<String>,
) -> Result<Json<Vec<RetriedStream>>, Problem> {
    caller.require_admin(Permission::All)?;
    settle(&api, &caller, &stream_id, Wish::Discard).await.map(Json)
}

/// What somebody wants of a parked stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Retry,
    Discard,
}

async fn parked(api: &Api, stream_id: &str) -> Result<Vec<Parked>, Problem> {
    let parked = api.queries.parked_of(stream_id).await?;
    if parked.is_empty() {
        return Err(Problem::not_found(format!("Nothing of {stream_id} is parked")));
    }
    Ok(parked)
}

async fn settle(
    api: &Api,
    caller: &Caller,
    stream_id: &str,
    wish: Wish,
) -> Result<Vec<RetriedStream>, Problem> {
    let mut readers: Vec<(String, String)> = parked(api, stream_id)
        .await?
        .into_iter()
        .map(|parked| (parked.kind, parked.name))
        .collect();
    readers.dedup();
    let mut done = Vec::with_capacity(readers.len());
    for (kind, name) in readers {
        done.push(match (kind.as_str(), wish) {
            ("projection", Wish::Retry) => api.queries.retry_parked(&name, stream_id).await?.into(),
            ("projection", Wish::Discard) => {
                let by = caller.user_id().to_string();
                api.queries.discard_parked(&name, stream_id, &by).await?.into()
            }
            _ => steps(api, caller, name, stream_id, wish).await?,
        });
    }
    // What was kept in memory may be of before.
    api.forget_read_models();
    Ok(done)
}

/// Asks for the failed steps of an asset, or lives without them.
async fn steps(
    api: &Api,
    caller: &Caller,
    name: String,
    stream_id: &str,
    wish: Wish,
) -> Result<RetriedStream, Problem> {
    let asset_id = stream_id.strip_prefix("asset-").and_then(|key| key.parse::<AssetId>().ok());
    let asset_id = asset_id.ok_or_else(|| Problem::bad_request("This is no asset"))?;
    let failed = api.queries.steps_left(asset_id.uuid()).await?.failed;
    let mut done = 0;
    for stage in Stage::ALL.into_iter().filter(|it| failed.iter().any(|one| one == it.as_str())) {
        let context = caller.next_context(api);
        let outcome = match wish {
            Wish::Retry => api.commands.request_processing(&context, &[asset_id], stage).await?,
            Wish::Discard => api.commands.dismiss_failure(&context, &[asset_id], stage).await?,
        };
        api.seen(&outcome).await;
        done += 1;
    }
    if wish == Wish::Discard {
        api.queries.forget_parked(&name, stream_id).await?;
    }
    Ok(RetriedStream { name, done, left: 0, reason: None })
}

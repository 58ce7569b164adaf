//! `/sync/ack`: what a session's phone has.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::acks::{self, unavailable};
use super::token::{self, BadAck};
use super::words::Entity;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Acks taken at once.
const ACKS_MAX: usize = 1_000;

/// The last ack of a type.
#[derive(Serialize, ToSchema)]
pub(crate) struct SyncAckDto {
    #[serde(rename = "type")]
    kind: String,
    ack: String,
}

/// The acks of the lines that a phone has.
#[derive(ToSchema)]
pub(crate) struct SyncAckSetDto {
    #[schema(max_items = 1000)]
    acks: Vec<String>,
}

/// Which types to forget; all when there is no list.
#[derive(ToSchema)]
pub(crate) struct SyncAckDeleteDto {
    types: Option<Vec<String>>,
}

/// What the session's phone has.
#[utoipa::path(
    get,
    path = "/sync/ack",
    operation_id = "getSyncAck",
    tag = "Sync",
    responses((status = 200, body = Vec<SyncAckDto>)),
)]
pub(super) async fn get_sync_ack(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<SyncAckDto>>, Problem> {
    caller.require(Permission::SyncCheckpointRead)?;
    let kept = api.sync_acks.of(acks::session_id(&caller)?).await.map_err(unavailable)?;
    let said = kept.into_iter().filter(|(kind, _)| kind != Entity::SyncResetV1.word());
    Ok(Json(said.map(|(kind, ack)| SyncAckDto { kind, ack }).collect()))
}

/// Takes acks. Of several of one type the last counts.
#[utoipa::path(
    post,
    path = "/sync/ack",
    operation_id = "sendSyncAck",
    tag = "Sync",
    request_body = SyncAckSetDto,
    responses((status = 204)),
)]
pub(super) async fn send_sync_ack(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::SyncCheckpointUpdate)?;
    let mut fields = Fields::json(&body)?;
    let dto = SyncAckSetDto { acks: fields.required_strings("acks", ACKS_MAX) };
    fields.finish()?;
    let session_id = acks::session_id(&caller)?;
    let mut kept: BTreeMap<&'static str, String> = BTreeMap::new();
    for ack in dto.acks {
        let (entity, _) = token::parse(&ack).map_err(|bad| refuse(&bad, &ack))?;
        if entity == Entity::SyncResetV1 {
            acks::start_anew(&api, &caller).await?;
            return Ok(StatusCode::NO_CONTENT);
        }
        kept.insert(entity.word(), ack);
    }
    let kept: Vec<(String, String)> =
        kept.into_iter().map(|(word, ack)| (word.to_owned(), ack)).collect();
    api.sync_acks.keep(session_id, &kept).await.map_err(unavailable)?;
    Ok(StatusCode::NO_CONTENT)
}

fn refuse(bad: &BadAck, ack: &str) -> Problem {
    match bad {
        BadAck::Type(word) => Problem::bad_request(format!("Invalid ack type: {word}")),
        BadAck::Rest => Problem::bad_request(format!("Invalid ack: {ack}")),
    }
}

/// Forgets what the session's phone has.
#[utoipa::path(
    delete,
    path = "/sync/ack",
    operation_id = "deleteSyncAck",
    tag = "Sync",
    request_body = SyncAckDeleteDto,
    responses((status = 204)),
)]
pub(super) async fn delete_sync_ack(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::SyncCheckpointDelete)?;
    let mut fields = Fields::json(&body)?;
    let words: Vec<&str> = Entity::ALL.iter().map(|entity| entity.word()).collect();
    let dto = SyncAckDeleteDto { types: fields.options("types", &words) };
    fields.finish()?;
    let session_id = acks::session_id(&caller)?;
    // An empty list is no list, as with Immich.
    let types = dto.types.filter(|types| !types.is_empty());
    let types: Vec<String> = types
        .unwrap_or_else(|| words.iter().map(|word| (*word).to_owned()).collect())
        .into_iter()
        // That it has to start anew is nothing that the phone said.
        .filter(|word| word != Entity::SyncResetV1.word())
        .collect();
    api.sync_acks.forget(session_id, Some(&types)).await.map_err(unavailable)?;
    Ok(StatusCode::NO_CONTENT)
}

//! `GET /calotype/assets|albums|people|users/{id}/history`: everything that ever happened to one of them.

use axum::Json;
use axum::extract::{Path, State};
use calotype_domain::PersonId;
use calotype_domain::permission::Permission;
use calotype_projections::history::Told;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::{require_album, require_asset};
use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

/// An asset's history, oldest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetHistory {
    asset_id: Uuid,
    events: Vec<HistoryEvent>,
}

impl AssetHistory {
    fn of(asset_id: Uuid, events: Vec<Told>) -> Self {
        Self { asset_id, events: events.into_iter().map(HistoryEvent::from).collect() }
    }
}

/// A person's history, oldest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PersonHistory {
    person_id: Uuid,
    events: Vec<HistoryEvent>,
}

/// One event, as it was recorded.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryEvent {
    /// Its place in the whole log; `null` for a moment after it was written.
    #[schema(required)]
    position: Option<i64>,
    /// Its place in its own stream, from 0.
    revision: i64,
    event_id: Uuid,
    r#type: String,
    version: u16,
    recorded_at: String,
    /// What happened, in plain words.
    sentence: String,
    actor: HistoryActor,
    /// The program, as it named itself.
    #[schema(required)]
    client: Option<String>,
    /// Ties together what one request set off.
    correlation_id: Uuid,
    /// The event this was a reaction to.
    #[schema(required)]
    causation_id: Option<Uuid>,
    /// The event's payload; personal values read `{"$seal": value}`, or `{"$forgotten": true}`.
    data: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    derived_from: Option<DerivedFrom>,
}

/// Who did it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryActor {
    /// `user`, `api_key`, `shared_link`, `processor` or `system`.
    kind: &'static str,
    id: String,
    /// The user in whose name.
    #[schema(required)]
    user_id: Option<Uuid>,
}

/// Which program derived the facts, and from which bytes.
#[derive(Serialize, ToSchema)]
pub(crate) struct DerivedFrom {
    processor: String,
    version: u32,
    /// BLAKE3 of the bytes, lower-case hex.
    input: String,
}

impl From<Told> for HistoryEvent {
    fn from(told: Told) -> Self {
        let recorded = told.recorded;
        let envelope = recorded.envelope;
        Self {
            position: recorded.position.map(|position| position.get()),
            revision: recorded.revision.get(),
            event_id: recorded.event_id,
            r#type: recorded.event_type,
            version: recorded.version,
            recorded_at: dates::iso(envelope.recorded_at),
            sentence: told.sentence,
            actor: HistoryActor {
                kind: envelope.actor.kind.as_str(),
                id: envelope.actor.id,
                user_id: envelope.actor.user_id,
            },
            client: envelope.client,
            correlation_id: envelope.correlation_id,
            causation_id: envelope.causation_id,
            data: told.data,
            derived_from: told.derived_from.map(|(processor, version, input)| DerivedFrom {
                processor,
                version,
                input,
            }),
        }
    }
}

/// Tells what happened to an asset. Of a purged asset, whose owner is forgotten, only administrators hear.
#[utoipa::path(
    get,
    path = "/calotype/assets/{id}/history",
    operation_id = "getAssetHistory",
    tag = "Calotype",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = AssetHistory)),
)]
pub(super) async fn get_asset_history(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<AssetHistory>, Problem> {
    caller.require(Permission::AssetRead)?;
    let asset_id = path_uuid("id", &id)?;
    let asset = api.queries.asset(asset_id).await?;
    if asset.is_some() || !caller.user().is_admin {
        require_asset(&api, &caller, Permission::AssetRead, asset.as_ref()).await?;
        caller.require_owned(Permission::AssetRead, asset.map(|asset| asset.owner_id))?;
    }
    let events = api.queries.history("asset", asset_id).await?;
    if events.is_empty() {
        return Err(Problem::no_access(Permission::AssetRead));
    }
    Ok(Json(AssetHistory::of(asset_id, events)))
}

/// An asset's history as [`get_asset_history`] answers it: for who reads it without a server.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn asset_history(asset_id: Uuid, events: Vec<Told>) -> serde_json::Result<Value> {
    serde_json::to_value(AssetHistory::of(asset_id, events))
}

/// An album's or an account's history, oldest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct History {
    id: Uuid,
    events: Vec<HistoryEvent>,
}

/// Tells what happened to an album to those who have a part in it. Of a deleted album only administrators hear.
#[utoipa::path(
    get,
    path = "/calotype/albums/{id}/history",
    operation_id = "getAlbumHistory",
    tag = "Calotype",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = History)),
)]
pub(super) async fn get_album_history(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<History>, Problem> {
    caller.require(Permission::AlbumRead)?;
    let id = path_uuid("id", &id)?;
    // One of which an event waits is there, though it shows to nobody.
    let is_there = api.queries.album(id).await?.is_some()
        || api.queries.is_held_up(&format!("album-{id}")).await?;
    if is_there || !caller.user().is_admin {
        require_album(&api, &caller, Permission::AlbumRead, id).await?;
    }
    tell(&api, "album", id, Permission::AlbumRead).await
}

/// Tells what happened to an account to its owner and to administrators.
#[utoipa::path(
    get,
    path = "/calotype/users/{id}/history",
    operation_id = "getUserHistory",
    tag = "Calotype",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = History)),
)]
pub(super) async fn get_user_history(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<History>, Problem> {
    caller.require(Permission::UserRead)?;
    let id = path_uuid("id", &id)?;
    if !caller.user().is_admin {
        caller.require_owned(Permission::UserRead, Some(id))?;
    }
    tell(&api, "user", id, Permission::UserRead).await
}

async fn tell(
    api: &Api,
    aggregate: &str,
    id: Uuid,
    permission: Permission,
) -> Result<Json<History>, Problem> {
    let events = api.queries.history(aggregate, id).await?;
    if events.is_empty() {
        return Err(Problem::no_access(permission));
    }
    Ok(Json(History { id, events: events.into_iter().map(HistoryEvent::from).collect() }))
}

/// Tells what happened to a person, also of one who was merged or deleted.
#[utoipa::path(
    get,
    path = "/calotype/people/{id}/history",
    operation_id = "getPersonHistory",
    tag = "Calotype",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = PersonHistory)),
)]
pub(super) async fn get_person_history(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<PersonHistory>, Problem> {
    caller.require(Permission::PersonRead)?;
    let person_id = path_uuid("id", &id)?;
    let history = api.queries.history_of_person(PersonId::new(person_id)).await?;
    let (owner_id, events) = history.ok_or_else(|| Problem::no_access(Permission::PersonRead))?;
    caller.require_owned(Permission::PersonRead, Some(owner_id.uuid()))?;
    Ok(Json(PersonHistory {
        person_id,
        events: events.into_iter().map(HistoryEvent::from).collect(),
    }))
}

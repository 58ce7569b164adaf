//! `GET /calotype/assets|albums|links|people|users|batches/{id}/history`: everything that ever happened to one of
//! them, and `GET /calotype/audit`: everything that ever happened.
//!
//! Who has a part in something reads its history; who may audit (`calotype.audit`, for administrators and their keys)
//! reads all. That somebody read what is not theirs is written down.

mod asked;
mod audit;
mod event;
mod link;

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use calotype_domain::PersonId;
use calotype_domain::admin_view::AdminView;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub use asked::tell_history;

use self::asked::{Asked, HistoryPage, HistoryQuery, Source};
use self::event::HistoryEvent;
use crate::access::{require_album, require_asset};
use crate::admin_views;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::path_uuid;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_asset_history))
        .routes(routes!(get_album_history))
        .routes(routes!(get_batch_history))
        .routes(routes!(get_user_history))
        .routes(routes!(get_person_history))
        .routes(routes!(link::get_link_history))
        .routes(routes!(audit::get_audit))
}

/// What happened to one thing, oldest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct History {
    /// `asset`, `album`, `shared_link`, `person`, `user` or `batch`.
    kind: String,
    id: Uuid,
    events: Vec<HistoryEvent>,
    /// Where the next page begins; `null` at the end.
    #[schema(required)]
    next: Option<i64>,
}

impl History {
    fn of(kind: &str, id: Uuid, page: HistoryPage) -> Self {
        Self { kind: kind.to_owned(), id, events: page.events, next: page.next }
    }
}

/// The name of a kind of thing in the log, by what people call it.
fn stored_kind(kind: &str) -> &str {
    match kind {
        "link" => "shared_link",
        other => other,
    }
}

/// Whether somebody may read the history of everything.
fn may_audit(caller: &Caller) -> bool {
    caller.require_admin(Permission::CalotypeAudit).is_ok()
}

/// Lets those read who may audit, and notes that they did; says whether that was it.
async fn as_auditor(api: &Api, caller: &Caller, owner_id: Option<Uuid>) -> Result<bool, Problem> {
    if !may_audit(caller) {
        return Ok(false);
    }
    admin_views::note(api, caller, owner_id, AdminView::History).await?;
    Ok(true)
}

/// What a request for a history says beside the id.
type Rest = (HeaderMap, Option<String>);

async fn tell(
    api: Api,
    (kind, id): (&'static str, Uuid),
    permission: Permission,
    (headers, query): Rest,
) -> Result<Response, Problem> {
    let asked = Asked::parse(query.as_deref())?;
    if !api.queries.has_history(kind, id).await? {
        return Err(Problem::no_access(permission));
    }
    let source = Source::Object(api.queries.history_of(kind, id));
    if asked.is_page() {
        let page = asked.page(&api.queries, source).await?;
        return Ok(axum::response::IntoResponse::into_response(axum::Json(History::of(
            kind, id, page,
        ))));
    }
    asked.answer(api, source, (headers, query)).await
}

/// Tells what happened to an asset. Of a purged asset, whose owner is forgotten, only auditors hear.
#[utoipa::path(
    get,
    path = "/calotype/assets/{id}/history",
    operation_id = "getAssetHistory",
    tag = "Calotype",
    params(("id" = Uuid, Path), HistoryQuery),
    responses((status = 200, body = History)),
)]
pub(super) async fn get_asset_history(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let asset_id = path_uuid("id", &id)?;
    let asset = api.queries.asset(asset_id).await?;
    let owner_id = match &asset {
        Some(asset) => Some(asset.owner_id),
        None => api.queries.owner_of_asset(asset_id.into()).await?.map(|id| id.uuid()),
    };
    if !as_auditor(&api, &caller, owner_id).await? {
        caller.require(Permission::AssetRead)?;
        require_asset(&api, &caller, Permission::AssetRead, asset.as_ref()).await?;
        caller.require_owned(Permission::AssetRead, asset.map(|asset| asset.owner_id))?;
    }
    tell(api, ("asset", asset_id), Permission::AssetRead, (headers, query)).await
}

/// Tells what happened to an album to those who have a part in it. Of a deleted album only auditors hear.
#[utoipa::path(
    get,
    path = "/calotype/albums/{id}/history",
    operation_id = "getAlbumHistory",
    tag = "Calotype",
    params(("id" = Uuid, Path), HistoryQuery),
    responses((status = 200, body = History)),
)]
pub(super) async fn get_album_history(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let id = path_uuid("id", &id)?;
    let owner_id = api.queries.owner_of("album", id).await?.map(|id| id.uuid());
    if !as_auditor(&api, &caller, owner_id).await? {
        caller.require(Permission::AlbumRead)?;
        require_album(&api, &caller, Permission::AlbumRead, id).await?;
    }
    tell(api, ("album", id), Permission::AlbumRead, (headers, query)).await
}

/// Tells what an import did to whoever imported.
#[utoipa::path(
    get,
    path = "/calotype/batches/{id}/history",
    operation_id = "getBatchHistory",
    tag = "Calotype",
    params(("id" = Uuid, Path), HistoryQuery),
    responses((status = 200, body = History)),
)]
pub(super) async fn get_batch_history(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let id = path_uuid("id", &id)?;
    let owner_id = api.queries.owner_of("batch", id).await?.map(|id| id.uuid());
    if !as_auditor(&api, &caller, owner_id).await? {
        caller.require(Permission::AssetUpload)?;
        caller.require_owned(Permission::AssetUpload, owner_id)?;
    }
    tell(api, ("batch", id), Permission::AssetUpload, (headers, query)).await
}

/// Tells what happened to an account to its owner and to administrators.
#[utoipa::path(
    get,
    path = "/calotype/users/{id}/history",
    operation_id = "getUserHistory",
    tag = "Calotype",
    params(("id" = Uuid, Path), HistoryQuery),
    responses((status = 200, body = History)),
)]
pub(super) async fn get_user_history(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let id = path_uuid("id", &id)?;
    if !as_auditor(&api, &caller, Some(id)).await? {
        caller.require(Permission::UserRead)?;
        if caller.user().is_admin {
            admin_views::note(&api, &caller, Some(id), AdminView::History).await?;
        } else {
            caller.require_owned(Permission::UserRead, Some(id))?;
        }
    }
    tell(api, ("user", id), Permission::UserRead, (headers, query)).await
}

/// Tells what happened to a person, also of one who was merged or deleted.
#[utoipa::path(
    get,
    path = "/calotype/people/{id}/history",
    operation_id = "getPersonHistory",
    tag = "Calotype",
    params(("id" = Uuid, Path), HistoryQuery),
    responses((status = 200, body = History)),
)]
pub(super) async fn get_person_history(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let id = PersonId::new(path_uuid("id", &id)?).uuid();
    let owner_id = api.queries.owner_of("person", id).await?.map(|id| id.uuid());
    if !as_auditor(&api, &caller, owner_id).await? {
        caller.require(Permission::PersonRead)?;
        caller.require_owned(Permission::PersonRead, owner_id)?;
    }
    tell(api, ("person", id), Permission::PersonRead, (headers, query)).await
}

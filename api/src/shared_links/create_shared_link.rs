//! `POST /shared-links`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::shared_links::generate_key;
use calotype_domain::permission::Permission;
use calotype_domain::shared_link::{LinkSwitches, LinkTarget, SharedLinkCreated};
use calotype_domain::{AlbumId, AssetId, SharedLinkId};
use chrono::{DateTime, Utc};
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{PASSWORD_MASK, SharedLinkResponseDto, fresh};
use super::fields::{expires_at, hashed, slug, text};
use crate::access::{require_albums, require_assets};
use crate::caller::Caller;
use crate::links::unshow_if_locked;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Immich's words for what a link shows.
const KINDS: &[&str] = &["ALBUM", "INDIVIDUAL"];
/// Assets whose access is decided at once.
const PAGE_ASSETS: usize = 1_000;

/// What is shared, and how.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct SharedLinkCreateDto {
    #[schema(rename = "type")]
    kind: String,
    album_id: Option<Uuid>,
    asset_ids: Option<Vec<Uuid>>,
    allow_upload: Option<bool>,
    /// Always off where metadata is hidden, until it is switched on by a change.
    allow_download: Option<bool>,
    show_metadata: Option<bool>,
    #[schema(value_type = Option<String>, format = DateTime, nullable)]
    expires_at: Option<DateTime<Utc>>,
    #[schema(nullable)]
    password: Option<String>,
    #[schema(nullable)]
    slug: Option<String>,
    #[schema(nullable)]
    description: Option<String>,
}

impl SharedLinkCreateDto {
    fn parse(body: &Bytes) -> Result<Self, Problem> {
        let mut fields = Fields::json(body)?;
        let dto = Self {
            kind: fields.required_option("type", KINDS),
            asset_ids: fields.uuids("assetIds"),
            album_id: fields.uuid("albumId"),
            description: text(&mut fields, "description").flatten(),
            password: text(&mut fields, "password").flatten(),
            slug: slug(&mut fields).flatten(),
            expires_at: expires_at(&mut fields).flatten(),
            allow_upload: fields.boolean("allowUpload"),
            allow_download: fields.boolean("allowDownload"),
            show_metadata: fields.boolean("showMetadata"),
        };
        fields.finish()?;
        Ok(dto)
    }

    fn switches(&self) -> LinkSwitches {
        let show_metadata = self.show_metadata.unwrap_or(true);
        LinkSwitches {
            allow_upload: self.allow_upload.unwrap_or(true),
            allow_download: show_metadata && self.allow_download.unwrap_or(true),
            show_metadata,
        }
    }
}

/// Makes a link.
#[utoipa::path(
    post, path = "/shared-links", tag = "Shared links", operation_id = "createSharedLink",
    request_body = SharedLinkCreateDto, responses((status = 201, body = SharedLinkResponseDto))
)]
pub(super) async fn create_shared_link(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<SharedLinkResponseDto>), Problem> {
    caller.require(Permission::SharedLinkCreate)?;
    let dto = SharedLinkCreateDto::parse(&body)?;
    if dto.password.as_deref() == Some(PASSWORD_MASK) {
        // Taken for "as it was", the link would be open to everybody.
        return Err(Problem::bad_request("This password stands for one that is set already"));
    }
    let switches = dto.switches();
    let target = target(&api, &caller, &dto).await?;
    let shown = match &target {
        LinkTarget::Assets(asset_ids) => asset_ids.clone(),
        LinkTarget::Album(_) => Vec::new(),
    };
    let created = SharedLinkCreated {
        owner_id: caller.user_id(),
        target,
        switches,
        expires_at: dto.expires_at,
        key: generate_key().into(),
        slug: dto.slug.into(),
        password_hash: hashed(Some(dto.password)).await?.flatten().into(),
        description: dto.description.into(),
    };
    let (context, by) = (caller.keyed_context("createSharedLink")?, caller.user_id());
    let link_id = SharedLinkId::new(api.commands.new_id(&context, "shared-link"));
    let outcome = api.commands.create_shared_link(&context, link_id, created).await?;
    api.made(&outcome).await?;
    unshow_if_locked(&api, &context, by, link_id, &shown).await?;
    let link = api.queries.shared_link(link_id.uuid()).await?;
    // What a key made long ago may be gone.
    let link = link.ok_or_else(|| Problem::no_access(Permission::SharedLinkRead))?;
    Ok((StatusCode::CREATED, Json(fresh(&api, link).await?)))
}

/// What the caller may share of what they name.
async fn target(
    api: &Api,
    caller: &Caller,
    dto: &SharedLinkCreateDto,
) -> Result<LinkTarget, Problem> {
    if dto.kind == "ALBUM" {
        let album_id = dto.album_id.ok_or_else(|| Problem::bad_request("Invalid albumId"))?;
        require_albums(api, caller, Permission::AlbumShare, &[album_id]).await?;
        return Ok(LinkTarget::Album(AlbumId::new(album_id)));
    }
    let asset_ids: Vec<AssetId> =
        dto.asset_ids.iter().flatten().copied().map(AssetId::new).collect();
    if asset_ids.is_empty() {
        return Err(Problem::bad_request("Invalid assetIds"));
    }
    for page in asset_ids.chunks(PAGE_ASSETS) {
        require_assets(api, caller, Permission::AssetShare, page).await?;
    }
    Ok(LinkTarget::Assets(asset_ids))
}

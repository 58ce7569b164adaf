//! `POST /albums`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::albums::Invitation;
use calotype_domain::access::AlbumRole;
use calotype_domain::album::{AlbumCreated, AlbumOrder, AlbumText, NewAlbum};
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, UserId};
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{AlbumResponseDto, ROLES, require_people, text_or_null};
use super::locked::leave_if_locked;
use crate::access::allowed_assets;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Somebody's part in a new album.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AlbumUserCreateDto {
    user_id: Uuid,
    role: String,
}

/// A new album.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct CreateAlbumDto {
    album_name: String,
    #[schema(value_type = Option<Vec<AlbumUserCreateDto>>)]
    album_users: Vec<(UserId, AlbumRole)>,
    #[schema(value_type = Option<Vec<Uuid>>)]
    asset_ids: Vec<Uuid>,
    description: Option<String>,
}

impl CreateAlbumDto {
    fn parse(body: &Bytes) -> Result<Self, Problem> {
        let mut fields = Fields::json(body)?;
        let dto = Self {
            album_name: fields.required_string("albumName"),
            album_users: fields
                .objects("albumUsers", 0, |user| {
                    let role = user.required_option("role", ROLES);
                    let user_id = UserId::new(user.required_uuid("userId"));
                    (user_id, role.parse().unwrap_or(AlbumRole::Viewer))
                })
                .unwrap_or_default(),
            asset_ids: fields.uuids("assetIds").unwrap_or_default(),
            description: text_or_null(&mut fields, "description"),
        };
        fields.finish()?;
        Ok(dto)
    }
}

/// Makes an album. Of the assets, those that the caller may not share are left out.
#[utoipa::path(
    post, path = "/albums", tag = "Albums", operation_id = "createAlbum",
    request_body = CreateAlbumDto, responses((status = 201, body = AlbumResponseDto))
)]
pub(crate) async fn create_album(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<AlbumResponseDto>), Problem> {
    caller.require(Permission::AlbumCreate)?;
    let dto = CreateAlbumDto::parse(&body)?;
    let user_ids: Vec<Uuid> = dto.album_users.iter().map(|(user_id, _)| user_id.uuid()).collect();
    require_people(&api, &user_ids).await?;
    let mut asset_ids = dto.asset_ids;
    if !asset_ids.is_empty() {
        let allowed = allowed_assets(&api, &caller, Permission::AssetShare, &asset_ids).await?;
        asset_ids.retain(|id| allowed.iter().any(|asset| asset.asset_id == *id));
    }
    let name = dto.album_name.clone();
    let text = AlbumText { name: dto.album_name, description: dto.description.unwrap_or_default() };
    let new = NewAlbum {
        created: AlbumCreated {
            owner_id: caller.user_id(),
            text: text.into(),
            order: preferred_order(&caller),
        },
        users: dto.album_users,
        asset_ids: asset_ids.iter().copied().map(AssetId::new).collect(),
    };
    let invitation = Invitation { by: &caller.user().name, album: &name };
    let context = caller.keyed_context("createAlbum")?;
    let (album_id, outcome) = api.commands.create_album(&context, new, Some(&invitation)).await?;
    api.made(&outcome).await?;
    let asset_ids: Vec<AssetId> = asset_ids.into_iter().map(AssetId::new).collect();
    leave_if_locked(&api, &context, &[album_id], &asset_ids).await?;
    let answer = AlbumResponseDto::changed(&api, &caller, album_id.uuid()).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// The order that the caller prefers for new albums.
fn preferred_order(caller: &Caller) -> AlbumOrder {
    match caller.user().preferences["albums"]["defaultAssetOrder"].as_str() {
        Some("asc") => AlbumOrder::Asc,
        _ => AlbumOrder::Desc,
    }
}

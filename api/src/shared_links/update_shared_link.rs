//! `PATCH /shared-links/{id}`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::SharedLinkId;
use calotype_domain::permission::Permission;
use calotype_domain::shared_link::LinkChange;
use utoipa::ToSchema;

use super::dto::{SharedLinkResponseDto, whole};
use super::fields::{expires_at, hashed, slug, text};
use super::get_shared_links::own;
use crate::assets::linked::LinkedDetail;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// What changes about a link; what is not named stays.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct SharedLinkEditDto {
    allow_upload: Option<bool>,
    allow_download: Option<bool>,
    show_metadata: Option<bool>,
    #[schema(format = DateTime, nullable)]
    expires_at: Option<String>,
    #[schema(nullable)]
    password: Option<String>,
    #[schema(nullable)]
    slug: Option<String>,
    #[schema(nullable)]
    description: Option<String>,
}

/// Changes a link. What it no longer allows is refused before this answers.
#[utoipa::path(
    patch, path = "/shared-links/{id}", tag = "Shared links", operation_id = "updateSharedLink",
    params(("id" = Uuid, Path)), request_body = SharedLinkEditDto,
    responses((status = 200, body = SharedLinkResponseDto))
)]
pub(super) async fn update_shared_link(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<SharedLinkResponseDto>, Problem> {
    caller.require(Permission::SharedLinkUpdate)?;
    let link_id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    let description = text(&mut fields, "description");
    let password = text(&mut fields, "password");
    let slug = slug(&mut fields);
    let expires_at = expires_at(&mut fields);
    let allow_upload = fields.boolean("allowUpload");
    let allow_download = fields.boolean("allowDownload");
    let show_metadata = fields.boolean("showMetadata");
    fields.finish()?;
    own(&api, &caller, link_id).await?;
    let change = LinkChange {
        allow_upload,
        allow_download,
        show_metadata,
        expires_at,
        slug,
        password_hash: hashed(password).await?,
        description,
    };
    let (context, by) = (caller.context(), caller.user_id());
    let shared_link_id = SharedLinkId::new(link_id);
    let outcome = api.commands.change_shared_link(&context, by, shared_link_id, change).await?;
    api.surely_seen(&outcome).await?;
    let link = own(&api, &caller, link_id).await?;
    Ok(Json(whole(&api, link, LinkedDetail::Plain).await?))
}

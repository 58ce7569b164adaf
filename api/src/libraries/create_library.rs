//! `POST /libraries`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::UserId;
use calotype_domain::library::{DEFAULT_EXCLUSIONS, LibrarySettings};
use calotype_domain::permission::Permission;
use utoipa::ToSchema;
use uuid::Uuid;

use super::dto::{LibraryResponseDto, check_patterns, name, texts};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// What a library is called when nobody says.
const DEFAULT_NAME: &str = "New External Library";

/// A new library.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct CreateLibraryDto {
    exclusion_patterns: Option<Vec<String>>,
    import_paths: Option<Vec<String>>,
    name: Option<String>,
    owner_id: Uuid,
}

/// Makes a library. Whether its paths can be read is told by its validation, and when it is changed.
#[utoipa::path(
    post, path = "/libraries", tag = "Libraries", operation_id = "createLibrary",
    request_body = CreateLibraryDto, responses((status = 201, body = LibraryResponseDto))
)]
pub(super) async fn create_library(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<LibraryResponseDto>), Problem> {
    caller.require_admin(Permission::LibraryCreate)?;
    let mut fields = Fields::json(&body)?;
    let owner_id = fields.required_uuid("ownerId");
    let name = name(&mut fields);
    let import_paths = texts(&mut fields, "importPaths").unwrap_or_default();
    let patterns = texts(&mut fields, "exclusionPatterns");
    fields.finish()?;
    let exclusion_patterns =
        patterns.unwrap_or_else(|| DEFAULT_EXCLUSIONS.map(str::to_owned).to_vec());
    check_patterns(&exclusion_patterns)?;
    let owner = api.queries.user(owner_id).await?.filter(|user| user.deleted_at.is_none());
    if owner.is_none() {
        return Err(Problem::bad_request("User not found"));
    }
    let name = name.unwrap_or_else(|| DEFAULT_NAME.to_owned());
    let settings = LibrarySettings { name, import_paths, exclusion_patterns };
    let (library_id, outcome) = api
        .commands
        .create_library(&caller.keyed_context("createLibrary")?, UserId::new(owner_id), settings)
        .await?;
    api.made(&outcome).await?;
    let row = api.queries.library(library_id.uuid()).await?;
    // What a key made long ago may be gone.
    let row = row.ok_or_else(|| Problem::no_access(Permission::LibraryRead))?;
    Ok((StatusCode::CREATED, Json(LibraryResponseDto::new(row, 0))))
}

//! `POST /libraries/{id}/validate`: whether paths can be read, before or after they are set.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::LibraryId;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::dto::{check_paths_of, texts};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// What to look at.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct ValidateLibraryDto {
    exclusion_patterns: Option<Vec<String>>,
    import_paths: Option<Vec<String>>,
}

/// What is to be said of one path.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ValidateLibraryImportPathResponseDto {
    import_path: String,
    is_valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// What is to be said of all paths.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ValidateLibraryResponseDto {
    #[schema(value_type = Option<Vec<ValidateLibraryImportPathResponseDto>>)]
    import_paths: Vec<ValidateLibraryImportPathResponseDto>,
}

/// Says of each path whether it can be read, and if not why. Changes nothing.
#[utoipa::path(
    post, path = "/libraries/{id}/validate", tag = "Libraries", operation_id = "validate",
    params(("id" = Uuid, Path)), request_body = ValidateLibraryDto,
    responses((status = 200, body = ValidateLibraryResponseDto))
)]
pub(super) async fn validate(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<ValidateLibraryResponseDto>, Problem> {
    caller.require_admin(Permission::All)?;
    let id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    let paths = texts(&mut fields, "importPaths").unwrap_or_default();
    texts(&mut fields, "exclusionPatterns");
    fields.finish()?;
    let library = api.commands.library(LibraryId::new(id)).await?;
    let checked = check_paths_of(&api, library, paths).await?;
    let import_paths = checked
        .into_iter()
        .map(|(import_path, fault)| ValidateLibraryImportPathResponseDto {
            import_path,
            is_valid: fault.is_none(),
            message: fault.map(|fault| fault.to_string()),
        })
        .collect();
    Ok(Json(ValidateLibraryResponseDto { import_paths }))
}

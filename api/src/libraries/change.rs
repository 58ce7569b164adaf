//! `PUT` and `DELETE /libraries/{id}`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::LibraryId;
use calotype_domain::library::{LibraryCommand, LibrarySettings};
use calotype_domain::permission::Permission;
use utoipa::ToSchema;

use super::dto::{LibraryResponseDto, check_paths, check_patterns, load, name, texts};
use super::get_libraries::shown;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// What changes about a library.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct UpdateLibraryDto {
    exclusion_patterns: Option<Vec<String>>,
    import_paths: Option<Vec<String>>,
    name: Option<String>,
}

/// Changes a library. Every path must be one that can be read now.
#[utoipa::path(
    put, path = "/libraries/{id}", tag = "Libraries", operation_id = "updateLibrary",
    params(("id" = Uuid, Path)), request_body = UpdateLibraryDto,
    responses((status = 200, body = LibraryResponseDto))
)]
pub(super) async fn update_library(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<LibraryResponseDto>, Problem> {
    caller.require_admin(Permission::LibraryUpdate)?;
    let mut fields = Fields::json(&body)?;
    let name = name(&mut fields);
    let import_paths = texts(&mut fields, "importPaths");
    let patterns = texts(&mut fields, "exclusionPatterns");
    fields.finish()?;
    let row = load(&api, &id).await?;
    if let Some(paths) = &import_paths {
        let checked = check_paths(&api, paths.clone()).await?;
        if let Some(refusal) = checked.into_iter().find_map(|(_, refusal)| refusal) {
            return Err(Problem::bad_request(format!("Invalid import path: {refusal}")));
        }
    }
    check_patterns(patterns.as_deref().unwrap_or_default())?;
    let library_id = LibraryId::new(row.library_id);
    let settings = LibrarySettings {
        name: name.unwrap_or(row.name),
        import_paths: import_paths.unwrap_or(row.import_paths),
        exclusion_patterns: patterns.unwrap_or(row.exclusion_patterns),
    };
    let command = LibraryCommand::Change(settings);
    let outcome = api.commands.command_library(&caller.context(), library_id, &command).await?;
    api.made(&outcome).await?;
    let row = load(&api, &id).await?;
    Ok(Json(shown(&api, row).await?))
}

/// Deletes a library. Its assets are deleted after it, its files stay.
#[utoipa::path(
    delete, path = "/libraries/{id}", tag = "Libraries", operation_id = "deleteLibrary",
    params(("id" = Uuid, Path)), responses((status = 204))
)]
pub(super) async fn delete_library(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.require_admin(Permission::LibraryDelete)?;
    let row = load(&api, &id).await?;
    let library_id = LibraryId::new(row.library_id);
    let outcome = api
        .commands
        .command_library(&caller.context(), library_id, &LibraryCommand::Delete)
        .await?;
    api.seen(&outcome).await;
    Ok(StatusCode::NO_CONTENT)
}

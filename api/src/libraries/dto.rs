//! A library as clients see it, and the checks that operations on libraries share.

use std::collections::BTreeSet;

use calotype_commands::CommandError;
use calotype_domain::library::{Library, LibraryError, PATHS_MAX};
use calotype_media::external::{Exclusions, PathRefusal, check_root};
use calotype_projections::libraries::LibraryRow;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::dates;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, path_uuid};

/// A library.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LibraryResponseDto {
    id: Uuid,
    owner_id: Uuid,
    name: String,
    created_at: String,
    updated_at: String,
    refreshed_at: Option<String>,
    asset_count: i64,
    import_paths: Vec<String>,
    exclusion_patterns: Vec<String>,
}

impl LibraryResponseDto {
    pub(super) fn new(row: LibraryRow, asset_count: i64) -> Self {
        Self {
            id: row.library_id,
            owner_id: row.owner_id,
            name: row.name,
            created_at: dates::iso(row.created_at),
            updated_at: dates::iso(row.updated_at),
            refreshed_at: row.refreshed_at.map(dates::iso),
            asset_count,
            import_paths: row.import_paths,
            exclusion_patterns: row.exclusion_patterns,
        }
    }
}

/// The library of a path.
///
/// # Errors
/// 400 when there is none.
pub(super) async fn load(api: &Api, id: &str) -> Result<LibraryRow, Problem> {
    api.queries.library(path_uuid("id", id)?).await?.ok_or_else(not_found)
}

fn not_found() -> Problem {
    Problem::bad_request("Library not found")
}

impl From<CommandError<LibraryError>> for Problem {
    fn from(error: CommandError<LibraryError>) -> Self {
        Self::command(error, |refusal| match refusal {
            LibraryError::NotFound | LibraryError::AlreadyExists => not_found(),
            LibraryError::BadSettings => Self::bad_request("Too many paths or patterns"),
        })
    }
}

/// A list of texts that may be missing, none of them twice.
pub(super) fn texts(fields: &mut Fields, name: &str) -> Option<Vec<String>> {
    if !fields.has(name) {
        return None;
    }
    let list = fields.required_strings(name, PATHS_MAX);
    let once: BTreeSet<&String> = list.iter().collect();
    if once.len() < list.len() {
        fields.issue(json!({
            "code": "custom", "path": [name], "message": "All elements must be unique"
        }));
    }
    Some(list)
}

/// The name, when it is there: at least one character.
pub(super) fn name(fields: &mut Fields) -> Option<String> {
    fields.has("name").then(|| fields.required_string_of("name", 1))
}

/// Refuses what is no pattern.
pub(super) fn check_patterns(patterns: &[String]) -> Result<(), Problem> {
    Exclusions::new(patterns)
        .map(drop)
        .map_err(|error| Problem::bad_request(format!("Invalid exclusion pattern: {error}")))
}

/// What keeps an import path from being read now.
#[derive(Debug)]
pub(super) enum PathFault {
    /// It cannot be one.
    Refused(PathRefusal),
    /// It is not what was read before, and empty: what is mounted there is away.
    Away,
}

impl std::fmt::Display for PathFault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(formatter),
            Self::Away => formatter.write_str(
                "Folder is empty and not the one that was read before: what is mounted there is away",
            ),
        }
    }
}

/// Import paths of a library with what keeps each from being read now.
pub(super) async fn check_paths_of(
    api: &Api,
    library: Library,
    paths: Vec<String>,
) -> Result<Vec<(String, Option<PathFault>)>, Problem> {
    let data = api.blobs.folder().to_owned();
    let check = move || {
        let checked = paths.into_iter().map(|path| {
            let fault = match check_root(&path, &data) {
                Ok(root) => library
                    .seen(&path)
                    .filter(|seen| {
                        root.is_empty && (seen.device, seen.inode) != (root.device, root.inode)
                    })
                    .map(|_| PathFault::Away),
                Err(refusal) => Some(PathFault::Refused(refusal)),
            };
            (path, fault)
        });
        checked.collect()
    };
    tokio::task::spawn_blocking(check).await.map_err(|error| Problem::internal(&error))
}

/// Import paths with what keeps each from being one.
pub(super) async fn check_paths(
    api: &Api,
    paths: Vec<String>,
) -> Result<Vec<(String, Option<PathRefusal>)>, Problem> {
    let data = api.blobs.folder().to_owned();
    let check = move || {
        let checked = paths.into_iter().map(|path| {
            let refusal = check_root(&path, &data).err();
            (path, refusal)
        });
        checked.collect()
    };
    tokio::task::spawn_blocking(check).await.map_err(|error| Problem::internal(&error))
}

//! What was found as clients see it, and the checks that operations on it share.

use calotype_commands::integrity::Finding;
use calotype_domain::integrity::Check;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::{Uuid, Variant};

use crate::problem::Problem;
use crate::state::Api;

/// The words of checks.
pub(super) const CHECKS: [&str; 3] = ["untracked_file", "missing_file", "checksum_mismatch"];
/// The pattern that Immich names for an id of a report.
const UUID_V7_PATTERN: &str =
    "/^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-7[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12})$/";

/// One thing that was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct IntegrityReportItemDto {
    id: Uuid,
    #[serde(rename = "type")]
    kind: String,
    path: String,
}

impl From<Finding> for IntegrityReportItemDto {
    fn from(finding: Finding) -> Self {
        Self { id: finding.id, path: shown_path(&finding.key), kind: finding.name }
    }
}

/// Where a file lies, as clients are shown it.
pub(super) fn shown_path(key: &str) -> String {
    format!("/data/{key}")
}

/// The check that a path names.
pub(super) fn check(word: &str) -> Result<Check, Problem> {
    Check::named(word).ok_or_else(|| {
        Problem::validation(vec![crate::validate::not_an_option(&CHECKS, &["type"])])
    })
}

/// The finding that a path names.
///
/// # Errors
/// 400 for what is no id of version 7, and for one that names nothing.
pub(super) async fn load(api: &Api, id: &str) -> Result<Finding, Problem> {
    let bad = || {
        Problem::validation(vec![json!({
            "origin": "string", "code": "invalid_format", "format": "uuid",
            "pattern": UUID_V7_PATTERN, "path": ["id"], "message": "Invalid UUID"
        })])
    };
    let id = Uuid::try_parse(id)
        .ok()
        .filter(|id| id.get_version_num() == 7 && id.get_variant() == Variant::RFC4122)
        .ok_or_else(bad)?;
    let found = api.findings.one(id).await.map_err(|error| Problem::internal(&error))?;
    found.ok_or_else(|| Problem::bad_request("Integrity report item not found"))
}

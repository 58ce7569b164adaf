//! Words about assets that several operations share.

use calotype_domain::asset::Visibility;

use crate::problem::Problem;

/// Immich's words for where an asset shows, in the order of its schema.
pub(crate) const VISIBILITIES: &[&str] = &["archive", "timeline", "hidden", "locked"];

/// The place that one of [`VISIBILITIES`] names.
///
/// # Errors
/// 500 for another word, which validation does not let through.
pub(crate) fn visibility(word: &str) -> Result<Visibility, Problem> {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
        .map_err(|error| Problem::internal(&error))
}

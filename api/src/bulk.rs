//! What operations on lists of ids share: the body, and an answer for each id.

use axum::body::Bytes;
use calotype_commands::Outcome;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::problem::Problem;
use crate::validate::Fields;

/// A list of ids.
#[derive(ToSchema)]
#[schema(as = BulkIdsDto)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct IdsDto {
    ids: Vec<Uuid>,
}

/// Reads a list of ids.
///
/// # Errors
/// 400 for what is no list of UUIDs of version 4.
pub(crate) fn ids(body: &Bytes) -> Result<Vec<Uuid>, Problem> {
    let mut fields = Fields::json(body)?;
    if !fields.has("ids") {
        fields.missing("array", "ids");
    }
    let ids = fields.uuids("ids").unwrap_or_default();
    fields.finish()?;
    Ok(ids)
}

/// Why it was not done for one id, in Immich's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BulkIdErrorReason {
    /// It was so already.
    Duplicate,
    /// The caller may not.
    NoPermission,
    /// It is not there.
    NotFound,
    /// It makes no sense.
    Validation,
}

/// What became of one id.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BulkIdResponseDto {
    pub(crate) id: Uuid,
    pub(crate) success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<BulkIdErrorReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_message: Option<String>,
}

impl BulkIdResponseDto {
    /// It was done, or why not.
    pub(crate) const fn new(id: Uuid, error: Option<BulkIdErrorReason>) -> Self {
        Self { id, success: error.is_none(), error, error_message: None }
    }

    /// It was done.
    pub(crate) const fn done(id: Uuid) -> Self {
        Self { id, success: true, error: None, error_message: None }
    }

    /// It was not done.
    pub(crate) const fn failed(id: Uuid, error: BulkIdErrorReason) -> Self {
        Self { id, success: false, error: Some(error), error_message: None }
    }
}

/// What becomes of each id of a list that is added to something: what is there already is a duplicate, so
/// is an id that is named a second time.
pub(crate) fn adding(asked: &[Uuid], present: &[Uuid], allowed: &[Uuid]) -> Vec<BulkIdResponseDto> {
    let mut there: std::collections::HashSet<Uuid> = present.iter().copied().collect();
    let allowed: std::collections::HashSet<Uuid> = allowed.iter().copied().collect();
    asked
        .iter()
        .map(|id| {
            if there.contains(id) {
                BulkIdResponseDto::failed(*id, BulkIdErrorReason::Duplicate)
            } else if allowed.contains(id) {
                there.insert(*id);
                BulkIdResponseDto::done(*id)
            } else {
                BulkIdResponseDto::failed(*id, BulkIdErrorReason::NoPermission)
            }
        })
        .collect()
}

/// What becomes of each id of a list that is taken out of something.
pub(crate) fn removing(asked: &[Uuid], present: &[Uuid]) -> Vec<BulkIdResponseDto> {
    let mut there: std::collections::HashSet<Uuid> = present.iter().copied().collect();
    asked
        .iter()
        .map(|id| {
            if there.remove(id) {
                BulkIdResponseDto::done(*id)
            } else {
                BulkIdResponseDto::failed(*id, BulkIdErrorReason::NotFound)
            }
        })
        .collect()
}

/// When nothing was written, somebody else has done all of it meanwhile: then it was not done here.
pub(crate) fn settle(
    answers: &mut [BulkIdResponseDto],
    outcome: &Outcome,
    otherwise: BulkIdErrorReason,
) {
    if outcome.written().is_none() {
        for answer in answers.iter_mut().filter(|answer| answer.success) {
            *answer = BulkIdResponseDto::failed(answer.id, otherwise);
        }
    }
}

/// The ids for which it is to be done.
pub(crate) fn to_do(answers: &[BulkIdResponseDto]) -> Vec<Uuid> {
    answers.iter().filter(|answer| answer.success).map(|answer| answer.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    #[test]
    fn each_id_hears_why_it_was_not_added() {
        let answers = adding(&[id(1), id(2), id(2), id(3)], &[id(1)], &[id(1), id(2)]);
        let errors: Vec<_> = answers.iter().map(|answer| answer.error).collect();
        assert_eq!(
            errors,
            [
                Some(BulkIdErrorReason::Duplicate),
                None,
                Some(BulkIdErrorReason::Duplicate),
                Some(BulkIdErrorReason::NoPermission),
            ]
        );
        assert_eq!(to_do(&answers), [id(2)]);
    }

    #[test]
    fn answer_says_only_what_there_is_to_say() {
        let done = serde_json::to_value(BulkIdResponseDto::done(id(1))).unwrap();
        assert_eq!(done.as_object().unwrap().len(), 2);
        let failed = removing(&[id(1)], &[]);
        assert_eq!(serde_json::to_value(&failed[0]).unwrap()["error"], "not_found");
    }
}

//! A partner as Immich's REST API shows one.

use calotype_projections::users::UserRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::users::dto::UserResponseDto;

/// The other one of a sharing.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PartnerResponseDto {
    #[serde(flatten)]
    user: UserResponseDto,
    /// Whether what they share shows on the timeline of who sees it.
    in_timeline: bool,
}

impl PartnerResponseDto {
    pub(super) fn new(user: UserRow, in_timeline: bool) -> Self {
        Self { user: UserResponseDto::nested(user), in_timeline }
    }
}

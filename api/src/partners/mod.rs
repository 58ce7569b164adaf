//! Tag `Partners`: who shares their timeline with whom.

mod dto;
mod partner;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(partner::get_partners, partner::create_partner)).routes(
        routes!(
            partner::create_partner_deprecated,
            partner::update_partner,
            partner::remove_partner
        ),
    )
}

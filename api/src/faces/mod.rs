//! Tag `Faces`: faces on photos, and whose they are.

mod create_face;
mod delete_face;
mod get_faces;
mod own;
mod reassign_faces_by_id;
mod seen;

pub(crate) use get_faces::{pixels, source_type};
pub(crate) use own::own_face;
pub(crate) use seen::seen;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_faces::get_faces, create_face::create_face))
        .routes(routes!(reassign_faces_by_id::reassign_faces_by_id, delete_face::delete_face))
}

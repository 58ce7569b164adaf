//! Tag `People`: who is on photos.

mod change;
mod create_person;
mod delete_people;
pub(crate) mod dto;
mod fields;
mod get_all_people;
mod get_person;
mod get_person_thumbnail;
mod merge_people;
mod merge_person;
mod reassign_faces;
mod search_person;
mod update_people;
mod update_person;

use axum::routing::patch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use fields::required_uuid;

use crate::state::Api;

/// The routes of this tag. Immich answers `PATCH` beside the deprecated `PUT` without documenting it.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(
            get_all_people::get_all_people,
            create_person::create_person,
            update_people::update_people,
            delete_people::delete_people
        ))
        .routes(routes!(
            get_person::get_person,
            update_person::update_person,
            delete_people::delete_person
        ))
        .route("/people/{id}", patch(update_person::update_person))
        .routes(routes!(get_person::get_person_statistics))
        .routes(routes!(get_person_thumbnail::get_person_thumbnail))
        .routes(routes!(merge_people::merge_people))
        .routes(routes!(merge_person::merge_person))
        .routes(routes!(reassign_faces::reassign_faces))
        .routes(routes!(search_person::search_person))
}

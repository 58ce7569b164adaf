//! The whole table of routes, and the layers every request goes through.

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa::OpenApi as _;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

use crate::problem::Problem;
use crate::state::Api;
use crate::{
    activities, albums, api_keys, asset_files, assets, auth, calotype, config_views, document,
    download, duplicates, faces, integrity, jobs, layers, libraries, map, memories, notifications,
    notifications_admin, partners, people, queues, ready, search, server, sessions, shared_links,
    stacks, sync, system_config, system_metadata, tags, timeline, trash, users, users_admin, views,
    web,
};

/// The largest JSON body; uploads stream and lift this limit for themselves.
const JSON_BODY_BYTES_MAX: usize = 10 << 20;
/// The largest body of those who have not said yet who they are.
pub(crate) const PUBLIC_BODY_BYTES_MAX: usize = 64 << 10;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Calotype",
        description = "The HTTP surface of Immich 3.1.0, as far as this server serves it.",
        version = "3.1.0",
        license(name = "MIT OR Apache-2.0"),
    ),
    servers((url = "/api")),
    security(("bearer" = []), ("cookie" = []), ("api_key" = [])),
)]
struct Document;

/// Every documented operation, by tag.
fn operations() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(activities::routes())
        .merge(albums::routes())
        .merge(api_keys::routes())
        .merge(asset_files::routes())
        .merge(assets::routes())
        .merge(auth::routes())
        .merge(calotype::routes())
        .merge(config_views::routes())
        .merge(duplicates::routes())
        .merge(faces::routes())
        .merge(download::routes())
        .merge(integrity::routes())
        .merge(jobs::routes())
        .merge(libraries::routes())
        .merge(memories::routes())
        .merge(partners::routes())
        .merge(people::routes())
        .merge(map::routes())
        .merge(notifications::routes())
        .merge(notifications_admin::routes())
        .merge(queues::routes())
        .merge(search::routes())
        .merge(server::routes())
        .merge(sessions::routes())
        .merge(sync::routes())
        .merge(shared_links::routes())
        .merge(system_config::routes())
        .merge(system_metadata::routes())
        .merge(stacks::routes())
        .merge(tags::routes())
        .merge(timeline::routes())
        .merge(trash::routes())
        .merge(users::routes())
        .merge(users_admin::routes())
        .merge(views::routes())
}

/// Everything the server answers.
///
/// The service needs `ConnectInfo<SocketAddr>` to know client addresses; without it logins are limited
/// by e-mail only and forwarded headers are not believed.
pub fn router(api: Api) -> Router {
    table(api.config.testing)
        .layer(DefaultBodyLimit::max(JSON_BODY_BYTES_MAX))
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(from_fn(layers::refuse_nul))
        .layer(from_fn(layers::end_slow_bodies))
        .layer(from_fn_with_state(api.clone(), layers::leased))
        .layer(from_fn(layers::finish))
        .layer(CompressionLayer::new().gzip(true).compress_when(layers::Text))
        .layer(from_fn(layers::vary))
        .layer(from_fn(layers::protect))
        .layer(from_fn_with_state(api.clone(), layers::observe))
        .with_state(api)
}

/// Every route; those for black-box suites only with `testing`.
fn table(testing: bool) -> Router<Api> {
    let (mut operations, _) = operations().split_for_parts();
    if testing {
        operations = operations.merge(calotype::testing_routes());
    }
    let operations = operations.fallback(missing).method_not_allowed_fallback(missing);
    Router::new()
        .nest("/api", operations)
        .merge(SwaggerUi::new("/api/docs").external_url_unchecked("/api/openapi.json", openapi()))
        .route("/.well-known/immich", get(well_known))
        .route("/custom.css", get(custom_css))
        .route("/health", get(ready::health))
        .route("/ready", get(ready::ready))
        .route("/metrics", get(ready::metrics))
        .fallback(web::page)
}

/// The OpenAPI document of what is served; the same at every call.
#[must_use]
pub fn openapi() -> Value {
    let mut document = operations().into_openapi();
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let cookie = ApiKey::Cookie(ApiKeyValue::new("immich_access_token"));
    let api_key = ApiKey::Header(ApiKeyValue::new("x-api-key"));
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    components.add_security_scheme("api_key", SecurityScheme::ApiKey(api_key));
    document::complete(serde_json::to_value(document).unwrap_or_default())
}

/// What Express says of a route that is not there.
pub(crate) async fn missing(request: Request) -> Response {
    let path = request
        .extensions()
        .get::<axum::extract::OriginalUri>()
        .map_or_else(|| request.uri().path().to_owned(), |uri| uri.path().to_owned());
    Problem::not_found(format!("Cannot {} {path}", request.method())).into_response()
}

async fn well_known() -> Response {
    Json(json!({ "api": { "endpoint": "/api" } })).into_response()
}

/// The administrators' style sheet.
async fn custom_css(State(api): State<Api>) -> Result<Response, Problem> {
    let css = api.queries.settings().await?.text("theme.customCss").to_owned();
    Ok(([(header::CONTENT_TYPE, "text/css; charset=utf-8")], css).into_response())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_routes_overlap() {
        // Overlapping routes panic.
        let _table = table(true);
    }

    #[test]
    fn document_is_the_same_at_every_call_and_names_operations_once() {
        let document = openapi();
        assert_eq!(document, openapi());
        let paths = document["paths"].as_object().unwrap();
        let operations: Vec<&Value> =
            paths.values().flat_map(|path| path.as_object().unwrap().values()).collect();
        let ids: BTreeSet<&str> =
            operations.iter().map(|operation| operation["operationId"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), operations.len());
    }
}

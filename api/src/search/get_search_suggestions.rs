//! `GET /search/suggestions`: the words that a filter is chosen from.

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::permission::Permission;
use calotype_projections::search::{Suggest, SuggestFilter};

use crate::caller::Caller;
use crate::problem::Problem;
use crate::sharing::timeline_owners;
use crate::state::Api;
use crate::validate::Fields;

/// Immich's words for the lists.
const LISTS: &[&str] =
    &["country", "state", "city", "camera-make", "camera-model", "camera-lens-model"];

/// The words of a list, narrowed by what was chosen already; `null` last where that is asked for.
#[utoipa::path(
    get, path = "/search/suggestions", tag = "Search", operation_id = "getSearchSuggestions",
    params(
        ("type" = String, Query), ("country" = Option<String>, Query),
        ("includeNull" = Option<bool>, Query), ("lensModel" = Option<String>, Query),
        ("make" = Option<String>, Query), ("model" = Option<String>, Query),
        ("state" = Option<String>, Query)
    ),
    responses((status = 200, body = Vec<Option<String>>))
)]
pub(super) async fn get_search_suggestions(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<Option<String>>>, Problem> {
    caller.require(Permission::AssetRead)?;
    let mut fields = Fields::query(query.as_deref());
    let list = fields.required_option("type", LISTS);
    let with_null = fields.boolean("includeNull").unwrap_or_default();
    let filter = SuggestFilter {
        country: fields.string("country"),
        state: fields.string("state"),
        make: fields.string("make"),
        model: fields.string("model"),
        lens_model: fields.string("lensModel"),
    };
    fields.finish()?;
    let list = match list.as_str() {
        "country" => Suggest::Country,
        "state" => Suggest::State,
        "city" => Suggest::City,
        "camera-make" => Suggest::Make,
        "camera-model" => Suggest::Model,
        _ => Suggest::LensModel,
    };
    let owners = timeline_owners(&api, &caller).await?;
    let words = api.queries.suggestions(&owners, list, &filter).await?;
    let mut words: Vec<Option<String>> = words.into_iter().map(Some).collect();
    if with_null {
        words.push(None);
    }
    Ok(Json(words))
}

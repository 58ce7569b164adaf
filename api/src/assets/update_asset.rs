//! `PUT /assets/{id}`, and what one and many changes have in common.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use calotype_domain::AssetId;
use calotype_domain::asset::{Details, Position};
use calotype_domain::permission::Permission;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::change::change;
use super::date_change::said;
use super::dto::AssetResponseDto;
use super::films;
use super::get_asset_info::people_on;
use super::place::name_place;
use super::{VISIBILITIES, visibility};
use crate::access::require_asset;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, Said, path_uuid};

/// What a person may change about an asset.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct UpdateAssetDto {
    date_time_original: Option<String>,
    description: Option<String>,
    is_favorite: Option<bool>,
    latitude: Option<f64>,
    live_photo_video_id: Option<Uuid>,
    longitude: Option<f64>,
    rating: Option<i32>,
    visibility: Option<String>,
}

/// Changes an asset.
#[utoipa::path(
    put, path = "/assets/{id}", tag = "Assets", operation_id = "updateAsset",
    params(("id" = Uuid, Path)), request_body = UpdateAssetDto,
    responses((status = 200, body = AssetResponseDto))
)]
pub(crate) async fn update_asset(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<AssetResponseDto>, Problem> {
    caller.require(Permission::AssetUpdate)?;
    let id = path_uuid("id", &id)?;
    let mut fields = Fields::json(&body)?;
    let (mut details, date) = details(&mut fields)?;
    let unlinks = fields.is_null("livePhotoVideoId");
    let links = if unlinks { None } else { fields.uuid("livePhotoVideoId") };
    fields.finish()?;
    let asset = api.queries.asset(id).await?;
    require_asset(&api, &caller, Permission::AssetUpdate, asset.as_ref()).await?;
    let asset = asset.ok_or_else(|| Problem::no_access(Permission::AssetUpdate))?;
    details.date = match date {
        Some(date) => Some(said(date, asset.time_zone.as_deref()).ok_or_else(out_of_range)?),
        None => None,
    };
    let asset = films::link(&api, &caller, asset, unlinks, links).await?;
    name_place(&api, &mut details).await?;
    let changes = [(AssetId::new(id), details)];
    change(&api, &caller, std::slice::from_ref(&asset), &changes).await?;
    let asset = api.queries.asset(id).await?;
    let asset = asset.ok_or_else(|| Problem::no_access(Permission::AssetUpdate))?;
    let people = people_on(&api, &caller, &asset).await?;
    Ok(Json(AssetResponseDto::plain(asset).with_people(people)))
}

/// A date that the database cannot spell.
pub(crate) fn out_of_range() -> Problem {
    Problem::bad_request("Date out of range")
}

/// The fields that one and many changes share, with the date as it was stated.
///
/// # Errors
/// 500 when a word that passed validation is not known.
pub(crate) fn details(fields: &mut Fields) -> Result<(Details, Option<Said>), Problem> {
    let date = fields.said_datetime("dateTimeOriginal");
    let description = fields.string("description");
    let favorite = fields.boolean("isFavorite");
    let latitude = fields.number("latitude", -90.0, 90.0);
    let longitude = fields.number("longitude", -180.0, 180.0);
    if fields.has("latitude") != fields.has("longitude") {
        fields.issue(json!({
            "code": "custom", "path": [],
            "message": "Latitude and longitude must be provided together"
        }));
    }
    let rating = if fields.is_null("rating") {
        Some(None)
    } else {
        fields.integer("rating", -1, 5).map(|stars| i8::try_from(stars).ok())
    };
    if rating == Some(Some(0)) {
        fields.issue(json!({
            "code": "custom", "path": ["rating"], "message": "Rating must be -1 or 1 to 5"
        }));
    }
    let place = fields.option("visibility", VISIBILITIES);
    let details = Details {
        favorite,
        visibility: place.as_deref().map(visibility).transpose()?,
        description,
        rating,
        date: None,
        position: latitude
            .zip(longitude)
            .map(|(latitude, longitude)| Position { latitude, longitude }),
        place: None,
    };
    Ok((details, date))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(body: &'static str) -> Result<Details, Problem> {
        let mut fields = Fields::json(&Bytes::from_static(body.as_bytes())).unwrap();
        let (details, _) = details(&mut fields)?;
        fields.finish().map(|()| details)
    }

    #[test]
    fn rating_may_be_taken_away_but_not_be_zero() {
        assert_eq!(checked(r#"{"rating":null}"#).unwrap().rating, Some(None));
        assert_eq!(checked(r#"{"rating":-1}"#).unwrap().rating, Some(Some(-1)));
        assert_eq!(checked("{}").unwrap().rating, None);
        checked(r#"{"rating":0}"#).unwrap_err();
        checked(r#"{"rating":9}"#).unwrap_err();
    }

    #[test]
    fn latitude_alone_is_refused() {
        checked(r#"{"latitude":1}"#).unwrap_err();
        checked(r#"{"latitude":91,"longitude":0}"#).unwrap_err();
        assert!(checked(r#"{"latitude":1,"longitude":2}"#).unwrap().position.is_some());
    }
}

//! `PUT /assets`: the same change to many assets.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_domain::asset::Details;
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, DuplicateId};
use calotype_projections::assets::AssetRow;
use chrono::NaiveDateTime;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::change::change;
use super::date_change::{Taken, Zone, in_zone, on_clock_of, said, shifted, stated};
use super::place::name_place;
use super::update_asset::{details, out_of_range};
use crate::access::require_assets;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, Said};

/// The largest whole number that JavaScript is sure of.
const SAFE_INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// What a person may change about many assets.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetBulkUpdateDto {
    ids: Vec<Uuid>,
    date_time_original: Option<String>,
    date_time_relative: Option<i64>,
    description: Option<String>,
    duplicate_id: Option<String>,
    is_favorite: Option<bool>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    rating: Option<i32>,
    time_zone: Option<String>,
    visibility: Option<String>,
}

/// What becomes of the dates.
enum Dates {
    /// All the same, or none changes.
    Alike(Option<Taken>),
    /// All the same on the wall, on a clock that was named or on each asset's own.
    WallClock(NaiveDateTime, Option<Zone>),
    /// Each its own: so many minutes later, then on another clock.
    Each { minutes: i64, zone: Option<Zone> },
}

/// Changes many assets.
#[utoipa::path(
    put, path = "/assets", tag = "Assets", operation_id = "updateAssets",
    request_body = AssetBulkUpdateDto, responses((status = 204))
)]
pub(crate) async fn update_assets(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::AssetUpdate)?;
    let mut fields = Fields::json(&body)?;
    let (mut details, date) = details(&mut fields)?;
    let dates = dates(&mut fields, date);
    let leaves_group = fields.is_null("duplicateId");
    let group = if leaves_group { None } else { fields.uuid("duplicateId") };
    let asset_ids = fields.required_uuids("ids");
    fields.finish()?;
    let assets = require_assets(&api, &caller, Permission::AssetUpdate, &asset_ids).await?;
    name_place(&api, &mut details).await?;
    api.caches.owners.learn(&assets);
    regroup(&api, &caller, &asset_ids, leaves_group, group).await?;
    let changes = changes(&assets, &details, &dates)?;
    change(&api, &caller, &assets, &changes).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes assets out of their groups of duplicates, or puts them into one.
async fn regroup(
    api: &Api,
    caller: &Caller,
    asset_ids: &[AssetId],
    leaves_group: bool,
    group: Option<Uuid>,
) -> Result<(), Problem> {
    let (context, by) = (caller.next_context(api), caller.user_id());
    let outcome = match (leaves_group, group) {
        (true, _) => api.commands.dismiss_duplicates(&context, by, asset_ids).await?,
        (false, Some(group)) => {
            let group = DuplicateId::new(group);
            api.commands.record_duplicates(&context, by, group, asset_ids).await?
        }
        (false, None) => return Ok(()),
    };
    api.seen(&outcome).await;
    Ok(())
}

fn dates(fields: &mut Fields, date: Option<Said>) -> Dates {
    let minutes = fields.integer("dateTimeRelative", -SAFE_INTEGER_MAX, SAFE_INTEGER_MAX);
    let zone = fields.string("timeZone").and_then(|text| {
        let zone = Zone::parse(&text);
        if zone.is_none() {
            fields.issue(json!({
                "code": "custom", "path": ["timeZone"], "message": "Invalid time zone"
            }));
        }
        zone
    });
    match (date, minutes, zone) {
        (Some(Said::WallClock(date)), _, zone) => Dates::WallClock(date, zone),
        (Some(Said::Instant(date)), _, Some(zone)) => {
            Dates::Alike(Some(in_zone(date.to_utc(), &zone)))
        }
        (Some(Said::Instant(date)), _, None) => Dates::Alike(Some(stated(date))),
        (None, None, None) => Dates::Alike(None),
        (None, minutes, zone) => Dates::Each { minutes: minutes.unwrap_or_default(), zone },
    }
}

/// What changes about each asset.
fn changes(
    assets: &[AssetRow],
    details: &Details,
    dates: &Dates,
) -> Result<Vec<(AssetId, Details)>, Problem> {
    let taken = |asset: &AssetRow| match dates {
        Dates::Alike(taken) => Some(taken.clone()),
        Dates::WallClock(date, Some(zone)) => on_clock_of(*date, zone).map(Some),
        Dates::WallClock(date, None) => {
            said(Said::WallClock(*date), asset.time_zone.as_deref()).map(Some)
        }
        Dates::Each { minutes, zone } => {
            let zone_there = asset.time_zone.clone();
            let taken = shifted(asset.taken_at, asset.local_date_time, zone_there, *minutes)?;
            Some(Some(match zone {
                Some(zone) => in_zone(taken.0, zone),
                None => taken,
            }))
        }
    };
    assets
        .iter()
        .map(|asset| {
            let date = taken(asset).ok_or_else(out_of_range)?;
            Ok((AssetId::new(asset.asset_id), Details { date, ..details.clone() }))
        })
        .collect()
}

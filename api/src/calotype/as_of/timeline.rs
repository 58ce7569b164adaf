//! `GET /calotype/as-of/timeline`: the months of a timeline as it was, and with `timeBucket` the assets of one.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{RawQuery, State};
use calotype_domain::UserId;
use calotype_domain::access::{Object, Reach, check};
use calotype_domain::asset::Visibility;
use calotype_domain::permission::Permission;
use chrono::{Datelike as _, NaiveDate, NaiveDateTime};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::at::{At, MomentDto, required_at};
use super::seen::{Seen, seen};
use super::turn;
use crate::assets::VISIBILITIES;
use crate::caller::Caller;
use crate::dates;
use crate::problem::Problem;
use crate::sharing::partners_of;
use crate::state::Api;
use crate::validate::Fields;

/// A timeline as it was.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TimelineAsOfDto {
    at: MomentDto,
    /// The months and how many assets each held, in the order asked for.
    months: Vec<MonthAsOfDto>,
    /// The assets of the month that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    assets: Option<Vec<TimelineAssetAsOfDto>>,
}

/// A month as it was.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MonthAsOfDto {
    /// Its first day, `2026-11-01`.
    time_bucket: String,
    count: u64,
}

/// An asset as it showed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TimelineAssetAsOfDto {
    id: Uuid,
    owner_id: Uuid,
    is_image: bool,
    is_favorite: bool,
    is_trashed: bool,
    visibility: &'static str,
    file_created_at: String,
    local_date_time: String,
}

/// What is asked for.
struct Wish {
    at: At,
    user_id: Option<Uuid>,
    visibilities: Vec<Visibility>,
    is_favorite: Option<bool>,
    is_trashed: bool,
    with_stacked: bool,
    is_ascending: bool,
    month: Option<NaiveDate>,
}

/// Tells what a timeline showed at a moment: the caller's own, or a partner's with `userId`. What was deleted for
/// good since is left out.
#[utoipa::path(
    get,
    path = "/calotype/as-of/timeline",
    operation_id = "getTimelineAsOf",
    tag = "Calotype",
    params(
        ("at" = String, Query, description = "An instant (ISO 8601), a day, or a position in the log"),
        ("isFavorite" = Option<bool>, Query), ("isTrashed" = Option<bool>, Query),
        ("order" = Option<String>, Query), ("timeBucket" = Option<String>, Query),
        ("userId" = Option<Uuid>, Query), ("visibility" = Option<String>, Query),
        ("withStacked" = Option<bool>, Query)
    ),
    responses((status = 200, body = TimelineAsOfDto)),
)]
pub(super) async fn get_timeline_as_of(
    State(api): State<Api>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<TimelineAsOfDto>, Problem> {
    caller.require(Permission::AssetRead)?;
    let wish = parse(query.as_deref())?;
    if wish.visibilities == [Visibility::Locked] {
        caller.require_elevated()?;
    }
    let at = wish.at.find(&api, &caller).await?;
    let me = caller.user_id().uuid();
    let owner_id = wish.user_id.unwrap_or(me);
    let Some(reach) = reached(&api, &caller, owner_id, at).await? else {
        return Ok(Json(TimelineAsOfDto { at, months: Vec::new(), assets: None }));
    };
    let _turn = turn().await?;
    let library = api.queries.library_then(owner_id, at.position()).await?;
    let library = library.ok_or_else(|| Problem::bad_request("The library is too large"))?;
    let shown = seen(&api, &caller, library, move |_| reach).await?;
    let answer = move || {
        let shown: Vec<Seen> = shown.into_iter().filter(|it| wish.wants(it, me)).collect();
        TimelineAsOfDto { at, months: wish.months(&shown), assets: wish.assets(&shown, me) }
    };
    let answer = tokio::task::spawn_blocking(answer).await;
    answer.map(Json).map_err(|error| Problem::internal(&error))
}

/// By which ways the caller reached a library then; nothing where they could not have seen it.
async fn reached(
    api: &Api,
    caller: &Caller,
    owner_id: Uuid,
    at: MomentDto,
) -> Result<Option<Reach>, Problem> {
    let me = caller.user_id().uuid();
    if owner_id == me {
        return Ok(Some(Reach::default()));
    }
    let partners = partners_of(api, me).await?;
    let pair =
        partners.iter().find(|pair| pair.shared_by_id == owner_id && pair.shared_with_id == me);
    let timeline = Object::Timeline { owner_id: UserId::new(owner_id), is_partner: pair.is_some() };
    check(caller.person(), Permission::TimelineRead, timeline)
        .map_err(|denied| Problem::denied(denied, Permission::TimelineRead))?;
    let ids: Vec<Uuid> = pair.iter().map(|pair| pair.partner_id).collect();
    let then = api.queries.partners_then(&ids, at.position()).await?;
    Ok((!then.is_empty()).then_some(Reach { is_partner: true, ..Reach::default() }))
}

fn parse(query: Option<&str>) -> Result<Wish, Problem> {
    let mut fields = Fields::query(query);
    let at = required_at(&mut fields);
    let user_id = fields.uuid("userId");
    let place = fields.option("visibility", VISIBILITIES);
    let is_favorite = fields.boolean("isFavorite");
    let is_trashed = fields.boolean("isTrashed").unwrap_or_default();
    let with_stacked = fields.boolean("withStacked").unwrap_or_default();
    let order = fields.option("order", &["asc", "desc"]);
    let month = fields.string("timeBucket").map(|text| month_of_text(&text));
    if month == Some(None) {
        fields.issue(json!({
            "code": "invalid_format", "format": "date", "path": ["timeBucket"],
            "message": "Invalid input: expected the first day of a month"
        }));
    }
    fields.finish()?;
    let all = [Visibility::Timeline, Visibility::Archive, Visibility::Hidden, Visibility::Locked];
    let visibilities = match place {
        Some(place) => all.into_iter().filter(|it| it.as_str() == place).collect(),
        None => vec![Visibility::Timeline, Visibility::Archive],
    };
    Ok(Wish {
        at,
        user_id,
        visibilities,
        is_favorite,
        is_trashed,
        with_stacked,
        is_ascending: order.as_deref() == Some("asc"),
        month: month.flatten(),
    })
}

/// `2026-11-01`, also with a time behind it, as Immich's clients send it.
fn month_of_text(text: &str) -> Option<NaiveDate> {
    let date = NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok()?;
    date.with_day(1)
}

fn month_of(local: NaiveDateTime) -> NaiveDate {
    let date = local.date();
    date.with_day(1).unwrap_or(date)
}

impl Wish {
    /// Only the viewer's own assets are favorites.
    fn wants(&self, (asset, then): &Seen, viewer_id: Uuid) -> bool {
        let is_own = asset.owner_id == viewer_id;
        let is_favorite = then.is_favorite && is_own;
        // Of somebody else's, only what their timeline shows, and showed.
        let places = [asset.visibility, then.visibility];
        (is_own || places.iter().all(|place| *place == Visibility::Timeline))
            && self.visibilities.contains(&then.visibility)
            && then.is_trashed == self.is_trashed
            && self.is_favorite.is_none_or(|wanted| wanted == is_favorite)
            && !(self.with_stacked && then.is_under)
    }

    fn months(&self, shown: &[Seen]) -> Vec<MonthAsOfDto> {
        let mut counts: BTreeMap<NaiveDate, u64> = BTreeMap::new();
        for (_, then) in shown {
            *counts.entry(month_of(then.local_date_time)).or_default() += 1;
        }
        let months = counts
            .into_iter()
            .map(|(month, count)| MonthAsOfDto { time_bucket: month.to_string(), count });
        if self.is_ascending { months.collect() } else { months.rev().collect() }
    }

    /// By local day, then by instant, as a month of the timeline is ordered.
    fn assets(&self, shown: &[Seen], viewer_id: Uuid) -> Option<Vec<TimelineAssetAsOfDto>> {
        let month = self.month?;
        let mut inside: Vec<&Seen> =
            shown.iter().filter(|(_, then)| month_of(then.local_date_time) == month).collect();
        inside.sort_by_key(|(asset, then)| {
            (then.local_date_time.date(), then.taken_at, asset.asset_id)
        });
        if !self.is_ascending {
            inside.reverse();
        }
        let told = inside.into_iter().map(|(asset, then)| TimelineAssetAsOfDto {
            id: asset.asset_id,
            owner_id: asset.owner_id,
            is_image: !asset.is_video,
            is_favorite: then.is_favorite && asset.owner_id == viewer_id,
            is_trashed: then.is_trashed,
            visibility: then.visibility.as_str(),
            file_created_at: dates::iso(then.taken_at),
            local_date_time: dates::iso_local(then.local_date_time),
        });
        Some(told.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_must_be_said_and_a_month_be_one() {
        assert!(parse(None).is_err());
        assert!(parse(Some("at=12&timeBucket=soon")).is_err());
        assert!(parse(Some("at=12&visibility=somewhere")).is_err());
        let wish = parse(Some("at=12&timeBucket=2024-05-17T00:00:00.000Z")).unwrap();
        assert_eq!(wish.month, NaiveDate::from_ymd_opt(2024, 5, 1));
        assert_eq!(wish.visibilities, [Visibility::Timeline, Visibility::Archive]);
    }
}

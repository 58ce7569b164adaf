//! What both questions about a timeline share: which assets it shows, checked as Immich checks it.

use calotype_domain::UserId;
use calotype_domain::access::{Object, check};
use calotype_domain::permission::Permission;
use calotype_projections::timeline::{Bounds, BucketFilter, BucketOrder};
use serde_json::json;
use uuid::Uuid;

use crate::access::require_album;
use crate::assets::VISIBILITIES;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::sharing::partners_of;
use crate::state::Api;
use crate::validate::Fields;

/// What a client asks to see.
pub(super) struct Asked {
    /// Which assets.
    pub(super) filter: BucketFilter,
    /// Whose assets the answer depends on.
    pub(super) people: Vec<Uuid>,
    /// With latitude and longitude.
    pub(super) with_coordinates: bool,
    /// With city and country.
    pub(super) with_places: bool,
    /// The month as it was written, where there is one.
    pub(super) time_bucket: Option<String>,
}

/// Reads the query. `needs_month` says that `timeBucket` must be there.
///
/// # Errors
/// 400 for what is not valid or not supported yet, and for what is somebody else's; 401 for the locked folder.
pub(super) async fn read(
    api: &Api,
    query: Option<&str>,
    caller: &Caller,
    needs_month: bool,
) -> Result<Asked, Problem> {
    let mut fields = Fields::query(query);
    let album_id = fields.uuid("albumId");
    let is_favorite = fields.boolean("isFavorite");
    let is_trashed = fields.boolean("isTrashed");
    let order = fields.option("order", &["asc", "desc"]);
    let order_by = fields.option("orderBy", &["takenAt", "createdAt"]);
    let person_id = fields.uuid("personId");
    let tag_id = fields.uuid("tagId");
    if needs_month && !fields.has("timeBucket") {
        fields.missing("string", "timeBucket");
    }
    let time_bucket = fields.string("timeBucket");
    let user_id = fields.uuid("userId");
    let place = fields.option("visibility", VISIBILITIES);
    let with_coordinates = fields.boolean("withCoordinates").unwrap_or_default();
    let with_partners = fields.boolean("withPartners").unwrap_or_default();
    let with_stacked = fields.boolean("withStacked").unwrap_or_default();
    let bounds = bounds(&mut fields);
    fields.finish()?;
    if bounds.is_some() && !caller.shows_metadata() {
        // Asked box by box, it would tell the positions that the link hides.
        return Err(Problem::no_access(Permission::AssetRead));
    }
    if place.as_deref() == Some("locked") {
        caller.require_elevated()?;
    }
    if let Some(person_id) = person_id {
        let person = api.queries.person(person_id).await?;
        caller.require_owned(Permission::PersonRead, person.map(|person| person.owner_id))?;
    }
    if let Some(tag_id) = tag_id {
        let tag = api.queries.tags(&[tag_id]).await?.into_iter().next();
        caller.require_owned(Permission::TagRead, tag.map(|tag| tag.owner_id))?;
    }
    let is_trashed = is_trashed.unwrap_or_default();
    if with_partners
        && (place.as_deref() != Some("timeline") || is_favorite.is_some() || is_trashed)
    {
        return Err(Problem::bad_request(
            "withPartners is only supported for non-archived, non-trashed, non-favorited assets",
        ));
    }
    let is_visitor = caller.link().is_some();
    let with_coordinates = with_coordinates && caller.shows_metadata();
    // A visitor of a link has no favorites, no trash and no timeline of their own.
    let viewer_id = if is_visitor { Uuid::nil() } else { caller.user_id().uuid() };
    let visibilities = place
        .map_or_else(|| vec!["archive".to_owned(), "timeline".to_owned()], |place| vec![place]);
    let mut filter = BucketFilter {
        viewer_id,
        owner_ids: Vec::new(),
        album_id,
        visibilities,
        is_favorite,
        is_trashed,
        tag_id,
        person_id,
        bounds,
        with_stacked,
        order_by: match order_by.as_deref() {
            Some("createdAt") => BucketOrder::Created,
            _ => BucketOrder::Taken,
        },
        ascending: order.as_deref() == Some("asc"),
    };
    let mut people = Vec::new();
    if let Some(album_id) = album_id {
        people = require_album(api, caller, Permission::AlbumRead, album_id).await?.people;
    }
    // Without an album a timeline is somebody's: the caller's own when nobody is named.
    if let Some(owner_id) = user_id.or_else(|| album_id.is_none().then_some(viewer_id)) {
        require_timeline(api, caller, &mut filter, owner_id).await?;
        if with_partners {
            let partners = partners_of(api, owner_id).await?;
            let shown = partners.iter().filter(|pair| {
                pair.shared_with_id == owner_id && pair.in_timeline && owner_id == viewer_id
            });
            filter.owner_ids.extend(shown.map(|pair| pair.shared_by_id));
        }
        people.extend(&filter.owner_ids);
    }
    let with_places = caller.shows_metadata();
    Ok(Asked { filter, people, with_coordinates, with_places, time_bucket })
}

/// The box on the map, `west,south,east,north` in degrees.
fn bounds(fields: &mut Fields) -> Option<Bounds> {
    let text = fields.string("bbox")?;
    let numbers: Option<Vec<f64>> =
        text.split(',').map(|number| number.trim().parse().ok()).collect();
    let bounds = match numbers.as_deref() {
        Some([west, south, east, north]) => Bounds::of(*west, *south, *east, *north),
        _ => None,
    };
    if bounds.is_none() {
        fields.issue(json!({
            "code": "custom", "path": ["bbox"], "message": "Invalid bounding box: expected west,south,east,north"
        }));
    }
    bounds
}

/// Shows the timeline of one person, as far as the caller may see it.
async fn require_timeline(
    api: &Api,
    caller: &Caller,
    filter: &mut BucketFilter,
    owner_id: Uuid,
) -> Result<(), Problem> {
    let me = caller.user_id().uuid();
    let is_partner = owner_id != me
        && partners_of(api, me)
            .await?
            .iter()
            .any(|pair| pair.shared_by_id == owner_id && pair.shared_with_id == me);
    let timeline = Object::Timeline { owner_id: UserId::new(owner_id), is_partner };
    let mut needed = vec![Permission::TimelineRead];
    if filter.visibilities == ["archive"] {
        needed.push(Permission::ArchiveRead);
    }
    for permission in needed {
        check(caller.person(), permission, timeline)
            .map_err(|denied| Problem::denied(denied, permission))?;
    }
    if owner_id != me {
        // Of somebody else's, only what their timeline shows.
        filter.visibilities = vec!["timeline".to_owned()];
        if filter.is_trashed {
            return Err(Problem::no_access(Permission::TimelineRead));
        }
    }
    filter.owner_ids = vec![owner_id];
    Ok(())
}

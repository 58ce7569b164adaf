//! What both questions about a timeline share: which assets it shows, checked as Immich checks it.

use calotype_domain::permission::Permission;
use calotype_projections::timeline::{BucketFilter, BucketOrder};
use serde_json::json;

use crate::assets::{VISIBILITIES, not_elevated};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::validate::Fields;

/// What a client asks to see.
pub(super) struct Asked {
    /// Which assets.
    pub(super) filter: BucketFilter,
    /// With latitude and longitude.
    pub(super) with_coordinates: bool,
    /// With stacks.
    pub(super) with_stacked: bool,
    /// The month as it was written, where there is one.
    pub(super) time_bucket: Option<String>,
}

/// Reads the query. `needs_month` says that `timeBucket` must be there.
///
/// # Errors
/// 400 for what is not valid or not supported yet, and for what is somebody else's; 401 for the locked folder.
pub(super) fn read(
    query: Option<&str>,
    caller: &Caller,
    needs_month: bool,
) -> Result<Asked, Problem> {
    let mut fields = Fields::query(query);
    let album = fields.uuid("albumId").is_some();
    let is_favorite = fields.boolean("isFavorite");
    let is_trashed = fields.boolean("isTrashed");
    let order = fields.option("order", &["asc", "desc"]);
    let order_by = fields.option("orderBy", &["takenAt", "createdAt"]);
    let person = fields.uuid("personId").is_some();
    let tag = fields.uuid("tagId").is_some();
    if needs_month && !fields.has("timeBucket") {
        fields.missing("string", "timeBucket");
    }
    let time_bucket = fields.string("timeBucket");
    let user = fields.uuid("userId");
    let place = fields.option("visibility", VISIBILITIES);
    let with_coordinates = fields.boolean("withCoordinates").unwrap_or_default();
    let with_partners = fields.boolean("withPartners").unwrap_or_default();
    let with_stacked = fields.boolean("withStacked").unwrap_or_default();
    if fields.has("bbox") {
        fields.issue(json!({
            "code": "custom", "path": ["bbox"], "message": "This server has no map search yet"
        }));
    }
    fields.finish()?;
    if place.as_deref() == Some("locked") {
        return Err(not_elevated());
    }
    let owner_id = caller.user_id().uuid();
    // None of these exist yet, so nobody has access to one.
    for (asked, permission) in [
        (album, Permission::AlbumRead),
        (user.is_some_and(|user| user != owner_id), Permission::TimelineRead),
        (tag, Permission::TagRead),
        (person, Permission::PersonRead),
    ] {
        if asked {
            return Err(Problem::no_access(permission));
        }
    }
    let is_trashed = is_trashed.unwrap_or_default();
    if with_partners
        && (place.as_deref() != Some("timeline") || is_favorite.is_some() || is_trashed)
    {
        return Err(Problem::bad_request(
            "withPartners is only supported for non-archived, non-trashed, non-favorited assets",
        ));
    }
    let filter = BucketFilter {
        owner_id,
        visibilities: place
            .map_or_else(|| vec!["archive".to_owned(), "timeline".to_owned()], |place| vec![place]),
        is_favorite,
        is_trashed,
        order_by: match order_by.as_deref() {
            Some("createdAt") => BucketOrder::Created,
            _ => BucketOrder::Taken,
        },
        ascending: order.as_deref() == Some("asc"),
    };
    Ok(Asked { filter, with_coordinates, with_stacked, time_bucket })
}

//! The filters that all searches share: checked as Immich checks them, and turned into conditions.

use calotype_projections::search::{
    Compare, Condition, DateColumn, Direction, Ids, NumberColumn, OrderColumn, Pattern,
    PatternColumn, Scope, Search, WordColumn,
};
use chrono::{DateTime, FixedOffset, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{structured, whose};
use crate::assets::VISIBILITIES;
use crate::assets::dto::sha1_of_checksum;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// Immich's words for kinds of assets.
pub(super) const KINDS: &[&str] = &["IMAGE", "VIDEO", "AUDIO", "OTHER"];
/// Assets a page when nothing is said.
pub(super) const SIZE: i64 = 250;
/// Assets a page at most.
const SIZE_MAX: i64 = 1_000;
/// Albums, people or tags in one list.
pub(super) const IDS_MAX: usize = 1_000;
/// The largest whole number that JavaScript is sure of.
pub(super) const SAFE_INTEGER_MAX: i64 = 9_007_199_254_740_991;
/// Before every key that clients are told.
const SHOWN_ROOT: &str = "/data/";

/// What was asked for, with what of it is no condition.
pub(super) struct Asked {
    pub(super) search: Search,
    pub(super) with_exif: bool,
    pub(super) with_people: bool,
}

/// Reads the filters of a body or query, and refuses what is not right.
///
/// # Errors
/// 400 in Zod's words, and for albums that are not the caller's to see; 401 for what is behind the PIN.
pub(super) async fn read(api: &Api, fields: Fields, caller: &Caller) -> Result<Asked, Problem> {
    let mut asked = parse(fields, caller)?;
    whose::settle(api, caller, &mut asked.search).await?;
    Ok(asked)
}

/// Reads the filters without asking whose assets they are about.
///
/// # Errors
/// 400 in Zod's words; 401 for what is behind the PIN.
pub(super) fn parse(fields: Fields, caller: &Caller) -> Result<Asked, Problem> {
    parse_sized(fields, caller, SIZE)
}

/// As [`parse`], with so many assets a page when nothing is said.
///
/// # Errors
/// As [`parse`].
pub(super) fn parse_sized(
    mut fields: Fields,
    caller: &Caller,
    usual_size: i64,
) -> Result<Asked, Problem> {
    let mut conditions = Vec::new();
    words(&mut fields, &mut conditions);
    dates(&mut fields, &mut conditions);
    marks(&mut fields, &mut conditions);
    texts(&mut fields, &mut conditions);
    lists(&mut fields, &mut conditions);
    let visibility = fields.option("visibility", VISIBILITIES);
    let with_deleted = fields.boolean("withDeleted").unwrap_or_default();
    let with_trashed = fields.has("trashedAfter") || fields.has("trashedBefore");
    let limit = fields.integer("size", 1, SIZE_MAX).unwrap_or(usual_size);
    let with_exif = fields.boolean("withExif").unwrap_or_default();
    let with_people = fields.boolean("withPeople").unwrap_or_default();
    // Stacks are found as their assets.
    fields.boolean("withStacked");
    let order = fields.option("order", &["asc", "desc"]);
    let page = fields.integer("page", 1, SAFE_INTEGER_MAX).unwrap_or(1);
    let structured = structured::read(&mut fields);
    fields.finish()?;

    let asks_for_locked = visibility.as_deref() == Some("locked") || structured.asks_for_locked;
    if asks_for_locked {
        caller.require_elevated()?;
    }
    conditions.extend(shown(visibility, caller));
    if !(with_deleted || with_trashed || structured.asks_for_trashed) {
        conditions.push(Condition::Trashed(false));
    }
    conditions.extend(structured.conditions);
    let direction = structured.direction.or(order.as_deref().map(|word| match word {
        "asc" => Direction::Ascending,
        _ => Direction::Descending,
    }));
    let offset = if structured.after.is_some() { 0 } else { (page - 1).saturating_mul(limit) };
    Ok(Asked {
        search: Search {
            viewer_id: caller.user_id().uuid(),
            scope: Scope::People(vec![caller.user_id().uuid()]),
            conditions,
            order: structured.order.unwrap_or(OrderColumn::Taken),
            direction: direction.unwrap_or_default(),
            after: structured.after,
            offset,
            limit,
        },
        with_exif,
        with_people,
    })
}

/// Where found assets show: as asked, else everywhere but behind the PIN.
fn shown(visibility: Option<String>, caller: &Caller) -> Option<Condition> {
    if let Some(word) = visibility {
        return Some(Condition::Visibility(vec![word]));
    }
    let open = ["archive", "timeline", "hidden"];
    (!caller.is_elevated()).then(|| Condition::Visibility(open.map(str::to_owned).to_vec()))
}

fn words(fields: &mut Fields, conditions: &mut Vec<Condition>) {
    for (name, column) in [
        ("city", WordColumn::City),
        ("country", WordColumn::Country),
        ("lensModel", WordColumn::LensModel),
        ("make", WordColumn::Make),
        ("model", WordColumn::Model),
        ("state", WordColumn::State),
    ] {
        let word = if fields.is_null(name) { Some(None) } else { fields.string(name).map(Some) };
        conditions.extend(word.map(|word| Condition::Word(column, Compare::Is(word))));
    }
}

fn dates(fields: &mut Fields, conditions: &mut Vec<Condition>) {
    let utc = |instant: DateTime<FixedOffset>| instant.with_timezone(&Utc);
    for (after, before, column) in [
        ("createdAfter", "createdBefore", DateColumn::Created),
        ("takenAfter", "takenBefore", DateColumn::Taken),
        ("trashedAfter", "trashedBefore", DateColumn::Trashed),
        ("updatedAfter", "updatedBefore", DateColumn::Updated),
    ] {
        let from = fields.datetime(after).map(|instant| Compare::AtLeast(utc(instant)));
        let until = fields.datetime(before).map(|instant| Compare::AtMost(utc(instant)));
        conditions
            .extend([from, until].into_iter().flatten().map(|test| Condition::Date(column, test)));
    }
}

fn marks(fields: &mut Fields, conditions: &mut Vec<Condition>) {
    conditions.extend(fields.boolean("isFavorite").map(Condition::Favorite));
    conditions.extend(fields.boolean("isMotion").map(Condition::Motion));
    conditions.extend(fields.boolean("isEncoded").map(Condition::Encoded));
    conditions.extend(fields.boolean("isOffline").map(Condition::Offline));
    let library = if fields.is_null("libraryId") {
        Some(Compare::Is(None))
    } else {
        fields.uuid("libraryId").map(|id| Compare::Is(Some(id)))
    };
    conditions.extend(library.map(Condition::Library));
    conditions.extend(fields.option("type", KINDS).map(|word| kind(&word)));
    let rating = if fields.is_null("rating") {
        Some(Compare::Is(None))
    } else {
        fields.integer("rating", 1, 5).map(|stars| Compare::Is(Some(stars)))
    };
    conditions.extend(rating.map(|test| Condition::Number(NumberColumn::Rating, test)));
    conditions.extend(fields.uuid("id").map(|id| Condition::Id(Compare::Is(Some(id)))));
    let checksum = fields.string("checksum");
    conditions.extend(checksum.map(|text| match sha1_of_checksum(&text) {
        Some(sha1) => Condition::Sha1(Compare::Is(Some(sha1))),
        None => Condition::Nothing,
    }));
}

/// Immich knows two kinds more, of which there is nothing here.
pub(super) fn kind(word: &str) -> Condition {
    match word {
        "IMAGE" => Condition::Video(false),
        "VIDEO" => Condition::Video(true),
        _ => Condition::Nothing,
    }
}

fn texts(fields: &mut Fields, conditions: &mut Vec<Condition>) {
    for (name, column) in [
        ("description", PatternColumn::Description),
        ("originalFileName", PatternColumn::FileName),
        ("originalPath", PatternColumn::OriginalPath),
    ] {
        let text = fields.string(name).filter(|text| !text.is_empty());
        conditions.extend(text.map(|text| Condition::Text(column, Pattern::Holds(text))));
    }
    let key = |path: String| path.strip_prefix(SHOWN_ROOT).map(str::to_owned).unwrap_or(path);
    conditions.extend(fields.string("previewPath").map(|path| Condition::PreviewKey(key(path))));
    conditions
        .extend(fields.string("thumbnailPath").map(|path| Condition::ThumbnailKey(key(path))));
    let encoded = fields.string("encodedVideoPath").filter(|text| !text.is_empty());
    conditions.extend(encoded.map(|path| Condition::EncodedKey(Compare::Is(Some(key(path))))));
    let written = fields.string("ocr").filter(|text| !text.trim().is_empty());
    conditions.extend(written.map(Condition::Written));
}

/// Albums, tags and people, every one of which must be met. An empty list says nothing.
fn lists(fields: &mut Fields, conditions: &mut Vec<Condition>) {
    let is_outside = fields.boolean("isNotInAlbum").unwrap_or_default();
    conditions.extend(is_outside.then_some(Condition::HasAlbums(false)));
    if fields.is_null("tagIds") {
        conditions.push(Condition::HasTags(false));
    } else {
        conditions.extend(all(fields, "tagIds").map(Condition::Tags));
    }
    conditions.extend(all(fields, "albumIds").map(Condition::Albums));
    conditions.extend(all(fields, "personIds").map(Condition::People));
}

fn all(fields: &mut Fields, name: &str) -> Option<Ids> {
    let ids: Vec<Uuid> = fields.uuids(name)?;
    if ids.len() > IDS_MAX {
        fields.issue(json!({
            "origin": "array", "code": "too_big", "maximum": IDS_MAX, "inclusive": true,
            "path": [name], "message": format!("Too big: expected array to have <={IDS_MAX} items")
        }));
    }
    (!ids.is_empty()).then_some(Ids::All(ids))
}

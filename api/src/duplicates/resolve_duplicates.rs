//! `POST /duplicates/resolve`: some of a group are kept, the others go into the trash.

use std::collections::{BTreeSet, HashMap};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::duplicates::Resolution;
use calotype_domain::AssetId;
use calotype_domain::asset::Purging;
use calotype_domain::permission::Permission;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::{allowed_assets, require_assets};
use crate::albums::locked::leave_all_if_locked;
use crate::assets::change::albums_holding;
use crate::assets::delete_assets::purge;
use crate::bulk::{BulkIdErrorReason, BulkIdResponseDto};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::{Fields, wrong_type};

/// Said of a group with assets that the caller may not put into the trash.
const MAY_NOT_DELETE: &str = "No permission to delete assets";
/// Said of a group with assets that the caller may not change.
const MAY_NOT_UPDATE: &str = "No permission to update assets";
/// Most groups of one request.
const GROUPS_MAX: usize = 1_000;

/// What becomes of one group.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct DuplicateResolveGroupDto {
    duplicate_id: Uuid,
    keep_asset_ids: Vec<Uuid>,
    trash_asset_ids: Vec<Uuid>,
}

/// What becomes of groups.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct DuplicateResolveDto {
    #[schema(min_items = 1)]
    groups: Vec<DuplicateResolveGroupDto>,
}

struct Group {
    duplicate_id: Uuid,
    keep: BTreeSet<Uuid>,
    trash: BTreeSet<Uuid>,
}

/// Resolves groups of duplicates, each by itself. When exactly one asset is kept it takes over what the
/// others had.
#[utoipa::path(
    post, path = "/duplicates/resolve", tag = "Duplicates", operation_id = "resolveDuplicates",
    request_body = DuplicateResolveDto,
    responses((status = 200, body = Vec<BulkIdResponseDto>))
)]
pub(super) async fn resolve_duplicates(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<Vec<BulkIdResponseDto>>), Problem> {
    caller.require(Permission::DuplicateDelete)?;
    let groups = parse(&body)?;
    let ids: Vec<Uuid> = groups.iter().map(|group| group.duplicate_id).collect();
    let mut members: HashMap<Uuid, BTreeSet<Uuid>> = HashMap::new();
    for (id, asset_id) in api.queries.duplicate_groups(caller.user_id().uuid(), &ids).await? {
        members.entry(id).or_default().insert(asset_id);
    }
    let named: Vec<Uuid> =
        groups.iter().flat_map(|group| group.keep.union(&group.trash)).copied().collect();
    let updatable = ids_allowed(&api, &caller, Permission::AssetUpdate, &named).await?;
    let deletable = ids_allowed(&api, &caller, Permission::AssetDelete, &named).await?;
    let mut answers = Vec::with_capacity(groups.len());
    let mut resolved: Vec<Group> = Vec::new();
    for mut group in groups {
        let id = group.duplicate_id;
        let Some(members) = members.remove(&id) else {
            answers.push(BulkIdResponseDto::failed(id, BulkIdErrorReason::NotFound));
            continue;
        };
        // What is not in the group is no concern of it.
        group.keep.retain(|asset_id| members.contains(asset_id));
        group.trash.retain(|asset_id| members.contains(asset_id));
        let forbidden = if !group.trash.is_subset(&deletable) {
            Some(MAY_NOT_DELETE)
        } else if !group.keep.is_subset(&updatable) {
            Some(MAY_NOT_UPDATE)
        } else {
            None
        };
        if let Some(message) = forbidden {
            answers.push(BulkIdResponseDto {
                error_message: Some(message.to_owned()),
                ..BulkIdResponseDto::failed(id, BulkIdErrorReason::NoPermission)
            });
            continue;
        }
        match refusal(&group, &members) {
            Some(message) => answers.push(BulkIdResponseDto {
                error_message: Some(message.to_owned()),
                ..BulkIdResponseDto::failed(id, BulkIdErrorReason::Validation)
            }),
            None => {
                resolved.push(group);
                answers.push(BulkIdResponseDto::done(id));
            }
        }
    }
    resolve(&api, &caller, &resolved).await?;
    Ok((StatusCode::OK, Json(answers)))
}

/// Those of some assets that the caller may do this with.
async fn ids_allowed(
    api: &Api,
    caller: &Caller,
    permission: Permission,
    asset_ids: &[Uuid],
) -> Result<BTreeSet<Uuid>, Problem> {
    let rows = allowed_assets(api, caller, permission, asset_ids).await?;
    Ok(rows.into_iter().map(|row| row.asset_id).collect())
}

/// Why a group cannot be resolved so.
fn refusal(group: &Group, members: &BTreeSet<Uuid>) -> Option<&'static str> {
    if !group.keep.is_disjoint(&group.trash) {
        return Some("An asset cannot be in both keepAssetIds and trashAssetIds");
    }
    let named: BTreeSet<Uuid> = group.keep.union(&group.trash).copied().collect();
    (named.len() < members.len())
        .then_some("Every asset must be in either keepAssetIds or trashAssetIds")
}

/// Resolves groups as one command. Albums that the caller may not add to stay as they are.
async fn resolve(api: &Api, caller: &Caller, groups: &[Group]) -> Result<(), Problem> {
    let all = |of: fn(&Group) -> &BTreeSet<Uuid>| {
        groups.iter().flat_map(of).copied().map(AssetId::new).collect::<Vec<_>>()
    };
    let (keep, trash) = (all(|group| &group.keep), all(|group| &group.trash));
    for (permission, asset_ids) in
        [(Permission::AssetUpdate, &keep), (Permission::AssetDelete, &trash)]
    {
        let rows = require_assets(api, caller, permission, asset_ids).await?;
        api.caches.owners.learn(&rows);
    }
    let asset_ids: Vec<Uuid> = keep.iter().chain(&trash).map(|asset_id| asset_id.uuid()).collect();
    let inside = albums_holding(api, &asset_ids).await?;
    let ids = |set: &BTreeSet<Uuid>| set.iter().copied().map(AssetId::new).collect();
    let groups: Vec<Resolution> = groups
        .iter()
        .map(|group| Resolution { keep: ids(&group.keep), trash: ids(&group.trash) })
        .collect();
    let (context, by) = (caller.context(), caller.user_id());
    let outcome = api.commands.resolve_duplicates(&context, by, &groups, &inside).await?;
    api.surely_seen_of(&outcome, asset_ids.len()).await?;
    leave_all_if_locked(api, &context, &keep).await?;
    if api.queries.settings().await?.is_on("trash.enabled") {
        return Ok(());
    }
    // Without a trash what would go there is gone; what was kept has taken over from it before.
    let trash: Vec<Uuid> = trash.iter().map(|asset_id| asset_id.uuid()).collect();
    let assets = api.queries.assets(&trash).await?;
    purge(api, caller, assets, Purging::Trash { by: Some(by) }).await
}

fn parse(body: &Bytes) -> Result<Vec<Group>, Problem> {
    let mut fields = Fields::json(body)?;
    let values = match fields.take("groups") {
        Some(Value::Array(values)) => values,
        other => {
            fields.issue(wrong_type("array", other.as_ref(), &["groups"]));
            Vec::new()
        }
    };
    if values.is_empty() && fields.issues().is_empty() {
        fields.issue(json!({
            "origin": "array", "code": "too_small", "minimum": 1, "inclusive": true,
            "path": ["groups"], "message": "Too small: expected array to have >=1 items"
        }));
    }
    let mut groups = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let place = json!(["groups", index]);
        let Value::Object(object) = value else {
            fields.issue(at(wrong_type("object", Some(&value), &[]), &place));
            continue;
        };
        let mut inner = Fields::object(object);
        for (name, expected) in
            [("duplicateId", "string"), ("keepAssetIds", "array"), ("trashAssetIds", "array")]
        {
            if !inner.has(name) {
                inner.missing(expected, name);
            }
        }
        let mut list = |name| inner.uuids(name).unwrap_or_default().into_iter().collect();
        let (keep, trash) = (list("keepAssetIds"), list("trashAssetIds"));
        let duplicate_id = inner.uuid("duplicateId").unwrap_or_default();
        groups.push(Group { duplicate_id, keep, trash });
        for issue in inner.issues() {
            fields.issue(at(issue, &place));
        }
    }
    fields.finish()?;
    if groups.len() > GROUPS_MAX {
        return Err(Problem::bad_request(format!("At most {GROUPS_MAX} groups at once")));
    }
    Ok(groups)
}

/// An issue of something that stands at a place.
fn at(mut issue: Value, place: &Value) -> Value {
    let mut path = place.as_array().cloned().unwrap_or_default();
    path.extend(issue["path"].as_array().cloned().unwrap_or_default());
    if let Some(issue) = issue.as_object_mut() {
        issue.insert("path".into(), Value::Array(path));
    }
    issue
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(numbers: &[u128]) -> BTreeSet<Uuid> {
        numbers.iter().copied().map(Uuid::from_u128).collect()
    }

    fn refused(keep: &[u128], trash: &[u128]) -> bool {
        let group = Group { duplicate_id: Uuid::nil(), keep: set(keep), trash: set(trash) };
        refusal(&group, &set(&[1, 2, 3])).is_some()
    }

    #[test]
    fn every_member_is_kept_or_trashed() {
        assert!(!refused(&[1], &[2, 3]));
        assert!(!refused(&[], &[1, 2, 3]));
        assert!(refused(&[1, 2], &[2, 3]));
        assert!(refused(&[1], &[2]));
    }

    #[test]
    fn no_groups_are_refused() {
        assert!(parse(&Bytes::from_static(br#"{"groups":[]}"#)).is_err());
        assert!(parse(&Bytes::from_static(b"{}")).is_err());
    }
}

//! Conditions about what an asset belongs to: albums, people and tags, and among which assets a search looks.
//!
//! Each reads rows of another model by an index, whichever side the planner begins with.

use std::collections::HashMap;

use uuid::Uuid;

use super::condition::{Condition, Ids, Scope, Search};
use super::sql::{Context, Sql};
use crate::held_up::{held_up, held_up_assets};

/// So many rows of a list are looked up one by one.
const SHORT_ASSETS_MAX: i64 = 30_000;

/// Tags, each with itself and all that stand under it. One that is not the viewer's is missing.
pub(super) type Trees = HashMap<Uuid, Vec<Uuid>>;

/// The condition that an asset is one of those that are looked at.
pub(super) fn scope(sql: &mut Sql, context: &Context<'_>) {
    let search = context.search;
    let viewer_id = search.viewer_id;
    match &search.scope {
        Scope::People(owners) => match owners.as_slice() {
            [owner_id] => {
                sql.push("s.owner_id = ").push_bind(*owner_id);
            }
            owners => {
                sql.push("s.owner_id = any(").push_bind(owners.to_vec()).push(")");
            }
        },
        Scope::Albums { album_ids, owner_id } => {
            let ids = Ids::All(album_ids.clone());
            let is_short = context.short.contains(&Condition::Albums(ids.clone()));
            albums(sql, &ids, is_short);
            if let Some(owner_id) = owner_id {
                sql.push(" and s.owner_id = ").push_bind(*owner_id);
            }
        }
        Scope::Link(link_id) => {
            sql.push(
                "s.asset_id in (select linked.asset_id from read.shared_link_assets_v1 linked \
                  where linked.shared_link_id = ",
            );
            sql.push_bind(*link_id);
            sql.push(concat!(" and not ", held_up!("shared_link", "linked.shared_link_id"), ")"));
            by_owner_of_link(sql, *link_id);
        }
    }
    if !search.is_alone() {
        shown(sql, &search.scope, viewer_id);
    }
}

/// A link goes on showing what its owner may still show: their own, and what partners of theirs show on their
/// timelines. Both are read once, not for each row.
fn by_owner_of_link(sql: &mut Sql, link_id: Uuid) {
    let owner = "(select link.owner_id from read.shared_links_v1 link where link.shared_link_id = ";
    sql.push(" and (s.owner_id = ").push(owner).push_bind(link_id);
    sql.push(
        ") or (s.visibility = 'timeline' and s.owner_id = any(array(
              select pair.shared_by_id
                from read.partners_v1 pair
                join read.users_v1 gives
                  on gives.user_id = pair.shared_by_id and gives.deleted_at is null
               where pair.shared_with_id = ",
    );
    sql.push(owner).push_bind(link_id);
    sql.push(concat!(") and not ", held_up!("partner", "pair.partner_id"), "))))"));
}

/// Of others' assets only what they show: on their timelines, or in albums and links. Of what may have been taken
/// away nothing: see [`crate::held_up`].
pub(super) fn shown(sql: &mut Sql, scope: &Scope, viewer_id: Uuid) {
    sql.push(" and (s.owner_id = ").push_bind(viewer_id);
    sql.push(match scope {
        Scope::People(_) => " or (s.visibility = 'timeline'",
        Scope::Albums { .. } | Scope::Link(_) => " or (s.visibility in ('timeline', 'archive')",
    });
    sql.push(concat!(" and s.trashed_at is null and s.asset_id <> all(", held_up_assets!(), ")))"));
}

/// The albums that an asset must be in, or must not.
pub(super) fn albums(sql: &mut Sql, ids: &Ids, is_short: bool) {
    let rows = "read.album_assets_v1 listed where listed.album_id";
    listed(sql, ids, rows, "listed.album_id", None, is_short);
}

/// The viewer's people who must be on an asset, or must not.
pub(super) fn people(sql: &mut Sql, ids: &Ids, viewer_id: Uuid, is_short: bool) {
    let rows = "read.faces_v1 listed where listed.person_id";
    listed(sql, ids, rows, "listed.person_id", Some(viewer_id), is_short);
}

/// Rows of a list: of `rows` those whose id, which `id` names, is given; of an owner where one is given.
fn listed(sql: &mut Sql, ids: &Ids, rows: &str, id: &str, owner_id: Option<Uuid>, is_short: bool) {
    let mut once = ids.as_slice().to_vec();
    once.sort_unstable();
    once.dedup();
    open(sql, ids, is_short);
    sql.push("select listed.asset_id from ");
    match once.as_slice() {
        [one] => sql.push(rows).push(" = ").push_bind(*one),
        all => sql.push(rows).push(" = any(").push_bind(all.to_vec()).push(")"),
    };
    if let Some(owner_id) = owner_id {
        sql.push(" and listed.owner_id = ").push_bind(owner_id);
    }
    if matches!(ids, Ids::None(_)) {
        sql.push(" and listed.asset_id = s.asset_id");
    }
    if matches!(ids, Ids::All(_)) && once.len() > 1 {
        sql.push(format!(" group by listed.asset_id having count(distinct {id}) = "));
        sql.push_bind(i64::try_from(once.len()).unwrap_or(i64::MAX));
    }
    close(sql, ids, is_short);
}

/// Begins a condition about a list. A short one is read first, and its assets are looked up one by one: left
/// to itself, the planner walks through the newest assets in the hope that those of the list are spread
/// evenly among them. Through a long one the walk is what is quick.
fn open(sql: &mut Sql, ids: &Ids, is_short: bool) {
    sql.push(match ids {
        Ids::None(_) => "not exists (",
        _ if is_short => "s.asset_id = any(array(",
        _ => "s.asset_id in (",
    });
}

fn close(sql: &mut Sql, ids: &Ids, is_short: bool) {
    sql.push(if is_short && !matches!(ids, Ids::None(_)) { "))" } else { ")" });
}

/// The tags that an asset must carry, or must not.
pub(super) fn tags(sql: &mut Sql, ids: &Ids, trees: &Trees, is_short: bool) {
    let mut roots = ids.as_slice().to_vec();
    roots.sort_unstable();
    roots.dedup();
    let pairs = roots
        .iter()
        .flat_map(|root| trees.get(root).into_iter().flatten().map(|tag_id| (*root, *tag_id)));
    let (of, tag_ids): (Vec<Uuid>, Vec<Uuid>) = pairs.unzip();
    open(sql, ids, is_short);
    sql.push("select carried.asset_id from ");
    if matches!(ids, Ids::All(_)) && roots.len() > 1 {
        sql.push("unnest(").push_bind(of).push("::uuid[], ").push_bind(tag_ids);
        sql.push(
            "::uuid[]) as wanted (root_id, tag_id) \
             join read.tag_assets_v1 carried on carried.tag_id = wanted.tag_id \
             group by carried.asset_id having count(distinct wanted.root_id) = ",
        );
        sql.push_bind(i64::try_from(roots.len()).unwrap_or(i64::MAX));
    } else {
        sql.push("read.tag_assets_v1 carried where carried.tag_id = any(");
        sql.push_bind(tag_ids).push(")");
        if matches!(ids, Ids::None(_)) {
            sql.push(" and carried.asset_id = s.asset_id");
        }
    }
    close(sql, ids, is_short);
}

/// A look at whether a list is short: at most [`SHORT_ASSETS_MAX`] rows and one.
pub(super) fn is_short(sql: &mut Sql, condition: &Condition, trees: &Trees) {
    sql.push("(select count(*) <= ").push_bind(SHORT_ASSETS_MAX).push(" from (select from ");
    let (rows, ids) = match condition {
        Condition::Albums(ids) => ("read.album_assets_v1 where album_id", ids.as_slice().to_vec()),
        Condition::People(ids) => ("read.faces_v1 where person_id", ids.as_slice().to_vec()),
        Condition::Tags(ids) => {
            let tag_ids = ids.as_slice().iter().filter_map(|root| trees.get(root)).flatten();
            ("read.tag_assets_v1 where tag_id", tag_ids.copied().collect())
        }
        _ => ("read.tag_assets_v1 where tag_id", Vec::new()),
    };
    sql.push(rows).push(" = any(").push_bind(ids).push(") limit ");
    sql.push_bind(SHORT_ASSETS_MAX + 1).push(") listed)");
}

/// Whether an asset is in an album. Of others' assets only albums count that the viewer has a part in.
pub(super) fn has_albums(sql: &mut Sql, is: bool, search: &Search) {
    sql.push(if is { "" } else { "not " });
    sql.push("exists (select from read.album_assets_v1 inside where inside.asset_id = s.asset_id");
    if !search.is_alone() {
        sql.push(" and (s.owner_id = ").push_bind(search.viewer_id);
        sql.push(
            " or exists (select from read.album_users_v1 part \
               where part.album_id = inside.album_id and part.user_id = ",
        );
        sql.push_bind(search.viewer_id).push("))");
    }
    sql.push(")");
}

/// Whether one of the viewer's people is on an asset.
pub(super) fn has_people(sql: &mut Sql, is: bool, viewer_id: Uuid) {
    sql.push(if is { "" } else { "not " });
    sql.push(
        "exists (select from read.faces_v1 face \
          where face.asset_id = s.asset_id and face.person_id is not null and face.owner_id = ",
    );
    sql.push_bind(viewer_id).push(")");
}

/// Whether an asset carries one of the viewer's tags.
pub(super) fn has_tags(sql: &mut Sql, is: bool, viewer_id: Uuid) {
    sql.push(if is { "" } else { "not " });
    sql.push(
        "exists (select from read.tag_assets_v1 carried \
          join read.tags_v1 tag using (tag_id) \
          where carried.asset_id = s.asset_id and not tag.is_deleted and tag.owner_id = ",
    );
    sql.push_bind(viewer_id).push(")");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Sql)) -> String {
        let mut sql = Sql::new("");
        write(&mut sql);
        sql.sql().as_str().to_owned()
    }

    #[test]
    fn one_album_is_looked_up_and_several_are_counted() {
        let one = written(|sql| albums(sql, &Ids::All(vec![Uuid::nil(); 2]), false));
        assert!(one.ends_with("where listed.album_id = $1)"), "{one}");
        let two = written(|sql| albums(sql, &Ids::All(vec![Uuid::nil(), Uuid::max()]), true));
        assert!(two.ends_with("having count(distinct listed.album_id) = $2))"), "{two}");
        assert!(two.starts_with("s.asset_id = any(array(select"), "{two}");
    }

    #[test]
    fn own_search_needs_no_look_at_who_shows_what() {
        let viewer_id = Uuid::from_u128(1);
        let search = |owners: &[u128]| Search {
            viewer_id,
            scope: Scope::People(owners.iter().copied().map(Uuid::from_u128).collect()),
            conditions: vec![],
            order: super::super::OrderColumn::Taken,
            direction: super::super::Direction::Descending,
            after: None,
            offset: 0,
            limit: 1,
        };
        let scoped = |owners: &[u128]| {
            let (search, trees) = (search(owners), Trees::new());
            written(|sql| scope(sql, &Context { search: &search, trees: &trees, short: &[] }))
        };
        assert_eq!(scoped(&[1]), "s.owner_id = $1");
        let both = scoped(&[1, 2]);
        assert!(both.contains("s.visibility = 'timeline' and s.trashed_at is null"), "{both}");
        let other = scoped(&[2]);
        assert!(other.contains("s.trashed_at is null"), "{other}");
    }
}

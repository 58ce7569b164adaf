//! Events of tags to rows of `tags_v1`, and events of assets to rows of `tag_assets_v1`.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use calotype_domain::asset::AssetEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::id::TagId;
use calotype_domain::tag::TagEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::view::TagRow;
use crate::error::ProjectionError;
use crate::event::{Event, forget_users_in_tx};
use crate::fold::{Fold, fold_own_in_tx, fold_sql};
use crate::projection::Projection;

/// Keeps `tags_v1` and `tag_assets_v1`.
pub struct TagsProjection;

#[async_trait]
impl Projection for TagsProjection {
    fn name(&self) -> &'static str {
        "tags"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["tags_v1", "tag_assets_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset", "tag", "user"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        fold_own_in_tx::<Tags>(tx, events, |it| matches!(it.what, AnyEvent::Tag(_))).await?;
        carry_in_tx(tx, events).await?;
        // What they were called is personal, and nothing more is heard of them.
        forget_users_in_tx(tx, events, "delete from tags_v1 where owner_id = any($1)").await
    }
}

/// What of a batch is about carrying tags: the last word of each pair counts.
#[derive(Default)]
struct Carried {
    pairs: BTreeMap<(Uuid, TagId), bool>,
    purged: BTreeSet<Uuid>,
}

impl Carried {
    fn of(events: &[&Event]) -> Self {
        let mut carried = Self::default();
        for event in events {
            match &event.what {
                AnyEvent::Asset(AssetEvent::Tagged(tagged)) => {
                    carried.pairs.insert((event.key, tagged.tag_id), true);
                }
                AnyEvent::Asset(AssetEvent::Untagged(untagged)) => {
                    carried.pairs.insert((event.key, untagged.tag_id), false);
                }
                AnyEvent::Asset(AssetEvent::TaggedByFile(tagged)) => {
                    carried.pairs.insert((event.key, tagged.tag_id), true);
                }
                AnyEvent::Asset(AssetEvent::UntaggedByFile(untagged)) => {
                    carried.pairs.insert((event.key, untagged.tag_id), false);
                }
                AnyEvent::Asset(AssetEvent::Purged(_)) => {
                    carried.pairs.retain(|(asset_id, _), _| *asset_id != event.key);
                    carried.purged.insert(event.key);
                }
                _ => {}
            }
        }
        carried
    }

    fn pairs(&self, wanted: bool) -> (Vec<Uuid>, Vec<Uuid>) {
        self.pairs
            .iter()
            .filter(|(_, carries)| **carries == wanted)
            .map(|((asset_id, tag_id), _)| (*asset_id, tag_id.uuid()))
            .unzip()
    }
}

async fn carry_in_tx(tx: &mut PgConnection, events: &[&Event]) -> Result<(), ProjectionError> {
    let carried = Carried::of(events);
    if !carried.purged.is_empty() {
        let purged: Vec<Uuid> = carried.purged.iter().copied().collect();
        sqlx::query("delete from tag_assets_v1 where asset_id = any($1)")
            .bind(&purged)
            .execute(&mut *tx)
            .await?;
    }
    let (asset_ids, tag_ids) = carried.pairs(false);
    if !asset_ids.is_empty() {
        sqlx::query(
            "delete from tag_assets_v1
              using unnest($1::uuid[], $2::uuid[]) as gone (asset_id, tag_id)
              where tag_assets_v1.asset_id = gone.asset_id and tag_assets_v1.tag_id = gone.tag_id",
        )
        .bind(&asset_ids)
        .bind(&tag_ids)
        .execute(&mut *tx)
        .await?;
    }
    let (asset_ids, tag_ids) = carried.pairs(true);
    if !asset_ids.is_empty() {
        sqlx::query(
            "insert into tag_assets_v1 (asset_id, tag_id)
             select * from unnest($1::uuid[], $2::uuid[])
             on conflict do nothing",
        )
        .bind(&asset_ids)
        .bind(&tag_ids)
        .execute(tx)
        .await?;
    }
    Ok(())
}

/// Rows of `tags_v1`.
pub(crate) struct Tags;

impl Fold for Tags {
    fold_sql!("tags_v1", "tag_id");
    type Row = TagRow;

    fn key(row: &TagRow) -> Uuid {
        row.tag_id
    }

    fn revision(row: &TagRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<TagRow>, event: &Event) -> Option<TagRow> {
        let AnyEvent::Tag(what) = &event.what else { return row };
        let mut row = match (row, what) {
            (None, TagEvent::Created(created)) => {
                return Some(TagRow {
                    tag_id: event.key,
                    revision: event.revision,
                    owner_id: created.owner_id.uuid(),
                    parent_id: created.parent_id.map(TagId::uuid),
                    value: created.value.known().cloned().unwrap_or_default(),
                    color: created.color.clone(),
                    is_deleted: false,
                    created_at: event.recorded_at,
                    updated_at: event.recorded_at,
                });
            }
            (None, _) => return None,
            (Some(row), _) => row,
        };
        row.revision = event.revision;
        row.updated_at = event.recorded_at;
        match what {
            TagEvent::Created(_) => {}
            TagEvent::ColorChanged(changed) => row.color.clone_from(&changed.color),
            TagEvent::Deleted(_) => row.is_deleted = true,
            TagEvent::Restored(_) => row.is_deleted = false,
        }
        Some(row)
    }
}

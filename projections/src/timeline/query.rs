//! Questions about the timeline.

use chrono::NaiveDate;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::bounds::Bounds;
use super::view::{BucketCount, Cells, Placed};
use crate::error::ProjectionError;
use crate::held_up::held_up_assets;
use crate::query::Queries;

/// By which date months are cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BucketOrder {
    /// When it was taken.
    #[default]
    Taken,
    /// When it was uploaded.
    Created,
}

/// Which assets a timeline shows. Whether the viewer may see them was decided before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BucketFilter {
    /// For whom: only their own assets are favorites, and only theirs show from the trash.
    pub viewer_id: Uuid,
    /// Whose; with an album nobody named means whosever.
    pub owner_ids: Vec<Uuid>,
    /// Only what is in this album.
    pub album_id: Option<Uuid>,
    /// Immich's words for where they show.
    pub visibilities: Vec<String>,
    /// Only favorites, or only others.
    pub is_favorite: Option<bool>,
    /// In the trash, or not.
    pub is_trashed: bool,
    /// Only those that carry this tag or one that stands under it.
    pub tag_id: Option<Uuid>,
    /// Only those that this person is on.
    pub person_id: Option<Uuid>,
    /// Only those taken inside this box.
    pub bounds: Option<Bounds>,
    /// Of each stack only the asset that stands for it.
    pub with_stacked: bool,
    /// By which date months are cut.
    pub order_by: BucketOrder,
    /// Oldest first.
    pub ascending: bool,
}

impl BucketFilter {
    /// Whether it shows only what is the viewer's own.
    fn is_alone(&self) -> bool {
        self.album_id.is_none() && self.owner_ids == [self.viewer_id]
    }

    /// Whether the kept counts answer it: they know nothing of single assets.
    fn is_counted(&self) -> bool {
        self.order_by == BucketOrder::Taken
            && self.album_id.is_none()
            && self.person_id.is_none()
            && self.bounds.is_none()
            && self.tag_id.is_none()
    }

    /// The column that months are cut by.
    const fn month(&self) -> &'static str {
        match self.order_by {
            BucketOrder::Taken => "shown.month",
            BucketOrder::Created => "shown.created_month",
        }
    }

    /// What the kept counts and the rows both know, of a table called `shown`.
    fn push_common(&self, sql: &mut QueryBuilder<Postgres>) {
        sql.push(" where shown.visibility = any(").push_bind(self.visibilities.clone());
        sql.push(") and shown.is_trashed = ").push_bind(self.is_trashed);
        if self.album_id.is_none() || !self.owner_ids.is_empty() {
            sql.push(" and shown.owner_id = any(").push_bind(self.owner_ids.clone()).push(")");
        }
        // What is in the trash or behind the PIN shows to its owner alone, in whosever album it is.
        if self.is_trashed || self.visibilities.iter().any(|place| place == "locked") {
            sql.push(" and shown.owner_id = ").push_bind(self.viewer_id);
        }
        if let Some(is_favorite) = self.is_favorite {
            sql.push(" and (shown.is_favorite and shown.owner_id = ").push_bind(self.viewer_id);
            sql.push(") = ").push_bind(is_favorite);
        }
        if self.with_stacked {
            sql.push(" and not shown.is_under");
        }
    }

    /// The rows, called `shown`; with an album only those in it, which are called `inside`.
    fn push_rows(&self, sql: &mut QueryBuilder<Postgres>) {
        sql.push(" from read.timeline_v2 as shown");
        if let Some(album_id) = self.album_id {
            sql.push(
                " join read.album_assets_v1 as inside
                    on inside.asset_id = shown.asset_id and inside.album_id = ",
            )
            .push_bind(album_id);
        }
    }

    /// What only the rows know.
    fn push_lists(&self, sql: &mut QueryBuilder<Postgres>) {
        if !self.is_alone() {
            sql.push(" and (shown.owner_id = ").push_bind(self.viewer_id);
            sql.push(concat!(" or shown.asset_id <> all(", held_up_assets!(), "))"));
        }
        if let Some(bounds) = self.bounds {
            bounds.push(sql);
        }
        if let Some(person_id) = self.person_id {
            sql.push(
                " and shown.asset_id in (select asset_id from read.faces_v1 where person_id = ",
            );
            sql.push_bind(person_id).push(")");
        }
        if let Some(tag_id) = self.tag_id {
            sql.push(
                " and shown.asset_id in (
                     with recursive tree (tag_id) as (
                         select tag_id from read.tags_v1 where not is_deleted and tag_id = ",
            )
            .push_bind(tag_id)
            .push(
                "        union all
                         select child.tag_id
                           from tree
                           join read.tags_v1 as child
                             on child.parent_id = tree.tag_id and not child.is_deleted
                     )
                     select asset_id from read.tag_assets_v1 join tree using (tag_id))",
            );
        }
    }
}

/// The columns of a [`Placed`].
macro_rules! placed {
    ($rest:literal) => {
        concat!(
            "select asset_id, revision, owner_id, visibility, is_trashed, is_favorite, is_video, is_under,
                    local_date_time, taken_at
               from read.timeline_v2 ",
            $rest
        )
    };
}

impl Queries {
    /// Where all of a person's assets show, at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub(crate) async fn placed_of(
        &self,
        owner_id: Uuid,
        limit: i64,
    ) -> Result<Vec<Placed>, ProjectionError> {
        Ok(sqlx::query_as(placed!("where owner_id = $1 limit $2"))
            .bind(owner_id)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Where some assets show.
    ///
    /// # Errors
    /// What the database said.
    pub(crate) async fn placed(&self, asset_ids: &[Uuid]) -> Result<Vec<Placed>, ProjectionError> {
        Ok(sqlx::query_as(placed!("where asset_id = any($1)"))
            .bind(asset_ids)
            .fetch_all(&self.pool)
            .await?)
    }

    /// The months and how many assets each holds: a sum of kept counts, or counted among the assets that
    /// an album or a tag picks out.
    ///
    /// # Errors
    /// What the database said.
    pub async fn buckets(
        &self,
        filter: &BucketFilter,
    ) -> Result<Vec<BucketCount>, ProjectionError> {
        let mut sql = QueryBuilder::new("select ");
        sql.push(filter.month());
        // What may have been taken away is not counted either.
        let is_counted =
            filter.is_counted() && (filter.is_alone() || !self.is_any_asset_held_up().await?);
        if is_counted {
            sql.push(" as month, sum(shown.count)::bigint as count");
            sql.push(" from read.timeline_counts_v2 as shown");
            filter.push_common(&mut sql);
            sql.push(" group by 1 having sum(shown.count) > 0");
        } else {
            sql.push(" as month, count(*) as count");
            filter.push_rows(&mut sql);
            filter.push_common(&mut sql);
            filter.push_lists(&mut sql);
            sql.push(" group by 1");
        }
        sql.push(" order by 1");
        let mut months: Vec<BucketCount> = sql.build_query_as().fetch_all(&self.pool).await?;
        if !filter.ascending {
            months.reverse();
        }
        Ok(months)
    }

    /// The assets of one month, in the order of the answer: by local day, then by instant.
    ///
    /// # Errors
    /// What the database said.
    pub async fn bucket(
        &self,
        filter: &BucketFilter,
        month: NaiveDate,
    ) -> Result<Vec<Cells>, ProjectionError> {
        self.bucket_among(filter, month, None).await
    }

    /// Of the assets of one month these, and those in a stack with one of them, in the order of the answer.
    ///
    /// # Errors
    /// What the database said.
    pub async fn bucket_of(
        &self,
        filter: &BucketFilter,
        month: NaiveDate,
        asset_ids: &[Uuid],
    ) -> Result<Vec<Cells>, ProjectionError> {
        self.bucket_among(filter, month, Some(asset_ids)).await
    }

    async fn bucket_among(
        &self,
        filter: &BucketFilter,
        month: NaiveDate,
        asset_ids: Option<&[Uuid]>,
    ) -> Result<Vec<Cells>, ProjectionError> {
        let mut sql = QueryBuilder::new(
            "select shown.asset_id, shown.owner_id,
                    coalesce(shown.edited_ratio, shown.ratio) as ratio, shown.visibility,
                    shown.is_trashed, shown.is_video, shown.created_at,
                    coalesce(shown.edited_thumbhash, shown.thumbhash) as thumbhash,
                    shown.taken_at, shown.local_date_time, shown.duration_ms,
                    shown.projection_type, shown.live_photo_video_id, shown.latitude,
                    shown.longitude, shown.city, shown.country, shown.is_favorite and shown.owner_id = ",
        );
        sql.push_bind(filter.viewer_id).push(" as is_favorite");
        if filter.with_stacked {
            // Whose stack it is not does not hear of it.
            sql.push(", stacks.stack_id, stacks.count as stack_count");
            filter.push_rows(&mut sql);
            sql.push(
                " left join read.timeline_stacks_v2 as stacks \
                   on stacks.stack_id = shown.stack_id and shown.owner_id = ",
            );
            sql.push_bind(filter.viewer_id);
        } else {
            sql.push(", null::uuid as stack_id, null::bigint as stack_count");
            filter.push_rows(&mut sql);
        }
        filter.push_common(&mut sql);
        filter.push_lists(&mut sql);
        sql.push(" and ").push(filter.month()).push(" = ").push_bind(month);
        if filter.album_id.is_some() && filter.order_by == BucketOrder::Taken {
            // Both keep the month, so that each finds it by an index of its own.
            sql.push(" and inside.month = ").push_bind(month);
        }
        if let Some(asset_ids) = asset_ids {
            sql.push(" and shown.asset_id in (select unnest(").push_bind(asset_ids);
            sql.push(
                "::uuid[]) union select beside.asset_id
                              from read.timeline_v2 as changed
                              join read.timeline_v2 as beside on beside.stack_id = changed.stack_id
                             where changed.asset_id = any(",
            )
            .push_bind(asset_ids)
            .push("))");
        }
        sql.push(match filter.order_by {
            BucketOrder::Taken => {
                " order by shown.local_date_time::date, shown.taken_at, shown.asset_id"
            }
            BucketOrder::Created => " order by shown.created_at, shown.asset_id",
        });
        let mut cells: Vec<Cells> = sql.build_query_as().fetch_all(&self.pool).await?;
        if !filter.ascending {
            cells.reverse();
        }
        Ok(cells)
    }
}

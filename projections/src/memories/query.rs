//! Questions about memories.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::view::{MemoryRow, OnThisDayAsset};
use crate::error::ProjectionError;
use crate::query::Queries;

/// The first year that photos are looked for in.
const FIRST_YEAR: i32 = 1826;

/// In which order memories are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemoryOrder {
    /// Oldest day first.
    Ascending,
    /// Newest day first.
    #[default]
    Descending,
    /// Another one each time.
    Random,
}

/// Which memories.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryFilter {
    /// Those that show at an instant.
    pub shown_at: Option<DateTime<Utc>>,
    /// Only kept ones, or only others.
    pub is_saved: Option<bool>,
}

impl Queries {
    /// The memories of a list that exist, in no order.
    ///
    /// # Errors
    /// What the database said.
    pub async fn memories(&self, memory_ids: &[Uuid]) -> Result<Vec<MemoryRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.memories_v1 where memory_id = any($1) and not is_deleted",
        )
        .bind(memory_ids)
        .fetch_all(&self.pool)
        .await?)
    }

    /// One memory, when it exists.
    ///
    /// # Errors
    /// What the database said.
    pub async fn memory(&self, memory_id: Uuid) -> Result<Option<MemoryRow>, ProjectionError> {
        Ok(sqlx::query_as("select * from read.memories_v1 where memory_id = $1 and not is_deleted")
            .bind(memory_id)
            .fetch_optional(&self.pool)
            .await?)
    }

    /// A person's memories; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn memories_of(
        &self,
        owner_id: Uuid,
        filter: MemoryFilter,
        order: MemoryOrder,
        limit: i64,
    ) -> Result<Vec<MemoryRow>, ProjectionError> {
        let mut sql = QueryBuilder::new("select * from read.memories_v1");
        push_filter(&mut sql, owner_id, filter);
        sql.push(match order {
            MemoryOrder::Ascending => " order by memory_at, memory_id",
            MemoryOrder::Descending => " order by memory_at desc, memory_id",
            MemoryOrder::Random => " order by random()",
        });
        sql.push(" limit ").push_bind(limit);
        Ok(sql.build_query_as().fetch_all(&self.pool).await?)
    }

    /// How many memories a person has.
    ///
    /// # Errors
    /// What the database said.
    pub async fn count_memories(
        &self,
        owner_id: Uuid,
        filter: MemoryFilter,
    ) -> Result<i64, ProjectionError> {
        let mut sql = QueryBuilder::new("select count(*) from read.memories_v1");
        push_filter(&mut sql, owner_id, filter);
        Ok(sql.build_query_scalar().fetch_one(&self.pool).await?)
    }

    /// Memories made before an instant that nobody kept; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn memories_over(
        &self,
        made_before: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Uuid>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select memory_id from read.memories_v1
              where not is_deleted and not is_saved and created_at < $1
              order by created_at
              limit $2",
        )
        .bind(made_before)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The years whose memory of a person begins to show at an instant, deleted ones included.
    ///
    /// # Errors
    /// What the database said.
    pub async fn memory_years(
        &self,
        owner_id: Uuid,
        show_at: DateTime<Utc>,
    ) -> Result<Vec<i32>, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select year from read.memories_v1 where owner_id = $1 and show_at = $2",
        )
        .bind(owner_id)
        .bind(show_at)
        .fetch_all(&self.pool)
        .await?)
    }

    /// What a person took on this day in earlier years and shows on the timeline: newest year first, in a
    /// year newest first, at most `each_max` of a year.
    ///
    /// # Errors
    /// What the database said.
    pub async fn on_this_day(
        &self,
        owner_id: Uuid,
        day: NaiveDate,
        each_max: i64,
    ) -> Result<Vec<OnThisDayAsset>, ProjectionError> {
        // One month of each year is looked at, by the index that buckets use.
        let months: Vec<NaiveDate> = (FIRST_YEAR..day.year())
            .filter_map(|year| NaiveDate::from_ymd_opt(year, day.month(), 1))
            .collect();
        Ok(sqlx::query_as(
            "select year, asset_id
               from (select extract(year from month)::int as year, asset_id,
                            row_number() over (
                                partition by month
                                order by local_date_time desc, asset_id) as place
                       from read.timeline_v2
                      where owner_id = $1 and month = any($2)
                        and extract(day from local_date_time) = $3::int
                        and visibility = 'timeline' and not is_trashed and thumbhash is not null
                    ) as taken
              where place <= $4
              order by year desc, place",
        )
        .bind(owner_id)
        .bind(&months)
        .bind(i32::try_from(day.day()).unwrap_or_default())
        .bind(each_max)
        .fetch_all(&self.pool)
        .await?)
    }
}

fn push_filter(sql: &mut QueryBuilder<Postgres>, owner_id: Uuid, filter: MemoryFilter) {
    sql.push(" where not is_deleted and owner_id = ").push_bind(owner_id);
    if let Some(is_saved) = filter.is_saved {
        sql.push(" and is_saved = ").push_bind(is_saved);
    }
    if let Some(at) = filter.shown_at {
        sql.push(" and (show_at is null or show_at <= ").push_bind(at);
        sql.push(") and (hide_at is null or hide_at >= ").push_bind(at).push(")");
    }
}

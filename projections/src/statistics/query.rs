//! Questions about counts and bytes.

use std::collections::HashMap;

use uuid::Uuid;

use crate::error::ProjectionError;
use crate::query::Queries;

/// Pictures and films.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AssetCounts {
    /// Pictures.
    pub images: i64,
    /// Films.
    pub videos: i64,
}

/// What one person stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Pictures outside the trash and the hidden ones.
    pub photos: i64,
    /// Films outside the trash and the hidden ones.
    pub videos: i64,
    /// Bytes of pictures.
    pub photos_bytes: i64,
    /// Bytes of films.
    pub videos_bytes: i64,
    /// Bytes of everything, the trash included: what a quota is held against.
    pub total_bytes: i64,
}

/// How many assets of one kind and state a person has, and how large they are.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Sum {
    /// Films, or else pictures.
    pub is_video: bool,
    /// Immich's word for where they show.
    pub visibility: String,
    /// Whether they are favorites.
    pub is_favorite: bool,
    /// Whether they are in the trash.
    pub is_trashed: bool,
    /// How many.
    pub count: i64,
    /// Their originals together.
    pub size_bytes: i64,
}

impl AssetCounts {
    /// The assets in the given places and states, by kind.
    #[must_use]
    pub fn of(
        sums: &[Sum],
        visibilities: &[String],
        is_favorite: Option<bool>,
        is_trashed: Option<bool>,
    ) -> Self {
        let mut counts = Self::default();
        for sum in sums {
            let wanted = visibilities.contains(&sum.visibility)
                && is_favorite.is_none_or(|wanted| wanted == sum.is_favorite)
                && is_trashed.is_none_or(|wanted| wanted == sum.is_trashed);
            match (wanted, sum.is_video) {
                (false, _) => {}
                (true, false) => counts.images += sum.count,
                (true, true) => counts.videos += sum.count,
            }
        }
        counts
    }
}

impl Queries {
    /// What one person stores, by kind and state: a few rows.
    ///
    /// # Errors
    /// What the database said.
    pub async fn sums(&self, owner_id: Uuid) -> Result<Vec<Sum>, ProjectionError> {
        Ok(sqlx::query_as(
            "select is_video, visibility, is_favorite, is_trashed, count, size_bytes
               from read.statistics_v1
              where owner_id = $1",
        )
        .bind(owner_id)
        .fetch_all(&self.pool)
        .await?)
    }

    /// A person's assets by kind, in the given places and states.
    ///
    /// # Errors
    /// What the database said.
    pub async fn asset_counts(
        &self,
        owner_id: Uuid,
        visibilities: &[String],
        is_favorite: Option<bool>,
        is_trashed: Option<bool>,
    ) -> Result<AssetCounts, ProjectionError> {
        let (images, videos): (i64, i64) = sqlx::query_as(
            "select coalesce(sum(count) filter (where not is_video), 0)::bigint,
                    coalesce(sum(count) filter (where is_video), 0)::bigint
               from read.statistics_v1
              where owner_id = $1 and visibility = any($2)
                and ($3::bool is null or is_favorite = $3)
                and ($4::bool is null or is_trashed = $4)",
        )
        .bind(owner_id)
        .bind(visibilities)
        .bind(is_favorite)
        .bind(is_trashed)
        .fetch_one(&self.pool)
        .await?;
        Ok(AssetCounts { images, videos })
    }

    /// What every person stores.
    ///
    /// # Errors
    /// What the database said.
    pub async fn usage(&self) -> Result<HashMap<Uuid, Usage>, ProjectionError> {
        let rows: Vec<(Uuid, i64, i64, i64, i64, i64)> = sqlx::query_as(
            "select owner_id,
                    coalesce(sum(count) filter (where shown and not is_video), 0)::bigint,
                    coalesce(sum(count) filter (where shown and is_video), 0)::bigint,
                    coalesce(sum(size_bytes) filter (where not is_video), 0)::bigint,
                    coalesce(sum(size_bytes) filter (where is_video), 0)::bigint,
                    coalesce(sum(size_bytes), 0)::bigint
               from (select *, not is_trashed and visibility <> 'hidden' as shown
                       from read.statistics_v1) as sums
              group by owner_id",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(owner_id, photos, videos, photos_bytes, videos_bytes, total_bytes)| {
                (owner_id, Usage { photos, videos, photos_bytes, videos_bytes, total_bytes })
            })
            .collect())
    }

    /// The bytes one person stores, the trash included.
    ///
    /// # Errors
    /// What the database said.
    pub async fn usage_bytes(&self, owner_id: Uuid) -> Result<i64, ProjectionError> {
        Ok(sqlx::query_scalar(
            "select coalesce(sum(size_bytes), 0)::bigint from read.statistics_v1 where owner_id = $1",
        )
        .bind(owner_id)
        .fetch_one(&self.pool)
        .await?)
    }
}

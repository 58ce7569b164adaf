//! Questions about libraries and their files.

use sqlx::PgPool;
use uuid::Uuid;

use super::row::{LibraryFile, LibraryRow};
use crate::error::ProjectionError;
use crate::query::Queries;

/// What a library has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct LibraryCounts {
    /// Pictures that show by themselves.
    pub photos: i64,
    /// Films that show by themselves.
    pub videos: i64,
    /// Length of all files in bytes.
    pub usage_bytes: i64,
}

/// The folders of every library that is not deleted, for those who have no more than a database.
///
/// # Errors
/// What the database said.
pub async fn folders(pool: &PgPool) -> Result<Vec<(Uuid, Vec<String>)>, ProjectionError> {
    Ok(sqlx::query_as(
        "select library_id, import_paths from read.libraries_v1
          where not is_deleted order by created_at, library_id",
    )
    .fetch_all(pool)
    .await?)
}

impl Queries {
    /// Every library, oldest first; those that are deleted only when asked for.
    ///
    /// # Errors
    /// What the database said.
    pub async fn libraries(&self, deleted: bool) -> Result<Vec<LibraryRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.libraries_v1 where is_deleted = $1 order by created_at, library_id",
        )
        .bind(deleted)
        .fetch_all(&self.pool)
        .await?)
    }

    /// One library that is not deleted.
    ///
    /// # Errors
    /// What the database said.
    pub async fn library(&self, library_id: Uuid) -> Result<Option<LibraryRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.libraries_v1 where library_id = $1 and not is_deleted",
        )
        .bind(library_id)
        .fetch_optional(&self.pool)
        .await?)
    }

    /// Libraries that are to be scanned, longest waiting first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn libraries_to_scan(&self) -> Result<Vec<LibraryRow>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.libraries_v1
              where not is_deleted and asked > answered order by asked_at, library_id",
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// What a library has.
    ///
    /// # Errors
    /// What the database said.
    pub async fn library_counts(&self, library_id: Uuid) -> Result<LibraryCounts, ProjectionError> {
        Ok(sqlx::query_as(
            "select count(*) filter (where not is_video and not is_hidden) as photos,
                    count(*) filter (where is_video and not is_hidden) as videos,
                    coalesce(sum(size_bytes), 0)::bigint as usage_bytes
               from read.library_assets_v1 where library_id = $1",
        )
        .bind(library_id)
        .fetch_one(&self.pool)
        .await?)
    }

    /// How many assets each library has.
    ///
    /// # Errors
    /// What the database said.
    pub async fn assets_of_libraries(&self) -> Result<Vec<(Uuid, i64)>, ProjectionError> {
        Ok(sqlx::query_as(
            "select library_id, count(*) from read.library_assets_v1 group by library_id",
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// Those files of a library that lie at any of these paths.
    ///
    /// # Errors
    /// What the database said.
    pub async fn library_files_at(
        &self,
        library_id: Uuid,
        paths: &[String],
    ) -> Result<Vec<LibraryFile>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.library_assets_v1 where library_id = $1 and path = any($2)",
        )
        .bind(library_id)
        .bind(paths)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Those files of a library that hold any of these contents; at most `limit`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn library_files_like(
        &self,
        library_id: Uuid,
        blake3: &[String],
        limit: i64,
    ) -> Result<Vec<LibraryFile>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.library_assets_v1
              where library_id = $1 and blake3 = any($2) order by asset_id limit $3",
        )
        .bind(library_id)
        .bind(blake3)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// The files of a library after an asset, in the order of ids.
    ///
    /// # Errors
    /// What the database said.
    pub async fn library_files_after(
        &self,
        library_id: Uuid,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<LibraryFile>, ProjectionError> {
        Ok(sqlx::query_as(
            "select * from read.library_assets_v1
              where library_id = $1 and asset_id > $2 order by asset_id limit $3",
        )
        .bind(library_id)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }
}

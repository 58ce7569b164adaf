//! Questions about the map.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::sql::Sql;
use crate::error::ProjectionError;
use crate::held_up::{held_up, held_up_assets};
use crate::query::Queries;

/// A month's part of somebody's map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Sheet {
    /// First day of the month.
    pub month: NaiveDate,
    /// Located assets in it, archived ones included.
    pub count: i64,
    /// Changes with whatever is told of any of them.
    pub digest: i64,
}

/// An asset on a map.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Marker {
    /// Which month's sheet it is on.
    pub month: NaiveDate,
    /// The asset.
    pub asset_id: Uuid,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// The nearest city.
    pub city: Option<String>,
    /// Its state.
    pub state: Option<String>,
    /// The country.
    pub country: Option<String>,
}

/// Which assets a map shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MarkerFilter {
    /// Archived ones too.
    pub with_archived: bool,
    /// Only favorites, or only others.
    pub is_favorite: Option<bool>,
    /// Taken then or later.
    pub from: Option<DateTime<Utc>>,
    /// Taken then or earlier.
    pub until: Option<DateTime<Utc>>,
}

impl Queries {
    /// The months of a person's map, the newest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn map_sheets(&self, owner_id: Uuid) -> Result<Vec<Sheet>, ProjectionError> {
        sheets(&mut *self.pool.acquire().await?, owner_id).await
    }

    /// The months of a person's map with what stands on those that are not known, both as of one instant:
    /// read apart, a digest could stand for markers that came after it.
    ///
    /// # Errors
    /// What the database said.
    pub async fn map_since(
        &self,
        owner_id: Uuid,
        filter: MarkerFilter,
        is_known: impl Fn(&Sheet) -> bool,
    ) -> Result<(Vec<Sheet>, Vec<Marker>), ProjectionError> {
        let mut tx =
            self.pool.begin_with("begin isolation level repeatable read read only").await?;
        let sheets = sheets(&mut tx, owner_id).await?;
        let unknown: Vec<NaiveDate> =
            sheets.iter().filter(|sheet| !is_known(sheet)).map(|sheet| sheet.month).collect();
        let markers = if unknown.is_empty() {
            Vec::new()
        } else {
            markers(&mut tx, owner_id, &unknown, filter).await?
        };
        tx.commit().await?;
        Ok((sheets, markers))
    }

    /// What stands on these months' sheets, the newest first.
    ///
    /// # Errors
    /// What the database said.
    pub async fn markers(
        &self,
        owner_id: Uuid,
        months: &[NaiveDate],
        filter: MarkerFilter,
    ) -> Result<Vec<Marker>, ProjectionError> {
        markers(&mut *self.pool.acquire().await?, owner_id, months, filter).await
    }

    /// Others' assets in the albums that a person has a part in, the newest first. Of `partners` only those
    /// that their own timelines do not show.
    ///
    /// # Errors
    /// What the database said.
    pub async fn shared_markers(
        &self,
        viewer_id: Uuid,
        partners: &[Uuid],
        filter: MarkerFilter,
    ) -> Result<Vec<Marker>, ProjectionError> {
        let mut sql = Sql::new(concat!(
            "select s.month, s.asset_id, s.latitude, s.longitude, s.city, s.state, s.country
               from (select distinct inside.asset_id
                       from read.album_users_v1 as parts
                       join read.album_users_v1 as owners
                         on owners.album_id = parts.album_id and owners.is_first_owner
                       join read.users_v1 as users
                         on users.user_id = owners.user_id and users.deleted_at is null
                       join read.album_assets_v1 as inside
                         on inside.album_id = parts.album_id and inside.shows
                        and inside.owner_id <> parts.user_id
                      where not ",
            held_up!("album", "parts.album_id"),
            " and parts.user_id = ",
        ));
        sql.push_bind(viewer_id);
        sql.push(
            ") as shared
               join read.search_v1 s using (asset_id)
              where s.latitude is not null and s.longitude is not null and s.trashed_at is null
                and not (s.visibility = 'timeline' and s.owner_id = any(",
        );
        sql.push_bind(partners.to_vec()).push("))");
        push_filter(&mut sql, filter);
        Ok(sql.build_query_as().fetch_all(&self.pool).await?)
    }
}

async fn sheets(db: &mut PgConnection, owner_id: Uuid) -> Result<Vec<Sheet>, ProjectionError> {
    Ok(sqlx::query_as(
        "select month, count, digest
           from read.map_sheets_v1
          where owner_id = $1
          order by month desc",
    )
    .bind(owner_id)
    .fetch_all(db)
    .await?)
}

async fn markers(
    db: &mut PgConnection,
    owner_id: Uuid,
    months: &[NaiveDate],
    filter: MarkerFilter,
) -> Result<Vec<Marker>, ProjectionError> {
    let mut sql = Sql::new(
        "select s.month, s.asset_id, s.latitude, s.longitude, s.city, s.state, s.country
           from read.search_v1 s
          where s.latitude is not null and s.longitude is not null and s.trashed_at is null
            and s.owner_id = ",
    );
    sql.push_bind(owner_id).push(" and s.month = any(").push_bind(months.to_vec());
    sql.push(")");
    push_filter(&mut sql, filter);
    Ok(sql.build_query_as().fetch_all(db).await?)
}

/// Which of the rows `s` are shown, and in which order. A map is looked at by partners too, so what may have been
/// taken away from them is on none until that is settled.
fn push_filter(sql: &mut Sql, filter: MarkerFilter) {
    sql.push(if filter.with_archived {
        " and s.visibility in ('timeline', 'archive')"
    } else {
        " and s.visibility = 'timeline'"
    });
    sql.push(concat!(" and s.asset_id <> all(", held_up_assets!(), ")"));
    if let Some(is_favorite) = filter.is_favorite {
        sql.push(" and s.is_favorite = ").push_bind(is_favorite);
    }
    if let Some(from) = filter.from {
        sql.push(" and s.taken_at >= ").push_bind(from);
    }
    if let Some(until) = filter.until {
        sql.push(" and s.taken_at <= ").push_bind(until);
    }
    sql.push(" order by s.taken_at desc, s.asset_id desc");
}

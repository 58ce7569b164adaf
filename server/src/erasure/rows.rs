//! Which rows are of somebody or something: counted before and after, and removed where no read model does.

use std::collections::BTreeMap;

use calotype_domain::hold::Held;
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

/// Columns that say whose a row is, or of what.
const OF_USER: [&str; 2] = ["owner_id", "user_id"];
const OF_ASSET: [&str; 1] = ["asset_id"];

/// Every asset that an account ever had, the length of its original in bytes, and whether it was deleted for good
/// before the account was deleted last.
const SELECT_ASSETS_EVER: &str = "
    select
        substr(first.stream_id, 7)::uuid,
        coalesce((first.payload -> 'original' ->> 'size_bytes')::bigint, 0),
        exists (
            select from log.events gone
            where gone.stream_id = first.stream_id and gone.type = 'AssetPurged'
                and gone.recorded_at < (
                    select coalesce(max(deleted.recorded_at), 'infinity')
                    from log.events deleted
                    where deleted.stream_id = 'user-' || $1 and deleted.type = 'UserDeleted'))
    from log.events first
    where first.revision = 0 and first.stream_id like 'asset-%'
        and first.payload ->> 'owner_id' = $1";

const SELECT_SESSIONS_EVER: &str = "
    select substr(stream_id, 9)::uuid
    from log.events
    where revision = 0 and stream_id like 'session-%' and payload ->> 'user_id' = $1";

/// What is known of it before it goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Of {
    /// The assets that go with it.
    pub(super) assets: Vec<Uuid>,
    /// Assets that were deleted for good before, and had been its own.
    former: Vec<Uuid>,
    /// The length of their originals, in bytes.
    pub(super) original_bytes: i64,
    /// Its logins.
    pub(super) sessions: Vec<Uuid>,
    /// The films that ever belonged to it, where it is one asset: with the length of their originals in bytes, as far
    /// as that is known still.
    films: Vec<(Uuid, i64)>,
}

impl Of {
    /// Takes in the films that went with it, as the log says.
    pub(super) async fn take_films(&mut self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let ids: Vec<Uuid> = self.films.iter().map(|(film_id, _)| *film_id).collect();
        let gone: Vec<Uuid> = sqlx::query_scalar(
            "select film_id from unnest($1::uuid[]) as films (film_id)
              where exists (select from log.events
                             where stream_id = 'asset-' || film_id and type = 'AssetPurged')",
        )
        .bind(&ids)
        .fetch_all(pool)
        .await?;
        for (film_id, bytes) in std::mem::take(&mut self.films) {
            if gone.contains(&film_id) {
                self.assets.push(film_id);
                self.original_bytes += bytes;
            }
        }
        Ok(())
    }

    /// Takes in the assets and logins of an account as the log has them: their rows may be gone since a former try,
    /// and rows of work stand there still.
    pub(super) async fn take_former(
        &mut self,
        pool: &PgPool,
        user_id: Uuid,
    ) -> Result<(), sqlx::Error> {
        let assets: Vec<(Uuid, i64, bool)> =
            sqlx::query_as(SELECT_ASSETS_EVER).bind(user_id.to_string()).fetch_all(pool).await?;
        for (asset_id, bytes, went_before) in assets {
            if went_before {
                self.former.push(asset_id);
            } else if !self.assets.contains(&asset_id) {
                self.assets.push(asset_id);
                self.original_bytes += bytes;
            }
        }
        let sessions: Vec<Uuid> = sqlx::query_scalar(SELECT_SESSIONS_EVER)
            .bind(user_id.to_string())
            .fetch_all(pool)
            .await?;
        self.sessions.extend(sessions);
        Ok(())
    }

    /// Its assets, and those that went before.
    fn all_assets(&self) -> Vec<Uuid> {
        self.assets.iter().chain(&self.former).copied().collect()
    }

    /// The streams of its assets, and its own.
    fn streams(&self, erased: Held) -> Vec<String> {
        let of_asset =
            |id: &Uuid| ["asset", "asset_trial", "faces"].map(|kind| format!("{kind}-{id}"));
        let mut streams: Vec<String> = self.all_assets().iter().flat_map(of_asset).collect();
        streams.push(format!("{}-{}", erased.kind(), erased.id()));
        streams
    }
}

/// A read model of this release for which an event of it waits, so that its rows are there still; none where all of
/// them have heard of everything. Of somebody, streams that hold something under their key count, too.
pub(super) async fn held_up_by(
    pool: &PgPool,
    erased: Held,
    of: &Of,
    names: &[String],
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select parked.name from work.parked
          where parked.kind = 'projection' and parked.name = any($1)
            and (parked.stream_id = any($2) or exists (
                select from log.events
                 where events.stream_id = parked.stream_id and events.subject = any($2))
              or exists (
                -- Of assets whose rows went before: whose one was is told by its first event.
                select from log.events
                 where events.stream_id =
                       'asset-' || substr(parked.stream_id, strpos(parked.stream_id, '-') + 1)
                   and events.revision = 0 and events.payload ->> 'owner_id' = $3))
          order by parked.name
          limit 1",
    )
    .bind(names)
    .bind(of.streams(erased))
    .bind(erased.id().to_string())
    .fetch_optional(pool)
    .await
}

/// The films that ever belonged to an asset, with the length of their originals where that is known still.
async fn films_of(pool: &PgPool, asset_id: Uuid) -> Result<Vec<(Uuid, i64)>, sqlx::Error> {
    sqlx::query_as(
        "select distinct films.film_id, coalesce(assets.size_bytes, 0)
           from (
                select coalesce(payload ->> 'film_id', payload ->> 'live_photo_video_id')::uuid
                  from log.events
                 where stream_id = 'asset-' || $1 and type in ('AssetFilmLinked', 'AssetUploaded')
           ) as films (film_id)
           left join read.assets_v1 as assets on assets.asset_id = films.film_id
          where films.film_id is not null",
    )
    .bind(asset_id)
    .fetch_all(pool)
    .await
}

/// What is known of it.
pub(super) async fn gather(pool: &PgPool, erased: Held) -> Result<Of, sqlx::Error> {
    let column = match erased {
        Held::Asset(_) => "asset_id",
        Held::User(_) => "owner_id",
    };
    let statement = format!("select asset_id, size_bytes from read.assets_v1 where {column} = $1");
    let rows: Vec<(Uuid, i64)> =
        sqlx::query_as(AssertSqlSafe(statement)).bind(erased.id()).fetch_all(pool).await?;
    let sessions = match erased {
        Held::Asset(_) => Vec::new(),
        Held::User(user_id) => {
            sqlx::query_scalar("select session_id from read.sessions_v2 where user_id = $1")
                .bind(user_id.uuid())
                .fetch_all(pool)
                .await?
        }
    };
    let films = match erased {
        Held::Asset(asset_id) => films_of(pool, asset_id.uuid()).await?,
        Held::User(_) => Vec::new(),
    };
    let original_bytes = rows.iter().map(|(_, bytes)| bytes).sum();
    let mut assets: Vec<Uuid> = rows.into_iter().map(|(id, _)| id).collect();
    // Its row may be gone since a former try.
    let own = matches!(erased, Held::Asset(_)).then(|| erased.id());
    let own = own.filter(|id| !assets.contains(id));
    assets.extend(own);
    Ok(Of { assets, former: Vec::new(), original_bytes, sessions, films })
}

/// How many rows of which table are of it, and of the films that went with it; tables without any are left out.
pub(super) async fn count(
    pool: &PgPool,
    erased: Held,
    of: &Of,
) -> Result<BTreeMap<String, i64>, sqlx::Error> {
    let (columns, mut ids): (&[&str], _) = match erased {
        Held::Asset(_) => (&OF_ASSET, of.assets.clone()),
        Held::User(_) => (&OF_USER, Vec::new()),
    };
    ids.push(erased.id());
    let found: Vec<(String, String)> = sqlx::query_as(
        "select format('%I.%I', c.table_schema, c.table_name), c.column_name::text
           from information_schema.columns c
           join pg_tables t on t.schemaname = c.table_schema and t.tablename = c.table_name
          where c.table_schema in ('read', 'read_next', 'read_prev') and c.column_name = any($1)
            and c.data_type = 'uuid'",
    )
    .bind(columns)
    .fetch_all(pool)
    .await?;
    let mut counts = BTreeMap::new();
    for (table, column) in found {
        let statement = format!("select count(*) from {table} where {column} = any($1)");
        let count: i64 =
            sqlx::query_scalar(AssertSqlSafe(statement)).bind(&ids).fetch_one(pool).await?;
        if count > 0 {
            *counts.entry(table).or_default() += count;
        }
    }
    Ok(counts)
}

/// Removes what stands in tables of work, which no event empties.
pub(super) async fn remove_work(pool: &PgPool, erased: Held, of: &Of) -> Result<u64, sqlx::Error> {
    let owners: Vec<Uuid> = match erased {
        Held::User(user_id) => vec![user_id.uuid()],
        Held::Asset(_) => Vec::new(),
    };
    let (mut removed, assets) = (0, of.all_assets());
    let by_stream = "delete from work.parked where stream_id = any($1)";
    removed += sqlx::query(by_stream).bind(of.streams(erased)).execute(pool).await?.rows_affected();
    for (statement, ids) in [
        ("delete from work.integrity_findings where asset_id = any($1)", &assets),
        ("delete from work.original_wishes where asset_id = any($1)", &assets),
        ("delete from work.original_places where asset_id = any($1)", &assets),
        ("delete from work.model_failures where asset_id = any($1)", &assets),
        ("delete from work.model_proposals where asset_id = any($1)", &assets),
        ("delete from work.model_people where owner_id = any($1)", &owners),
        ("delete from work.uploads where owner_id = any($1)", &owners),
        ("delete from work.batch_files where owner_id = any($1)", &owners),
        ("delete from work.sync_acks where session_id = any($1)", &of.sessions),
        ("delete from work.session_uses where session_id = any($1)", &of.sessions),
    ] {
        removed += sqlx::query(statement).bind(ids).execute(pool).await?.rows_affected();
    }
    Ok(removed)
}

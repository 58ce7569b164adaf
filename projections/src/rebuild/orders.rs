//! What administrators order: begin, pause, resume, slow down, give up.

use sqlx::{PgConnection, PgPool};

use super::named;
use super::record::{self, Record, State, Wish};
use super::tables::{self, Place, execute};
use crate::error::ProjectionError;
use crate::projection::{Projection, checkpoint_name};

/// How long an order waits for a batch that is applied now, and for whoever compares.
const LOCK_WAIT: &str = "set local lock_timeout = '20s'";

/// Begins a rebuild, a diff or a rollback; who works on rebuilds takes it up.
///
/// # Errors
/// [`ProjectionError::UnknownProjection`], [`ProjectionError::UnderWay`] where one is, and for a rollback
/// [`ProjectionError::NothingBuilt`] and [`ProjectionError::OtherShape`].
pub async fn start(
    pool: &PgPool,
    name: &str,
    wish: Wish,
    events_per_second_max: Option<u32>,
) -> Result<(), ProjectionError> {
    let projection = named(name)?;
    let checkpoint = checkpoint_name(&*projection);
    let mut tx = pool.begin().await?;
    execute(&mut tx, LOCK_WAIT.to_owned()).await?;
    // Two who begin at once wait for each other here.
    sqlx::query(
        "insert into work.rebuilds (name, tables, wish, state, stage, position, stopped_at)
         values ($1, $2, 'rebuild', 'discarded', 'filling', 0, now())
         on conflict (name) do nothing",
    )
    .bind(&checkpoint)
    .bind(projection.tables())
    .execute(&mut *tx)
    .await?;
    let known = known_in_tx(&mut tx, &checkpoint, name).await?;
    if known.state().is_under_way() {
        return Err(ProjectionError::UnderWay {
            name: name.to_owned(),
            state: known.state().as_str(),
        });
    }
    let position = if wish == Wish::Rollback {
        take_back_in_tx(&mut tx, &*projection, &known).await?
    } else {
        tables::begin_in_tx(&mut tx, &*projection).await?;
        0
    };
    sqlx::query(
        "update work.rebuilds
            set tables = $2, wish = $3, state = 'running', stage = 'filling', position = $4, events = 0,
                events_per_second_max = $5, began_at = clock_timestamp(), resumed_at = clock_timestamp(),
                resumed_events = 0, stopped_at = null, failure = null, comparison = null, examples = null,
                previous_position = case when $3 = 'rollback' then null else previous_position end,
                previous_since = case when $3 = 'rollback' then null else previous_since end
          where name = $1",
    )
    .bind(&checkpoint)
    .bind(projection.tables())
    .bind(wish.as_str())
    .bind(position)
    .bind(events_per_second_max.map(|rate| i32::try_from(rate).unwrap_or(i32::MAX)))
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// The generation that was live before becomes the next one again; says where it stands.
async fn take_back_in_tx(
    tx: &mut PgConnection,
    projection: &dyn Projection,
    known: &Record,
) -> Result<i64, ProjectionError> {
    let name = || projection.name().to_owned();
    let Some(position) = known.previous_position else {
        return Err(ProjectionError::NothingBuilt { name: name() });
    };
    if !tables::is_shaped_like_live(tx, projection, Place::Previous).await? {
        return Err(ProjectionError::OtherShape { name: name() });
    }
    tables::drop_in_tx(tx, Place::Next, projection.tables()).await?;
    tables::move_in_tx(tx, projection, Place::Previous, Place::Next).await?;
    Ok(position)
}

/// Pauses or resumes a rebuild, or says how fast it may be; nothing changes where it is not under way.
///
/// `events_per_second_max`: `Some(None)` takes the limit away.
///
/// # Errors
/// [`ProjectionError::UnknownProjection`], [`ProjectionError::NotUnderWay`].
pub async fn change(
    pool: &PgPool,
    name: &str,
    is_paused: Option<bool>,
    events_per_second_max: Option<Option<u32>>,
) -> Result<(), ProjectionError> {
    let checkpoint = checkpoint_name(&*named(name)?);
    let mut tx = pool.begin().await?;
    execute(&mut tx, LOCK_WAIT.to_owned()).await?;
    let known = record::lock_in_tx(&mut tx, &checkpoint).await?;
    let Some(known) = known.filter(|known| known.state().is_under_way()) else {
        return Err(ProjectionError::NotUnderWay { name: name.to_owned() });
    };
    if let Some(limit) = events_per_second_max {
        sqlx::query(
            "update work.rebuilds
                set events_per_second_max = $2, resumed_at = clock_timestamp(), resumed_events = events
              where name = $1",
        )
        .bind(&checkpoint)
        .bind(limit.map(|rate| i32::try_from(rate).unwrap_or(i32::MAX)))
        .execute(&mut *tx)
        .await?;
    }
    match (is_paused, known.state()) {
        (Some(true), State::Running) => {
            sqlx::query(
                "update work.rebuilds set state = 'paused', stopped_at = clock_timestamp() where name = $1",
            )
            .bind(&checkpoint)
            .execute(&mut *tx)
            .await?;
        }
        (Some(false), State::Paused | State::Failed) => {
            sqlx::query(
                "update work.rebuilds
                    set state = 'running', stopped_at = null, failure = null,
                        resumed_at = clock_timestamp(), resumed_events = events
                  where name = $1",
            )
            .bind(&checkpoint)
            .execute(&mut *tx)
            .await?;
        }
        _ => {}
    }
    tx.commit().await?;
    Ok(())
}

/// Gives up what is under way, or else the generation that was live before the last switch. A rollback that is
/// given up leaves that generation where it was.
///
/// # Errors
/// [`ProjectionError::UnknownProjection`], [`ProjectionError::NothingBuilt`].
pub async fn discard(pool: &PgPool, name: &str) -> Result<(), ProjectionError> {
    let projection = named(name)?;
    let checkpoint = checkpoint_name(&*projection);
    let mut tx = pool.begin().await?;
    execute(&mut tx, LOCK_WAIT.to_owned()).await?;
    let known = known_in_tx(&mut tx, &checkpoint, name).await?;
    if known.state().is_under_way() {
        let is_rollback = known.wish() == Wish::Rollback;
        if is_rollback {
            tables::move_in_tx(&mut tx, &*projection, Place::Next, Place::Previous).await?;
        } else {
            tables::drop_in_tx(&mut tx, Place::Next, projection.tables()).await?;
        }
        sqlx::query(
            "update work.rebuilds
                set state = 'discarded', stopped_at = clock_timestamp(), examples = null,
                    previous_position = case when $2 then position else previous_position end,
                    previous_since = case when $2 then now() else previous_since end
              where name = $1",
        )
        .bind(&checkpoint)
        .bind(is_rollback)
        .execute(&mut *tx)
        .await?;
    } else if known.previous_position.is_some() {
        drop_previous_in_tx(&mut tx, &known).await?;
    } else {
        return Err(ProjectionError::NothingBuilt { name: name.to_owned() });
    }
    tx.commit().await?;
    Ok(())
}

/// Drops the generation that was live before the last switch.
pub(super) async fn drop_previous_in_tx(
    tx: &mut PgConnection,
    known: &Record,
) -> Result<(), ProjectionError> {
    tables::drop_in_tx(tx, Place::Previous, &known.tables).await?;
    sqlx::query(
        "update work.rebuilds set previous_position = null, previous_since = null where name = $1",
    )
    .bind(&known.name)
    .execute(tx)
    .await?;
    Ok(())
}

async fn known_in_tx(
    tx: &mut PgConnection,
    checkpoint: &str,
    name: &str,
) -> Result<Record, ProjectionError> {
    record::lock_in_tx(tx, checkpoint)
        .await?
        .ok_or_else(|| ProjectionError::NothingBuilt { name: name.to_owned() })
}

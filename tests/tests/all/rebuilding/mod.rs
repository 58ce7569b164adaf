//! Read models are made anew beside the live ones, while traffic goes on (docs/adr/0024).

mod generations;
mod online;
mod served;
mod stopped;
mod together;

use anyhow::{Context as _, ensure};
use calotype_projections::rebuild::{Rebuild, State};
use calotype_tests::walk::World;
use sqlx::PgPool;

/// Tables in the schema of generations that grow, or that were live.
async fn tables_in(pool: &PgPool, schema: &str) -> anyhow::Result<Vec<String>> {
    let select = "select tablename::text from pg_tables where schemaname = $1 order by 1";
    Ok(sqlx::query_scalar(select).bind(schema).fetch_all(pool).await?)
}

/// How the last rebuild of a projection is.
async fn state_of(world: &World, name: &str) -> anyhow::Result<Rebuild> {
    world.queries().rebuild_of(name).await?.with_context(|| format!("{name} was never rebuilt"))
}

/// Works until nothing is to be done, and says what came of it.
async fn finished(world: &World, name: &str) -> anyhow::Result<Rebuild> {
    world.queries().rebuilder().work().await?;
    let rebuild = state_of(world, name).await?;
    ensure!(rebuild.state == State::Done, "{rebuild:?}");
    Ok(rebuild)
}

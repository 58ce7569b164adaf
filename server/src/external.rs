//! Somebody else's PostgreSQL: the role that serves there.
//!
//! The user of the address owns the tables, so it could change the log. The server therefore lays its rights
//! down as it connects, and keeps those of `calotype_app`, which may only append to the log.

use anyhow::Context as _;
use sqlx::{Connection as _, PgConnection};
use tracing::warn;

/// The role that migrations grant to what serving needs.
const APP: &str = "calotype_app";

/// The address to serve from: the owner's, told to act as `calotype_app` where that can be.
///
/// # Errors
/// When the database cannot be reached.
pub(crate) async fn app_url(owner_url: &str) -> anyhow::Result<String> {
    let mut owner =
        PgConnection::connect(owner_url).await.context("failed to reach the database")?;
    let can_serve = can_serve_as_app(&mut owner).await;
    owner.close().await.ok();
    match can_serve {
        Ok(true) => Ok(acting_as(APP, owner_url)),
        Ok(false) => {
            warn!("the tables were made without the role {APP}: the server could change the log");
            Ok(owner_url.to_owned())
        }
        Err(error) => {
            // Not the address: it has a password.
            let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default();
            warn!(%code, "the database's user cannot make the role {APP}: the server could change the log");
            Ok(owner_url.to_owned())
        }
    }
}

/// Makes the role where it is missing. False where there are tables already that were made without it.
async fn can_serve_as_app(owner: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let exists: bool =
        sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
            .bind(APP)
            .fetch_one(&mut *owner)
            .await?;
    if !exists {
        sqlx::query("create role calotype_app nologin").execute(&mut *owner).await?;
    }
    if sqlx::query("set role calotype_app").execute(&mut *owner).await.is_err() {
        // Whoever makes a role may hand it out, also to themselves.
        sqlx::query("grant calotype_app to current_user").execute(&mut *owner).await?;
        sqlx::query("set role calotype_app").execute(&mut *owner).await?;
    }
    sqlx::query_scalar(
        "select to_regnamespace('log') is null or has_schema_privilege(to_regnamespace('log'), 'usage')",
    )
    .fetch_one(owner)
    .await
}

/// The address with `-c role=...`, beside options that are there already.
fn acting_as(role: &str, url: &str) -> String {
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}options=-c%20role%3D{role}")
}

#[cfg(test)]
mod tests {
    use calotype_eventstore::testing::empty_database;

    use super::*;

    #[tokio::test]
    async fn server_may_append_to_the_log_and_not_change_it() {
        let database = empty_database().await;
        let url = app_url(&database.url).await.unwrap();
        crate::wiring::migrate(&database.url).await.unwrap();
        // Asked again, as at each start.
        assert_eq!(app_url(&database.url).await.unwrap(), url);
        let mut server = PgConnection::connect(&url).await.unwrap();
        sqlx::query("select * from log.events").execute(&mut server).await.unwrap();
        for change in
            ["update log.events set version = 2", "delete from log.events", "truncate log.events"]
        {
            let error = sqlx::query(change).execute(&mut server).await.unwrap_err();
            let code = error.as_database_error().and_then(|error| error.code()).unwrap();
            assert_eq!(code, "42501", "{change}");
        }
    }
}

//! Product keys that people entered.

use std::collections::HashMap;

use async_trait::async_trait;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::user::UserEvent;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::config::EnteredLicense;
use crate::error::ProjectionError;
use crate::event::Event;
use crate::fold::{Fold, fold_own_in_tx, fold_sql};
use crate::projection::Projection;
use crate::query::Queries;

/// Keeps `user_licenses_v1`.
pub struct LicensesProjection;

#[async_trait]
impl Projection for LicensesProjection {
    fn name(&self) -> &'static str {
        "licenses"
    }

    fn version(&self) -> u16 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["user_licenses_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["user"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        fold_own_in_tx::<Licenses>(tx, events, concerns).await.map(drop)
    }
}

fn concerns(event: &Event) -> bool {
    matches!(
        event.what,
        AnyEvent::User(
            UserEvent::LicenseEntered(_) | UserEvent::LicenseRemoved(_) | UserEvent::Purged(_)
        )
    )
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
struct LicenseRow {
    user_id: Uuid,
    revision: i64,
    license_key: String,
    activation_key: String,
    activated_at: DateTime<Utc>,
}

struct Licenses;

impl Fold for Licenses {
    fold_sql!("user_licenses_v1", "user_id");
    type Row = LicenseRow;

    fn key(row: &LicenseRow) -> Uuid {
        row.user_id
    }

    fn revision(row: &LicenseRow) -> i64 {
        row.revision
    }

    fn evolve(row: Option<LicenseRow>, event: &Event) -> Option<LicenseRow> {
        match &event.what {
            AnyEvent::User(UserEvent::LicenseEntered(entered)) => {
                let license = entered.license.known()?;
                Some(LicenseRow {
                    user_id: event.key,
                    revision: event.revision,
                    license_key: license.license_key.clone(),
                    activation_key: license.activation_key.clone(),
                    activated_at: event.recorded_at,
                })
            }
            AnyEvent::User(UserEvent::LicenseRemoved(_) | UserEvent::Purged(_)) => None,
            _ => row,
        }
    }
}

impl Queries {
    /// The product keys of these accounts; those without one are left out.
    ///
    /// # Errors
    /// What the database said.
    pub async fn licenses(
        &self,
        user_ids: &[Uuid],
    ) -> Result<HashMap<Uuid, EnteredLicense>, ProjectionError> {
        let rows: Vec<LicenseRow> =
            sqlx::query_as("select * from read.user_licenses_v1 where user_id = any($1)")
                .bind(user_ids)
                .fetch_all(&self.pool)
                .await?;
        let entered = rows.into_iter().map(|row| {
            let LicenseRow { user_id, license_key, activation_key, activated_at, .. } = row;
            (user_id, EnteredLicense { license_key, activation_key, activated_at })
        });
        Ok(entered.collect())
    }
}

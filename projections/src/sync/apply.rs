//! Events to the change log.

use async_trait::async_trait;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::user::UserEvent;
use sqlx::PgConnection;

use super::assets::Assets;
use super::change;
use super::kind::{EVERYBODY, Kind};
use super::ledger::{Key, Ledger};
use crate::error::ProjectionError;
use crate::event::Event;
use crate::projection::Projection;

/// The version of the change log. Phones that acknowledged changes of another version start anew.
pub const VERSION: u16 = 1;
/// The documents about an account.
const USER_DOCUMENTS: [&str; 2] = ["onboarding", "preferences"];

/// Keeps the `sync_*_v1` tables.
pub struct SyncProjection;

#[async_trait]
impl Projection for SyncProjection {
    fn name(&self) -> &'static str {
        "sync"
    }

    fn version(&self) -> u16 {
        VERSION
    }

    fn tables(&self) -> &'static [&'static str] {
        &["sync_assets_v1", "sync_rows_v1", "sync_gone_v1", "sync_heads_v1"]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["asset", "user"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        let mut assets = Assets::load_in_tx(tx, events).await?;
        let mut keys = assets.keys(events);
        keys.extend(events.iter().flat_map(|event| user_keys(event)));
        let mut ledger = Ledger::load_in_tx(tx, keys).await?;
        for event in events {
            match &event.what {
                AnyEvent::Asset(what) => assets.apply(event, what, &mut ledger),
                AnyEvent::User(what) => apply_user(event, what, &mut ledger),
                _ => {}
            }
        }
        assets.store_in_tx(tx).await?;
        ledger.store_in_tx(tx).await
    }
}

fn user_keys(event: &Event) -> Vec<Key> {
    if !matches!(event.what, AnyEvent::User(_)) {
        return Vec::new();
    }
    let documents = USER_DOCUMENTS
        .into_iter()
        .map(|document| Key::with_part(Kind::UserMetadata, event.key, document));
    [Key::new(Kind::User, event.key), Key::new(Kind::AuthUser, event.key)]
        .into_iter()
        .chain(documents)
        .collect()
}

fn apply_user(event: &Event, what: &UserEvent, ledger: &mut Ledger) {
    let number = change(event.position.get(), 0);
    let seen = Key::new(Kind::User, event.key);
    let own = Key::new(Kind::AuthUser, event.key);
    let document = |name: &str| Key::with_part(Kind::UserMetadata, event.key, name);
    match what {
        UserEvent::Registered(_)
        | UserEvent::Renamed(_)
        | UserEvent::EmailChanged(_)
        | UserEvent::AvatarColorChanged(_)
        | UserEvent::ProfileImageChanged(_)
        | UserEvent::ProfileImageRemoved(_)
        | UserEvent::Deleted(_)
        | UserEvent::Restored(_) => {
            ledger.live(&seen, EVERYBODY, number);
            ledger.live(&own, event.key, number);
        }
        UserEvent::AdminGranted(_)
        | UserEvent::AdminRevoked(_)
        | UserEvent::QuotaChanged(_)
        | UserEvent::StorageLabelChanged(_) => ledger.live(&own, event.key, number),
        UserEvent::PreferencesChanged(_) => {
            ledger.live(&document("preferences"), event.key, number);
        }
        UserEvent::Onboarded(_) | UserEvent::OnboardingReset(_) => {
            ledger.live(&document("onboarding"), event.key, number);
        }
        UserEvent::Purged(_) => {
            ledger.gone(&seen, number, event.recorded_at);
            ledger.vanish(&own);
            for name in USER_DOCUMENTS {
                ledger.vanish(&document(name));
            }
        }
        UserEvent::PasswordChanged(_)
        | UserEvent::PasswordChangeRequired(_)
        | UserEvent::PinSet(_)
        | UserEvent::LicenseEntered(_)
        | UserEvent::LicenseRemoved(_)
        | UserEvent::PinRemoved(_) => {}
    }
}

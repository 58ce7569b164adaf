//! Events to the change log.

use async_trait::async_trait;
use calotype_domain::album::AlbumEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::user::UserEvent;
use sqlx::PgConnection;

use super::album_assets::AlbumAssets;
use super::alone::stands_alone;
use super::assets::Assets;
use super::change;
use super::kind::{EVERYBODY, Kind};
use super::ledger::{Key, Ledger, Wanted};
use super::shares::{self, Shares};
use super::{alone, edits, organized, people, texts};
use crate::error::ProjectionError;
use crate::event::Event;
use crate::projection::Projection;

/// The version of the change log. Phones that acknowledged changes of another version start anew.
pub const VERSION: u16 = 2;
/// The documents about an account.
const USER_DOCUMENTS: [&str; 2] = ["onboarding", "preferences"];

/// Keeps the `sync_*_v2` tables.
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
        &[
            "sync_assets_v2",
            "sync_shares_v2",
            "sync_album_assets_v2",
            "sync_rows_v2",
            "sync_gone_v2",
            "sync_heads_v2",
        ]
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &["album", "asset", "faces", "memory", "partner", "person", "stack", "user"]
    }

    async fn apply_in_tx(
        &self,
        tx: &mut PgConnection,
        events: &[&Event],
    ) -> Result<(), ProjectionError> {
        for part in events.chunk_by(|one, next| !stands_alone(one) && !stands_alone(next)) {
            if let [event] = part {
                alone::before_in_tx(tx, event).await?;
            }
            apply_part_in_tx(tx, part).await?;
            if let [event] = part {
                alone::after_in_tx(tx, event).await?;
            }
        }
        Ok(())
    }
}

async fn apply_part_in_tx(tx: &mut PgConnection, events: &[&Event]) -> Result<(), ProjectionError> {
    let mut assets = Assets::load_in_tx(tx, events).await?;
    let mut in_albums = AlbumAssets::load_in_tx(tx, events).await?;
    let mut sources = shares::sources(events);
    sources.extend(in_albums.albums());
    let mut shares = Shares::load_in_tx(tx, &sources).await?;
    let mut wanted = Wanted { keys: assets.keys(events), ..Wanted::default() };
    wanted.keys.extend(in_albums.keys(events));
    wanted.keys.extend(shares.keys(events));
    wanted.keys.extend(events.iter().flat_map(|event| user_keys(event)));
    organized::want(events, &mut wanted);
    people::want(events, &mut wanted);
    edits::want(events, &mut wanted);
    texts::want(events, &mut wanted);
    let mut ledger = Ledger::load_in_tx(tx, wanted).await?;
    for event in events {
        match &event.what {
            AnyEvent::Asset(what) => {
                organized::apply_asset(event, what, assets.owner(event.key), &mut ledger);
                edits::apply(event, what, assets.owner(event.key), &mut ledger);
                texts::apply(event, what, assets.owner(event.key), &mut ledger);
                if let Some(moved) = assets.apply(event, what, &mut ledger) {
                    for (album_id, number) in in_albums.follow(event, moved, &mut ledger) {
                        shares.touch_album(album_id, number, &mut ledger);
                    }
                }
            }
            AnyEvent::Album(what) => {
                shares.apply_album(event, what, &mut ledger);
                in_albums.apply(event, what, |id| assets.is_in_albums(id), &mut ledger);
                if let AlbumEvent::AssetsRemoved(removed) = what {
                    for (place, asset_id) in removed.asset_ids.iter().enumerate() {
                        let number = change(event.position.get(), place);
                        assets.left_album(asset_id.uuid(), number, &mut ledger);
                    }
                }
            }
            AnyEvent::Partner(what) => shares.apply_partner(event, what, &mut ledger),
            AnyEvent::User(what) => apply_user(event, what, &mut ledger),
            AnyEvent::Stack(what) => organized::apply_stack(event, what, &mut ledger),
            AnyEvent::Memory(what) => organized::apply_memory(event, what, &mut ledger),
            AnyEvent::Person(what) => people::apply_person(event, what, &mut ledger),
            AnyEvent::Faces(what) => {
                if let Some(owner_id) = assets.owner(event.key) {
                    people::apply_faces(event, what, owner_id, &mut ledger);
                }
            }
            _ => {}
        }
    }
    assets.store_in_tx(tx).await?;
    in_albums.store_in_tx(tx).await?;
    shares.store_in_tx(tx).await?;
    ledger.store_in_tx(tx).await
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
        UserEvent::PreferencesChanged(_) | UserEvent::PreferencesReverted(_) => {
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

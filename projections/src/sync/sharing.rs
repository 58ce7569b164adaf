//! Events of albums and of sharings between two people: who hears of what since when, and of what no more.

use calotype_domain::album::AlbumEvent;
use calotype_domain::partner::PartnerEvent;
use uuid::Uuid;

use super::change;
use super::kind::Kind;
use super::ledger::{Key, Ledger};
use super::shares::{ALBUM, PARTNER, Share, Shares};
use crate::event::Event;

impl Shares {
    /// The members of an album, in the order of their ids.
    fn members(&self, album_id: Uuid) -> Vec<Uuid> {
        self.after
            .range((album_id, Uuid::nil())..=(album_id, Uuid::max()))
            .map(|((_, user_id), _)| *user_id)
            .collect()
    }

    /// The album looks different to all its members.
    pub(super) fn touch_album(&self, album_id: Uuid, number: i64, ledger: &mut Ledger) {
        for user_id in self.members(album_id) {
            ledger.live(&album_key(album_id, user_id), user_id, number);
        }
    }

    /// Takes in one event of an album; says whether the album is gone.
    pub(super) fn apply_album(&mut self, event: &Event, what: &AlbumEvent, ledger: &mut Ledger) {
        let number = change(event.position.get(), 0);
        let album_id = event.key;
        match what {
            AlbumEvent::Created(created) => {
                self.add_member(album_id, created.owner_id.uuid(), number, ledger);
            }
            AlbumEvent::Restored(restored) => {
                self.add_member(album_id, restored.owner_id.uuid(), number, ledger);
            }
            AlbumEvent::UserAdded(added) => {
                self.add_member(album_id, added.user_id.uuid(), number, ledger);
                self.touch_album(album_id, number, ledger);
            }
            AlbumEvent::UserRoleChanged(changed) => {
                let user_id = changed.user_id.uuid();
                if self.after.contains_key(&(album_id, user_id)) {
                    ledger.live(&member_key(album_id, user_id), album_id, number);
                }
                self.touch_album(album_id, number, ledger);
            }
            AlbumEvent::UserRemoved(removed) => {
                let user_id = removed.user_id.uuid();
                if self.take((album_id, user_id), number).is_some() {
                    let at = event.recorded_at;
                    ledger.gone_from(&album_key(album_id, user_id), user_id, number, at);
                    ledger.gone_from(&member_key(album_id, user_id), album_id, number, at);
                }
                self.touch_album(album_id, number, ledger);
            }
            AlbumEvent::Deleted(_) => {
                for user_id in self.members(album_id) {
                    if self.take((album_id, user_id), number).is_some() {
                        let key = album_key(album_id, user_id);
                        ledger.gone_from(&key, user_id, number, event.recorded_at);
                        ledger.vanish(&member_key(album_id, user_id));
                    }
                }
            }
            AlbumEvent::Purged(_) => {}
            AlbumEvent::Renamed(_)
            | AlbumEvent::CoverReset(_)
            | AlbumEvent::DescriptionChanged(_)
            | AlbumEvent::OrderChanged(_)
            | AlbumEvent::CoverChosen(_)
            | AlbumEvent::ActivityEnabled(_)
            | AlbumEvent::ActivityDisabled(_)
            | AlbumEvent::AssetsAdded(_)
            | AlbumEvent::AssetsRemoved(_) => self.touch_album(album_id, number, ledger),
        }
    }

    fn add_member(&mut self, album_id: Uuid, user_id: Uuid, number: i64, ledger: &mut Ledger) {
        let share = Share { kind: ALBUM, scope: album_id, since: number };
        if self.put((album_id, user_id), share) {
            ledger.live(&album_key(album_id, user_id), user_id, number);
            ledger.live(&member_key(album_id, user_id), album_id, number);
        }
    }

    /// Takes in one event of a sharing between two people.
    pub(super) fn apply_partner(
        &mut self,
        event: &Event,
        what: &PartnerEvent,
        ledger: &mut Ledger,
    ) {
        let number = change(event.position.get(), 0);
        match what {
            PartnerEvent::Added(added) => {
                let (by, with) = (added.shared_by_id.uuid(), added.shared_with_id.uuid());
                let share = Share { kind: PARTNER, scope: by, since: number };
                if self.put((event.key, with), share) {
                    for key in partner_keys(by, with) {
                        ledger.live(&key, key.id, number);
                    }
                }
            }
            PartnerEvent::Restored(restored) => {
                let (by, with) = (restored.shared_by_id.uuid(), restored.shared_with_id.uuid());
                let share = Share { kind: PARTNER, scope: by, since: number };
                if self.put((event.key, with), share) {
                    for key in partner_keys(by, with) {
                        ledger.live(&key, key.id, number);
                    }
                }
            }
            PartnerEvent::TimelineChanged(_) => {
                if let Some((by, with)) = self.between(event.key) {
                    for key in partner_keys(by, with) {
                        ledger.live(&key, key.id, number);
                    }
                }
            }
            PartnerEvent::Removed(_) => {
                if let Some((by, with)) = self.between(event.key)
                    && self.take((event.key, with), number).is_some()
                {
                    for key in partner_keys(by, with) {
                        ledger.gone_from(&key, key.id, number, event.recorded_at);
                    }
                }
            }
        }
    }

    /// Who shares and who sees it.
    fn between(&self, sharing_id: Uuid) -> Option<(Uuid, Uuid)> {
        self.after
            .range((sharing_id, Uuid::nil())..=(sharing_id, Uuid::max()))
            .next()
            .map(|((_, with), share)| (share.scope, *with))
    }
}

/// An album in a member's feed.
fn album_key(album_id: Uuid, user_id: Uuid) -> Key {
    Key::with_part(Kind::Album, album_id, user_id.to_string())
}

/// A member in the album's feed.
fn member_key(album_id: Uuid, user_id: Uuid) -> Key {
    Key::with_part(Kind::AlbumUser, album_id, user_id.to_string())
}

pub(super) fn member_keys(album_id: Uuid, user_id: Uuid) -> [Key; 2] {
    [album_key(album_id, user_id), member_key(album_id, user_id)]
}

/// A sharing in the feeds of both.
pub(super) fn partner_keys(by: Uuid, with: Uuid) -> [Key; 2] {
    let part = format!("{by} {with}");
    [Key::with_part(Kind::Partner, by, part.clone()), Key::with_part(Kind::Partner, with, part)]
}

//! Who shares what with whom: albums with their members, people with their partners.

use std::collections::{BTreeMap, BTreeSet};

use calotype_domain::album::AlbumEvent;
use calotype_domain::catalogue::AnyEvent;
use calotype_domain::partner::PartnerEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::ledger::Key;
use super::sharing::{member_keys, partner_keys};
use crate::error::ProjectionError;
use crate::event::Event;

/// An album with a member.
pub(super) const ALBUM: i16 = 1;
/// A person with a partner.
pub(super) const PARTNER: i16 = 2;

/// What somebody has a part in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) kind: i16,
    pub(super) scope: Uuid,
    pub(super) since: i64,
}

type Stored = (Uuid, Uuid, i16, Uuid, i64);

/// The shares of a batch, by album or sharing and by person.
#[derive(Debug, Default)]
pub(super) struct Shares {
    before: BTreeMap<(Uuid, Uuid), Share>,
    pub(super) after: BTreeMap<(Uuid, Uuid), Share>,
}

impl Shares {
    /// Loads the members of these albums and the two of these sharings.
    pub(super) async fn load_in_tx(
        tx: &mut PgConnection,
        sources: &BTreeSet<Uuid>,
    ) -> Result<Self, ProjectionError> {
        if sources.is_empty() {
            return Ok(Self::default());
        }
        let stored: Vec<Stored> = sqlx::query_as(
            "select source, user_id, kind, scope, since from sync_shares_v2 where source = any($1)",
        )
        .bind(sources.iter().copied().collect::<Vec<Uuid>>())
        .fetch_all(tx)
        .await?;
        let before: BTreeMap<(Uuid, Uuid), Share> = stored
            .into_iter()
            .map(|(source, user_id, kind, scope, since)| {
                ((source, user_id), Share { kind, scope, since })
            })
            .collect();
        Ok(Self { after: before.clone(), before })
    }

    /// The things that these events may change, beside what hangs on the members known now.
    pub(super) fn keys(&self, events: &[&Event]) -> Vec<Key> {
        let mut keys = Vec::new();
        for ((source, user_id), share) in &self.before {
            match share.kind {
                ALBUM => keys.extend(member_keys(*source, *user_id)),
                _ => keys.extend(partner_keys(share.scope, *user_id)),
            }
        }
        for event in events {
            match &event.what {
                AnyEvent::Album(AlbumEvent::Created(created)) => {
                    keys.extend(member_keys(event.key, created.owner_id.uuid()));
                }
                AnyEvent::Album(AlbumEvent::Restored(restored)) => {
                    keys.extend(member_keys(event.key, restored.owner_id.uuid()));
                }
                AnyEvent::Partner(PartnerEvent::Restored(restored)) => {
                    let by = restored.shared_by_id.uuid();
                    keys.extend(partner_keys(by, restored.shared_with_id.uuid()));
                }
                AnyEvent::Album(AlbumEvent::UserAdded(added)) => {
                    keys.extend(member_keys(event.key, added.user_id.uuid()));
                }
                AnyEvent::Partner(PartnerEvent::Added(added)) => {
                    let (by, with) = (added.shared_by_id.uuid(), added.shared_with_id.uuid());
                    keys.extend(partner_keys(by, with));
                }
                _ => {}
            }
        }
        keys
    }

    /// Puts a share, unless it is there since then or later.
    pub(super) fn put(&mut self, key: (Uuid, Uuid), share: Share) -> bool {
        let is_new = self.after.get(&key).is_none_or(|known| known.since < share.since);
        if is_new {
            self.after.insert(key, share);
        }
        is_new
    }

    /// Takes a share, unless it began later.
    pub(super) fn take(&mut self, key: (Uuid, Uuid), number: i64) -> Option<Share> {
        match self.after.get(&key) {
            Some(share) if share.since < number => self.after.remove(&key),
            _ => None,
        }
    }

    /// Writes what changed.
    pub(super) async fn store_in_tx(self, tx: &mut PgConnection) -> Result<(), ProjectionError> {
        let gone: Vec<(Uuid, Uuid)> =
            self.before.keys().filter(|key| !self.after.contains_key(key)).copied().collect();
        if !gone.is_empty() {
            let (sources, users): (Vec<Uuid>, Vec<Uuid>) = gone.into_iter().unzip();
            sqlx::query(
                "delete from sync_shares_v2 as held
                  using unnest($1::uuid[], $2::uuid[]) as gone (source, user_id)
                  where held.source = gone.source and held.user_id = gone.user_id",
            )
            .bind(sources)
            .bind(users)
            .execute(&mut *tx)
            .await?;
        }
        let fresh: Vec<(&(Uuid, Uuid), &Share)> =
            self.after.iter().filter(|(key, share)| self.before.get(key) != Some(share)).collect();
        if !fresh.is_empty() {
            sqlx::query(
                "insert into sync_shares_v2 (source, user_id, kind, scope, since)
                 select * from unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::uuid[], $5::bigint[])
                 on conflict (source, user_id) do update set since = excluded.since",
            )
            .bind(fresh.iter().map(|((source, _), _)| *source).collect::<Vec<Uuid>>())
            .bind(fresh.iter().map(|((_, user_id), _)| *user_id).collect::<Vec<Uuid>>())
            .bind(fresh.iter().map(|(_, share)| share.kind).collect::<Vec<i16>>())
            .bind(fresh.iter().map(|(_, share)| share.scope).collect::<Vec<Uuid>>())
            .bind(fresh.iter().map(|(_, share)| share.since).collect::<Vec<i64>>())
            .execute(tx)
            .await?;
        }
        Ok(())
    }
}

/// The albums and sharings that a batch is about.
pub(super) fn sources(events: &[&Event]) -> BTreeSet<Uuid> {
    events
        .iter()
        .filter(|event| matches!(event.what, AnyEvent::Album(_) | AnyEvent::Partner(_)))
        .map(|event| event.key)
        .collect()
}

//! The parts of a stream that others share: with backfills of what is shared since the last acks.

use calotype_projections::sync::{Feed, Shared};
use uuid::Uuid;

use super::plan::{Given, Plan, Section, Step, section};
use super::token::{self, Id, Said};
use super::words::Entity;

/// The types of lines about assets in albums.
#[derive(Clone, Copy)]
pub(super) struct AlbumEntities {
    create: Entity,
    update: Entity,
    backfill: Entity,
    changed: Feed,
}

/// Whole assets.
pub(super) const ALBUM_ASSETS: AlbumEntities = AlbumEntities {
    create: Entity::AlbumAssetCreateV2,
    update: Entity::AlbumAssetUpdateV2,
    backfill: Entity::AlbumAssetBackfillV2,
    changed: Feed::AlbumAssetsChanged,
};

/// What their files say.
pub(super) const ALBUM_EXIFS: AlbumEntities = AlbumEntities {
    create: Entity::AlbumAssetExifCreateV1,
    update: Entity::AlbumAssetExifUpdateV1,
    backfill: Entity::AlbumAssetExifBackfillV1,
    changed: Feed::AlbumExifsChanged,
};

/// Whose feeds are read.
pub(super) fn scopes(shares: &[Shared]) -> Vec<Uuid> {
    shares.iter().map(|share| share.scope).collect()
}

impl Plan {
    /// What partners share: what they took back, what is shared since the last acks, what changed.
    pub(super) fn partner_assets(&mut self, given: &Given<'_>) {
        let partners = given.standing.partners();
        let scopes = &scopes(partners);
        let (entity, gone) = (Entity::PartnerAssetV2, Entity::PartnerAssetDeleteV1);
        let backfill = Entity::PartnerAssetBackfillV2;
        let mut assets = section(given, entity, Feed::PartnerAssets);
        self.gone_before(given, (entity, backfill), (gone, Feed::PartnerAssetsGone), partners);
        if !given.acks.are_none() {
            self.changes(given, gone, Feed::PartnerAssetsGone, scopes);
        }
        if given.acks.up_to(entity).is_none() {
            // A phone that has nothing is not told of what was hidden before.
            assets.opening = Some(up_to_now(given, gone));
        }
        self.backfill(given, entity, backfill, Feed::PartnerAssets, partners);
        self.add_section(given, assets, scopes);
    }

    /// What left the feeds of partners before they became the person's, as far as acks have come in those of
    /// others. A phone keeps what it saw in an album, or of the same partner before, until a stream is whole: of
    /// one that broke off it may have things that nobody told it of since, and a partner's things it keeps.
    pub(super) fn gone_before(
        &mut self,
        given: &Given<'_>,
        (entity, backfill): (Entity, Entity),
        (gone, feed): (Entity, Feed),
        partners: &[Shared],
    ) {
        let older = section(given, gone, feed);
        let floor = older.after;
        if floor == 0 {
            // Everything is told from the beginning anyway.
            return;
        }
        let is_told = given.acks.up_to(entity).is_some();
        let fresh: Vec<Shared> = partners
            .iter()
            .filter(|share| !is_told || backfilled(given, backfill, **share).is_some())
            .copied()
            .collect();
        let until = floor.min(older.until);
        self.add_section(given, Section { after: 0, until, floor, ..older }, &scopes(&fresh));
    }

    /// Assets of albums, or their metadata: those that changed among those that are known, then new ones.
    pub(super) fn album_assets(&mut self, given: &Given<'_>, of: AlbumEntities) {
        let albums = given.standing.albums();
        let scopes = &scopes(albums);
        self.backfill(given, of.create, of.backfill, Feed::AlbumAssetsAdded, albums);
        if let Some(added_until) = given.acks.up_to(of.create) {
            let changed = section(given, of.update, of.changed);
            self.add_section(given, Section { added_until, ..changed }, scopes);
        }
        // New ones come as they are now: their changes up to now need not be told again.
        let opening = Some(up_to_now(given, of.update));
        let added = section(given, of.create, Feed::AlbumAssetsAdded);
        self.add_section(given, Section { opening, ..added }, scopes);
    }

    /// What came before the last ack in feeds that are shared since then, feed by feed.
    pub(super) fn backfill(
        &mut self,
        given: &Given<'_>,
        entity: Entity,
        backfill: Entity,
        feed: Feed,
        shares: &[Shared],
    ) {
        let id = |change| Id::new(given.now, change);
        let Some(known) = given.acks.up_to(entity) else {
            // The first time everything is told, backfilled or not.
            if let Some(newest) = shares.last() {
                let said = Said::Complete { since: id(newest.since) };
                self.done.push((backfill, token::write(backfill, said)));
            }
            return;
        };
        for share in shares {
            let Some(after) = backfilled(given, backfill, *share) else { continue };
            let until = known.min(given.standing.until());
            let since = Some(id(share.since));
            let older = section(given, backfill, feed);
            self.add_section(given, Section { after, until, since, ..older }, &[share.scope]);
            self.steps.push_back(Step::Mark {
                entity: Entity::SyncAckV1,
                ack: token::write(backfill, Said::Complete { since: id(share.since) }),
            });
        }
    }
}

/// How far the backfill of a share has come; none where it is behind.
fn backfilled(given: &Given<'_>, backfill: Entity, share: Shared) -> Option<i64> {
    match given.acks.backfill(backfill) {
        Some(Said::Complete { since } | Said::UpTo(since)) if share.since <= since.change => None,
        Some(Said::Backfill { since, .. }) if share.since < since.change => None,
        Some(Said::Backfill { since, change }) if share.since == since.change => {
            Some(change.change)
        }
        _ => Some(0),
    }
}

/// By what a phone acknowledges a type up to now.
fn up_to_now(given: &Given<'_>, entity: Entity) -> String {
    token::write(entity, Said::UpTo(Id::new(given.now, given.standing.until())))
}

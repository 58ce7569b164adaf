//! What is kept in memory of the read models, and how it is dropped when they change.

use calotype_projections::Event;

use crate::albums::lists::AlbumLists;
use crate::assets::again::Asked;
use crate::assets::cache::AssetCache;
use crate::assets::owners::Owners;
use crate::assets::pieces::Pieces;
use crate::assets::sums::SumsCache;
use crate::map::cache::MapCache;
use crate::sharing::Sharing;
use crate::sync::standings::Standings;
use crate::timeline::cache::TimelineCache;
use crate::users::licenses::Licenses;

/// Everything cached from the read models. Cheap to clone; clones share what they hold.
#[derive(Clone, Default)]
pub struct Caches {
    pub(crate) album_lists: AlbumLists,
    pub(crate) asked: Asked,
    pub(crate) assets: AssetCache,
    pub(crate) licenses: Licenses,
    pub(crate) map: MapCache,
    pub(crate) owners: Owners,
    pub(crate) pieces: Pieces,
    pub(crate) sums: SumsCache,
    pub(crate) sharing: Sharing,
    pub(crate) standings: Standings,
    pub(crate) timeline: TimelineCache,
}

impl Caches {
    /// Drops what changed. Called with each applied batch before anybody is told that it shows.
    pub fn on_applied(&self, events: &[Event]) {
        self.owners.on_applied(events);
        self.sharing.on_applied(events);
        self.licenses.on_applied(events);
        // Whatever it was: that it is applied is what a standing says.
        self.standings.forget_all();
        self.album_lists.on_applied(events);
        self.assets.on_applied(events);
        self.pieces.on_applied(events);
        self.sums.on_applied(events, &self.owners);
        self.map.on_applied(events, &self.owners);
        self.timeline.on_applied(events, &self.owners);
    }

    /// Drops everything, after a reset or a rebuild.
    pub fn forget_all(&self) {
        self.album_lists.forget_all();
        self.asked.forget_all();
        self.assets.forget_all();
        self.pieces.forget_all();
        self.sums.forget_all();
        self.sharing.forget_all();
        self.licenses.forget_all();
        self.standings.forget_all();
        self.map.forget_all();
        self.timeline.forget_all();
    }
}

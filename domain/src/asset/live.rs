//! A still and the film that was taken with it: two assets that are shown as one.
//!
//! The still names its film. Apple's cameras write both as files that carry the same identifier; Google's and
//! Samsung's put the film into the still's file. A person's word about a film counts for more than a file's.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::AssetEvent;
use crate::id::AssetId;

/// Where a film lies in the file of its still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmbeddedFilm {
    /// Its first byte, counted from the beginning of the file.
    pub offset_bytes: u64,
    /// Its length in bytes.
    pub size_bytes: u64,
}

/// Its file says that it is one half of a live photo, or holds both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetLivePartsFound {
    /// Apple's identifier, the same in still and film.
    pub content_id: Option<String>,
    /// A film inside the file.
    pub film: Option<EmbeddedFilm>,
}

/// A film belongs to this still from now on, and to it alone of what is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetFilmLinked {
    /// Which film; none other belongs to it any more.
    pub film_id: AssetId,
}

/// The film belongs to this still no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AssetFilmUnlinked {
    /// Which film.
    pub film_id: AssetId,
}

/// A wish about still and film.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Live {
    /// Remember what the file says.
    Found(AssetLivePartsFound),
    /// Let a film belong to the still, because a person says so.
    Link(AssetId),
    /// Let a film belong to the still, because the files say so.
    Pair(AssetId),
    /// Let no film belong to the still.
    Unlink,
}

/// What is known about the film of a still, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveParts {
    found: AssetLivePartsFound,
    pub(super) film: Option<AssetId>,
    /// Films that were taken away from it: no file brings them back.
    unlinked: BTreeSet<AssetId>,
}

impl LiveParts {
    /// Of a still that came with its film.
    pub(super) fn uploaded_with(film: Option<AssetId>) -> Self {
        Self { film, ..Self::default() }
    }

    /// The film that is to be taken out of the file: none where a film belongs to the still, or did.
    pub(super) fn film_to_extract(&self) -> Option<EmbeddedFilm> {
        self.found.film.filter(|_| self.film.is_none() && self.unlinked.is_empty())
    }

    pub(super) fn decide(&self, wish: &Live) -> Vec<AssetEvent> {
        let unlink = self.film.map(|film_id| AssetFilmUnlinked { film_id }.into());
        match wish {
            Live::Found(found) if *found == self.found => vec![],
            Live::Found(found) => vec![found.clone().into()],
            Live::Link(film_id) if self.film == Some(*film_id) => vec![],
            Live::Link(film_id) => vec![AssetFilmLinked { film_id: *film_id }.into()],
            Live::Pair(film_id) if self.film.is_some() || self.unlinked.contains(film_id) => vec![],
            Live::Pair(film_id) => vec![AssetFilmLinked { film_id: *film_id }.into()],
            Live::Unlink => unlink.into_iter().collect(),
        }
    }

    /// Takes in those events that are about still and film.
    pub(super) fn evolve(&mut self, event: &AssetEvent) {
        match event {
            AssetEvent::LivePartsFound(found) => self.found = found.clone(),
            AssetEvent::FilmLinked(linked) => {
                self.film = Some(linked.film_id);
                self.unlinked.remove(&linked.film_id);
            }
            AssetEvent::FilmUnlinked(unlinked) => {
                self.film.take_if(|film_id| *film_id == unlinked.film_id);
                self.unlinked.insert(unlinked.film_id);
            }
            // The aggregate's own match names every event.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const A: AssetId = AssetId::new(Uuid::from_u128(1));
    const B: AssetId = AssetId::new(Uuid::from_u128(2));

    fn linked(film_id: AssetId) -> AssetEvent {
        AssetFilmLinked { film_id }.into()
    }

    fn unlinked(film_id: AssetId) -> AssetEvent {
        AssetFilmUnlinked { film_id }.into()
    }

    fn after(events: &[AssetEvent]) -> LiveParts {
        let mut live = LiveParts::default();
        for event in events {
            live.evolve(event);
        }
        live
    }

    #[test]
    fn linking_twice_happens_once() {
        assert_eq!(after(&[]).decide(&Live::Link(A)), [linked(A)]);
        assert!(after(&[linked(A)]).decide(&Live::Link(A)).is_empty());
        assert_eq!(after(&[linked(A)]).decide(&Live::Link(B)), [linked(B)]);
    }

    #[test]
    fn files_pair_only_what_has_no_film() {
        assert_eq!(after(&[]).decide(&Live::Pair(A)), [linked(A)]);
        assert!(after(&[linked(A)]).decide(&Live::Pair(B)).is_empty());
    }

    #[test]
    fn what_a_person_took_apart_stays_apart() {
        let apart = after(&[linked(A), unlinked(A)]);
        assert!(apart.decide(&Live::Unlink).is_empty());
        assert!(apart.decide(&Live::Pair(A)).is_empty());
        assert_eq!(apart.decide(&Live::Link(A)), [linked(A)]);
        assert_eq!(apart.decide(&Live::Pair(B)), [linked(B)]);
    }

    #[test]
    fn film_is_taken_out_of_the_file_once() {
        let film = EmbeddedFilm { offset_bytes: 3, size_bytes: 4 };
        let found = AssetLivePartsFound { content_id: None, film: Some(film) };
        let live = after(&[found.clone().into()]);
        assert_eq!(live.film_to_extract(), Some(film));
        assert!(live.decide(&Live::Found(found.clone())).is_empty());
        assert_eq!(after(&[found.clone().into(), linked(A)]).film_to_extract(), None);
        assert_eq!(after(&[found.into(), linked(A), unlinked(A)]).film_to_extract(), None);
    }
}

//! Which lines a stream has, in which order: decided before anything is read but acks and heads.

use std::collections::{BTreeSet, VecDeque};

use calotype_projections::sync::{Feed, Kind, Standing};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::acks::Acks;
use super::token::{self, Id, Said};
use super::words::{Entity, ORDER, Request};

/// The changes of a feed, sent as lines of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) entity: Entity,
    pub(super) feed: Feed,
    pub(super) scopes: Vec<Uuid>,
    /// Changes up to this number are known.
    pub(super) after: i64,
    /// Changes behind this number are told another time.
    pub(super) until: i64,
    /// Of a backfill: since when it is shared.
    pub(super) since: Option<Id>,
}

/// A part of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The lines of a feed.
    Section(Section),
    /// One line without content.
    Mark { entity: Entity, ack: String },
}

/// What is known when a stream begins.
pub(super) struct Given<'a> {
    pub(super) user_id: Uuid,
    pub(super) acks: &'a Acks,
    pub(super) standing: &'a Standing,
    pub(super) now: DateTime<Utc>,
}

/// A stream before it is read.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Its parts, in order.
    pub(super) steps: VecDeque<Step>,
}

impl Plan {
    /// The stream of these types.
    pub(super) fn of(given: &Given<'_>, requests: &BTreeSet<Request>) -> Self {
        let mut plan = Self::default();
        for request in ORDER.iter().filter(|request| requests.contains(request)) {
            plan.add(given, *request);
        }
        plan.steps.push_back(Step::Mark {
            entity: Entity::SyncCompleteV1,
            ack: token::write(
                Entity::SyncCompleteV1,
                Said::UpTo(Id::new(given.now, given.standing.until())),
            ),
        });
        plan
    }

    /// The stream that tells a phone to start anew.
    pub(super) fn reset() -> Self {
        let entity = Entity::SyncResetV1;
        let ack = token::write(entity, Said::Reset);
        Self { steps: VecDeque::from([Step::Mark { entity, ack }]) }
    }

    /// Whether anything changed.
    pub(super) fn has_news(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Section(_)))
    }

    fn add(&mut self, given: &Given<'_>, request: Request) {
        let own = [given.user_id];
        match request {
            Request::AuthUsersV1 => {
                self.changes(given, Entity::AuthUserV1, Feed::Rows(Kind::AuthUser), &own);
            }
            Request::UsersV1 => {
                let all = [Uuid::nil()];
                self.changes(given, Entity::UserDeleteV1, Feed::Gone(Kind::User), &all);
                self.changes(given, Entity::UserV1, Feed::Rows(Kind::User), &all);
            }
            Request::AssetsV2 => {
                self.changes(given, Entity::AssetDeleteV1, Feed::Gone(Kind::Asset), &own);
                self.changes(given, Entity::AssetV2, Feed::Assets, &own);
            }
            Request::AssetExifsV1 => {
                self.changes(given, Entity::AssetExifV1, Feed::AssetExifs, &own);
            }
            Request::UserMetadataV1 => {
                let kind = Kind::UserMetadata;
                self.changes(given, Entity::UserMetadataDeleteV1, Feed::Gone(kind), &own);
                self.changes(given, Entity::UserMetadataV1, Feed::Rows(kind), &own);
            }
            // Nothing of the kind exists yet, and what took their place is asked for.
            Request::AlbumsV1
            | Request::AlbumsV2
            | Request::AlbumUsersV1
            | Request::AlbumToAssetsV1
            | Request::AlbumAssetsV1
            | Request::AlbumAssetsV2
            | Request::AlbumAssetExifsV1
            | Request::AssetsV1
            | Request::AssetEditsV1
            | Request::AssetMetadataV1
            | Request::AssetOcrV1
            | Request::MemoriesV1
            | Request::MemoryToAssetsV1
            | Request::PartnersV1
            | Request::PartnerAssetsV1
            | Request::PartnerAssetsV2
            | Request::PartnerAssetExifsV1
            | Request::PartnerStacksV1
            | Request::StacksV1
            | Request::PeopleV1
            | Request::AssetFacesV1
            | Request::AssetFacesV2 => {}
        }
    }

    /// The changes that are not known yet, where there are any.
    fn changes(&mut self, given: &Given<'_>, entity: Entity, feed: Feed, scopes: &[Uuid]) {
        let after = given.acks.up_to(entity).unwrap_or_default();
        let scopes = given.standing.with_news(feed, scopes, after);
        if !scopes.is_empty() {
            let until = given.standing.until();
            self.steps.push_back(Step::Section(Section {
                entity,
                feed,
                scopes,
                after,
                until,
                since: None,
            }));
        }
    }
}

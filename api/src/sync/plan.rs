//! Which lines a stream has, in which order: decided before anything is read but acks and heads.

use std::collections::{BTreeSet, VecDeque};

use calotype_projections::sync::{Feed, Kind, Standing};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::acks::Acks;
use super::shared::{ALBUM_ASSETS, ALBUM_EXIFS, scopes};
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
    /// Of changed assets in albums only those that were added up to this number.
    pub(super) added_until: i64,
    /// Of a backfill: since when it is shared.
    pub(super) since: Option<Id>,
    /// Acks name no change before this one: the phone came that far already.
    pub(super) floor: i64,
    /// The ack of another type that a line of its own carries before the first line, where there is one.
    pub(super) opening: Option<String>,
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
    /// Backfills that a phone needs not, because it is told everything anyway: kept as acknowledged.
    pub(super) done: Vec<(Entity, String)>,
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
        Self { steps: VecDeque::from([Step::Mark { entity, ack }]), done: Vec::new() }
    }

    /// Whether a phone is told nothing but that it is told nothing.
    pub(super) fn is_idle(&self) -> bool {
        self.done.is_empty() && self.steps.len() <= 1 && !self.has_news()
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
            Request::PartnersV1 => {
                self.changes(given, Entity::PartnerDeleteV1, Feed::Gone(Kind::Partner), &own);
                self.changes(given, Entity::PartnerV1, Feed::Rows(Kind::Partner), &own);
            }
            Request::AssetsV2 => {
                self.changes(given, Entity::AssetDeleteV1, Feed::Gone(Kind::Asset), &own);
                self.changes(given, Entity::AssetV2, Feed::Assets, &own);
            }
            Request::PartnerAssetsV2 => self.partner_assets(given),
            Request::PartnerAssetExifsV1 => {
                let (partners, entity) = (given.standing.partners(), Entity::PartnerAssetExifV1);
                let feed = Feed::PartnerAssetExifs;
                self.backfill(given, entity, Entity::PartnerAssetExifBackfillV1, feed, partners);
                self.changes(given, entity, feed, &scopes(partners));
            }
            Request::AlbumAssetsV2 => self.album_assets(given, ALBUM_ASSETS),
            Request::AlbumAssetExifsV1 => self.album_assets(given, ALBUM_EXIFS),
            Request::AlbumsV1 => self.albums(given, Entity::AlbumV1),
            Request::AlbumsV2 => self.albums(given, Entity::AlbumV2),
            Request::AlbumUsersV1 => {
                let (albums, entity) = (given.standing.albums(), Entity::AlbumUserV1);
                let (rows, gone) = (Feed::Rows(Kind::AlbumUser), Feed::Gone(Kind::AlbumUser));
                self.changes(given, Entity::AlbumUserDeleteV1, gone, &scopes(albums));
                self.backfill(given, entity, Entity::AlbumUserBackfillV1, rows, albums);
                self.changes(given, entity, rows, &scopes(albums));
            }
            Request::AlbumToAssetsV1 => {
                let (albums, entity) = (given.standing.albums(), Entity::AlbumToAssetV1);
                let (rows, gone) = (Feed::AlbumAssetsAdded, Feed::Gone(Kind::AlbumAsset));
                self.changes(given, Entity::AlbumToAssetDeleteV1, gone, &scopes(albums));
                self.backfill(given, entity, Entity::AlbumToAssetBackfillV1, rows, albums);
                self.changes(given, entity, rows, &scopes(albums));
            }
            Request::AssetExifsV1 => {
                self.changes(given, Entity::AssetExifV1, Feed::AssetExifs, &own);
            }
            Request::StacksV1 => {
                self.kind(given, Kind::Stack, Entity::StackDeleteV1, Entity::StackV1);
            }
            Request::PartnerStacksV1 => {
                let (partners, entity) = (given.standing.partners(), Entity::PartnerStackV1);
                let (rows, gone) = (Feed::Rows(Kind::Stack), Feed::Gone(Kind::Stack));
                let (backfill, told) =
                    (Entity::PartnerStackBackfillV1, Entity::PartnerStackDeleteV1);
                self.gone_before(given, (entity, backfill), (told, gone), partners);
                self.changes(given, told, gone, &scopes(partners));
                self.backfill(given, entity, backfill, rows, partners);
                self.changes(given, entity, rows, &scopes(partners));
            }
            Request::MemoriesV1 => {
                self.kind(given, Kind::Memory, Entity::MemoryDeleteV1, Entity::MemoryV1);
            }
            Request::MemoryToAssetsV1 => {
                let (gone, entity) = (Entity::MemoryToAssetDeleteV1, Entity::MemoryToAssetV1);
                self.kind(given, Kind::MemoryAsset, gone, entity);
            }
            Request::PeopleV1 => {
                self.kind(given, Kind::Person, Entity::PersonDeleteV1, Entity::PersonV1);
            }
            Request::AssetFacesV2 => {
                self.kind(given, Kind::Face, Entity::AssetFaceDeleteV1, Entity::AssetFaceV2);
            }
            Request::UserMetadataV1 => {
                let (gone, entity) = (Entity::UserMetadataDeleteV1, Entity::UserMetadataV1);
                self.kind(given, Kind::UserMetadata, gone, entity);
            }
            Request::AssetMetadataV1 => {
                let (gone, entity) = (Entity::AssetMetadataDeleteV1, Entity::AssetMetadataV1);
                self.kind(given, Kind::AssetMetadata, gone, entity);
            }
            Request::AssetEditsV1 => {
                let (gone, entity) = (Entity::AssetEditDeleteV1, Entity::AssetEditV1);
                self.kind(given, Kind::AssetEdit, gone, entity);
            }
            Request::AssetOcrV1 => {
                self.kind(given, Kind::AssetText, Entity::AssetOcrDeleteV1, Entity::AssetOcrV1);
            }
            // What took its place is asked for.
            Request::AlbumAssetsV1
            | Request::AssetsV1
            | Request::PartnerAssetsV1
            | Request::AssetFacesV1 => {}
        }
    }

    /// Things of one kind in the person's own feed: what is gone, then what is there.
    fn kind(&mut self, given: &Given<'_>, kind: Kind, gone: Entity, entity: Entity) {
        let own = [given.user_id];
        self.changes(given, gone, Feed::Gone(kind), &own);
        self.changes(given, entity, Feed::Rows(kind), &own);
    }

    fn albums(&mut self, given: &Given<'_>, entity: Entity) {
        let own = [given.user_id];
        self.changes(given, Entity::AlbumDeleteV1, Feed::Gone(Kind::Album), &own);
        self.changes(given, entity, Feed::Rows(Kind::Album), &own);
    }

    /// The changes that are not known yet, where there are any.
    pub(super) fn changes(
        &mut self,
        given: &Given<'_>,
        entity: Entity,
        feed: Feed,
        scopes: &[Uuid],
    ) {
        self.add_section(given, section(given, entity, feed), scopes);
    }

    /// Adds a section for those scopes that have news for it.
    pub(super) fn add_section(&mut self, given: &Given<'_>, section: Section, scopes: &[Uuid]) {
        let scopes = given.standing.with_news(section.feed, scopes, section.after);
        if !scopes.is_empty() {
            self.steps.push_back(Step::Section(Section { scopes, ..section }));
        }
    }
}

/// The changes of a feed that are not known yet, of nobody so far.
pub(super) fn section(given: &Given<'_>, entity: Entity, feed: Feed) -> Section {
    Section {
        entity,
        feed,
        scopes: Vec::new(),
        after: given.acks.up_to(entity).unwrap_or_default(),
        until: given.standing.until(),
        added_until: 0,
        since: None,
        floor: 0,
        opening: None,
    }
}

//! What somebody wishes to be taken back.

use calotype_domain::{AlbumId, AssetId, UserId};
use calotype_eventstore::{ActorKind, GlobalPosition};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What is to be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// What one command did, by its id, or all commands of a request, by its correlation id.
    Command(Uuid),
    /// Everything that was done with one session or key.
    Span(Span),
    /// Everything that happened to something since.
    Since(Since),
}

/// What was done with one session or key of the person's own, between two instants and at them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// [`ActorKind::User`] for a session, [`ActorKind::ApiKey`] for a key.
    pub kind: ActorKind,
    /// The session or key; it may be closed or revoked by now.
    pub id: Uuid,
    /// From when on.
    pub from: DateTime<Utc>,
    /// Until when.
    pub to: DateTime<Utc>,
}

/// Brings something back to what it was at a position of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// What.
    pub whole: Whole,
    /// To what it was when this was the last event.
    pub position: GlobalPosition,
}

/// What can be brought back to what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// A photo or film, and what people said about the faces on it.
    Asset(AssetId),
    /// An album.
    Album(AlbumId),
    /// An account of whoever wishes it, with all that is theirs.
    Library(UserId),
}

//! What assets are asked for: conditions, all of which must hold, and an order.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// How a value is compared with others. What is not known is `None`, and is like nothing else.
#[derive(Clone, Debug, PartialEq)]
pub enum Compare<T> {
    /// The same.
    Is(Option<T>),
    /// Anything else.
    IsNot(Option<T>),
    /// One of these.
    In(Vec<T>),
    /// None of these.
    NotIn(Vec<T>),
    /// Larger or later.
    Above(T),
    /// As large or as late, or more so.
    AtLeast(T),
    /// Smaller or earlier.
    Below(T),
    /// As small or as early, or more so.
    AtMost(T),
}

/// How a text is compared, without regard to case and accents.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// Holds it anywhere.
    Holds(String),
    /// Holds it nowhere.
    Lacks(String),
    /// Begins with it.
    Begins(String),
    /// Ends with it.
    Ends(String),
    /// As a whole.
    Whole(Compare<String>),
}

/// A word that is compared as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordColumn {
    /// City.
    City,
    /// Country.
    Country,
    /// Model of the lens.
    LensModel,
    /// Maker of the camera.
    Make,
    /// Model of the camera.
    Model,
    /// State or province.
    State,
}

/// A text that is searched in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternColumn {
    /// The caption.
    Description,
    /// The client's name for the file.
    FileName,
    /// Where the original lies.
    OriginalPath,
}

/// An instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateColumn {
    /// When it was uploaded.
    Created,
    /// When it was taken.
    Taken,
    /// When it was put into the trash.
    Trashed,
    /// When it last changed.
    Updated,
}

/// A number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberColumn {
    /// Stars.
    Rating,
    /// Size of the original in bytes.
    SizeBytes,
}

/// A list of ids that must be met: all, any or none of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ids {
    /// Every one.
    All(Vec<Uuid>),
    /// At least one.
    Any(Vec<Uuid>),
    /// Not one.
    None(Vec<Uuid>),
}

/// One thing that must hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// A word.
    Word(WordColumn, Compare<String>),
    /// A text.
    Text(PatternColumn, Pattern),
    /// What is written in it: every word of this stands somewhere in it, as a whole or as a part.
    Written(String),
    /// An instant.
    Date(DateColumn, Compare<DateTime<Utc>>),
    /// A number.
    Number(NumberColumn, Compare<i64>),
    /// The favorite mark.
    Favorite(bool),
    /// Whether a film belongs to the still.
    Motion(bool),
    /// Whether it is a film.
    Video(bool),
    /// Immich's words for where it shows: one of these.
    Visibility(Vec<String>),
    /// Whether it is in the trash.
    Trashed(bool),
    /// Its id.
    Id(Compare<Uuid>),
    /// SHA-1 of the original, lower-case hex.
    Sha1(Compare<String>),
    /// Key of the preview's blob.
    PreviewKey(String),
    /// Key of the thumbnail's blob.
    ThumbnailKey(String),
    /// Whether it is a film with a copy that every player shows.
    Encoded(bool),
    /// Key of that copy's blob.
    EncodedKey(Compare<String>),
    /// Which albums it is in.
    Albums(Ids),
    /// Who of the viewer's people is on it.
    People(Ids),
    /// Which of the viewer's tags it carries; a tag that stands under one counts for that one.
    Tags(Ids),
    /// Whether it is in an album.
    HasAlbums(bool),
    /// Whether one of the viewer's people is on it.
    HasPeople(bool),
    /// Whether it carries one of the viewer's tags.
    HasTags(bool),
    /// Whether its file is missing from its library.
    Offline(bool),
    /// The external library whose file it is.
    Library(Compare<Uuid>),
    /// Nothing fits.
    Nothing,
    /// All conditions of at least one list.
    Either(Vec<Vec<Condition>>),
}

/// What found assets are ordered by; their ids decide between equals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderColumn {
    /// When it was taken.
    #[default]
    Taken,
    /// The photographer's wall clock then.
    Local,
    /// Size of the original.
    SizeBytes,
    /// Stars; what has none comes below what has.
    Rating,
}

/// Which end comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// The smallest or oldest.
    Ascending,
    /// The largest or newest.
    #[default]
    Descending,
}

/// Where an asset stands in an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// What it is ordered by, as Postgres reads it.
    pub value: String,
    /// Which asset.
    pub asset_id: Uuid,
}

/// Among which assets a search looks. Whether the viewer may see them was decided before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All that is the viewer's own, and what these other people's timelines show.
    People(Vec<Uuid>),
    /// What is in every one of these albums: all of it that is the viewer's own, and of others' what shows.
    Albums {
        /// Which; at least one.
        album_ids: Vec<Uuid>,
        /// Whose all of it is, where that is one person.
        owner_id: Option<Uuid>,
    },
    /// What a shared link shows one by one.
    Link(Uuid),
}

/// A question for assets.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// For whom: only their own assets are favorites, have people on them and carry tags.
    pub viewer_id: Uuid,
    /// Among which.
    pub scope: Scope,
    /// What must hold.
    pub conditions: Vec<Condition>,
    /// In which order.
    pub order: OrderColumn,
    /// Which end comes first.
    pub direction: Direction,
    /// Only what comes after this.
    pub after: Option<SortKey>,
    /// How many to pass over.
    pub offset: i64,
    /// How many at most.
    pub limit: i64,
}

/// Found assets, and where to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundPage<T> {
    /// In the order asked for.
    pub assets: Vec<T>,
    /// The last one's place, when there are more.
    pub next: Option<SortKey>,
}

impl Search {
    /// Whether it looks at the viewer's own assets alone.
    pub(super) fn is_alone(&self) -> bool {
        matches!(&self.scope, Scope::People(owners) if owners.as_slice() == [self.viewer_id])
    }
}

impl Condition {
    /// Calls `look` with it and with everything that it is made of.
    pub fn visit<'a>(&'a self, look: &mut impl FnMut(&'a Self)) {
        look(self);
        if let Self::Either(lists) = self {
            for condition in lists.iter().flatten() {
                condition.visit(look);
            }
        }
    }
}

impl Ids {
    /// The ids, however they must be met.
    #[must_use]
    pub fn as_slice(&self) -> &[Uuid] {
        match self {
            Self::All(ids) | Self::Any(ids) | Self::None(ids) => ids,
        }
    }
}

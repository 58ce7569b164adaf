//! What is synced.

use uuid::Uuid;

/// Makes the enum with the numbers that stand in rows, there and back.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)+) => {
        /// What is synced. Numbers stand in rows: they are never given to something else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(i16)]
        pub enum Kind {
            $($(#[$doc])* $name = $number,)+
        }

        impl Kind {
            /// The numbers of all of them.
            pub(super) const NUMBERS: &'static [i16] = &[$($number,)+];

            /// Its number in rows.
            #[must_use]
            pub const fn number(self) -> i16 {
                match self { $(Self::$name => $number,)+ }
            }

            /// Of a number in rows.
            pub(super) const fn of(number: i16) -> Option<Self> {
                match number { $($number => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

kinds! {
    /// An account as everybody sees it; in everybody's feed.
    User = 1,
    /// An account as its owner sees it.
    AuthUser = 2,
    /// A document about an account; its part is the document's name.
    UserMetadata = 3,
    /// A sharing between two people, in the feeds of both; its part is who shares and who sees it.
    Partner = 4,
    /// A stack, in its owner's feed.
    Stack = 5,
    /// An album, in the feed of each member; its part is the member.
    Album = 6,
    /// A member, in the album's feed; its part is who.
    AlbumUser = 7,
    /// An asset of an album, in the album's feed; its part is the asset.
    AlbumAsset = 8,
    /// What the files of an album's assets say.
    AlbumExif = 9,
    /// A memory, in its owner's feed.
    Memory = 10,
    /// An asset of a memory, in the memory's owner's feed; its part is the asset.
    MemoryAsset = 11,
    /// A person, in the feed of whose library it is.
    Person = 12,
    /// A face on a photo, in the feed of whose photo it is; its part is the photo.
    Face = 13,
    /// A value that a program keeps with an asset, in the owner's feed; its part is the value's key.
    AssetMetadata = 14,
    /// That a face was said to be somebody's, in no feed; its part is the face.
    PersonFace = 15,
    /// Who somebody turned out to be, in no feed; its part is the other one.
    PersonInto = 16,
    /// An edit of a photo, in the owner's feed; its part is the edit.
    AssetEdit = 17,
    /// A line of text in an asset, in the owner's feed; its part is its place in the text, from 0.
    AssetText = 18,
    /// An asset, in its owner's feed.
    Asset = 20,
    /// What the file of an asset says.
    AssetExif = 21,
    /// What partners see of an asset.
    PartnerAsset = 22,
}

/// The scope of what everybody sees.
pub(crate) const EVERYBODY: Uuid = Uuid::nil();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_as_they_are_written() {
        for kind in [Kind::User, Kind::Stack, Kind::Face, Kind::PartnerAsset] {
            assert_eq!(Kind::of(kind.number()), Some(kind));
        }
        assert_eq!(Kind::of(0), None);
    }
}

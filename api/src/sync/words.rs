//! The words of the sync protocol: what may be asked for and what lines are about.

/// Makes an enum of words with their spelling and a list in order.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum $name { $($variant),+ }

        impl $name {
            /// All of them, in the order of Immich's API document.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As clients write it.
            pub(crate) const fn word(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant)),+ }
            }

            /// Of a word.
            pub(crate) fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }
    };
}

words! {
    /// What a phone may ask for.
    Request {
        AlbumsV1, AlbumsV2, AlbumUsersV1, AlbumToAssetsV1, AlbumAssetsV1, AlbumAssetsV2,
        AlbumAssetExifsV1, AssetsV1, AssetsV2, AssetExifsV1, AssetEditsV1, AssetMetadataV1,
        AssetOcrV1, AuthUsersV1, MemoriesV1, MemoryToAssetsV1, PartnersV1, PartnerAssetsV1,
        PartnerAssetsV2, PartnerAssetExifsV1, PartnerStacksV1, StacksV1, UsersV1, PeopleV1,
        AssetFacesV1, AssetFacesV2, UserMetadataV1,
    }
}

words! {
    /// What a line is about.
    Entity {
        AuthUserV1, UserV1, UserDeleteV1, AssetV1, AssetV2, AssetDeleteV1, AssetExifV1, AssetEditV1,
        AssetEditDeleteV1, AssetMetadataV1, AssetMetadataDeleteV1, AssetOcrV1, AssetOcrDeleteV1,
        PartnerV1, PartnerDeleteV1, PartnerAssetV1, PartnerAssetV2, PartnerAssetBackfillV1,
        PartnerAssetBackfillV2, PartnerAssetDeleteV1, PartnerAssetExifV1,
        PartnerAssetExifBackfillV1, PartnerStackBackfillV1, PartnerStackDeleteV1, PartnerStackV1,
        AlbumV1, AlbumV2, AlbumDeleteV1, AlbumUserV1, AlbumUserBackfillV1, AlbumUserDeleteV1,
        AlbumAssetCreateV1, AlbumAssetCreateV2, AlbumAssetUpdateV1, AlbumAssetUpdateV2,
        AlbumAssetBackfillV1, AlbumAssetBackfillV2, AlbumAssetExifCreateV1, AlbumAssetExifUpdateV1,
        AlbumAssetExifBackfillV1, AlbumToAssetV1, AlbumToAssetDeleteV1, AlbumToAssetBackfillV1,
        MemoryV1, MemoryDeleteV1, MemoryToAssetV1, MemoryToAssetDeleteV1, StackV1, StackDeleteV1,
        PersonV1, PersonDeleteV1, AssetFaceV1, AssetFaceV2, AssetFaceDeleteV1, UserMetadataV1,
        UserMetadataDeleteV1, SyncAckV1, SyncResetV1, SyncCompleteV1,
    }
}

/// The order of the stream: what others point at comes first.
pub(super) const ORDER: &[Request] = &[
    Request::AuthUsersV1,
    Request::UsersV1,
    Request::PartnersV1,
    Request::AssetsV2,
    Request::StacksV1,
    Request::PartnerAssetsV2,
    Request::PartnerStacksV1,
    Request::AlbumAssetsV2,
    Request::AlbumsV1,
    Request::AlbumsV2,
    Request::AlbumUsersV1,
    Request::AlbumToAssetsV1,
    Request::AssetExifsV1,
    Request::AlbumAssetExifsV1,
    Request::AssetOcrV1,
    Request::PartnerAssetExifsV1,
    Request::MemoriesV1,
    Request::MemoryToAssetsV1,
    Request::PeopleV1,
    Request::AssetFacesV2,
    Request::UserMetadataV1,
    Request::AssetMetadataV1,
    Request::AssetEditsV1,
];

/// Types of before 3.0 that are answered no more, and what took their place.
const DEAD: &[(Request, Request)] = &[
    (Request::AssetsV1, Request::AssetsV2),
    (Request::PartnerAssetsV1, Request::PartnerAssetsV2),
    (Request::AlbumAssetsV1, Request::AlbumAssetsV2),
    (Request::AssetFacesV1, Request::AssetFacesV2),
];

impl Entity {
    /// Whether a line is about a whole asset.
    pub(super) const fn is_of_assets(self) -> bool {
        matches!(
            self,
            Self::AssetV2
                | Self::PartnerAssetV2
                | Self::PartnerAssetBackfillV2
                | Self::AlbumAssetCreateV2
                | Self::AlbumAssetUpdateV2
                | Self::AlbumAssetBackfillV2
        )
    }

    /// Whether a line is about what the file of an asset says.
    pub(super) const fn is_of_exifs(self) -> bool {
        matches!(
            self,
            Self::AssetExifV1
                | Self::PartnerAssetExifV1
                | Self::PartnerAssetExifBackfillV1
                | Self::AlbumAssetExifCreateV1
                | Self::AlbumAssetExifUpdateV1
                | Self::AlbumAssetExifBackfillV1
        )
    }

    /// Whether a line is about an asset that a partner shares.
    pub(super) const fn is_by_partner(self) -> bool {
        matches!(
            self,
            Self::PartnerAssetV2
                | Self::PartnerAssetBackfillV2
                | Self::PartnerAssetExifV1
                | Self::PartnerAssetExifBackfillV1
        )
    }
}

impl Request {
    /// What took its place, when it is answered no more.
    pub(super) fn successor(self) -> Option<Self> {
        DEAD.iter().find(|(dead, _)| *dead == self).map(|(_, successor)| *successor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_has_its_place_or_is_dead() {
        for request in Request::ALL {
            let places = ORDER.iter().filter(|placed| *placed == request).count();
            assert_eq!(places, usize::from(request.successor().is_none()), "{}", request.word());
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        assert_eq!(Request::parse("AssetsV2"), Some(Request::AssetsV2));
        assert_eq!(Entity::parse("SyncResetV1"), Some(Entity::SyncResetV1));
        assert_eq!(Entity::parse("AssetV9"), None);
    }
}

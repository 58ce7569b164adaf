//! Bodies and answers of searches.

use calotype_projections::assets::AssetRow;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::assets::dto::AssetResponseDto;
use crate::assets::linked::BareAssetDto;

/// A body with the filters that all searches share, and its own.
macro_rules! search_body {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(ToSchema)]
        #[schema(rename_all = "camelCase")]
        #[expect(dead_code, reason = "describes a body that is checked field by field")]
        pub(super) struct $name {
            $($field: $kind,)*
            album_ids: Option<Vec<Uuid>>,
            city: Option<String>,
            country: Option<String>,
            created_after: Option<String>,
            created_before: Option<String>,
            is_encoded: Option<bool>,
            is_favorite: Option<bool>,
            is_motion: Option<bool>,
            is_not_in_album: Option<bool>,
            is_offline: Option<bool>,
            lens_model: Option<String>,
            library_id: Option<Uuid>,
            make: Option<String>,
            model: Option<String>,
            ocr: Option<String>,
            person_ids: Option<Vec<Uuid>>,
            rating: Option<i32>,
            state: Option<String>,
            tag_ids: Option<Vec<Uuid>>,
            taken_after: Option<String>,
            taken_before: Option<String>,
            trashed_after: Option<String>,
            trashed_before: Option<String>,
            #[schema(rename = "type")]
            kind: Option<String>,
            updated_after: Option<String>,
            updated_before: Option<String>,
            visibility: Option<String>,
            filter: Option<Value>,
        }
    };
}

search_body! {
    /// What is searched for by metadata. `cursor`, `filter` and `orderBy` came with Immich 3.2.
    MetadataSearchDto {
        checksum: Option<String>,
        cursor: Option<String>,
        description: Option<String>,
        encoded_video_path: Option<String>,
        id: Option<Uuid>,
        order: Option<String>,
        order_by: Option<Value>,
        original_file_name: Option<String>,
        original_path: Option<String>,
        page: Option<i64>,
        preview_path: Option<String>,
        size: Option<i64>,
        thumbnail_path: Option<String>,
        with_deleted: Option<bool>,
        with_exif: Option<bool>,
        with_people: Option<bool>,
        with_stacked: Option<bool>,
    }
}

search_body! {
    /// What is chosen from by chance.
    RandomSearchDto {
        size: Option<i64>,
        with_deleted: Option<bool>,
        with_exif: Option<bool>,
        with_people: Option<bool>,
        with_stacked: Option<bool>,
    }
}

search_body! {
    /// What is counted.
    StatisticsSearchDto { description: Option<String> }
}

search_body! {
    /// What is searched for by meaning.
    SmartSearchDto {
        language: Option<String>,
        page: Option<i64>,
        query: Option<String>,
        query_asset_id: Option<Uuid>,
        size: Option<i64>,
        with_deleted: Option<bool>,
        with_exif: Option<bool>,
    }
}

/// An asset that was found.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum FoundAssetDto {
    /// To people, and to visitors who see metadata.
    Open(Box<AssetResponseDto>),
    /// To visitors who do not.
    Bare(BareAssetDto),
}

impl FoundAssetDto {
    /// With what files say about themselves, as far as that was asked for.
    pub(super) fn open(found: AssetResponseDto) -> Self {
        Self::Open(Box::new(found))
    }

    /// As visitors of a link see it.
    pub(super) fn to_visitors(row: AssetRow, shows_metadata: bool, with_exif: bool) -> Self {
        if shows_metadata {
            Self::open(AssetResponseDto::to_visitors(row).with_exif(with_exif))
        } else {
            Self::Bare(BareAssetDto::of(&row))
        }
    }
}

/// What was found.
#[derive(Serialize, ToSchema)]
pub(super) struct SearchResponseDto {
    albums: SearchAlbumResponseDto,
    assets: SearchAssetResponseDto,
}

/// Albums are never found this way; Immich answers with the empty list.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct SearchAlbumResponseDto {
    total: usize,
    count: usize,
    items: Vec<Value>,
    facets: Vec<Value>,
}

/// A page of assets. `total` counts this page, as Immich's does.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SearchAssetResponseDto {
    total: usize,
    count: usize,
    #[schema(value_type = Vec<AssetResponseDto>)]
    items: Vec<FoundAssetDto>,
    facets: Vec<Value>,
    /// The number of the next page; none after the last.
    next_page: Option<String>,
    /// Where the next page begins; since Immich 3.2.
    next_cursor: Option<String>,
}

impl SearchResponseDto {
    pub(super) fn of(
        items: Vec<FoundAssetDto>,
        next_page: Option<String>,
        next_cursor: Option<String>,
    ) -> Self {
        let count = items.len();
        let facets = Vec::new();
        Self {
            albums: SearchAlbumResponseDto::default(),
            assets: SearchAssetResponseDto {
                total: count,
                count,
                items,
                facets,
                next_page,
                next_cursor,
            },
        }
    }
}

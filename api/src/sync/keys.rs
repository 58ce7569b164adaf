//! Lines whose whole content is the key of a thing: what is gone, and what is inside what.

use calotype_projections::sync::Entry;
use serde_json::{Value, json};

use super::words::Entity;

/// What such a line says; none for a type that says more.
pub(super) fn content(entity: Entity, entry: &Entry) -> Option<Value> {
    let (id, part) = (entry.id, &entry.part);
    Some(match entity {
        Entity::UserDeleteV1 => json!({ "userId": id }),
        Entity::UserMetadataDeleteV1 => json!({ "userId": id, "key": part }),
        Entity::AssetDeleteV1 | Entity::PartnerAssetDeleteV1 => json!({ "assetId": id }),
        Entity::AssetMetadataDeleteV1 => json!({ "assetId": id, "key": part }),
        Entity::PartnerDeleteV1 => {
            let (by, with) = part.split_once(' ')?;
            json!({ "sharedById": by, "sharedWithId": with })
        }
        Entity::StackDeleteV1 | Entity::PartnerStackDeleteV1 => json!({ "stackId": id }),
        Entity::AlbumDeleteV1 => json!({ "albumId": id }),
        Entity::AlbumUserDeleteV1 => json!({ "albumId": id, "userId": part }),
        Entity::AlbumToAssetDeleteV1 => json!({ "assetId": part, "albumId": id }),
        // These stand with the assets of albums, by the album whose feed they are in.
        Entity::AlbumToAssetV1 | Entity::AlbumToAssetBackfillV1 => {
            json!({ "assetId": id, "albumId": entry.scope })
        }
        Entity::MemoryDeleteV1 => json!({ "memoryId": id }),
        Entity::MemoryToAssetV1 | Entity::MemoryToAssetDeleteV1 => {
            json!({ "memoryId": id, "assetId": part })
        }
        Entity::PersonDeleteV1 => json!({ "personId": id }),
        Entity::AssetEditDeleteV1 => json!({ "editId": part }),
        Entity::AssetFaceDeleteV1 => json!({ "assetFaceId": id }),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn everything_that_goes_is_told_by_its_key() {
        let nobody = Uuid::nil();
        let entry = |part: String| Entry { change: 1, scope: nobody, id: nobody, part };
        for entity in Entity::ALL.iter().filter(|entity| entity.word().contains("Delete")) {
            let part = format!("{nobody} {nobody}");
            // Of a line of text more is told.
            let is_told = *entity != Entity::AssetOcrDeleteV1;
            assert_eq!(content(*entity, &entry(part)).is_some(), is_told, "{}", entity.word());
        }
    }

    #[test]
    fn asset_of_an_album_is_told_by_the_album_it_stands_in() {
        let (album, asset) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let put = Entry { change: 1, scope: album, id: asset, part: String::new() };
        let taken = Entry { change: 2, scope: album, id: album, part: asset.to_string() };
        assert_eq!(
            content(Entity::AlbumToAssetV1, &put),
            content(Entity::AlbumToAssetDeleteV1, &taken)
        );
    }
}

//! Storing the pictures that were made.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use calotype_commands::assets::Findings;
use calotype_domain::AssetId;
use calotype_domain::asset::{AssetFullSizeRecorded, AssetThumbnailsRecorded, DerivedImage};
use calotype_media::blob::{BlobKey, Role};
use calotype_media::image::{Derived, FullWish, ImageFormat, ImageWish, Picture};

use super::wanted::{THUMBNAILS_VERSION, Wanted, thumbnails_processor};
use crate::error::ProcessorError;
use crate::worker::Worker;

impl Worker {
    /// Stores the pictures of a file, and says so in the findings.
    pub(super) async fn store_pictures(
        &self,
        asset_id: AssetId,
        wanted: &Wanted,
        derived: Derived,
        (display_width, display_height): (u32, u32),
        wish: ImageWish,
        findings: &mut Findings,
    ) -> Result<(), ProcessorError> {
        let Derived { thumbnail, preview, full, thumbhash } = derived;
        let recipe = wish.recipe(THUMBNAILS_VERSION);
        let input_blake3 = wanted.uploaded.original.blake3.clone();
        let store = |role, format, picture: Picture| {
            self.store_picture_of(asset_id, wanted, (role, &recipe, format), picture)
        };
        let image = match (full, wish.full) {
            (Some(full), Some(FullWish { format, .. })) => {
                Some(store(Role::FullSize, format, full).await?)
            }
            _ => None,
        };
        let processor = thumbnails_processor();
        findings.full_size = Some(AssetFullSizeRecorded {
            processor: processor.clone(),
            input_blake3: input_blake3.clone(),
            image,
        });
        findings.thumbnails = Some(AssetThumbnailsRecorded {
            processor,
            input_blake3,
            thumbhash: STANDARD.encode(&thumbhash),
            thumbnail: store(Role::Thumbnail, wish.thumbnail_format, thumbnail).await?,
            preview: store(Role::Preview, wish.preview_format, preview).await?,
            display_width,
            display_height,
        });
        Ok(())
    }

    /// Stores a picture under a key that names what it is for and the options it was made with.
    pub(crate) async fn store_picture_of(
        &self,
        asset_id: AssetId,
        wanted: &Wanted,
        (role, recipe, format): (Role, &str, ImageFormat),
        picture: Picture,
    ) -> Result<DerivedImage, ProcessorError> {
        let owner = wanted.uploaded.owner_id.uuid();
        let key = BlobKey::made((owner, asset_id.uuid()), role, recipe, format);
        let image = named(&key, &picture);
        self.blobs.put_derived(&key, Bytes::from(picture.bytes)).await?;
        Ok(image)
    }
}

fn named(key: &BlobKey, picture: &Picture) -> DerivedImage {
    DerivedImage {
        key: key.as_str().to_owned(),
        size_bytes: u64::try_from(picture.bytes.len()).unwrap_or(u64::MAX),
        width: picture.width,
        height: picture.height,
    }
}

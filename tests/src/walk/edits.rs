//! Steps of a walk that edit photos and make the pictures of edited ones.

use calotype_domain::asset::{
    Asset, AssetEditedPicturesRecorded, AssetFullSizeRecorded, Crop, DerivedImage, EditAction,
    Mirror, MirrorAxis, ProcessorRef, Rotate,
};
use calotype_eventstore::StreamId;
use rand::Rng as _;

use super::assets::Known;
use super::step::accept;
use super::world::World;

impl World {
    /// One wish about the edits of a photo; some are refused.
    pub(super) async fn edit(&mut self) -> anyhow::Result<()> {
        let Some(asset) = self.some_assets().into_iter().next() else { return Ok(()) };
        let by = if self.random.random_bool(0.1) { self.anybody() } else { asset.owner_id };
        let ctx = self.context(Some(by));
        if self.random.random_bool(0.3) {
            return accept(self.commands.remove_edits(&ctx, by, asset.id).await).map(drop);
        }
        let actions = self.actions();
        accept(self.commands.edit_asset(&ctx, by, asset.id, &actions).await).map(drop)
    }

    fn actions(&mut self) -> Vec<EditAction> {
        let mut actions = Vec::new();
        if self.random.random_bool(0.5) {
            let (width, height) =
                (self.random.random_range(1..2_000), self.random.random_range(1..2_000));
            actions.push(EditAction::Crop(Crop { x: 0, y: 0, width, height }));
        }
        if self.random.random_bool(0.5) {
            let angle = 90 * self.random.random_range(0..4);
            actions.push(EditAction::Rotate(Rotate { angle }));
        }
        if self.random.random_bool(0.5) {
            let axis =
                if self.random.random() { MirrorAxis::Horizontal } else { MirrorAxis::Vertical };
            actions.push(EditAction::Mirror(Mirror { axis }));
        }
        actions
    }

    /// The pictures of a photo as it is edited now; of one without edits they are no news.
    pub(super) async fn edited_pictures(
        &mut self,
        asset: &Known,
    ) -> anyhow::Result<Option<AssetEditedPicturesRecorded>> {
        if self.random.random_bool(0.4) {
            return Ok(None);
        }
        let (known, _) = self.commands.load::<Asset>(&StreamId::new("asset", asset.id)).await?;
        let image = |key: &str| DerivedImage {
            key: format!("derived/{}/edited-{key}", asset.id),
            size_bytes: 1000,
            width: 300,
            height: 200,
        };
        Ok(Some(AssetEditedPicturesRecorded {
            processor: ProcessorRef { name: "edits".into(), version: 1 },
            input_blake3: asset.blake3.clone(),
            edit_ids: known.editing().edits().iter().map(|edit| edit.edit_id).collect(),
            thumbhash: "FkgODAY59ohHtouYmJnglGnxRw==".into(),
            thumbnail: image("thumbnail"),
            preview: image("preview"),
            full_size: image("full"),
        }))
    }

    /// A picture at full size, or none.
    pub(super) fn full_size(&mut self, asset: &Known) -> AssetFullSizeRecorded {
        let key = format!("derived/{}/full", asset.id);
        let image = DerivedImage { key, size_bytes: 1000, width: 300, height: 200 };
        AssetFullSizeRecorded {
            processor: ProcessorRef { name: "thumbnails".into(), version: 1 },
            input_blake3: asset.blake3.clone(),
            image: self.random.random_bool(0.7).then_some(image),
        }
    }
}

//! What is written in assets, as the mobile app keeps it.

use std::collections::HashMap;

use calotype_projections::assets::AssetRow;
use calotype_projections::sync::Entry;
use calotype_projections::texts::{TextLine, line_id};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::assets::get_asset_ocr::shown_corners;
use crate::dates;

/// A line of text, where it stands in the photo without edits.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SyncAssetOcrV1<'a> {
    id: Uuid,
    asset_id: Uuid,
    x1: f64,
    y1: f64,
    x2: f64,
    y2: f64,
    x3: f64,
    y3: f64,
    x4: f64,
    y4: f64,
    box_score: f64,
    text_score: f64,
    text: &'a str,
    is_visible: bool,
}

impl<'a> SyncAssetOcrV1<'a> {
    /// The line that an entry names; none when it is not there by now.
    pub(super) fn find(
        texts: &'a HashMap<Uuid, Vec<TextLine>>,
        assets: &HashMap<Uuid, AssetRow>,
        entry: &Entry,
    ) -> Option<Self> {
        let (asset_id, place) = (entry.id, entry.part.parse().ok()?);
        let line = texts.get(&asset_id)?.get::<usize>(place)?;
        let asset = assets.get(&asset_id)?;
        let [[x1, y1], [x2, y2], [x3, y3], [x4, y4]] = line.corners;
        Some(Self {
            id: line_id(asset_id, place),
            asset_id,
            x1,
            y1,
            x2,
            y2,
            x3,
            y3,
            x4,
            y4,
            box_score: line.box_score,
            text_score: line.text_score,
            text: &line.words,
            is_visible: shown_corners(line, asset).is_some(),
        })
    }
}

/// A line that is gone. When it went is not known by its key; it is told as of `now`.
pub(super) fn gone(entry: &Entry, now: DateTime<Utc>) -> Option<Value> {
    let id = line_id(entry.id, entry.part.parse().ok()?);
    Some(json!({ "id": id, "assetId": entry.id, "deletedAt": dates::iso(now) }))
}

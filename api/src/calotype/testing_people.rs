//! What black-box suites put straight into a database elsewhere: faces without a place, and pictures of
//! people. Only with `--testing`; needs no credentials.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::faces::Drawing;
use calotype_domain::asset::{DerivedImage, ProcessorRef};
use calotype_domain::faces::PictureSize;
use calotype_domain::permission::Permission;
use calotype_domain::person::PersonThumbnailRecorded;
use calotype_domain::{AssetId, PersonId, UserId};
use calotype_media::blob::BlobKey;
use serde_json::{Value, json};

use crate::people::required_uuid;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// A grey square, 250 x 250 pixels.
const GREY: &[u8] = include_bytes!("grey.jpg");
const GREY_SIDE_PX: u32 = 250;

/// `POST /calotype/testing/faces`: puts a person on an asset, without a place.
pub(super) async fn faces(
    State(api): State<Api>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let mut fields = Fields::json(&body)?;
    let asset_id = required_uuid(&mut fields, "assetId");
    let person_id = required_uuid(&mut fields, "personId");
    fields.finish()?;
    let asset = api.queries.asset(asset_id).await?;
    let asset = asset.ok_or_else(|| Problem::no_access(Permission::AssetRead))?;
    let drawing =
        Drawing { area: None, size: PictureSize::default(), person_id: PersonId::new(person_id) };
    let by = UserId::new(asset.owner_id);
    let context = api.system_context();
    let (face_id, outcome) =
        api.commands.draw_face(&context, by, AssetId::new(asset_id), drawing).await?;
    api.seen(&outcome).await;
    Ok((StatusCode::CREATED, Json(json!({ "id": face_id }))))
}

/// `POST /calotype/testing/person-thumbnail`: gives a person a grey picture.
pub(super) async fn person_thumbnail(
    State(api): State<Api>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let mut fields = Fields::json(&body)?;
    let person_id = required_uuid(&mut fields, "personId");
    fields.finish()?;
    let person = api.queries.person(person_id).await?;
    let person = person.ok_or_else(|| Problem::no_access(Permission::PersonRead))?;
    let key = BlobKey::person(person.owner_id, person_id, api.commands.ids().v4());
    let stored = api.blobs.put_derived(&key, Bytes::from_static(GREY)).await;
    stored.map_err(|error| Problem::internal(&error))?;
    let made = PersonThumbnailRecorded {
        processor: ProcessorRef { name: "testing".into(), version: 1 },
        face_id: None,
        input_blake3: String::new(),
        image: DerivedImage {
            key: key.to_string(),
            size_bytes: u64::try_from(GREY.len()).unwrap_or(u64::MAX),
            width: GREY_SIDE_PX,
            height: GREY_SIDE_PX,
        },
    };
    let context = api.system_context();
    let outcome =
        api.commands.record_person_thumbnail(&context, PersonId::new(person_id), made).await?;
    api.seen(&outcome).await;
    Ok((StatusCode::CREATED, Json(json!({ "id": person_id }))))
}

//! `POST /faces`.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::faces::Drawing;
use calotype_domain::faces::{Area, PictureSize};
use calotype_domain::permission::Permission;
use calotype_domain::{AssetId, PersonId};
use calotype_projections::assets::AssetRow;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::require_asset;
use crate::caller::Caller;
use crate::people::dto::own_person;
use crate::people::required_uuid;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// The largest whole number that JavaScript can tell from its neighbours.
const SAFE_INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// A face that a person draws: a box in pixels of a picture of the given size.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct AssetFaceCreateDto {
    asset_id: Uuid,
    height: i64,
    image_height: i64,
    image_width: i64,
    person_id: Uuid,
    width: i64,
    x: i64,
    y: i64,
}

/// Draws a face and says whose it is.
#[utoipa::path(
    post, path = "/faces", tag = "Faces", operation_id = "createFace",
    request_body = AssetFaceCreateDto, responses((status = 201))
)]
pub(super) async fn create_face(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    caller.require(Permission::FaceCreate)?;
    let mut fields = Fields::json(&body)?;
    let asset_id = required_uuid(&mut fields, "assetId");
    let height = whole(&mut fields, "height");
    let image_height = whole(&mut fields, "imageHeight");
    let image_width = whole(&mut fields, "imageWidth");
    let person_id = required_uuid(&mut fields, "personId");
    let width = whole(&mut fields, "width");
    let x = whole(&mut fields, "x");
    let y = whole(&mut fields, "y");
    fields.finish()?;
    let asset = api.queries.asset(asset_id).await?;
    require_asset(&api, &caller, Permission::FaceCreate, asset.as_ref()).await?;
    own_person(&api, &caller, Permission::FaceCreate, person_id).await?;
    let size = PictureSize {
        width: u32::try_from(image_width).unwrap_or_default(),
        height: u32::try_from(image_height).unwrap_or_default(),
    };
    let corner = |x: i64, y: i64| (narrow(x), narrow(y));
    let far = corner(x.saturating_add(width), y.saturating_add(height));
    let area = Area::from_pixels(corner(x, y), far, size)
        .ok_or_else(|| Problem::bad_request("Face is not on the photo"))?;
    // Drawn on the photo as it shows, kept as it lies in the file.
    let geometry = asset.as_ref().and_then(AssetRow::geometry);
    let (area, size) = match geometry {
        Some(geometry) => {
            let (width, height) = geometry.size;
            (geometry.unseen(area), PictureSize { width, height })
        }
        None => (Some(area), size),
    };
    let drawing = Drawing { area, size, person_id: PersonId::new(person_id) };
    let (_, outcome) = api
        .commands
        .draw_face(&caller.context(), caller.user_id(), AssetId::new(asset_id), drawing)
        .await?;
    api.seen(&outcome).await;
    Ok(StatusCode::CREATED)
}

fn whole(fields: &mut Fields, name: &str) -> i64 {
    if !fields.has(name) {
        fields.missing("number", name);
    }
    fields.integer(name, -SAFE_INTEGER_MAX, SAFE_INTEGER_MAX).unwrap_or_default()
}

/// Far outside any picture is outside all the same.
fn narrow(pixels: i64) -> i32 {
    let limit = i64::from(i32::MAX);
    i32::try_from(pixels.clamp(-limit, limit)).unwrap_or(i32::MAX)
}

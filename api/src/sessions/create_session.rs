//! `POST /sessions`: a session made from the caller's, for another device.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use calotype_commands::token;
use calotype_domain::SessionId;
use calotype_domain::permission::Permission;
use calotype_domain::session::{Device, SessionOpened};
use chrono::Duration;
use serde::Serialize;
use utoipa::ToSchema;

use super::dto::{SessionResponseDto, own_one};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::validate::Fields;

/// The largest whole number a JavaScript client can name.
const INTEGER_MAX: i64 = (1 << 53) - 1;

/// The device and how long it stays logged in.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub(crate) struct SessionCreateDto {
    /// In seconds; without it the session does not end by itself.
    #[schema(minimum = 1)]
    duration: Option<i64>,
    device_type: Option<String>,
    #[schema(rename = "deviceOS")]
    device_os: Option<String>,
}

impl SessionCreateDto {
    fn parse(body: &Bytes) -> Result<Self, Problem> {
        let mut fields = Fields::json(body)?;
        let dto = Self {
            duration: fields.integer("duration", 1, INTEGER_MAX),
            device_type: fields.string("deviceType"),
            device_os: fields.string("deviceOS"),
        };
        fields.finish()?;
        Ok(dto)
    }
}

/// The new session and its token, shown this once.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionCreateResponseDto {
    #[serde(flatten)]
    session: SessionResponseDto,
    token: String,
}

/// Opens a session that closes with the caller's.
#[utoipa::path(
    post,
    path = "/sessions",
    operation_id = "createSession",
    tag = "Sessions",
    request_body = SessionCreateDto,
    responses((status = 201, body = SessionCreateResponseDto)),
)]
pub(super) async fn create_session(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<SessionCreateResponseDto>), Problem> {
    caller.require(Permission::SessionCreate)?;
    let dto = SessionCreateDto::parse(&body)?;
    let parent = caller.session().ok_or_else(|| {
        Problem::bad_request("This endpoint can only be used with a session token")
    })?;
    let ctx = caller.context();
    let token = token::generate();
    let lasting = dto.duration.and_then(Duration::try_seconds);
    let opened = SessionOpened {
        user_id: caller.user_id(),
        token_sha256: token::digest(&token),
        device: Device {
            device_type: dto.device_type.unwrap_or_default(),
            device_os: dto.device_os.unwrap_or_default(),
            app_version: None,
        }
        .into(),
        expires_at: lasting.and_then(|lasting| ctx.now.checked_add_signed(lasting)),
        parent_id: Some(SessionId::new(parent.session_id)),
    };
    let (session_id, outcome) = api.commands.open_session(&ctx, opened).await?;
    api.made(&outcome).await?;
    let row = own_one(&api, &caller, session_id.uuid(), Permission::SessionRead).await?;
    let session = SessionResponseDto::new(row, Some(parent.session_id));
    Ok((StatusCode::CREATED, Json(SessionCreateResponseDto { session, token })))
}

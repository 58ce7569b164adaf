//! Tag `Notifications (admin)`: administrators tell people something. Mail is not served: its parts say so.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use calotype_domain::UserId;
use calotype_domain::config::SETTINGS;
use calotype_domain::config::shape::Kind;
use calotype_domain::notification::{
    NotificationKind, NotificationLevel as Level, NotificationSent, NotificationText,
};
use calotype_domain::permission::Permission;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::caller::Caller;
use crate::notifications::dto::{NotificationDto, NotificationLevel, NotificationType, load};
use crate::problem::Problem;
use crate::state::Api;
use crate::system_config::check_group;
use crate::users::dto::not_found;
use crate::validate::{Fields, wrong_type};

/// What a person is to be told.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct NotificationCreateDto {
    #[schema(value_type = Option<Object>, nullable = false)]
    data: Option<Value>,
    description: Option<String>,
    #[schema(nullable = false)]
    level: Option<NotificationLevel>,
    #[schema(format = DateTime)]
    read_at: Option<String>,
    title: String,
    #[schema(rename = "type", nullable = false)]
    kind: Option<NotificationType>,
    user_id: Uuid,
}

/// A template of a mail.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes a body that is checked field by field")]
pub(crate) struct TemplateDto {
    template: String,
}

/// A template filled in.
#[derive(Serialize, ToSchema)]
pub(crate) struct TemplateResponseDto {
    html: String,
    name: String,
}

/// The mail that was sent.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestEmailResponseDto {
    message_id: String,
}

/// How mail is sent.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked as the settings are")]
pub(crate) struct SystemConfigSmtpDto {
    enabled: bool,
    from: String,
    reply_to: String,
    transport: SystemConfigSmtpTransportDto,
}

/// Through which server mail is sent.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is checked as the settings are")]
pub(crate) struct SystemConfigSmtpTransportDto {
    host: String,
    ignore_cert: bool,
    password: String,
    #[schema(minimum = 0, maximum = 65535)]
    port: u16,
    secure: bool,
    username: String,
}

/// Names of templates, as Immich names them.
const TEMPLATES: [&str; 3] = ["welcome", "album-invite", "album-update"];

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(create_notification))
        .routes(routes!(get_notification_template_admin))
        .routes(routes!(send_test_email_admin))
}

/// Tells a person something.
#[utoipa::path(
    post,
    path = "/admin/notifications",
    operation_id = "createNotification",
    tag = "Notifications (admin)",
    request_body = NotificationCreateDto,
    responses((status = 201, body = NotificationDto)),
)]
async fn create_notification(
    State(api): State<Api>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<NotificationDto>), Problem> {
    caller.require_admin(Permission::All)?;
    let mut fields = Fields::json(&body)?;
    let data = object(&mut fields, "data");
    let description =
        if fields.is_null("description") { None } else { fields.string("description") };
    let level = fields.option("level", &Level::WORDS);
    let read_at = if fields.is_null("readAt") { None } else { fields.datetime("readAt") };
    let title = fields.required_string("title");
    let kind = fields.option("type", &NotificationKind::WORDS);
    if !fields.has("userId") {
        fields.missing("string", "userId");
    }
    let user_id = fields.uuid("userId").unwrap_or_default();
    fields.finish()?;
    api.queries.user(user_id).await?.ok_or_else(not_found)?;
    let sent = NotificationSent {
        user_id: UserId::new(user_id),
        level: level.as_deref().and_then(Level::of).unwrap_or(Level::Info),
        kind: kind.as_deref().and_then(NotificationKind::of).unwrap_or(NotificationKind::Custom),
        text: NotificationText { title, description, data }.into(),
    };
    let (id, outcome) = api.commands.notify(&caller.context(), sent).await?;
    if let Some(read_at) = read_at {
        let marked = api.notification_marks.mark(&[id], Some(read_at.to_utc())).await;
        marked.map_err(|_| Problem::unavailable())?;
    }
    api.made(&outcome).await?;
    let told = load(&api, user_id, id.uuid()).await?.ok_or_else(Problem::unavailable)?;
    Ok((StatusCode::CREATED, Json(told)))
}

/// An object, when it is there.
fn object(fields: &mut Fields, name: &str) -> Option<Map<String, Value>> {
    match fields.take(name)? {
        Value::Object(members) => Some(members),
        other => {
            fields.issue(wrong_type("record", Some(&other), &[name]));
            None
        }
    }
}

/// Shows a template of a mail, as it stands: nothing is filled in, because no mail is sent.
#[utoipa::path(
    post,
    path = "/admin/notifications/templates/{name}",
    operation_id = "getNotificationTemplateAdmin",
    tag = "Notifications (admin)",
    params(("name" = String, Path)),
    request_body = TemplateDto,
    responses((status = 200, body = TemplateResponseDto)),
)]
async fn get_notification_template_admin(
    caller: Caller,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<TemplateResponseDto>, Problem> {
    caller.require_admin(Permission::All)?;
    let mut fields = Fields::json(&body)?;
    let template = fields.required_string("template");
    fields.finish()?;
    if !TEMPLATES.contains(&name.as_str()) {
        return Err(Problem::bad_request("Invalid template name"));
    }
    Ok(Json(TemplateResponseDto { html: escaped(&template), name }))
}

/// A text as a paragraph of HTML.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<p>{text}</p>")
}

/// Refuses: this server sends no mail.
#[utoipa::path(
    post,
    path = "/admin/notifications/test-email",
    operation_id = "sendTestEmailAdmin",
    tag = "Notifications (admin)",
    request_body = SystemConfigSmtpDto,
    responses((status = 200, body = TestEmailResponseDto)),
)]
async fn send_test_email_admin(
    caller: Caller,
    body: Bytes,
) -> Result<Json<TestEmailResponseDto>, Problem> {
    caller.require_admin(Permission::All)?;
    let given: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut issues = Vec::new();
    for outer in SETTINGS.fields.iter().filter(|field| field.name == "notifications") {
        let Kind::Group(outer) = &outer.kind else { continue };
        for smtp in outer.fields {
            let Kind::Group(smtp) = &smtp.kind else { continue };
            check_group(smtp, Some(&given), &[], &mut issues);
        }
    }
    if !issues.is_empty() {
        return Err(Problem::validation(issues));
    }
    Err(Problem::bad_request("E-mail is not available on this server"))
}

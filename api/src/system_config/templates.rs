//! `GET /system-config/storage-template-options`: what a storage template may be made of.

use axum::Json;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::problem::Problem;

/// Words of a storage template, by what they stand for, and whole templates to choose from.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SystemConfigTemplateStorageOptionDto {
    year_options: Vec<&'static str>,
    month_options: Vec<&'static str>,
    week_options: Vec<&'static str>,
    day_options: Vec<&'static str>,
    hour_options: Vec<&'static str>,
    minute_options: Vec<&'static str>,
    second_options: Vec<&'static str>,
    preset_options: Vec<&'static str>,
}

/// Whole templates to choose from.
const PRESETS: [&str; 21] = [
    "{{y}}/{{y}}-{{MM}}-{{dd}}/{{filename}}",
    "{{y}}/{{MM}}-{{dd}}/{{filename}}",
    "{{y}}/{{MMMM}}-{{dd}}/{{filename}}",
    "{{y}}/{{MM}}/{{filename}}",
    "{{y}}/{{#if album}}{{album}}{{else}}Other/{{MM}}{{/if}}/{{filename}}",
    "{{#if album}}{{album-startDate-y}}/{{album}}{{else}}{{y}}/Other/{{MM}}{{/if}}/{{filename}}",
    "{{y}}/{{MMM}}/{{filename}}",
    "{{y}}/{{MMMM}}/{{filename}}",
    "{{y}}/{{MM}}/{{dd}}/{{filename}}",
    "{{y}}/{{MMMM}}/{{dd}}/{{filename}}",
    "{{y}}/{{y}}-{{MM}}/{{y}}-{{MM}}-{{dd}}/{{filename}}",
    "{{y}}-{{MM}}-{{dd}}/{{filename}}",
    "{{y}}-{{MMM}}-{{dd}}/{{filename}}",
    "{{y}}-{{MMMM}}-{{dd}}/{{filename}}",
    "{{y}}/{{y}}-{{MM}}/{{filename}}",
    "{{y}}/{{y}}-{{WW}}/{{filename}}",
    "{{y}}/{{y}}-{{MM}}-{{dd}}/{{assetId}}",
    "{{y}}/{{y}}-{{MM}}/{{assetId}}",
    "{{y}}/{{y}}-{{WW}}/{{assetId}}",
    "{{album}}/{{filename}}",
    "{{make}}/{{model}}/{{lensModel}}/{{filename}}",
];

/// Lists what a storage template may be made of.
#[utoipa::path(
    get,
    path = "/system-config/storage-template-options",
    operation_id = "getStorageTemplateOptions",
    tag = "System config",
    responses((status = 200, body = SystemConfigTemplateStorageOptionDto)),
)]
pub(super) async fn get_storage_template_options(
    caller: Caller,
) -> Result<Json<SystemConfigTemplateStorageOptionDto>, Problem> {
    caller.require_admin(Permission::SystemConfigRead)?;
    Ok(Json(SystemConfigTemplateStorageOptionDto {
        year_options: vec!["y", "yy"],
        month_options: vec!["M", "MM", "MMM", "MMMM"],
        week_options: vec!["W", "WW"],
        day_options: vec!["d", "dd"],
        hour_options: vec!["h", "hh", "H", "HH"],
        minute_options: vec!["m", "mm"],
        second_options: vec!["s", "ss", "SSS"],
        preset_options: PRESETS.to_vec(),
    }))
}

//! `GET /server/about` and `/server/apk-links`.

use axum::Json;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::version::VERSION;
use crate::caller::Caller;
use crate::problem::Problem;

/// Where Immich's releases are; its mobile apps are the ones that fit this server.
const RELEASES: &str = "https://github.com/immich-app/immich/releases";

/// The version whose interface is served. Of the tools Immich is made of none is in here.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerAboutResponseDto {
    version: String,
    version_url: String,
    licensed: bool,
    nodejs: &'static str,
    exiftool: &'static str,
    ffmpeg: &'static str,
    libvips: &'static str,
    imagemagick: &'static str,
}

/// Where to get the mobile app.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServerApkLinksDto {
    arm64v8a: String,
    armeabiv7a: String,
    universal: String,
    x86_64: String,
}

/// Says which version is served.
#[utoipa::path(
    get,
    path = "/server/about",
    operation_id = "getAboutInfo",
    tag = "Server",
    responses((status = 200, body = ServerAboutResponseDto)),
)]
pub(super) async fn get_about_info(
    caller: Caller,
) -> Result<Json<ServerAboutResponseDto>, Problem> {
    caller.require(Permission::ServerAbout)?;
    Ok(Json(ServerAboutResponseDto {
        version: format!("v{VERSION}"),
        version_url: format!("{RELEASES}/tag/v{VERSION}"),
        licensed: false,
        nodejs: "",
        exiftool: "",
        ffmpeg: "",
        libvips: "",
        imagemagick: "",
    }))
}

/// Links to the Android app of the served version.
#[utoipa::path(
    get,
    path = "/server/apk-links",
    operation_id = "getApkLinks",
    tag = "Server",
    responses((status = 200, body = ServerApkLinksDto)),
)]
pub(super) async fn get_apk_links(caller: Caller) -> Result<Json<ServerApkLinksDto>, Problem> {
    caller.require(Permission::ServerApkLinks)?;
    let link = |name: &str| format!("{RELEASES}/download/v{VERSION}/app{name}-release.apk");
    Ok(Json(ServerApkLinksDto {
        arm64v8a: link("-arm64-v8a"),
        armeabiv7a: link("-armeabi-v7a"),
        universal: link(""),
        x86_64: link("-x86_64"),
    }))
}

//! `GET /server/about` and `/server/apk-links`.

use axum::Json;
use axum::extract::State;
use calotype_domain::permission::Permission;
use serde::Serialize;
use utoipa::ToSchema;

use super::version::VERSION;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Where Immich's releases are; its mobile apps are the ones that fit this server.
const RELEASES: &str = "https://github.com/immich-app/immich/releases";

/// The version whose interface is served. Of the tools Immich is made of none is in here.
#[derive(Default, Serialize, ToSchema)]
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
    // Where a build of Immich comes from; of ours there is nothing to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build_image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build_image_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    build_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    third_party_bug_feature_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    third_party_documentation_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    third_party_source_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    third_party_support_url: Option<String>,
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
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<ServerAboutResponseDto>, Problem> {
    caller.require(Permission::ServerAbout)?;
    let licensed = api.queries.settings().await?.license.is_some();
    Ok(Json(ServerAboutResponseDto {
        version: format!("v{VERSION}"),
        version_url: format!("{RELEASES}/tag/v{VERSION}"),
        licensed,
        nodejs: "",
        exiftool: "",
        ffmpeg: "",
        libvips: "",
        imagemagick: "",
        ..ServerAboutResponseDto::default()
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

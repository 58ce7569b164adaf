//! The whole document, with Immich's defaults.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What a person prefers.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserPreferencesResponseDto {
    albums: AlbumsResponse,
    folders: FoldersResponse,
    memories: MemoriesResponse,
    people: PeopleResponse,
    shared_links: SharedLinksResponse,
    ratings: RatingsResponse,
    tags: TagsResponse,
    email_notifications: EmailNotificationsResponse,
    download: DownloadResponse,
    purchase: PurchaseResponse,
    cast: CastResponse,
    recently_added: RecentlyAddedResponse,
}

macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub(crate) struct $name { $($field: $kind),+ }
    )+};
}

sections! {
    /// Albums.
    AlbumsResponse { default_asset_order: String }
    /// The view by folders.
    FoldersResponse { enabled: bool, sidebar_web: bool }
    /// Memories; `duration` is in seconds per memory.
    MemoriesResponse { enabled: bool, duration: i64 }
    /// People.
    PeopleResponse { enabled: bool, sidebar_web: bool, minimum_faces: i64 }
    /// Shared links.
    SharedLinksResponse { enabled: bool, sidebar_web: bool }
    /// Stars.
    RatingsResponse { enabled: bool }
    /// Tags.
    TagsResponse { enabled: bool, sidebar_web: bool }
    /// Mail.
    EmailNotificationsResponse { enabled: bool, album_invite: bool, album_update: bool }
    /// Archives; `archiveSize` is in bytes.
    DownloadResponse { archive_size: i64, include_embedded_videos: bool }
    /// The offer to support Immich's makers, which its clients show.
    PurchaseResponse { show_support_badge: bool, hide_buy_button_until: String }
    /// Casting to a television.
    CastResponse { g_cast_enabled: bool }
    /// The view by upload.
    RecentlyAddedResponse { sidebar_web: bool }
}

impl UserPreferencesResponseDto {
    /// With how many faces somebody without a name is listed.
    pub(super) fn minimum_faces(&self) -> i64 {
        self.people.minimum_faces
    }

    /// Whether films that were taken out of stills are downloaded with them.
    pub(super) fn with_embedded_films(&self) -> bool {
        self.download.include_embedded_videos
    }
}

impl Default for UserPreferencesResponseDto {
    fn default() -> Self {
        Self {
            albums: AlbumsResponse { default_asset_order: "desc".into() },
            folders: FoldersResponse { enabled: false, sidebar_web: false },
            memories: MemoriesResponse { enabled: true, duration: 5 },
            people: PeopleResponse { enabled: true, sidebar_web: false, minimum_faces: 3 },
            shared_links: SharedLinksResponse { enabled: true, sidebar_web: false },
            ratings: RatingsResponse { enabled: false },
            tags: TagsResponse { enabled: false, sidebar_web: false },
            email_notifications: EmailNotificationsResponse {
                enabled: true,
                album_invite: true,
                album_update: true,
            },
            download: DownloadResponse { archive_size: 4 << 30, include_embedded_videos: false },
            purchase: PurchaseResponse {
                show_support_badge: true,
                hide_buy_button_until: "2022-02-12T00:00:00.000Z".into(),
            },
            cast: CastResponse { g_cast_enabled: false },
            recently_added: RecentlyAddedResponse { sidebar_web: false },
        }
    }
}

/// The defaults with what a person changed laid over them.
pub(super) fn of(changed: &Value) -> Result<UserPreferencesResponseDto, serde_json::Error> {
    let mut document = serde_json::to_value(UserPreferencesResponseDto::default())?;
    lay_over(&mut document, changed);
    serde_json::from_value(document)
}

fn lay_over(document: &mut Value, changed: &Value) {
    match (document, changed) {
        (Value::Object(document), Value::Object(changed)) => {
            for (name, value) in changed {
                lay_over(document.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (document, value) => *document = value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_are_those_recorded() {
        assert_eq!(
            serde_json::to_string(&of(&json!({})).unwrap()).unwrap(),
            concat!(
                r#"{"albums":{"defaultAssetOrder":"desc"},"folders":{"enabled":false,"sidebarWeb":false},"#,
                r#""memories":{"enabled":true,"duration":5},"people":{"enabled":true,"sidebarWeb":false,"minimumFaces":3},"#,
                r#""sharedLinks":{"enabled":true,"sidebarWeb":false},"ratings":{"enabled":false},"#,
                r#""tags":{"enabled":false,"sidebarWeb":false},"#,
                r#""emailNotifications":{"enabled":true,"albumInvite":true,"albumUpdate":true},"#,
                r#""download":{"archiveSize":4294967296,"includeEmbeddedVideos":false},"#,
                r#""purchase":{"showSupportBadge":true,"hideBuyButtonUntil":"2022-02-12T00:00:00.000Z"},"#,
                r#""cast":{"gCastEnabled":false},"recentlyAdded":{"sidebarWeb":false}}"#,
            )
        );
    }

    #[test]
    fn one_change_leaves_the_rest() {
        let document = of(&json!({ "memories": { "enabled": false } })).unwrap();
        assert!(!document.memories.enabled);
        assert_eq!(document.memories.duration, 5);
    }
}

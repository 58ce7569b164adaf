//! What the fields of an object were before an event and became by it, as far as its events tell: a table of which
//! event says what about which field.
//!
//! Lists without bound (what is in an album) are not kept: their events say what was put in or taken out. What
//! follows from files and models is no field: its events tell it themselves.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Fields of one object that are remembered; further ones have no `before`.
const FIELDS_MAX: usize = 2_000;

/// What an event says about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// It is on or off.
    Is(&'static str, bool),
    /// It has no value of its own any more.
    Nothing(&'static str),
    /// Its value is this member of the event.
    Member(&'static str, &'static str),
    /// Its value is a member of this member.
    Within(&'static str, &'static str, &'static str),
    /// One field for each value of this member, such as each tag: whether it is there.
    Each(&'static str, &'static str, bool),
    /// One field for each value of the first member, such as each user: its value is the second.
    EachIs(&'static str, &'static str, &'static str),
}

use Says::{Each, EachIs, Is, Member, Nothing, Within};

const ALBUM: &[Says] = &[
    Within("name", "text", "name"),
    Within("description", "text", "description"),
    DELETED_NOT,
    Member("order", "order"),
];
const DELETED_NOT: Says = Is("deleted", false);
const LINK: &[Says] = &[
    Member("expiresAt", "expires_at"),
    Member("description", "description"),
    Member("slug", "slug"),
    Member("switches", "switches"),
    DELETED_NOT,
];
const PERSON: &[Says] = &[
    Member("name", "name"),
    Member("birthDate", "birth_date"),
    Member("isHidden", "is_hidden"),
    Member("isFavorite", "is_favorite"),
    Member("color", "color"),
    DELETED_NOT,
];
const DATE: &[Says] =
    &[Member("localDateTime", "local_date_time"), Member("timeZone", "time_zone")];

/// What an event says about fields; nothing for one that says something else.
fn says(event_type: &str) -> &'static [Says] {
    match event_type {
        "AlbumActivityDisabled" => &[Is("activity", false)],
        "AlbumActivityEnabled" => &[Is("activity", true)],
        "AlbumCoverChosen" => &[Member("cover", "asset_id")],
        "AlbumCoverReset" => &[Nothing("cover")],
        "AlbumCreated" | "AlbumRestored" => ALBUM,
        "AlbumDeleted" | "SharedLinkRevoked" | "PersonDeleted" | "UserDeleted" => {
            &[Is("deleted", true)]
        }
        "AlbumRenamed" | "PersonNamed" | "UserRenamed" => &[Member("name", "name")],
        "AlbumOrderChanged" => &[Member("order", "order")],
        "AlbumUserAdded" | "AlbumUserRoleChanged" => &[EachIs("users", "user_id", "role")],
        "AlbumUserRemoved" => &[Each("users", "user_id", false)],
        "AlbumDescriptionChanged"
        | "SharedLinkDescriptionChanged"
        | "AssetDescriptionChanged"
        | "AssetDescriptionReverted" => &[Member("description", "description")],
        "SharedLinkCreated" | "SharedLinkRestored" => LINK,
        "SharedLinkExpiryChanged" => &[Member("expiresAt", "expires_at")],
        "SharedLinkSlugChanged" => &[Member("slug", "slug")],
        "SharedLinkSwitchesChanged" => &[Member("switches", "switches")],
        "AssetUploaded" => &[
            Member("isFavorite", "is_favorite"),
            Member("visibility", "visibility"),
            Is("trashed", false),
        ],
        "AssetImported" => &[Member("path", "path"), Is("trashed", false)],
        "AssetRelocated" => &[Member("path", "path")],
        "AssetDateChanged" | "AssetDateReverted" => DATE,
        "AssetLocationChanged" | "AssetLocationReverted" => &[Member("position", "position")],
        "AssetRatingChanged" | "AssetRatingReverted" => &[Member("rating", "rating")],
        "AssetVisibilityChanged" => &[Member("visibility", "visibility")],
        "AssetFavorited" | "PersonFavorited" => &[Is("isFavorite", true)],
        "AssetUnfavorited" | "PersonUnfavorited" => &[Is("isFavorite", false)],
        "AssetEdited" => &[Member("edits", "edits")],
        "AssetEditsRemoved" => &[Nothing("edits")],
        "AssetTagged" | "AssetTaggedByFile" => &[Each("tags", "tag_id", true)],
        "AssetUntagged" | "AssetUntaggedByFile" => &[Each("tags", "tag_id", false)],
        "AssetStacked" => &[Member("stack", "stack_id")],
        "AssetUnstacked" => &[Nothing("stack")],
        "AssetDuplicatesFound" => &[Member("duplicates", "duplicate_id")],
        "AssetDuplicatesDismissed" => &[Nothing("duplicates")],
        "AssetFilmLinked" => &[Member("film", "film_id")],
        "AssetFilmUnlinked" => &[Nothing("film")],
        "AssetWentOffline" => &[Is("offline", true)],
        "AssetCameOnline" => &[Is("offline", false)],
        "AssetTrashed" => &[Is("trashed", true)],
        "AssetRestored" => &[Is("trashed", false)],
        "PersonRestored" | "PersonCreated" => PERSON,
        "PersonBirthDateChanged" => &[Member("birthDate", "birth_date")],
        "PersonColorChanged" => &[Member("color", "color")],
        "PersonFeatureFaceChosen" => &[Member("featureFace", "face_id")],
        "PersonFeatureFaceReset" => &[Nothing("featureFace")],
        "PersonHidden" => &[Is("isHidden", true)],
        "PersonShown" => &[Is("isHidden", false)],
        "PersonMergedInto" => &[Member("mergedInto", "into_id")],
        "PersonsMerged" => &[Each("standsFor", "absorbed_id", true)],
        "PersonsParted" => &[Each("standsFor", "absorbed_id", false)],
        "UserRegistered" => &[
            Within("name", "profile", "name"),
            Within("email", "profile", "email"),
            Member("isAdmin", "is_admin"),
            Member("avatarColor", "avatar_color"),
            Member("storageLabel", "storage_label"),
            Member("quotaSizeBytes", "quota_size_bytes"),
            Member("shouldChangePassword", "should_change_password"),
            DELETED_NOT,
        ],
        "UserEmailChanged" => &[Member("email", "email")],
        "UserAdminGranted" => &[Is("isAdmin", true)],
        "UserAdminRevoked" => &[Is("isAdmin", false)],
        "UserAvatarColorChanged" => &[Member("avatarColor", "avatar_color")],
        "UserStorageLabelChanged" => &[Member("storageLabel", "storage_label")],
        "UserQuotaChanged" => &[Member("quotaSizeBytes", "quota_size_bytes")],
        "UserPasswordChangeRequired" => &[Member("shouldChangePassword", "required")],
        "UserPinSet" => &[Is("pin", true)],
        "UserPinRemoved" => &[Is("pin", false)],
        "UserOnboarded" => &[Is("onboarded", true)],
        "UserOnboardingReset" => &[Is("onboarded", false)],
        "UserRestored" => &[DELETED_NOT],
        "BatchOpened" => &[Is("closed", false)],
        "BatchClosed" => &[Is("closed", true)],
        "BatchRolledBack" => &[Member("rolledBack", "is_done")],
        _ => &[],
    }
}

/// The fields of one object while its events are read in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    known: BTreeMap<String, Value>,
}

/// What an event changed: the fields as they were, where that is known, and as they became.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// The values before, of those fields whose value was known.
    pub before: Map<String, Value>,
    /// The values after.
    pub after: Map<String, Value>,
}

impl Fields {
    /// Takes in the next event of the object.
    pub(super) fn take(&mut self, event_type: &str, data: &Value) -> Change {
        let change = after(event_type, data);
        let mut before = Map::new();
        for (name, value) in &change.after {
            if let Some(known) = self.known.get(name) {
                before.insert(name.clone(), known.clone());
            }
            if self.known.contains_key(name) || self.known.len() < FIELDS_MAX {
                self.known.insert(name.clone(), value.clone());
            }
        }
        Change { before, ..change }
    }
}

/// What the fields became by one event alone.
pub(super) fn after(event_type: &str, data: &Value) -> Change {
    let mut after = Map::new();
    for says in says(event_type) {
        let (name, value) = match *says {
            Is(name, is) => (name.to_owned(), Value::Bool(is)),
            Nothing(name) => (name.to_owned(), Value::Null),
            Member(name, member) => (name.to_owned(), opened(&data[member])),
            Within(name, member, inner) => {
                let whole = opened(&data[member]);
                let is_forgotten = whole.get("$forgotten").is_some();
                (name.to_owned(), if is_forgotten { whole } else { opened(&whole[inner]) })
            }
            Each(name, member, is) => (keyed(name, &data[member]), Value::Bool(is)),
            EachIs(name, key, member) => (keyed(name, &data[key]), opened(&data[member])),
        };
        after.insert(name, value);
    }
    Change { before: Map::new(), after }
}

fn keyed(name: &str, key: &Value) -> String {
    format!("{name}.{}", key.as_str().unwrap_or_default())
}

/// A personal value without its mark; a forgotten one keeps it.
fn opened(value: &Value) -> Value {
    value.get("$seal").unwrap_or(value).clone()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use calotype_domain::catalogue;
    use serde_json::json;

    use super::*;

    /// Events that say nothing about a field of their object: lists, work, and what follows from files and models.
    const NO_FIELD: &str = "
        AlbumAssetsAdded AlbumAssetsRemoved AlbumPurged AssetEditedPicturesRecorded AssetEmbedded
        AssetFacesSearched AssetFailureDismissed AssetFileChanged AssetFileDeleted AssetFullSizeRecorded
        AssetKeyValueRemoved AssetKeyValueSet AssetLivePartsFound AssetMetadataRecorded AssetOriginalMoved
        AssetOriginalRestored AssetPlaceFound AssetProcessingFailed AssetProcessingRequested AssetPurged
        AssetSidecarRefused AssetSidecarReplaced AssetSidecarWritten AssetTextRead AssetThumbnailsRecorded
        AssetVideoEncoded AssetVideoEncodingSkipped BatchCommitted PersonThumbnailFailed
        PersonThumbnailRecorded SharedLinkAssetsAdded SharedLinkAssetsRemoved SharedLinkPasswordChanged
        UserLicenseEntered UserLicenseRemoved UserPasswordChanged UserPreferencesChanged
        UserPreferencesReverted UserProfileImageChanged UserProfileImageRemoved UserPurged";

    #[test]
    fn every_event_of_what_has_a_history_says_what_it_changes_or_is_listed() {
        let silent: BTreeSet<&str> = NO_FIELD.split_whitespace().collect();
        let mut seen = BTreeSet::new();
        for (aggregate, event_type, _, schema) in catalogue::schemas() {
            if !["asset", "album", "shared_link", "person", "user", "batch"].contains(&aggregate) {
                continue;
            }
            let said = says(event_type);
            assert_eq!(said.is_empty(), silent.contains(event_type), "{event_type}");
            seen.insert(event_type);
            let schema = serde_json::to_value(schema).unwrap();
            let has = |member: &str| schema["properties"].get(member).is_some();
            for one in said {
                let is_there = match *one {
                    Is(..) | Nothing(_) => true,
                    Member(_, member) | Within(_, member, _) | Each(_, member, _) => has(member),
                    EachIs(_, key, member) => has(key) && has(member),
                };
                assert!(is_there, "{event_type} has no member of {one:?}");
            }
        }
        assert!(silent.is_subset(&seen), "no events: {:?}", silent.difference(&seen));
    }

    #[test]
    fn a_field_is_told_as_it_was_and_as_it_became() {
        let mut fields = Fields::default();
        let text = json!({ "text": { "$seal": { "name": "Lake", "description": "" } } });
        let made = fields.take("AlbumCreated", &text);
        assert!(made.before.is_empty());
        assert_eq!(made.after["name"], "Lake");
        let renamed = fields.take("AlbumRenamed", &json!({ "name": { "$seal": "Sea" } }));
        assert_eq!(renamed.before, *json!({ "name": "Lake" }).as_object().unwrap());
        assert_eq!(renamed.after, *json!({ "name": "Sea" }).as_object().unwrap());
        let again = fields.take("AlbumRenamed", &json!({ "name": { "$forgotten": true } }));
        assert_eq!(again.before["name"], "Sea");
        assert_eq!(again.after["name"], json!({ "$forgotten": true }));
    }

    #[test]
    fn each_member_of_an_album_is_a_field() {
        let mut fields = Fields::default();
        fields.take("AlbumUserAdded", &json!({ "user_id": "u", "role": "viewer" }));
        let change =
            fields.take("AlbumUserRoleChanged", &json!({ "user_id": "u", "role": "editor" }));
        assert_eq!(change.before, *json!({ "users.u": "viewer" }).as_object().unwrap());
        assert_eq!(change.after, *json!({ "users.u": "editor" }).as_object().unwrap());
        let gone = fields.take("AlbumUserRemoved", &json!({ "user_id": "u" }));
        assert_eq!(gone.before["users.u"], "editor");
        assert_eq!(gone.after["users.u"], false);
    }
}

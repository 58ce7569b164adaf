//! Whatever an event changed, taking it back leaves nothing to take back; for every type that goes back.

mod assets;

use std::collections::BTreeSet;

use chrono::DateTime;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Asked, Row, States, Undo, Way};
use crate::activity::Activity;
use crate::album::Album;
use crate::config::Config;
use crate::event::{Aggregate, DomainEvent};
use crate::faces::Faces;
use crate::id::UserId;
use crate::memory::Memory;
use crate::partner::Partner;
use crate::person::Person;
use crate::shared_link::SharedLink;
use crate::stack::Stack;
use crate::tag::Tag;
use crate::user::User;

/// An id that is easy to tell.
fn id(number: u128) -> Value {
    json!(Uuid::from_u128(number))
}

#[expect(clippy::needless_pass_by_value, reason = "given as it is written down, without a borrow")]
fn seal(value: Value) -> Value {
    json!({ "$seal": value })
}

/// What happened before, and what is taken back.
type Sample = (Vec<(&'static str, Value)>, (&'static str, Value));

fn sample(given: &[&(&'static str, Value)], event: &'static str, payload: Value) -> Sample {
    (given.iter().map(|it| (*it).clone()).collect(), (event, payload))
}

fn decode<A: Aggregate>((event_type, payload): &(&'static str, Value)) -> A::Event {
    A::Event::from_raw(event_type, 1, &payload.to_string())
        .unwrap_or_else(|error| panic!("{event_type} {payload}: {error}"))
}

/// Takes each sample back, and looks that every type that goes back was tried.
fn go_back<A: Undo>(ways: &[Row], samples: Vec<Sample>) {
    let asked = Asked { by: UserId::new(Uuid::from_u128(1)), began_at: DateTime::UNIX_EPOCH };
    let mut tried = BTreeSet::new();
    for (given, event) in samples {
        let mut before = A::default();
        given.iter().for_each(|event| before.evolve(&decode::<A>(event)));
        let mut after = before.clone();
        after.evolve(&decode::<A>(&event));
        let states = States { before, now: after.clone(), after };
        let plan = A::undo(&states, &asked);
        assert!(!plan.undone.is_empty() && plan.changed_since.is_empty(), "{event:?}");
        let way = ways.iter().find(|row| row.event == event.0).map(|row| row.way);
        let Some(Way::Back { by, .. }) = way else { panic!("{event:?} does not go back") };
        let mut now = states.after.clone();
        for back in &plan.events {
            now.evolve(back);
        }
        let first = plan.events.first().map(|back| back.kind().0).unwrap_or_default();
        assert!(by.contains(&first), "{first} is not what the table says of {event:?}");
        let again = A::undo(&States { now, ..states }, &asked);
        assert!(again.undone.is_empty(), "{event:?} leaves {:?}", again.undone);
        assert!(again.changed_since.is_empty(), "{event:?} changed {:?}", again.changed_since);
        tried.insert(event.0);
    }
    let told: BTreeSet<&str> = ways
        .iter()
        .filter(|row| matches!(row.way, Way::Back { .. }))
        .map(|row| row.event)
        .collect();
    assert_eq!(tried, told);
}

#[test]
fn albums_go_back() {
    let text = || seal(json!({ "name": "Summer", "description": "" }));
    let made = ("AlbumCreated", json!({ "owner_id": id(1), "text": text(), "order": "desc" }));
    let filled = ("AlbumAssetsAdded", json!({ "by": id(1), "asset_ids": [id(10), id(11)] }));
    let shared = ("AlbumUserAdded", json!({ "user_id": id(2), "role": "viewer" }));
    let covered = ("AlbumCoverChosen", json!({ "asset_id": id(11) }));
    let quiet = ("AlbumActivityDisabled", json!({}));
    let gone = ("AlbumDeleted", json!({}));
    let anew = json!({
        "owner_id": id(1), "text": text(), "order": "desc", "created_at": "2026-01-01T00:00:00Z"
    });
    let all = [&made, &filled, &shared, &covered, &quiet];
    go_back::<Album>(
        crate::album::WAYS,
        vec![
            sample(&[], "AlbumCreated", made.1.clone()),
            sample(&all, "AlbumDeleted", json!({})),
            sample(&[&made, &gone], "AlbumRestored", anew),
            sample(&all, "AlbumRenamed", json!({ "name": seal(json!("Winter")) })),
            sample(&all, "AlbumDescriptionChanged", json!({ "description": seal(json!("x")) })),
            sample(&all, "AlbumOrderChanged", json!({ "order": "asc" })),
            sample(&[&made], "AlbumActivityDisabled", json!({})),
            sample(&all, "AlbumActivityEnabled", json!({})),
            sample(&[&made, &filled], "AlbumCoverChosen", covered.1.clone()),
            sample(&all, "AlbumCoverReset", json!({})),
            sample(&[&made], "AlbumAssetsAdded", filled.1.clone()),
            // The cover goes with its asset, and comes back with it.
            sample(&all, "AlbumAssetsRemoved", json!({ "by": id(1), "asset_ids": [id(11)] })),
            sample(&[&made], "AlbumUserAdded", shared.1.clone()),
            sample(&all, "AlbumUserRemoved", json!({ "user_id": id(2) })),
            sample(&all, "AlbumUserRoleChanged", json!({ "user_id": id(2), "role": "editor" })),
        ],
    );
}

#[test]
fn links_go_back() {
    let switches = |down: bool| json!({ "allow_upload": false, "allow_download": down, "show_metadata": true });
    let link = json!({
        "owner_id": id(1), "target": { "assets": [id(10), id(11)] }, "switches": switches(true),
        "expires_at": null, "key": seal(json!("key")), "slug": seal(json!("slug")),
        "password_hash": seal(json!("hash")), "description": seal(Value::Null),
    });
    let made = ("SharedLinkCreated", link.clone());
    let gone = ("SharedLinkRevoked", json!({}));
    let mut anew = link.clone();
    anew["created_at"] = json!("2026-01-01T00:00:00Z");
    let of = [&made];
    go_back::<SharedLink>(
        crate::shared_link::WAYS,
        vec![
            sample(&[], "SharedLinkCreated", link),
            sample(&of, "SharedLinkRevoked", json!({})),
            sample(&[&made, &gone], "SharedLinkRestored", anew),
            sample(&of, "SharedLinkAssetsAdded", json!({ "asset_ids": [id(12)] })),
            sample(&of, "SharedLinkAssetsRemoved", json!({ "asset_ids": [id(10)] })),
            sample(&of, "SharedLinkDescriptionChanged", json!({ "description": seal(json!("x")) })),
            sample(&of, "SharedLinkExpiryChanged", json!({ "expires_at": "2027-01-01T00:00:00Z" })),
            sample(&of, "SharedLinkPasswordChanged", json!({ "password_hash": seal(Value::Null) })),
            sample(&of, "SharedLinkSlugChanged", json!({ "slug": seal(Value::Null) })),
            sample(&of, "SharedLinkSwitchesChanged", json!({ "switches": switches(false) })),
        ],
    );
}

#[test]
fn people_go_back() {
    let person = json!({
        "owner_id": id(1), "name": seal(json!("Anna")), "birth_date": seal(json!("1990-05-01")),
        "is_hidden": false, "is_favorite": false, "color": null,
    });
    let made = ("PersonCreated", person.clone());
    let face = ("PersonFeatureFaceChosen", json!({ "asset_id": id(10), "face_id": id(20) }));
    let hidden = ("PersonHidden", json!({}));
    let favorite = ("PersonFavorited", json!({}));
    let absorbed = ("PersonsMerged", json!({ "absorbed_id": id(5) }));
    let merged = ("PersonMergedInto", json!({ "into_id": id(6) }));
    let mut anew = person.clone();
    anew["feature_face"] = Value::Null;
    anew["created_at"] = json!("2026-01-01T00:00:00Z");
    anew["stand_for"] = json!([]);
    let all = [&made, &face, &hidden, &favorite, &absorbed];
    go_back::<Person>(
        crate::person::WAYS,
        vec![
            sample(&[], "PersonCreated", person),
            sample(&all, "PersonDeleted", json!({})),
            sample(&all, "PersonMergedInto", merged.1.clone()),
            sample(&[&made, &merged], "PersonRestored", anew),
            sample(&[&made], "PersonsMerged", absorbed.1.clone()),
            sample(&all, "PersonsParted", json!({ "absorbed_id": id(5) })),
            sample(&all, "PersonNamed", json!({ "name": seal(json!("Bert")) })),
            sample(&all, "PersonBirthDateChanged", json!({ "birth_date": seal(Value::Null) })),
            sample(&all, "PersonColorChanged", json!({ "color": "#fff" })),
            sample(&[&made], "PersonHidden", json!({})),
            sample(&all, "PersonShown", json!({})),
            sample(&[&made], "PersonFavorited", json!({})),
            sample(&all, "PersonUnfavorited", json!({})),
            sample(&[&made], "PersonFeatureFaceChosen", face.1.clone()),
            sample(&all, "PersonFeatureFaceReset", json!({})),
        ],
    );
}

#[test]
fn faces_go_back() {
    let area = || seal(json!({ "left": 0.1, "top": 0.1, "right": 0.3, "bottom": 0.3 }));
    let size = || json!({ "width": 100, "height": 100 });
    let face = json!({ "face_id": id(20), "area": area(), "size": size(), "person_id": id(5) });
    let drawn = ("FaceDrawn", face.clone());
    let of = |person: u128| json!({ "face_id": id(20), "area": area(), "person_id": id(person) });
    let removed = ("FaceRemoved", json!({ "face_id": id(20), "area": area() }));
    let withdrawn = json!({ "face_id": id(20), "removed": seal(json!([])), "rejected": [] });
    let anew = json!({
        "face_id": id(20), "area": area(), "size": size(), "person_id": id(5), "is_drawn": true,
        "is_confirmed": true, "rejected": [id(7)],
    });
    go_back::<Faces>(
        crate::faces::WAYS,
        vec![
            sample(&[], "FaceDrawn", face),
            sample(&[&drawn], "FaceConfirmed", of(6)),
            sample(&[&drawn], "FaceRejected", of(5)),
            sample(&[&drawn], "FaceRemoved", removed.1.clone()),
            sample(&[&drawn, &removed], "FaceRestored", anew),
            sample(&[&drawn], "FaceWithdrawn", withdrawn),
        ],
    );
}

#[test]
fn partners_go_back() {
    let pair = json!({ "shared_by_id": id(1), "shared_with_id": id(2) });
    let made = ("PartnerAdded", pair.clone());
    let gone = ("PartnerRemoved", json!({}));
    let mut anew = pair.clone();
    anew["in_timeline"] = json!(false);
    // Whether it shows is decided by who sees it.
    let seen = ("PartnerAdded", json!({ "shared_by_id": id(2), "shared_with_id": id(1) }));
    go_back::<Partner>(
        crate::partner::WAYS,
        vec![
            sample(&[], "PartnerAdded", pair),
            sample(&[&made], "PartnerRemoved", json!({})),
            sample(&[&made, &gone], "PartnerRestored", anew),
            sample(&[&seen], "PartnerTimelineChanged", json!({ "in_timeline": true })),
        ],
    );
}

#[test]
fn comments_and_likes_go_back() {
    let target = || json!({ "album_id": id(9), "asset_id": null });
    let said = json!({ "target": target(), "user_id": id(1), "comment": seal(json!("Nice")) });
    let comment = ("ActivityCommented", said.clone());
    let gone = ("ActivityDeleted", json!({ "by": id(1) }));
    let anew = json!({
        "target": target(), "user_id": id(1), "comment": seal(json!("Nice")),
        "created_at": "2026-01-01T00:00:00Z",
    });
    let liked = json!({ "target": target(), "user_id": id(1) });
    go_back::<Activity>(
        crate::activity::WAYS,
        vec![
            sample(&[], "ActivityCommented", said),
            sample(&[], "ActivityLiked", liked),
            sample(&[&comment], "ActivityDeleted", gone.1.clone()),
            sample(&[&comment, &gone], "ActivityRestored", anew),
        ],
    );
}

#[test]
fn settings_go_back() {
    let days = ("ConfigChanged", json!({ "set": { "trash.days": 3 }, "unset": [] }));
    let license =
        || json!({ "license": seal(json!({ "license_key": "IMSV-x", "activation_key": "y" })) });
    let entered = ("ConfigLicenseEntered", license());
    let onboarded = ("ConfigOnboarded", json!({}));
    let secret = json!({ "set": seal(json!({ "oauth.clientSecret": "hush" })), "unset": [] });
    go_back::<Config>(
        crate::config::WAYS,
        vec![
            sample(&[], "ConfigChanged", days.1.clone()),
            sample(&[&days], "ConfigChanged", json!({ "set": {}, "unset": ["trash.days"] })),
            sample(&[], "ConfigSecretsChanged", secret),
            sample(&[], "ConfigLicenseEntered", license()),
            sample(&[&entered], "ConfigLicenseRemoved", json!({})),
            sample(&[], "ConfigOnboarded", json!({})),
            sample(&[&onboarded], "ConfigOnboardingReset", json!({})),
        ],
    );
}

#[test]
fn accounts_go_back() {
    let account = (
        "UserRegistered",
        json!({
            "profile": seal(json!({ "email": "a@b.c", "name": "A" })),
            "password_hash": seal(json!("hash")), "is_admin": false,
            "should_change_password": false, "avatar_color": "red",
            "storage_label": seal(Value::Null), "quota_size_bytes": null,
        }),
    );
    let chosen = json!({ "changes": { "memories": { "enabled": false } } });
    let changed = ("UserPreferencesChanged", chosen.clone());
    let reverted = json!({ "set": {}, "unset": ["memories.enabled"] });
    let license =
        || json!({ "license": seal(json!({ "license_key": "IMCL-x", "activation_key": "y" })) });
    let entered = ("UserLicenseEntered", license());
    let onboarded = ("UserOnboarded", json!({}));
    let deleted = ("UserDeleted", json!({ "force": false }));
    let of = [&account];
    go_back::<User>(
        crate::user::WAYS,
        vec![
            sample(&of, "UserRenamed", json!({ "name": seal(json!("B")) })),
            sample(&of, "UserEmailChanged", json!({ "email": seal(json!("b@b.c")) })),
            sample(&of, "UserAvatarColorChanged", json!({ "avatar_color": "blue" })),
            sample(&of, "UserQuotaChanged", json!({ "quota_size_bytes": 5 })),
            sample(&of, "UserStorageLabelChanged", json!({ "storage_label": seal(json!("a")) })),
            sample(&of, "UserPreferencesChanged", chosen),
            sample(&[&account, &changed], "UserPreferencesReverted", reverted),
            sample(&of, "UserLicenseEntered", license()),
            sample(&[&account, &entered], "UserLicenseRemoved", json!({})),
            sample(&of, "UserOnboarded", json!({})),
            sample(&[&account, &onboarded], "UserOnboardingReset", json!({})),
            sample(&of, "UserDeleted", deleted.1.clone()),
            sample(&[&account, &deleted], "UserRestored", json!({})),
        ],
    );
}

#[test]
fn what_assets_are_put_in_order_by_goes_back() {
    let tag =
        ("TagCreated", json!({ "owner_id": id(1), "value": seal(json!("a")), "color": null }));
    let gone = ("TagDeleted", json!({}));
    go_back::<Tag>(
        crate::tag::WAYS,
        vec![
            sample(&[&tag], "TagColorChanged", json!({ "color": "#fff" })),
            sample(&[&tag], "TagDeleted", json!({})),
            sample(&[&tag, &gone], "TagRestored", json!({})),
        ],
    );
    let assets = json!([id(10), id(11), id(12)]);
    let stack = ("StackCreated", json!({ "owner_id": id(1), "asset_ids": assets }));
    let apart = ("StackDissolved", json!({}));
    let again = json!({ "asset_ids": assets, "primary_asset_id": id(10) });
    go_back::<Stack>(
        crate::stack::WAYS,
        vec![
            sample(&[], "StackCreated", stack.1.clone()),
            sample(&[&stack], "StackAssetAdded", json!({ "asset_id": id(13) })),
            sample(&[&stack], "StackAssetRemoved", json!({ "asset_id": id(12) })),
            sample(&[&stack], "StackPrimaryChanged", json!({ "primary_asset_id": id(11) })),
            sample(&[&stack], "StackDissolved", json!({})),
            sample(&[&stack, &apart], "StackRestored", again),
        ],
    );
}

#[test]
fn memories_go_back() {
    let day = json!({
        "owner_id": id(1), "on_this_day": { "year": 2020 },
        "memory_at": "2020-01-01T00:00:00Z", "show_at": null, "hide_at": null, "seen_at": null,
        "is_saved": false, "asset_ids": [id(10), id(11)],
    });
    let made = ("MemoryCreated", day.clone());
    let saved = ("MemorySaved", json!({}));
    let gone = ("MemoryDeleted", json!({}));
    let of = [&made];
    go_back::<Memory>(
        crate::memory::WAYS,
        vec![
            sample(&[], "MemoryCreated", day),
            sample(&of, "MemoryAssetsAdded", json!({ "asset_ids": [id(12)] })),
            sample(&of, "MemoryAssetsRemoved", json!({ "asset_ids": [id(10)] })),
            sample(&of, "MemoryDateChanged", json!({ "memory_at": "2021-01-01T00:00:00Z" })),
            sample(&of, "MemoryDeleted", json!({})),
            sample(&[&made, &gone], "MemoryRestored", json!({})),
            sample(&of, "MemorySaved", json!({})),
            sample(&[&made, &saved], "MemoryUnsaved", json!({})),
        ],
    );
}

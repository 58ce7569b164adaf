//! The rules of access, one fact a test.

use uuid::Uuid;

use super::*;
use crate::id::SharedLinkId;

const OWNER: UserId = UserId::new(Uuid::from_u128(1));
const NO_ACCESS: Result<(), Denied> = Err(Denied::NoAccess);

fn viewer(user: u128, grant: Grant) -> Viewer {
    Viewer { user_id: UserId::new(Uuid::from_u128(user)), is_admin: false, grant }
}

fn session(user: u128) -> Viewer {
    viewer(user, Grant::Session { elevated: false })
}

fn link(allow_download: bool, allow_upload: bool) -> Viewer {
    let link_id = SharedLinkId::new(Uuid::from_u128(9));
    viewer(1, Grant::SharedLink { link_id, allow_download, allow_upload, show_metadata: true })
}

fn asset(visibility: Visibility) -> Object {
    reached(visibility, Reach::default())
}

fn reached(visibility: Visibility, reach: Reach) -> Object {
    Object::Asset { owner_id: OWNER, visibility, is_trashed: false, reach }
}

fn in_trash(reach: Reach) -> Object {
    Object::Asset { owner_id: OWNER, visibility: Visibility::Timeline, is_trashed: true, reach }
}

fn by_album(role: AlbumRole) -> Reach {
    Reach { album: Some(role), ..Reach::default() }
}

fn by_partner() -> Reach {
    Reach { is_partner: true, ..Reach::default() }
}

#[test]
fn owner_reads_and_stranger_does_not() {
    let object = asset(Visibility::Timeline);
    assert_eq!(check(&session(1), Permission::AssetRead, object), Ok(()));
    assert_eq!(check(&session(2), Permission::AssetRead, object), NO_ACCESS);
}

#[test]
fn locked_asset_is_not_shared_by_who_opened_it() {
    let elevated = viewer(1, Grant::Session { elevated: true });
    let object = asset(Visibility::Locked);
    assert_eq!(check(&elevated, Permission::AssetRead, object), Ok(()));
    assert_eq!(check(&elevated, Permission::AssetShare, object), NO_ACCESS);
}

#[test]
fn administrator_does_not_read_others_photos() {
    let mut admin = viewer(2, Grant::Session { elevated: true });
    admin.is_admin = true;
    assert_eq!(check(&admin, Permission::AssetRead, asset(Visibility::Timeline)), NO_ACCESS);
}

#[test]
fn locked_asset_needs_the_pin_and_never_opens_for_a_key() {
    let object = asset(Visibility::Locked);
    let elevated = viewer(1, Grant::Session { elevated: true });
    let key = viewer(1, Grant::ApiKey { permissions: vec![Permission::All] });
    assert_eq!(check(&session(1), Permission::AssetRead, object), NO_ACCESS);
    assert_eq!(check(&elevated, Permission::AssetRead, object), Ok(()));
    assert_eq!(check(&key, Permission::AssetRead, object), NO_ACCESS);
}

#[test]
fn locked_asset_opens_for_nobody_else() {
    let reach = Reach { album: Some(AlbumRole::Owner), is_partner: true, by_link: true };
    let object = reached(Visibility::Locked, reach);
    let elevated = viewer(2, Grant::Session { elevated: true });
    assert_eq!(check(&elevated, Permission::AssetView, object), NO_ACCESS);
    assert_eq!(check(&link(true, true), Permission::AssetView, object), NO_ACCESS);
}

#[test]
fn key_does_only_what_it_names() {
    let key = viewer(1, Grant::ApiKey { permissions: vec![Permission::AssetRead] });
    for object in [Object::Route { admin: false }, Object::SharedRoute] {
        assert_eq!(
            check(&key, Permission::AssetUpload, object),
            Err(Denied::MissingPermission(Permission::AssetUpload))
        );
    }
}

#[test]
fn whoever_is_in_the_album_sees_its_assets_and_changes_none() {
    for role in [AlbumRole::Viewer, AlbumRole::Editor, AlbumRole::Owner] {
        let object = reached(Visibility::Timeline, by_album(role));
        for permission in [Permission::AssetRead, Permission::AssetView, Permission::AssetDownload]
        {
            assert_eq!(check(&session(2), permission, object), Ok(()));
        }
        for permission in [Permission::AssetUpdate, Permission::AssetDelete, Permission::AssetShare]
        {
            assert_eq!(check(&session(2), permission, object), NO_ACCESS);
        }
    }
}

#[test]
fn partner_sees_the_timeline_and_not_the_archive() {
    let partner = session(2);
    let seen = reached(Visibility::Timeline, by_partner());
    assert_eq!(check(&partner, Permission::AssetRead, seen), Ok(()));
    assert_eq!(check(&partner, Permission::AssetShare, seen), Ok(()));
    assert_eq!(check(&partner, Permission::AssetUpdate, seen), NO_ACCESS);
    let archived = reached(Visibility::Archive, by_partner());
    assert_eq!(check(&partner, Permission::AssetRead, archived), NO_ACCESS);
    let timeline = Object::Timeline { owner_id: OWNER, is_partner: true };
    assert_eq!(check(&partner, Permission::TimelineRead, timeline), Ok(()));
    assert_eq!(check(&partner, Permission::ArchiveRead, timeline), NO_ACCESS);
    let timeline = Object::Timeline { owner_id: OWNER, is_partner: false };
    assert_eq!(check(&partner, Permission::TimelineRead, timeline), NO_ACCESS);
}

#[test]
fn trash_is_its_owners_alone() {
    let reach = Reach { album: Some(AlbumRole::Owner), is_partner: true, by_link: true };
    assert_eq!(check(&session(1), Permission::AssetRead, in_trash(Reach::default())), Ok(()));
    assert_eq!(check(&session(2), Permission::AssetRead, in_trash(reach)), NO_ACCESS);
    assert_eq!(check(&link(true, true), Permission::AssetRead, in_trash(reach)), NO_ACCESS);
}

#[test]
fn owned_things_are_their_owners_alone() {
    let object = Object::Owned { owner_id: OWNER };
    assert_eq!(check(&session(1), Permission::TagUpdate, object), Ok(()));
    assert_eq!(check(&session(2), Permission::TagUpdate, object), NO_ACCESS);
    assert_eq!(check(&link(true, true), Permission::TagRead, object), NO_ACCESS);
}

#[test]
fn roles_grow_from_looking_to_deciding() {
    let may = |role, permission| {
        check(&session(2), permission, Object::Album { role, by_link: false }).is_ok()
    };
    let (viewer, editor, owner) =
        (Some(AlbumRole::Viewer), Some(AlbumRole::Editor), Some(AlbumRole::Owner));
    for role in [viewer, editor, owner] {
        assert!(may(role, Permission::AlbumRead));
        assert!(may(role, Permission::ActivityRead));
    }
    assert!(!may(viewer, Permission::AlbumAssetCreate));
    assert!(may(editor, Permission::AlbumAssetCreate));
    for permission in
        [Permission::AlbumAssetDelete, Permission::AlbumUpdate, Permission::AlbumShare]
    {
        assert!(!may(viewer, permission));
        assert!(may(editor, permission));
        assert!(may(owner, permission));
    }
    assert!(!may(editor, Permission::AlbumDelete));
    assert!(may(owner, Permission::AlbumDelete));
    assert!(!may(None, Permission::AlbumRead));
}

#[test]
fn comments_are_made_where_they_are_taken_and_deleted_by_author_or_owner() {
    let create = |role, is_enabled| {
        let object = Object::Activity { author_id: None, role, is_enabled };
        check(&session(2), Permission::ActivityCreate, object).is_ok()
    };
    assert!(create(Some(AlbumRole::Viewer), true));
    assert!(!create(Some(AlbumRole::Owner), false));
    assert!(!create(None, true));
    let delete = |user, role| {
        let object = Object::Activity { author_id: Some(OWNER), role, is_enabled: false };
        check(&session(user), Permission::ActivityDelete, object).is_ok()
    };
    assert!(delete(1, None));
    assert!(delete(2, Some(AlbumRole::Owner)));
    assert!(!delete(2, Some(AlbumRole::Editor)));
}

#[test]
fn link_opens_what_it_points_at_and_nothing_of_its_maker() {
    let pointed = reached(Visibility::Timeline, Reach { by_link: true, ..Reach::default() });
    let other = asset(Visibility::Timeline);
    assert_eq!(check(&link(false, false), Permission::AssetView, pointed), Ok(()));
    assert_eq!(check(&link(false, false), Permission::AssetView, other), NO_ACCESS);
    assert_eq!(check(&link(false, false), Permission::AssetDownload, pointed), NO_ACCESS);
    assert_eq!(check(&link(true, false), Permission::AssetDownload, pointed), Ok(()));
    assert_eq!(check(&link(true, true), Permission::AssetDelete, pointed), NO_ACCESS);
    assert_eq!(
        check(&link(true, true), Permission::AssetRead, Object::Route { admin: false }),
        Err(Denied::NotForLinks)
    );
}

#[test]
fn link_to_an_album_adds_only_where_it_allows_uploads() {
    let album = Object::Album { role: Some(AlbumRole::Owner), by_link: true };
    assert_eq!(check(&link(true, false), Permission::AlbumRead, album), Ok(()));
    assert_eq!(check(&link(true, false), Permission::AlbumAssetCreate, album), NO_ACCESS);
    assert_eq!(check(&link(true, true), Permission::AlbumAssetCreate, album), Ok(()));
    assert_eq!(check(&link(true, true), Permission::AlbumUpdate, album), NO_ACCESS);
    let elsewhere = Object::Album { role: Some(AlbumRole::Owner), by_link: false };
    assert_eq!(check(&link(true, true), Permission::AlbumRead, elsewhere), NO_ACCESS);
}

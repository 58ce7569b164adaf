//! Which events take access from somebody.

/// Events after which somebody may do or see less than before. A read model that passes over one of them shows
/// what was taken away.
const LOSSES: [&str; 24] = [
    "AlbumAssetsRemoved",
    "AlbumDeleted",
    "AlbumUserRemoved",
    "AlbumUserRoleChanged",
    "ApiKeyPermissionsChanged",
    "ApiKeyRevoked",
    "ApiKeyRotated",
    "AssetPurged",
    "AssetTrashed",
    "AssetVisibilityChanged",
    "PartnerRemoved",
    "SessionClosed",
    "SessionLocked",
    "SharedLinkAssetsRemoved",
    "SharedLinkExpiryChanged",
    "SharedLinkPasswordChanged",
    "SharedLinkRevoked",
    "SharedLinkSlugChanged",
    "SharedLinkSwitchesChanged",
    "UserAdminRevoked",
    "UserDeleted",
    "UserPasswordChanged",
    "UserPinSet",
    "UserPurged",
];

/// Whether an event takes access from somebody.
#[must_use]
pub fn takes_away(event_type: &str) -> bool {
    LOSSES.contains(&event_type)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::catalogue;

    #[test]
    fn losses_are_events_that_there_are() {
        let all = catalogue::schemas();
        let known: BTreeSet<&str> = all.iter().map(|(_, event_type, ..)| *event_type).collect();
        assert!(LOSSES.iter().all(|loss| known.contains(loss)), "{LOSSES:?}");
        assert!(takes_away("AlbumUserRemoved") && !takes_away("AlbumUserAdded"));
    }
}

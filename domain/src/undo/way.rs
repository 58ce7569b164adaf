//! How each type of event goes back, or why it does not: a table beside each aggregate, gathered here.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Facet;
use crate::access::{Denied, Object, Viewer, check};
use crate::permission::Permission;
use crate::{
    activity, admin_view, album, api_key, asset, batch, config, erasure, faces, hold, integrity,
    library, link_view, memory, notification, partner, person, queue, reservation, session,
    shared_link, stack, tag, trial, user,
};

/// What whoever takes something back must be allowed: what the command itself needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// What a key must name.
    pub key: Permission,
    /// What the person must be allowed with the object.
    pub person: Permission,
    /// What a key of an administrator must name who did it to somebody else's account.
    pub admin: Option<Permission>,
}

impl Need {
    /// One permission for both.
    #[must_use]
    pub const fn of(permission: Permission) -> Self {
        Self { key: permission, person: permission, admin: None }
    }

    /// The same, where an administrator may do it to others, too.
    #[must_use]
    pub const fn or_admin(self, admin: Permission) -> Self {
        Self { admin: Some(admin), ..self }
    }
}

/// How an event goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By an event of one of these types.
    Back {
        /// The types, of the same aggregate.
        by: &'static [&'static str],
        /// Who may.
        need: Need,
    },
    /// It says nothing of its own: it goes back with another event, or follows from one.
    Follows(&'static str),
    /// Not at all, and why; for a person.
    Never(&'static str),
}

/// One line of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The type of the event.
    pub event: &'static str,
    /// What it changed.
    pub what: Facet,
    /// How it goes back.
    pub way: Way,
}

/// A line of an event that goes back.
pub(crate) const fn back(
    event: &'static str,
    what: Facet,
    by: &'static [&'static str],
    need: Need,
) -> Row {
    Row { event, what, way: Way::Back { by, need } }
}

/// A line of an event that goes back with another, or follows from one.
pub(crate) const fn follows(event: &'static str, why: &'static str) -> Row {
    Row { event, what: "", way: Way::Follows(why) }
}

/// A line of an event that does not go back.
pub(crate) const fn never(event: &'static str, what: Facet, why: &'static str) -> Row {
    Row { event, what, way: Way::Never(why) }
}

/// Every line of every table.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [
        activity::WAYS,
        admin_view::WAYS,
        album::WAYS,
        api_key::WAYS,
        asset::WAYS,
        batch::WAYS,
        config::WAYS,
        erasure::WAYS,
        faces::WAYS,
        hold::WAYS,
        integrity::WAYS,
        library::WAYS,
        link_view::WAYS,
        memory::WAYS,
        notification::WAYS,
        partner::WAYS,
        person::WAYS,
        queue::WAYS,
        reservation::WAYS,
        session::WAYS,
        shared_link::WAYS,
        stack::WAYS,
        tag::WAYS,
        trial::WAYS,
        user::WAYS,
    ]
    .into_iter()
    .flatten()
}

/// The line of a type of event.
#[must_use]
pub fn row(event_type: &str) -> Option<&'static Row> {
    static BY_TYPE: LazyLock<HashMap<&'static str, &'static Row>> =
        LazyLock::new(|| rows().map(|row| (row.event, row)).collect());
    BY_TYPE.get(event_type).copied()
}

/// Whether somebody may take back what needed this, about that object.
///
/// # Errors
/// [`Denied`], and what was needed.
pub fn may(
    viewer: &Viewer,
    need: &Need,
    object: Option<Object>,
) -> Result<(), (Denied, Permission)> {
    // Somebody else's account is an administrator's matter, and so is what only they change.
    let by_admin =
        matches!(object, Some(Object::Route { admin: true })) || need.admin == Some(need.key);
    let key = if by_admin { need.admin.unwrap_or(need.key) } else { need.key };
    check(viewer, key, Object::Route { admin: by_admin }).map_err(|denied| (denied, key))?;
    object.map_or(Ok(()), |object| {
        check(&viewer.person(), need.person, object).map_err(|denied| (denied, need.person))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::catalogue;

    /// The types of the published schemas, without their versions.
    fn published() -> BTreeSet<String> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/events");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        names
            .filter_map(|name| Some(name.to_str()?.strip_suffix(".json")?.to_owned()))
            .filter_map(|name| Some(name.split_once(".v")?.0.to_owned()))
            .collect()
    }

    #[test]
    fn every_event_goes_back_or_says_why_not() {
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for row in rows() {
            assert!(told.insert(row.event), "{} is told twice", row.event);
            match row.way {
                Way::Follows(why) | Way::Never(why) => {
                    assert!(why.len() > 10, "{} does not say why", row.event);
                }
                Way::Back { by, .. } => {
                    assert!(!by.is_empty() && !row.what.is_empty(), "{}", row.event);
                }
            }
        }
        let missing: Vec<String> =
            published().into_iter().filter(|event| !told.contains(event.as_str())).collect();
        assert!(missing.is_empty(), "neither taken back nor said why not: {missing:?}");
        let unknown: Vec<_> = told.iter().filter(|event| !published().contains(**event)).collect();
        assert!(unknown.is_empty(), "no events: {unknown:?}");
    }

    #[test]
    fn what_takes_back_can_be_taken_back_and_is_of_the_same_aggregate() {
        let aggregates: BTreeMap<&str, &str> = catalogue::schemas()
            .into_iter()
            .map(|(aggregate, event_type, ..)| (event_type, aggregate))
            .collect();
        for row in rows() {
            let Way::Back { by, .. } = row.way else { continue };
            for other in by {
                assert_eq!(aggregates.get(other), aggregates.get(row.event), "{}", row.event);
                let way = super::row(other).map(|row| row.way);
                assert!(!matches!(way, Some(Way::Never(_)) | None), "{other} does not go back");
            }
        }
    }
}

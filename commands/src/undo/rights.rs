//! Whether somebody may take something back: they need what the command needed, and what its opposite needs.

use calotype_domain::access::{Object, Viewer};
use calotype_domain::event::DomainEvent as _;
use calotype_domain::undo::{Need, Undo, Way, may, row};

use super::UndoError;
use super::plan::{Planned, Plans};
use crate::error::CommandError;

type Refused = CommandError<UndoError>;

/// Whether the viewer may do everything that a plan does.
pub(super) fn require(plans: &Plans, viewer: &Viewer) -> Result<(), Refused> {
    let Plans {
        activities,
        albums,
        assets,
        config,
        faces,
        links,
        memories,
        partners,
        people,
        stacks,
        tags,
        users,
        others: _,
        by: _,
    } = plans;
    each(viewer, activities.values())?;
    each(viewer, albums.values())?;
    each(viewer, assets.values())?;
    each(viewer, config.iter())?;
    each(viewer, faces.values())?;
    each(viewer, links.values())?;
    each(viewer, memories.values())?;
    each(viewer, partners.values())?;
    each(viewer, people.values())?;
    each(viewer, stacks.values())?;
    each(viewer, tags.values())?;
    each(viewer, users.values())
}

fn each<'a, A: Undo>(
    viewer: &Viewer,
    planned: impl Iterator<Item = &'a Planned<A>>,
) -> Result<(), Refused> {
    for planned in planned {
        let is_changed = !planned.plan.events.is_empty();
        // Of what stays as it is only the key is asked, and whether administrators' matters are the viewer's.
        let route = planned.object.filter(|object| matches!(object, Object::Route { .. }));
        let object = if is_changed { planned.object } else { route };
        let own = planned.types.iter().filter_map(|event_type| need(event_type));
        let back = planned.plan.events.iter().filter_map(|event| need(event.kind().0));
        for need in own.chain(back) {
            may(viewer, need, object).map_err(|(denied, permission)| {
                CommandError::Refused(UndoError::Denied { denied, permission })
            })?;
        }
    }
    Ok(())
}

/// Whether the viewer may do with an album what its plan does; others' albums are left alone, not refused.
pub(super) fn allows<A: Undo>(viewer: &Viewer, planned: &Planned<A>) -> bool {
    let person = viewer.person();
    let back = planned.plan.events.iter().filter_map(|event| need(event.kind().0));
    back.map(|need| may(&person, need, planned.object)).all(|may| may.is_ok())
}

fn need(event_type: &str) -> Option<&'static Need> {
    match &row(event_type)?.way {
        Way::Back { need, .. } => Some(need),
        Way::Follows(_) | Way::Never(_) => None,
    }
}

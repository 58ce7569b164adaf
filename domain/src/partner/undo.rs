//! Taking back what was done to a sharing: who gives it decides whether it lasts, who sees it where it shows.

use super::{Partner, PartnerEvent, PartnerRemoved, PartnerRestored, PartnerTimelineChanged};
use crate::access::Object;
use crate::id::UserId;
use crate::permission::Permission;
use crate::undo::way::{Row, back};
use crate::undo::{Asked, Need, Plan, States, Undo};

/// How events of sharings go back.
pub(crate) const WAYS: &[Row] = &[
    back("PartnerAdded", "partner", &["PartnerRemoved"], Need::of(Permission::PartnerCreate)),
    back("PartnerRemoved", "partner", &["PartnerRestored"], Need::of(Permission::PartnerDelete)),
    back("PartnerRestored", "partner", &["PartnerRemoved"], Need::of(Permission::PartnerDelete)),
    back(
        "PartnerTimelineChanged",
        "timeline",
        &["PartnerTimelineChanged"],
        Need::of(Permission::PartnerUpdate),
    ),
];

impl Undo for Partner {
    /// Each decides about their own end of it; see [`Partner::undo`].
    fn object(&self, by: UserId) -> Option<Object> {
        let (shared_by_id, shared_with_id) = self.between?;
        let owner_id = if by == shared_with_id { shared_with_id } else { shared_by_id };
        Some(Object::Owned { owner_id })
    }

    fn undo(states: &States<Self>, asked: &Asked) -> Plan<PartnerEvent> {
        let mut plan = Plan::default();
        let Some((shared_by_id, shared_with_id)) = states.now.between else { return plan };
        if asked.by == shared_by_id {
            let in_timeline = states.before.in_timeline;
            plan.facet("partner", &states.map(|it| it.between().is_some()), |lasts| {
                vec![if *lasts {
                    PartnerRestored { shared_by_id, shared_with_id, in_timeline }.into()
                } else {
                    PartnerRemoved {}.into()
                }]
            });
        }
        let lasts = states.map(|it| it.between().is_some());
        if asked.by == shared_with_id && lasts.before && lasts.after {
            if lasts.now {
                plan.facet("timeline", &states.map(|it| it.in_timeline), |in_timeline| {
                    vec![PartnerTimelineChanged { in_timeline: *in_timeline }.into()]
                });
            } else {
                plan.changed_since.push("timeline");
            }
        }
        plan
    }
}

//! Taking back a comment, a like, or its removal.

use super::{Activity, ActivityDeleted, ActivityEvent, ActivityRestored};
use crate::access::Object;
use crate::id::UserId;
use crate::permission::Permission;
use crate::undo::way::{Row, back};
use crate::undo::{Asked, Need, Plan, States, Undo};

const FORGOTTEN: &str = "What was said is forgotten";
const CREATE: Need =
    Need { key: Permission::ActivityCreate, person: Permission::ActivityDelete, admin: None };
const DELETE: Need = Need::of(Permission::ActivityDelete);

/// How comments and likes go back.
pub(crate) const WAYS: &[Row] = &[
    back("ActivityCommented", "comment", &["ActivityDeleted"], CREATE),
    back("ActivityDeleted", "deleted", &["ActivityRestored"], DELETE),
    back("ActivityLiked", "like", &["ActivityDeleted"], CREATE),
    back("ActivityRestored", "deleted", &["ActivityDeleted"], DELETE),
];

impl Undo for Activity {
    /// Depends on the album, which the use case looks up.
    fn object(&self, _by: UserId) -> Option<Object> {
        None
    }

    fn undo(states: &States<Self>, asked: &Asked) -> Plan<ActivityEvent> {
        let mut plan = Plan::default();
        let Some((target, user_id)) = states.now.about else { return plan };
        let is_like = states.now.is_like;
        let what = if is_like { "like" } else { "comment" };
        let there = states.map(|it| it.about().is_some());
        if there.before && !there.now && !is_like && states.now.comment.is_none() {
            plan.never(what, FORGOTTEN);
            return plan;
        }
        let (comment, created_at) = (states.now.comment.clone().into(), asked.began_at);
        plan.facet(what, &there, |there| {
            vec![if *there {
                ActivityRestored { target, user_id, comment, created_at }.into()
            } else {
                ActivityDeleted { by: asked.by }.into()
            }]
        });
        plan
    }
}

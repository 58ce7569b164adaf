//! Taking note of what administrators and auditors look at that is somebody else's. What cannot be noted is not
//! shown.

use std::sync::Arc;
use std::time::Duration;

use calotype_domain::UserId;
use calotype_domain::admin_view::{AdminView, AdminViewed, AdminVisitor};
use chrono::{DurationRound as _, TimeDelta};
use moka::sync::Cache;
use uuid::Uuid;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// Hours of looking that are remembered, so that looking again asks nobody.
const LOOKS_REMEMBERED_MAX: u64 = 10_000;
/// An hour, after which a look is noted again.
const REMEMBERED_FOR: Duration = Duration::from_secs(3_600);

/// Who looked, whose it is, at what, from where, in which hour.
type Look = (Uuid, Option<Uuid>, AdminView, Option<std::net::IpAddr>, i64);

/// Remembers what is noted already; clones share it.
#[derive(Clone)]
pub(crate) struct AdminViews {
    noted: Arc<Cache<Look, ()>>,
}

impl Default for AdminViews {
    fn default() -> Self {
        let noted = Cache::builder()
            .max_capacity(LOOKS_REMEMBERED_MAX)
            .time_to_live(REMEMBERED_FOR)
            .build();
        Self { noted: Arc::new(noted) }
    }
}

impl AdminViews {
    /// Forgets everything, after a reset.
    pub(crate) fn clear(&self) {
        self.noted.invalidate_all();
    }
}

/// Notes that somebody is about to be shown what is somebody else's; `of` is nobody where it is everybody's. What is
/// their own is not noted.
///
/// # Errors
/// 503 when it cannot be written down.
pub(crate) async fn note(
    api: &Api,
    caller: &Caller,
    of: Option<Uuid>,
    what: AdminView,
) -> Result<(), Problem> {
    let admin_id = caller.user_id();
    if of == Some(admin_id.uuid()) {
        return Ok(());
    }
    let now = api.commands.clock().now();
    let hour = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
    let look = (admin_id.uuid(), of, what, caller.address(), hour.timestamp());
    if api.admin_views.noted.contains_key(&look) {
        return Ok(());
    }
    let address = caller.address().map(|address| address.to_string());
    let of = of.map(UserId::new);
    let visitor = AdminVisitor { address }.into();
    let viewed = AdminViewed { admin_id, of, what, hour, visitor };
    let context = caller.next_context(api);
    api.commands
        .record_admin_view(&context, viewed)
        .await
        .map_err(|error| Problem::command(error, |refusal| match refusal {}))?;
    api.admin_views.noted.insert(look, ());
    Ok(())
}

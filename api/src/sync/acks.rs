//! What a session said it has, and whether that is still of use.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::token::{self, Id, Said};
use super::words::Entity;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;

/// A phone that was away for longer starts anew: what is gone is not remembered for ever.
const AWAY_MAX: TimeDelta = TimeDelta::days(30);

/// The session that asks.
///
/// # Errors
/// 403 for an API key.
pub(super) fn session_id(caller: &Caller) -> Result<Uuid, Problem> {
    caller
        .session()
        .map(|session| session.session_id)
        .ok_or_else(|| Problem::forbidden("Sync endpoints cannot be used with API keys"))
}

/// Forgets what a session has, and that it was to start anew.
pub(super) async fn start_anew(api: &Api, caller: &Caller) -> Result<(), Problem> {
    let Some(session) = caller.session() else { return Ok(()) };
    api.sync_acks.forget(session.session_id, None).await.map_err(unavailable)?;
    if session.is_pending_sync_reset {
        let session_id = calotype_domain::SessionId::new(session.session_id);
        let ctx = caller.next_context(api);
        let user_id = caller.user_id();
        let outcome = api.commands.set_session_sync_reset(&ctx, user_id, session_id, false).await?;
        api.seen(&outcome).await;
    }
    Ok(())
}

/// 503, logged.
pub(super) fn unavailable(error: impl std::error::Error + 'static) -> Problem {
    tracing::error!(error = &error as &dyn std::error::Error, "failed to reach the sync's acks");
    Problem::unavailable()
}

/// The last ack of each type.
#[derive(Clone, Debug, Default)]
pub(super) struct Acks {
    said: HashMap<Entity, Said>,
}

impl Acks {
    /// Those of a session.
    pub(super) async fn load(api: &Api, session_id: Uuid) -> Result<Self, Problem> {
        let kept = api.sync_acks.of(session_id).await.map_err(unavailable)?;
        Ok(Self { said: kept.iter().filter_map(|(_, ack)| token::parse(ack).ok()).collect() })
    }

    #[cfg(test)]
    pub(super) fn with(said: &[(Entity, Said)]) -> Self {
        Self { said: said.iter().copied().collect() }
    }

    /// The last change that is known of a type; none when none is.
    pub(super) fn up_to(&self, entity: Entity) -> Option<i64> {
        match self.said.get(&entity)? {
            Said::UpTo(id) => Some(id.change),
            Said::Backfill { .. } | Said::Complete { .. } | Said::Reset => None,
        }
    }

    /// Whether the session has acknowledged nothing at all: the phone has nothing.
    pub(super) fn are_none(&self) -> bool {
        self.said.is_empty()
    }

    /// How far a backfill has come.
    pub(super) fn backfill(&self, entity: Entity) -> Option<Said> {
        self.said.get(&entity).copied()
    }

    /// Whether the phone has to start anew: it was away for too long, it has changes of another log, or what it
    /// is past was applied late.
    pub(super) fn are_of_no_use(&self, now: DateTime<Utc>) -> bool {
        if self.said.values().any(|said| *said == Said::Reset) {
            return true;
        }
        let ids = || self.said.values().filter_map(|said| said.id());
        if ids().any(|id| !id.is_of_today()) {
            return true;
        }
        let completed = self.said.get(&Entity::SyncCompleteV1).and_then(|said| said.id());
        let oldest = ids().filter_map(Id::sent_at).min();
        completed.and_then(Id::sent_at).or(oldest).is_some_and(|at| now - at > AWAY_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(days_ago: i64) -> DateTime<Utc> {
        now() - TimeDelta::days(days_ago)
    }

    fn now() -> DateTime<Utc> {
        "2026-11-22T08:24:13.688Z".parse().unwrap()
    }

    #[test]
    fn phone_that_is_past_what_was_applied_late_starts_anew() {
        let (kind, ack) = calotype_projections::sync::HAS_TO_START_ANEW;
        let (entity, said) = token::parse(ack).unwrap();
        assert_eq!(entity.word(), kind);
        let asset = (Entity::AssetV2, Said::UpTo(Id::new(at(0), 1)));
        assert!(!Acks::with(&[asset]).are_of_no_use(now()));
        assert!(Acks::with(&[asset, (entity, said)]).are_of_no_use(now()));
    }

    #[test]
    fn phone_that_was_away_for_a_month_starts_anew() {
        let asset = (Entity::AssetV2, Said::UpTo(Id::new(at(40), 1)));
        let completed = |days| (Entity::SyncCompleteV1, Said::UpTo(Id::new(at(days), 1)));
        assert!(!Acks::default().are_of_no_use(now()));
        assert!(Acks::with(&[asset]).are_of_no_use(now()));
        assert!(!Acks::with(&[asset, completed(29)]).are_of_no_use(now()));
        assert!(Acks::with(&[asset, completed(31)]).are_of_no_use(now()));
    }
}

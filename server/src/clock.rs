//! The real clock and the real source of ids; the only place that may use either.

use calotype_domain::{Clock, IdGen};
use chrono::{DateTime, SubsecRound as _, Utc};
use uuid::Uuid;

/// The machine's clock, to the microsecond, which is what the log stores.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// Random ids.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdGen for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "this is the one source of ids")]
    fn v4(&self) -> Uuid {
        Uuid::new_v4()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one source of ids")]
    fn v7(&self) -> Uuid {
        Uuid::now_v7()
    }
}

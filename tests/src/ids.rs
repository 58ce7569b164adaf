//! Ids and times for tests: from a seed, so that a failing walk can be taken again.

use std::sync::Mutex;

use calotype_domain::{Clock, IdGen};
use chrono::{DateTime, Duration, Utc};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use uuid::Builder;
use uuid::Uuid;

/// 2024-01-02T03:04:05Z in seconds since 1970.
const FIRST_INSTANT_S: i64 = 1_704_164_645;

/// A seed from the system's randomness, or that of `CALOTYPE_SEED`, to take a walk again; whoever uses it prints it.
#[must_use]
pub fn any_seed() -> u64 {
    let wanted = std::env::var("CALOTYPE_SEED").ok();
    wanted.and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random)
}

/// Ids from a seed.
#[derive(Debug)]
pub struct SeededIds {
    random: Mutex<StdRng>,
}

impl SeededIds {
    /// The same seed gives the same ids.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { random: Mutex::new(StdRng::seed_from_u64(seed)) }
    }

    fn bytes(&self) -> [u8; 16] {
        match self.random.lock() {
            Ok(mut random) => random.random(),
            Err(poisoned) => poisoned.into_inner().random(),
        }
    }
}

impl IdGen for SeededIds {
    fn v4(&self) -> Uuid {
        Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    fn v7(&self) -> Uuid {
        let bytes = self.bytes();
        let mut counter = [0; 10];
        counter.copy_from_slice(&bytes[..10]);
        Builder::from_unix_timestamp_millis(1_704_164_645_000, &counter).into_uuid()
    }
}

/// A clock that moves a second each time it is read.
#[derive(Debug, Default)]
pub struct TickingClock {
    ticks: Mutex<i64>,
}

impl Clock for TickingClock {
    fn now(&self) -> DateTime<Utc> {
        let mut ticks = match self.ticks.lock() {
            Ok(ticks) => ticks,
            Err(poisoned) => poisoned.into_inner(),
        };
        *ticks += 1;
        DateTime::from_timestamp(FIRST_INSTANT_S, 0).unwrap_or_default() + Duration::seconds(*ticks)
    }
}

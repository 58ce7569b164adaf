//! Slows down guessing of passwords and PINs: counts failures by client address and by what is guessed
//! at (an e-mail's password, a person's PIN, a shared link's password), in memory.
//!
//! Only failures count, so a program that logs in often with the right password is never refused.
//! The counts are looked at before the password is checked and again afterwards: of many guesses made at
//! once, those past the limit hear 429 whether they were right or wrong.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use calotype_commands::token;
use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::problem::Problem;

/// Failures are counted over this long, from the first one on.
const WINDOW: Duration = Duration::from_secs(300);
/// Failures for one e-mail in a window.
const EMAIL_FAILURES_MAX: u32 = 20;
/// Failures for one person's PIN in a window: guessing a millionth part of all PINs takes days.
const PIN_FAILURES_MAX: u32 = 10;
/// Failures for one shared link in a window.
const LINK_FAILURES_MAX: u32 = 20;
/// Failures from one address (for IPv6 its /64 network) in a window.
const ADDRESS_FAILURES_MAX: u32 = 100;
/// Addresses and e-mails remembered at once; each takes about 200 bytes.
const COUNTED_MAX: u64 = 50_000;
/// Passwords that wait for being checked at once; more are turned away.
const WAITING_MAX: usize = 256;

/// The counts; clones share them.
#[derive(Clone)]
pub(crate) struct LoginLimits {
    failures: Cache<String, Arc<Window>>,
    waiting: Arc<Semaphore>,
}

struct Window {
    since: Instant,
    failures: AtomicU32,
}

/// One try of a password.
pub(crate) struct Attempt {
    limits: LoginLimits,
    keys: Vec<(String, u32)>,
    _place: OwnedSemaphorePermit,
}

impl Default for LoginLimits {
    fn default() -> Self {
        Self {
            failures: Cache::builder().max_capacity(COUNTED_MAX).time_to_live(WINDOW).build(),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
        }
    }
}

impl LoginLimits {
    /// Starts a try of a password.
    ///
    /// # Errors
    /// 429 when there were too many failures, 503 when too many others wait.
    pub(crate) fn begin(&self, address: Option<IpAddr>, email: &str) -> Result<Attempt, Problem> {
        self.begin_at(address, format!("e{}", token::digest(email)), EMAIL_FAILURES_MAX)
    }

    /// Starts a try of a person's PIN.
    ///
    /// # Errors
    /// As [`LoginLimits::begin`].
    pub(crate) fn begin_pin(
        &self,
        address: Option<IpAddr>,
        user_id: Uuid,
    ) -> Result<Attempt, Problem> {
        self.begin_at(address, format!("p{user_id}"), PIN_FAILURES_MAX)
    }

    /// Starts a try of a shared link's password.
    ///
    /// # Errors
    /// As [`LoginLimits::begin`].
    pub(crate) fn begin_link(
        &self,
        address: Option<IpAddr>,
        shared_link_id: Uuid,
    ) -> Result<Attempt, Problem> {
        self.begin_at(address, format!("l{shared_link_id}"), LINK_FAILURES_MAX)
    }

    fn begin_at(
        &self,
        address: Option<IpAddr>,
        key: String,
        failures_max: u32,
    ) -> Result<Attempt, Problem> {
        let place = Arc::clone(&self.waiting).try_acquire_owned();
        let mut keys = vec![(key, failures_max)];
        keys.extend(address.map(|address| (address_key(address), ADDRESS_FAILURES_MAX)));
        let place = place.map_err(|_| Problem::unavailable())?;
        let attempt = Attempt { limits: self.clone(), keys, _place: place };
        attempt.check()?;
        Ok(attempt)
    }

    /// Forgets every failure.
    pub(crate) fn clear(&self) {
        self.failures.invalidate_all();
    }
}

impl Attempt {
    /// Ends the try: counts a failure, or forgets those of what was guessed at.
    ///
    /// # Errors
    /// 429 when others failed too often meanwhile.
    pub(crate) fn end(self, is_right: bool) -> Result<(), Problem> {
        self.check()?;
        if is_right {
            if let Some((guessed_at, _)) = self.keys.first() {
                self.limits.failures.invalidate(guessed_at);
            }
            return Ok(());
        }
        for (key, _) in &self.keys {
            let window = self.limits.failures.get_with_by_ref(key, || {
                Arc::new(Window { since: Instant::now(), failures: AtomicU32::new(0) })
            });
            window.failures.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Problem> {
        for (key, failures_max) in &self.keys {
            if let Some(window) = self.limits.failures.get(key)
                && window.failures.load(Ordering::Relaxed) >= *failures_max
            {
                let left = WINDOW.saturating_sub(window.since.elapsed()).as_secs() + 1;
                return Err(Problem::too_many(
                    "Too many failed logins, try again later",
                    u32::try_from(left).unwrap_or(u32::MAX),
                ));
            }
        }
        Ok(())
    }
}

fn address_key(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("a{address}"),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("a{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(9, 9, 9, 9));

    fn fail(limits: &LoginLimits, email: &str, times: u32) {
        for _ in 0..times {
            limits.begin(Some(HERE), email).unwrap().end(false).unwrap();
        }
    }

    #[test]
    fn right_passwords_are_never_refused() {
        let limits = LoginLimits::default();
        for _ in 0..1_000 {
            limits.begin(Some(HERE), "a@b.c").unwrap().end(true).unwrap();
        }
    }

    #[test]
    fn email_is_refused_after_its_failures_and_others_are_not() {
        let limits = LoginLimits::default();
        fail(&limits, "a@b.c", EMAIL_FAILURES_MAX);
        let refused = limits.begin(None, "a@b.c").err().unwrap();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(limits.begin(Some(HERE), "b@b.c").is_ok());
    }

    #[test]
    fn pin_is_refused_sooner_than_a_password() {
        let limits = LoginLimits::default();
        for _ in 0..PIN_FAILURES_MAX {
            limits.begin_pin(None, Uuid::from_u128(1)).unwrap().end(false).unwrap();
        }
        assert!(limits.begin_pin(None, Uuid::from_u128(1)).is_err());
        assert!(limits.begin_pin(None, Uuid::from_u128(2)).is_ok());
    }

    #[test]
    fn address_is_refused_for_every_email() {
        let limits = LoginLimits::default();
        for number in 0..ADDRESS_FAILURES_MAX {
            fail(&limits, &format!("{number}@b.c"), 1);
        }
        assert!(limits.begin(Some(HERE), "new@b.c").is_err());
        assert!(limits.begin(None, "new@b.c").is_ok());
    }

    #[test]
    fn guess_that_began_in_time_hears_nothing_past_the_limit() {
        let limits = LoginLimits::default();
        let late = limits.begin(None, "a@b.c").unwrap();
        fail(&limits, "a@b.c", EMAIL_FAILURES_MAX);
        assert!(late.end(true).is_err());
    }

    #[test]
    fn right_password_forgets_the_failures_of_its_email() {
        let limits = LoginLimits::default();
        fail(&limits, "a@b.c", EMAIL_FAILURES_MAX - 1);
        limits.begin(None, "a@b.c").unwrap().end(true).unwrap();
        fail(&limits, "a@b.c", EMAIL_FAILURES_MAX - 1);
        assert!(limits.begin(None, "a@b.c").is_ok());
    }
}

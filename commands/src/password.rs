//! Hashing passwords with argon2id.
//!
//! Parameters are those of the OWASP Password Storage Cheat Sheet (19 MiB, two passes, one lane),
//! which the crate has as its default.

use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use tokio::sync::Semaphore;

/// Hashes worked on at once; each takes 19 MiB.
const HASHES_AT_ONCE_MAX: usize = 2;
static HASHING: Semaphore = Semaphore::const_new(HASHES_AT_ONCE_MAX);

/// A hash of no password, verified when no account matches so that both answers take as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$Y2Fsb3R5cGUtbm9ib2R5$2uFzE2TnAk4Fz1Ww0cNJ3Yb1l6dW0nX3Gd8mJq2m0cM";

/// Hashes a password; `None` when the library fails.
pub async fn hash(password: String) -> Option<String> {
    let _permit = HASHING.acquire().await.ok()?;
    tokio::task::spawn_blocking(move || {
        let salt = SaltString::generate(&mut OsRng);
        Argon2::default()
            .hash_password(password.as_bytes(), &salt)
            .ok()
            .map(|hash| hash.to_string())
    })
    .await
    .ok()
    .flatten()
}

/// Whether the password fits the hash. Without a hash it takes as long and says no.
pub async fn verify(password: String, hash: Option<String>) -> bool {
    let Ok(_permit) = HASHING.acquire().await else { return false };
    tokio::task::spawn_blocking(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
        let fits = PasswordHash::new(&hash).is_ok_and(|parsed| {
            Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok()
        });
        known && fits
    })
    .await
    .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn right_password_fits_and_wrong_one_does_not() {
        let stored = hash("secret".into()).await;
        assert!(verify("secret".into(), stored.clone()).await);
        assert!(!verify("other".into(), stored).await);
    }

    #[tokio::test]
    async fn nobody_has_a_password() {
        assert!(PasswordHash::new(NOBODY).is_ok());
        assert!(!verify("anything".into(), None).await);
    }
}

//! SQL migrations and the migrator.
//!
//! The files stand beside this crate's `Cargo.toml`, one concern each; `README.md` there says how.

use sqlx::migrate::Migrator;

/// Every migration, compiled in. Run it as the owner of the database, not as the role that serves.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

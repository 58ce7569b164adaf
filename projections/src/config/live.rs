//! The configuration in memory, read again when its events were applied.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use calotype_domain::catalogue::AnyEvent;
use serde_json::Value;

use super::view::{ConfigRow, Settings};
use crate::error::ProjectionError;
use crate::event::Event;
use crate::query::Queries;

/// The configuration in memory. Cheap to clone; clones share it.
#[derive(Clone, Debug, Default)]
pub struct LiveSettings {
    known: Arc<Mutex<Option<Arc<Settings>>>>,
    /// Counts how often it was forgotten.
    generation: Arc<AtomicU64>,
    /// Settings of a file, by path: they stand in place of those of the log.
    fixed: Arc<OnceLock<BTreeMap<String, Value>>>,
}

impl LiveSettings {
    /// Forgets it when it changed. Called with each applied batch before anybody is told that it shows.
    pub fn on_applied(&self, events: &[Event]) {
        if events.iter().any(|event| matches!(event.what, AnyEvent::Config(_))) {
            self.forget();
        }
    }

    /// Lets the settings of a file stand in place of those of the log, for as long as the process runs. The
    /// first file counts.
    pub fn fix(&self, settings: BTreeMap<String, Value>) {
        self.fixed.get_or_init(|| settings);
        self.forget();
    }

    /// Whether the settings are those of a file.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        self.fixed.get().is_some()
    }

    /// Forgets it, after a reset or a rebuild.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn get(&self) -> Option<Arc<Settings>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what was read, unless it was forgotten since the reading began.
    fn keep(&self, settings: &Arc<Settings>, generation: u64) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if self.generation.load(Ordering::Acquire) == generation {
            *known = Some(Arc::clone(settings));
        }
    }
}

impl Queries {
    /// What forgets the configuration when it changes.
    #[must_use]
    pub fn live_settings(&self) -> &LiveSettings {
        &self.live_settings
    }

    /// The configuration as it is now.
    ///
    /// # Errors
    /// What the database said.
    pub async fn settings(&self) -> Result<Arc<Settings>, ProjectionError> {
        if let Some(known) = self.live_settings.get() {
            return Ok(known);
        }
        let generation = self.live_settings.generation.load(Ordering::Acquire);
        let row: Option<ConfigRow> =
            sqlx::query_as("select * from read.config_v1").fetch_optional(&self.pool).await?;
        let settings = Arc::new(Settings::of(row, self.live_settings.fixed.get()));
        self.live_settings.keep(&settings, generation);
        Ok(settings)
    }
}

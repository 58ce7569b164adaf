//! Things that a server makes anew with each request: where an answer was lost on the way, it is looked for first
//! whether what was asked for is there.

use std::time::Instant;

use reqwest::Method;
use serde_json::Value;

use crate::server::{Once, PAUSE_MAX, PAUSE_MIN, Server, Trouble};

impl Server {
    /// Makes something, once. `find` says what is there of it, and is asked only where an answer was lost.
    ///
    /// # Errors
    /// See [`Trouble`].
    pub(crate) async fn make(
        &self,
        path: &str,
        wish: &Value,
        find: impl AsyncFn() -> Result<Option<Value>, Trouble>,
    ) -> Result<Value, Trouble> {
        let mut failing: Option<Instant> = None;
        let mut pause = PAUSE_MIN;
        loop {
            let (why, wished) = match self.once(self.request(Method::POST, path).json(wish)).await {
                Once::Answered((_, made)) => return Ok(made),
                Once::Failed(trouble) => return Err(trouble),
                Once::Again { why, pause } => (why, pause),
            };
            self.be_patient(*failing.get_or_insert_with(Instant::now), &why)?;
            tokio::time::sleep(wished.unwrap_or(pause)).await;
            pause = pause.saturating_mul(2).min(PAUSE_MAX);
            if let Some(there) = find().await? {
                return Ok(there);
            }
        }
    }
}

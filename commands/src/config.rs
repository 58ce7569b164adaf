//! Wishes about the server's configuration.

use calotype_domain::config::{Config, ConfigCommand, ConfigError, KEY};
use calotype_eventstore::StreamId;

use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome};
use crate::error::CommandError;

/// The subject whose key seals what administrators wrote.
pub(crate) const SUBJECT: &str = "config-server";

impl Commands {
    /// Changes settings, first steps or product key of the server.
    ///
    /// # Errors
    /// See [`CommandError`] and [`ConfigError`].
    pub async fn configure(
        &self,
        ctx: &CommandContext,
        command: &ConfigCommand,
    ) -> Result<Outcome, CommandError<ConfigError>> {
        let stream_id = StreamId::new("config", KEY);
        self.dispatch::<Config>(ctx, stream_id, Some(SUBJECT.to_owned()), command).await
    }
}

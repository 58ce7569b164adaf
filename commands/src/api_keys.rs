//! Wishes about API keys.

use calotype_domain::api_key::{ApiKey, ApiKeyCommand, ApiKeyCreated, ApiKeyError};
use calotype_domain::permission::Permission;
use calotype_domain::{ApiKeyId, UserId};
use calotype_eventstore::StreamId;

use crate::context::CommandContext;
use crate::dispatch::{Commands, Outcome};
use crate::error::CommandError;
use crate::users::subject as user_subject;

fn stream(api_key_id: ApiKeyId) -> StreamId {
    StreamId::new("api_key", api_key_id)
}

impl Commands {
    /// Makes a key; says its id and where it was written.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn create_api_key(
        &self,
        ctx: &CommandContext,
        created: ApiKeyCreated,
    ) -> Result<(ApiKeyId, Outcome), CommandError<ApiKeyError>> {
        let api_key_id = ApiKeyId::new(self.ids.v4());
        let subject = Some(user_subject(created.user_id));
        let command = ApiKeyCommand::Create(created);
        let outcome = self.dispatch::<ApiKey>(ctx, stream(api_key_id), subject, &command).await?;
        Ok((api_key_id, outcome))
    }

    /// Changes a key's name or permissions; `None` leaves a thing as it is.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn change_api_key(
        &self,
        ctx: &CommandContext,
        by: UserId,
        api_key_id: ApiKeyId,
        name: Option<String>,
        permissions: Option<Vec<Permission>>,
    ) -> Result<Outcome, CommandError<ApiKeyError>> {
        let command = ApiKeyCommand::Change { by, name, permissions };
        self.dispatch::<ApiKey>(ctx, stream(api_key_id), Some(user_subject(by)), &command).await
    }

    /// Lets another secret open a key; the former one opens nothing from then on.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn rotate_api_key(
        &self,
        ctx: &CommandContext,
        by: UserId,
        api_key_id: ApiKeyId,
        secret_sha256: String,
    ) -> Result<Outcome, CommandError<ApiKeyError>> {
        let command = ApiKeyCommand::Rotate { by, secret_sha256 };
        self.dispatch::<ApiKey>(ctx, stream(api_key_id), None, &command).await
    }

    /// Makes a key open nothing.
    ///
    /// # Errors
    /// See [`CommandError`].
    pub async fn revoke_api_key(
        &self,
        ctx: &CommandContext,
        by: UserId,
        api_key_id: ApiKeyId,
    ) -> Result<Outcome, CommandError<ApiKeyError>> {
        let command = ApiKeyCommand::Revoke { by };
        self.dispatch::<ApiKey>(ctx, stream(api_key_id), None, &command).await
    }
}

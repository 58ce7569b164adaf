//! What a person prefers: a document with defaults, of which only the differences are kept.

mod changes;
mod document;
pub(crate) mod own;

use calotype_domain::UserId;
use calotype_domain::user::{ProfileChange, UserCommand};

pub(crate) use changes::{Changes, UserPreferencesUpdateDto};
pub(crate) use document::UserPreferencesResponseDto;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::state::Api;
use crate::users::dto::not_found;

/// The preferences of an account.
pub(crate) async fn load(
    api: &Api,
    user_id: UserId,
) -> Result<UserPreferencesResponseDto, Problem> {
    let row = api.queries.user(user_id.uuid()).await?.ok_or_else(not_found)?;
    document::of(&row.preferences).map_err(|error| Problem::internal(&error))
}

/// With how many faces somebody without a name is listed, as an account prefers it.
pub(crate) fn minimum_faces(preferences: &serde_json::Value) -> Result<i64, Problem> {
    let document = document::of(preferences).map_err(|error| Problem::internal(&error))?;
    Ok(document.minimum_faces())
}

/// Whether an account wants films that were taken out of stills downloaded with them.
pub(crate) fn with_embedded_films(preferences: &serde_json::Value) -> Result<bool, Problem> {
    let document = document::of(preferences).map_err(|error| Problem::internal(&error))?;
    Ok(document.with_embedded_films())
}

/// Lays changes over the preferences of an account and says what they are now.
pub(crate) async fn change(
    api: &Api,
    caller: &Caller,
    user_id: UserId,
    changes: Changes,
) -> Result<UserPreferencesResponseDto, Problem> {
    if let Some(avatar_color) = changes.avatar_color {
        let change = ProfileChange { avatar_color: Some(avatar_color), ..ProfileChange::default() };
        let outcome = api.commands.change_user(&caller.next_context(api), user_id, change).await?;
        api.seen(&outcome).await;
    }
    let wish = UserCommand::ChangePreferences { changes: changes.document };
    let outcome = api.commands.user(&caller.context(), user_id, wish).await?;
    api.seen(&outcome).await;
    load(api, user_id).await
}

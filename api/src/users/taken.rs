//! Refusals of changes to accounts, worded for changing rather than for making one.

use calotype_commands::CommandError;
use calotype_commands::users::AccountError;
use uuid::Uuid;

use crate::problem::Problem;
use crate::state::Api;

/// Why an account was not changed.
pub(crate) fn refused(error: CommandError<AccountError>) -> Problem {
    match error {
        CommandError::Refused(AccountError::EmailTaken) => {
            Problem::bad_request("Email already in use by another account")
        }
        other => other.into(),
    }
}

/// Refuses a storage label that another account has.
pub(crate) async fn require_free_label(
    api: &Api,
    user_id: Option<Uuid>,
    label: &str,
) -> Result<(), Problem> {
    let is_taken =
        api.queries.users(true).await?.iter().any(|user| {
            Some(user.user_id) != user_id && user.storage_label.as_deref() == Some(label)
        });
    if is_taken {
        return Err(Problem::bad_request("Storage label already in use by another account"));
    }
    Ok(())
}

//! Refusals of changes to accounts, worded for changing rather than for making one.

use calotype_commands::CommandError;
use calotype_commands::users::AccountError;

use crate::problem::Problem;

/// Why an account was not changed.
pub(crate) fn refused(error: CommandError<AccountError>) -> Problem {
    match error {
        CommandError::Refused(AccountError::EmailTaken) => {
            Problem::bad_request("Email already in use by another account")
        }
        other => other.into(),
    }
}

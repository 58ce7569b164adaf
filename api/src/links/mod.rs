//! Shared links as a credential: finding the link, its password's cookie, and who looked at it.

mod cookie;
mod credential;
mod locked;
mod reach;
mod revoke;
mod uploads;
mod views;

pub(crate) use cookie::{is_open_to, remember};
pub(crate) use credential::{WORD_CHARS_MAX, by_key, by_slug, is_over};
pub(crate) use locked::{unshow_if_locked, unshow_what_is_locked};
pub(crate) use reach::reached;
pub(crate) use revoke::{revoke, revoke_of_album};
pub(crate) use uploads::take_upload;
pub(crate) use views::{LinkViews, note};

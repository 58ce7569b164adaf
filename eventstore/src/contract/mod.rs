//! What the words of [`EventStore`] mean: the tests every store must pass, written once.
//!
//! Each is given a new, empty store that is sequenced by itself (a task of the caller's, or at once).

#![expect(clippy::expect_used, clippy::panic, reason = "these are tests")]

mod appending;
mod forgetting;
mod order;
mod past;
mod sample;

use std::future::Future;

use crate::store::EventStore;

pub use sample::{append, envelope, event, event_id, sealed_event, stream_id};

/// Runs every test, each on a store of its own.
///
/// # Panics
/// The store breaks the contract.
pub async fn check<S, F>(make: impl Fn() -> F)
where
    S: EventStore,
    F: Future<Output = S>,
{
    appending::revisions_count_from_zero(&make().await).await;
    appending::what_was_given_is_read(&make().await).await;
    appending::a_demand_that_does_not_hold_writes_nothing(&make().await).await;
    appending::several_streams_are_written_together_or_not_at_all(&make().await).await;
    appending::repeating_an_append_is_answered_as_the_first_time(&make().await).await;
    appending::repeating_without_a_demand_is_answered_as_the_first_time(&make().await).await;
    appending::an_event_id_is_given_once(&make().await).await;
    appending::senseless_appends_are_refused(&make().await).await;
    appending::a_stream_is_read_in_pieces(&make().await).await;
    appending::of_concurrent_writers_one_wins_each_revision(&make().await).await;
    appending::concurrent_writers_without_a_demand_all_win(&make().await).await;
    order::positions_rise_without_gaps(&make().await).await;
    order::events_of_a_stream_keep_their_order(&make().await).await;
    order::the_log_is_read_in_pieces(&make().await).await;
    order::what_a_request_did_is_found(&make().await).await;
    order::several_streams_are_read_at_once(&make().await).await;
    order::waiting_ends_with_the_position(&make().await).await;
    order::waiting_for_nothing_ends_in_time(&make().await).await;
    order::what_is_asked_for_is_found_piece_by_piece(&make().await).await;
    order::a_skipped_event_is_not_read(&make().await).await;
    past::streams_are_read_up_to_a_position(&make().await).await;
    past::the_last_of_some_types_is_found(&make().await).await;
    past::what_was_done_in_between_is_found(&make().await).await;
    past::an_instant_is_a_position(&make().await).await;
    forgetting::sealed_values_come_back(&make().await).await;
    forgetting::forgotten_values_are_gone_and_the_rest_stays(&make().await).await;
    forgetting::nothing_is_sealed_for_a_forgotten_subject(&make().await).await;
    forgetting::attachments_are_read_until_forgotten(&make().await).await;
    forgetting::concurrent_first_seals_can_all_be_read(&make().await).await;
}

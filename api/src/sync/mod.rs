//! Tag `Sync`: the mobile app's copy of what a person sees, kept up to date line by line.

mod acks;
mod content;
pub(crate) mod dto;
pub(crate) mod edits;
mod get_sync_stream;
mod keys;
mod lines;
mod organized;
mod people;
mod plan;
mod shared;
pub(crate) mod standings;
mod stream;
mod sync_ack;
mod texts;
mod token;
pub(crate) mod words;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::Api;

pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(get_sync_stream::get_sync_stream)).routes(routes!(
        sync_ack::get_sync_ack,
        sync_ack::send_sync_ack,
        sync_ack::delete_sync_ack
    ))
}

/// Reads an ack, and writes it as it was, for [`crate::fuzz`].
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn read_ack(text: &str) {
    if let Ok((entity, said)) = token::parse(text) {
        let written = token::write(entity, said);
        assert_eq!(token::parse(&written), Ok((entity, said)), "an ack is what it was");
    }
}

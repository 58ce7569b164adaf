//! Web sockets: what changed is told to the people it concerns, in the words of Immich's socket.io events.

mod dto;
mod sockets;
mod told;
mod teller;

pub use sockets::{Realtime, attach};

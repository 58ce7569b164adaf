//! Web sockets: what changed is told to the people it concerns, in the words of Immich's socket.io events.

mod cutter;
mod dto;
mod sockets;
mod teller;
mod told;

pub use sockets::{Realtime, attach};

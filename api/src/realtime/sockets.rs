//! Who is connected: authenticated by the rules of HTTP, in the rooms of their account and of their session or key.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use calotype_domain::permission::Permission;
use serde::Serialize;
use socketioxide::extract::{SocketRef, State};
use socketioxide::layer::SocketIoLayer;
use socketioxide::{SendError, SocketIo, TransportType};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::cutter;
use super::teller::Teller;
use super::told::Waiting;
use crate::caller::{Caller, authenticate};
use crate::problem::Problem;
use crate::state::Api;

/// Sockets open at once.
const SOCKETS_MAX: usize = 10_000;
/// What a client may send in one message; clients of Immich send nothing.
const MESSAGE_BYTES_MAX: u64 = 64 * 1024;
/// Messages that may wait for a slow client.
const WAITING_MESSAGES_MAX: usize = 256;
/// How long a client may take to say which namespace it wants.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// How many sockets are open.
pub(super) type Open = Arc<AtomicUsize>;

/// What answers at `/api/socket.io`; goes round the whole router as a layer.
pub type Realtime = SocketIoLayer;

#[derive(Clone)]
struct Shared {
    api: Api,
    open: Open,
}

/// Sent to each new socket.
#[derive(Serialize)]
struct ServerVersion {
    major: u32,
    minor: u32,
    patch: u32,
    prerelease: Option<u32>,
}

/// The version of Immich that is announced.
const VERSION: ServerVersion = ServerVersion { major: 3, minor: 1, patch: 0, prerelease: None };

/// Makes the layer, and lets a task tell what changes until `cancel`; the tracker can wait for its end.
#[must_use]
pub fn attach(api: &Api, tracker: &TaskTracker, cancel: CancellationToken) -> Realtime {
    let open = Open::default();
    let (layer, io) = SocketIo::builder()
        .req_path("/api/socket.io")
        .transports([TransportType::Websocket])
        .max_payload(MESSAGE_BYTES_MAX)
        .max_buffer_size(WAITING_MESSAGES_MAX)
        .connect_timeout(CONNECT_TIME_MAX)
        .with_state(Shared { api: api.clone(), open: Arc::clone(&open) })
        .build_layer();
    io.ns("/", connected);
    drop(tracker.spawn(cutter::run(io.clone(), api.applied.subscribe(), cancel.clone())));
    let teller = Teller { api: api.clone(), io, open, waiting: Waiting::default() };
    drop(tracker.spawn(teller.run(api.applied.subscribe(), cancel)));
    layer
}

async fn connected(socket: SocketRef, State(shared): State<Shared>) {
    let before = shared.open.fetch_add(1, Ordering::Relaxed);
    let open = Arc::clone(&shared.open);
    socket.on_disconnect(async move || {
        open.fetch_sub(1, Ordering::Relaxed);
    });
    let known = if before < SOCKETS_MAX {
        caller(&shared.api, &socket).await
    } else {
        Err(Problem::unavailable())
    };
    let said = match known {
        Ok(caller) => {
            socket.join(caller.user_id().to_string());
            if let Some(session) = caller.session() {
                socket.join(session.session_id.to_string());
            }
            if let Some(api_key) = caller.api_key() {
                socket.join(api_key.api_key_id.to_string());
            }
            // Who lost access between the look and the rooms was not in the room that was cut off.
            match self::caller(&shared.api, &socket).await {
                Ok(_) => socket.emit("on_server_version", &VERSION),
                Err(_) => turn_away(socket),
            }
        }
        Err(_) => turn_away(socket),
    };
    if let Err(error) = said {
        tracing::debug!(%error, "a socket was not reached");
    }
}

fn turn_away(socket: SocketRef) -> Result<(), SendError> {
    let said = socket.emit("error", "unauthorized");
    if let Err(error) = socket.disconnect() {
        tracing::debug!(%error, "a socket was closed already");
    }
    said
}

async fn caller(api: &Api, socket: &SocketRef) -> Result<Caller, Problem> {
    let parts = socket.req_parts();
    let caller = authenticate(api, &parts.headers, parts.uri.query()).await?;
    // A key hears of assets only when it may read them.
    caller.require(Permission::AssetRead)?;
    Ok(caller)
}

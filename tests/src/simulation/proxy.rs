//! A door to PostgreSQL that breaks where it is told to: it counts round trips, and cuts or holds the connection of
//! a chosen one.
//!
//! What is cut before its round trip was never done. What is cut after it was done, and nobody is told. What is held
//! is done later, while everybody else goes on.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use bytes::{Buf as _, BytesMut};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// Bytes read at once.
const READ_BYTES: usize = 16 * 1024;
/// Longest message that is looked at, in bytes; a longer one is a fault of this file.
const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The length of a message stands in its first bytes, behind the type.
const LENGTH_BYTES: usize = 4;

/// What happens to a round trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its connection ends before it is done.
    CutBefore,
    /// Its connection ends when it is done, before the answer.
    CutAfter,
    /// It is not sent on until [`Proxy::release`].
    Hold,
}

/// The door of one process.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    port: u16,
    _stop: DropGuard,
}

#[derive(Debug)]
struct Shared {
    server: Server,
    armed: Mutex<Armed>,
    held: watch::Sender<bool>,
    connections: Mutex<CancellationToken>,
    tasks: TaskTracker,
}

#[derive(Debug, Default)]
struct Armed {
    /// What is to happen, after how many round trips.
    fault: Option<(Fault, u32)>,
    has_fired: bool,
}

/// Where PostgreSQL really is.
#[derive(Clone, Debug)]
enum Server {
    Socket(PathBuf),
    Address(String, u16),
}

impl Proxy {
    /// Opens a door on the loopback to where `options` lead.
    ///
    /// # Errors
    /// No port is free.
    pub async fn open(options: &PgConnectOptions) -> anyhow::Result<Self> {
        let server = match options.get_socket() {
            Some(folder) => Server::Socket(folder.join(format!(".s.PGSQL.{}", options.get_port()))),
            None => Server::Address(options.get_host().to_owned(), options.get_port()),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port is free")?;
        let port = listener.local_addr()?.port();
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared {
            server,
            armed: Mutex::default(),
            held: watch::Sender::new(false),
            connections: Mutex::new(stop.child_token()),
            tasks: TaskTracker::new(),
        });
        shared.tasks.spawn(accept(Arc::clone(&shared), listener, stop.clone()));
        Ok(Self { shared, port, _stop: stop.drop_guard() })
    }

    /// The same database through this door.
    #[must_use]
    pub fn through(&self, options: &PgConnectOptions) -> PgConnectOptions {
        let mut inside = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username(options.get_username())
            .ssl_mode(PgSslMode::Disable);
        if let Some(database) = options.get_database() {
            inside = inside.database(database);
        }
        inside
    }

    /// From now on the round trip after so many others meets a fault, once.
    pub fn arm(&self, fault: Fault, after: u32) {
        *self.armed() = Armed { fault: Some((fault, after)), has_fired: false };
    }

    /// Nothing is to happen any more.
    pub fn disarm(&self) {
        *self.armed() = Armed::default();
    }

    /// As [`Proxy::disarm`], and says whether it has happened.
    #[must_use]
    pub fn disarmed(&self) -> bool {
        std::mem::take(&mut *self.armed()).has_fired
    }

    /// Waits until a round trip is held.
    pub async fn held(&self) {
        let mut held = self.shared.held.subscribe();
        // The sender is there as long as this is.
        drop(held.wait_for(|is_held| *is_held).await);
    }

    /// Lets what is held go on.
    pub fn release(&self) {
        self.shared.held.send_replace(false);
    }

    /// Ends every connection, as the death of the process does.
    pub fn cut_all(&self) {
        let mut connections =
            self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let next = CancellationToken::new();
        std::mem::replace(&mut *connections, next).cancel();
    }

    fn armed(&self) -> std::sync::MutexGuard<'_, Armed> {
        self.shared.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut_all();
    }
}

impl Shared {
    /// Counts one round trip; what happens to it.
    fn pass(&self) -> Option<Fault> {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        match armed.fault {
            Some((fault, 0)) => {
                *armed = Armed { fault: None, has_fired: true };
                Some(fault)
            }
            Some((fault, left)) => {
                armed.fault = Some((fault, left - 1));
                None
            }
            None => None,
        }
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let Ok((client, _)) = accepted else { continue };
        let connections = shared.connections.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let ours = Arc::clone(&shared);
        shared.tasks.spawn(async move {
            let end = connections.child_token();
            let _ended = end.clone().drop_guard();
            let carried = async {
                client.set_nodelay(true)?;
                match &ours.server {
                    Server::Socket(path) => {
                        carry(&ours, client, UnixStream::connect(path).await?, &end).await
                    }
                    Server::Address(host, port) => {
                        let server = TcpStream::connect((host.as_str(), *port)).await?;
                        server.set_nodelay(true)?;
                        carry(&ours, client, server, &end).await
                    }
                }
            };
            tokio::select! {
                // However it ended, both sides see that it did.
                carried = carried => drop(carried),
                () = end.cancelled() => {}
            }
        });
    }
}

/// Carries what both say until one of them is gone.
async fn carry<S>(
    shared: &Shared,
    client: TcpStream,
    server: S,
    end: &CancellationToken,
) -> anyhow::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (from_client, to_client) = tokio::io::split(client);
    let (from_server, to_server) = tokio::io::split(server);
    let is_deaf = watch::Sender::new(false);
    let asking = ask(shared, from_client, to_server, &is_deaf, end);
    let answering = answer(from_server, to_client, &is_deaf);
    tokio::select! {
        asked = asking => asked,
        answered = answering => answered,
    }
}

/// From the client to the server. A round trip ends with `Query` or `Sync`.
async fn ask<R, W>(
    shared: &Shared,
    mut from: R,
    mut to: W,
    is_deaf: &watch::Sender<bool>,
    end: &CancellationToken,
) -> anyhow::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut bytes = BytesMut::with_capacity(READ_BYTES);
    // The first message has no type.
    let mut is_first = true;
    loop {
        while let Some((kind, length)) = message(&bytes, is_first)? {
            is_first = false;
            let message = bytes.split_to(length);
            match Some(kind).filter(|kind| b"QS".contains(kind)).and_then(|_| shared.pass()) {
                Some(Fault::CutBefore) => return Ok(()),
                Some(Fault::CutAfter) => {
                    is_deaf.send_replace(true);
                }
                Some(Fault::Hold) => {
                    let mut held = shared.held.subscribe();
                    shared.held.send_replace(true);
                    tokio::select! {
                        released = held.wait_for(|is_held| !is_held) => drop(released),
                        () = end.cancelled() => return Ok(()),
                    }
                }
                None => {}
            }
            to.write_all(&message).await?;
        }
        if from.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    }
}

/// From the server to the client; deaf, until the server is ready for more, and then the connection ends.
async fn answer<R, W>(mut from: R, mut to: W, is_deaf: &watch::Sender<bool>) -> anyhow::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut bytes = BytesMut::with_capacity(READ_BYTES);
    loop {
        while let Some((kind, length)) = message(&bytes, false)? {
            let message = bytes.split_to(length);
            if !*is_deaf.borrow() {
                to.write_all(&message).await?;
            } else if kind == b'Z' {
                return Ok(());
            }
        }
        if from.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    }
}

/// Type and whole length of the message that begins here, once all of it is there.
fn message(mut bytes: &[u8], is_first: bool) -> anyhow::Result<Option<(u8, usize)>> {
    let all = bytes.len();
    let type_bytes = usize::from(!is_first);
    if all < type_bytes + LENGTH_BYTES {
        return Ok(None);
    }
    let kind = if is_first { 0 } else { bytes.get_u8() };
    let length = usize::try_from(bytes.get_u32())? + type_bytes;
    if length > MESSAGE_BYTES_MAX {
        bail!("a message of {length} bytes");
    }
    Ok((all >= length).then_some((kind, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_when_they_are_whole() {
        let sync = [b'S', 0, 0, 0, 4];
        assert_eq!(message(&sync, false).unwrap(), Some((b'S', 5)));
        assert_eq!(message(&sync[..4], false).unwrap(), None);
        let first = [0, 0, 0, 8, 0, 3, 0, 0];
        assert_eq!(message(&first, true).unwrap(), Some((0, 8)));
        assert_eq!(message(&first[..7], true).unwrap(), None);
        assert_eq!(message(&[], true).unwrap(), None);
        assert!(message(&[b'Q', 0xff, 0xff, 0xff, 0xff], false).is_err());
    }

    #[test]
    fn only_the_chosen_round_trip_meets_the_fault() {
        let shared = Shared {
            server: Server::Socket(PathBuf::new()),
            armed: Mutex::new(Armed { fault: Some((Fault::CutAfter, 2)), has_fired: false }),
            held: watch::Sender::new(false),
            connections: Mutex::default(),
            tasks: TaskTracker::new(),
        };
        let met: Vec<Option<Fault>> = (0..4).map(|_| shared.pass()).collect();
        assert_eq!(met, [None, None, Some(Fault::CutAfter), None]);
        assert!(shared.armed.lock().unwrap().has_fired);
    }
}

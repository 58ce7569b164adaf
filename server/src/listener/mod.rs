//! Takes connections and answers on them, with limits on how many there are, on how long they may be silent, and on
//! how long a client may take nothing of its answer.
//!
//! axum's own loop has neither. Its kind of connection also waits without end for the first bytes, to tell HTTP/1
//! from HTTP/2, so that HTTP/1 is spoken here from the first byte on: proxies speak it to the servers behind them.

mod doors;
mod held;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::sockopt::set_tcp_user_timeout;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;
use tracing::{debug, warn};

pub(crate) use doors::{Doors, Inside};
use held::Held;

/// How long a client may take for the head of a request, the time before its first byte included: so long may a
/// connection lie unused between two requests. Proxies keep theirs for 60 s, and must give up first.
const HEAD_WAIT: Duration = Duration::from_secs(75);
/// How long a client may take nothing of what is being sent to it, by the clock of the system's TCP: bytes that it
/// does not acknowledge, or a window that it keeps shut. Who takes a little within it goes on for ever. A phone in a
/// tunnel is back within two minutes; a player that was paused for longer asks for the rest again.
const STALL_WAIT: Duration = Duration::from_secs(120);
/// How long nobody is let in when the system has no more files to give.
const NO_FILES_WAIT: Duration = Duration::from_secs(1);

/// How long clients may keep a connection waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// See [`HEAD_WAIT`].
    pub(crate) head: Duration,
    /// See [`STALL_WAIT`].
    pub(crate) stall: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head: HEAD_WAIT, stall: STALL_WAIT }
    }
}

/// Answers until cancelled, then lets every request finish that has begun.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    doors: Doors,
    patience: Patience,
    soft: CancellationToken,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience.head);
    let connections = TaskTracker::new();
    loop {
        let entered = tokio::select! {
            () = soft.cancelled() => break,
            entered = enter(&listener, &doors) => entered,
        };
        let Some((stream, address, inside)) = entered else { continue };
        // Small parts of long answers leave at once, not when the client has acknowledged the part before.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "a connection waits before it sends small parts");
        }
        give_up_after(&stream, patience.stall);
        let router = router.clone();
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(address));
            // It is always ready.
            router.clone().call(request)
        });
        let io = TokioIo::new(Held::new(stream, inside));
        let connection = http.serve_connection(io, service).with_upgrades();
        let soft = soft.clone();
        connections.spawn(async move {
            tokio::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = soft.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                debug!(%error, "a connection broke off");
            }
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Has the system break a connection off whose client takes nothing for so long (`TCP_USER_TIMEOUT` in tcp(7)).
fn give_up_after(stream: &TcpStream, stall: Duration) {
    let stall_ms = u32::try_from(stall.as_millis()).unwrap_or(u32::MAX);
    if let Err(error) = set_tcp_user_timeout(stream, stall_ms) {
        debug!(%error, "a connection waits for a client that takes nothing");
    }
}

/// The next client that is let in; none where one was turned away, or gone at once.
async fn enter(listener: &TcpListener, doors: &Doors) -> Option<(TcpStream, SocketAddr, Inside)> {
    // Who finds no place waits in the queue of the system, and costs nothing here.
    let place = doors.place().await?;
    match listener.accept().await {
        Ok((stream, address)) => {
            let inside = doors.enter(place, address.ip());
            if inside.is_none() {
                debug!("an address has as many connections as one may have");
            }
            inside.map(|inside| (stream, address, inside))
        }
        Err(error) => {
            let is_gone = matches!(
                error.kind(),
                ErrorKind::ConnectionAborted
                    | ErrorKind::ConnectionRefused
                    | ErrorKind::ConnectionReset
            );
            if !is_gone {
                warn!(%error, "cannot let anybody in");
                tokio::time::sleep(NO_FILES_WAIT).await;
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// Long enough for a busy machine.
    const SOON: Duration = Duration::from_secs(20);

    struct Open {
        address: SocketAddr,
        soft: CancellationToken,
        serving: tokio::task::JoinHandle<()>,
    }

    /// More than the buffers of both ends of a connection hold.
    const LONG_ANSWER_BYTES: usize = 64 * 1024 * 1024;

    async fn open(places: usize, head: Duration) -> Open {
        open_with(places, Patience { head, stall: STALL_WAIT }).await
    }

    async fn open_with(places: usize, patience: Patience) -> Open {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new()
            .route("/", get(async || "here"))
            .route("/long", get(async || vec![b'.'; LONG_ANSWER_BYTES]));
        let soft = CancellationToken::new();
        let doors = Doors::new(places, Vec::new());
        let served = TaskTracker::new();
        let serving = served.spawn(serve(listener, router, doors, patience, soft.clone()));
        Open { address, soft, serving }
    }

    async fn said(client: &mut TcpStream) -> String {
        let mut bytes = Vec::new();
        let ended = tokio::time::timeout(SOON, client.read_to_end(&mut bytes)).await;
        assert!(ended.is_ok(), "still open after {SOON:?}");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[tokio::test]
    async fn who_says_nothing_or_never_ends_is_sent_away() {
        let open = open(8, Duration::from_millis(200)).await;
        for beginning in ["", "GET / HTTP/1.1\r\nhost: a\r\n", "PRI * HTTP/2.0\r\n"] {
            let mut client = TcpStream::connect(open.address).await.unwrap();
            client.write_all(beginning.as_bytes()).await.unwrap();
            let said = said(&mut client).await;
            assert!(!said.contains("200 OK"), "{beginning:?}: {said}");
        }
    }

    #[tokio::test]
    async fn who_finds_no_place_is_answered_when_another_leaves() {
        let open = open(1, SOON).await;
        let mut first = TcpStream::connect(open.address).await.unwrap();
        first.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut some = [0; 15];
        tokio::time::timeout(SOON, first.read_exact(&mut some)).await.unwrap().unwrap();
        assert_eq!(&some, b"HTTP/1.1 200 OK");

        let mut second = TcpStream::connect(open.address).await.unwrap();
        second.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        let early = tokio::time::timeout(Duration::from_millis(200), second.read_u8()).await;
        assert!(early.is_err(), "answered beside the one place");
        drop(first);
        assert!(said(&mut second).await.ends_with("here"));
    }

    #[tokio::test]
    async fn who_takes_nothing_of_an_answer_loses_the_place() {
        let patience = Patience { head: SOON, stall: Duration::from_millis(500) };
        let open = open_with(1, patience).await;
        let mut stalled = TcpStream::connect(open.address).await.unwrap();
        stalled.write_all(b"GET /long HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        let mut some = [0; 15];
        tokio::time::timeout(SOON, stalled.read_exact(&mut some)).await.unwrap().unwrap();
        assert_eq!(&some, b"HTTP/1.1 200 OK");

        // There is one place, and the first client keeps its connection open without reading on.
        let mut second = TcpStream::connect(open.address).await.unwrap();
        second.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await.unwrap();
        assert!(said(&mut second).await.ends_with("here"));
        drop(stalled);
    }

    #[tokio::test]
    async fn who_takes_a_little_at_a_time_gets_the_whole_answer() {
        let patience = Patience { head: SOON, stall: Duration::from_millis(500) };
        let open = open_with(1, patience).await;
        let mut slow = TcpStream::connect(open.address).await.unwrap();
        slow.write_all(b"GET /long HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .await
            .unwrap();
        let (begun, mut taken) = (std::time::Instant::now(), 0);
        let mut piece = vec![0; 4 * 1024 * 1024];
        let mut pace = tokio::time::interval(Duration::from_millis(100));
        loop {
            pace.tick().await;
            let mut filled = 0;
            while filled < piece.len() {
                let read = slow.read(&mut piece[filled..]).await.unwrap();
                if read == 0 {
                    break;
                }
                filled += read;
            }
            taken += filled;
            if filled < piece.len() {
                break;
            }
        }
        assert!(taken > LONG_ANSWER_BYTES, "cut off after {taken} bytes");
        assert!(begun.elapsed() > patience.stall * 3, "too fast to prove anything");
    }

    #[tokio::test]
    async fn stopping_ends_idle_connections() {
        let open = open(8, SOON).await;
        let mut client = TcpStream::connect(open.address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'H');
        open.soft.cancel();
        assert!(said(&mut client).await.ends_with("here"));
        tokio::time::timeout(SOON, open.serving).await.unwrap().unwrap();
    }
}

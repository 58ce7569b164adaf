//! The double's door: two gRPC services over its log.

#![expect(clippy::result_large_err, reason = "a service answers with tonic's status")]

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::codec::ProstCodec;
use tonic::server::{Grpc, NamedService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};
use tower::{Service, service_fn};
use uuid::Uuid;

use super::log::{Log, Stored};
use super::messages::{
    AppendContent, AppendReq, AppendResp, FromPosition, FromRevision, Position, ReadContent,
    ReadEvent, ReadReq, ReadResp, ReadWhat, StreamNotFound, SupportedMethods,
};

const APPEND: &str = "/event_store.client.streams.Streams/Append";
const READ: &str = "/event_store.client.streams.Streams/Read";
const FEATURES: &str = "/event_store.client.server_features.ServerFeatures/GetSupportedMethods";
/// What it says it is.
const VERSION: &str = "24.10.0";

/// A double of KurrentDB. It ends with this value.
#[derive(Debug)]
pub struct Kurrent {
    log: Arc<Mutex<Log>>,
    port: u16,
    _stop: DropGuard,
}

impl Kurrent {
    /// Starts an empty one on a free port.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("no port for the double")?;
        let port = listener.local_addr()?.port();
        let log = Arc::default();
        let stop = CancellationToken::new();
        let serving = Server::builder()
            .add_service(Streams { log: Arc::clone(&log) })
            .add_service(Features { log: Arc::clone(&log) })
            .serve_with_incoming_shutdown(
                TcpIncoming::from(listener).with_nodelay(Some(true)),
                stop.clone().cancelled_owned(),
            );
        TaskTracker::new().spawn(serving);
        Ok(Self { log, port, _stop: stop.drop_guard() })
    }

    /// Its address, as the event store takes it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("kurrentdb://admin:changeit@127.0.0.1:{}?tls=false&discoveryInterval=1", self.port)
    }

    /// Answers no call any more, or does so again.
    pub fn set_away(&self, is_away: bool) {
        self.log().is_away = is_away;
    }

    /// Writes the next `count` appends and does not say so.
    pub fn lose_answers(&self, count: usize) {
        self.log().answers_lost = count;
    }

    /// Refuses appends to one stream.
    pub fn close_stream(&self, name: &str) {
        self.log().closed_streams.insert(name.to_owned());
    }

    /// Takes appends to every stream again.
    pub fn open_streams(&self) {
        self.log().closed_streams.clear();
    }

    /// Writes a copy of the last event to another stream, as somebody who knows nothing of Calotype would.
    pub fn intrude(&self, stream: &str, event_id: Uuid) {
        self.log().intrude(stream, event_id);
    }

    /// Ids of all events in their order, without its own.
    #[must_use]
    pub fn event_ids(&self) -> Vec<Uuid> {
        let log = self.log();
        let theirs = log.events.iter().filter(|event| !event.stream.starts_with('$'));
        theirs.map(|event| event.id).collect()
    }

    /// Ids of the events of one stream.
    #[must_use]
    pub fn stream_ids(&self, name: &str) -> Vec<Uuid> {
        let log = self.log();
        log.stream(name).unwrap_or_default().into_iter().map(|event| event.id).collect()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

/// Appends and reads.
#[derive(Clone)]
struct Streams {
    log: Arc<Mutex<Log>>,
}

impl NamedService for Streams {
    const NAME: &'static str = "event_store.client.streams.Streams";
}

impl Service<http::Request<Body>> for Streams {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answering {
        let log = Arc::clone(&self.log);
        match request.uri().path() {
            APPEND => Box::pin(async move {
                let append = service_fn(move |request: Request<Streaming<AppendReq>>| {
                    append(Arc::clone(&log), request)
                });
                Ok(Grpc::new(ProstCodec::default()).client_streaming(append, request).await)
            }),
            READ => Box::pin(async move {
                let read = service_fn(move |request: Request<ReadReq>| {
                    let answers = answers(&log, request.into_inner());
                    async move {
                        let answers = answers?.into_iter().map(Ok::<ReadResp, Status>);
                        Ok::<_, Status>(Response::new(futures::stream::iter(answers)))
                    }
                });
                Ok(Grpc::new(ProstCodec::default()).server_streaming(read, request).await)
            }),
            _ => unknown(),
        }
    }
}

/// Says which version it is.
#[derive(Clone)]
struct Features {
    log: Arc<Mutex<Log>>,
}

impl NamedService for Features {
    const NAME: &'static str = "event_store.client.server_features.ServerFeatures";
}

impl Service<http::Request<Body>> for Features {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answering {
        if request.uri().path() != FEATURES {
            return unknown();
        }
        let is_away = self.log.lock().unwrap_or_else(PoisonError::into_inner).is_away;
        Box::pin(async move {
            let tell = service_fn(move |_: Request<()>| async move {
                if is_away {
                    return Err(Status::unavailable("the server goes down"));
                }
                Ok(Response::new(SupportedMethods {
                    methods: Vec::new(),
                    event_store_server_version: VERSION.to_owned(),
                }))
            });
            Ok(Grpc::new(ProstCodec::default()).unary(tell, request).await)
        })
    }
}

fn unknown() -> Answering {
    Box::pin(async { Ok(Status::unimplemented("the double does not know this").into_http()) })
}

async fn append(
    log: Arc<Mutex<Log>>,
    request: Request<Streaming<AppendReq>>,
) -> Result<Response<AppendResp>, Status> {
    let mut messages = request.into_inner();
    let mut options = None;
    let mut events = Vec::new();
    while let Some(message) = messages.message().await? {
        match message.content {
            Some(AppendContent::Options(given)) => options = Some(given),
            Some(AppendContent::ProposedMessage(event)) => events.push(event),
            None => return Err(Status::invalid_argument("an empty message")),
        }
    }
    let options = options.ok_or_else(|| Status::invalid_argument("no options"))?;
    let stream = options
        .stream_identifier
        .and_then(|name| String::from_utf8(name.stream_name.to_vec()).ok())
        .ok_or_else(|| Status::invalid_argument("no stream"))?;
    let expected = options
        .expected_stream_revision
        .ok_or_else(|| Status::invalid_argument("no expected revision"))?;
    let answer =
        log.lock().unwrap_or_else(PoisonError::into_inner).append(&stream, expected, events)?;
    Ok(Response::new(answer))
}

fn answers(log: &Mutex<Log>, request: ReadReq) -> Result<Vec<ReadResp>, Status> {
    let log = log.lock().unwrap_or_else(PoisonError::into_inner);
    if log.is_away {
        return Err(Status::unavailable("the server goes down"));
    }
    let options = request.options.ok_or_else(|| Status::invalid_argument("no options"))?;
    let is_backwards = options.read_direction == 1;
    let max = usize::try_from(options.count.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let mut events: Vec<&Stored> = match options.stream_option {
        Some(ReadWhat::Stream(stream)) => {
            let name = stream.stream_identifier.unwrap_or_default().stream_name;
            let Some(events) = std::str::from_utf8(&name).ok().and_then(|name| log.stream(name))
            else {
                let stream_identifier =
                    Some(super::messages::StreamIdentifier { stream_name: name });
                let missing = ReadContent::StreamNotFound(StreamNotFound { stream_identifier });
                return Ok(vec![ReadResp { content: Some(missing) }]);
            };
            let is_wanted = |event: &&Stored| match stream.revision_option {
                Some(FromRevision::Revision(from)) if is_backwards => event.revision() <= from,
                Some(FromRevision::Revision(from)) => event.revision() >= from,
                Some(FromRevision::End(())) => is_backwards,
                Some(FromRevision::Start(())) | None => !is_backwards,
            };
            events.into_iter().filter(is_wanted).collect()
        }
        Some(ReadWhat::All(all)) => {
            let is_wanted = |event: &&Stored| match all.all_option {
                // Backwards, the event at the position is left out.
                Some(FromPosition::Position(Position { commit_position: from, .. })) => {
                    if is_backwards {
                        event.position < from
                    } else {
                        event.position >= from
                    }
                }
                Some(FromPosition::End(())) => is_backwards,
                Some(FromPosition::Start(())) | None => !is_backwards,
            };
            log.events.iter().filter(is_wanted).collect()
        }
        None => return Err(Status::invalid_argument("nothing to read")),
    };
    if is_backwards {
        events.reverse();
    }
    let answer = |event: &Stored| ReadResp {
        content: Some(ReadContent::Event(ReadEvent {
            event: Some(event.recorded()),
            commit_position: Some(event.position),
        })),
    };
    Ok(events.into_iter().take(max).map(answer).collect())
}

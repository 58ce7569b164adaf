//! The connection to KurrentDB: every call has its time, is tried again where that can help, and says whether
//! it certainly did not happen.
//!
//! The client of version 1.2 ends for good when it cannot connect, so it is made anew then.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kurrentdb::{
    AppendToStreamOptions, Client, ClientSettings, Error, Position, ReadAllOptions, ReadStream,
    ReadStreamOptions, RecordedEvent, StreamPosition, StreamState,
};
use tokio::runtime::Handle;

use super::record::Write;
use crate::error::StoreError;

/// How long one write may take before its answer counts as lost.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one read may take.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a call is tried.
const TRIES_MAX: u32 = 4;
/// How long to wait before the second try; twice as long before each further one.
const RETRY_WAIT: Duration = Duration::from_millis(100);

/// Why a write has no success.
#[derive(Debug)]
pub(super) enum WriteFailure {
    /// The stream is not where the write demands; nothing was written.
    Conflict,
    /// KurrentDB will never take it; nothing was written.
    Unacceptable(Error),
    /// Nothing was written.
    Refused(Error),
    /// It may have been written.
    Lost(Error),
}

/// A client that is made anew when it ended.
pub(super) struct Connection {
    settings: ClientSettings,
    client: RwLock<Client>,
}

impl Connection {
    /// Sets up the client; nothing is connected yet.
    pub(super) async fn open(address: &str) -> Result<Self, StoreError> {
        // Its error would tell the password that is in the address.
        let settings: ClientSettings =
            address.parse().map_err(|_| StoreError::Address { of: "KurrentDB" })?;
        let client = make(settings.clone()).await?;
        Ok(Self { settings, client: RwLock::new(client) })
    }

    /// Writes; the same events at the same place again are no new ones to KurrentDB.
    pub(super) async fn append(&self, write: &Write) -> Result<(), WriteFailure> {
        let mut failure: Option<WriteFailure> = None;
        for attempt in 0..TRIES_MAX {
            self.wait_before(attempt).await;
            let tried = self.try_append(write).await;
            failure = Some(match (tried, failure) {
                (Err(WriteFailure::Refused(error)), Some(WriteFailure::Lost(_))) => {
                    // An answer was lost before, and being refused now says nothing about then.
                    WriteFailure::Lost(error)
                }
                (Err(failure @ (WriteFailure::Refused(_) | WriteFailure::Lost(_))), _) => failure,
                (done, _) => return done,
            });
        }
        Err(failure.unwrap_or(WriteFailure::Refused(Error::ConnectionClosed)))
    }

    async fn try_append(&self, write: &Write) -> Result<(), WriteFailure> {
        let state = match u64::try_from(write.after) {
            Ok(revision) => StreamState::StreamRevision(revision),
            Err(_) => StreamState::NoStream,
        };
        let options = AppendToStreamOptions::default()
            .stream_state(state)
            .requires_leader(true)
            .deadline(WRITE_TIMEOUT);
        let events = write
            .events
            .iter()
            .map(super::record::Outgoing::to_data)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                WriteFailure::Unacceptable(Error::InternalParsingError(error.to_string()))
            })?;
        let client = self.client();
        let appending =
            Box::pin(client.append_to_stream(write.stream_id.to_string(), &options, events));
        match tokio::time::timeout(WRITE_TIMEOUT, appending).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(classify(error)),
            Err(_) => Err(WriteFailure::Lost(Error::DeadlineExceeded)),
        }
    }

    /// At most `max` events of a stream from a revision on; none where there is no such stream.
    pub(super) async fn read_stream(
        &self,
        stream_id: &str,
        from: u64,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let options = ReadStreamOptions::default()
            .position(StreamPosition::Position(from))
            .requires_leader(true)
            .max_count(max);
        let read = self
            .read(|client| {
                let (stream_id, options) = (stream_id.to_owned(), options.clone());
                async move { gather(client.read_stream(stream_id, &options).await?, max).await }
            })
            .await;
        match read {
            Err(Error::ResourceNotFound) => Ok(Vec::new()),
            read => read.map_err(StoreError::kurrent("read a stream from KurrentDB")),
        }
    }

    /// At most `max` events of `$all`, the one at `from` included; from the first one on without it.
    pub(super) async fn read_all(
        &self,
        from: Option<Position>,
        max: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let position = from.map_or(StreamPosition::Start, StreamPosition::Position);
        let options =
            ReadAllOptions::default().position(position).requires_leader(true).max_count(max);
        self.read(|client| {
            let options = options.clone();
            async move { gather(client.read_all(&options).await?, max).await }
        })
        .await
        .map_err(StoreError::kurrent("read the log from KurrentDB"))
    }

    async fn read<T, F>(&self, call: impl Fn(Client) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut failure = Error::ConnectionClosed;
        for attempt in 0..TRIES_MAX {
            self.wait_before(attempt).await;
            match tokio::time::timeout(READ_TIMEOUT, call(self.client())).await {
                Err(_) => return Err(Error::DeadlineExceeded),
                Ok(Err(error)) if is_passing(&error) => failure = error,
                Ok(done) => return done,
            }
        }
        Err(failure)
    }

    /// Waits before another try, and has a client that did not end.
    async fn wait_before(&self, attempt: u32) {
        if attempt == 0 {
            return;
        }
        tokio::time::sleep(RETRY_WAIT * 2_u32.pow(attempt - 1)).await;
        let connected = self.client().server_info().await;
        if matches!(connected, Err(Error::ConnectionClosed | Error::GrpcConnectionError(_))) {
            match make(self.settings.clone()).await {
                Ok(client) => {
                    *self.client.write().unwrap_or_else(PoisonError::into_inner) = client;
                }
                Err(error) => {
                    tracing::debug!(error = %error, "failed to make the KurrentDB client anew");
                }
            }
        }
    }

    fn client(&self) -> Client {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl StoreError {
    /// For `map_err` on what KurrentDB says.
    pub(super) fn kurrent(attempt: &'static str) -> impl FnOnce(Error) -> Self {
        move |source| Self::Database { attempt, source: Arc::new(source) }
    }
}

/// Making a client reads the certificates of the machine.
async fn make(settings: ClientSettings) -> Result<Client, StoreError> {
    let runtime = Handle::current();
    let making = tokio::task::spawn_blocking(move || {
        // TLS is rustls with ring everywhere else; the client would choose another where nobody has chosen.
        drop(async_nats::rustls::crypto::ring::default_provider().install_default());
        Client::with_runtime_handle(runtime, settings).map_err(|error| error.to_string())
    });
    let reason = match making.await {
        Ok(Ok(client)) => return Ok(client),
        Ok(Err(reason)) => reason,
        Err(error) => error.to_string(),
    };
    Err(StoreError::kurrent("set up the KurrentDB client")(Error::InitializationError(reason)))
}

async fn gather(mut events: ReadStream, max: usize) -> Result<Vec<RecordedEvent>, Error> {
    let mut gathered = Vec::new();
    while gathered.len() < max
        && let Some(event) = events.next().await?
    {
        gathered.extend(event.event);
    }
    Ok(gathered)
}

/// Whether another try may succeed.
fn is_passing(error: &Error) -> bool {
    match error {
        Error::ServerError(_)
        | Error::NotLeaderException(_)
        | Error::ConnectionClosed
        | Error::GrpcConnectionError(_)
        | Error::DeadlineExceeded => true,
        Error::Grpc { .. }
        | Error::InternalParsingError(_)
        | Error::AccessDenied
        | Error::ResourceAlreadyExists
        | Error::ResourceNotFound
        | Error::ResourceDeleted
        | Error::UnsupportedFeature
        | Error::InternalClientError
        | Error::InitializationError(_)
        | Error::IllegalStateError(_)
        | Error::WrongExpectedVersion { .. } => false,
    }
}

/// What an error says about whether it was written.
fn classify(error: Error) -> WriteFailure {
    match error {
        Error::WrongExpectedVersion { .. } => WriteFailure::Conflict,
        // Too large, or a name that KurrentDB does not take.
        Error::Grpc { code, .. } if i32::from(code) == INVALID_ARGUMENT => {
            WriteFailure::Unacceptable(error)
        }
        Error::ResourceDeleted => WriteFailure::Unacceptable(error),
        Error::NotLeaderException(_)
        | Error::ConnectionClosed
        | Error::GrpcConnectionError(_)
        | Error::AccessDenied
        | Error::UnsupportedFeature
        | Error::InitializationError(_) => WriteFailure::Refused(error),
        Error::ServerError(_)
        | Error::Grpc { .. }
        | Error::InternalParsingError(_)
        | Error::ResourceAlreadyExists
        | Error::ResourceNotFound
        | Error::InternalClientError
        | Error::DeadlineExceeded
        | Error::IllegalStateError(_) => WriteFailure::Lost(error),
    }
}

/// gRPC's status `INVALID_ARGUMENT`.
const INVALID_ARGUMENT: i32 = 3;

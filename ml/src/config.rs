//! Where models are and how much they may take.

use std::path::PathBuf;
use std::time::Duration;

use crate::provider::Provider;

/// Threads that work on one inference, at most; more help small models little.
const THREADS_MAX: usize = 4;
/// Inferences of pictures at the same time; words have a lane of their own beside them.
const JOBS_MAX: usize = 2;
/// Jobs that may wait.
const QUEUE_MAX: usize = 256;
/// Models in memory at the same time: the set that Calotype brings has six, of four kinds.
const LOADED_MAX: usize = 8;
/// Their files' size together, in bytes. In memory a model takes two to four times as much.
const LOADED_BYTES_MAX: u64 = 1 << 30;
/// How long a model stays in memory that nobody uses; Immich's is the same.
const IDLE: Duration = Duration::from_secs(300);
/// How long a service may take for one picture.
const REMOTE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a service may take to say that it is there.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a service that failed is asked last.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// Where models are, and limits. [`MlConfig::new`] has limits for a small machine.
#[derive(Debug, Clone)]
pub struct MlConfig {
    /// Folders with models, laid out as Immich's cache: `clip/NAME/visual/model.onnx` and so on. The first
    /// that holds a model counts.
    pub folders: Vec<PathBuf>,
    /// Where `libonnxruntime.so` may be; the first that is there counts. A process loads it once.
    pub runtime: Vec<PathBuf>,
    /// What computes, the first that is there before the others; the processor does what is left.
    pub providers: Vec<Provider>,
    /// Threads that work on one inference.
    pub threads: usize,
    /// Inferences of pictures at the same time.
    pub jobs: usize,
    /// Jobs that may wait; those that come then are refused as [`crate::MlError::Busy`].
    pub queue: usize,
    /// Models in memory at the same time.
    pub loaded: usize,
    /// Size of their files together, in bytes.
    pub loaded_bytes: u64,
    /// How long a model stays in memory that nobody uses.
    pub idle: Duration,
    /// Addresses of services that speak Immich's protocol, asked in this order before this machine.
    pub remotes: Vec<String>,
    /// Whether this machine may do the work where no service does.
    pub local: bool,
    /// How long a service may take for one picture.
    pub remote_timeout: Duration,
    /// How long a service may take to say that it is there.
    pub ping_timeout: Duration,
    /// How long a service that failed is asked last, or not at all where this machine may do the work.
    pub retry_after: Duration,
}

impl MlConfig {
    /// Models of these folders, run by the first of these libraries, with the usual limits.
    #[must_use]
    pub fn new(folders: Vec<PathBuf>, runtime: Vec<PathBuf>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            folders,
            runtime,
            providers: Vec::new(),
            threads: cores.min(THREADS_MAX),
            jobs: JOBS_MAX.min(cores),
            queue: QUEUE_MAX,
            loaded: LOADED_MAX,
            loaded_bytes: LOADED_BYTES_MAX,
            idle: IDLE,
            remotes: Vec::new(),
            local: true,
            remote_timeout: REMOTE_TIMEOUT,
            ping_timeout: PING_TIMEOUT,
            retry_after: RETRY_AFTER,
        }
    }
}

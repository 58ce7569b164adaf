//! An S3 store for one test, in memory, with a door before it that can be shut.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_media::blob::{BlobStore, S3Place};
use calotype_media::objects::Objects;
use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::media::workspace;

/// Where `./dev test` says that the Python packages are.
const PACKAGES: &str = "CALOTYPE_TEST_PYTHONPATH";
/// How long the store may take to come up.
const START_LIMIT: Duration = Duration::from_secs(60);
/// The bucket, and the folder in it.
const BUCKET: &str = "photos";
const FOLDER: &str = "our home";
/// The access key; the store takes any.
const KEY_ID: &str = "AKIDTEST";
/// Its secret, which no log may tell.
pub const SECRET: &str = "hush-hush-secret";
/// How much is fetched at once.
const SCRATCH_BYTES: u64 = 64 << 20;

/// What a store says to whom it denies access.
const DENIAL: &str = "<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>";

/// What happens to who knocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Open,
    /// Connections break off.
    Shut,
    /// Every request is answered with 403.
    Denying,
}

/// A store with one bucket. It ends with this value.
#[derive(Debug)]
pub struct Bucket {
    _store: Child,
    port: u16,
    door: watch::Sender<Door>,
    has_refused: Arc<AtomicBool>,
    folder: tempfile::TempDir,
}

impl Bucket {
    /// Starts a store, makes the bucket, and opens the door.
    ///
    /// # Errors
    /// The Python packages are not there, or the store does not come up.
    pub async fn start() -> anyhow::Result<Self> {
        let packages = std::env::var_os(PACKAGES).map(PathBuf::from).with_context(|| {
            format!("{PACKAGES} is not set: run ./dev test, which fetches the store")
        })?;
        let mut store = Command::new("python3")
            .arg(workspace().join("tests/clients/s3_server.py"))
            .env("PYTHONPATH", packages)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("failed to start the store")?;
        let told = store.stdout.take().context("the store has no output")?;
        let mut lines = BufReader::new(told).lines();
        let first = tokio::time::timeout(START_LIMIT, lines.next_line()).await;
        let first = first.context("the store does not come up")??;
        let behind: u16 = first.context("the store ended at once")?.trim().parse()?;
        let made = reqwest::Client::new()
            .put(format!("http://127.0.0.1:{behind}/{BUCKET}"))
            .send()
            .await?;
        ensure!(made.status().is_success(), "no bucket: {}", made.status());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let (door, seen) = watch::channel(Door::Open);
        let has_refused = Arc::new(AtomicBool::new(false));
        let tasks = TaskTracker::new();
        tasks.spawn(let_in(listener, behind, seen, Arc::clone(&has_refused), tasks.clone()));
        Ok(Self { _store: store, port, door, has_refused, folder: tempfile::tempdir()? })
    }

    /// Shuts the door: connections break off, and new ones do too.
    pub fn shut(&self) {
        self.has_refused.store(false, Ordering::Relaxed);
        self.door.send_replace(Door::Shut);
    }

    /// Denies access from now on, as a store does that does not know the key.
    pub fn deny(&self) {
        self.door.send_replace(Door::Denying);
    }

    /// Opens it again.
    pub fn open(&self) {
        self.door.send_replace(Door::Open);
    }

    /// Whether somebody knocked since it was shut.
    #[must_use]
    pub fn has_refused(&self) -> bool {
        self.has_refused.load(Ordering::Relaxed)
    }

    /// `s3://BUCKET/FOLDER`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("s3://{BUCKET}/{FOLDER}")
    }

    /// Where the door is.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What a server is told on its command line.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let words = ["--storage".into(), self.address(), "--s3-endpoint".into(), self.endpoint()];
        words.into()
    }

    /// What a server finds in its environment.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        [("CALOTYPE_S3_KEY_ID", KEY_ID), ("CALOTYPE_S3_SECRET", SECRET)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    /// The place, with another bucket where one is wanted.
    ///
    /// # Errors
    /// There can be no such bucket.
    pub fn place(&self, bucket: Option<&str>) -> anyhow::Result<S3Place> {
        let address = format!("s3://{}/{FOLDER}", bucket.unwrap_or(BUCKET));
        let key = (KEY_ID.to_owned(), SECRET.to_owned());
        Ok(S3Place::parse(&address, Some(self.endpoint()), None, key)?)
    }

    /// Named objects in it, for the test itself.
    ///
    /// # Errors
    /// The address is none.
    pub fn objects(&self) -> anyhow::Result<Objects> {
        Ok(Objects::in_bucket(&self.place(None)?)?)
    }

    /// A store of blobs on it, for the test itself.
    ///
    /// # Errors
    /// Its folder cannot be made.
    pub async fn blobs(&self) -> anyhow::Result<BlobStore> {
        let store = BlobStore::open(self.folder()).await?;
        Ok(store.in_bucket(self.place(None)?, SCRATCH_BYTES)?)
    }

    /// The folder of [`Bucket::blobs`].
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The names of everything in it that is a blob, in order.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn keys(&self) -> anyhow::Result<Vec<String>> {
        keys(&self.blobs().await?).await
    }
}

/// The names of every blob of a store, in order.
///
/// # Errors
/// It does not answer.
pub async fn keys(store: &BlobStore) -> anyhow::Result<Vec<String>> {
    // Fewer than there are in some tests, so that there are several.
    const BATCH_KEYS: usize = 100;
    let (batches, mut sent) = tokio::sync::mpsc::channel(1);
    let (walked, mut keys) = tokio::join!(store.send_keys(BATCH_KEYS, batches), async {
        let mut keys = Vec::new();
        while let Some(batch) = sent.recv().await {
            keys.extend(batch);
        }
        keys
    });
    walked?;
    keys.sort();
    Ok(keys)
}

/// Lets connections through while the door is open.
async fn let_in(
    listener: TcpListener,
    behind: u16,
    door: watch::Receiver<Door>,
    has_refused: Arc<AtomicBool>,
    tasks: TaskTracker,
) {
    while let Ok((mut outer, _)) = listener.accept().await {
        let now = *door.borrow();
        match now {
            Door::Shut => has_refused.store(true, Ordering::Relaxed),
            Door::Denying => drop(tasks.spawn(deny(outer))),
            Door::Open => {
                let mut door = door.clone();
                tasks.spawn(async move {
                    let inner = TcpStream::connect(("127.0.0.1", behind)).await;
                    let Ok(mut inner) = inner else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut outer, &mut inner) => {}
                        _ = door.wait_for(|door| *door != Door::Open) => {}
                    }
                });
            }
        }
    }
}

/// Answers one request with a denial, and hears the rest of it.
async fn deny(mut connection: TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = connection.read_u8().await else { return };
        head.push(byte);
    }
    let length = DENIAL.len();
    let answer = format!(
        "HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{DENIAL}"
    );
    connection.write_all(answer.as_bytes()).await.ok();
    let mut rest = [0; 4_096];
    while connection.read(&mut rest).await.is_ok_and(|count| count > 0) {}
}

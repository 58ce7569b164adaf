//! The embedded servers with real processes: start, death, left-overs, stop.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it panics")]

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use calotype_server::embedded::{DataFolder, Embedded, EmbeddedError, Needs, find_postgres};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

const BOTH: Needs = Needs { postgres: true, nats: true };
const POSTGRES: Needs = Needs { postgres: true, nats: false };
const NATS: Needs = Needs { postgres: false, nats: true };
/// Limit on anything a test waits for.
const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(20);
/// Names the folder for the run of this program that is to be killed.
const HELPER_FOLDER: &str = "CALOTYPE_TEST_HELPER_FOLDER";

#[tokio::test]
async fn a_new_folder_gets_both_servers_and_keeps_its_data() {
    let place = Place::new();
    let data = place.open();
    let first = Embedded::start(&data, BOTH).await.unwrap();
    keep_a_row(&first).await;
    first.stop().await;

    let second = Embedded::start(&data, BOTH).await.unwrap();

    assert_eq!(kept_rows(&second).await.unwrap(), 1);
    assert!(publish(&second).await.is_ok());
    second.stop().await;
    assert_eq!(place.processes(), Vec::<i32>::new());
}

#[tokio::test]
async fn the_application_is_neither_owner_nor_superuser() {
    let place = Place::new();
    let servers = Embedded::start(&place.open(), POSTGRES).await.unwrap();
    keep_a_row(&servers).await;
    let access = servers.postgres().unwrap();
    let mut app = PgConnection::connect(&access.app_url).await.unwrap();

    let refused = sqlx::query("delete from kept").execute(&mut app).await;

    let refused = refused.unwrap_err().into_database_error().unwrap();
    assert_eq!(refused.code().as_deref(), Some("42501"));
    assert!(!format!("{access:?}").contains("postgres://"));
    servers.stop().await;
}

#[tokio::test]
async fn a_killed_postgres_comes_back_at_its_url_with_its_data() {
    let place = Place::new();
    let servers = Embedded::start(&place.open(), POSTGRES).await.unwrap();
    keep_a_row(&servers).await;
    let killed = place.kill("postgres.pid");

    until(async || kept_rows(&servers).await == Ok(1)).await;

    assert_ne!(place.pid("postgres.pid"), Some(killed));
    servers.stop().await;
    assert_eq!(place.processes(), Vec::<i32>::new());
}

#[tokio::test]
async fn a_killed_nats_server_comes_back_at_its_url_with_its_stream() {
    let place = Place::new();
    let servers = Embedded::start(&place.open(), NATS).await.unwrap();
    let first = publish(&servers).await.unwrap();
    place.kill("nats.pid");

    until(async || publish(&servers).await.is_ok_and(|sequence| sequence > first)).await;

    servers.stop().await;
    assert_eq!(place.processes(), Vec::<i32>::new());
}

#[tokio::test]
async fn servers_killed_while_starting_come_up_in_the_end() {
    let place = Place::new();
    let servers = Embedded::start(&place.open(), BOTH).await.unwrap();
    keep_a_row(&servers).await;
    for _ in 0..3 {
        let killed = (place.kill("postgres.pid"), place.kill("nats.pid"));
        until(async || {
            place.pid("postgres.pid").is_some_and(|pid| pid != killed.0)
                && place.pid("nats.pid").is_some_and(|pid| pid != killed.1)
        })
        .await;
    }

    until(async || kept_rows(&servers).await == Ok(1) && publish(&servers).await.is_ok()).await;

    servers.stop().await;
}

#[tokio::test]
async fn dropping_the_servers_ends_them() {
    let place = Place::new();
    let servers = Embedded::start(&place.open(), BOTH).await.unwrap();

    drop(servers);

    assert_eq!(place.processes(), Vec::<i32>::new());
}

#[tokio::test]
async fn an_open_folder_is_refused() {
    let place = Place::new();
    let _open = place.open();

    let second = DataFolder::open_exclusive(&place.data);

    let own_pid = Some(std::process::id());
    assert!(matches!(second, Err(EmbeddedError::AlreadyOpen { pid, .. }) if pid == own_pid));
}

#[tokio::test]
async fn a_postgres_left_running_is_stopped_and_started_anew() {
    let place = Place::new();
    let data = place.open();
    let first = Embedded::start(&data, POSTGRES).await.unwrap();
    keep_a_row(&first).await;
    first.stop().await;
    let mut orphan = Orphan::start(&place);
    until(async || place.data.join("postgres/postmaster.pid").exists()).await;

    let second = Embedded::start(&data, POSTGRES).await.unwrap();

    assert!(orphan.0.try_wait().unwrap().is_some());
    assert_eq!(kept_rows(&second).await.unwrap(), 1);
    second.stop().await;
}

#[tokio::test]
async fn a_stale_lock_with_the_id_of_another_program_is_no_obstacle() {
    let place = Place::new();
    let data = place.open();
    Embedded::start(&data, POSTGRES).await.unwrap().stop().await;
    let stale = format!("{}\n{}\n", std::process::id(), place.data.join("postgres").display());
    std::fs::write(place.data.join("postgres/postmaster.pid"), stale).unwrap();

    let second = Embedded::start(&data, POSTGRES).await;

    second.unwrap().stop().await;
}

#[tokio::test]
async fn a_killed_calotype_takes_its_servers_with_it() {
    let place = Place::new();
    let mut helper = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "helper_that_is_killed_by_another_test"])
        .env(HELPER_FOLDER, &place.data)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until(async || place.data.join("helper-is-ready").exists()).await;
    assert!(matches!(
        DataFolder::open_exclusive(&place.data),
        Err(EmbeddedError::AlreadyOpen { pid, .. }) if pid == Some(helper.id())
    ));

    helper.kill().unwrap();
    helper.wait().unwrap();
    let servers = Embedded::start(&place.open(), BOTH).await.unwrap();

    assert_eq!(kept_rows(&servers).await.unwrap(), 1);
    servers.stop().await;
    assert_eq!(place.processes(), Vec::<i32>::new());
}

/// Does nothing unless `a_killed_calotype_takes_its_servers_with_it` starts it.
#[tokio::test]
async fn helper_that_is_killed_by_another_test() {
    let Some(folder) = std::env::var_os(HELPER_FOLDER).map(PathBuf::from) else { return };
    let data = Arc::new(DataFolder::open_exclusive(&folder).unwrap());
    let servers = Embedded::start(&data, BOTH).await.unwrap();
    keep_a_row(&servers).await;
    std::fs::write(folder.join("helper-is-ready"), "").unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn another_major_version_is_refused_with_the_way_out() {
    let place = Place::new();
    let data = place.open();
    Embedded::start(&data, POSTGRES).await.unwrap().stop().await;
    std::fs::write(place.data.join("postgres/PG_VERSION"), "9\n").unwrap();

    let refused = Embedded::start(&data, POSTGRES).await.err().unwrap();

    assert!(matches!(refused, EmbeddedError::OtherMajor { found: 9, .. }));
    assert!(refused.to_string().contains("pg_dump"));
}

#[tokio::test]
async fn a_store_that_nats_server_cannot_open_is_put_aside() {
    let place = Place::new();
    let data = place.open();
    std::fs::create_dir(place.data.join("nats")).unwrap();
    std::fs::write(place.data.join("nats/jetstream"), "not a folder").unwrap();

    let servers = Embedded::start(&data, NATS).await.unwrap();

    assert!(publish(&servers).await.is_ok());
    assert!(place.data.join("nats.broken/jetstream").is_file());
    servers.stop().await;
}

#[tokio::test]
async fn a_database_that_cannot_start_is_given_up_with_what_it_printed() {
    let place = Place::new();
    let data = place.open();
    Embedded::start(&data, POSTGRES).await.unwrap().stop().await;
    std::fs::remove_file(place.data.join("postgres/global/pg_control")).unwrap();

    let refused = Embedded::start(&data, POSTGRES).await.err().unwrap();

    assert!(matches!(refused, EmbeddedError::GaveUp { .. }));
    assert!(refused.to_string().contains("pg_control"), "{refused}");
    assert_eq!(place.processes(), Vec::<i32>::new());
}

#[tokio::test]
async fn lost_passwords_are_set_anew() {
    let place = Place::new();
    let data = place.open();
    let first = Embedded::start(&data, POSTGRES).await.unwrap();
    keep_a_row(&first).await;
    first.stop().await;
    std::fs::remove_dir_all(place.data.join("keys")).unwrap();

    let second = Embedded::start(&data, POSTGRES).await.unwrap();

    assert_eq!(kept_rows(&second).await.unwrap(), 1);
    second.stop().await;
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_works() {
    let place = Place::with_name(&"long".repeat(30));
    let servers = Embedded::start(&place.open(), POSTGRES).await.unwrap();
    keep_a_row(&servers).await;
    let socket_folder = servers.postgres().unwrap().socket_folder.clone();

    let rows = kept_rows(&servers).await;

    assert_eq!(rows, Ok(1));
    assert!(!socket_folder.starts_with(&place.data));
    servers.stop().await;
    std::fs::remove_dir_all(socket_folder).unwrap();
}

#[tokio::test]
async fn no_server_runs_as_root() {
    let place = Place::new();
    let servers = Embedded::start(&place.open(), BOTH).await.unwrap();

    for file in ["postgres.pid", "nats.pid"] {
        let status = format!("/proc/{}", place.pid(file).unwrap());
        assert_ne!(std::fs::metadata(status).unwrap().uid(), 0, "{file}");
    }
    servers.stop().await;
}

#[tokio::test]
async fn a_folder_that_the_servers_cannot_reach_is_named() {
    if !rustix::process::geteuid().is_root() {
        // Only root's servers run as another user.
        return;
    }
    let place = Place::new();
    std::fs::create_dir_all(&place.data).unwrap();
    let data = place.open();
    let closed = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(place.folder.path(), closed).unwrap();

    let refused = Embedded::start(&data, BOTH).await.err().unwrap();

    let folder = place.folder.path().canonicalize().unwrap();
    assert!(refused.to_string().contains(&format!("`chmod o+x {}`", folder.display())));
}

/// A data folder in a temporary one that the servers' user can reach.
struct Place {
    folder: TempDir,
    data: PathBuf,
}

impl Place {
    fn new() -> Self {
        Self::with_name("data")
    }

    fn with_name(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = std::fs::Permissions::from_mode(0o711);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let data = folder.path().join(name);
        Self { folder, data }
    }

    fn open(&self) -> Arc<DataFolder> {
        Arc::new(DataFolder::open_exclusive(&self.data).unwrap())
    }

    fn pid(&self, file: &str) -> Option<i32> {
        std::fs::read_to_string(self.data.join("run").join(file)).ok()?.parse().ok()
    }

    /// Kills without a chance to clean up, and says whom.
    fn kill(&self, file: &str) -> i32 {
        let pid = self.pid(file).expect("the server is running");
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
        pid
    }

    /// Processes that work anywhere in the data folder.
    fn processes(&self) -> Vec<i32> {
        let is_inside = |path: PathBuf| path.starts_with(&self.data);
        std::fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let pid = entry.file_name().to_str()?.parse().ok()?;
                is_inside(entry.path().join("cwd").read_link().ok()?).then_some(pid)
            })
            .collect()
    }
}

/// A PostgreSQL that nobody supervises, as a killed run without a death signal leaves it.
struct Orphan(Child);

impl Orphan {
    fn start(place: &Place) -> Self {
        let folder = place.data.join("postgres");
        let owner = folder.metadata().unwrap();
        let mut command = Command::new(postgres(&place.data));
        command.arg("-D").arg(&folder).args(["-c", "listen_addresses="]).arg("-k").arg(&folder);
        command.current_dir(&folder).stdout(Stdio::null()).stderr(Stdio::null());
        if rustix::process::geteuid().is_root() {
            command.uid(owner.uid()).gid(owner.gid());
        }
        Self(command.spawn().unwrap())
    }
}

impl Drop for Orphan {
    fn drop(&mut self) {
        if self.0.try_wait().unwrap().is_none() {
            self.0.kill().unwrap();
            self.0.wait().unwrap();
        }
    }
}

fn postgres(data: &Path) -> PathBuf {
    find_postgres(data, None).unwrap().bin.join("postgres")
}

async fn keep_a_row(servers: &Embedded) {
    let url = &servers.postgres().unwrap().owner_url;
    let mut owner = PgConnection::connect(url).await.unwrap();
    sqlx::query("create table kept (id int)").execute(&mut owner).await.unwrap();
    sqlx::query("insert into kept values (1)").execute(&mut owner).await.unwrap();
    owner.close().await.unwrap();
}

/// The error as text, so that results can be compared.
async fn kept_rows(servers: &Embedded) -> Result<i64, String> {
    let url = &servers.postgres().unwrap().owner_url;
    let mut owner = PgConnection::connect(url).await.map_err(|error| error.to_string())?;
    sqlx::query_scalar("select count(*) from kept")
        .fetch_one(&mut owner)
        .await
        .map_err(|error| error.to_string())
}

/// Publishes one message to a stream on disk and returns its sequence number.
async fn publish(servers: &Embedded) -> Result<u64, async_nats::Error> {
    let access = servers.nats().unwrap();
    let options = async_nats::ConnectOptions::with_token(access.token.clone());
    let client = options.connect(&access.url).await?;
    let jetstream = async_nats::jetstream::new(client);
    let config = async_nats::jetstream::stream::Config {
        name: "kept".to_owned(),
        subjects: vec!["kept.>".to_owned()],
        max_bytes: 1 << 20,
        ..Default::default()
    };
    jetstream.get_or_create_stream(config).await?;
    Ok(jetstream.publish("kept.one", "hello".into()).await?.await?.sequence)
}

async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain");
        tokio::time::sleep(POLL).await;
    }
}

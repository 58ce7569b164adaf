//! A database of its own for each test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::server::{self, Folder, Kind};

/// A PostgreSQL server to use instead of a private one: the address of a database whose owner may create
/// others, such as `postgres://owner@localhost/postgres`.
const URL_VARIABLE: &str = "CALOTYPE_TEST_DATABASE_URL";
/// The role that serves, as in production.
const APP_ROLE: &str = "calotype_app";
const PORT: u16 = 5432;
const POOL_CONNECTIONS_MAX: u32 = 10;
/// Guards the making of the template among test processes (a key of `pg_advisory_lock`).
const TEMPLATE_LOCK: i64 = 0x6361_6c6f_7465_7374;

const POSTGRES: Kind = Kind { name: "postgres", prepare, answers };

/// A migrated database, dropped at the end.
#[derive(Debug)]
pub struct TestDatabase {
    /// Connected as the database's owner.
    pub pool: PgPool,
    /// Address of the database, for a process that connects itself.
    pub url: String,
    /// Name of the database.
    pub name: String,
    admin_url: String,
}

/// A new database with all migrations applied.
///
/// # Panics
/// There is no PostgreSQL: neither in the variable, nor in `.tools/postgres/bin`, nor installed.
pub async fn database() -> TestDatabase {
    let admin_url = admin_url().await;
    let mut admin = connect(&admin_url).await;
    let template = template(&mut admin, &admin_url).await;
    TestDatabase::create(&mut admin, admin_url, &template).await
}

/// A new database without anything in it.
///
/// # Panics
/// As [`database`].
pub async fn empty_database() -> TestDatabase {
    let admin_url = admin_url().await;
    let mut admin = connect(&admin_url).await;
    TestDatabase::create(&mut admin, admin_url, "template0").await
}

/// Path of a program that comes with PostgreSQL, such as `pg_dump`, of the version that tests run on.
///
/// # Panics
/// It is not there.
#[must_use]
pub fn postgres_program(name: &str) -> PathBuf {
    server::find_program(name, &program_folders())
        .unwrap_or_else(|| panic!("{name} is neither in .tools/postgres/bin nor installed"))
}

impl TestDatabase {
    async fn create(admin: &mut PgConnection, admin_url: String, template: &str) -> Self {
        let name = format!("test_{:016x}", rand::random::<u64>());
        execute(admin, format!("create database {name} template {template}")).await;
        let options = options(&admin_url).database(&name);
        let url = with_database(&admin_url, &name);
        let pool = PgPoolOptions::new()
            .max_connections(POOL_CONNECTIONS_MAX)
            .acquire_timeout(Duration::from_secs(20))
            .connect_with(options)
            .await
            .expect("the new database answers");
        Self { pool, url, name, admin_url }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let admin_url = self.admin_url.clone();
        let drop_it = format!("drop database if exists {} with (force)", self.name);
        // A runtime of its own, because this may run inside one.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut admin = PgConnection::connect(&admin_url).await?;
                sqlx::query(AssertSqlSafe(drop_it)).execute(&mut admin).await?;
                admin.close().await
            })?;
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        });
        if let Ok(Err(error)) = dropping.join() {
            tracing::warn!(error = %error, "failed to drop a test's database");
        }
    }
}

async fn admin_url() -> String {
    if let Ok(url) = std::env::var(URL_VARIABLE) {
        return url;
    }
    tokio::task::spawn_blocking(|| server::running(&POSTGRES)).await.expect("PostgreSQL starts")
}

/// Name of the database that others are copied from; made once for each set of migrations.
async fn template(admin: &mut PgConnection, admin_url: &str) -> String {
    let name = format!("calotype_template_{:016x}", migrations_digest());
    if is_template(admin, &name).await {
        return name;
    }
    let lock = "select pg_advisory_lock($1)";
    sqlx::query(lock).bind(TEMPLATE_LOCK).execute(&mut *admin).await.expect("a lock");
    if !is_template(admin, &name).await {
        execute(admin, format!("drop database if exists {name} with (force)")).await;
        execute(
            admin,
            format!(
                "do $$ begin create role {APP_ROLE} nologin; exception when duplicate_object then end $$"
            ),
        )
        .await;
        execute(admin, format!("create database {name} template template0")).await;
        let mut database = connect(&with_database(admin_url, &name)).await;
        calotype_migrations::MIGRATOR.run(&mut database).await.expect("the migrations run");
        database.close().await.expect("the template is left alone");
        execute(admin, format!("alter database {name} is_template true")).await;
    }
    let unlock = "select pg_advisory_unlock($1)";
    sqlx::query(unlock).bind(TEMPLATE_LOCK).execute(&mut *admin).await.expect("the lock");
    name
}

async fn is_template(admin: &mut PgConnection, name: &str) -> bool {
    sqlx::query_scalar(
        "select exists (select from pg_database where datname = $1 and datistemplate)",
    )
    .bind(name)
    .fetch_one(admin)
    .await
    .expect("the list of databases")
}

/// FNV-1a (64 bits) over the checksums of the migrations.
fn migrations_digest() -> u64 {
    calotype_migrations::MIGRATOR
        .iter()
        .flat_map(|migration| migration.checksum.iter())
        .fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
            (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap_or_else(|error| panic!("{url} answers: {error}"))
}

async fn execute(admin: &mut PgConnection, statement: String) {
    sqlx::query(AssertSqlSafe(statement.clone()))
        .execute(admin)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}

fn options(url: &str) -> PgConnectOptions {
    PgConnectOptions::from_str(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

/// The same address with another database: the path between the last slash and the question mark.
fn with_database(url: &str, name: &str) -> String {
    let (address, parameters) = url.split_once('?').map_or((url, None), |(a, p)| (a, Some(p)));
    let server = address.rsplit_once('/').map_or(address, |(server, _)| server);
    let parameters = parameters.map(|text| format!("?{text}")).unwrap_or_default();
    format!("{server}/{name}{parameters}")
}

fn program_folders() -> Vec<PathBuf> {
    let mut folders = vec![server::repository().join(".tools/postgres/bin")];
    let mut installed: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    installed.sort();
    folders.extend(installed.into_iter().rev());
    folders
}

fn prepare(folder: &Folder) -> Command {
    let data = folder.path.join("data");
    let mut initdb = Command::new(postgres_program("initdb"));
    initdb.arg("--pgdata").arg(&data).args([
        "--username=calotype",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    ]);
    let made = folder.as_owner(initdb).output().expect("initdb starts");
    assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));

    let mut postgres = Command::new(postgres_program("postgres"));
    postgres.arg("-D").arg(&data).arg("-k").arg(&folder.path).arg("-p").arg(PORT.to_string());
    for setting in [
        "listen_addresses=",
        "fsync=off",
        "full_page_writes=off",
        "max_connections=300",
        "shared_buffers=64MB",
        "autovacuum_naptime=10s",
    ] {
        postgres.arg("-c").arg(setting);
    }
    postgres
}

fn answers(folder: &Path) -> Option<String> {
    let url = format!("postgres://calotype@localhost:{PORT}/postgres?host={}", folder.display());
    let probing = std::thread::spawn({
        let url = url.clone();
        move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            runtime.block_on(async { PgConnection::connect(&url).await.ok()?.close().await.ok() })
        }
    });
    probing.join().ok()??;
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_changes_the_path_alone() {
        let url = "postgres://calotype@localhost:5432/postgres?host=/tmp/x";
        assert_eq!(with_database(url, "a"), "postgres://calotype@localhost:5432/a?host=/tmp/x");
        assert_eq!(with_database("postgres://o@h/p", "a"), "postgres://o@h/a");
    }
}

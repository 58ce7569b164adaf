//! The roles and the database, made where they are missing.
//!
//! What the application's role may do is granted by the migrations, not here.

use std::io::Write;
use std::path::Path;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection};

use super::super::error::{EmbeddedError, file};
use super::super::folder::DataFolder;
use super::super::launcher::{Launcher, run_one_shot};
use super::super::secret;
use super::access::{DATABASE, PORT};
use super::cluster::Cluster;

/// The superuser, used here only.
pub(super) const ADMIN: &str = "postgres";
/// Owns the database and what migrations make in it.
pub(super) const OWNER: &str = "calotype";
/// The running server.
pub(super) const APP: &str = "calotype_app";
/// Where the owner's password is kept, in `keys/`.
const OWNER_PASSWORD: &str = "postgres-owner.password";
/// `invalid_password`, in PostgreSQL's table of errors.
const WRONG_PASSWORD: &str = "28P01";

/// One password per role, all hexadecimal.
pub(super) struct Passwords {
    pub(super) admin: String,
    pub(super) owner: String,
    pub(super) app: String,
}

impl Passwords {
    pub(super) fn read_or_generate(data: &DataFolder) -> Result<Self, EmbeddedError> {
        let of = |name: &str| secret::read_or_generate(&data.keys().join(name));
        Ok(Self {
            admin: of("postgres.password")?,
            owner: of(OWNER_PASSWORD)?,
            app: of("postgres-app.password")?,
        })
    }
}

/// The password of the owner of the database, where there is one.
pub(super) fn owner_password(data: &Path) -> Result<String, EmbeddedError> {
    let path = data.join("keys").join(OWNER_PASSWORD);
    let text = std::fs::read_to_string(&path).map_err(file("read", &path))?;
    Ok(text.trim().to_owned())
}

/// Connects as superuser. `Ok(None)` if the server knows another password, as after `keys/` was
/// lost or a copy of `postgres/` was put in place.
pub(super) async fn connect_as_admin(
    socket_folder: &Path,
    passwords: &Passwords,
) -> Result<Option<PgConnection>, EmbeddedError> {
    let options = PgConnectOptions::new_without_pgpass()
        .socket(socket_folder)
        .port(PORT)
        .username(ADMIN)
        .password(&passwords.admin)
        .database("postgres")
        // Statements hold passwords here.
        .disable_statement_logging();
    match PgConnection::connect_with(&options).await {
        Ok(connection) => Ok(Some(connection)),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(WRONG_PASSWORD) => {
            Ok(None)
        }
        Err(source) => Err(EmbeddedError::Sql { action: "connect", source }),
    }
}

/// Makes roles and database. The passwords are set each time: it takes milliseconds, and a crash
/// between generating and setting one then heals itself.
pub(super) async fn ensure(
    admin: &mut PgConnection,
    passwords: &Passwords,
) -> Result<(), EmbeddedError> {
    for (role, attributes, password) in
        [(OWNER, "login createdb", &passwords.owner), (APP, "login", &passwords.app)]
    {
        let exists: bool =
            sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
                .bind(role)
                .fetch_one(&mut *admin)
                .await
                .map_err(sql("look for a role"))?;
        let verb = if exists { "alter" } else { "create" };
        let statement = format!("{verb} role {role} with {attributes} password '{password}'");
        execute(admin, "set up a role", statement).await?;
    }
    // Migrations make tables for the application's role, so their owner must be able to hand them over.
    execute(admin, "let the owner act for the application", format!("grant {APP} to {OWNER}"))
        .await?;
    let exists: bool =
        sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
            .bind(DATABASE)
            .fetch_one(&mut *admin)
            .await
            .map_err(sql("look for the database"))?;
    if !exists {
        execute(admin, "make the database", format!("create database {DATABASE} owner {OWNER}"))
            .await?;
    }
    let grant = format!("grant connect on database {DATABASE} to {APP}");
    execute(admin, "open the database to the application", grant).await
}

/// Sets the superuser's password in a server that is not running.
pub(super) fn reset_admin_password(
    cluster: &Cluster,
    launcher: &Launcher,
    passwords: &Passwords,
) -> Result<(), EmbeddedError> {
    let mut command = launcher.one_shot(&cluster.tools.bin.join("postgres"));
    let (reader, mut writer) =
        std::io::pipe().map_err(file("open a pipe for", "postgres".as_ref()))?;
    // Short enough for the pipe's buffer, so nobody has to read it yet.
    writeln!(writer, "alter role {ADMIN} password '{}'", passwords.admin)
        .map_err(file("write a statement to", "postgres".as_ref()))?;
    drop(writer);
    command.arg("--single").arg("-D").arg(&cluster.folder).arg("postgres").stdin(reader);
    run_one_shot("postgres --single", command).map(drop)
}

async fn execute(
    admin: &mut PgConnection,
    action: &'static str,
    statement: String,
) -> Result<(), EmbeddedError> {
    // Built from constants and hexadecimal passwords; such statements take no parameters.
    sqlx::query(AssertSqlSafe(statement)).execute(admin).await.map_err(sql(action)).map(drop)
}

fn sql(action: &'static str) -> impl FnOnce(sqlx::Error) -> EmbeddedError {
    move |source| EmbeddedError::Sql { action, source }
}

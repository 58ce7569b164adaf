//! From a data folder to a PostgreSQL that answers.

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::Connection;

use super::super::error::EmbeddedError;
use super::super::folder::DataFolder;
use super::super::launcher::Launcher;
use super::super::servers::blocking;
use super::super::supervisor::Supervisor;
use super::access::{PostgresAccess, url};
use super::cluster::{Cluster, open_or_init};
use super::program::{Postgres, clear_leftovers};
use super::roles::{ADMIN, APP, OWNER, Passwords, connect_as_admin, ensure, reset_admin_password};
use super::socket;

/// Starts PostgreSQL in the data folder, which is made ready for it first.
pub(in super::super) async fn start(
    data: Arc<DataFolder>,
    launcher: Launcher,
) -> Result<(Supervisor, PostgresAccess), EmbeddedError> {
    let mut plan = blocking(move || prepare(&data, launcher)).await??;
    let mut supervisor = Supervisor::start(plan.program()).await?;
    let mut admin = connect_as_admin(&plan.socket_folder, &plan.passwords).await?;
    if admin.is_none() {
        supervisor.stop().await;
        tracing::warn!("PostgreSQL has another password than keys/; setting ours");
        plan = blocking(move || plan.reset_password()).await??;
        supervisor = Supervisor::start(plan.program()).await?;
        admin = connect_as_admin(&plan.socket_folder, &plan.passwords).await?;
    }
    let mut admin = admin.ok_or_else(|| EmbeddedError::Sql {
        action: "set the password",
        source: sqlx::Error::Protocol("it is refused after it was set".to_owned()),
    })?;
    ensure(&mut admin, &plan.passwords).await?;
    admin.close().await.map_err(|source| EmbeddedError::Sql { action: "disconnect", source })?;
    Ok((supervisor, plan.access()))
}

/// All that a start needs to know.
struct Plan {
    cluster: Cluster,
    launcher: Launcher,
    socket_folder: PathBuf,
    pid_file: PathBuf,
    passwords: Passwords,
}

fn prepare(data: &DataFolder, launcher: Launcher) -> Result<Plan, EmbeddedError> {
    let passwords = Passwords::read_or_generate(data)?;
    let cluster = open_or_init(data, &launcher, &passwords.admin)?;
    let socket_folder = socket::make_folder(data, &launcher.account)?;
    let pid_file = data.run().join("postgres.pid");
    Ok(Plan { cluster, launcher, socket_folder, pid_file, passwords })
}

impl Plan {
    fn reset_password(self) -> Result<Self, EmbeddedError> {
        clear_leftovers(&self.cluster.folder, &self.socket_folder)?;
        reset_admin_password(&self.cluster, &self.launcher, &self.passwords)?;
        Ok(self)
    }

    fn program(&self) -> Postgres {
        Postgres {
            cluster: self.cluster.clone(),
            launcher: self.launcher.clone(),
            socket_folder: self.socket_folder.clone(),
            pid_file: self.pid_file.clone(),
        }
    }

    fn access(&self) -> PostgresAccess {
        let of = |role: &str, password: &str| url(role, password, &self.socket_folder);
        PostgresAccess {
            owner_url: of(OWNER, &self.passwords.owner),
            app_url: of(APP, &self.passwords.app),
            admin_url: of(ADMIN, &self.passwords.admin),
            socket_folder: self.socket_folder.clone(),
            bin: self.cluster.tools.bin.clone(),
        }
    }
}

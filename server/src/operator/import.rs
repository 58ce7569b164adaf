//! `calotype import`: finds the server that has a data folder open, or opens the folder for the time of the import.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use calotype_cli::args::ImportArgs;
use calotype_commands::token;
use calotype_domain::UserId;
use calotype_domain::api_key::ApiKeyCreated;
use calotype_domain::permission::Permission;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::target::variable;
use super::{context, say};
use crate::answering::{Answering, address_in};
use crate::config::{ALL_ROLES, Config, ServeArgs};
use crate::embedded::{DataFolder, EmbeddedError, owner_elsewhere};
use crate::serve::serve_until;

/// What the key is called that an import makes for itself.
const NAME: &str = "calotype import";
/// How long the read side may take to know that key.
const KNOWN_WITHIN: Duration = Duration::from_secs(30);
/// How long an import may take to sum up when it is asked to stop.
const STOP_WAIT: Duration = Duration::from_secs(5);

/// Imports into a server: over HTTP, or through the data folder of one on this machine.
///
/// # Errors
/// As [`calotype_cli::import`], and when the data folder cannot be opened.
pub async fn import(mut args: ImportArgs) -> anyhow::Result<ExitCode> {
    // Two dozen threads read a file each now and then: with pages of 2 MiB that took 80 MB which nobody used.
    // Where the kernel knows no such pages nothing is lost.
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "large pages stay in use");
    }
    let Some(data) = args.local.data.clone() else {
        return Box::pin(calotype_cli::import(args)).await;
    };
    ensure!(data.is_dir(), "there is no data folder {}", data.display());
    let data = data.canonicalize().context("failed to find the data folder")?;
    args.local.data = Some(data.clone());
    match DataFolder::open_as_it_is(&data) {
        Ok(None) => bail!("no server has had the data folder {} open yet", data.display()),
        Ok(Some(folder)) => {
            drop(folder);
            Box::pin(alone(&data, args)).await
        }
        Err(EmbeddedError::AlreadyOpen { .. }) => {
            ensure!(
                args.local.user.is_none(),
                "a server has the data folder {} open: say --api-key KEY instead of --user",
                data.display()
            );
            if args.server.server.is_empty() {
                args.server.server = address_in(&data).context(
                    "the server of this data folder has told no address: say --server URL",
                )?;
            }
            Box::pin(calotype_cli::import(args)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Opens the folder, imports, and closes it again.
async fn alone(data: &Path, args: ImportArgs) -> anyhow::Result<ExitCode> {
    let email = args.local.user.clone().with_context(|| {
        format!("no server has the data folder {} open: say --user EMAIL", data.display())
    })?;
    if let Some(owner) = owner_elsewhere(data)? {
        bail!(
            "the data folder {} is of the user {owner}: run it with `sudo -u {owner}`",
            data.display()
        );
    }
    let config = config_of(data)?;
    ensure!(
        config.storage.is_none(),
        "the originals of this data folder are in a bucket: start its server, and import without --data"
    );
    let is_text = !args.json;
    let (told, answering) = oneshot::channel();
    let soft = CancellationToken::new();
    let importing = async {
        let imported = match answering.await {
            Ok(answering) => {
                let stopped = async {
                    soft.cancelled().await;
                    tokio::time::sleep(STOP_WAIT).await;
                };
                tokio::select! {
                    imported = with_key(&answering, data, &email, args) => imported,
                    () = stopped => Err(anyhow::anyhow!("stopped; the same command goes on from here")),
                }
            }
            Err(_) => Err(anyhow::anyhow!("the data folder could not be opened")),
        };
        soft.cancel();
        imported
    };
    let serving = Box::pin(serve_until(config, soft.clone(), Some(told)));
    let (served, imported) = tokio::join!(serving, Box::pin(importing));
    served?;
    if is_text && imported.is_ok() {
        say("Pictures and details that are not made yet are made when the server runs next.");
    }
    imported
}

fn config_of(data: &Path) -> anyhow::Result<Config> {
    let config = Config::load(ServeArgs {
        data: Some(data.to_owned()),
        host: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        port: Some(0),
        roles: Some(ALL_ROLES.to_vec()),
        log: Some("warn".to_owned()),
        database_url: variable("DATABASE_URL"),
        nats_url: variable("NATS_URL"),
        storage: variable("CALOTYPE_STORAGE"),
        ..ServeArgs::default()
    })?;
    Ok(Config { watch_port: None, ..config })
}

/// Imports with a key that is made for it, and opens nothing afterwards.
async fn with_key(
    answering: &Answering,
    data: &Path,
    email: &str,
    mut args: ImportArgs,
) -> anyhow::Result<ExitCode> {
    let user = answering.queries.user_by_email(&email.to_lowercase()).await?;
    let user_id = UserId::new(user.context("there is no such account")?.user_id);
    let secret = token::generate();
    let created = ApiKeyCreated {
        user_id,
        secret_sha256: token::digest(&secret),
        name: NAME.to_owned().into(),
        permissions: vec![Permission::All],
    };
    let ctx = context(NAME);
    let (key_id, outcome) = answering.commands.create_api_key(&ctx, created).await?;
    if let Some(written) = outcome.written() {
        let is_known = answering.progress.seen(written.event_id, KNOWN_WITHIN).await;
        ensure!(is_known, "the read models of the data folder stand still");
    }
    args.server.server.clone_from(&answering.url);
    args.server.api_key = secret;
    args.local.whose = Some(format!("{}\0{user_id}", data.display()));
    let imported = Box::pin(calotype_cli::import(args)).await;
    answering.commands.revoke_api_key(&context(NAME), user_id, key_id).await?;
    imported
}

//! Operator commands: over HTTP to a running server, or in a data folder that no server has open.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use calotype_commands::context::{Actor, ActorKind};
use calotype_commands::{CommandContext, password};
use calotype_domain::config::{self, shape};
use calotype_domain::user::ProfileChange;
use calotype_domain::{AssetId, Clock as _, CommandId, IdGen as _, UserId};
use calotype_eventstore::StreamId;
use calotype_projections::projection;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::clock::{RandomIds, SystemClock};
use crate::config::default_data;
use crate::embedded::{DataFolder, Embedded};
use crate::wiring::{self, Core};

/// Shortest password that is accepted.
const PASSWORD_CHARS_MIN: usize = 8;

/// The setting that lets people log in with passwords.
const PASSWORD_LOGIN: &str = "passwordLogin.enabled";

/// Where to work: a running server, or a data folder.
#[derive(Clone, Debug, Args)]
pub struct Target {
    /// The running server to ask, for instance <http://127.0.0.1:2283>.
    #[arg(long, env = "CALOTYPE_SERVER", value_name = "URL")]
    pub server: Option<String>,
    /// An administrator's API key for it.
    #[arg(long, env = "CALOTYPE_API_KEY", hide_env_values = true, value_name = "KEY")]
    pub api_key: Option<String>,
    /// A data folder that no server has open.
    #[arg(long, env = "CALOTYPE_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The folder's PostgreSQL, where it is not an own one.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
}

/// `calotype projections …`
#[derive(Clone, Debug, Subcommand)]
pub enum Projections {
    /// Show every projection, its version and how far it is.
    List,
    /// Make a projection's tables anew from the log.
    Rebuild {
        /// Which one; see `list`.
        name: Option<String>,
        /// All of them.
        #[arg(long, conflicts_with = "name")]
        all: bool,
    },
}

/// `calotype history …`
#[derive(Clone, Debug, Subcommand)]
pub enum History {
    /// Every event of a photo or film, in order.
    Asset {
        /// Its id.
        id: AssetId,
        /// As JSON instead of text.
        #[arg(long)]
        json: bool,
    },
}

/// `calotype admin …`
#[derive(Clone, Debug, Subcommand)]
pub enum Admin {
    /// Set a new password, read from standard input; prints one when nothing is given there.
    ResetPassword {
        /// Whose; the first administrator when left out.
        #[arg(long)]
        email: Option<String>,
    },
    /// Let people log in with passwords again, where that was switched off.
    EnablePasswordLogin,
    /// Show every account.
    ListUsers,
}

/// A data folder, opened for one command.
pub(crate) struct Local {
    pub(crate) core: Core,
    embedded: Embedded,
    // Locked until everything else is closed.
    _folder: Arc<DataFolder>,
}

impl Local {
    pub(crate) async fn open(target: &Target) -> anyhow::Result<Self> {
        let data = target.data.clone().unwrap_or_else(default_data);
        anyhow::ensure!(data.is_dir(), "there is no data folder {}", data.display());
        let folder = Arc::new(
            DataFolder::open_exclusive(&data)
                .context("to work on a running server, say --server URL and --api-key KEY")?,
        );
        let (embedded, places) =
            wiring::places(&folder, target.database_url.as_deref(), None, false).await?;
        Box::pin(wiring::migrate(&places.owner_url)).await?;
        let core = wiring::core(&folder, &places).await?;
        Ok(Self { core, embedded, _folder: folder })
    }

    pub(crate) async fn close(self) {
        self.core.store.close().await;
        self.core.pool.close().await;
        self.embedded.stop().await;
    }
}

/// A running server, asked over HTTP.
pub(crate) struct Remote {
    client: reqwest::Client,
    base: String,
    api_key: String,
}

impl Remote {
    pub(crate) fn new(server: &str, target: &Target) -> anyhow::Result<Self> {
        let api_key = target
            .api_key
            .clone()
            .context("an API key is needed: --api-key or CALOTYPE_API_KEY")?;
        let base = format!("{}/api", server.trim_end_matches('/').trim_end_matches("/api"));
        Ok(Self { client: reqwest::Client::new(), base, api_key })
    }

    pub(crate) async fn call(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Value> {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .header("x-api-key", &self.api_key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.context("failed to reach the server")?;
        let status = response.status();
        let text = response.text().await.context("the server's answer broke off")?;
        let answer = serde_json::from_str(&text).unwrap_or(Value::Null);
        if !status.is_success() {
            let message =
                answer.get("message").and_then(Value::as_str).unwrap_or("no reason given");
            anyhow::bail!("the server answered {status}: {message}");
        }
        Ok(answer)
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(reqwest::Method::GET, path, None).await
    }
}

/// Brings a database's tables up to date and says so.
///
/// # Errors
/// When the data folder or database cannot be opened.
pub async fn migrate(target: &Target) -> anyhow::Result<()> {
    let local = Local::open(target).await?;
    say("The database's tables are up to date.");
    local.close().await;
    Ok(())
}

/// Lists or rebuilds projections.
///
/// # Errors
/// When the server or folder cannot be reached, or an event cannot be applied.
pub async fn projections(target: &Target, command: Projections) -> anyhow::Result<()> {
    match command {
        Projections::List => {
            let statuses = if let Some(server) = &target.server {
                Remote::new(server, target)?.get("/calotype/projections").await?
            } else {
                let local = Local::open(target).await?;
                let statuses = serde_json::to_value(local.core.queries.projections().await?)?;
                local.close().await;
                statuses
            };
            print_projections(&statuses);
        }
        Projections::Rebuild { name, all } => {
            anyhow::ensure!(all || name.is_some(), "say which projection, or --all");
            let names: Vec<String> = name.map_or_else(
                || projection::all().iter().map(|one| one.name().to_owned()).collect(),
                |name| vec![name],
            );
            if let Some(server) = &target.server {
                let remote = Remote::new(server, target)?;
                for name in names {
                    let path = format!("/calotype/projections/{name}/rebuild");
                    let rebuilt = remote.call(reqwest::Method::POST, &path, None).await?;
                    print_rebuilt(&rebuilt);
                }
            } else {
                let local = Local::open(target).await?;
                for name in names {
                    let rebuilt = local.core.queries.rebuild(&name).await?;
                    print_rebuilt(&serde_json::to_value(rebuilt)?);
                }
                local.close().await;
            }
        }
    }
    Ok(())
}

/// Tells the history of an asset.
///
/// # Errors
/// When the server or folder cannot be reached.
pub async fn history(target: &Target, command: History) -> anyhow::Result<()> {
    let History::Asset { id, json } = command;
    let history = if let Some(server) = &target.server {
        Remote::new(server, target)?.get(&format!("/calotype/assets/{id}/history")).await?
    } else {
        let local = Local::open(target).await?;
        let told = local.core.queries.history("asset", id.uuid()).await?;
        local.close().await;
        let events: Vec<Value> = told
            .into_iter()
            .map(|told| {
                let recorded = told.recorded;
                json!({
                    "position": recorded.position.map(calotype_eventstore::GlobalPosition::get),
                    "revision": recorded.revision.get(),
                    "type": recorded.event_type,
                    "recordedAt": recorded.envelope.recorded_at,
                    "sentence": told.sentence,
                    "actor": recorded.envelope.actor,
                    "client": recorded.envelope.client,
                    "data": recorded.payload,
                    "derivedFrom": told.derived_from.map(|(processor, version, input)| {
                        json!({ "processor": processor, "version": version, "input": input })
                    }),
                })
            })
            .collect();
        json!({ "assetId": id, "events": events })
    };
    if json {
        say(&serde_json::to_string_pretty(&history)?);
    } else {
        print_history(&history);
    }
    Ok(())
}

/// Lists accounts or sets a password.
///
/// # Errors
/// When the server or folder cannot be reached, or there is no such account.
pub async fn admin(target: &Target, command: Admin) -> anyhow::Result<()> {
    match command {
        Admin::ListUsers => {
            let users = if let Some(server) = &target.server {
                Remote::new(server, target)?.get("/admin/users?withDeleted=true").await?
            } else {
                let local = Local::open(target).await?;
                let users = local.core.queries.users(true).await?;
                local.close().await;
                users
                    .into_iter()
                    .map(|user| {
                        json!({
                            "id": user.user_id, "email": user.email, "name": user.name,
                            "isAdmin": user.is_admin, "deletedAt": user.deleted_at,
                        })
                    })
                    .collect()
            };
            print_users(&users);
        }
        Admin::EnablePasswordLogin => {
            if let Some(server) = &target.server {
                let remote = Remote::new(server, target)?;
                let mut config = remote.get("/system-config").await?;
                shape::put(&mut config, PASSWORD_LOGIN, Value::Bool(true));
                remote.call(reqwest::Method::PUT, "/system-config", Some(config)).await?;
            } else {
                let local = Local::open(target).await?;
                let done = enable_password_login(&local).await;
                local.close().await;
                done?;
            }
            say("People can log in with passwords.");
        }
        Admin::ResetPassword { email } => {
            let (password, made) = new_password()?;
            let email = if let Some(server) = &target.server {
                reset_remote(&Remote::new(server, target)?, email, &password).await?
            } else {
                let local = Local::open(target).await?;
                let reset = reset_local(&local, email, &password).await;
                local.close().await;
                reset?
            };
            say(&format!("The password of {email} is set."));
            if made {
                say(&format!("It is: {password}"));
            }
        }
    }
    Ok(())
}

async fn enable_password_login(local: &Local) -> anyhow::Result<()> {
    let commands = &local.core.commands;
    let stream_id = StreamId::new("config", config::KEY);
    let (config, _) = commands.load::<config::Config>(&stream_id).await?;
    let mut document = config.document();
    shape::put(&mut document, PASSWORD_LOGIN, Value::Bool(true));
    let command = config::ConfigCommand::Change(document);
    commands.configure(&context("calotype admin"), &command).await?;
    Ok(())
}

async fn reset_remote(
    remote: &Remote,
    email: Option<String>,
    password: &str,
) -> anyhow::Result<String> {
    let users = remote.get("/admin/users").await?;
    let user = users
        .as_array()
        .into_iter()
        .flatten()
        .find(|user| match &email {
            Some(email) => user["email"] == json!(email.to_lowercase()),
            None => user["isAdmin"] == json!(true),
        })
        .context("there is no such account")?;
    let id = user["id"].as_str().context("the server's answer has no id")?;
    let body = json!({ "password": password, "shouldChangePassword": true });
    remote.call(reqwest::Method::PUT, &format!("/admin/users/{id}"), Some(body)).await?;
    Ok(user["email"].as_str().unwrap_or_default().to_owned())
}

async fn reset_local(
    local: &Local,
    email: Option<String>,
    new_password: &str,
) -> anyhow::Result<String> {
    // The read model may be behind the log in a folder that was closed hard.
    let users = local.core.queries.users(false).await?;
    let user = users
        .into_iter()
        .find(|user| match &email {
            Some(email) => user.email == email.to_lowercase(),
            None => user.is_admin,
        })
        .context("there is no such account")?;
    let change = ProfileChange {
        password_hash: Some(
            password::hash(new_password.to_owned()).await.context("failed to hash the password")?,
        ),
        should_change_password: Some(true),
        ..ProfileChange::default()
    };
    let ctx = context("calotype admin");
    local.core.commands.change_user(&ctx, UserId::new(user.user_id), change).await?;
    Ok(user.email)
}

/// The context of an operator's command.
pub(crate) fn context(command: &str) -> CommandContext {
    CommandContext {
        actor: Actor { kind: ActorKind::System, id: command.to_owned(), user_id: None },
        client: Some(concat!("calotype/", env!("CARGO_PKG_VERSION")).into()),
        command_id: CommandId::new(RandomIds.v7()),
        correlation_id: RandomIds.v7(),
        causation_id: None,
        now: SystemClock.now(),
    }
}

/// The first line of standard input, or a password of our own making.
fn new_password() -> anyhow::Result<(String, bool)> {
    use std::io::IsTerminal as _;
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Ok((calotype_commands::token::generate(), true));
    }
    let mut line = String::new();
    stdin.read_line(&mut line).context("failed to read the password")?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        return Ok((calotype_commands::token::generate(), true));
    }
    anyhow::ensure!(
        password.chars().count() >= PASSWORD_CHARS_MIN,
        "the password needs at least {PASSWORD_CHARS_MIN} characters"
    );
    Ok((password, false))
}

fn print_projections(statuses: &Value) {
    say(&format!(
        "{:<12} {:>7} {:>12} {:>8} {:>7}",
        "projection", "version", "position", "lag", "parked"
    ));
    for status in statuses.as_array().into_iter().flatten() {
        let number = |names: [&str; 2]| {
            names
                .iter()
                .find_map(|name| status.get(*name))
                .map_or_else(String::new, Value::to_string)
        };
        say(&format!(
            "{:<12} {:>7} {:>12} {:>8} {:>7}",
            status["name"].as_str().unwrap_or_default(),
            number(["version", "version"]),
            number(["position", "position"]),
            number(["lag_events", "lagEvents"]),
            number(["parked_streams", "parkedStreams"]),
        ));
    }
}

fn print_rebuilt(rebuilt: &Value) {
    say(&format!(
        "{}: rebuilt from {} events, stands at position {}",
        rebuilt["name"].as_str().unwrap_or_default(),
        rebuilt["events"],
        rebuilt["position"],
    ));
}

fn print_history(history: &Value) {
    for event in history["events"].as_array().into_iter().flatten() {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let actor = &event["actor"];
        say(&format!(
            "{}  {}  ({} {}{})",
            text(&event["recordedAt"]),
            text(&event["sentence"]),
            text(&actor["kind"]),
            text(&actor["id"]),
            event["client"].as_str().map(|client| format!(", {client}")).unwrap_or_default(),
        ));
        if let Some(derived) = event["derivedFrom"].as_object() {
            let part = |name: &str| derived.get(name).map(Value::to_string).unwrap_or_default();
            say(&format!(
                "    derived by {} version {} from input {}",
                part("processor").trim_matches('"'),
                part("version"),
                part("input").trim_matches('"').chars().take(16).collect::<String>(),
            ));
        }
    }
}

fn print_users(users: &Value) {
    for user in users.as_array().into_iter().flatten() {
        say(&format!(
            "{}  {}  {}{}{}",
            user["id"].as_str().unwrap_or_default(),
            user["email"].as_str().unwrap_or_default(),
            user["name"].as_str().unwrap_or_default(),
            if user["isAdmin"] == json!(true) { "  (administrator)" } else { "" },
            if user["deletedAt"].is_null() { "" } else { "  (deleted)" },
        ));
    }
}

#[expect(clippy::print_stdout, reason = "an operator's command answers on standard output")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

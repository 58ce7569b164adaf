//! `calotype admin`: accounts and passwords.

use std::path::Path;

use anyhow::Context as _;
use calotype_commands::password;
use calotype_domain::UserId;
use calotype_domain::config::{self, shape};
use calotype_domain::user::ProfileChange;
use calotype_eventstore::StreamId;
use clap::Subcommand;
use serde_json::{Value, json};

use super::{Local, Remote, Target, context, print, say};

/// Shortest password that is accepted.
const PASSWORD_CHARS_MIN: usize = 8;

/// The setting that lets people log in with passwords.
const PASSWORD_LOGIN: &str = "passwordLogin.enabled";

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

/// Lists accounts or sets a password.
///
/// # Errors
/// When the server or folder cannot be reached, or there is no such account.
pub async fn admin(target: &Target, command: Admin) -> anyhow::Result<()> {
    match command {
        Admin::ListUsers => {
            let users = if let Some(server) = target.server() {
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
            print::users(&users);
        }
        Admin::EnablePasswordLogin => {
            if let Some(server) = target.server() {
                let remote = Remote::new(server, target)?;
                let mut config = remote.get("/system-config").await?;
                shape::put(&mut config, PASSWORD_LOGIN, Value::Bool(true));
                remote.call(reqwest::Method::PUT, "/system-config", Some(config)).await?;
            } else {
                if let Some(file) = target.config()?.settings {
                    anyhow::bail!(fixed_by(&file));
                }
                let local = Local::open(target).await?;
                let done = enable_password_login(&local).await;
                local.close().await;
                done?;
            }
            say("People can log in with passwords.");
        }
        Admin::ResetPassword { email } => {
            let (password, made) = new_password()?;
            let email = if let Some(server) = target.server() {
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

/// What to do where the settings stand in a file.
fn fixed_by(file: &Path) -> String {
    format!(
        "the settings are fixed by the file {}: set {PASSWORD_LOGIN} to true there, and start the server again",
        file.display()
    )
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

//! How to reach a NATS server: its addresses, and who we are there.

use anyhow::Context as _;
use async_nats::{Client, ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;

/// Connects to the servers of a comma-separated list of addresses, such as `nats://TOKEN@host:4222` or
/// `nats://USER:PASSWORD@host:4222`. The client itself ignores what stands before the `@`
/// (<https://github.com/nats-io/nats.rs/issues/1623>), so the first address that says who we are is asked for it.
///
/// # Errors
/// When an address is not right (the address itself is never told: it may hold a token), or nobody answers
/// where the options want that at once.
pub(crate) async fn connect(urls: &str, options: ConnectOptions) -> anyhow::Result<Client> {
    // The client takes the process's choice of cryptography for TLS; with KurrentDB's client in the program there
    // would be two to choose from, and it would give up. Whoever chose before is as good.
    drop(async_nats::rustls::crypto::ring::default_provider().install_default());
    let servers = servers(urls)?;
    let options = match credentials(&servers)? {
        Some(Credentials::Token(token)) => options.token(token),
        Some(Credentials::Login { user, password }) => options.user_and_password(user, password),
        None => options,
    };
    Ok(options.connect(servers).await?)
}

#[derive(Debug, PartialEq, Eq)]
enum Credentials {
    Token(String),
    Login { user: String, password: String },
}

fn servers(urls: &str) -> anyhow::Result<Vec<ServerAddr>> {
    let parts = urls.split(',').map(str::trim).filter(|part| !part.is_empty());
    let servers: Result<Vec<ServerAddr>, _> = parts.map(str::parse).collect();
    servers.ok().filter(|servers| !servers.is_empty()).context("the address of NATS is not right")
}

fn credentials(servers: &[ServerAddr]) -> anyhow::Result<Option<Credentials>> {
    let Some(server) = servers.iter().find(|server| server.has_user_pass()) else {
        return Ok(None);
    };
    let plain = |text: &str| -> anyhow::Result<String> {
        let decoded = percent_decode_str(text).decode_utf8();
        Ok(decoded
            .ok()
            .context("the credentials in the address of NATS are not right")?
            .into_owned())
    };
    let user = plain(server.username().unwrap_or_default())?;
    Ok(Some(match server.password() {
        Some(password) => Credentials::Login { user, password: plain(password)? },
        None => Credentials::Token(user),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(urls: &str) -> Option<Credentials> {
        credentials(&servers(urls).unwrap()).unwrap()
    }

    #[test]
    fn word_alone_is_a_token() {
        assert_eq!(of("nats://s3cret@nats:4222"), Some(Credentials::Token("s3cret".into())));
    }

    #[test]
    fn two_words_are_a_login_and_may_be_escaped() {
        let login = Credentials::Login { user: "calo".into(), password: "a@b".into() };
        assert_eq!(of("nats://one:4222, nats://calo:a%40b@two:4222"), Some(login));
    }

    #[test]
    fn address_without_words_is_open() {
        assert_eq!(of("nats://nats:4222"), None);
    }

    #[test]
    fn wrong_address_is_refused_without_being_told() {
        let error = servers("nats://s3cret@:x").unwrap_err().to_string();
        assert!(!error.contains("s3cret"), "{error}");
        assert!(servers(" , ").is_err());
    }
}

//! What others on this machine may know of a server that answers: its address, in its data folder, and within the same
//! program a way to its accounts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use calotype_commands::Commands;
use calotype_projections::{Progress, Queries};
use tokio::sync::oneshot;

/// The file in the folder `run`.
const FILE: &str = "address";

/// A server that answers, for whoever runs it in the same program.
pub(crate) struct Answering {
    /// Where it answers.
    pub(crate) url: String,
    /// The write side.
    pub(crate) commands: Commands,
    /// The read side.
    pub(crate) queries: Queries,
    /// How far the read side is.
    pub(crate) progress: Progress,
}

/// Who waits for a server to answer.
pub(crate) type Waiting = oneshot::Sender<Answering>;

/// The address that was written down, while its file is there.
pub(crate) struct WrittenDown(PathBuf);

impl WrittenDown {
    /// Writes an address into a data folder, for programs on the same machine. Where that fails they have to be told.
    pub(crate) async fn write(data: &Path, url: &str) -> Self {
        let path = file_in(data);
        if let Err(error) = tokio::fs::write(&path, format!("{url}\n")).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the address is not written down"
            );
        }
        Self(path)
    }
}

impl Drop for WrittenDown {
    fn drop(&mut self) {
        // One that stays is of a server that does not answer; who has the folder open tells whether one does.
        drop(std::fs::remove_file(&self.0));
    }
}

/// The address of the server that has a data folder open, where it has written one down.
pub(crate) fn address_in(data: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file_in(data)).ok()?;
    Some(text.trim().to_owned()).filter(|url| !url.is_empty())
}

fn file_in(data: &Path) -> PathBuf {
    data.join("run").join(FILE)
}

/// How programs on the same machine reach a server: one that listens everywhere they reach on the loopback.
pub(crate) fn url_here(mut address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        IpAddr::V4(_) | IpAddr::V6(_) => {}
    }
    format!("http://{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn address_is_found_while_the_server_answers() {
        let data = tempfile::tempdir().unwrap();
        std::fs::create_dir(data.path().join("run")).unwrap();
        assert_eq!(address_in(data.path()), None);
        let url = url_here("0.0.0.0:2283".parse().unwrap());
        let written = WrittenDown::write(data.path(), &url).await;
        assert_eq!(address_in(data.path()).as_deref(), Some("http://127.0.0.1:2283"));
        drop(written);
        assert_eq!(address_in(data.path()), None);
        assert_eq!(url_here("[::]:1".parse().unwrap()), "http://[::1]:1");
        assert_eq!(url_here("192.0.2.1:1".parse().unwrap()), "http://192.0.2.1:1");
    }
}

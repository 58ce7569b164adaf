//! From where a request comes and whether it travelled encrypted, seen through trusted proxies.
//!
//! `X-Forwarded-For` and `X-Forwarded-Proto` count only when the connection comes from loopback or from a
//! configured proxy; anybody else could write there what they like.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts as RequestParts;

use crate::state::Api;

/// The other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// The client's address, where it is known.
    pub(crate) address: Option<IpAddr>,
    /// Whether the client speaks https.
    pub(crate) is_https: bool,
}

impl FromRequestParts<Api> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut RequestParts, api: &Api) -> Result<Self, Infallible> {
        let direct = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let mut peer = resolve(direct, &parts.headers, &api.config.trusted_proxies);
        peer.is_https |= parts.uri.scheme_str() == Some("https");
        Ok(peer)
    }
}

fn resolve(direct: Option<IpAddr>, headers: &HeaderMap, proxies: &[IpAddr]) -> Peer {
    let trusted = |address: IpAddr| {
        let address = address.to_canonical();
        address.is_loopback() || proxies.iter().any(|proxy| proxy.to_canonical() == address)
    };
    let Some(direct) = direct.map(|address| address.to_canonical()) else {
        return Peer { address: None, is_https: false };
    };
    if !trusted(direct) {
        return Peer { address: Some(direct), is_https: false };
    }
    let is_https = header(headers, "x-forwarded-proto")
        .and_then(|text| text.split(',').next())
        .is_some_and(|proto| proto.trim().eq_ignore_ascii_case("https"));
    // Each proxy appends whom it heard from, so the last address that is no proxy is the client.
    let mut address = direct;
    // A proxy may append a line of its own instead of a word to the line that was there.
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    for hop in hops {
        let Ok(hop) = hop.trim().parse::<IpAddr>() else { break };
        address = hop.to_canonical();
        if !trusted(address) {
            break;
        }
    }
    Peer { address: Some(address), is_https }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn stranger_cannot_claim_another_address() {
        let claims = headers(&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https")]);
        let peer = resolve(address("9.9.9.9"), &claims, &[]);
        assert_eq!(peer, Peer { address: address("9.9.9.9"), is_https: false });
    }

    #[test]
    fn loopback_proxy_is_believed() {
        let claims =
            headers(&[("x-forwarded-for", "6.6.6.6, 1.1.1.1"), ("x-forwarded-proto", "https")]);
        let peer = resolve(address("::ffff:127.0.0.1"), &claims, &[]);
        assert_eq!(peer, Peer { address: address("1.1.1.1"), is_https: true });
    }

    #[test]
    fn chain_of_proxies_ends_at_the_client() {
        let proxies = ["10.0.0.2".parse().unwrap()];
        let claims = headers(&[("x-forwarded-for", "1.1.1.1, 10.0.0.2")]);
        assert_eq!(resolve(address("127.0.0.1"), &claims, &proxies).address, address("1.1.1.1"));
    }
}

//! From where a request comes and whether it travelled encrypted, seen through trusted proxies.
//!
//! `X-Forwarded-For` and `X-Forwarded-Proto` count only when the connection comes from loopback or from the
//! network of a configured proxy; anybody else could write there what they like.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts as RequestParts;
use ipnet::IpNet;

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
        Ok(of(parts, api))
    }
}

/// The other end of a request.
pub(crate) fn of(parts: &RequestParts, api: &Api) -> Peer {
    let direct = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let mut peer = resolve(direct, &parts.headers, &api.config.trusted_proxies);
    peer.is_https |= parts.uri.scheme_str() == Some("https");
    peer
}

fn resolve(direct: Option<IpAddr>, headers: &HeaderMap, proxies: &[IpNet]) -> Peer {
    let trusted = |address: IpAddr| {
        let address = address.to_canonical();
        address.is_loopback() || proxies.iter().any(|proxy| proxy.contains(&address))
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

    fn networks(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn stranger_cannot_claim_another_address() {
        let claims = headers(&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https")]);
        for stranger in ["9.9.9.9", "10.0.1.1", "2001:db8::1"] {
            let peer = resolve(address(stranger), &claims, &networks(&["10.0.0.0/24", "fd00::/8"]));
            assert_eq!(peer, Peer { address: address(stranger), is_https: false });
        }
    }

    #[test]
    fn loopback_proxy_is_believed() {
        let claims =
            headers(&[("x-forwarded-for", "6.6.6.6, 1.1.1.1"), ("x-forwarded-proto", "https")]);
        let peer = resolve(address("::ffff:127.0.0.1"), &claims, &[]);
        assert_eq!(peer, Peer { address: address("1.1.1.1"), is_https: true });
    }

    #[test]
    fn proxy_anywhere_in_a_trusted_network_is_believed() {
        let claims = headers(&[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https")]);
        let proxies = networks(&["10.0.0.0/24", "192.168.7.9/32", "fd00::/8"]);
        for proxy in ["10.0.0.2", "10.0.0.250", "::ffff:10.0.0.7", "192.168.7.9", "fd12::3"] {
            let peer = resolve(address(proxy), &claims, &proxies);
            assert_eq!(peer, Peer { address: address("1.1.1.1"), is_https: true }, "{proxy}");
        }
    }

    #[test]
    fn chain_of_proxies_ends_at_the_client() {
        let proxies = networks(&["10.0.0.0/24"]);
        for (claimed, client) in [
            ("1.1.1.1, 10.0.0.2", "1.1.1.1"),
            // What the client wrote itself, before the first proxy, does not count.
            ("6.6.6.6, 1.1.1.1, 10.0.0.2, 10.0.0.3", "1.1.1.1"),
            ("10.0.0.9, 10.0.1.2, 10.0.0.2", "10.0.1.2"),
            ("2001:db8::5 , 10.0.0.2", "2001:db8::5"),
            ("10.0.0.4, 10.0.0.2", "10.0.0.4"),
            ("nonsense, 10.0.0.2", "10.0.0.2"),
            ("", "127.0.0.1"),
        ] {
            let claims = headers(&[("x-forwarded-for", claimed)]);
            let peer = resolve(address("127.0.0.1"), &claims, &proxies);
            assert_eq!(peer.address, address(client), "{claimed:?}");
        }
    }

    #[test]
    fn line_that_a_proxy_appends_counts_before_the_lines_above_it() {
        let mut claims = headers(&[("x-forwarded-for", "6.6.6.6")]);
        claims.append("x-forwarded-for", "1.1.1.1".parse().unwrap());
        assert_eq!(resolve(address("127.0.0.1"), &claims, &[]).address, address("1.1.1.1"));
    }
}

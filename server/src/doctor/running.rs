//! The running server, or the place where it would listen.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::Duration;

use serde_json::Value;

use super::findings::Findings;
use crate::config::Config;

/// How long a running server may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// Whether the address is free.
pub(super) fn look_at_port(config: &Config, findings: &mut Findings) {
    match TcpListener::bind((config.host, config.port)) {
        Ok(_) => findings.good(&format!("port {} is free", config.port)),
        Err(error) => findings.problem(&format!(
            "cannot listen on {}:{}: {error}; another program may have the port",
            config.host, config.port
        )),
    }
}

/// What the running server says of itself.
pub(super) async fn look(config: &Config, findings: &mut Findings) {
    let address = SocketAddr::new(reachable(config.host), config.port);
    let client = reqwest::Client::builder().timeout(ANSWER_WAIT).build().unwrap_or_default();
    let answer = match client.get(format!("http://{address}/ready")).send().await {
        Ok(answer) => answer,
        Err(_) => {
            findings.problem(&format!(
                "the running server does not answer at {address}; if it listens elsewhere, say \
                 --host and --port"
            ));
            return;
        }
    };
    let status = answer.status();
    let told: Value = answer.json().await.unwrap_or_default();
    tell(&told, findings);
    if told["status"] == "ready" {
        findings.good("the running server is ready");
    } else if !told["status"].is_string() {
        findings.problem(&format!(
            "something answers at {address}, and is no Calotype (HTTP {status}); if the server \
             listens elsewhere, say --host and --port"
        ));
    }
}

fn tell(told: &Value, findings: &mut Findings) {
    for (name, part) in told["parts"].as_object().into_iter().flatten() {
        let word = part["state"].as_str().unwrap_or("unknown");
        // What is parked was told from the database, which also says why.
        if word == "ok" || name == "parked" {
            continue;
        }
        let waits = match part["waitingEvents"].as_i64() {
            Some(events) => format!("; {events} events wait, {} s", part["waitingSeconds"]),
            None => String::new(),
        };
        findings.problem(&format!("the running server says that its part {name} is {word}{waits}"));
    }
}

/// Where to ask a server that listens everywhere.
fn reachable(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_part_that_is_not_right_is_a_problem() {
        let told = json!({ "parts": {
            "database": { "state": "ok" },
            "nats": { "state": "degraded" },
            "relay": { "state": "degraded", "waitingEvents": 3, "waitingSeconds": 40.0 },
        } });
        let mut findings = Findings::default();
        tell(&told, &mut findings);
        assert_eq!(findings.problems(), 2);
    }

    #[test]
    fn server_that_listens_everywhere_is_asked_here() {
        assert_eq!(reachable("0.0.0.0".parse().unwrap()).to_string(), "127.0.0.1");
        assert_eq!(reachable("::".parse().unwrap()).to_string(), "::1");
        assert_eq!(reachable("10.0.0.1".parse().unwrap()).to_string(), "10.0.0.1");
    }
}

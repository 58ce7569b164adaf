//! Somebody else's NATS server: whether it answers, and whether it keeps streams.

use std::time::Duration;

use async_nats::jetstream;
use async_nats::{ConnectError, ConnectOptions};
use calotype_eventstore::RelayOptions;

use super::findings::Findings;
use crate::config::Config;
use crate::nats;

/// How long it may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

/// Looks at the server of `NATS_URL`; a folder's own is looked after by the server that runs in the folder.
pub(super) async fn look(config: &Config, findings: &mut Findings) {
    let Some(url) = &config.nats_url else { return };
    let options = ConnectOptions::new().name("calotype doctor").connection_timeout(ANSWER_WAIT);
    let client = match tokio::time::timeout(ANSWER_WAIT, nats::connect(url, options)).await {
        Ok(Ok(client)) => client,
        // Never the address: it may hold a token.
        Ok(Err(error)) => {
            findings.problem(&format!(
                "the NATS server of NATS_URL cannot be reached ({}): uploads go on, photos are \
                 developed later",
                error
                    .downcast_ref::<ConnectError>()
                    .map_or_else(|| error.to_string(), |error| error.kind().to_string())
            ));
            return;
        }
        Err(_) => {
            findings.problem(
                "the NATS server of NATS_URL does not answer: uploads go on, photos are \
                 developed later",
            );
            return;
        }
    };
    findings.good(&format!("nats-server {} answers", client.server_info().version));
    let mut context = jetstream::new(client);
    context.set_timeout(ANSWER_WAIT);
    match context.query_account().await {
        Ok(_) => findings.good("it has JetStream"),
        Err(error) => {
            findings.problem(&format!(
                "the NATS server has no JetStream for us ({}): start it with `jetstream` in its \
                 configuration",
                error.kind()
            ));
            return;
        }
    }
    let name = RelayOptions::default().stream;
    if context.get_stream(&name).await.is_err() {
        findings.note(&format!("the stream {name} is not there; a running server makes it"));
    }
}

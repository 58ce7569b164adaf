//! NATS is away for a whole import: everything is taken in and developed all the same, and when it is back, work goes
//! on by it.

use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use anyhow::ensure;
use calotype_tests::import;
use calotype_tests::nats::OwnNats;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, Upload, story};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// Files of one import.
const FILES: usize = 8;
const SOON: Duration = Duration::from_secs(60);

async fn state_of_nats(client: &Client) -> anyhow::Result<String> {
    let ready = client.get_json("/ready").await?;
    Ok(ready["parts"]["nats"]["state"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn nothing_waits_for_nats_to_come_back() -> anyhow::Result<()> {
    let mut nats = OwnNats::start().await?;
    let arguments = vec!["--nats-url".to_owned(), nats.url()];
    let options = Options { testing: false, arguments, ..Options::default() };
    story(options, async |server| {
        let admin = server.client().sign_up().await?;
        let mut random = StdRng::seed_from_u64(3);
        let pictures = import::pictures()?;
        let mut files = |name: &str| {
            (0..FILES)
                .map(|index| import::new_file(&pictures, &mut random, &format!("{name}-{index}")))
                .collect::<anyhow::Result<Vec<Upload>>>()
        };
        let (during, after) = (files("during")?, files("after")?);

        nats.stop().await?;
        let mut kept = import::import(&admin, during, &AtomicUsize::new(0)).await?;
        until("the server to notice", SOON, async || {
            Ok((state_of_nats(&admin).await? == "degraded").then_some(()))
        })
        .await?;
        // Every thumbnail is there without it.
        import::ensure_kept(&admin, &kept).await?;
        ensure!(state_of_nats(&admin).await? == "degraded", "nats-server came back by itself");

        nats.go_on().await?;
        until("the server to notice", SOON, async || {
            Ok((state_of_nats(&admin).await? == "ok").then_some(()))
        })
        .await?;
        kept.extend(import::import(&admin, after, &AtomicUsize::new(0)).await?);
        import::ensure_kept(&admin, &kept).await?;
        // The relay has told it of everything that was missed.
        until("the relay to have caught up", SOON, async || {
            let ready = admin.get_json("/ready").await?;
            Ok((ready["parts"]["relay"]["waitingEvents"] == 0).then_some(()))
        })
        .await
    })
    .await
}

//! Time until ready, and memory of a server without work.

use std::time::{Duration, Instant};

use calotype_tests::{Options, TestServer};

use crate::{cpu, figures};

/// Starts of which the middle one counts.
const STARTS: usize = 5;
/// Decoders end after 20 s without work; this is longer.
const REST: Duration = Duration::from_secs(25);

/// Measures.
pub(crate) async fn measure() -> anyhow::Result<()> {
    figures::group("starts");
    let options = Options { testing: false, ..Options::default() };
    let mut server = TestServer::start(options).await?;
    let admin = server.client().sign_up().await?;
    admin.upload_file(&calotype_tests::media::media("photos/zoo/IPTC.jpg")?).await?;
    admin.wait_until_idle().await?;
    let mut times = Vec::new();
    let mut own_times = Vec::new();
    for _ in 0..STARTS {
        server.terminate().await?;
        let begun = Instant::now();
        server.go_on().await?;
        times.push(begun.elapsed().as_secs_f64());
        own_times.extend(without_children(&server.log()));
    }
    figures::at_most("ready on an existing folder, own servers included", middle(times), 3.0, "s");
    figures::at_most("of which after the own servers answered", middle(own_times), 1.0, "s");
    tokio::time::sleep(REST).await;
    figures::at_most("memory of the idle server process", cpu::memory_mb(&server)?, 80.0, "MB");
    server.terminate().await?;
    Ok(())
}

/// Seconds between the line that PostgreSQL and NATS answer and the line that says ready, of the last start.
fn without_children(log: &str) -> Option<f64> {
    let line = log.lines().rev().find(|line| line.contains("own servers answer after"))?;
    let servers_ms: f64 = after(line, "own servers answer after ")?;
    let line = log.lines().rev().find(|line| line.contains("ready in"))?;
    let ready_ms: f64 = after(line, "ready in ")?;
    Some((ready_ms - servers_ms) / 1_000.0)
}

fn after(line: &str, words: &str) -> Option<f64> {
    line.split_once(words)?.1.split(' ').next()?.parse().ok()
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

//! What was there at a moment, who is told, and bringing it back.

mod reverting;
mod spans;
mod story;
mod walk;

use anyhow::Context as _;
use calotype_tests::media::media;
use calotype_tests::{Client, Upload};
use serde_json::Value;

/// Where the log stands.
async fn position(client: &Client) -> anyhow::Result<i64> {
    let answer = client.get_json("/api/calotype/as-of/people?at=9999-01-01").await?;
    answer["at"]["position"].as_i64().with_context(|| format!("no position in {answer}"))
}

/// Uploads a picture that is none of those that a test began with.
async fn another_picture(client: &Client) -> anyhow::Result<String> {
    let picture = Upload::of(&media("photos/edge/rating_1.jpg")?)?;
    let bytes = calotype_tests::jpeg::with_comment(&picture.bytes, "another");
    client.upload(&Upload::new("another.jpg", bytes)).await
}

/// What was there at a position, as one of the routes tells it.
async fn then(client: &Client, what: &str, position: i64) -> anyhow::Result<Value> {
    let sign = if what.contains('?') { '&' } else { '?' };
    client.get_json(&format!("/api/calotype/as-of/{what}{sign}at={position}")).await
}

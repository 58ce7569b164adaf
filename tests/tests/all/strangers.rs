//! Those who have not said who they are cannot make the server hold much.

use anyhow::ensure;
use calotype_tests::{Options, story};
use serde_json::json;

#[tokio::test]
async fn large_bodies_of_strangers_are_not_read() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let stranger = server.client();
        let (large, small) = ("x".repeat(70 << 10), "x".repeat(60 << 10));
        for path in ["/api/auth/login", "/api/auth/admin-sign-up"] {
            let body = json!({ "email": "a@example.com", "name": "A", "password": large });
            let refused = stranger.post(path, &body).await?.expect(413)?;
            ensure!(refused.message()? == "request entity too large", "{}", refused.shown());
            let body = json!({ "email": "a@example.com", "password": small });
            let answer = stranger.post(path, &body).await?;
            ensure!((400..404).contains(&answer.status), "{path}: {}", answer.shown());
        }
        // Who is known may say more.
        let admin = stranger.sign_up().await?;
        let many = json!({ "assets": vec![json!({ "id": "x", "checksum": large })] });
        admin.post("/api/assets/bulk-upload-check", &many).await?.expect(200)?;
        Ok(())
    })
    .await
}

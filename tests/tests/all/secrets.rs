//! What a server writes into its log, even when it tells everything, holds nobody's secrets.

use anyhow::ensure;
use calotype_tests::client::ADMIN_EMAIL;
use calotype_tests::media::media;
use calotype_tests::{Options, Upload, story};
use serde_json::json;

/// Where and what nobody is to read in a log.
const FILE_NAME: &str = "aunt-matilda-at-home.jpg";
const CAPTION: &str = "the code of the safe is behind the picture";
const FRIEND: &str = "matilda@example.com";
const FRIENDS_PASSWORD: &str = "correct-horse-battery";
const LATITUDE: f64 = 47.123_456;

#[tokio::test]
async fn log_that_tells_everything_tells_no_secrets() -> anyhow::Result<()> {
    let options = Options { testing: false, log: "debug".to_owned(), ..Options::default() };
    story(options, async |server| {
        let admin = server.client().sign_up().await?;
        let mut upload = Upload::of(&media("photos/edge/rating_1.jpg")?)?;
        upload.name = FILE_NAME.into();
        let asset = admin.upload(&upload).await?;
        let details = json!({ "description": CAPTION, "latitude": LATITUDE, "longitude": 8.5 });
        admin.put(&format!("/api/assets/{asset}"), &details).await?.expect(200)?;
        let friend = json!({ "email": FRIEND, "password": FRIENDS_PASSWORD, "name": "Matilda" });
        admin.post("/api/admin/users", &friend).await?.expect(201)?;
        server.client().post("/api/auth/login", &friend).await?.expect(201)?;
        let wrong = json!({ "email": FRIEND, "password": format!("not-{FRIENDS_PASSWORD}") });
        server.client().post("/api/auth/login", &wrong).await?.expect(401)?;
        let key = json!({ "name": "mine", "permissions": ["all"] });
        let key = admin.post("/api/api-keys", &key).await?.expect(201)?.json()?;
        let link = json!({ "type": "INDIVIDUAL", "assetIds": [asset], "password": "open-sesame" });
        let link = admin.post("/api/shared-links", &link).await?.expect(201)?.json()?;
        let key = key["secret"].as_str().unwrap_or_default().to_owned();
        let link = link["key"].as_str().unwrap_or_default().to_owned();
        ensure!(key.len() > 20 && link.len() > 20, "no secrets to look for");
        // Named in a query, where clients put them, too.
        for path in [
            format!("/api/assets/{asset}/thumbnail?key={link}"),
            format!("/api/users/me?apiKey={key}"),
        ] {
            server.client().get(&path).await?;
        }
        admin.wait_for_thumbnail(&asset).await?;
        admin.wait_until_idle().await?;
        server.terminate().await?;

        let log = server.log();
        ensure!(log.contains("DEBUG"), "the log tells too little to prove anything");
        let mut secrets = vec![
            key,
            link,
            FRIEND.into(),
            FRIENDS_PASSWORD.into(),
            ADMIN_EMAIL.into(),
            FILE_NAME.into(),
            CAPTION.into(),
            LATITUDE.to_string(),
            "open-sesame".into(),
        ];
        for entry in std::fs::read_dir(server.data().join("keys"))? {
            let bytes = std::fs::read(entry?.path())?;
            let text = String::from_utf8_lossy(&bytes).trim().to_owned();
            secrets.extend((text.len() >= 16).then_some(text));
        }
        for secret in &secrets {
            let line = log.lines().find(|line| line.contains(secret.as_str()));
            ensure!(line.is_none(), "{secret:?} is in the log: {}", line.unwrap_or_default());
        }
        Ok(())
    })
    .await
}

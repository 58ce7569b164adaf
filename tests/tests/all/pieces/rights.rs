//! Whose uploads are.

use anyhow::ensure;
use calotype_tests::{Options, story};
use reqwest::Method;
use serde_json::json;

use super::{PIECE, UPLOADS, append, begin, beginning, metadata, offset, photo, tus};

#[tokio::test]
async fn upload_is_its_owners_and_needs_their_permission() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user("friend@example.com").await?;
        let bytes = photo(1, 0)?;
        let said = metadata(&[("filename", "a.jpg")]);
        let place = begin(&admin, bytes.len(), &said).await?;
        append(&admin, &place, 0, &bytes[..100]).await?.expect(204)?;
        let narrow = admin.create_key(&["asset.read"]).await?;
        let stranger = server.client().anonymous();
        for (who, begun, other) in [(&stranger, 401, 401), (&narrow, 403, 403), (&friend, 201, 404)]
        {
            who.send(beginning(who, 100, &said)).await?.expect(begun)?;
            for method in [Method::HEAD, Method::GET, Method::DELETE] {
                who.send(tus(who, method, &place)).await?.expect(other)?;
            }
            append(who, &place, 100, &bytes[100..]).await?.expect(other)?;
            for meant in ["PATCH", "HEAD", "DELETE"] {
                let posted = tus(who, Method::POST, &place).header("x-http-method-override", meant);
                who.send(posted.header("content-type", PIECE).header("upload-offset", 100))
                    .await?
                    .expect(other)?;
            }
        }
        // Who came by a link sends whole files.
        let album = json!({ "albumName": "Shared", "assetIds": [] });
        let album = admin.post("/api/albums", &album).await?.expect(201)?.json()?["id"].clone();
        let link = json!({ "type": "ALBUM", "albumId": album, "allowUpload": true });
        let link = admin.post("/api/shared-links", &link).await?.expect(201)?.json()?;
        let key = link["key"].as_str().unwrap_or_default();
        let by_link = tus(&stranger, Method::POST, &format!("{UPLOADS}?key={key}"));
        stranger.send(by_link.header("upload-length", 100)).await?.expect(403)?;
        let by_link = tus(&stranger, Method::HEAD, &format!("{place}?key={key}"));
        stranger.send(by_link).await?.expect(403)?;

        ensure!(offset(&admin, &place).await? == 100, "somebody else changed it");
        let wide = admin.create_key(&["asset.upload"]).await?;
        append(&wide, &place, 100, &bytes[100..]).await?.expect(204)?;
        admin.wait_until_idle().await
    })
    .await
}

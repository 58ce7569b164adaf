//! Requests with an `Idempotency-Key`: repeated, they make nothing more and are answered as before.

use anyhow::{Context as _, ensure};
use calotype_tests::{Answer, Client, Options, story};
use reqwest::Method;
use serde_json::{Value, json};

/// Requests with the same key at once.
const AT_ONCE: usize = 8;

async fn keyed(client: &Client, key: &str, path: &str, body: &Value) -> anyhow::Result<Answer> {
    let request = client.request(Method::POST, path).header("idempotency-key", key);
    client.send(request.json(body)).await
}

async fn count(client: &Client, path: &str) -> anyhow::Result<usize> {
    let all = client.get_json(path).await?;
    all.as_array().map(Vec::len).with_context(|| format!("{path} is no list: {all}"))
}

#[tokio::test]
async fn repeated_request_with_a_key_is_done_once_and_answered_as_before() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let me = admin.get_json("/api/users/me").await?;
        let album = json!({ "albumName": "Rhône" });
        let id = admin.post("/api/albums", &album).await?.expect(201)?.json()?["id"].clone();
        let requests = [
            ("/api/albums", json!({ "albumName": "Once" })),
            ("/api/shared-links", json!({ "type": "ALBUM", "albumId": id, "slug": "once" })),
            ("/api/tags", json!({ "name": "once" })),
            ("/api/people", json!({ "name": "Once" })),
            (
                "/api/memories",
                json!({
                    "type": "on_this_day", "data": { "year": 2020 },
                    "memoryAt": "2024-05-05T00:00:00.000Z"
                }),
            ),
            ("/api/libraries", json!({ "ownerId": me["id"], "name": "Once" })),
            ("/api/activities", json!({ "albumId": id, "type": "comment", "comment": "once" })),
        ];
        for (path, body) in &requests {
            let first = keyed(&admin, "a key", path, body).await?.expect(201)?;
            let again = keyed(&admin, "a key", path, body).await?.expect(201)?;
            ensure!(first.json()? == again.json()?, "{path}: {} {}", first.shown(), again.shown());
        }
        let places = [
            ("/api/albums", 2),
            ("/api/shared-links", 1),
            ("/api/tags", 1),
            ("/api/memories", 1),
            ("/api/libraries", 1),
        ];
        for (path, expected) in places {
            let found = count(&admin, path).await?;
            ensure!(found == expected, "{path}: {found} of {expected}");
        }
        let comments = format!("/api/activities?albumId={}", id.as_str().unwrap_or_default());
        ensure!(count(&admin, &comments).await? == 1, "commented twice");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_key_is_of_one_wish_of_one_person() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let path = "/api/albums";
        let one = json!({ "albumName": "One" });
        let id = async |client: &Client, key: &str, body: &Value| -> anyhow::Result<Value> {
            Ok(keyed(client, key, path, body).await?.expect(201)?.json()?["id"].clone())
        };
        let first = id(&admin, "k", &one).await?;
        // The first wish stands, and what it made is shown as it is now.
        let other = json!({ "albumName": "Other" });
        let answer = keyed(&admin, "k", path, &other).await?.expect(201)?.json()?;
        ensure!(answer["id"] == first && answer["albumName"] == "One", "{answer}");
        ensure!(id(&admin, "l", &one).await? != first, "another key is the same wish");
        ensure!(count(&admin, path).await? == 2, "made more than two albums");

        let friend = admin.create_user("friend@example.com").await?;
        let friend_id = friend.get_json("/api/users/me").await?["id"].clone();
        ensure!(id(&friend, "k", &one).await? != first, "another person's key is the same wish");
        // With somebody to invite it leads to more events than the key stands for.
        let shared = json!({
            "albumName": "One", "albumUsers": [{ "userId": friend_id, "role": "viewer" }]
        });
        keyed(&admin, "k", path, &shared).await?.expect(409)?;

        for bad in ["", "\u{9}", &"k".repeat(256)] {
            let refused = keyed(&admin, bad, path, &one).await?.expect(400)?.json()?;
            ensure!(
                refused["message"].as_str().is_some_and(|it| it.starts_with("Idempotency-Key")),
                "{refused}"
            );
        }
        ensure!(count(&admin, path).await? == 2, "a refused request made an album");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn requests_with_one_key_at_once_make_one_album() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let body = json!({ "albumName": "One" });
        let asking = (0..AT_ONCE).map(|_| keyed(&admin, "k", "/api/albums", &body));
        for answer in futures::future::join_all(asking).await {
            answer?.expect(201)?;
        }
        ensure!(count(&admin, "/api/albums").await? == 1, "more than one album");
        Ok(())
    })
    .await
}

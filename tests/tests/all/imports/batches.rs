//! Batches as any client may use them.

use anyhow::{Context as _, ensure};
use calotype_tests::answer::sha1_hex;
use calotype_tests::{Answer, Client, Options, story};
use reqwest::Method;
use serde_json::{Value, json};

use super::{count, picture};

const BATCHES: &str = "/api/calotype/batches";

pub(super) async fn open(client: &Client, key: &str) -> anyhow::Result<String> {
    let request = client.request(Method::POST, BATCHES).header("idempotency-key", key);
    let batch = client.send(request).await?.expect(201)?.json()?;
    ensure!(batch["status"] == "open" || batch["status"] == "closed", "{batch}");
    Ok(format!("{BATCHES}/{}", batch["id"].as_str().context("a batch without an id")?))
}

pub(super) struct File {
    pub(super) bytes: Vec<u8>,
    pub(super) sha1: String,
    blake3: String,
}

pub(super) fn file(number: usize) -> anyhow::Result<File> {
    let bytes = picture(number)?;
    let (sha1, blake3) = (sha1_hex(&bytes), blake3::hash(&bytes).to_hex().to_string());
    Ok(File { bytes, sha1, blake3 })
}

pub(super) async fn send(client: &Client, batch: &str, file: &File) -> anyhow::Result<Answer> {
    let path = format!("{batch}/files/{}?blake3={}&extension=jpg", file.sha1, file.blake3);
    client.send(client.request(Method::PUT, &path).body(file.bytes.clone())).await
}

async fn check(client: &Client, batch: &str, file: &File) -> anyhow::Result<String> {
    let name = json!({ "sha1": file.sha1, "blake3": file.blake3, "extension": "JPG" });
    let answer = client.post(&format!("{batch}/check"), &json!({ "files": [name] })).await?;
    let answer = answer.expect(200)?.json()?;
    Ok(answer["files"][0]["status"].as_str().context("no status")?.to_owned())
}

pub(super) fn said(file: &File, more: &Value) -> Value {
    let mut said = json!({
        "sha1": file.sha1, "blake3": file.blake3, "fileName": "a.jpg",
        "fileCreatedAt": "2024-01-02T03:04:05.000Z", "fileModifiedAt": "2024-01-02T03:04:05.000Z",
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        said[name] = value.clone();
    }
    said
}

pub(super) async fn commit(client: &Client, batch: &str, wish: &Value) -> anyhow::Result<Answer> {
    client.post(&format!("{batch}/commit"), wish).await
}

#[tokio::test]
async fn repeated_requests_of_a_batch_do_nothing_twice() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let batch = open(&admin, "one").await?;
        ensure!(open(&admin, "one").await? == batch, "the same key is another batch");
        ensure!(open(&admin, "two").await? != batch, "another key is the same batch");
        let one = file(1)?;
        ensure!(check(&admin, &batch, &one).await? == "missing");
        for _ in 0..2 {
            send(&admin, &batch, &one).await?.expect(204)?;
        }
        ensure!(check(&admin, &batch, &one).await? == "uploaded");
        ensure!(count(&admin).await? == 0, "a file that is not committed is an asset");
        let other = file(2)?;
        let wish = json!({
            "albums": [{ "key": "k", "albumName": "Rhône" }],
            "files": [
                said(&one, &json!({ "albumKeys": ["k"], "tags": ["Travel/Rhône"], "isFavorite": true,
                                    "description": "By the river" })),
                said(&other, &json!({})),
            ]
        });
        let first = commit(&admin, &batch, &wish).await?.expect(200)?.json()?;
        ensure!(first["files"][0]["status"] == "created", "{first}");
        ensure!(first["files"][1]["status"] == "missing", "{first}");
        let again = commit(&admin, &batch, &wish).await?.expect(200)?.json()?;
        ensure!(again == first, "{again} is not {first}");
        ensure!(check(&admin, &batch, &one).await? == "committed");
        ensure!(count(&admin).await? == 1);
        let id = first["files"][0]["assetId"].as_str().context("no asset")?;
        let asset = admin.get_json(&format!("/api/assets/{id}")).await?;
        ensure!(asset["isFavorite"] == true && asset["tags"][0]["value"] == "Travel/Rhône", "{asset}");
        ensure!(asset["exifInfo"]["description"] == "By the river", "{asset}");
        let original = admin.get(&format!("/api/assets/{id}/original")).await?.expect(200)?;
        ensure!(original.sha1() == one.sha1, "other bytes came back");
        let albums = admin.get_json("/api/albums").await?;
        ensure!(albums.as_array().map(Vec::len) == Some(1) && albums[0]["assetCount"] == 1, "{albums}");

        // Another batch finds the bytes there, and takes them into its album without sending them.
        let second = open(&admin, "two").await?;
        ensure!(check(&admin, &second, &one).await? == "duplicate");
        let wish = json!({
            "albums": [{ "key": "k", "albumName": "Again" }],
            "files": [said(&one, &json!({ "albumKeys": ["k"] }))]
        });
        let known = commit(&admin, &second, &wish).await?.expect(200)?.json()?;
        ensure!(known["files"][0]["status"] == "duplicate" && known["files"][0]["assetId"] == id, "{known}");
        let receipt = admin.get_json(&format!("{second}/receipt")).await?;
        ensure!(receipt["files"].as_array().map(Vec::len) == Some(1), "{receipt}");
        ensure!(receipt["digest"].is_string(), "{receipt}");

        for _ in 0..2 {
            let closed = admin.post(&format!("{batch}/close"), &json!({})).await?.expect(200)?.json()?;
            ensure!(closed["status"] == "closed" && closed["created"] == 1, "{closed}");
        }
        commit(&admin, &batch, &json!({ "files": [said(&other, &json!({}))] })).await?.expect(400)?;
        send(&admin, &batch, &other).await?.expect(400)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn bytes_that_are_not_what_they_are_called_are_not_kept() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let batch = open(&admin, "one").await?;
        let (mut wrong, other) = (file(1)?, file(2)?);
        wrong.bytes = other.bytes;
        let refused = send(&admin, &batch, &wrong).await?.expect(400)?;
        ensure!(refused.message()? == "The body has other digests", "{}", refused.shown());
        ensure!(check(&admin, &batch, &wrong).await? == "missing");
        let path = format!("{batch}/files/xyz?blake3={}&extension=txt", wrong.blake3);
        let refused =
            admin.send(admin.request(Method::PUT, &path).body("abc")).await?.expect(400)?;
        ensure!(
            refused.shows("Invalid digest") && refused.shows("Unsupported"),
            "{}",
            refused.shown()
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn batch_is_its_owners_and_needs_their_permissions() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user("friend@example.com").await?;
        let batch = open(&admin, "one").await?;
        let one = file(1)?;
        send(&admin, &batch, &one).await?.expect(204)?;
        let name = json!({ "sha1": one.sha1, "blake3": one.blake3, "extension": "jpg" });
        let (names, files) =
            (json!({ "files": [name] }), json!({ "files": [said(&one, &json!({}))] }));
        let requests = [
            (Method::GET, batch.clone(), json!({})),
            (Method::GET, format!("{batch}/receipt"), json!({})),
            (Method::POST, format!("{batch}/check"), names),
            (Method::POST, format!("{batch}/commit"), files.clone()),
            (Method::POST, format!("{batch}/close"), json!({})),
            (Method::POST, format!("{batch}/rollback"), json!({ "preview": true })),
            (Method::POST, format!("{batch}/rollback"), json!({})),
        ];
        let key = admin.create_key(&["asset.read"]).await?;
        for (method, path, body) in requests {
            let stranger = server.client().anonymous();
            stranger.call(method.clone(), &path, &body).await?.expect(401)?;
            let refused = friend.call(method.clone(), &path, &body).await?.expect(400)?;
            ensure!(refused.shows("Not found or no"), "{method} {path}: {}", refused.shown());
            key.call(method, &path, &body).await?.expect(403)?;
        }
        send(&friend, &batch, &one).await?.expect(400)?;
        send(&key, &batch, &one).await?.expect(403)?;
        ensure!(friend.get_json(BATCHES).await? == json!([]), "somebody else's batch is listed");
        // Tags and albums need what they need elsewhere.
        let uploader = admin.create_key(&["asset.upload"]).await?;
        for more in [
            json!({ "tags": ["a"] }),
            json!({ "description": "a" }),
            json!({ "albumKeys": ["k"] }),
            json!({ "people": [{ "name": "Anna" }] }),
        ] {
            let wish = json!({ "files": [said(&one, &more)] });
            commit(&uploader, &batch, &wish).await?.expect(403)?;
        }
        let mut stacked = files.clone();
        stacked["stacks"] = json!([{ "key": "s", "sha1s": [one.sha1] }]);
        commit(&uploader, &batch, &stacked).await?.expect(403)?;
        commit(&uploader, &batch, &files).await?.expect(200)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn asset_in_another_album_stays_when_its_batch_is_taken_back() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let batch = open(&admin, "one").await?;
        let files = [file(1)?, file(2)?];
        for one in &files {
            send(&admin, &batch, one).await?.expect(204)?;
        }
        let into = json!({ "albumKeys": ["k"], "tags": ["Travel"] });
        let wish = json!({
            "albums": [{ "key": "k", "albumName": "Import" }],
            "files": [said(&files[0], &into), said(&files[1], &into)]
        });
        let done = commit(&admin, &batch, &wish).await?.expect(200)?.json()?;
        let shown = done["files"][1]["assetId"].as_str().context("no asset")?;
        let album = json!({ "albumName": "Best of", "assetIds": [shown] });
        admin.post("/api/albums", &album).await?.expect(201)?;
        let path = format!("{batch}/rollback");
        for preview in [true, false] {
            let wish = json!({ "preview": preview });
            let told = admin.post(&path, &wish).await?.expect(200)?.json()?;
            ensure!(told["assetIds"].as_array().map(Vec::len) == Some(1), "{told}");
            let left = json!([{ "assetId": shown, "changedBy": "AlbumAssetsAdded" }]);
            ensure!(told["leftAlone"] == left, "{told}");
            ensure!(told["albumEntries"] == 1 && told["tagsRemoved"] == 1, "{told}");
        }
        ensure!(count(&admin).await? == 1, "it went");
        let asset = admin.get_json(&format!("/api/assets/{shown}")).await?;
        ensure!(asset["tags"][0]["value"] == "Travel", "{asset}");
        let told = admin.post(&path, &json!({ "force": true })).await?.expect(200)?.json()?;
        ensure!(told["leftAlone"] == json!([]) && count(&admin).await? == 0, "{told}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn rollback_leaves_the_library_as_before_but_for_what_people_changed() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let before = file(1)?;
        let kept = admin
            .upload(&calotype_tests::client::Upload::new("before.jpg", before.bytes.clone()))
            .await?;
        let album = json!({ "albumName": "Mine", "assetIds": [] });
        let album = admin.post("/api/albums", &album).await?.expect(201)?.json()?["id"].clone();
        let batch = open(&admin, "one").await?;
        let files = [file(2)?, file(3)?];
        for one in &files {
            send(&admin, &batch, one).await?.expect(204)?;
        }
        let into = json!({ "albumKeys": ["k"], "albumIds": [album], "tags": ["Travel/Rhône"] });
        let wish = json!({
            "albums": [{ "key": "k", "albumName": "Import" }],
            "files": [said(&before, &into), said(&files[0], &into), said(&files[1], &into)]
        });
        let done = commit(&admin, &batch, &wish).await?.expect(200)?.json()?;
        let changed = done["files"][2]["assetId"].as_str().context("no asset")?;
        let path = format!("{batch}/rollback");

        let preview = json!({ "preview": true });
        let told = admin.post(&path, &preview).await?.expect(200)?.json()?;
        ensure!(told["assetIds"].as_array().map(Vec::len) == Some(2), "{told}");
        ensure!(told["albumEntries"] == 6 && told["tagsRemoved"] == 3, "{told}");
        ensure!(told["albumIds"].as_array().map(Vec::len) == Some(1), "{told}");
        ensure!(count(&admin).await? == 3, "a preview changed something");
        ensure!(admin.get_json(&batch).await?["status"] == "open", "a preview closed the batch");

        let favorite = json!({ "isFavorite": true });
        admin.put(&format!("/api/assets/{changed}"), &favorite).await?.expect(200)?;
        let told = admin.post(&path, &json!({})).await?.expect(200)?.json()?;
        ensure!(told["leftAlone"][0]["assetId"] == changed, "{told}");
        ensure!(told["leftAlone"][0]["changedBy"] == "AssetFavorited", "{told}");
        ensure!(told["next"].is_null(), "{told}");
        ensure!(count(&admin).await? == 2, "{told}");
        ensure!(admin.get_json(&batch).await?["status"] == "rolledBack");

        let told = admin.post(&path, &json!({ "force": true })).await?.expect(200)?.json()?;
        ensure!(told["leftAlone"] == json!([]), "{told}");
        ensure!(count(&admin).await? == 1, "{told}");
        let albums = admin.get_json("/api/albums").await?;
        ensure!(albums.as_array().map(Vec::len) == Some(1) && albums[0]["id"] == album, "{albums}");
        ensure!(albums[0]["assetCount"] == 0, "{albums}");
        ensure!(admin.get_json("/api/tags").await? == json!([]), "tags were left");
        let asset = admin.get_json(&format!("/api/assets/{kept}")).await?;
        ensure!(asset["isTrashed"] == false && asset["tags"] == json!([]), "{asset}");

        let told = admin.post(&path, &json!({ "force": true, "forGood": true })).await?;
        let told = told.expect(200)?.json()?;
        ensure!(told["assetIds"].as_array().map(Vec::len) == Some(2), "{told}");
        let gone = admin.get(&format!("/api/assets/{changed}")).await?;
        gone.expect(400)?;
        Ok(())
    })
    .await
}

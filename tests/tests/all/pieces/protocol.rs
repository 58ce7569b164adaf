//! What a client of tus may send, and what it hears.

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use calotype_tests::answer::sha1_hex;
use calotype_tests::{Options, story};
use reqwest::Method;
use serde_json::json;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::{PIECE, UPLOADS, append, begin, beginning, metadata, offset, photo, piece, tus};

#[tokio::test]
async fn file_in_pieces_becomes_one_asset() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let told = server.client().send(server.client().request(Method::OPTIONS, UPLOADS)).await?;
        let told = told.expect(204)?;
        ensure!(told.header("tus-version") == "1.0.0", "{:?}", told.headers);
        for extension in
            ["creation", "creation-with-upload", "checksum", "termination", "expiration"]
        {
            let has = told.header("tus-extension").split(',').any(|it| it == extension);
            ensure!(has, "no {extension}: {:?}", told.headers);
        }
        ensure!(told.header("tus-checksum-algorithm") == "sha1,sha256", "{:?}", told.headers);

        let bytes = photo(1, 300_000)?;
        let said = metadata(&[
            ("filename", "Rhône.jpg"),
            ("fileCreatedAt", "2024-01-02T03:04:05.000Z"),
            ("fileModifiedAt", "2024-01-02T03:04:05.000Z"),
            ("isFavorite", "true"),
        ]);
        let place = begin(&admin, bytes.len(), &said).await?;
        ensure!(offset(&admin, &place).await? == 0);
        let (first, second) = bytes.split_at(100_000);
        let taken = append(&admin, &place, 0, first).await?.expect(204)?;
        ensure!(taken.header("upload-offset") == "100000", "{:?}", taken.headers);
        ensure!(
            taken.header("tus-resumable") == "1.0.0" && !taken.header("upload-expires").is_empty()
        );
        ensure!(taken.header("calotype-asset-id").is_empty(), "half a file is an asset");
        let told = admin.send(tus(&admin, Method::HEAD, &place)).await?.expect(200)?;
        ensure!(told.header("upload-offset") == "100000", "{:?}", told.headers);
        ensure!(told.header("upload-length") == bytes.len().to_string(), "{:?}", told.headers);
        ensure!(
            told.header("upload-metadata") == said && told.header("cache-control") == "no-store"
        );

        // Wrong in each way; nothing of it counts.
        append(&admin, &place, 0, first).await?.expect(409)?;
        append(&admin, &place, 100_001, second).await?.expect(409)?;
        let more = [second, b"x"].concat();
        append(&admin, &place, 100_000, &more).await?.expect(413)?;
        let untyped = tus(&admin, Method::PATCH, &place).header("upload-offset", 100_000);
        admin.send(untyped.body("abc")).await?.expect(415)?;
        let unplaced = tus(&admin, Method::PATCH, &place).header("content-type", PIECE);
        admin.send(unplaced.body("abc")).await?.expect(400)?;
        let other = admin.request(Method::HEAD, &place).header("tus-resumable", "0.2.2");
        let other = admin.send(other).await?.expect(412)?;
        ensure!(other.header("tus-version") == "1.0.0", "{:?}", other.headers);
        admin.send(admin.request(Method::HEAD, &place)).await?.expect(412)?;
        ensure!(offset(&admin, &place).await? == 100_000, "something wrong counted");

        let done = append(&admin, &place, 100_000, second).await?.expect(204)?;
        ensure!(done.header("calotype-asset-status") == "created", "{:?}", done.headers);
        let id = done.header("calotype-asset-id").to_owned();
        let original = admin.get(&format!("/api/assets/{id}/original")).await?.expect(200)?;
        ensure!(original.sha1() == sha1_hex(&bytes), "other bytes came back");
        let asset = admin.get_json(&format!("/api/assets/{id}")).await?;
        ensure!(asset["originalFileName"] == "Rhône.jpg" && asset["isFavorite"] == true, "{asset}");
        let shown = admin.get_json(&place).await?;
        ensure!(shown["status"] == "created" && shown["assetId"] == id, "{shown}");
        // What is done is done, however often its end is sent.
        let again = append(&admin, &place, bytes.len(), b"").await?.expect(204)?;
        ensure!(again.header("calotype-asset-id") == id, "{:?}", again.headers);

        // Everything with the beginning, as a client that knows no times sends it.
        let whole = beginning(&admin, bytes.len(), &metadata(&[("name", "again.jpg")]));
        let whole = whole.header("content-type", PIECE).body(bytes.clone());
        let whole = admin.send(whole).await?.expect(201)?;
        ensure!(whole.header("calotype-asset-status") == "duplicate", "{:?}", whole.headers);
        ensure!(whole.header("calotype-asset-id") == id, "{:?}", whole.headers);
        let left = std::fs::read_dir(server.data().join("tmp/uploads"))?.count();
        ensure!(left == 0, "{left} files lie in tmp still");
        admin.wait_until_idle().await
    })
    .await
}

#[tokio::test]
async fn pieces_are_held_against_their_digests() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let bytes = photo(2, 0)?;
        let place = begin(&admin, bytes.len(), &metadata(&[("filename", "a.jpg")])).await?;
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let with = |offset: usize, bytes: &[u8], told: String| {
            piece(&admin, &place, offset, bytes).header("upload-checksum", told)
        };
        let sha1 = |bytes: &[u8]| format!("sha1 {}", STANDARD.encode(Sha1::digest(bytes)));
        let sha256 = |bytes: &[u8]| format!("sha256 {}", STANDARD.encode(Sha256::digest(bytes)));
        for wrong in [sha1(second), sha256(second)] {
            admin.send(with(0, first, wrong)).await?.expect(460)?;
            ensure!(offset(&admin, &place).await? == 0, "a damaged piece counted");
        }
        for unknown in ["md5 YWJj", "sha1 YWJj", "sha1"] {
            admin.send(with(0, first, unknown.to_owned())).await?.expect(400)?;
        }
        admin.send(with(0, first, sha1(first))).await?.expect(204)?;
        let done = admin.send(with(first.len(), second, sha256(second))).await?.expect(204)?;
        let id = done.header("calotype-asset-id").to_owned();
        let original = admin.get(&format!("/api/assets/{id}/original")).await?.expect(200)?;
        ensure!(original.sha1() == sha1_hex(&bytes), "a damaged piece was kept");
        admin.wait_until_idle().await
    })
    .await
}

#[tokio::test]
async fn upload_ends_at_its_clients_wish_and_by_any_method() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let bytes = photo(3, 0)?;
        let place = begin(&admin, bytes.len(), &metadata(&[("filename", "a.jpg")])).await?;
        append(&admin, &place, 0, &bytes[..100]).await?.expect(204)?;
        admin.send(tus(&admin, Method::DELETE, &place)).await?.expect(204)?;
        for method in [Method::HEAD, Method::DELETE, Method::GET] {
            admin.send(tus(&admin, method, &place)).await?.expect(404)?;
        }
        append(&admin, &place, 100, &bytes[100..]).await?.expect(404)?;
        let left = std::fs::read_dir(server.data().join("tmp/uploads"))?.count();
        ensure!(left == 0, "its bytes were left");

        let place = begin(&admin, bytes.len(), &metadata(&[("filename", "a.jpg")])).await?;
        let posted =
            |meant: &str| tus(&admin, Method::POST, &place).header("x-http-method-override", meant);
        let sent = posted("PATCH").header("content-type", PIECE).header("upload-offset", 0);
        let sent = admin.send(sent.body(bytes[..100].to_vec())).await?.expect(204)?;
        ensure!(sent.header("upload-offset") == "100", "{:?}", sent.headers);
        let told = admin.send(posted("HEAD")).await?.expect(200)?;
        ensure!(told.header("upload-offset") == "100", "{:?}", told.headers);
        admin.send(posted("PUT")).await?.expect(400)?;
        admin.send(posted("DELETE")).await?.expect(204)?;
        admin.send(tus(&admin, Method::HEAD, &place)).await?.expect(404)?;

        // By the same key it is the same upload.
        let keyed = || {
            beginning(&admin, bytes.len(), &metadata(&[("filename", "a.jpg")]))
                .header("idempotency-key", "one")
        };
        let first = admin.send(keyed()).await?.expect(201)?;
        let place = first.header("location").to_owned();
        append(&admin, &place, 0, &bytes[..100]).await?.expect(204)?;
        let again = admin.send(keyed()).await?.expect(201)?;
        ensure!(again.header("location") == place, "another upload");
        ensure!(again.header("upload-offset") == "100", "{:?}", again.headers);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_could_not_be_taken_in_is_refused_before_it_comes() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let photo = metadata(&[("filename", "a.jpg")]);
        let refused = async |length: &str, said: &str, status: u16| {
            let begun = tus(&admin, Method::POST, UPLOADS).header("upload-length", length);
            admin.send(begun.header("upload-metadata", said)).await?.expect(status)
        };
        refused("68719476737", &photo, 413).await?;
        for bad in ["", "-1", "abc"] {
            refused(bad, &photo, 400).await?;
        }
        refused("0", &photo, 400).await?;
        for bad in [
            metadata(&[("filename", "a.txt")]),
            metadata(&[]),
            "filename ?".to_owned(),
            metadata(&[("filename", "a.jpg"), ("fileCreatedAt", "yesterday")]),
            metadata(&[("batch", "x"), ("sha1", "y"), ("blake3", "z"), ("extension", "jpg")]),
        ] {
            refused("100", &bad, 400).await?;
        }
        let deferred = tus(&admin, Method::POST, UPLOADS).header("upload-defer-length", 1);
        admin.send(deferred).await?.expect(400)?;

        // Quota: what is on its way counts.
        let anna = admin.create_user("anna@example.com").await?;
        let path = format!("/api/admin/users/{}", anna.my_id().await?);
        admin.put(&path, &json!({ "quotaSizeInBytes": 1_000_000 })).await?.expect(200)?;
        anna.send(beginning(&anna, 1_100_000, &photo)).await?.expect(400)?;
        let place = begin(&anna, 800_000, &photo).await?;
        let late = anna.send(beginning(&anna, 800_000, &photo)).await?.expect(429)?;
        ensure!(!late.header("retry-after").is_empty(), "{:?}", late.headers);
        anna.send(tus(&anna, Method::DELETE, &place)).await?.expect(204)?;
        begin(&anna, 800_000, &photo).await?;

        // So many at once, and no more.
        for _ in 0..100 {
            begin(&admin, 100, &photo).await?;
        }
        admin.send(beginning(&admin, 100, &photo)).await?.expect(429)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn file_in_pieces_becomes_a_file_of_a_batch() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let batch = admin.post("/api/calotype/batches", &json!({})).await?.expect(201)?.json()?;
        let batch = batch["id"].as_str().context("no batch")?.to_owned();
        let bytes = photo(4, 200_000)?;
        let (sha1, blake3) = (sha1_hex(&bytes), blake3::hash(&bytes).to_hex().to_string());
        let said = metadata(&[
            ("batch", &batch),
            ("sha1", &sha1),
            ("blake3", &blake3),
            ("extension", "jpg"),
        ]);
        let name = json!({ "files": [{ "sha1": sha1, "blake3": blake3, "extension": "jpg" }] });
        let status = async || {
            let path = format!("/api/calotype/batches/{batch}/check");
            let told = admin.post(&path, &name).await?.expect(200)?.json()?;
            Ok::<_, anyhow::Error>(told["files"][0]["status"].clone())
        };
        // Other bytes than those that were named are refused, and forgotten.
        let place = begin(&admin, bytes.len(), &said).await?;
        let mut other = bytes.clone();
        other[150_000] = 8;
        append(&admin, &place, 0, &other).await?.expect(400)?;
        admin.send(tus(&admin, Method::HEAD, &place)).await?.expect(404)?;
        ensure!(status().await? == "missing", "other bytes were kept");

        let place = begin(&admin, bytes.len(), &said).await?;
        append(&admin, &place, 0, &bytes[..70_000]).await?.expect(204)?;
        ensure!(status().await? == "missing", "half a file counts");
        append(&admin, &place, 70_000, &bytes[70_000..]).await?.expect(204)?;
        ensure!(admin.get_json(&place).await?["status"] == "uploaded");
        ensure!(status().await? == "uploaded");
        let wish = json!({ "files": [{
            "sha1": sha1, "blake3": blake3, "fileName": "a.jpg",
            "fileCreatedAt": "2024-01-02T03:04:05.000Z",
            "fileModifiedAt": "2024-01-02T03:04:05.000Z",
        }] });
        let path = format!("/api/calotype/batches/{batch}/commit");
        let done = admin.post(&path, &wish).await?.expect(200)?.json()?;
        let id = done["files"][0]["assetId"].as_str().context("no asset")?;
        let original = admin.get(&format!("/api/assets/{id}/original")).await?.expect(200)?;
        ensure!(original.sha1() == sha1, "other bytes came back");
        let path = format!("/api/calotype/batches/{batch}/close");
        admin.post(&path, &json!({})).await?.expect(200)?;
        admin.send(beginning(&admin, bytes.len(), &said)).await?.expect(400)?;
        admin.wait_until_idle().await
    })
    .await
}

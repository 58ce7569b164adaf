//! Many small files in one request.

use anyhow::{Context as _, ensure};
use calotype_tests::answer::sha1_hex;
use calotype_tests::{Answer, Client, Options, story};
use reqwest::Method;
use serde_json::{Value, json};

use super::picture;

/// A file behind the line that names it.
fn packed(bytes: &[u8], digest_of: &[u8]) -> Vec<u8> {
    let line = json!({
        "sha1": sha1_hex(digest_of), "blake3": blake3::hash(digest_of).to_hex().to_string(),
        "extension": "jpg", "sizeBytes": bytes.len(),
    });
    [format!("{line}\n").as_bytes(), bytes].concat()
}

async fn send(client: &Client, batch: &str, body: Vec<u8>) -> anyhow::Result<Answer> {
    client.send(client.request(Method::PUT, &format!("{batch}/files")).body(body)).await
}

async fn status(client: &Client, batch: &str, bytes: &[u8]) -> anyhow::Result<Value> {
    let blake3 = blake3::hash(bytes).to_hex().to_string();
    let file = json!({ "sha1": sha1_hex(bytes), "blake3": blake3, "extension": "jpg" });
    let wish = json!({ "files": [file], "withKeys": true });
    let answer = client.post(&format!("{batch}/check"), &wish).await?.expect(200)?.json()?;
    Ok(answer["files"][0].clone())
}

#[tokio::test]
async fn files_that_wait_for_their_commit_count_against_the_quota() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let user = admin.create_user("user@example.com").await?;
        let pictures = (0..6).map(picture).collect::<anyhow::Result<Vec<_>>>()?;
        let quota: usize = pictures[..4].iter().map(Vec::len).sum::<usize>() + 200;
        let path = format!("/api/admin/users/{}", user.my_id().await?);
        admin.put(&path, &json!({ "quotaSizeInBytes": quota })).await?.expect(200)?;
        let batch = user.post("/api/calotype/batches", &json!({})).await?.expect(201)?.json()?;
        let batch = format!("/api/calotype/batches/{}", batch["id"].as_str().context("no batch")?);

        // Two together and one alone; no commit has said whose they are.
        let together = pictures[..2].iter().flat_map(|it| packed(it, it)).collect();
        send(&user, &batch, together).await?.expect(200)?;
        let alone = async |bytes: &[u8]| {
            let (sha1, blake3) = (sha1_hex(bytes), blake3::hash(bytes).to_hex().to_string());
            let path = format!("{batch}/files/{sha1}?blake3={blake3}&extension=jpg");
            user.send(user.request(Method::PUT, &path).body(bytes.to_vec())).await
        };
        alone(&pictures[2]).await?.expect(204)?;
        let body = pictures[3..5].iter().flat_map(|it| packed(it, it)).collect();
        let refused = send(&user, &batch, body).await?.expect(400)?;
        ensure!(refused.shown().contains("Quota"), "{}", refused.shown());
        // What there is room for is taken, and sent once more it needs no more room.
        for _ in 0..2 {
            let waiting = [status(&user, &batch, &pictures[2]).await?];
            ensure!(waiting[0]["status"] == "uploaded", "{waiting:?}");
        }
        alone(&pictures[3]).await?.expect(204)?;
        alone(&pictures[4]).await?.expect(400)?;
        let upload = calotype_tests::Upload::new("a.jpg", pictures[5].clone());
        user.send_upload(&upload).await?.expect(400)?;

        let said: Vec<Value> = pictures[..4]
            .iter()
            .map(|bytes| {
                json!({
                    "sha1": sha1_hex(bytes), "blake3": blake3::hash(bytes).to_hex().to_string(),
                    "fileName": "a.jpg", "fileCreatedAt": "2024-01-02T03:04:05.000Z",
                    "fileModifiedAt": "2024-01-02T03:04:05.000Z",
                })
            })
            .collect();
        let wish = json!({ "files": said });
        let told = user.post(&format!("{batch}/commit"), &wish).await?.expect(200)?.json()?;
        let mut files = told["files"].as_array().into_iter().flatten();
        ensure!(files.all(|file| file["status"] == "created"), "{told}");
        // They count once, as what they became.
        let path = format!("/api/admin/users/{}", user.my_id().await?);
        let size: usize = pictures[..5].iter().map(Vec::len).sum::<usize>() + 200;
        admin.put(&path, &json!({ "quotaSizeInBytes": size })).await?.expect(200)?;
        alone(&pictures[4]).await?.expect(204)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn many_files_come_in_one_request_and_wrong_ones_are_told() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let batch = admin.post("/api/calotype/batches", &json!({})).await?.expect(201)?.json()?;
        let batch = format!("/api/calotype/batches/{}", batch["id"].as_str().context("no batch")?);
        let pictures = (0..10).map(picture).collect::<anyhow::Result<Vec<_>>>()?;
        let mut body: Vec<u8> = pictures.iter().flat_map(|it| packed(it, it)).collect();
        let other = picture(100)?;
        body.extend(packed(&pictures[0], &other));
        for _ in 0..2 {
            let told = send(&admin, &batch, body.clone()).await?.expect(200)?.json()?;
            let told = told["files"].as_array().context("no files")?.clone();
            ensure!(told.len() == 11, "{told:?}");
            ensure!(told[..10].iter().all(|file| file["status"] == "uploaded"), "{told:?}");
            ensure!(told[10]["status"] == "refused", "{told:?}");
        }
        for picture in &pictures {
            let file = status(&admin, &batch, picture).await?;
            ensure!(file["status"] == "uploaded", "{file}");
            let key = file["key"].as_str().context("no key")?;
            let stored = std::fs::read(server.data().join("library").join(key))?;
            ensure!(stored == *picture, "other bytes lie under the key");
        }
        ensure!(status(&admin, &batch, &other).await?["status"] == "missing");

        let left: Vec<u8> = packed(&other, &other);
        for (what, body) in [
            ("no line", vec![b'x'; 2_000]),
            ("no name", b"{}\nabc".to_vec()),
            ("cut in the bytes", left[..left.len() - 1].to_vec()),
            ("cut in the line", left[..20].to_vec()),
            ("too many", (0..101).flat_map(|it| packed(&[it], &[it])).collect()),
        ] {
            let refused = send(&admin, &batch, body).await?;
            ensure!(refused.status == 400, "{what}: {} {}", refused.status, refused.shown());
        }
        ensure!(status(&admin, &batch, &other).await?["status"] == "missing");
        ensure!(status(&admin, &batch, &[0]).await?["status"] == "missing", "a part was kept");

        let friend = admin.create_user("friend@example.com").await?;
        send(&friend, &batch, left.clone()).await?.expect(400)?;
        let key = admin.create_key(&["asset.read"]).await?;
        send(&key, &batch, left.clone()).await?.expect(403)?;
        admin.post(&format!("{batch}/close"), &json!({})).await?.expect(200)?;
        send(&admin, &batch, left).await?.expect(400)?;
        let tmp = std::fs::read_dir(server.data().join("tmp"))?;
        let names = tmp.map(|it| Ok(it?.file_name().to_string_lossy().into_owned()));
        let names = names.collect::<anyhow::Result<Vec<String>>>()?;
        ensure!(!names.iter().any(|name| name.starts_with("blob-")), "files are left: {names:?}");
        Ok(())
    })
    .await
}

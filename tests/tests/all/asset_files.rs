//! The files beside an original, one by one: listed, sent, deleted, and made again.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use calotype_tests::client::WORK_LIMIT;
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, story};
use serde_json::{Value, json};

const PHOTO: &str = "photos/nature/prairie_falcon.jpg";

/// The files of an asset by their words for kinds.
async fn files(owner: &Client, asset: &str) -> anyhow::Result<Vec<Value>> {
    let files = owner.get_json(&format!("/api/asset-files?assetId={asset}")).await?;
    Ok(files.as_array().context("no list of files")?.clone())
}

fn kinds(files: &[Value]) -> Vec<&str> {
    files.iter().filter_map(|file| file["type"].as_str()).collect()
}

fn id_of<'a>(files: &'a [Value], kind: &str) -> anyhow::Result<&'a str> {
    let file = files.iter().find(|file| file["type"] == kind);
    file.and_then(|file| file["id"].as_str()).with_context(|| format!("no {kind} in {files:?}"))
}

#[tokio::test]
async fn files_beside_an_original_are_listed_sent_deleted_and_made_again() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let asset = owner.upload_file(&media(PHOTO)?).await?;
        let words = json!({ "description": "A falcon" });
        owner.put(&format!("/api/assets/{asset}"), &words).await?.expect(200)?;
        owner.wait_until_idle().await?;
        let all = files(&owner, &asset).await?;
        ensure!(kinds(&all) == ["preview", "thumbnail", "sidecar"], "{all:?}");
        ensure!(all[0]["isEdited"] == false && all[0]["isProgressive"] == false, "{all:?}");

        let (preview, sidecar) = (id_of(&all, "preview")?, id_of(&all, "sidecar")?);
        let path = format!("/api/asset-files/{preview}");
        ensure!(owner.get_json(&path).await? == all[0], "told otherwise alone");
        let sent = owner.get(&format!("{path}/download")).await?.expect(200)?;
        let shown = owner.get(&format!("/api/assets/{asset}/thumbnail?size=preview")).await?;
        ensure!(sent.body == shown.expect(200)?.body, "another picture");
        let xmp = owner.get(&format!("/api/asset-files/{sidecar}/download")).await?.expect(200)?;
        ensure!(String::from_utf8_lossy(&xmp.body).contains("A falcon"), "{}", xmp.shown());

        // By kind, and over all of the caller's.
        let found = owner.get_json("/api/asset-files?type=sidecar").await?;
        ensure!(found == json!([all[2]]), "{found}");
        let none = owner.get_json("/api/asset-files?isEdited=true").await?;
        ensure!(none == json!([]), "{none}");
        let bad = owner.get("/api/asset-files?type=none").await?.expect(400)?;
        ensure!(
            bad.json()?["errors"][0]["message"]
                == "Invalid option: expected one of \"fullsize\"|\"preview\"|\"thumbnail\"|\"sidecar\"|\"encoded_video\"",
            "{}",
            bad.shown()
        );

        // Nobody else.
        let other = owner.create_user("other@example.com").await?;
        for path in [format!("{path}/download"), path.clone(), format!("/api/asset-files?assetId={asset}")] {
            other.get(&path).await?.expect(400)?;
            server.client().get(&path).await?.expect(401)?;
        }
        other.delete(&path, &json!({})).await?.expect(400)?;
        ensure!(other.get_json("/api/asset-files").await? == json!([]), "files of others");
        let reads = owner.create_key(&["asset.read"]).await?;
        reads.get(&path).await?.expect(200)?;
        reads.get(&format!("{path}/download")).await?.expect(403)?;
        reads.delete(&path, &json!({})).await?.expect(403)?;

        // Deleted, it is gone from the disk, and the asset goes without.
        let data = server.data();
        let lies = |area: &str, file: &Value| -> anyhow::Result<PathBuf> {
            let path = file["path"].as_str().context("no path")?;
            Ok(data.join(area).join(path.trim_start_matches("/data/")))
        };
        let (stored, beside) = (lies("derived", &all[0])?, lies("library", &all[2])?);
        ensure!(stored.is_file() && beside.is_file(), "{stored:?} or {beside:?} is missing");
        for id in [preview, sidecar] {
            owner.delete(&format!("/api/asset-files/{id}"), &json!({})).await?.expect(204)?;
            owner.get(&format!("/api/asset-files/{id}")).await?.expect(400)?;
        }
        owner.delete(&path, &json!({})).await?.expect(400)?;
        ensure!(kinds(&files(&owner, &asset).await?) == ["thumbnail"], "they are told");
        owner.get(&format!("/api/assets/{asset}/thumbnail?size=preview")).await?.expect(404)?;
        until("the files to be removed", WORK_LIMIT, async || {
            Ok((!stored.exists() && !beside.exists()).then_some(()))
        })
        .await?;
        let history = owner.history(&asset).await?;
        let told = history.iter().filter(|event| event["type"] == "AssetFileDeleted").count();
        ensure!(told == 2, "{history:?}");

        // What is missing is made again, under the same id; what is said from now on is written.
        let missing = json!({ "command": "start", "force": false });
        owner.put("/api/jobs/thumbnailGeneration", &missing).await?.expect(200)?;
        let words = json!({ "rating": 4 });
        owner.put(&format!("/api/assets/{asset}"), &words).await?.expect(200)?;
        owner.wait_until_idle().await?;
        let again = files(&owner, &asset).await?;
        ensure!(id_of(&again, "preview")? == preview && kinds(&again) == kinds(&all), "{again:?}");
        owner.get(&format!("{path}/download")).await?.expect(200)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn pictures_of_an_edited_photo_go_with_its_edits() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let asset = owner.upload_file(&media(PHOTO)?).await?;
        owner.wait_until_idle().await?;
        let edits = json!({ "edits": [{ "action": "rotate", "parameters": { "angle": 90 } }] });
        owner.put(&format!("/api/assets/{asset}/edits"), &edits).await?.expect(200)?;
        owner.wait_until_idle().await?;
        let edited =
            owner.get_json(&format!("/api/asset-files?assetId={asset}&isEdited=true")).await?;
        let edited = edited.as_array().context("no list")?;
        ensure!(kinds(edited) == ["fullsize", "preview", "thumbnail"], "{edited:?}");
        let path = format!("/api/asset-files/{}", id_of(edited, "preview")?);
        let refused = owner.delete(&path, &json!({})).await?.expect(400)?;
        ensure!(
            refused.message()? == "Pictures of an edited photo go with its edits",
            "{refused:?}"
        );
        owner.get(&format!("{path}/download")).await?.expect(200)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn pictures_say_how_they_are_written() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let plain = owner.upload_file(&media(PHOTO)?).await?;
        owner.wait_until_idle().await?;
        let mut config = owner.get_json("/api/system-config").await?;
        config["image"]["preview"]["progressive"] = json!(true);
        owner.put("/api/system-config", &config).await?.expect(200)?;
        let clear = owner.upload_file(&media("photos/edge/alpha_gradient.png")?).await?;
        owner.wait_until_idle().await?;

        let said = |files: &[Value]| -> Vec<(Value, Value, Value)> {
            let said = |file: &Value, name: &str| file[name].clone();
            let all = |file| {
                (said(file, "type"), said(file, "isProgressive"), said(file, "isTransparent"))
            };
            files.iter().map(all).collect()
        };
        let of = |kind: &str, progressive, transparent| {
            (json!(kind), json!(progressive), json!(transparent))
        };
        let plain = files(&owner, &plain).await?;
        let clear = files(&owner, &clear).await?;
        ensure!(
            said(&plain) == [of("preview", false, false), of("thumbnail", false, false)],
            "{plain:?}"
        );
        ensure!(
            said(&clear) == [of("preview", true, false), of("thumbnail", false, true)],
            "{clear:?}"
        );
        for (query, wanted) in [
            ("isProgressive=true", vec![&clear[0]]),
            ("isTransparent=true", vec![&clear[1]]),
            ("isTransparent=true&type=preview", vec![]),
            ("isProgressive=false&isTransparent=false", vec![&plain[0], &plain[1]]),
        ] {
            let found = owner.get_json(&format!("/api/asset-files?{query}")).await?;
            ensure!(found == json!(wanted), "{query}: {found}");
        }
        let path = format!("/api/asset-files/{}", id_of(&clear, "preview")?);
        ensure!(owner.get_json(&path).await? == clear[0], "told otherwise alone");
        Ok(())
    })
    .await
}

//! Archives: what is asked for, in that order, each under a name of its own, byte for byte.

use std::io::{Cursor, Read as _};

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::{Options, Upload, story};
use serde_json::json;
use zip::ZipArchive;

/// Names and bytes of an archive's entries, in its order.
pub(crate) fn entries(bytes: &[u8]) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).context("no archive")?;
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        ensure!(entry.compression() == zip::CompressionMethod::Stored, "compressed again");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        entries.push((entry.name()?.into_owned(), bytes));
    }
    Ok(entries)
}

#[tokio::test]
async fn archive_holds_what_was_asked_for_in_that_order() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let mut files = Vec::new();
        for path in [
            "photos/edge/rating_1.jpg",
            "photos/png/density_plot.png",
            "photos/edge/gps_south_west.jpg",
        ] {
            let mut upload = Upload::of(&media(path)?)?;
            "a.jpg".clone_into(&mut upload.name);
            if path.contains("png") {
                "b.png".clone_into(&mut upload.name);
            }
            files.push((admin.upload(&upload).await?, upload.bytes));
        }
        let ids: Vec<&str> = files.iter().map(|(id, _)| id.as_str()).rev().collect();

        let archive = admin.post("/api/download/archive", &json!({ "assetIds": ids })).await?;
        let archive = archive.expect(200)?;
        ensure!(archive.header("content-type") == "application/octet-stream", "another type");
        let found = entries(&archive.body)?;
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        ensure!(names == ["a.jpg", "b.png", "a+1.jpg"], "{names:?}");
        let same = found.iter().zip(files.iter().rev()).all(|(found, file)| found.1 == file.1);
        ensure!(same, "other bytes");

        let sizes: Vec<usize> = files.iter().rev().map(|(_, bytes)| bytes.len()).collect();
        let info = json!({ "assetIds": ids, "archiveSize": sizes[0] });
        let info = admin.post("/api/download/info", &info).await?.expect(201)?.json()?;
        ensure!(info["totalSize"] == json!(sizes.iter().sum::<usize>()), "{info}");
        ensure!(info["archives"][0]["assetIds"] == json!(&ids[..2]), "{info}");
        ensure!(info["archives"][1]["assetIds"] == json!(&ids[2..]), "{info}");
        let everything = json!({ "userId": admin.my_id().await? });
        let all = admin.post("/api/download/info", &everything).await?.expect(201)?.json()?;
        ensure!(
            all["archives"][0]["assetIds"].as_array().is_some_and(|ids| ids.len() == 3),
            "{all}"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn stranger_downloads_nothing() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        let stranger = admin.create_user("stranger@example.com").await?;
        let theirs = json!({ "userId": admin.my_id().await? });
        for (path, body, message) in [
            ("archive", json!({ "assetIds": [id] }), "Not found or no asset.download access"),
            ("info", json!({ "assetIds": [id] }), "Not found or no asset.download access"),
            ("info", theirs, "Not found or no timeline.download access"),
            ("info", json!({}), "assetIds, albumId, or userId is required"),
        ] {
            let answer = stranger.post(&format!("/api/download/{path}"), &body).await?;
            ensure!(answer.message()? == message, "{path}: {}", answer.shown());
        }
        let key = admin.create_key(&["asset.read"]).await?;
        key.post("/api/download/archive", &json!({ "assetIds": [id] })).await?.expect(403)?;
        let bad = admin.post("/api/download/archive", &json!({})).await?.expect(400)?.json()?;
        ensure!(bad["errors"][0]["path"] == json!(["assetIds"]), "{bad}");
        Ok(())
    })
    .await
}

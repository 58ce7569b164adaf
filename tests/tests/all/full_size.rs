//! Pictures at full size, and what becomes of pictures when the options for them change.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use calotype_tests::client::WORK_LIMIT;
use calotype_tests::jpeg::size;
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, story};
use serde_json::{Value, json};

const CONFIG: &str = "/api/system-config";
/// A picture that browsers do not show, and one that they do.
const HEIC: &str = "photos/heic/iphone_7_immich.heic";
const JPEG: &str = "photos/nature/prairie_falcon.jpg";

async fn set(admin: &Client, settings: &[(&str, Value)]) -> anyhow::Result<()> {
    let mut config = admin.get_json(CONFIG).await?;
    for (pointer, value) in settings {
        *config.pointer_mut(pointer).with_context(|| format!("no {pointer}"))? = value.clone();
    }
    admin.put(CONFIG, &config).await?.expect(200).map(drop)
}

/// The pictures of an asset on the disk.
fn pictures(folder: PathBuf, asset: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let is_of_it =
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(asset));
            if path.is_dir() {
                folders.push(path);
            } else if is_of_it {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

#[tokio::test]
async fn full_size_is_made_where_browsers_need_it_and_options_leave_nothing_behind()
-> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let asset = admin.upload_file(&media(HEIC)?).await?;
        let shown = admin.upload_file(&media(JPEG)?).await?;
        admin.wait_until_idle().await?;
        let path = |asset: &str| format!("/api/assets/{asset}/thumbnail?size=fullsize");
        let moved = admin.get(&path(&asset)).await?.expect(302)?;
        ensure!(moved.header("location") == "thumbnail?size=preview", "{moved:?}");

        set(
            &admin,
            &[("/image/fullsize/enabled", json!(true)), ("/image/preview/size", json!(720))],
        )
        .await?;
        let all = json!({ "command": "start", "force": true });
        admin.put("/api/jobs/thumbnailGeneration", &all).await?.expect(200)?;
        until("a picture at full size", WORK_LIMIT, async || {
            Ok((admin.get(&path(&asset)).await?.status == 200).then_some(()))
        })
        .await?;
        let full = admin.get(&path(&asset)).await?.expect(200)?;
        ensure!(full.header("content-type") == "image/jpeg", "{full:?}");
        let info = admin.get_json(&format!("/api/assets/{asset}")).await?;
        let sides = size(&full.body).map(|(width, height)| json!([width, height]));
        ensure!(sides == Some(json!([info["width"], info["height"]])), "{sides:?} of {info}");
        let moved = admin.get(&path(&shown)).await?.expect(302)?;
        ensure!(moved.header("location") == "original?", "{moved:?}");
        let preview = format!("/api/assets/{shown}/thumbnail?size=preview");
        until("a smaller preview", WORK_LIMIT, async || {
            let (width, height) = size(&admin.get(&preview).await?.body).unwrap_or_default();
            Ok((width.max(height) == 720).then_some(()))
        })
        .await?;
        let folder = server.scratch().join("data/derived");
        until("former pictures to be removed", WORK_LIMIT, async || {
            let counts =
                (pictures(folder.clone(), &asset)?.len(), pictures(folder.clone(), &shown)?.len());
            Ok((counts == (3, 2)).then_some(()))
        })
        .await?;

        set(&admin, &[("/image/fullsize/enabled", json!(false))]).await?;
        let again = json!({ "assetIds": [asset], "name": "regenerate-thumbnail" });
        admin.post("/api/assets/jobs", &again).await?.expect(204)?;
        until("only two pictures", WORK_LIMIT, async || {
            Ok((pictures(folder.clone(), &asset)?.len() == 2).then_some(()))
        })
        .await?;
        admin.get(&path(&asset)).await?.expect(302)?;
        Ok(())
    })
    .await
}

//! Live photos: a still and its film are shown as one.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, Upload, story};
use serde_json::{Value, json};

/// How long putting two halves together may take on a busy machine.
const TOGETHER_MAX: Duration = Duration::from_secs(60);

async fn asset(client: &Client, id: &str) -> anyhow::Result<Value> {
    client.get_json(&format!("/api/assets/{id}")).await
}

/// The film of a still, when the queues are empty.
async fn film_of(admin: &Client, client: &Client, still: &str) -> anyhow::Result<String> {
    admin.wait_until_idle().await?;
    let still = asset(client, still).await?;
    still["livePhotoVideoId"].as_str().map(str::to_owned).context("it has no film")
}

#[tokio::test]
async fn people_link_films_and_unlink_them() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user("friend@example.com").await?;
        let still = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        let film = admin.upload_file(&media("photos/live/IMG_4711.MOV")?).await?;
        let theirs = friend.upload_file(&media("photos/live/IMG_4711.MOV")?).await?;
        admin.wait_until_idle().await?;
        let path = format!("/api/assets/{still}");
        let link = |film: &str| json!({ "livePhotoVideoId": film });

        let refused = admin.put(&path, &link(&still)).await?.expect(400)?;
        ensure!(refused.message()?.contains("photo"), "{}", refused.shown());
        let refused = admin.put(&path, &link(&theirs)).await?.expect(400)?;
        ensure!(refused.message()? == "Live photo video does not belong to the user");
        let refused = friend.put(&path, &link(&theirs)).await?.expect(400)?;
        ensure!(refused.message()? == "Not found or no asset.update access");
        admin.anonymous().put(&path, &link(&film)).await?.expect(401)?;

        let linked = admin.put(&path, &link(&film)).await?.expect(200)?.json()?;
        ensure!(linked["livePhotoVideoId"] == film, "{linked}");
        ensure!(asset(&admin, &film).await?["visibility"] == "hidden");
        ensure!(admin.timeline("").await? == [still.clone()], "the film is on the timeline");
        let counts = admin.get_json("/api/assets/statistics").await?;
        ensure!(counts == json!({ "images": 1, "videos": 0, "total": 1 }), "{counts}");
        let events = admin.history(&still).await?.len();
        admin.put(&path, &link(&film)).await?.expect(200)?;
        ensure!(admin.history(&still).await?.len() == events, "linked twice");

        // Behind the PIN and back, the film is where its still is.
        let unlinked = admin.put(&path, &json!({ "livePhotoVideoId": null })).await?;
        let unlinked = unlinked.expect(200)?.json()?;
        ensure!(unlinked["livePhotoVideoId"].is_null(), "{unlinked}");
        ensure!(asset(&admin, &film).await?["visibility"] == "timeline");
        ensure!(admin.timeline("").await?.len() == 2, "the film shows by itself again");
        admin.put(&path, &json!({ "livePhotoVideoId": null })).await?.expect(200)?;

        // A film that is deleted for good belongs to no still.
        admin.put(&path, &link(&film)).await?.expect(200)?;
        let gone = json!({ "ids": [film], "force": true });
        admin.delete("/api/assets", &gone).await?.expect(204)?;
        until("the still to be by itself", TOGETHER_MAX, async || {
            let still = asset(&admin, &still).await?;
            Ok(still["livePhotoVideoId"].is_null().then_some(()))
        })
        .await
    })
    .await
}

#[tokio::test]
async fn halves_with_one_identifier_find_each_other() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        // The film first, then two stills, of which one carries another identifier.
        let film = admin.upload_file(&media("photos/live/IMG_4711.MOV")?).await?;
        let other = admin.upload_file(&media("photos/live/mismatch/IMG_4711.JPG")?).await?;
        admin.wait_until_idle().await?;
        let still = admin.upload_file(&media("photos/live/IMG_4711.JPG")?).await?;
        ensure!(film_of(&admin, &admin, &still).await? == film);
        ensure!(asset(&admin, &film).await?["visibility"] == "hidden");
        ensure!(asset(&admin, &other).await?["livePhotoVideoId"].is_null());

        // The still first.
        let friend = admin.create_user("friend@example.com").await?;
        let still = friend.upload_file(&media("photos/live/heic/IMG_4711.HEIC")?).await?;
        admin.wait_until_idle().await?;
        let film = friend.upload_file(&media("photos/live/heic/IMG_4711.MOV")?).await?;
        ensure!(film_of(&admin, &friend, &still).await? == film);

        // What a person took apart stays apart when the files are read again.
        let apart = json!({ "livePhotoVideoId": null });
        friend.put(&format!("/api/assets/{still}"), &apart).await?.expect(200)?;
        let again = json!({ "assetIds": [still, film], "name": "refresh-metadata" });
        friend.post("/api/assets/jobs", &again).await?.expect(204)?;
        admin.wait_until_idle().await?;
        ensure!(asset(&friend, &still).await?["livePhotoVideoId"].is_null());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn films_are_taken_out_of_motion_photos_byte_by_byte() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let google = media("photos/motion/PXL_20230501_100000123.MP.jpg")?;
        let still = admin.upload_file(&google).await?;
        let film = film_of(&admin, &admin, &still).await?;
        let bytes = std::fs::read(&google)?;
        let inside = bytes.get(bytes.len() - 34_107..).context("the sample is shorter")?;
        let original = admin.get(&format!("/api/assets/{film}/original")).await?.expect(200)?;
        ensure!(original.body == inside, "the film is not what was inside");
        let shown = asset(&admin, &film).await?;
        ensure!(shown["visibility"] == "hidden" && shown["type"] == "VIDEO", "{shown}");
        ensure!(shown["originalFileName"] == "PXL_20230501_100000123.MP.mp4", "{shown}");
        let path = shown["originalPath"].as_str().unwrap_or_default();
        ensure!(path.ends_with(&format!("{film}-MP.mp4")), "{shown}");

        // The same film in another container is the same asset.
        let older = media("photos/motion/MVIMG_20190301_101112.jpg")?;
        let older = admin.upload_file(&older).await?;
        ensure!(film_of(&admin, &admin, &older).await? == film);
        let samsung = media("photos/motion/20230501_120000.jpg")?;
        let samsung = admin.upload_file(&samsung).await?;
        ensure!(film_of(&admin, &admin, &samsung).await? == film);
        let heic = media("photos/heic/samsung_s22_motion_photo.heic")?;
        let heic = admin.upload_file(&heic).await?;
        let film_of_heic = film_of(&admin, &admin, &heic).await?;
        let its = asset(&admin, &film_of_heic).await?;
        ensure!(its["exifInfo"]["fileSizeInByte"] == 3_226_469, "{its}");

        // What only says that there is a film is a picture like others.
        for name in ["motion_flag_but_no_video.jpg", "motion_wrong_length.jpg"] {
            let plain = admin.upload_file(&media(&format!("photos/motion/{name}"))?).await?;
            admin.wait_until_idle().await?;
            ensure!(asset(&admin, &plain).await?["livePhotoVideoId"].is_null(), "{name}");
        }

        // The film goes with the last of its stills.
        for (still, left) in [(still, 200), (older, 200), (samsung, 400)] {
            let gone = json!({ "ids": [still], "force": true });
            admin.delete("/api/assets", &gone).await?.expect(204)?;
            admin.get(&format!("/api/assets/{film}")).await?.expect(left)?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn films_of_motion_photos_are_downloaded_on_wish() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let path = media("photos/motion/PXL_20230501_100000123.MP.jpg")?;
        let still = admin.upload(&Upload::of(&path)?).await?;
        film_of(&admin, &admin, &still).await?;
        let info = json!({ "assetIds": [still] });
        let count = async || {
            let told = admin.post("/api/download/info", &info).await?.expect(201)?.json()?;
            let ids = told["archives"][0]["assetIds"].as_array().map_or(0, Vec::len);
            anyhow::Ok(ids)
        };
        ensure!(count().await? == 1, "without asking");
        let wish = json!({ "download": { "includeEmbeddedVideos": true } });
        admin.put("/api/users/me/preferences", &wish).await?.expect(200)?;
        ensure!(count().await? == 2, "on wish");
        Ok(())
    })
    .await
}

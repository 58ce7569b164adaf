//! What stands beside assets: programs' values, folders, copies, groups of duplicates.

use anyhow::ensure;
use calotype_tests::media::media;
use calotype_tests::{Client, Options, Upload, story};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::{pictures, text};

#[tokio::test]
async fn programs_keep_values_with_assets() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let ids = pictures(&admin, 2).await?;
        let path = format!("/api/assets/{}/metadata", ids[0]);
        ensure!(admin.get_json(&path).await? == json!([]), "values from nowhere");

        let items = json!({ "items": [
            { "key": "mobile-app", "value": { "iCloudId": "x" } }, { "key": "other", "value": {} },
        ] });
        let kept = admin.put(&path, &items).await?.expect(200)?.json()?;
        ensure!(kept.as_array().is_some_and(|kept| kept.len() == 2), "{kept}");
        ensure!(kept[0]["value"] == json!({ "iCloudId": "x" }), "{kept}");
        ensure!(kept[0]["updatedAt"].is_string(), "{kept}");
        let one = admin.get_json(&format!("{path}/mobile-app")).await?;
        ensure!(one == kept[0], "{one}");

        admin.delete(&format!("{path}/other"), &json!({})).await?.expect(204)?;
        let missing = admin.get(&format!("{path}/other")).await?.expect(400)?;
        ensure!(missing.message()?.contains("\"other\" not found"), "{}", missing.shown());

        let bulk = json!({ "items": [
            { "assetId": ids[0], "key": "k", "value": { "n": 1 } },
            { "assetId": ids[1], "key": "k", "value": { "n": 2 } },
        ] });
        let kept = admin.put("/api/assets/metadata", &bulk).await?.expect(200)?.json()?;
        ensure!(kept.as_array().is_some_and(|kept| kept.len() == 2), "{kept}");
        ensure!(kept[0]["assetId"].is_string(), "{kept}");
        let gone = json!({ "items": [{ "assetId": ids[1], "key": "k" }] });
        admin.delete("/api/assets/metadata", &gone).await?.expect(204)?;
        let left = admin.get_json(&format!("/api/assets/{}/metadata", ids[1])).await?;
        ensure!(left == json!([]), "{left}");
        let bad = json!({ "items": [{ "key": "k", "value": "text" }] });
        let bad = admin.put(&path, &bad).await?.expect(400)?.json()?;
        ensure!(bad["errors"][0]["path"] == json!(["items", 0, "value"]), "{bad}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn originals_are_found_by_folder() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let ids = pictures(&admin, 2).await?;
        let asset = admin.get_json(&format!("/api/assets/{}", ids[0])).await?;
        let original = text(&asset, "originalPath")?;
        let folder = original.rsplit_once('/').map_or("", |(folder, _)| folder);
        let folders = admin.get_json("/api/view/folder/unique-paths").await?;
        ensure!(
            folders.as_array().is_some_and(|all| all.iter().any(|one| one == folder)),
            "{folders}"
        );
        let inside = admin.get_json(&format!("/api/view/folder?path={folder}")).await?;
        ensure!(
            inside.as_array().is_some_and(|all| all.iter().any(|one| one["id"] == ids[0])),
            "{inside}"
        );
        admin.delete("/api/assets", &json!({ "ids": ids })).await?.expect(204)?;
        ensure!(
            admin.get_json("/api/view/folder/unique-paths").await? == json!([]),
            "folders left"
        );
        admin.get("/api/view/folder").await?.expect(400).map(drop)
    })
    .await
}

#[tokio::test]
async fn what_people_did_is_copied_to_another_asset() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let ids = pictures(&admin, 3).await?;
        let picture = Upload::of(&media("photos/edge/rating_1.jpg")?)?;
        let bytes = calotype_tests::jpeg::with_comment(&picture.bytes, "with a sidecar");
        let sidecar = concat!(
            r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF "#,
            r#"xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description "#,
            r#"xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>"#
        );
        let form = Form::new()
            .text("fileCreatedAt", "2024-01-02T03:04:05.000Z")
            .text("fileModifiedAt", "2024-01-02T03:04:05.000Z")
            .part("sidecarData", Part::bytes(sidecar.as_bytes()).file_name("x.jpg.xmp"))
            .part("assetData", Part::bytes(bytes).file_name("x.jpg"));
        let request = admin.request(Method::POST, "/api/assets").multipart(form);
        let source = text(&admin.send(request).await?.expect(201)?.json()?, "id")?;
        admin.wait_until_idle().await?;
        let favorite = json!({ "isFavorite": true });
        admin.put(&format!("/api/assets/{source}"), &favorite).await?.expect(200)?;
        let stack = json!({ "assetIds": [source, ids[0]] });
        let stack = text(&admin.post("/api/stacks", &stack).await?.expect(201)?.json()?, "id")?;
        let album = json!({ "albumName": "Mine", "assetIds": [source] });
        let album = text(&admin.post("/api/albums", &album).await?.expect(201)?.json()?, "id")?;
        // An album of somebody else, in which the caller only looks.
        let friend = admin.create_user("friend@example.com").await?;
        let me = json!([{ "userId": admin.my_id().await?, "role": "editor" }]);
        let theirs = json!({ "albumName": "Theirs", "albumUsers": me });
        let theirs = text(&friend.post("/api/albums", &theirs).await?.expect(201)?.json()?, "id")?;
        let put = format!("/api/albums/{theirs}/assets");
        admin.put(&put, &json!({ "ids": [source] })).await?.expect(200)?;
        let role = format!("/api/albums/{theirs}/user/{}", admin.my_id().await?);
        friend.put(&role, &json!({ "role": "viewer" })).await?.expect(204)?;
        let link = json!({ "type": "INDIVIDUAL", "assetIds": [source] });
        let key = text(&admin.post("/api/shared-links", &link).await?.expect(201)?.json()?, "key")?;

        let same = json!({ "sourceId": source, "targetId": source });
        admin.put("/api/assets/copy", &same).await?.expect(400)?;
        let wish = json!({ "sourceId": source, "targetId": ids[1] });
        admin.put("/api/assets/copy", &wish).await?.expect(204)?;
        admin.wait_until_idle().await?;
        let target = admin.get_json(&format!("/api/assets/{}", ids[1])).await?;
        ensure!(target["isFavorite"] == true, "{target}");
        ensure!(target["stack"]["id"] == stack && target["stack"]["assetCount"] == 3, "{target}");
        ensure!(target["exifInfo"]["rating"] == 4, "the sidecar was not read: {target}");
        ensure!(admin.get_json(&format!("/api/albums/{album}")).await?["assetCount"] == 2);
        ensure!(admin.get_json(&format!("/api/albums/{theirs}")).await?["assetCount"] == 1);
        let seen = format!("/api/assets/{}?key={key}", ids[1]);
        admin.anonymous().get(&seen).await?.expect(200)?;

        let nothing = json!({ "sourceId": source, "targetId": ids[2], "favorite": false,
            "stack": false, "sidecar": false, "albums": false, "sharedLinks": false });
        admin.put("/api/assets/copy", &nothing).await?.expect(204)?;
        let target = admin.get_json(&format!("/api/assets/{}", ids[2])).await?;
        ensure!(target["isFavorite"] == false && target["stack"].is_null(), "{target}");
        ensure!(admin.get_json(&format!("/api/albums/{album}")).await?["assetCount"] == 2);
        let refused = friend.put("/api/assets/copy", &wish).await?.expect(400)?;
        ensure!(refused.message()? == "Not found or no asset.copy access");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn duplicates_are_resolved_into_the_one_that_is_kept() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let ids = pictures(&admin, 5).await?;
        admin.wait_until_idle().await?;
        let group = "0b7d0a1e-3c11-4a5b-9d1c-6f1a2b3c4d5e";
        let other = "1b7d0a1e-3c11-4a5b-9d1c-6f1a2b3c4d5e";
        let put = async |ids: &[String], group: &Value| {
            let body = json!({ "ids": ids, "duplicateId": group });
            admin.put("/api/assets", &body).await?.expect(204).map(drop)
        };
        put(&ids[..3], &json!(group)).await?;
        put(&ids[3..], &json!(other)).await?;
        let found = admin.get_json("/api/duplicates").await?;
        ensure!(found.as_array().is_some_and(|found| found.len() == 2), "{found}");
        ensure!(
            found[0]["suggestedKeepAssetIds"].as_array().is_some_and(|one| one.len() == 1),
            "{found}"
        );
        let asset = admin.get_json(&format!("/api/assets/{}", ids[0])).await?;
        ensure!(asset["duplicateId"] == group, "{asset}");

        let words = json!({ "isFavorite": true, "description": "from the other", "rating": 5 });
        admin.put(&format!("/api/assets/{}", ids[1]), &words).await?.expect(200)?;
        let tags = admin.put("/api/tags", &json!({ "tags": ["twice"] })).await?.json()?;
        let path = format!("/api/tags/{}/assets", text(&tags[0], "id")?);
        admin.put(&path, &json!({ "ids": [ids[2]] })).await?.expect(200)?;
        let album = json!({ "albumName": "Of the others", "assetIds": [ids[1], ids[3]] });
        let album = text(&admin.post("/api/albums", &album).await?.expect(201)?.json()?, "id")?;
        let wish = json!({ "groups": [
            // What is not in the group does not count.
            { "duplicateId": group, "keepAssetIds": [ids[0], ids[4]],
              "trashAssetIds": [ids[1], ids[2], ids[3]] },
            { "duplicateId": other, "keepAssetIds": [ids[3]], "trashAssetIds": [] },
            { "duplicateId": "2b7d0a1e-3c11-4a5b-9d1c-6f1a2b3c4d5e",
              "keepAssetIds": [], "trashAssetIds": [] },
        ] });
        let told = admin.post("/api/duplicates/resolve", &wish).await?.expect(200)?.json()?;
        ensure!(told[0] == json!({ "id": group, "success": true }), "{told}");
        ensure!(told[1]["error"] == "validation" && told[1]["errorMessage"].is_string(), "{told}");
        ensure!(told[2]["error"] == "not_found", "{told}");
        let kept = admin.get_json(&format!("/api/assets/{}", ids[0])).await?;
        ensure!(kept["isFavorite"] == true && kept["duplicateId"].is_null(), "{kept}");
        ensure!(kept["exifInfo"]["rating"] == 5, "{kept}");
        ensure!(text(&kept["exifInfo"], "description")?.ends_with("from the other"), "{kept}");
        ensure!(kept["tags"][0]["value"] == "twice", "{kept}");
        let mut inside = admin.timeline(&format!("albumId={album}")).await?;
        inside.sort();
        let mut wanted = vec![ids[0].clone(), ids[3].clone()];
        wanted.sort();
        ensure!(inside == wanted, "the album holds {inside:?}");
        ensure!(admin.timeline("isTrashed=true").await?.len() == 2, "not in the trash");

        admin.delete(&format!("/api/duplicates/{other}"), &json!({})).await?.expect(204)?;
        ensure!(admin.get_json("/api/duplicates").await? == json!([]), "groups are left");
        put(&ids[3..], &json!(other)).await?;
        admin.delete("/api/duplicates", &json!({ "ids": [other] })).await?.expect(204)?;
        ensure!(admin.get_json("/api/duplicates").await? == json!([]), "groups are left");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn without_a_trash_the_duplicates_that_are_not_kept_are_gone() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let ids = pictures(&admin, 2).await?;
        admin.wait_until_idle().await?;
        let mut config = admin.get_json("/api/system-config").await?;
        config["trash"]["enabled"] = json!(false);
        admin.put("/api/system-config", &config).await?.expect(200)?;
        let group = "0b7d0a1e-3c11-4a5b-9d1c-6f1a2b3c4d5e";
        let put = json!({ "ids": ids, "duplicateId": group });
        admin.put("/api/assets", &put).await?.expect(204)?;
        let favorite = json!({ "isFavorite": true });
        admin.put(&format!("/api/assets/{}", ids[1]), &favorite).await?.expect(200)?;

        let wish = json!({ "groups": [
            { "duplicateId": group, "keepAssetIds": [ids[0]], "trashAssetIds": [ids[1]] },
        ] });
        let told = admin.post("/api/duplicates/resolve", &wish).await?.expect(200)?.json()?;

        ensure!(told == json!([{ "id": group, "success": true }]), "{told}");
        let kept = admin.get_json(&format!("/api/assets/{}", ids[0])).await?;
        ensure!(kept["isFavorite"] == true && kept["duplicateId"].is_null(), "{kept}");
        admin.get(&format!("/api/assets/{}", ids[1])).await?.expect(400)?;
        ensure!(admin.timeline("isTrashed=true").await?.is_empty(), "it waits in the trash");
        ensure!(admin.timeline("").await? == [ids[0].clone()]);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn duplicates_behind_the_pin_are_not_deleted_by_who_did_not_give_it() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let ids = pictures(&admin, 2).await?;
        let group = "0b7d0a1e-3c11-4a5b-9d1c-6f1a2b3c4d5e";
        let put = json!({ "ids": ids, "duplicateId": group });
        admin.put("/api/assets", &put).await?.expect(204)?;
        let locked = json!({ "visibility": "locked" });
        admin.put(&format!("/api/assets/{}", ids[1]), &locked).await?.expect(200)?;
        for (keep, trash, message) in [
            (&ids[0], &ids[1], "No permission to delete assets"),
            (&ids[1], &ids[0], "No permission to update assets"),
        ] {
            let wish = json!({ "groups": [
                { "duplicateId": group, "keepAssetIds": [keep], "trashAssetIds": [trash] },
            ] });
            let told = admin.post("/api/duplicates/resolve", &wish).await?.expect(200)?.json()?;
            ensure!(told[0]["error"] == "no_permission", "{told}");
            ensure!(told[0]["errorMessage"] == message, "{told}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn dates_of_many_move_together_in_one_command() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let ids = pictures(&admin, 3).await?;
        admin.wait_until_idle().await?;
        let before = admin.get_json(&format!("/api/assets/{}", ids[0])).await?;
        let later = json!({ "ids": ids, "dateTimeRelative": 90, "isFavorite": true });
        admin.put("/api/assets", &later).await?.expect(204)?;
        let mut requests = Vec::new();
        for id in &ids {
            let asset = admin.get_json(&format!("/api/assets/{id}")).await?;
            ensure!(asset["isFavorite"] == true, "{asset}");
            let moved = admin.history(id).await?;
            let moved = moved.iter().rfind(|event| event["type"] == "AssetDateChanged");
            let moved = moved.map(|event| event["recordedAt"].clone());
            requests.push(moved.unwrap_or_default());
        }
        ensure!(requests.iter().all(|one| one == &requests[0]), "{requests:?}");
        let after = admin.get_json(&format!("/api/assets/{}", ids[0])).await?;
        let instant = |asset: &Value| -> anyhow::Result<chrono::DateTime<chrono::Utc>> {
            Ok(text(asset, "fileCreatedAt")?.parse()?)
        };
        ensure!((instant(&after)? - instant(&before)?).num_minutes() == 90, "{after}");
        let zone = json!({ "ids": ids, "timeZone": "Europe/Berlin" });
        admin.put("/api/assets", &zone).await?.expect(204)?;
        let there = admin.get_json(&format!("/api/assets/{}", ids[1])).await?;
        ensure!(there["exifInfo"]["timeZone"] == "Europe/Berlin", "{there}");
        ensure!(instant(&there)? == instant(&after)?, "the instant moved: {there}");

        // Without an offset it is the time on the clock that the asset is known to be on.
        let wall_clock = json!({ "ids": ids, "dateTimeOriginal": "2020-07-01T12:00:00" });
        admin.put("/api/assets", &wall_clock).await?.expect(204)?;
        let there = admin.get_json(&format!("/api/assets/{}", ids[2])).await?;
        ensure!(there["fileCreatedAt"] == "2020-07-01T10:00:00.000Z", "{there}");
        ensure!(there["localDateTime"] == "2020-07-01T12:00:00.000Z", "{there}");
        let day = json!({ "dateTimeOriginal": "2020-01-01" });
        let there = admin.put(&format!("/api/assets/{}", ids[0]), &day).await?.expect(200)?;
        let there = there.json()?;
        ensure!(there["fileCreatedAt"] == "2019-12-31T23:00:00.000Z", "{there}");
        ensure!(there["exifInfo"]["timeZone"] == "Europe/Berlin", "{there}");
        let nonsense = json!({ "dateTimeOriginal": "yesterday" });
        admin.put(&format!("/api/assets/{}", ids[0]), &nonsense).await?.expect(400)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_locked_leaves_its_albums() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let owner = server.client().sign_up().await?;
        let friend = owner.create_user("friend@example.com").await?;
        let ids = pictures(&owner, 3).await?;
        let album = async |client: &Client, asset_ids: &[String], with: &Client| {
            let with = json!([{ "userId": with.my_id().await?, "role": "editor" }]);
            let body = json!({ "albumName": "A", "assetIds": asset_ids, "albumUsers": with });
            text(&client.post("/api/albums", &body).await?.expect(201)?.json()?, "id")
        };
        let mine = album(&owner, &ids, &friend).await?;
        let theirs = album(&friend, &[], &owner).await?;
        let put = format!("/api/albums/{theirs}/assets");
        owner.put(&put, &json!({ "ids": [ids[0]] })).await?.expect(200)?;
        friend.get(&format!("/api/assets/{}", ids[0])).await?.expect(200)?;

        let locked = json!({ "visibility": "locked" });
        owner.put(&format!("/api/assets/{}", ids[0]), &locked).await?.expect(200)?;
        friend.get(&format!("/api/assets/{}", ids[0])).await?.expect(400)?;
        ensure!(owner.get_json(&format!("/api/albums/{mine}")).await?["assetCount"] == 2);
        ensure!(friend.get_json(&format!("/api/albums/{theirs}")).await?["assetCount"] == 0);
        for album in [&mine, &theirs] {
            let told = owner.get_json(&format!("/api/calotype/albums/{album}/history")).await?;
            ensure!(told.to_string().contains("1 asset taken out"), "{told}");
        }
        let many = json!({ "ids": ids[1..], "visibility": "locked" });
        owner.put("/api/assets", &many).await?.expect(204)?;
        ensure!(owner.get_json(&format!("/api/albums/{mine}")).await?["assetCount"] == 0);
        Ok(())
    })
    .await
}

//! Memories: made by the server once for each day and year, and by people.

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, Upload, story};
use serde_json::{Value, json};

use super::{pictures, text};

/// Uploads a picture without dates of its own that was made on this day of another year.
async fn upload_of(client: &Client, made: &str) -> anyhow::Result<String> {
    let picture = Upload::of(&media("photos/edge/date_blank.jpg")?)?;
    let mut upload = Upload::new(
        &format!("{made}.jpg"),
        calotype_tests::jpeg::with_comment(&picture.bytes, made),
    );
    for (name, value) in &mut upload.fields {
        if name == "fileCreatedAt" || name == "fileModifiedAt" {
            made.clone_into(value);
        }
    }
    client.upload(&upload).await
}

#[tokio::test]
async fn the_server_remembers_a_day_once() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        // The server's own day, by what it says of an upload.
        let [probe] = pictures(&admin, 1).await?.try_into().ok().context("one picture")?;
        let now = text(&admin.get_json(&format!("/api/assets/{probe}")).await?, "createdAt")?;
        let (year, rest) = now.split_once('-').context("no year")?;
        let (day, _) = rest.split_once('T').context("no day")?;
        // A leap day has fewer years to look back on.
        let day = if day == "02-29" { "02-28" } else { day };
        let year: i32 = year.parse()?;
        let mut of_last_year = Vec::new();
        for hour in [9, 10] {
            let made = format!("{}-{day}T{hour:02}:00:00.000Z", year - 1);
            of_last_year.push(upload_of(&admin, &made).await?);
        }
        upload_of(&admin, &format!("{}-{day}T09:00:00.000Z", year - 4)).await?;
        admin.wait_until_idle().await?;

        admin.post("/api/jobs", &json!({ "name": "memory-create" })).await?.expect(204)?;
        let memories = until("memories", calotype_tests::client::WORK_LIMIT, async || {
            let memories = admin.get_json("/api/memories").await?;
            Ok((memories.as_array().is_some_and(|all| all.len() >= 2)).then_some(memories))
        })
        .await?;
        ensure!(memories[0]["data"] == json!({ "year": year - 1 }), "{memories}");
        let shown: Vec<&Value> =
            memories[0]["assets"].as_array().into_iter().flatten().map(|one| &one["id"]).collect();
        ensure!(shown == [&json!(of_last_year[1]), &json!(of_last_year[0])], "{shown:?}");
        let found = admin.get_json(&format!("/api/memories?for={year}-{day}&order=asc")).await?;
        ensure!(found[0]["data"] == json!({ "year": year - 4 }), "{found}");
        let total = admin.get_json("/api/memories/statistics").await?;
        ensure!(total == json!({ "total": 2 }), "{total}");
        let none = admin.get_json("/api/memories?for=1999-01-01").await?;
        ensure!(none == json!([]), "{none}");

        // Deleted once is deleted for good; asking again makes nothing new.
        let gone = format!("/api/memories/{}", text(&memories[0], "id")?);
        admin.delete(&gone, &json!({})).await?.expect(204)?;
        admin.post("/api/jobs", &json!({ "name": "memory-create" })).await?.expect(204)?;
        // A later job of the same queue is done after it.
        admin.put("/api/tags", &json!({ "tags": ["empty/one"] })).await?.expect(200)?;
        admin.post("/api/jobs", &json!({ "name": "tag-cleanup" })).await?.expect(204)?;
        until("empty tags to be removed", calotype_tests::client::WORK_LIMIT, async || {
            Ok((admin.get_json("/api/tags").await? == json!([])).then_some(()))
        })
        .await?;
        let left = admin.get_json("/api/memories").await?;
        ensure!(left.as_array().is_some_and(|left| left.len() == 1), "{left}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn people_make_keep_and_change_memories() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let friend = admin.create_user("friend@example.com").await?;
        let ids = pictures(&admin, 3).await?;
        let theirs = pictures(&friend, 1).await?;
        let wish = json!({
            "type": "on_this_day", "data": { "year": 2021 },
            "memoryAt": "2021-06-01T00:00:00.000Z", "assetIds": [ids[0], theirs[0]],
        });
        let memory = admin.post("/api/memories", &wish).await?.expect(201)?.json()?;
        ensure!(memory["memoryAt"] == "2021-06-01T00:00:00.000Z", "{memory}");
        ensure!(memory["assets"].as_array().is_some_and(|all| all.len() == 1), "{memory}");
        ensure!(memory.get("seenAt").is_none() && memory["isSaved"] == false, "{memory}");
        let path = format!("/api/memories/{}", text(&memory, "id")?);

        let change = json!({ "isSaved": true, "seenAt": "2026-01-01T00:00:00.000Z" });
        let changed = admin.put(&path, &change).await?.expect(200)?.json()?;
        ensure!(changed["isSaved"] == true, "{changed}");
        ensure!(changed["seenAt"] == "2026-01-01T00:00:00.000Z", "{changed}");
        let saved = admin.get_json("/api/memories?isSaved=true").await?;
        ensure!(saved.as_array().is_some_and(|saved| saved.len() == 1), "{saved}");
        ensure!(admin.get_json("/api/memories?isSaved=false").await? == json!([]), "not saved");

        let asked = json!({ "ids": [ids[0], ids[1], theirs[0]] });
        let told = admin.put(&format!("{path}/assets"), &asked).await?.expect(200)?.json()?;
        ensure!(
            told == json!([
                { "id": ids[0], "success": false, "error": "duplicate" },
                { "id": ids[1], "success": true },
                { "id": theirs[0], "success": false, "error": "no_permission" },
            ]),
            "{told}"
        );
        let told = admin
            .delete(&format!("{path}/assets"), &json!({ "ids": [ids[0], ids[2]] }))
            .await?
            .expect(200)?
            .json()?;
        ensure!(told[0]["success"] == true && told[1]["error"] == "not_found", "{told}");
        friend.get(&path).await?.expect(400)?;
        let bad = admin.get("/api/memories?for=today").await?.expect(400)?.json()?;
        ensure!(bad["message"] == "Validation failed", "{bad}");
        admin.delete(&path, &json!({})).await?.expect(204)?;
        admin.get(&path).await?.expect(400).map(drop)
    })
    .await
}

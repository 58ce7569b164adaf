//! People and stacks that a commit speaks of.

use anyhow::{Context as _, ensure};
use calotype_tests::{Client, Options, story};
use serde_json::{Value, json};

use super::batches::{File, commit, file, open, said, send};
use super::count;

/// Sends and commits files; says their assets, in their order.
async fn take_in(
    admin: &Client,
    batch: &str,
    files: &[(&File, Value)],
    stacks: Value,
) -> anyhow::Result<Vec<String>> {
    for (file, _) in files {
        send(admin, batch, file).await?.expect(204)?;
    }
    let said: Vec<Value> = files.iter().map(|(file, more)| said(file, more)).collect();
    let wish = json!({ "files": said, "stacks": stacks });
    let first = commit(admin, batch, &wish).await?.expect(200)?.json()?;
    let again = commit(admin, batch, &wish).await?.expect(200)?.json()?;
    ensure!(first == again, "{again} is not {first}");
    let told = first["files"].as_array().context("no files")?;
    told.iter().map(|it| Ok(it["assetId"].as_str().context("no asset")?.to_owned())).collect()
}

#[tokio::test]
async fn people_of_a_commit_are_made_once_and_stand_on_their_photos() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let batch = open(&admin, "one").await?;
        let files = [file(1)?, file(2)?, file(3)?];
        let face = json!({ "left": 0.25, "top": 0.5, "right": 0.5, "bottom": 1,
                           "imageWidth": 200, "imageHeight": 100 });
        let with = |people: Value| json!({ "people": people });
        let first = with(json!([{ "name": "Anna", "face": face }, { "name": "Béla" }]));
        let there = [(&files[0], first), (&files[1], with(json!([{ "name": "anna" }])))];
        let ids = take_in(&admin, &batch, &there, json!([])).await?;
        let later = [(&files[2], with(json!([{ "name": "ANNA" }])))];
        let later = take_in(&admin, &batch, &later, json!([])).await?;

        let people = admin.get_json("/api/people").await?;
        let mut names: Vec<&str> = people["people"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|it| it["name"].as_str())
            .collect();
        names.sort_unstable();
        ensure!(names == ["Anna", "Béla"], "{people}");
        let faces = admin.get_json(&format!("/api/faces?id={}", ids[0])).await?;
        let drawn =
            faces.as_array().into_iter().flatten().find(|it| it["person"]["name"] == "Anna");
        let drawn = drawn.with_context(|| format!("no face: {faces}"))?;
        ensure!(drawn["boundingBoxX1"] == 50 && drawn["boundingBoxX2"] == 100, "{drawn}");
        ensure!(drawn["boundingBoxY1"] == 50 && drawn["boundingBoxY2"] == 100, "{drawn}");
        for id in [&ids[1], &later[0]] {
            let asset = admin.get_json(&format!("/api/assets/{id}")).await?;
            ensure!(asset["people"][0]["name"] == "Anna", "{asset}");
        }

        // Edges out of order, and a name that is none.
        let wrong = json!({ "left": 0.5, "top": 0.5, "right": 0.25, "bottom": 1 });
        for people in [json!([{ "name": "Anna", "face": wrong }]), json!([{ "name": "" }])] {
            let wish = json!({ "files": [said(&files[0], &with(people))] });
            commit(&admin, &batch, &wish).await?.expect(400)?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn stack_of_a_batch_grows_and_goes_when_the_batch_is_taken_back() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let batch = open(&admin, "one").await?;
        let files = [file(1)?, file(2)?, file(3)?];
        let nothing = || json!({});
        let stack = |files: &[&File], primary: &File| {
            let sha1s: Vec<&str> = files.iter().map(|file| file.sha1.as_str()).collect();
            json!([{ "key": "s", "sha1s": sha1s, "primarySha1": primary.sha1 }])
        };
        let both = [(&files[0], nothing()), (&files[1], nothing())];
        let wish = stack(&[&files[0], &files[1]], &files[1]);
        let ids = take_in(&admin, &batch, &both, wish).await?;
        let stacks = admin.get_json("/api/stacks").await?;
        ensure!(stacks[0]["primaryAssetId"] == ids[1].as_str(), "{stacks}");

        let wish = stack(&[&files[0], &files[1], &files[2]], &files[2]);
        let later = take_in(&admin, &batch, &[(&files[2], nothing())], wish).await?;
        let stacks = admin.get_json("/api/stacks").await?;
        ensure!(stacks.as_array().map(Vec::len) == Some(1), "{stacks}");
        ensure!(stacks[0]["assets"].as_array().map(Vec::len) == Some(3), "{stacks}");
        ensure!(stacks[0]["primaryAssetId"] == later[0].as_str(), "{stacks}");

        let path = format!("{batch}/rollback");
        let told = admin.post(&path, &json!({ "preview": true })).await?.expect(200)?.json()?;
        ensure!(told["stackIds"] == json!([stacks[0]["id"]]), "{told}");
        let told = admin.post(&path, &json!({})).await?.expect(200)?.json()?;
        ensure!(told["assetIds"].as_array().map(Vec::len) == Some(3), "{told}");
        ensure!(count(&admin).await? == 0, "{told}");
        let stacks = admin.get_json("/api/stacks").await?;
        ensure!(stacks == json!([]), "{stacks}");
        let told = admin.post(&path, &json!({})).await?.expect(200)?.json()?;
        ensure!(told["leftAlone"] == json!([]), "what the rollback did counts as a change: {told}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn stack_that_somebody_changed_since_stays() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let batch = open(&admin, "one").await?;
        let files = [file(1)?, file(2)?];
        let both = [(&files[0], json!({})), (&files[1], json!({}))];
        let wish = json!([{ "key": "s", "sha1s": [files[0].sha1, files[1].sha1] }]);
        let mut twice = wish.clone();
        twice.as_array_mut().context("no list")?.push(wish[0].clone());
        let refused = json!({ "files": [said(&files[0], &json!({}))], "stacks": twice });
        commit(&admin, &batch, &refused).await?.expect(400)?;
        let ids = take_in(&admin, &batch, &both, wish).await?;
        let stacks = admin.get_json("/api/stacks").await?;
        let path = format!("/api/stacks/{}", stacks[0]["id"].as_str().context("no stack")?);
        let other = json!({ "primaryAssetId": ids[1] });
        admin.put(&path, &other).await?.expect(200)?;
        let told =
            admin.post(&format!("{batch}/rollback"), &json!({})).await?.expect(200)?.json()?;
        ensure!(told["stackIds"] == json!([]), "{told}");
        ensure!(admin.get(&path).await?.expect(200)?.json()?["primaryAssetId"] == ids[1].as_str());
        Ok(())
    })
    .await
}

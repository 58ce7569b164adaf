//! All faces compared anew: proposed, told in numbers, agreed to or not, and never against what people said.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, story};
use reqwest::Method;
use serde_json::{Value, json};

/// How long something is waited for that takes models.
const WAIT: Duration = Duration::from_secs(120);
const RECOGNITION: &str = "/api/jobs/facialRecognition";
pub(crate) const PATH: &str = "/api/calotype/people/reclustering";

pub(crate) fn options(arguments: &[&str]) -> Options {
    let arguments = arguments.iter().copied().map(str::to_owned).collect();
    Options { models: true, arguments, ..Options::default() }
}

async fn order(admin: &Client, command: &str, force: bool) -> anyhow::Result<()> {
    let body = json!({ "command": command, "force": force });
    admin.put(RECOGNITION, &body).await?.expect(200).map(drop)
}

/// Uploads photos whose faces are left nobody's.
pub(crate) async fn nobodys(admin: &Client, files: &[&str]) -> anyhow::Result<Vec<String>> {
    order(admin, "pause", false).await?;
    let mut photos = Vec::new();
    for file in files {
        photos.push(admin.upload_file(&media(&format!("faces/{file}"))?).await?);
    }
    until("faces of nobody", WAIT, async || {
        let queues = admin.get_json("/api/jobs").await?;
        let counts = &queues["facialRecognition"]["jobCounts"];
        Ok((counts["paused"] == files.len() && counts["waiting"] == 0).then_some(()))
    })
    .await?;
    order(admin, "empty", false).await?;
    until("an empty queue", WAIT, async || {
        let queues = admin.get_json("/api/jobs").await?;
        Ok((queues["facialRecognition"]["jobCounts"]["paused"] == 0).then_some(()))
    })
    .await?;
    order(admin, "resume", false).await?;
    admin.wait_until_idle().await?;
    Ok(photos)
}

/// Whose the first face of each photo is.
pub(crate) async fn told(admin: &Client, photos: &[String]) -> anyhow::Result<Vec<Option<String>>> {
    let mut told = Vec::new();
    for photo in photos {
        let face = &faces_on(admin, photo).await?[0];
        told.push(face["person"]["id"].as_str().map(str::to_owned));
    }
    Ok(told)
}

pub(crate) async fn faces_on(admin: &Client, photo: &str) -> anyhow::Result<Vec<Value>> {
    let faces = admin.get_json(&format!("/api/faces?id={photo}")).await?;
    let faces = faces.as_array().cloned().context("no list of faces")?;
    ensure!(!faces.is_empty(), "no face on {photo}");
    Ok(faces)
}

pub(crate) async fn in_state(admin: &Client, state: &str) -> anyhow::Result<Value> {
    until(&format!("a proposal that is {state}"), WAIT, async || {
        let answer = admin.get(PATH).await?;
        let told = if answer.status == 200 { answer.json()? } else { Value::Null };
        Ok((told["state"] == state).then_some(told))
    })
    .await
}

/// Begins a proposal and waits until it is made.
pub(crate) async fn proposed(admin: &Client) -> anyhow::Result<Value> {
    let begun = admin.post(PATH, &json!({})).await?.expect(201)?.json()?;
    ensure!(begun["state"] == "comparing" && begun["faces"].is_null(), "{begun}");
    let made = in_state(admin, "proposed").await?;
    ensure!(made["id"] == begun["id"], "{made}");
    Ok(made)
}

pub(crate) async fn change(admin: &Client, proposal: &Value, status: u16) -> anyhow::Result<Value> {
    let id = proposal["id"].as_str().context("no id")?;
    admin.post(&format!("{PATH}/{id}/apply"), &json!({})).await?.expect(status)?.json()
}

async fn discard(admin: &Client, proposal: &Value, status: u16) -> anyhow::Result<()> {
    let id = proposal["id"].as_str().context("no id")?;
    admin.delete(&format!("{PATH}/{id}"), &json!({})).await?.expect(status).map(drop)
}

#[tokio::test]
async fn groups_are_proposed_and_count_when_somebody_agrees() -> anyhow::Result<()> {
    story(options(&[]), async |server| {
        let admin = server.client().sign_up().await?;
        admin.get(PATH).await?.expect(404)?;
        let files = ["obama_1.jpg", "obama_2.jpg", "obama_3.jpg"];
        let photos = nobodys(&admin, &files).await?;
        ensure!(told(&admin, &photos).await? == [None, None, None], "somebody is there");

        let first = proposed(&admin).await?;
        let faces = &first["faces"];
        ensure!(faces["compared"] == 3 && faces["joined"] == 3, "{first}");
        ensure!(faces["moved"] == 0 && faces["newPeople"] == 1, "{first}");
        ensure!(faces["faces"].as_array().map(Vec::len) == Some(3), "{first}");
        ensure!(told(&admin, &photos).await? == [None, None, None], "it was not asked for");
        ensure_only_administrators(&admin, &first).await?;

        discard(&admin, &first, 204).await?;
        in_state(&admin, "discarded").await?;
        change(&admin, &first, 409).await?;
        ensure!(told(&admin, &photos).await? == [None, None, None], "it was discarded");

        // What people say after it was compared stands above it.
        let second = proposed(&admin).await?;
        change(&admin, &first, 404).await?;
        let somebody =
            admin.post("/api/people", &json!({ "name": "Somebody" })).await?.expect(201)?;
        let somebody = somebody.json()?["id"].as_str().context("no id")?.to_owned();
        let face = faces_on(&admin, &photos[2]).await?[0]["id"].clone();
        admin.put(&format!("/api/faces/{somebody}"), &json!({ "id": face })).await?.expect(200)?;
        change(&admin, &second, 200).await?;
        let applied = in_state(&admin, "applied").await?;
        ensure!(applied["appliedAt"].is_string(), "{applied}");
        let now = told(&admin, &photos).await?;
        ensure!(now[2] == Some(somebody.clone()), "what somebody said is {now:?}");
        let person = now[0].clone().context("nobody")?;
        ensure!(now[..2].iter().all(|it| it.as_ref() == Some(&person)), "{now:?}");
        ensure!(person != somebody, "two are one: {now:?}");
        change(&admin, &second, 200).await?;
        discard(&admin, &second, 409).await?;
        Ok(())
    })
    .await
}

/// Nobody else hears of faces, or changes them.
async fn ensure_only_administrators(admin: &Client, proposal: &Value) -> anyhow::Result<()> {
    let own = format!("{PATH}/{}", proposal["id"].as_str().context("no id")?);
    let user = admin.create_user("user@example.com").await?;
    for (method, path) in [
        (Method::GET, PATH.to_owned()),
        (Method::POST, PATH.to_owned()),
        (Method::POST, format!("{own}/apply")),
        (Method::DELETE, own),
    ] {
        for (client, status) in [(&admin.anonymous(), 401), (&user, 403)] {
            let answer = client.call(method.clone(), &path, &json!({})).await?;
            ensure!(answer.status == status, "{method} {path}: {}", answer.shown());
        }
    }
    Ok(())
}

#[tokio::test]
async fn forced_run_waits_for_somebody_where_that_is_the_policy() -> anyhow::Result<()> {
    story(options(&["--reclustering", "propose"]), async |server| {
        let admin = server.client().sign_up().await?;
        let photos = nobodys(&admin, &["obama_1.jpg", "obama_2.jpg", "obama_3.jpg"]).await?;
        order(&admin, "start", true).await?;
        admin.wait_until_idle().await?;
        let made = in_state(&admin, "proposed").await?;
        ensure!(made["faces"]["newPeople"] == 1, "{made}");
        ensure!(told(&admin, &photos).await? == [None, None, None], "nobody agreed");
        change(&admin, &made, 200).await?;
        in_state(&admin, "applied").await?;
        let now: BTreeSet<Option<String>> = told(&admin, &photos).await?.into_iter().collect();
        ensure!(now.len() == 1 && !now.contains(&None), "{now:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn face_that_is_not_somebodys_goes_to_the_next_whom_it_is_like() -> anyhow::Result<()> {
    story(options(&[]), async |server| {
        let admin = server.client().sign_up().await?;
        let files = [
            "obama_1.jpg",
            "obama_2.jpg",
            "obama_3.jpg",
            "family1_dad_1.jpg",
            "family1_dad_2.jpg",
            "family1_dad_3.jpg",
        ];
        let photos = nobodys(&admin, &files).await?;
        order(&admin, "start", true).await?;
        admin.wait_until_idle().await?;
        let whose = told(&admin, &photos).await?;
        let (obama, dad) =
            (whose[0].clone().context("nobody")?, whose[3].clone().context("nobody")?);
        ensure!(obama != dad, "two are one: {whose:?}");
        for (id, name) in [(&obama, "Barack"), (&dad, "Dad")] {
            admin.put(&format!("/api/people/{id}"), &json!({ "name": name })).await?.expect(200)?;
        }
        // Somebody says that it is another one's, who is removed: it is nobody's, and still not the first one's.
        let other = admin.post("/api/people", &json!({ "name": "Other" })).await?.expect(201)?;
        let other = other.json()?["id"].as_str().context("no id")?.to_owned();
        let face = faces_on(&admin, &photos[0]).await?[0]["id"].clone();
        admin.put(&format!("/api/faces/{other}"), &json!({ "id": face })).await?.expect(200)?;
        admin.delete(&format!("/api/people/{other}"), &json!({})).await?.expect(204)?;
        // All faces are like all others.
        let mut config = admin.get_json("/api/system-config").await?;
        config["machineLearning"]["facialRecognition"]["maxDistance"] = json!(2.0);
        admin.put("/api/system-config", &config).await?.expect(200)?;
        order(&admin, "start", true).await?;
        admin.wait_until_idle().await?;
        let now = told(&admin, &photos).await?;
        ensure!(now[0] == Some(dad.clone()), "the face is {:?}, of {obama} and {dad}", now[0]);
        ensure!(now[1..] == whose[1..], "others moved: {now:?}, before {whose:?}");
        Ok(())
    })
    .await
}

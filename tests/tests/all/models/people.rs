//! What people said of faces stays, whichever model is in use.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::models::another;
use calotype_tests::{Client, Options, story};
use serde_json::{Value, json};

use super::{diff, switch, tried};

const TASK: &str = "facialRecognition";
const FILES: [&str; 13] = [
    "obama_1.jpg",
    "obama_2.jpg",
    "obama_3.jpg",
    "family1_dad_1.jpg",
    "family1_dad_2.jpg",
    "family1_dad_3.jpg",
    "family1_mom_1.jpg",
    "family1_mom_2.jpg",
    "family1_all_on_beach.jpg",
    "family1_daughter_1.jpg",
    "family1_daughter_2.jpg",
    "family1_daughter_3.jpg",
    "obama_5_small.jpg",
];

/// Whose the faces of each photo are: by photo, by face.
type Told = BTreeMap<String, BTreeMap<String, Option<String>>>;

async fn faces_on(admin: &Client, photo: &str) -> anyhow::Result<Vec<Value>> {
    let faces = admin.get_json(&format!("/api/faces?id={photo}")).await?;
    faces.as_array().cloned().context("no list of faces")
}

async fn told(admin: &Client, photos: &[String]) -> anyhow::Result<Told> {
    let mut told = Told::new();
    for photo in photos {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let faces = faces_on(admin, photo)
            .await?
            .into_iter()
            .filter_map(|face| Some((text(&face["id"])?, text(&face["person"]["id"]))));
        told.insert(photo.clone(), faces.collect());
    }
    Ok(told)
}

/// Everybody whom somebody named, with all that people said of them.
async fn named(admin: &Client) -> anyhow::Result<BTreeMap<String, Value>> {
    let people = admin.get_json("/api/people?withHidden=true").await?;
    let named = people["people"].as_array().into_iter().flatten().filter(|it| it["name"] != "");
    let mut all = BTreeMap::new();
    for person in named {
        let mut person = person.clone();
        for name in ["updatedAt", "thumbnailPath"] {
            person[name].take();
        }
        all.insert(person["id"].as_str().context("no id")?.to_owned(), person);
    }
    Ok(all)
}

/// What people said, and where.
struct Said {
    photos: Vec<String>,
    obama: String,
    mom: String,
    /// Of the father's: said to be the mother's.
    moved: (String, String),
    /// Of the father's: said to be no face.
    removed: String,
    /// Found, and said not to be whose the others with it are.
    rejected: (String, String),
    /// Drawn by hand.
    drawn: (String, String),
    /// Merged into the father.
    merged: String,
    dad: String,
}

#[tokio::test]
async fn what_people_said_stays_over_try_diff_switch_and_rollback() -> anyhow::Result<()> {
    story(Options { models: true, ..Options::default() }, async |server| {
        let files = ["recognition/model.onnx"];
        another(&server.data(), "facial-recognition/yunet-sface", "other", &files)?;
        let admin = server.client().sign_up().await?;
        let said = say(&admin).await?;
        let (faces, people) = (told(&admin, &said.photos).await?, named(&admin).await?);
        ensure_said(&admin, &said).await.context("before")?;

        let trial = tried(&admin, TASK, "other").await?;
        ensure!(trial["tried"] == said.photos.len() && trial["missing"] == 0, "{trial}");
        ensure!(told(&admin, &said.photos).await? == faces, "a trial moved a face");
        ensure!(named(&admin).await? == people, "a trial changed a person");
        let proposed = diff(&admin, json!({ "task": TASK, "examples": 1000 })).await?;
        let compared = proposed["faces"]["compared"].as_u64().unwrap_or_default();
        let moved = proposed["faces"]["faces"].as_array().map_or(0, Vec::len);
        ensure!(compared >= 8 && moved > 0, "nothing would change: {proposed}");

        switch(&admin, "switch", TASK).await?;
        ensure_said(&admin, &said).await.context("after the switch")?;
        ensure_as_proposed(&admin, &proposed).await?;
        let (now, who) = (told(&admin, &said.photos).await?, named(&admin).await?);
        ensure_rebuilt(&admin, &said, &now).await?;
        for (id, person) in &people {
            let after = who.get(id).with_context(|| format!("{person} is gone"))?;
            for word in ["name", "birthDate", "isHidden", "isFavorite"] {
                ensure!(after[word] == person[word], "{word} of {person} is {after}");
            }
        }

        switch(&admin, "rollback", TASK).await?;
        ensure_said(&admin, &said).await.context("after the way back")?;
        let back = told(&admin, &said.photos).await?;
        ensure!(back == faces, "the way back tells {back:?}, before {faces:?}");
        ensure!(named(&admin).await? == people, "the way back tells of other people");
        ensure_rebuilt(&admin, &said, &back).await
    })
    .await
}

/// Uploads photos, lets faces be found, and says something of every kind about them.
async fn say(admin: &Client) -> anyhow::Result<Said> {
    let mut photos = Vec::new();
    for file in FILES {
        photos.push(admin.upload_file(&media(&format!("faces/{file}"))?).await?);
    }
    admin.wait_until_idle().await?;
    let force = json!({ "command": "start", "force": true });
    admin.put("/api/jobs/facialRecognition", &force).await?.expect(200)?;
    admin.wait_until_idle().await?;
    let whose = told(admin, &photos).await?;
    let person = |at: usize| -> anyhow::Result<String> {
        whose[&photos[at]].values().next().cloned().flatten().context("nobody on a photo")
    };
    let (obama, dad, mom) = (person(0)?, person(3)?, person(6)?);
    for (id, body) in [
        (&obama, json!({ "name": "Barack", "birthDate": "1961-08-04", "isHidden": true })),
        (&dad, json!({ "name": "Dad", "isFavorite": true, "featureFaceAssetId": photos[5] })),
        (&mom, json!({ "name": "Mom" })),
    ] {
        admin.put(&format!("/api/people/{id}"), &body).await?.expect(200)?;
    }
    let face_on = async |photo: &str| -> anyhow::Result<String> {
        let faces = faces_on(admin, photo).await?;
        faces[0]["id"].as_str().map(str::to_owned).context("no face")
    };
    let moved = (photos[3].clone(), face_on(&photos[3]).await?);
    let body = json!({ "id": moved.1 });
    admin.put(&format!("/api/faces/{mom}"), &body).await?.expect(200)?;
    let removed = photos[4].clone();
    let face = face_on(&removed).await?;
    admin.delete(&format!("/api/faces/{face}"), &json!({ "force": false })).await?.expect(204)?;
    let rejected = (photos[1].clone(), face_on(&photos[1]).await?);
    let path = format!("/api/calotype/people/{obama}/faces/{}", rejected.1);
    admin.delete(&path, &json!({})).await?.expect(204)?;
    let made = admin.post("/api/people", &json!({ "name": "Father" })).await?.expect(201)?;
    let merged = made.json()?["id"].as_str().context("no id")?.to_owned();
    let face = json!({
        "assetId": photos[0], "personId": merged, "imageWidth": 100, "imageHeight": 100,
        "x": 1, "y": 1, "width": 8, "height": 8,
    });
    admin.post("/api/faces", &face).await?.expect(201)?;
    admin
        .post(&format!("/api/people/{dad}/merge"), &json!({ "ids": [merged] }))
        .await?
        .expect(200)?;
    admin.wait_until_idle().await?;
    let on_first = told(admin, &photos[..1]).await?;
    let drawn = on_first[&photos[0]].iter().find(|(_, person)| person.as_ref() == Some(&dad));
    let drawn = (photos[0].clone(), drawn.context("no drawn face")?.0.clone());
    Ok(Said { photos, obama, mom, moved, removed, rejected, drawn, merged, dad })
}

async fn ensure_said(admin: &Client, said: &Said) -> anyhow::Result<()> {
    let now = told(admin, &said.photos).await?;
    let of = |place: &(String, String)| now[&place.0].get(&place.1).cloned().flatten();
    ensure!(of(&said.moved).as_ref() == Some(&said.mom), "who was moved is {:?}", of(&said.moved));
    ensure!(of(&said.rejected).as_ref() != Some(&said.obama), "who was rejected is back");
    ensure!(of(&said.drawn).as_ref() == Some(&said.dad), "a drawn face is {:?}", of(&said.drawn));
    ensure!(now[&said.removed].is_empty(), "what is no face is one: {:?}", now[&said.removed]);
    let everybody = now.values().flat_map(BTreeMap::values).flatten();
    ensure!(everybody.clone().all(|person| *person != said.merged), "who was merged is back");
    let obama = admin.get_json(&format!("/api/people/{}", said.obama)).await?;
    ensure!(
        obama["name"] == "Barack"
            && obama["birthDate"] == "1961-08-04"
            && obama["isHidden"] == true,
        "{obama}"
    );
    ensure!(admin.get(&format!("/api/people/{}", said.merged)).await?.status == 400, "not merged");
    Ok(())
}

/// Every face that was told whose it would be is theirs.
async fn ensure_as_proposed(admin: &Client, proposed: &Value) -> anyhow::Result<()> {
    for face in proposed["faces"]["faces"].as_array().into_iter().flatten() {
        let photo = face["assetId"].as_str().context("no photo")?;
        let there = faces_on(admin, photo).await?;
        let own = there.iter().find(|it| it["id"] == face["id"]);
        let whose = own.map(|face| face["person"]["id"].clone()).unwrap_or_default();
        if face["afterPersonId"].is_string() {
            ensure!(whose == face["afterPersonId"], "{face} is {whose}");
        }
        if face["newPerson"].is_number() {
            ensure!(whose.is_string() && whose != face["beforePersonId"], "{face} is {whose}");
        }
    }
    Ok(())
}

async fn ensure_rebuilt(admin: &Client, said: &Said, now: &Told) -> anyhow::Result<()> {
    for name in ["people", "face_vectors", "models"] {
        let path = format!("/api/calotype/projections/{name}/rebuild");
        admin.post(&path, &json!({})).await?.expect(200)?;
    }
    let again = told(admin, &said.photos).await?;
    ensure!(again == *now, "a rebuild tells {again:?}, not {now:?}");
    Ok(())
}

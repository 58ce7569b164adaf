//! Faces from uploads to people, with the models that are brought along and the photos of people whose names are
//! known.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context as _, ensure};
use calotype_tests::jpeg::size as size_of_jpeg;
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, story};
use serde_json::{Value, json};

const RECOGNITION: &str = "/api/jobs/facialRecognition";
const DETECTION: &str = "/api/jobs/faceDetection";

/// Photos with one face, by whose it is, and those with several.
struct Album {
    /// By asset: whose face it is.
    single: BTreeMap<String, String>,
    /// The photo of the whole family.
    family: String,
}

fn models() -> Options {
    Options { models: true, ..Options::default() }
}

/// Uploads the labelled photos.
async fn upload_all(admin: &Client) -> anyhow::Result<Album> {
    let labels = std::fs::read_to_string(media("faces/labels.csv")?)?;
    let mut files: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for line in labels.lines().skip(1) {
        let mut cells = line.split(',');
        let (Some(file), Some(person), Some(count)) = (cells.next(), cells.next(), cells.next())
        else {
            continue;
        };
        files.entry(file).or_default().push((person, count));
    }
    let mut album = Album { single: BTreeMap::new(), family: String::new() };
    for (file, people) in files {
        let id = admin.upload_file(&media(file)?).await.with_context(|| file.to_owned())?;
        if file.ends_with("family1_all_on_beach.jpg") {
            album.family = id;
        } else if let [(person, "1")] = people.as_slice() {
            album.single.insert(id, (*person).to_owned());
        }
    }
    Ok(album)
}

async fn start(admin: &Client, queue: &str, force: bool) -> anyhow::Result<()> {
    admin.put(queue, &json!({ "command": "start", "force": force })).await?.expect(200)?;
    admin.wait_until_idle().await
}

/// The people of each asset, by face; `None` for a face of nobody.
async fn people_on(admin: &Client, asset_id: &str) -> anyhow::Result<Vec<Option<String>>> {
    let faces = admin.get_json(&format!("/api/faces?id={asset_id}")).await?;
    let person = |face: &Value| face["person"]["id"].as_str().map(str::to_owned);
    Ok(faces.as_array().context("no list of faces")?.iter().map(person).collect())
}

/// Whose each photo with one face is said to be.
async fn told(admin: &Client, album: &Album) -> anyhow::Result<BTreeMap<String, Option<String>>> {
    let mut told = BTreeMap::new();
    for asset_id in album.single.keys() {
        let people = people_on(admin, asset_id).await?;
        told.insert(asset_id.clone(), people.first().cloned().flatten());
    }
    Ok(told)
}

/// Of all pairs of photos: those told to show one person that do, and those that do that are told so. People of
/// whom there are fewer than three faces are nobody, and that is right.
fn precision_and_recall(album: &Album, told: &BTreeMap<String, Option<String>>) -> (f64, f64) {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for person in album.single.values() {
        *counts.entry(person).or_default() += 1;
    }
    let all: Vec<(&String, &String)> = album.single.iter().collect();
    let (mut right, mut said, mut true_pairs) = (0_u32, 0_u32, 0_u32);
    for (at, (one, person)) in all.iter().enumerate() {
        for (other, other_person) in &all[at + 1..] {
            let is_said = told[*one].is_some() && told[*one] == told[*other];
            // The photo of the whole family shows each of its people once more.
            let others = usize::from(person.starts_with("family1_"));
            let is_true = person == other_person && counts[person.as_str()] + others >= 3;
            said += u32::from(is_said);
            true_pairs += u32::from(is_true);
            right += u32::from(is_said && person == other_person);
        }
    }
    (f64::from(right) / f64::from(said.max(1)), f64::from(right) / f64::from(true_pairs.max(1)))
}

#[tokio::test]
async fn people_are_told_apart_and_what_is_said_of_them_stays() -> anyhow::Result<()> {
    story(models(), async |server| {
        let admin = server.client().sign_up().await?;
        let features = admin.get_json("/api/server/features").await?;
        ensure!(features["facialRecognition"] == true, "{features}");
        let album = upload_all(&admin).await?;
        admin.wait_until_idle().await?;

        let first = told(&admin, &album).await?;
        let (precision, recall) = precision_and_recall(&album, &first);
        // Who is near enough to become a person depends on the order in which photos were done.
        ensure!(
            precision >= 0.95 && recall > 0.0,
            "one by one: precision {precision}, recall {recall}: {first:?}"
        );
        start(&admin, RECOGNITION, true).await?;
        let again = told(&admin, &album).await?;
        let (precision, recall) = precision_and_recall(&album, &again);
        ensure!(
            precision >= 0.95 && recall >= 0.95,
            "all at once: precision {precision}, recall {recall}: {again:?}"
        );
        start(&admin, RECOGNITION, true).await?;
        let once_more = told(&admin, &album).await?;
        ensure!(once_more == again, "another run tells {once_more:?}, not {again:?}");
        ensure_family(&admin, &album, &again).await?;
        ensure_what_people_say_stays(&admin, server, &album).await
    })
    .await
}

/// On the photo of the family are the four people whose own photos there are.
async fn ensure_family(
    admin: &Client,
    album: &Album,
    told: &BTreeMap<String, Option<String>>,
) -> anyhow::Result<()> {
    let on_beach: BTreeSet<String> =
        people_on(admin, &album.family).await?.into_iter().flatten().collect();
    let family = album.single.iter().filter(|(_, person)| person.starts_with("family1_"));
    let known: BTreeSet<String> = family.filter_map(|(id, _)| told[id].clone()).collect();
    ensure!(on_beach == known && known.len() == 4, "on the beach {on_beach:?}, known {known:?}");
    let shown = admin.get_json(&format!("/api/assets/{}", album.family)).await?;
    let people = shown["people"].as_array().context("no people")?;
    ensure!(people.len() == 4, "{shown}");
    Ok(())
}

fn of<'a>(album: &'a Album, person: &str) -> Vec<&'a String> {
    album.single.iter().filter(|(_, it)| *it == person).map(|(id, _)| id).collect()
}

async fn ensure_what_people_say_stays(
    admin: &Client,
    server: &mut TestServer,
    album: &Album,
) -> anyhow::Result<()> {
    let before = told(admin, album).await?;
    let person_of = |name: &str| -> anyhow::Result<String> {
        let first = of(album, name).first().copied().context("no photo")?;
        before[first].clone().context("nobody on a photo")
    };
    let (obama, dad, mom) =
        (person_of("barack_obama")?, person_of("family1_dad")?, person_of("family1_mom")?);
    let picture = admin.get(&format!("/api/people/{obama}/thumbnail")).await?.expect(200)?;
    ensure!(size_of_jpeg(&picture.body) == Some((250, 250)), "another size");
    for (id, name) in [(&obama, "Barack"), (&dad, "Dad"), (&mom, "Mom")] {
        admin.put(&format!("/api/people/{id}"), &json!({ "name": name })).await?.expect(200)?;
    }
    // One of the father's faces is said to be the mother's, another to be no face.
    let fathers = of(album, "family1_dad");
    let (moved, removed) = (fathers[0], fathers[1]);
    let face_on = async |asset_id: &str| -> anyhow::Result<String> {
        let faces = admin.get_json(&format!("/api/faces?id={asset_id}")).await?;
        faces[0]["id"].as_str().map(str::to_owned).context("no face")
    };
    let body = json!({ "id": face_on(moved).await? });
    admin.put(&format!("/api/faces/{mom}"), &body).await?.expect(200)?;
    let face = face_on(removed).await?;
    admin.delete(&format!("/api/faces/{face}"), &json!({ "force": false })).await?.expect(204)?;

    let look = async || -> anyhow::Result<(BTreeMap<String, Option<String>>, Value)> {
        Ok((told(admin, album).await?, admin.get_json("/api/people").await?))
    };
    let (told_before, people_before) = look().await?;
    ensure!(told_before[moved].as_ref() == Some(&mom) && told_before[removed].is_none());
    for queue in [RECOGNITION, DETECTION, RECOGNITION] {
        start(admin, queue, true).await?;
        let (told_after, people_after) = look().await?;
        ensure!(told_after == told_before, "after {queue}: {told_before:?}, {told_after:?}");
        let names = |list: &Value| -> Vec<(String, String)> {
            let of = |it: &Value| (it["id"].to_string(), it["name"].to_string());
            list["people"].as_array().into_iter().flatten().map(of).collect()
        };
        ensure!(names(&people_after) == names(&people_before), "{people_before} {people_after}");
    }
    for name in ["people", "face_vectors"] {
        let path = format!("/api/calotype/projections/{name}/rebuild");
        admin.post(&path, &json!({})).await?.expect(200)?;
    }
    let (told_after, _) = look().await?;
    ensure!(told_after == told_before, "a rebuild tells {told_after:?}");
    let _ = server;
    Ok(())
}

#[tokio::test]
async fn faces_wait_while_their_queues_are_paused_and_go_with_their_photos() -> anyhow::Result<()> {
    story(models(), async |server| {
        let admin = server.client().sign_up().await?;
        let order = async |queue: &str, command: &str| {
            let body = json!({ "command": command, "force": false });
            admin.put(queue, &body).await?.expect(200)?.json()
        };
        order(RECOGNITION, "pause").await?;
        let mut photos = Vec::new();
        for number in 1..=3 {
            let file = media(&format!("faces/obama_{number}.jpg"))?;
            photos.push(admin.upload_file(&file).await?);
        }
        until("faces of nobody", WAIT, async || {
            let queues = admin.get_json("/api/jobs").await?;
            let counts = &queues["facialRecognition"]["jobCounts"];
            Ok((counts["paused"] == 3 && counts["waiting"] == 0).then_some(()))
        })
        .await?;
        for photo in &photos {
            ensure!(people_on(&admin, photo).await? == [None], "somebody was recognised");
        }
        order(RECOGNITION, "resume").await?;
        admin.wait_until_idle().await?;
        let person = people_on(&admin, &photos[0]).await?[0].clone().context("nobody")?;
        let counted = admin.get_json(&format!("/api/people/{person}/statistics")).await?;
        ensure!(counted["assets"] == 3, "{counted}");

        // A photo that goes takes its face along; taken off the queue, faces stay nobody's until somebody asks.
        let gone = json!({ "ids": [photos[0]], "force": true });
        admin.delete("/api/assets", &gone).await?.expect(204)?;
        order(RECOGNITION, "pause").await?;
        photos[0] = admin.upload_file(&media("faces/obama_1.jpg")?).await?;
        until("a face of nobody", WAIT, async || {
            let queues = admin.get_json("/api/jobs").await?;
            let is_there = queues["facialRecognition"]["jobCounts"]["paused"] == 1;
            Ok(is_there.then_some(()))
        })
        .await?;
        order(RECOGNITION, "empty").await?;
        until("an empty queue", WAIT, async || {
            let queues = admin.get_json("/api/jobs").await?;
            let is_empty = queues["facialRecognition"]["jobCounts"]["paused"] == 0;
            Ok(is_empty.then_some(()))
        })
        .await?;
        order(RECOGNITION, "resume").await?;
        admin.wait_until_idle().await?;
        ensure!(people_on(&admin, &photos[0]).await? == [None], "it was recognised");
        start(&admin, RECOGNITION, false).await?;
        ensure!(people_on(&admin, &photos[0]).await? == [Some(person.clone())], "not recognised");

        let jobs = json!({ "assetIds": [photos[0]], "name": "refresh-faces" });
        admin.post("/api/assets/jobs", &jobs).await?.expect(204)?;
        admin.wait_until_idle().await?;
        let searched = admin.history(&photos[0]).await?;
        let searched = searched.iter().filter(|event| event["type"] == "AssetFacesSearched");
        ensure!(searched.count() == 2, "it was not searched again");
        ensure!(people_on(&admin, &photos[0]).await? == [Some(person)], "somebody else");
        Ok(())
    })
    .await
}

/// How long something is waited for that takes models.
const WAIT: std::time::Duration = std::time::Duration::from_secs(60);

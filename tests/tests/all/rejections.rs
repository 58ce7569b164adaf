//! What somebody said a face is not: not this person's, or no face at all. No later run says otherwise.

use anyhow::{Context as _, ensure};
use calotype_tests::binary;
use calotype_tests::{Client, TestServer, story};
use serde_json::json;

use crate::reclustering::{PATH, change, faces_on, in_state, nobodys, options, proposed, told};

const OBAMA: [&str; 3] = ["obama_1.jpg", "obama_2.jpg", "obama_3.jpg"];
const DAD: [&str; 3] = ["family1_dad_1.jpg", "family1_dad_2.jpg", "family1_dad_3.jpg"];
const MOM: [&str; 2] = ["family1_mom_1.jpg", "family1_mom_2.jpg"];

/// Whose each face is, by photo.
type Told = Vec<Option<String>>;

/// Starts a queue and waits until it is done.
async fn run(admin: &Client, queue: &str, force: bool) -> anyhow::Result<()> {
    let body = json!({ "command": "start", "force": force });
    admin.put(&format!("/api/jobs/{queue}"), &body).await?.expect(200)?;
    admin.wait_until_idle().await
}

async fn face_on(admin: &Client, photo: &str) -> anyhow::Result<String> {
    let face = &faces_on(admin, photo).await?[0]["id"];
    face.as_str().map(str::to_owned).context("a face without an id")
}

async fn name(admin: &Client, person: &str, name: &str) -> anyhow::Result<()> {
    let body = json!({ "name": name });
    admin.put(&format!("/api/people/{person}"), &body).await?.expect(200).map(drop)
}

fn path(person: &str, face: &str) -> String {
    format!("/api/calotype/people/{person}/faces/{face}")
}

/// Lets everything look again that may, and looks after each time.
async fn ensure_nothing_changes(
    admin: &Client,
    photos: &[String],
    faceless: &[String],
) -> anyhow::Result<()> {
    let before = told(admin, photos).await?;
    let ensure_same = async |after: &str| -> anyhow::Result<()> {
        let now = told(admin, photos).await?;
        ensure!(now == before, "{after}: {now:?}, not {before:?}");
        for photo in faceless {
            let faces = admin.get_json(&format!("/api/faces?id={photo}")).await?;
            ensure!(faces == json!([]), "{after}: a removed face is back: {faces}");
        }
        Ok(())
    };
    for (queue, force) in [
        ("facialRecognition", false),
        ("facialRecognition", true),
        ("faceDetection", true),
        ("facialRecognition", true),
    ] {
        run(admin, queue, force).await?;
        ensure_same(&format!("{queue}, forced: {force}")).await?;
    }
    let proposal = proposed(admin).await?;
    ensure_same("a proposal").await?;
    change(admin, &proposal, 200).await?;
    in_state(admin, "applied").await?;
    ensure_same("a proposal that was agreed to").await?;
    for name in ["people", "face_vectors"] {
        let path = format!("/api/calotype/projections/{name}/rebuild");
        admin.post(&path, &json!({})).await?.expect(200)?;
        ensure_same(&format!("a rebuild of {name}")).await?;
    }
    run(admin, "facialRecognition", true).await?;
    ensure_same("a run after the rebuild").await
}

#[tokio::test]
async fn what_is_not_somebodys_face_or_none_stays_so() -> anyhow::Result<()> {
    story(options(&[]), async |server| {
        let admin = server.client().sign_up().await?;
        let files = [&OBAMA[..], &DAD, &MOM].concat();
        let all = nobodys(&admin, &files).await?;
        let (photos, faceless) = all.split_at(OBAMA.len() + DAD.len());
        run(&admin, "facialRecognition", true).await?;
        let whose = told(&admin, photos).await?;
        let person = |at: usize| whose[at].clone().context("nobody");
        let (obama, dad) = (person(0)?, person(OBAMA.len())?);
        ensure!(obama != dad, "two are one: {whose:?}");
        name(&admin, &obama, "Barack").await?;
        name(&admin, &dad, "Dad").await?;

        let face = face_on(&admin, &photos[0]).await?;
        ensure_only_its_owner(&admin, &obama, &face).await?;
        ensure!(told(&admin, photos).await? == whose, "a stranger took a face");
        admin.delete(&path(&obama, &face), &json!({})).await?.expect(204)?;
        let mut expected: Told = whose.clone();
        expected[0] = None;
        ensure!(told(&admin, photos).await? == expected, "it is still somebody's");
        // Said again it is as true as before, and of others it is not said.
        admin.delete(&path(&obama, &face), &json!({})).await?.expect(204)?;
        for (photo, force) in faceless.iter().zip([false, true]) {
            let face = face_on(&admin, photo).await?;
            let body = json!({ "force": force });
            admin.delete(&format!("/api/faces/{face}"), &body).await?.expect(204)?;
        }
        ensure_nothing_changes(&admin, photos, faceless).await?;

        // Where all faces are like all others, it goes to the next.
        let mut config = admin.get_json("/api/system-config").await?;
        config["machineLearning"]["facialRecognition"]["maxDistance"] = json!(2.0);
        admin.put("/api/system-config", &config).await?.expect(200)?;
        run(&admin, "facialRecognition", true).await?;
        expected[0] = Some(dad.clone());
        let now = told(&admin, photos).await?;
        ensure!(now == expected, "{now:?}, not {expected:?}");

        // It may be taken from that one, too, and given back by somebody who says so.
        admin.delete(&path(&dad, &face), &json!({})).await?.expect(204)?;
        run(&admin, "facialRecognition", true).await?;
        ensure!(told(&admin, photos).await?[0].is_none(), "it went back");
        admin.put(&format!("/api/faces/{obama}"), &json!({ "id": face })).await?.expect(200)?;
        run(&admin, "facialRecognition", true).await?;
        ensure!(told(&admin, photos).await?[0] == Some(obama), "who said so is not heard");
        Ok(())
    })
    .await
}

/// Nobody else says anything about them, and no key without the permission.
async fn ensure_only_its_owner(admin: &Client, person: &str, face: &str) -> anyhow::Result<()> {
    let stranger = admin.create_user("stranger@example.com").await?;
    let theirs = stranger.post("/api/people", &json!({ "name": "Theirs" })).await?.expect(201)?;
    let theirs = theirs.json()?["id"].as_str().context("no id")?.to_owned();
    let narrow = admin.create_key(&["face.read", "person.reassign"]).await?;
    for (who, client, person, status) in [
        ("nobody", &admin.anonymous(), person, 401),
        ("a stranger", &stranger, person, 400),
        ("a stranger with a person of their own", &stranger, theirs.as_str(), 400),
        ("a person of somebody else", admin, theirs.as_str(), 400),
        ("a key without the permission", &narrow, person, 403),
    ] {
        let answer = client.delete(&path(person, face), &json!({})).await?;
        ensure!(answer.status == status, "{who}: {}", answer.shown());
    }
    let nothing = "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d";
    admin.delete(&path(person, nothing), &json!({})).await?.expect(400)?;
    admin.delete(&path(person, "x"), &json!({})).await?.expect(400).map(drop)
}

#[tokio::test]
async fn commands_compare_propose_reject_and_agree() -> anyhow::Result<()> {
    story(options(&["--reclustering", "propose"]), async |server| {
        let admin = server.client().sign_up().await?;
        let photos = nobodys(&admin, &OBAMA).await?;
        let key = admin.create_secret(&["all"]).await?;
        let done = people(server, &key, &["diff"]).await?;
        ensure!(done.code != Some(0) && done.stderr.contains("Nothing is proposed"), "{done:?}");

        // One that is forgotten changes nothing.
        let done = people(server, &key, &["recluster", "--wait"]).await?;
        let first = proposal_of(&done)?;
        ensure!(done.stdout.contains(&format!("proposal {first}: proposed")), "{done:?}");
        let done = people(server, &key, &["discard"]).await?;
        ensure!(done.stdout.contains(&format!("The proposal {first} is forgotten")), "{done:?}");
        let done = people(server, &key, &["apply", &first]).await?;
        ensure!(done.code != Some(0) && done.stderr.contains("409"), "{done:?}");
        ensure!(told(&admin, &photos).await? == [None, None, None], "it was discarded");

        // One that is agreed to counts.
        let done = people(server, &key, &["recluster"]).await?;
        let second = proposal_of(&done)?;
        ensure!(second != first, "the one that was forgotten is there again");
        in_state(&admin, "proposed").await?;
        let done = people(server, &key, &["diff", "--examples", "2"]).await?;
        let line = "3 faces compared: 0 change person, 3 of nobody become somebody's";
        ensure!(done.stdout.contains(line) && done.stdout.contains("1 people are new"), "{done:?}");
        let done = people(server, &key, &["diff", "--json"]).await?;
        let told_there: serde_json::Value = serde_json::from_str(&done.stdout)?;
        ensure!(told_there["id"] == second.as_str() && told_there["faces"]["joined"] == 3);
        let done = people(server, &key, &["apply", &second, "--wait"]).await?;
        ensure!(done.stdout.contains(&format!("proposal {second}: applied")), "{done:?}");
        let whose = told(&admin, &photos).await?;
        let person = whose[0].clone().context("nobody")?;
        ensure!(whose.iter().all(|it| it.as_ref() == Some(&person)), "{whose:?}");

        // What is not theirs is not proposed again, by a forced run of the queue either.
        let face = face_on(&admin, &photos[0]).await?;
        let done = people(server, &key, &["reject", &person, &face]).await?;
        ensure!(done.stdout.contains(&format!("The face {face} is not of {person}")), "{done:?}");
        run(&admin, "facialRecognition", true).await?;
        let third = in_state(&admin, "proposed").await?;
        ensure!(third["id"] != second.as_str(), "the run proposed nothing");
        ensure!(third["faces"]["joined"] == 0 && third["faces"]["moved"] == 0, "{third}");
        people(server, &key, &["apply", "--wait"]).await?.success()?;
        let now = told(&admin, &photos).await?;
        ensure!(now == [None, whose[1].clone(), whose[2].clone()], "{now:?}");
        let narrow = admin.create_secret(&["person.read"]).await?;
        for words in [&["diff"][..], &["recluster"], &["reject", &person, &face]] {
            let done = people(server, &narrow, words).await?;
            ensure!(done.code != Some(0) && done.stderr.contains("403"), "{words:?}: {done:?}");
        }
        ensure!(admin.get_json(PATH).await?["id"] == third["id"], "a narrow key began one");
        Ok(())
    })
    .await
}

/// `calotype people …` with a key.
async fn people(server: &TestServer, key: &str, words: &[&str]) -> anyhow::Result<binary::Done> {
    let url = server.url();
    let all = [&["people"][..], words, &["--server", &url, "--api-key", key]].concat();
    binary::run(&all, "").await
}

/// The id of the proposal that a command tells of.
fn proposal_of(done: &binary::Done) -> anyhow::Result<String> {
    let rest = done.stdout.strip_prefix("proposal ").with_context(|| format!("{done:?}"))?;
    Ok(rest.split(':').next().unwrap_or_default().to_owned())
}

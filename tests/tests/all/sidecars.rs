//! XMP files beside originals: read, and written with what people say.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Client, Options, TestServer, Upload, story};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::organizing::text;

/// How long writing a file may take on a busy machine.
const WRITTEN_MAX: Duration = Duration::from_secs(60);

/// What another program wrote, in words that nobody here knows.
const OTHERS: &str = concat!(
    r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF "#,
    r#"xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" "#,
    r#"xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="2" "#,
    r#"xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" crs:Exposure2012="+0.35"/>"#,
    r#"</rdf:RDF></x:xmpmeta>"#
);

async fn with_sidecar(client: &Client, sidecar: &str) -> anyhow::Result<String> {
    let picture = Upload::of(&media("photos/edge/rating_1.jpg")?)?;
    let bytes = calotype_tests::jpeg::with_comment(&picture.bytes, sidecar);
    let form = Form::new()
        .text("fileCreatedAt", "2024-01-02T03:04:05.000Z")
        .text("fileModifiedAt", "2024-01-02T03:04:05.000Z")
        .part("sidecarData", Part::bytes(sidecar.as_bytes().to_vec()).file_name("x.jpg.xmp"))
        .part("assetData", Part::bytes(bytes).file_name("x.jpg"));
    let request = client.request(Method::POST, "/api/assets").multipart(form);
    let id = text(&client.send(request).await?.expect(201)?.json()?, "id")?;
    client.wait_until_idle().await?;
    Ok(id)
}

async fn asset(client: &Client, id: &str) -> anyhow::Result<Value> {
    client.get_json(&format!("/api/assets/{id}")).await
}

/// Where the sidecar of an asset lies.
async fn sidecar(server: &TestServer, client: &Client, id: &str) -> anyhow::Result<PathBuf> {
    let path = text(&asset(client, id).await?, "originalPath")?;
    let key = path.strip_prefix("/data/").unwrap_or(&path).to_owned();
    Ok(server.data().join("library").join(format!("{key}.xmp")))
}

/// The sidecar when the queues are empty.
async fn saying(admin: &Client, path: &PathBuf, words: &str) -> anyhow::Result<String> {
    admin.wait_until_idle().await?;
    let read = std::fs::read_to_string(path).context("there is no sidecar")?;
    ensure!(read.contains(words), "no {words} in {read}");
    Ok(read)
}

/// How many events of one kind an asset has.
async fn count(client: &Client, id: &str, kind: &str) -> anyhow::Result<usize> {
    Ok(client.history(id).await?.iter().filter(|event| event["type"] == kind).count())
}

async fn read_again(client: &Client, id: &str) -> anyhow::Result<()> {
    let again = json!({ "assetIds": [id], "name": "refresh-metadata" });
    client.post("/api/assets/jobs", &again).await?.expect(204)?;
    client.wait_until_idle().await
}

#[tokio::test]
async fn what_people_say_is_written_beside_the_original() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let picture = media("photos/edge/rating_1.jpg")?;
        let id = admin.upload_file(&picture).await?;
        admin.wait_until_idle().await?;
        let path = sidecar(server, &admin, &id).await?;
        ensure!(!path.exists(), "written although nobody said anything");

        let said = json!({ "description": "Ankunft < am & Meer", "rating": 4,
            "dateTimeOriginal": "2021-06-15T10:20:30.000+02:00",
            "latitude": 48.8584, "longitude": -2.2945 });
        admin.put(&format!("/api/assets/{id}"), &said).await?.expect(200)?;
        let tag = admin.put("/api/tags", &json!({ "tags": ["orte/meer"] })).await?.json()?;
        let tag = format!("/api/tags/{}/assets", text(&tag[0], "id")?);
        admin.put(&tag, &json!({ "ids": [id] })).await?.expect(200)?;
        let written = saying(&admin, &path, "orte/meer").await?;
        for words in [
            "Ankunft &lt; am &amp; Meer",
            "<xmp:Rating>4</xmp:Rating>",
            "2021-06-15T10:20:30+02:00",
            "48,51.5040000N",
            "2,17.6700000W",
            "<rdf:li>orte|meer</rdf:li>",
        ] {
            ensure!(written.contains(words), "no {words} in {written}");
        }
        let original = admin.get(&format!("/api/assets/{id}/original")).await?.expect(200)?;
        ensure!(original.body == std::fs::read(&picture)?, "the original was altered");

        // Reading what was written changes nothing, and writes nothing.
        let before = asset(&admin, &id).await?;
        let writings = count(&admin, &id, "AssetSidecarWritten").await?;
        read_again(&admin, &id).await?;
        let after = asset(&admin, &id).await?;
        ensure!(before["exifInfo"] == after["exifInfo"], "{before} became {after}");
        ensure!(before["tags"] == after["tags"], "{before} became {after}");
        ensure!(count(&admin, &id, "AssetSidecarWritten").await? == writings, "written again");
        ensure!(std::fs::read_to_string(&path)? == written, "the file changed");

        // It goes with its asset.
        let gone = json!({ "ids": [id], "force": true });
        admin.delete("/api/assets", &gone).await?.expect(204)?;
        until("the sidecar to be gone", WRITTEN_MAX, async || Ok((!path.exists()).then_some(())))
            .await
    })
    .await
}

#[tokio::test]
async fn what_others_wrote_stays_in_the_sidecar() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let id = with_sidecar(&admin, OTHERS).await?;
        ensure!(
            asset(&admin, &id).await?["exifInfo"]["rating"] == 2,
            "the sidecar counts for more"
        );
        let path = sidecar(server, &admin, &id).await?;
        let said = json!({ "rating": 5 });
        admin.put(&format!("/api/assets/{id}"), &said).await?.expect(200)?;
        let written = saying(&admin, &path, "<xmp:Rating>5</xmp:Rating>").await?;
        ensure!(written.contains("crs:Exposure2012=\"+0.35\""), "{written}");
        ensure!(!written.contains("xmp:Rating=\"2\""), "{written}");

        // A file that nothing can be added to is left alone.
        let broken = "<x:xmpmeta><rdf:RDF>cut off";
        let id = with_sidecar(&admin, broken).await?;
        let path = sidecar(server, &admin, &id).await?;
        admin.put(&format!("/api/assets/{id}"), &said).await?.expect(200)?;
        admin.wait_until_idle().await?;
        ensure!(count(&admin, &id, "AssetSidecarRefused").await? == 1, "it was not refused");
        ensure!(std::fs::read_to_string(&path)? == broken, "the broken file was touched");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn sidecars_that_lie_there_are_found() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let id = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        admin.wait_until_idle().await?;
        let path = sidecar(server, &admin, &id).await?;
        std::fs::copy(media("sidecars/both_names.jpg.xmp")?, &path)?;
        let start = |force: bool| json!({ "command": "start", "force": force });
        let stars = async |wanted: i64| {
            admin.wait_until_idle().await?;
            let shown = asset(&admin, &id).await?;
            ensure!(shown["exifInfo"]["rating"] == wanted, "{shown}");
            anyhow::Ok(())
        };
        admin.put("/api/jobs/sidecar", &start(false)).await?.expect(200)?;
        stars(5).await?;
        let shown = asset(&admin, &id).await?;
        ensure!(shown["exifInfo"]["description"] == "from both_names.jpg.xmp", "{shown}");
        // Another program changes it; reading all sidecars again finds that.
        std::fs::copy(media("sidecars/both_names.xmp")?, &path)?;
        admin.put("/api/jobs/sidecar", &start(true)).await?.expect(200)?;
        stars(1).await
    })
    .await
}

#[tokio::test]
async fn faces_that_other_programs_named_become_people() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let named = media("faces/curie_regions.jpg")?;
        let plain = admin.upload_file(&named).await?;
        admin.wait_until_idle().await?;
        let people = admin.get_json("/api/people").await?;
        ensure!(people["total"] == 0, "taken over although nobody wants it: {people}");
        admin
            .delete("/api/assets", &json!({ "ids": [plain], "force": true }))
            .await?
            .expect(204)?;

        let mut config = admin.get_json("/api/system-config").await?;
        config["metadata"]["faces"]["import"] = json!(true);
        let features = admin.get_json("/api/server/features").await?;
        ensure!(features["importFaces"] == false, "{features}");
        admin.put("/api/system-config", &config).await?.expect(200)?;
        let features = admin.get_json("/api/server/features").await?;
        ensure!(features["importFaces"] == true, "{features}");
        let first = admin.upload_file(&named).await?;
        let turned = admin.upload_file(&media("faces/curie_regions_orientation6.jpg")?).await?;
        admin.wait_until_idle().await?;
        let people = admin.get_json("/api/people").await?;
        let mut names: Vec<&str> = people["people"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|person| person["name"].as_str())
            .collect();
        names.sort_unstable();
        ensure!(names == ["Marie Curie", "Pierre Curie"], "{people}");
        read_again(&admin, &first).await?;
        for id in [first, turned] {
            let faces = admin.get_json(&format!("/api/faces?id={id}")).await?;
            ensure!(faces.as_array().is_some_and(|faces| faces.len() == 2), "{faces}");
        }
        Ok(())
    })
    .await
}

//! `calotype serve --roles ml` and `calotype models`: Immich's machine-learning protocol without a database.

use anyhow::{Context as _, ensure};
use calotype_tests::binary::{run, with_data};
use calotype_tests::media::{media, workspace};
use calotype_tests::{Options, TestServer, story};
use reqwest::multipart::{Form, Part};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

/// The models that are brought along.
const CLIP: &str = "conse-effnet-lite0-minilm";
const FACES: &str = "yunet-sface";
const OCR: &str = "PP-OCRv6_tiny";

fn alone() -> Options {
    let arguments = ["--roles", "ml"].map(str::to_owned).to_vec();
    Options { testing: false, arguments, models: true, ..Options::default() }
}

async fn predict(server: &TestServer, form: Form) -> anyhow::Result<(StatusCode, Value)> {
    let url = format!("{}/predict", server.url());
    let answer = Client::new().post(url).multipart(form).send().await?;
    Ok((answer.status(), answer.json().await?))
}

fn picture(entries: &Value, path: &str) -> anyhow::Result<Form> {
    let bytes = std::fs::read(media(path)?)?;
    Ok(Form::new()
        .text("entries", entries.to_string())
        .part("image", Part::bytes(bytes).file_name("filename")))
}

fn numbers(value: &Value) -> anyhow::Result<Vec<f32>> {
    Ok(serde_json::from_str(value.as_str().context("an embedding is a text")?)?)
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[tokio::test]
async fn other_machines_get_the_answers_of_immich_s_service() -> anyhow::Result<()> {
    story(alone(), async |server| {
        let ping = Client::new().get(format!("{}/ping", server.url())).send().await?;
        ensure!(ping.text().await? == "pong");

        let visual = json!({ "clip": { "visual": { "modelName": CLIP, "options": {} } } });
        let (status, cat) = predict(server, picture(&visual, "photos/scenes/cat_chelsea.png")?).await?;
        ensure!(status == StatusCode::OK, "{cat}");
        ensure!(cat["imageWidth"] == 451 && cat["imageHeight"] == 300, "{cat}");
        ensure!(cat["calotypeModels"]["clip"]["name"] == CLIP, "{cat}");
        let cat = numbers(&cat["clip"])?;
        let textual = json!({ "clip": { "textual": { "modelName": CLIP, "options": { "language": "en" } } } });
        let mut alike = Vec::new();
        for words in ["a cat", "a cup of coffee"] {
            let form = Form::new().text("text", words).text("entries", textual.to_string());
            let (status, answer) = predict(server, form).await?;
            ensure!(status == StatusCode::OK && answer.get("imageWidth").is_none(), "{answer}");
            alike.push(cosine(&cat, &numbers(&answer["clip"])?));
        }
        ensure!(alike[0] > alike[1], "{alike:?}");

        let faces = json!({ "facial-recognition": {
            "detection": { "modelName": FACES, "options": { "minScore": 0.7 } },
            "recognition": { "modelName": FACES },
        } });
        let (_, answer) = predict(server, picture(&faces, "faces/curie_regions_orientation6.jpg")?).await?;
        let found = answer["facial-recognition"].as_array().context("a list of faces")?;
        ensure!(found.len() == 2, "{answer}");
        ensure!(numbers(&found[0]["embedding"])?.len() == 512);
        ensure!(found[0]["boundingBox"]["x2"].as_f64() > found[0]["boundingBox"]["x1"].as_f64());

        let (_, answer) = predict(server, picture(&faces, "faces/curie_regions.jpg")?).await?;
        ensure_as_the_reference(&answer["facial-recognition"], "faces/curie_regions.jpg")?;

        let ocr = json!({ "ocr": {
            "detection": { "modelName": OCR, "options": { "minScore": 0.5, "maxResolution": 736 } },
            "recognition": { "modelName": OCR, "options": { "minScore": 0.8 } },
        } });
        let (_, answer) = predict(server, picture(&ocr, "ocr/multilingual.png")?).await?;
        let words = answer["ocr"]["text"].as_array().context("a list of texts")?;
        ensure!(words.iter().any(|it| it == "Dutch: Hoeveel is dit?"), "{answer}");
        let boxes = answer["ocr"]["box"].as_array().context("a list of corners")?;
        ensure!(boxes.len() == words.len() * 8, "{answer}");
        Ok(())
    })
    .await
}

/// Faces are where the reference has them, and its own; a box comes in whole pixels.
fn ensure_as_the_reference(found: &Value, name: &str) -> anyhow::Result<()> {
    let list = std::fs::read_to_string(workspace().join("ml/tests/expected/faces.json"))?;
    let expected = serde_json::from_str::<Value>(&list)?[name].take();
    let (found, expected) = (found.as_array().context("a list")?, expected.as_array());
    let expected = expected.context("no reference")?;
    ensure!(found.len() == expected.len(), "{} faces", found.len());
    for (found, expected) in found.iter().zip(expected) {
        for (at, side) in ["x1", "y1", "x2", "y2"].iter().enumerate() {
            let (here, there) = (&found["boundingBox"][side], &expected["box"][at]);
            let far = here.as_f64().context("no side")? - there.as_f64().context("no side")?;
            ensure!(far.abs() < 1.0, "{side} is {here} instead of {there}");
        }
        let reference: Vec<f32> = serde_json::from_value(expected["embedding"].clone())?;
        let alike = cosine(&numbers(&found["embedding"])?, &reference);
        ensure!(alike > 0.995, "the embeddings are {alike} alike");
    }
    Ok(())
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_with_a_reason() -> anyhow::Result<()> {
    story(alone(), async |server| {
        let visual = json!({ "clip": { "visual": { "modelName": CLIP } } });
        let entries = |entries: &Value| Form::new().text("entries", entries.to_string());
        let unknown = json!({ "clip": { "textual": { "modelName": "ViT-B-32__openai" } } });
        for (form, expected) in [
            (entries(&visual), StatusCode::BAD_REQUEST),
            (entries(&visual).text("text", "a cat"), StatusCode::BAD_REQUEST),
            (entries(&json!({})).text("text", "a cat"), StatusCode::UNPROCESSABLE_ENTITY),
            (Form::new().text("text", "a cat"), StatusCode::UNPROCESSABLE_ENTITY),
            (entries(&unknown).text("text", "a cat"), StatusCode::NOT_FOUND),
            (picture(&visual, "broken/html_as.jpg")?, StatusCode::BAD_REQUEST),
            (picture(&visual, "broken/one_byte.png")?, StatusCode::BAD_REQUEST),
        ] {
            let (status, answer) = predict(server, form).await?;
            ensure!(status == expected, "{status} instead of {expected}: {answer}");
            ensure!(answer["detail"].is_string(), "{answer}");
        }
        let left = std::fs::read_dir(server.data().join("tmp/ml"))?.count();
        ensure!(left == 0, "{left} pictures were left behind");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn models_are_installed_once_and_damage_is_named() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path();
    let installed = run(&with_data(&["models", "install"], data), "").await?.success()?.stdout;
    ensure!(installed.contains("put there"), "{installed}");
    let again = run(&with_data(&["models", "install"], data), "").await?.success()?.stdout;
    ensure!(!again.contains("put there"), "{again}");
    let listed = run(&with_data(&["models", "list"], data), "").await?.success()?.stdout;
    for name in [CLIP, FACES, OCR, "ONNX Runtime"] {
        ensure!(listed.contains(name), "{name} is not in {listed}");
    }
    run(&with_data(&["models", "verify"], data), "").await?.success()?;

    let file = folder.path().join("models/ocr").join(OCR).join("detection/model.onnx");
    let mut bytes = std::fs::read(&file)?;
    bytes[1_000] ^= 1;
    std::fs::write(&file, bytes)?;
    let verified = run(&with_data(&["models", "verify"], data), "").await?;
    ensure!(verified.code == Some(1) && verified.stdout.contains("SHA-256"), "{verified:?}");
    run(&with_data(&["models", "install"], data), "").await?.success()?;
    run(&with_data(&["models", "verify"], data), "").await?.success()?;
    Ok(())
}

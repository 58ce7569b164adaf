//! Damaged, mislabelled and hostile files, and hostile names: each costs one asset at most.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use calotype_tests::media::{media, read_csv};
use calotype_tests::{Client, Options, TestServer, Upload, story};
use serde_json::Value;

#[tokio::test]
async fn a_broken_file_costs_one_asset_and_no_more() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let mut files = Vec::new();
        for entry in std::fs::read_dir(media("broken")?)? {
            files.push(entry?.path());
        }
        files.retain(|path| path.extension().is_some_and(|ending| ending != "csv"));
        files.sort();
        ensure!(files.len() >= 60, "only {} broken files were found", files.len());

        let mut accepted = BTreeMap::new();
        let mut refused = BTreeMap::new();
        for path in &files {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let answer = admin.send_upload(&Upload::of(path)?).await?;
            match answer.status {
                200 | 201 => {
                    let id = answer.json()?["id"].as_str().context("no id")?.to_owned();
                    accepted.insert(name, id);
                }
                400 => {
                    refused.insert(name, answer.message()?);
                }
                other => anyhow::bail!("{name}: the upload answered {other}: {}", answer.shown()),
            }
        }
        for (name, message) in &refused {
            ensure!(!message.is_empty(), "{name} was refused without a word");
        }
        admin.wait_until_idle().await?;

        let mut parked = 0;
        for (name, id) in &accepted {
            parked += usize::from(is_parked(&admin, name, id).await?);
        }
        ensure!(parked > 0, "not one of {} broken files failed", accepted.len());
        let jobs = admin.get_json("/api/jobs").await?;
        let failed = |queue: &str| jobs[queue]["jobCounts"]["failed"].as_u64().unwrap_or(0);
        ensure!(
            failed("thumbnailGeneration") > 0,
            "{parked} assets are parked, and the queues tell of none: {jobs}"
        );
        ensure_good_file_goes_through(server, &admin).await
    })
    .await
}

/// Whether processing of an accepted file failed; if it did, its history must say why. What did not
/// fail must have a picture.
async fn is_parked(admin: &Client, name: &str, id: &str) -> anyhow::Result<bool> {
    let history = admin.history(id).await?;
    let failures: Vec<&Value> =
        history.iter().filter(|event| event["type"] == "AssetProcessingFailed").collect();
    for failure in &failures {
        let (code, reason) = (&failure["data"]["code"], &failure["data"]["reason"]);
        ensure!(
            code.as_str().is_some_and(|code| !code.is_empty())
                && reason.as_str().is_some_and(|reason| reason.len() > 3),
            "{name} failed without a reason: {failure}"
        );
        ensure!(
            !reason.to_string().contains("panicked"),
            "{name} tells of our own mistake: {failure}"
        );
    }
    let thumbnail = admin.get(&format!("/api/assets/{id}/thumbnail")).await?.status;
    ensure!(
        !failures.is_empty() || thumbnail == 200,
        "{name} has neither a picture ({thumbnail}) nor a reason: {history:?}"
    );
    Ok(!failures.is_empty())
}

async fn ensure_good_file_goes_through(
    server: &mut TestServer,
    admin: &Client,
) -> anyhow::Result<()> {
    ensure!(server.is_alive()?, "the server died");
    let id = admin.upload_file(&media("photos/nature/prairie_falcon.jpg")?).await?;
    admin.wait_for_thumbnail(&id).await?;
    Ok(())
}

#[tokio::test]
async fn hostile_names_stay_words() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let jpeg = std::fs::read(media("photos/edge/rating_1.jpg")?)?;
        let before = files_outside(server)?;
        for (index, line) in read_csv(&media("broken/names.csv")?)?.iter().enumerate() {
            let name: String = serde_json::from_str(&line["name_as_json_string"])
                .or_else(|_| serde_json::from_str::<String>("\"\u{fffd}.jpg\""))?;
            let comment = format!("name {index}");
            let bytes = calotype_tests::jpeg::with_comment(&jpeg, &comment);
            // As a text field: what the part's own header cannot say, the field can.
            let upload = Upload::new("a.jpg", bytes).field("filename", &name);
            let answer = admin.send_upload(&upload).await?;
            ensure!(
                matches!(answer.status, 201 | 400),
                "{name:?}: {} {}",
                answer.status,
                answer.shown()
            );
            if answer.status == 201 {
                let id = answer.json()?["id"].as_str().context("no id")?.to_owned();
                ensure_name_is_safe(&admin, &id, &name).await?;
            }
        }
        ensure!(files_outside(server)? == before, "a name made a file outside the library");
        ensure_good_file_goes_through(server, &admin).await
    })
    .await
}

async fn ensure_name_is_safe(admin: &Client, id: &str, name: &str) -> anyhow::Result<()> {
    let asset = admin.get_json(&format!("/api/assets/{id}")).await?;
    let stored = asset["originalFileName"].as_str().context("no name")?;
    ensure!(!stored.contains('/') && !stored.contains('\0'), "{name:?} became {stored:?}");
    let path = asset["originalPath"].as_str().context("no path")?;
    ensure!(!path.contains(".."), "{name:?} became the path {path:?}");
    let original = admin.get(&format!("/api/assets/{id}/original")).await?.expect(200)?;
    let disposition = original.header("content-disposition");
    let words = disposition.strip_prefix("inline; filename*=UTF-8''");
    ensure!(
        words.is_some_and(|words| words.is_ascii()
            && !words.contains(['"', ';', ' ', '<', '\\', '/', '\r', '\n'])),
        "{name:?} is sent unescaped as {disposition:?}"
    );
    Ok(())
}

/// What lies in the data folder beside the places that an upload may write to.
fn files_outside(server: &TestServer) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for folder in [server.data(), server.scratch().to_owned()] {
        for entry in std::fs::read_dir(folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
    }
    names.retain(|name| !matches!(name.as_str(), "library" | "derived" | "tmp" | "thumbs"));
    names.sort();
    Ok(names)
}

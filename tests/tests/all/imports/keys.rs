//! An import outlives its key and a full disk: what ended it is told, and the same command goes on where it stopped.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::waiting::until;
use calotype_tests::{Options, TestServer, story};
use serde_json::json;

use super::{count, fill, folder, importer, run, summary};

/// Files of an import: several requests.
const FILES: usize = 250;
/// How long it may take until it is under way.
const LIMIT: Duration = Duration::from_secs(180);

#[tokio::test]
async fn import_whose_key_was_taken_away_goes_on_with_another() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let wish = json!({ "name": "old", "permissions": ["all"] });
        let old = admin.post("/api/api-keys", &wish).await?.expect(201)?.json()?;
        let (secret, id) = (old["secret"].as_str(), old["apiKey"]["id"].as_str());
        let (secret, id) = (secret.context("no secret")?, id.context("no id")?);
        let (photos, home) = (folder(server, "photos"), folder(server, "home"));
        fill(&photos, FILES)?;
        let words = ["import", photos.to_str().context("an odd folder")?, "--json"];
        let mut command = importer(&server.url(), secret, &home, &words)?;
        command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn()?;
        until("a part of the import", LIMIT, async || Ok((count(&admin).await? > 0).then_some(())))
            .await?;
        child.kill().await?;
        admin.delete(&format!("/api/api-keys/{id}"), &json!({})).await?.expect(204)?;
        let refused = run(&server.url(), secret, &home, &words).await?;
        ensure!(refused.code == Some(1) && refused.stderr.contains("401"), "{}", refused.stderr);

        let key = admin.create_secret(&["all"]).await?;
        let done = summary(&run(&server.url(), &key, &home, &words).await?.success()?)?;
        ensure!(done["isWhole"] == true && done["failed"] == 0, "{done}");
        ensure!(count(&admin).await? == u64::try_from(FILES)?, "doubles, or holes");
        let batches = admin.get_json("/api/calotype/batches").await?;
        ensure!(batches.as_array().map(Vec::len) == Some(1), "one import is two: {batches}");
        ensure!(batches[0]["created"] == FILES && batches[0]["id"] == done["batch"], "{batches}");

        // A key that may not know whose it is imports all the same.
        let narrow = admin.create_secret(&["asset.upload", "album.read"]).await?;
        let done = run(&server.url(), &narrow, &home, &words).await?.success()?;
        ensure!(summary(&done)?["duplicates"] == FILES, "{}", done.stdout);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn import_onto_a_full_disk_says_so_and_goes_on_when_there_is_room() -> anyhow::Result<()> {
    let full = Options {
        arguments: vec!["--min-free".to_owned(), "1000000T".to_owned()],
        ..Options::default()
    };
    let mut server = TestServer::start(full).await?;
    let admin = server.client().sign_up().await?;
    let key = admin.create_secret(&["all"]).await?;
    let (photos, home) = (folder(&server, "photos"), folder(&server, "home"));
    fill(&photos, 10)?;
    let journal = folder(&server, "journal.jsonl");
    let journal = journal.to_str().context("an odd folder")?;
    let photos = photos.to_str().context("an odd folder")?;
    let words = ["import", photos, "--json", "--journal", journal];
    let refused = run(&server.url(), &key, &home, &words).await?;
    ensure!(refused.code == Some(1) && refused.stderr.contains("507"), "{}", refused.stderr);
    ensure!(count(&admin).await? == 0, "a file was taken");
    server.terminate().await?;

    let mut roomy = TestServer::over(Options::default(), server.data()).await?;
    let admin = roomy.client().with_key(&key);
    let done = summary(&run(&roomy.url(), &key, &home, &words).await?.success()?)?;
    ensure!(done["created"] == 10 && done["failed"] == 0, "{done}");
    ensure!(count(&admin).await? == 10, "doubles, or holes");
    roomy.terminate().await?;
    Ok(())
}

//! A changed byte is found and named: in the log of a backup, in its files, and in the files of the server.

use anyhow::{Context as _, ensure};
use calotype_eventstore::testing::empty_database;
use calotype_tests::media::media;
use calotype_tests::{TestServer, story};
use serde_json::{Value, json};

use super::{
    NAME, OTHER, PHOTO, files, flip, new_folder, on, only, options, place, said, text, upload_named,
};

fn name(path: &std::path::Path) -> anyhow::Result<&str> {
    path.file_name().and_then(|name| name.to_str()).context("a file without a name")
}

#[tokio::test]
async fn changed_bytes_in_a_backup_are_found_and_named() -> anyhow::Result<()> {
    story(options(), async |server| {
        let admin = server.client().sign_up().await?;
        upload_named(&admin, PHOTO, NAME).await?;
        admin.upload_file(&media(OTHER)?).await?;
        admin.wait_until_idle().await?;
        let to = place(server);
        said(&server.data(), &["backup", text(&to)?]).await?;

        // A file: everything else is restored, into somebody else's database, too.
        let blob = files(&to.join("blobs"))?.pop().context("no files")?;
        flip(&blob)?;
        let rehearsed = on(&server.data(), &["restore", "--rehearse", text(&to)?]).await?;
        ensure!(rehearsed.code == Some(1), "{rehearsed:?}");
        ensure!(rehearsed.stdout.contains(name(&blob)?), "{}", rehearsed.stdout);
        let database = empty_database().await;
        let words = ["restore", text(&to)?, "--database-url", &database.url];
        let folder = new_folder(server, "without-one")?;
        let restored = on(&folder, &words).await?;
        ensure!(restored.code == Some(1), "{restored:?}");
        ensure!(restored.stdout.contains("was changed in the backup"), "{}", restored.stdout);
        ensure!(
            restored.stdout.contains("1 files were restored, 1 are lost"),
            "{}",
            restored.stdout
        );
        ensure!(!folder.join("postgres").exists(), "it made a database of its own");
        // That database is not empty any more.
        let refused = on(&new_folder(server, "second")?, &words).await?.failure()?;
        ensure!(refused.contains("has a log already"), "{refused}");

        // The next backup puts the file there again, once the damaged one is removed.
        std::fs::remove_file(&blob)?;
        let again = said(&server.data(), &["backup", text(&to)?]).await?;
        ensure!(again.contains("of them 1 new with"), "{again}");
        flip_back(&to, server).await?;

        // A piece of the log: nothing is restored.
        let segment = files(&to.join("log"))?.into_iter().next().context("no log")?;
        flip(&segment)?;
        let refused =
            on(&new_folder(server, "nothing")?, &["restore", text(&to)?]).await?.failure()?;
        ensure!(refused.contains(name(&segment)?) && refused.contains("was changed"), "{refused}");
        flip(&segment)?;
        // A manifest: it does not count.
        for manifest in files(&to.join("backups"))? {
            flip(&manifest)?;
        }
        let refused =
            on(&new_folder(server, "none")?, &["restore", text(&to)?]).await?.failure()?;
        ensure!(refused.contains("there is no backup"), "{refused}");
        Ok(())
    })
    .await
}

async fn flip_back(to: &std::path::Path, server: &TestServer) -> anyhow::Result<()> {
    let good = said(&server.data(), &["restore", "--rehearse", text(to)?]).await?;
    ensure!(good.contains("2 files of 2 are there and whole"), "{good}");
    Ok(())
}

#[tokio::test]
async fn originals_that_were_changed_or_are_gone_are_named() -> anyhow::Result<()> {
    story(options(), async |server| {
        let admin = server.client().sign_up().await?;
        let changed = upload_named(&admin, PHOTO, NAME).await?;
        let gone = admin.upload_file(&media(OTHER)?).await?;
        admin.wait_until_idle().await?;
        let data = server.data();
        for words in [&["verify", "--blobs"][..], &["verify", "--blobs=50%"]] {
            let good = said(&data, words).await?;
            ensure!(good.contains("They are what was uploaded."), "{good}");
        }
        let path = |asset: &Value| -> anyhow::Result<std::path::PathBuf> {
            let key = asset["originalPath"].as_str().context("no path")?;
            Ok(data.join("library").join(key.strip_prefix("/data/").context("not here")?))
        };
        flip(&path(&admin.get_json(&format!("/api/assets/{changed}")).await?)?)?;
        std::fs::remove_file(path(&admin.get_json(&format!("/api/assets/{gone}")).await?)?)?;

        let found = on(&data, &["verify", "--blobs"]).await?;
        ensure!(found.code == Some(1), "{found:?}");
        let named = |kind: &str, id: &str| found.stdout.contains(&format!("{kind}  asset {id}"));
        ensure!(named("changed", &changed) && named("missing", &gone), "{}", found.stdout);
        ensure!(!found.stdout.contains(NAME), "it tells names: {}", found.stdout);
        // A backup is made all the same, and says what is not in it.
        let to = place(server);
        let backed = on(&data, &["backup", text(&to)?]).await?;
        ensure!(backed.code == Some(1), "{backed:?}");
        ensure!(backed.stdout.contains("2 ORIGINALS ARE NOT IN IT."), "{}", backed.stdout);
        only(&to.join("backups"))?;

        // The same on a folder that nobody has open, as JSON.
        server.terminate().await?;
        let found = on(&data, &["verify", "--blobs", "--json"]).await?;
        let report: Value = serde_json::from_str(&found.stdout)?;
        ensure!(report["isGood"] == false && report["findingsTotal"] == 2, "{report}");
        let mut kinds: Vec<&Value> = report["findings"]
            .as_array()
            .context("no findings")?
            .iter()
            .map(|one| &one["kind"])
            .collect();
        kinds.sort_by_key(|kind| kind.to_string());
        ensure!(kinds == [&json!("changed"), &json!("missing")], "{report}");
        Ok(())
    })
    .await
}

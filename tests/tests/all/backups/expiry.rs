//! What was forgotten stays forgotten once the keys of earlier backups have expired.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{TestServer, database, story};
use serde_json::{Value, json};

use super::{NAME, OTHER, PHOTO, files, new_folder, on, options, place, said, text, upload_named};

const SOON: Duration = Duration::from_secs(90);
const WORDS: &str = "marker words zqxj of the sea";

/// Whether some bytes stand in any file below a folder.
fn has(folder: &Path, bytes: &[u8]) -> anyhow::Result<bool> {
    for path in files(folder)? {
        // Sockets and the like hold nothing.
        let Ok(found) = std::fs::read(&path) else { continue };
        if found.windows(bytes.len()).any(|some| some == bytes) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[tokio::test]
async fn what_was_erased_stays_unreadable_when_keys_have_expired() -> anyhow::Result<()> {
    story(options(), async |server| {
        let admin = server.client().sign_up().await?;
        let erased = upload_named(&admin, PHOTO, NAME).await?;
        let kept = admin.upload_file(&media(OTHER)?).await?;
        let said_of_it = json!({ "description": WORDS });
        admin.put(&format!("/api/assets/{erased}"), &said_of_it).await?.expect(200)?;
        admin.wait_until_idle().await?;
        let to = place(server);
        said(&server.data(), &["backup", text(&to)?]).await?;
        let before = manifest(&to)?;
        let (id, position) = (before["id"].clone(), before["position"].clone());
        let (id, position) = (id.as_str().context("no id")?, position.to_string());
        let original = std::fs::read(media(PHOTO)?)?;
        let marker = original.get(original.len() / 2..).and_then(|rest| rest.get(..200));
        let marker = marker.context("a short photo")?;

        admin
            .delete("/api/assets", &json!({ "ids": [erased], "force": true }))
            .await?
            .expect(204)?;
        gone(server, &erased).await?;
        said(&server.data(), &["backup", text(&to)?]).await?;
        // Until its keys expire the first backup brings it back.
        let folder = new_folder(server, "early")?;
        let early = said(&folder, &["restore", text(&to)?, "--backup", id]).await?;
        ensure!(early.contains("Everything is there."), "{early}");
        ensure!(has(&folder.join("library"), marker)?, "the file did not come back");
        ensure!(has(&folder.join("postgres"), WORDS.as_bytes())?, "the words did not come back");
        std::fs::remove_dir_all(folder)?;

        let late = said(&server.data(), &["backup", text(&to)?, "--keys-keep", "0h"]).await?;
        ensure!(late.contains("expired: 2 backups with their keys"), "{late}");
        ensure!(manifest(&to)?["id"] != id, "the first backup is there still");
        ensure!(!has(&to, marker)?, "the erased file is in the backup still");
        let refused =
            on(&new_folder(server, "gone")?, &["restore", text(&to)?, "--backup", id]).await?;
        ensure!(refused.failure()?.contains("there is no backup"), "an expired backup");

        // The log of then is there, and what was forgotten since cannot be read in it.
        let folder = new_folder(server, "then")?;
        let then = on(&folder, &["restore", text(&to)?, "--position", &position]).await?;
        ensure!(then.code == Some(1), "{then:?}");
        ensure!(then.stdout.contains(&format!("asset {erased}: ")), "{}", then.stdout);
        for marker in [marker, NAME.as_bytes(), WORDS.as_bytes()] {
            ensure!(!has(&folder, marker)?, "a marker is in the restored folder");
        }
        server.terminate().await?;
        let mut other = TestServer::over(options(), folder).await?;
        let then = other.client().login(calotype_tests::client::ADMIN_EMAIL).await?;
        let shown = then.get_json(&format!("/api/assets/{kept}")).await?;
        ensure!(shown["originalFileName"] == "date_subsec.jpg", "{shown}");
        other.terminate().await?;
        Ok(())
    })
    .await
}

/// Waits until a deleted asset's key, and its file, are gone.
async fn gone(server: &TestServer, id: &str) -> anyhow::Result<()> {
    let pool = database::connect(&server.data()).await?;
    until("the key to be destroyed and the errand to be done", SOON, async || {
        let done: bool = sqlx::query_scalar(
            "select exists (select from log.subject_keys where subject = $1 and wrapped is null)
                and not exists (select from work.errands where stream_id = $1)
                and (select position from work.checkpoints where name = 'errands')
                    >= (select p.position from log.positions p join log.events e using (event_id)
                         where e.type = 'AssetPurged' and e.stream_id = $1)",
        )
        .bind(format!("asset-{id}"))
        .fetch_one(&pool)
        .await?;
        Ok(done.then_some(()))
    })
    .await?;
    pool.close().await;
    Ok(())
}

/// The newest manifest of a place.
fn manifest(to: &Path) -> anyhow::Result<Value> {
    let newest = files(&to.join("backups"))?.pop().context("no manifest")?;
    Ok(serde_json::from_slice(&std::fs::read(newest)?)?)
}

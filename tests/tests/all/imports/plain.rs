//! A server that is asked only what every Immich server answers.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Options, story};
use reqwest::Method;
use serde_json::{Value, json};

use super::proxy::{Fate, listen};
use super::{count, fill, folder, importer, library, run, summary};

/// Files of an import that is killed.
const FILES: usize = 120;
/// How long it may take until it is under way.
const LIMIT: Duration = Duration::from_secs(180);

#[tokio::test]
async fn plain_server_ends_as_one_with_batches() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let plain = admin.create_user("plain@example.com").await?;
        let (photos, home) = (folder(server, "photos"), folder(server, "home"));
        fill(&photos.join("Sommer"), 3)?;
        let live = photos.join("Winter");
        fill(&live, 1)?;
        std::fs::copy(media("photos/live/IMG_4711.MOV")?, live.join("IMG_0000.mov"))?;
        std::fs::write(live.join("IMG_0000.jpg.xmp"), "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")?;
        std::fs::copy(photos.join("Sommer/IMG_0001.jpg"), live.join("copy.jpg"))?;
        let path = photos.to_str().context("an odd folder")?;
        let words = ["import", path, "--json", "--album-from-folder", "--live-by-name"];
        let words = [&words[..], &["--album", "All", "--tag", "Travel/Rhône"]].concat();
        let mut shown: Vec<Value> = Vec::new();
        for (client, more) in [(&admin, &[][..]), (&plain, &["--plain"][..])] {
            let key = client.create_secret(&["all"]).await?;
            let words = [&words[..], more].concat();
            let told = summary(&run(&server.url(), &key, &home, &words).await?.success()?)?;
            ensure!(told["failed"] == 0 && told["isWhole"] == true, "{told}");
            admin.wait_until_idle().await?;
            let there = library::shown(client).await?;
            let again = summary(&run(&server.url(), &key, &home, &words).await?.success()?)?;
            ensure!(again["created"] == 0 && again["failed"] == 0, "{again}");
            ensure!(library::shown(client).await? == there, "a second import changed something");
            shown.push(there);
        }
        ensure!(shown[0] == shown[1], "batch {:#}\nplain {:#}", shown[0], shown[1]);
        ensure!(plain.get_json("/api/calotype/batches").await? == json!([]), "a batch was opened");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn plain_server_gets_what_another_server_says() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let plain = admin.create_user("plain@example.com").await?;
        library::fill(&admin, 0).await?;
        admin.wait_until_idle().await?;
        let from_key = admin.create_secret(&["all"]).await?;
        let key = plain.create_secret(&["all"]).await?;
        let (home, from) = (folder(server, "home"), server.url());
        let words = ["import", "--from-server", &from, "--from-key", &from_key, "--plain"];
        for _ in 0..2 {
            run(&server.url(), &key, &home, &words).await?.success()?;
            admin.wait_until_idle().await?;
            let (here, there) = (library::shown(&plain).await?, library::shown(&admin).await?);
            ensure!(here == there, "here {here:#}\nthere {there:#}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn plain_server_makes_nothing_twice_when_its_answers_are_lost() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let plain = admin.create_user("plain@example.com").await?;
        library::fill(&admin, 0).await?;
        admin.wait_until_idle().await?;
        let from_key = admin.create_secret(&["all"]).await?;
        let key = plain.create_secret(&["all"]).await?;
        let (home, from) = (folder(server, "home"), server.url());
        // Every other answer to a request that makes something never comes.
        let made = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&made);
        let decide = move |line: &str, _| {
            let makes = ["/albums ", "/people ", "/faces ", "/stacks ", "/assets "];
            let is_one = line.starts_with("POST ") && makes.iter().any(|it| line.contains(it));
            if is_one && counted.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
                return Fate::CutBeforeTheAnswer;
            }
            Fate::Passes
        };
        let (line, proxy) = listen(&server.url(), decide).await?;
        let words = ["import", "--from-server", &from, "--from-key", &from_key, "--plain"];
        run(&line, &key, &home, &words).await?.success()?;
        drop(proxy);
        ensure!(made.load(Ordering::Relaxed) > 20, "hardly an answer was lost");
        admin.wait_until_idle().await?;
        let (here, there) = (library::shown(&plain).await?, library::shown(&admin).await?);
        ensure!(here == there, "here {here:#}\nthere {there:#}");
        let albums = plain.get_json("/api/albums").await?;
        ensure!(albums.as_array().map(Vec::len) == Some(2), "{albums}");
        let people = plain.get_json("/api/people?withHidden=true").await?;
        ensure!(people["total"] == 2, "{people}");
        for id in plain.timeline("").await? {
            let faces = plain.get_json(&format!("/api/faces?id={id}")).await?;
            let names = faces.as_array().into_iter().flatten();
            let mut names: Vec<_> = names.map(|it| it["person"]["name"].to_string()).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            ensure!(names.len() == count, "a face was drawn twice: {faces}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn plain_import_that_is_killed_ends_as_one_that_was_not() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let plain = admin.create_user("plain@example.com").await?;
        let photos = folder(server, "photos");
        fill(&photos, FILES)?;
        let path = photos.to_str().context("an odd folder")?;
        let home = folder(server, "home");
        let key = admin.create_secret(&["all"]).await?;
        run(&server.url(), &key, &home, &["import", path, "--album", "All"]).await?.success()?;
        // Everything of the source has a word of its own.
        let wish = json!({ "size": 1000 });
        let found = admin.post("/api/search/metadata", &wish).await?.expect(200)?.json()?;
        for asset in found["assets"]["items"].as_array().context("no assets")? {
            let path = format!("/api/assets/{}", asset["id"].as_str().context("no id")?);
            let said = json!({ "description": format!("about {}", asset["originalFileName"]) });
            admin.call(Method::PUT, &path, &said).await?.expect(200)?;
        }
        admin.wait_until_idle().await?;
        let from_key = admin.create_secret(&["all"]).await?;
        let key = plain.create_secret(&["all"]).await?;
        let from = server.url();
        let words = ["import", "--from-server", &from, "--from-key", &from_key, "--plain"];
        for reached in [1, 60] {
            let mut command = importer(&server.url(), &key, &home, &words)?;
            command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
            let mut child = command.spawn()?;
            until("a part of the import", LIMIT, async || {
                Ok((count(&plain).await? >= reached).then_some(()))
            })
            .await?;
            child.kill().await?;
        }
        run(&server.url(), &key, &home, &words).await?.success()?;
        admin.wait_until_idle().await?;
        let (here, there) = (library::shown(&plain).await?, library::shown(&admin).await?);
        ensure!(here == there, "here {here:#}\nthere {there:#}");
        Ok(())
    })
    .await
}

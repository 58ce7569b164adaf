//! A film is played on demand by hls.js in Chromium, as in Immich's web client: from its beginning, after jumps
//! forward and back, and to its end.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::media::{media, workspace};
use calotype_tests::server::{Options, story};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::Bounds;

/// The player. A later one may ask otherwise.
const PACKAGE: &str = "hls.js@1.6.13";
const PAGE: &str = include_str!("player.html");
/// The word that begins what the page says.
const SAYS: &str = "PLAYER ";
/// How long one film may be played.
const PLAY_MAX: Duration = Duration::from_secs(240);
/// Six minutes of 1080p.
const FILM: &str = "video/long_6min_1080p.mp4";

/// Plays so many times.
pub(crate) async fn play(bounds: Bounds) -> anyhow::Result<()> {
    let folder = workspace().join("target/bench/player");
    install(&folder).await?;
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let film = admin.upload_file(&media(FILM)?).await?;
        let mut config = admin.get_json("/api/system-config").await?;
        config["ffmpeg"]["transcode"] = json!("disabled");
        config["ffmpeg"]["realtime"]["enabled"] = json!(true);
        config["ffmpeg"]["realtime"]["resolutions"] = json!([480]);
        config["ffmpeg"]["realtime"]["videoCodecs"] = json!(["h264"]);
        admin.put("/api/system-config", &config).await?.expect(200)?;
        admin.wait_until_idle().await?;
        let key = admin.create_secret(&["asset.view"]).await?;
        let url = format!("{}/api/assets/{film}/video/stream/main.m3u8", server.url());
        let mut played = 0;
        while !bounds.is_over(played) {
            let said = in_chromium(&folder, server.scratch(), &url, &key).await?;
            println!("  {said}");
            ensure!(said["failed"].is_null() && said["fatal"] == false, "{said}");
            let length = said["duration"].as_f64().context("no length")?;
            ensure!((355.0..365.0).contains(&length), "a film of {length} s");
            // Each of the four places shows a second at least.
            ensure!(said["frames"].as_u64().is_some_and(|frames| frames > 60), "{said}");
            ensure!(said["height"] == 480, "{said}");
            played += 1;
        }
        Ok(())
    })
    .await
}

async fn in_chromium(folder: &Path, scratch: &Path, url: &str, key: &str) -> anyhow::Result<Value> {
    let page = format!("file://{}?url={url}&key={key}", folder.join("player.html").display());
    let profile = scratch.join("chromium");
    let mut browser = Command::new("chromium")
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--mute-audio", "--autoplay-policy=no-user-gesture-required"])
        // The page lies in a file, and asks a server.
        .arg("--disable-web-security")
        .args(["--enable-logging=stderr", "--log-level=0"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(page)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("failed to start chromium; ./dev soak installs it")?;
    let mut lines = BufReader::new(browser.stderr.take().context("no output")?).lines();
    let said = async {
        while let Some(line) = lines.next_line().await? {
            if let Some(said) = said(&line) {
                return serde_json::from_str(&said).with_context(|| line.clone());
            }
        }
        anyhow::bail!("chromium ended without a word")
    };
    let said = tokio::time::timeout(PLAY_MAX, said).await.context("the player takes too long")?;
    browser.kill().await?;
    said
}

/// What the page said, in a line of Chromium's log: `...CONSOLE(12)] "PLAYER {...}", source: ...`.
fn said(line: &str) -> Option<String> {
    let (_, said) = line.split_once(SAYS)?;
    let (said, _) = said.rsplit_once("\", source:")?;
    Some(said.to_owned())
}

/// Fetches hls.js from npm, once.
async fn install(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("player.html"), PAGE)?;
    let script = folder.join("hls.js");
    if script.is_file() {
        return Ok(());
    }
    let installed = Command::new("npm")
        .args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"])
        .arg(folder)
        .arg(PACKAGE)
        .current_dir(folder)
        .stdout(Stdio::null())
        .status()
        .await
        .context("failed to run npm; ./dev soak installs it")?;
    ensure!(installed.success(), "npm could not fetch {PACKAGE}");
    std::fs::copy(folder.join("node_modules/hls.js/dist/hls.min.js"), script)?;
    Ok(())
}

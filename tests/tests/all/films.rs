//! Films: copies that every player shows, and streams on demand.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::media::media;
use calotype_tests::waiting::until;
use calotype_tests::{Answer, Client, Options, TestServer, Upload, story};
use serde_json::{Value, json};

const CONFIG: &str = "/api/system-config";
/// How long the server may take for one of these.
const SOON: Duration = Duration::from_secs(60);
/// HEVC with ten bits and PQ, three seconds, upright as it is.
const HDR: &str = "video/made/hevc_hdr10_10bit.mp4";
/// H.264 and AAC in MP4.
const PLAIN: &str = "video/made/h264_aac_creation_location.mp4";

/// Changes settings, by JSON pointer.
async fn set(admin: &Client, settings: &[(&str, Value)]) -> anyhow::Result<()> {
    let mut config = admin.get_json(CONFIG).await?;
    for (pointer, value) in settings {
        *config.pointer_mut(pointer).with_context(|| format!("no {pointer}"))? = value.clone();
    }
    admin.put(CONFIG, &config).await?.expect(200).map(drop)
}

async fn has(admin: &Client, id: &str, event: &str) -> anyhow::Result<Option<Value>> {
    Ok(admin.history(id).await?.into_iter().rev().find(|one| one["type"] == event))
}

async fn until_it_has(admin: &Client, id: &str, event: &str) -> anyhow::Result<Value> {
    until(&format!("{event} of {id}"), SOON, async || has(admin, id, event).await).await
}

/// What ffprobe says of some bytes.
fn probe(server: &TestServer, bytes: &[u8]) -> anyhow::Result<Value> {
    let path = server.scratch().join("played");
    std::fs::write(&path, bytes)?;
    probe_file(&path)
}

fn probe_file(path: &Path) -> anyhow::Result<Value> {
    let output = std::process::Command::new("ffprobe")
        .args(["-v", "error", "-print_format", "json", "-show_streams", "-show_format"])
        .arg(path)
        .output()?;
    ensure!(output.status.success(), "ffprobe: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

async fn played(client: &Client, id: &str) -> anyhow::Result<Answer> {
    client.get(&format!("/api/assets/{id}/video/playback")).await?.expect(200)
}

#[tokio::test]
async fn film_that_players_do_not_show_gets_a_copy() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        set(&admin, &[("/ffmpeg/targetResolution", json!("360"))]).await?;
        let original = std::fs::read(media(HDR)?)?;
        let hdr = admin.upload_file(&media(HDR)?).await?;
        let plain = admin.upload_file(&media(PLAIN)?).await?;
        let made = until_it_has(&admin, &hdr, "AssetVideoEncoded").await?;
        ensure!(made["data"]["video_codec"] == "h264" && made["data"]["height"] == 360, "{made}");
        until_it_has(&admin, &plain, "AssetVideoEncodingSkipped").await?;
        admin.wait_until_idle().await?;

        let answer = played(&admin, &hdr).await?;
        ensure!(answer.header("content-type") == "video/mp4", "{answer:?}");
        ensure!(answer.header("content-disposition").ends_with("hevc_hdr10_10bit.mp4"));
        let facts = probe(server, &answer.body)?;
        let picture = &facts["streams"][0];
        ensure!(picture["pix_fmt"] == "yuv420p" && picture["color_transfer"] == "bt709", "{facts}");
        let request =
            admin.request(reqwest::Method::GET, &format!("/api/assets/{hdr}/video/playback"));
        let part = admin.send(request.header("range", "bytes=4-7")).await?.expect(206)?;
        ensure!(part.body == b"ftyp"[..], "{part:?}");
        let kept = admin.get(&format!("/api/assets/{hdr}/original")).await?.expect(200)?;
        ensure!(kept.body == original, "the original is not what it was");
        ensure!(played(&admin, &plain).await?.body == std::fs::read(media(PLAIN)?)?);

        // A link shows the copy too.
        let link = json!({ "type": "INDIVIDUAL", "assetIds": [hdr], "showMetadata": false });
        let link = admin.post("/api/shared-links", &link).await?.expect(201)?.json()?;
        let key = link["key"].as_str().context("no key")?;
        let path = format!("/api/assets/{hdr}/video/playback?key={key}");
        let shared = server.client().get(&path).await?.expect(200)?;
        ensure!(shared.body == answer.body, "a link shows something else");
        let stranger = admin.create_user("stranger@example.com").await?;
        stranger.get(&format!("/api/assets/{hdr}/video/playback")).await?.expect(404)?;

        finds_what_has_a_copy(&admin, &hdr).await?;
        loses_its_copy(server, &admin, &hdr, &original).await
    })
    .await
}

async fn finds_what_has_a_copy(admin: &Client, hdr: &str) -> anyhow::Result<()> {
    for (wish, count) in [(json!({ "isEncoded": true }), 1), (json!({ "isEncoded": false }), 1)] {
        let found = admin.post("/api/search/metadata", &wish).await?.expect(200)?.json()?;
        let items = found["assets"]["items"].as_array().context("no items")?;
        ensure!(items.len() == count, "{wish}: {found}");
        ensure!((items[0]["id"] == hdr) == (wish["isEncoded"] == true), "{wish}: {found}");
    }
    Ok(())
}

/// Without a policy the copy goes when somebody asks again; with the film its files go.
async fn loses_its_copy(
    server: &TestServer,
    admin: &Client,
    hdr: &str,
    original: &[u8],
) -> anyhow::Result<()> {
    let copies = || files_under(&server.data().join("derived/encoded-video"));
    ensure!(copies()? == 1, "not one copy");
    set(admin, &[("/ffmpeg/transcode", json!("disabled"))]).await?;
    let again = json!({ "assetIds": [hdr], "name": "transcode-video" });
    admin.post("/api/assets/jobs", &again).await?.expect(204)?;
    until_it_has(admin, hdr, "AssetVideoEncodingSkipped").await?;
    until("no copy", SOON, async || Ok((copies()? == 0).then_some(()))).await?;
    ensure!(played(admin, hdr).await?.body == original, "not the original");

    // Started for what lacks it, the queue finds the film that has no copy.
    set(admin, &[("/ffmpeg/transcode", json!("required"))]).await?;
    let start = json!({ "command": "start", "force": false });
    admin.put("/api/jobs/videoConversion", &start).await?.expect(200)?;
    until("a copy again", SOON, async || Ok((copies()? == 1).then_some(()))).await?;
    admin.wait_until_idle().await?;
    admin.delete("/api/assets", &json!({ "ids": [hdr], "force": true })).await?.expect(204)?;
    until("no copy", SOON, async || Ok((copies()? == 0).then_some(()))).await
}

fn files_under(folder: &Path) -> anyhow::Result<usize> {
    let mut count = 0;
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(0) };
    for entry in entries {
        let entry = entry?;
        count += if entry.file_type()?.is_dir() { files_under(&entry.path())? } else { 1 };
    }
    Ok(count)
}

#[tokio::test]
async fn film_taken_off_its_queue_is_stopped_and_can_be_started_again() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let slow = [
            ("/ffmpeg/transcode", json!("all")),
            ("/ffmpeg/preset", json!("veryslow")),
            ("/ffmpeg/targetResolution", json!("original")),
        ];
        set(&admin, &slow).await?;
        let film = admin.upload_file(&media("video/long_6min_1080p.mp4")?).await?;
        let queue = async || admin.get_json("/api/queues/videoConversion").await;
        let active = async || Ok((queue().await?["statistics"]["active"] == 1).then_some(()));
        until("a film in hand", SOON, active).await?;
        let temporary = || files_under(&server.data().join("tmp"));
        until("the encoder", SOON, async || Ok((temporary()? == 1).then_some(()))).await?;
        let listed = admin.get_json("/api/queues/videoConversion/jobs").await?;
        ensure!(listed[0]["name"] == "AssetEncodeVideo", "{listed}");

        admin.delete("/api/queues/videoConversion/jobs", &json!({})).await?.expect(204)?;
        until("the encoder to end", SOON, async || Ok((temporary()? == 0).then_some(()))).await?;
        ensure!(has(&admin, &film, "AssetVideoEncoded").await?.is_none(), "it went on");

        set(&admin, &[("/ffmpeg/transcode", json!("required"))]).await?;
        let start = json!({ "command": "start", "force": false });
        admin.put("/api/jobs/videoConversion", &start).await?.expect(200)?;
        until_it_has(&admin, &film, "AssetVideoEncodingSkipped").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn film_that_cannot_be_encoded_is_parked_and_others_go_on() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        set(&admin, &[("/ffmpeg/transcode", json!("all"))]).await?;
        // Its index is there, most of its pictures are not.
        let mut cut = std::fs::read(media("video/made/fragmented.mp4")?)?;
        let end = cut.len();
        cut[4_000..end].fill(0x5a);
        let broken = admin.upload(&Upload::new("cut.mp4", cut)).await?;
        let good = admin.upload_file(&media("video/made/h263.3gp")?).await?;
        until_it_has(&admin, &good, "AssetVideoEncoded").await?;
        admin.wait_until_idle().await?;
        let failed = until_it_has(&admin, &broken, "AssetProcessingFailed").await?;
        let reason = failed["data"]["reason"].as_str().context("no reason")?;
        ensure!(!reason.contains("library") && reason.len() > 3, "{reason}");
        Ok(())
    })
    .await
}

/// Six minutes of film.
const LONG: &str = "video/long_6min_1080p.mp4";

#[tokio::test]
async fn film_is_streamed_from_beginning_to_end_and_from_the_middle() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let film = admin.upload_file(&media("video/made/hevc_aac.mp4")?).await?;
        let main = format!("/api/assets/{film}/video/stream/main.m3u8");
        admin.get(&main).await?.expect(400)?;
        let on = [
            ("/ffmpeg/transcode", json!("disabled")),
            ("/ffmpeg/realtime/enabled", json!(true)),
            ("/ffmpeg/realtime/resolutions", json!([480])),
            ("/ffmpeg/realtime/videoCodecs", json!(["h264"])),
        ];
        set(&admin, &on).await?;
        server.client().get(&main).await?.expect(401)?;
        let stranger = admin.create_user("stranger@example.com").await?;
        stranger.get(&main).await?.expect(400)?;
        stranger.create_key(&["asset.read"]).await?.get(&main).await?.expect(403)?;

        let answer = admin.get(&main).await?.expect(200)?;
        ensure!(answer.header("content-type") == "application/vnd.apple.mpegurl", "{answer:?}");
        ensure!(answer.header("cache-control") == "no-cache", "{answer:?}");
        let text = String::from_utf8(answer.body.to_vec())?;
        ensure!(text.contains("RESOLUTION=852x480") && text.contains("avc1."), "{text}");
        let address = text.lines().last().context("no variant")?;
        let session = address.split('/').next().context("no session")?.to_owned();
        let base = format!("/api/assets/{film}/video/stream/{session}");

        // As hls.js asks: playlist, then what stands before all segments, then those.
        let list = admin.get(&format!("{base}/0/playlist.m3u8")).await?.expect(200)?;
        let list = String::from_utf8(list.body.to_vec())?;
        let names: Vec<&str> = list.lines().filter(|line| line.starts_with("seg_")).collect();
        ensure!(list.starts_with("#EXTM3U\n#EXT-X-VERSION:7\n") && !names.is_empty(), "{list}");
        let mut whole = admin.get(&format!("{base}/0/init.mp4")).await?.expect(200)?.body.to_vec();
        for name in &names {
            whole.extend(admin.get(&format!("{base}/0/{name}")).await?.expect(200)?.body.iter());
        }
        let (streamed, original) =
            (probe(server, &whole)?, probe_file(&media("video/made/hevc_aac.mp4")?)?);
        let seconds = |facts: &Value| facts["format"]["duration"].as_str()?.parse::<f64>().ok();
        let (made, wanted) = (seconds(&streamed), seconds(&original));
        let off = made.zip(wanted).map(|(made, wanted)| (made - wanted).abs());
        ensure!(off.is_some_and(|off| off < 0.1), "{made:?} s instead of {wanted:?} s");

        refuses_what_is_no_part_of_it(&admin, &stranger, &base).await?;
        admin.delete(&base, &json!({})).await?.expect(204)?;
        admin.delete(&base, &json!({})).await?.expect(204)?;
        admin.get(&format!("{base}/0/seg_0.m4s")).await?.expect(404)?;
        let left = files_under(&server.data().join("tmp/streams"))?;
        ensure!(left == 0, "{left} files are left over");
        plays_in_a_player(server, &admin, &film).await
    })
    .await
}

async fn refuses_what_is_no_part_of_it(
    admin: &Client,
    stranger: &Client,
    base: &str,
) -> anyhow::Result<()> {
    stranger.get(&format!("{base}/0/seg_0.m4s")).await?.expect(400)?;
    for (path, status) in [
        ("0/seg_99.m4s", 404),
        ("9/init.mp4", 404),
        ("9/playlist.m3u8", 404),
        ("x/init.mp4", 400),
        ("0/other.mp4", 400),
    ] {
        admin.get(&format!("{base}/{path}")).await?.expect(status)?;
    }
    let request = admin.request(reqwest::Method::GET, &format!("{base}/0/playlist.m3u8"));
    admin.send(request.header("x-immich-hls-pos", "-1")).await?.expect(400)?;
    let request = admin.request(reqwest::Method::GET, &format!("{base}/0/init.mp4"));
    admin.send(request.header("x-immich-hls-msn", "x")).await?.expect(400)?;
    Ok(())
}

/// ffmpeg as a player, with a key in the address, plays a film to its end; then somebody jumps to the fifth
/// minute of another. (ffmpeg 5.1 cannot jump in such streams, its own included.)
async fn plays_in_a_player(server: &TestServer, admin: &Client, film: &str) -> anyhow::Result<()> {
    let secret = admin.create_secret(&["asset.view"]).await?;
    let address =
        format!("{}/api/assets/{film}/video/stream/main.m3u8?apiKey={secret}", server.url());
    let played = server.scratch().join("played.mp4");
    let mut player = tokio::process::Command::new("ffmpeg");
    player.args(["-v", "error", "-nostdin", "-y", "-i", &address, "-c", "copy"]).arg(&played);
    let output = player.output().await?;
    ensure!(output.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&output.stderr));
    let facts = probe_file(&played)?;
    let seconds = |facts: &Value, of: &str| facts[of].as_str()?.parse::<f64>().ok();
    let length = seconds(&facts["format"], "duration").context("no length")?;
    ensure!((2.9..3.2).contains(&length), "played {length} s: {facts}");

    let long = admin.upload_file(&media(LONG)?).await?;
    let main =
        admin.get(&format!("/api/assets/{long}/video/stream/main.m3u8")).await?.expect(200)?;
    let main = String::from_utf8(main.body.to_vec())?;
    let list = main.lines().last().context("no variant")?;
    let base =
        format!("/api/assets/{long}/video/stream/{}", list.trim_end_matches("/playlist.m3u8"));
    let mut jumped = admin.get(&format!("{base}/init.mp4")).await?.expect(200)?.body.to_vec();
    for number in [150, 151] {
        let request = admin.request(reqwest::Method::GET, &format!("{base}/seg_{number}.m4s"));
        let request = request.header("x-immich-hls-msn", number.to_string());
        jumped.extend(admin.send(request).await?.expect(200)?.body.iter());
    }
    let facts = probe(server, &jumped)?;
    let start = seconds(&facts["streams"][0], "start_time").context("no start")?;
    ensure!((start - 300.0).abs() < 0.05, "begins at {start} s: {facts}");
    // The encoder does not run to the end of the film: it waits for its player.
    let made = files_under(&server.data().join("tmp/streams"))?;
    ensure!(made < 60, "{made} segments were made for four seconds");
    Ok(())
}

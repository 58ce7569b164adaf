//! Immich's own clients from npm and `PyPI`, driving a real server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::binary::{Done, finish};
use calotype_tests::client::{ADMIN_EMAIL, PASSWORD};
use calotype_tests::media::{media, workspace};
use calotype_tests::{Options, TestServer, story};
use serde_json::{Value, json};
use tokio::process::Command;

/// How long a client may take.
pub(crate) const CLIENT_LIMIT: Duration = Duration::from_secs(180);
/// A folder of photos and films as people have them.
const FILES: [&str; 25] = [
    "photos/edge/date_offset_positive.jpg",
    "photos/edge/gps_south_west.jpg",
    "photos/edge/jpeg_progressive.jpg",
    "photos/edge/orient_6.png",
    "photos/edge/orient_6.tif",
    "photos/edge/orient_6.webp",
    "photos/edge/text_unicode_everywhere.jpg",
    "photos/gif/muybridge.gif",
    "photos/heic/xiaomi_gps_small.heic",
    "photos/jpeg/canon_powershot_s230.jpg",
    "photos/jpeg/fujifilm_s1pro_gps_small.jpg",
    "photos/jpeg/nikon_d40_orientation6.jpg",
    "photos/jpeg/paris_orientation5.jpg",
    "photos/nature/el_torcal_rocks.jpg",
    "photos/nature/prairie_falcon.jpg",
    "photos/orientation/landscape_6.jpg",
    "photos/png/density_plot.png",
    "photos/scenes/coffee.png",
    "photos/tiff/plain.tif",
    "photos/webp/denali.webp",
    "photos/zoo/Canon1DmkIII.jpg",
    "photos/zoo/Panasonic.jpg",
    "video/made/h264_rotated90.mp4",
    "video/made/one_frame.mp4",
    "video/iphone_with_gps_rot90.mov",
];

/// Where `./dev test` put something, by the variable it says so in.
fn fetched(variable: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from).with_context(|| {
        format!("{variable} is not set: run ./dev test, which fetches the clients")
    })?;
    ensure!(
        path.exists(),
        "{variable} names {}, which is not there: run ./dev test",
        path.display()
    );
    Ok(path)
}

pub(crate) fn node(script: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(fetched("CALOTYPE_TEST_NODE")?);
    command.arg(script).env("CALOTYPE_TEST_CLIENTS", fetched("CALOTYPE_TEST_CLIENTS")?);
    Ok(command)
}

pub(crate) fn script(name: &str) -> PathBuf {
    workspace().join("tests/clients").join(name)
}

/// The last line of standard output as JSON.
fn told(done: &Done) -> anyhow::Result<Value> {
    let line = done.stdout.lines().last().context("it printed nothing")?;
    serde_json::from_str(line).with_context(|| format!("no JSON: {line}"))
}

#[tokio::test]
async fn the_command_line_client_uploads_a_folder_once() -> anyhow::Result<()> {
    let program = fetched("CALOTYPE_TEST_CLIENTS")?.join("node_modules/@immich/cli/bin/immich");
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let folder = server.scratch().join("photos");
        std::fs::create_dir(&folder)?;
        for path in FILES {
            let from = media(path)?;
            let name = path.replace('/', "_");
            std::fs::copy(from, folder.join(name))?;
        }
        let config = server.scratch().join("cli");
        let cli = async |words: &[&str]| {
            let mut command = node(&program)?;
            command.args(["--config-directory"]).arg(&config).args(words);
            finish(command, "", CLIENT_LIMIT).await?.success().context(words.join(" "))
        };

        cli(&["login-key", &server.url(), &key]).await?;
        let info = cli(&["server-info"]).await?;
        ensure!(info.stdout.contains("3.1.0"), "{}", info.stdout);
        let place = folder.to_str().context("a path that is no text")?.to_owned();
        let words = ["upload", "--recursive", "--no-progress", "--concurrency", "4", &place];
        let first = cli(&words).await?;
        ensure!(
            first.stdout.contains(&format!("Successfully uploaded {} new assets", FILES.len())),
            "{}\n{}",
            first.stdout,
            first.stderr
        );
        let second = cli(&words).await?;
        ensure!(
            second.stdout.contains(&format!("{} duplicate", FILES.len()))
                || second.stdout.contains("All assets were already uploaded"),
            "{}\n{}",
            second.stdout,
            second.stderr
        );

        admin.wait_until_idle().await?;
        let shown = admin.timeline("visibility=timeline").await?;
        ensure!(shown.len() == FILES.len(), "the timeline has {} assets", shown.len());
        for id in shown {
            admin.get(&format!("/api/assets/{id}/thumbnail")).await?.expect(200)?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_sdk_logs_in_uploads_and_reads_back() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        server.client().sign_up().await?;
        let mut command = node(&script("sdk.mjs"))?;
        command.args([&server.url(), ADMIN_EMAIL, PASSWORD]);
        command
            .arg(media("photos/nature/prairie_falcon.jpg")?)
            .arg(media("photos/webp/denali.webp")?);

        let told = told(&finish(command, "", CLIENT_LIMIT).await?.success()?)?;

        ensure!(told["me"] == ADMIN_EMAIL && told["trash"] == true, "{told}");
        ensure!(told["uploaded"][0]["status"] == "created", "{told}");
        ensure!(told["shown"].as_array().is_some_and(|ids| ids.len() == 2), "{told}");
        ensure!(told["facts"][0]["make"] == "Canon", "{told}");
        ensure!(told["thumbnailBytes"].as_u64() > Some(1000), "{told}");
        ensure!(told["statistics"]["images"] == 2, "{told}");
        let refusal = json!({ "status": 400, "message": "Not found or no asset.read access" });
        ensure!(told["refusal"] == refusal, "{told}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_socket_is_told_of_an_upload_whose_thumbnail_is_there_and_of_a_change()
-> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let client = server.client();
        client.sign_up().await?;
        let body = json!({ "email": ADMIN_EMAIL, "password": PASSWORD });
        let login = client.post("/api/auth/login", &body).await?.expect(201)?.json()?;
        let token = login["accessToken"].as_str().context("no token")?;
        let mut command = node(&script("socket.mjs"))?;
        command.args([&server.url(), token]).arg(media("photos/nature/prairie_falcon.jpg")?);

        let told = told(&finish(command, "", CLIENT_LIMIT).await?.success()?)?;

        ensure!(told["major"] == 3, "{told}");
        ensure!(told["id"] == told["told"] && told["thumbhash"].is_string(), "{told}");
        ensure!(told["thumbnail"] == 200, "{told}");
        ensure!(told["updated"] == told["id"] && told["description"] == "a falcon", "{told}");
        // Neither comes with an argument, not even `null`.
        ensure!(told["stackWords"] == 0 && told["configWords"] == 0, "{told}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn aioimmich_uploads_and_views() -> anyhow::Result<()> {
    let packages = fetched("CALOTYPE_TEST_PYTHONPATH")?;
    story(Options::default(), async |server: &mut TestServer| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let url = server.url();
        let port = url.rsplit(':').next().context("no port")?;
        let mut command = Command::new("python3");
        command.env("PYTHONPATH", &packages).arg(script("aio.py"));
        command.args(["127.0.0.1", port, &key]).arg(media("photos/nature/prairie_falcon.jpg")?);

        let told = told(&finish(command, "", CLIENT_LIMIT).await?.success()?)?;

        ensure!(told["version"] == "v3.1.0" && told["me"] == ADMIN_EMAIL, "{told}");
        ensure!(told["disk"] == true && told["photos"] == 0, "{told}");
        ensure!(told["status"] == "created" && told["again"] == "duplicate", "{told}");
        ensure!(told["webp"] == true, "{told}");
        Ok(())
    })
    .await
}

/// How long schemathesis may send requests, in seconds.
const FUZZED_SECONDS: &str = "60";
/// How long with each of the credentials that open little.
const FUZZED_SHORTLY_SECONDS: &str = "20";
/// What it must not do: end its own key, or wait for people. A month that is none is answered with 500,
/// as Immich was recorded to.
const NOT_FUZZED: &str = "^/(auth/logout|api-keys/|oauth|calotype/projections/|timeline/bucket$)";

/// Sends whatever the document tells of to a server, as somebody with these headers and query.
async fn fuzz(
    server: &TestServer,
    seconds: &str,
    credentials: &[(&str, &str)],
) -> anyhow::Result<()> {
    let packages = fetched("CALOTYPE_TEST_PYTHONPATH")?;
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", &packages).current_dir(server.scratch());
    command.args(["-m", "schemathesis.cli", "run"]);
    command.arg(format!("{}/api/openapi.json", server.url()));
    command.args(["--url", &format!("{}/api", server.url())]);
    command.args(["--checks", "not_a_server_error", "--continue-on-failure"]);
    command.args(["--max-time", seconds, "--max-examples", "20", "--seed", "1"]);
    command.args(["--suppress-health-check", "all", "--no-color", "--warnings", "off"]);
    command.args(["--exclude-path-regex", NOT_FUZZED]);
    for (name, value) in credentials {
        command.args(["--header", &format!("{name}: {value}")]);
    }

    let done = finish(command, "", CLIENT_LIMIT).await?;

    ensure!(done.stdout.contains("Tested"), "{}\n{}", done.stdout, done.stderr);
    ensure!(!done.stdout.contains("Schema Error"), "the document is wrong: {}", done.stdout);
    ensure!(!done.stdout.contains("Server error"), "{}", done.stdout);
    Ok(())
}

#[tokio::test]
async fn no_request_the_document_tells_of_breaks_the_server() -> anyhow::Result<()> {
    story(Options::default(), async |server: &mut TestServer| {
        let admin = server.client().sign_up().await?;
        admin.upload_file(&media("photos/nature/prairie_falcon.jpg")?).await?;
        let key = admin.create_secret(&["all"]).await?;
        fuzz(server, FUZZED_SECONDS, &[("x-api-key", &key)]).await
    })
    .await
}

#[tokio::test]
async fn nor_does_any_of_who_holds_a_link_or_a_narrow_key() -> anyhow::Result<()> {
    story(Options::default(), async |server: &mut TestServer| {
        let admin = server.client().sign_up().await?;
        let photo = admin.upload_file(&media("photos/nature/prairie_falcon.jpg")?).await?;
        let link = json!({ "type": "INDIVIDUAL", "assetIds": [photo], "allowUpload": true });
        let link = admin.post("/api/shared-links", &link).await?.expect(201)?.json()?;
        let key = link["key"].as_str().context("no key")?;
        fuzz(server, FUZZED_SHORTLY_SECONDS, &[("x-immich-share-key", key)]).await?;
        let narrow = admin.create_secret(&["asset.read", "album.read"]).await?;
        fuzz(server, FUZZED_SHORTLY_SECONDS, &[("x-api-key", &narrow)]).await?;
        let shown = admin.get_json(&format!("/api/assets/{photo}")).await?;
        ensure!(shown["isTrashed"] == false && shown["isFavorite"] == false, "changed: {shown}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn tuspy_sends_a_file_in_pieces_and_goes_on_where_another_stopped() -> anyhow::Result<()> {
    let packages = fetched("CALOTYPE_TEST_PYTHONPATH")?;
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let mut command = Command::new("python3");
        command.env("PYTHONPATH", &packages).arg(script("with_tuspy.py"));
        command.args([&server.url(), &key]).arg(media("photos/nature/prairie_falcon.jpg")?);

        let told = told(&finish(command, "", CLIENT_LIMIT).await?.success()?)?;

        ensure!(told["extensions"].as_str().is_some_and(|it| it.contains("checksum")), "{told}");
        ensure!(told["resumed"] == 100_000 && told["status"] == "created", "{told}");
        ensure!(told["same"] == true && told["refused"] == 400, "{told}");
        let id = told["id"].as_str().context("no asset")?;
        let asset = admin.get_json(&format!("/api/assets/{id}")).await?;
        ensure!(asset["originalFileName"] == "with tus.jpg", "{asset}");
        admin.wait_for_thumbnail(id).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn immichpy_uploads_and_reads_what_it_knows_of_this_release() -> anyhow::Result<()> {
    let packages = fetched("CALOTYPE_TEST_PYTHONPATH")?;
    story(Options::default(), async |server: &mut TestServer| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let mut command = Command::new("python3");
        command.env("PYTHONPATH", &packages).arg(script("with_immichpy.py"));
        command.args([&server.url(), &key]).arg(media("photos/nature/prairie_falcon.jpg")?);

        let told = told(&finish(command, "", CLIENT_LIMIT).await?.success()?)?;

        ensure!(told["version"] == "v3.1.0" && told["trash"] == true, "{told}");
        ensure!(told["uploaded"] == 1 && told["again"] == 0, "{told}");
        ensure!(told["name"] == "prairie_falcon.jpg" && told["shown"] == 1, "{told}");
        ensure!(told["queues"] == 19, "{told}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn both_sdks_do_an_administrators_work() -> anyhow::Result<()> {
    for sdk in ["immich-sdk-3.1.0", "@immich/sdk"] {
        story(Options::default(), async |server| {
            server.client().sign_up().await?;
            let mut command = node(&script("administer.mjs"))?;
            command.env("CALOTYPE_TEST_SDK", sdk);
            command.args([&server.url(), ADMIN_EMAIL, PASSWORD]);

            let told = told(&finish(command, "", CLIENT_LIMIT).await?.success()?)?;

            ensure!(told["days"] == 12 && told["told"] == 12, "{told}");
            ensure!(told["title"] == "Hello" && told["unread"] == 0, "{told}");
            ensure!(told["queues"] == 19 && told["paused"] == true, "{told}");
            ensure!(told["presets"].as_u64() > Some(5), "{told}");
            Ok(())
        })
        .await
        .context(sdk)?;
    }
    Ok(())
}

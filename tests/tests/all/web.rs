//! `--web`: a single-page client of somebody else is served in place of the built-in page.

use anyhow::ensure;
use calotype_tests::media::media;
use calotype_tests::{Options, story};
use serde_json::json;

/// What a client's build leaves: a page with a place for words about what is shared, and a file whose name changes
/// with its contents.
const INDEX: &str =
    "<!doctype html><html><head><title>Theirs</title></head><body>client</body></html>";
const SCRIPT: &str = "/_app/immutable/entry/start.abc123.js";

#[tokio::test]
async fn a_folder_takes_the_place_of_the_page() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("index.html"), INDEX)?;
    let script = folder.path().join(SCRIPT.trim_start_matches('/'));
    std::fs::create_dir_all(script.parent().unwrap_or(folder.path()))?;
    std::fs::write(&script, "console.log(1)")?;
    std::fs::write(folder.path().with_extension("secret"), "not in the folder")?;
    let name = folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned();

    let arguments = vec!["--web".to_owned(), folder.path().display().to_string()];
    story(Options { testing: false, arguments, ..Options::default() }, async |server| {
        let nobody = server.client();
        let admin = nobody.sign_up().await?;
        // Paths that are the client's own get its page, so that it can find its way.
        for path in ["/", "/photos/some-id", "/admin/jobs-status"] {
            let page = nobody.get(path).await?.expect(200)?;
            ensure!(page.shows("<body>client</body>"), "{path}: {}", page.shown());
            ensure!(page.header("content-type").starts_with("text/html"), "{path}");
            let policy = page.header("content-security-policy");
            ensure!(policy.contains("object-src 'none'"), "{path}: {policy:?}");
        }
        let script = nobody.get(SCRIPT).await?.expect(200)?;
        ensure!(script.shows("console.log"), "{}", script.shown());
        let caching = script.header("cache-control");
        ensure!(caching.contains("immutable"), "{caching:?}");
        // What is asked of the API stays the API's, and nothing outside the folder is there.
        nobody.get("/api/nothing").await?.expect(404)?;
        for path in [format!("/../{name}.secret"), format!("/%2e%2e/{name}.secret")] {
            let outside = nobody.get(&path).await?;
            ensure!(!outside.shows("not in the folder"), "{path}: {}", outside.shown());
        }

        // Who is sent a link sees what is shared before the client runs.
        let asset = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        let link = json!({ "type": "INDIVIDUAL", "assetIds": [asset] });
        let link = admin.post("/api/shared-links", &link).await?.expect(201)?.json()?;
        let key = link["key"].as_str().unwrap_or_default();
        let page = nobody.get(&format!("/share/{key}")).await?.expect(200)?;
        ensure!(page.shows("og:title") && page.shows("<body>client</body>"), "{}", page.shown());
        Ok(())
    })
    .await?;
    std::fs::remove_file(folder.path().with_extension("secret"))?;
    Ok(())
}

//! What browsers are told beside every answer: to believe its media type, to name our addresses to nobody else,
//! and what a page may load. Answers of every kind are asked for: pages, their files, JSON, errors, pictures.

use anyhow::ensure;
use calotype_tests::answer::Answer;
use calotype_tests::client::ADMIN_EMAIL;
use calotype_tests::media::media;
use calotype_tests::{Options, Upload, story};

/// What is asked for by nobody known: path, status, and how the media type begins.
const OPEN_TO_ALL: [(&str, u16, &str); 16] = [
    ("/", 200, "text/html"),
    ("/app.js", 200, "text/javascript"),
    ("/custom.css", 200, "text/css"),
    ("/calotype", 200, "text/html"),
    ("/calotype/explorer.css", 200, "text/css"),
    ("/calotype/js/explorer/main.js", 200, "text/javascript"),
    ("/.well-known/immich", 200, "application/json"),
    ("/health", 200, "application/json"),
    ("/ready", 200, "application/json"),
    ("/metrics", 200, "text/plain"),
    ("/api/docs/", 200, "text/html"),
    ("/api/docs/swagger-ui.css", 200, "text/css"),
    ("/api/openapi.json", 200, "application/json"),
    ("/api/server/ping", 200, "application/json"),
    ("/api/users/me", 401, "application/json"),
    ("/api/nothing", 404, "application/json"),
];
/// What every page is kept to, whatever else it may load.
const KEPT_TO: [&str; 5] = [
    "default-src 'self'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
];

/// What holds for every answer; for a page, also what it may load, and that its scripts are files.
fn ensure_protected(answer: &Answer) -> anyhow::Result<()> {
    let request = &answer.request;
    for (name, value) in [("x-content-type-options", "nosniff"), ("referrer-policy", "same-origin")]
    {
        ensure!(answer.header(name) == value, "{request}: {name} is {:?}", answer.header(name));
    }
    if !answer.header("content-type").starts_with("text/html") {
        return Ok(());
    }
    let policy = answer.header("content-security-policy");
    for part in KEPT_TO {
        ensure!(policy.contains(part), "{request}: no {part} in {policy:?}");
    }
    // Styles in elements are the most that any page is let off with.
    let lenient = policy.replace("style-src 'self' 'unsafe-inline'", "");
    ensure!(!lenient.contains("unsafe"), "{request}: {policy:?}");
    let html = String::from_utf8_lossy(&answer.body);
    for script in html.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap_or_default();
        ensure!(tag.contains("src="), "{request}: a script that the policy stops: {tag}");
    }
    Ok(())
}

#[tokio::test]
async fn every_answer_says_what_browsers_may_do_with_it() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let nobody = server.client();
        let admin = nobody.sign_up().await?;
        for (path, status, media_type) in OPEN_TO_ALL {
            let answer = nobody.get(path).await?.expect(status)?;
            let told = answer.header("content-type");
            ensure!(told.starts_with(media_type), "{path} is {told:?}");
            ensure_protected(&answer)?;
        }
        let asset = admin.upload_file(&media("photos/edge/rating_1.jpg")?).await?;
        let original = admin.get(&format!("/api/assets/{asset}/original")).await?.expect(200)?;
        ensure_protected(&original)?;

        // A picture that holds a script is opened as a page of ours by whoever follows a link to it.
        let drawn = r#"<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>"#;
        let asset = admin.upload(&Upload::new("drawn.svg", drawn.into())).await?;
        let original = admin.get(&format!("/api/assets/{asset}/original")).await?.expect(200)?;
        ensure!(original.header("content-type").starts_with("image/svg"), "{:?}", original.headers);
        let policy = original.header("content-security-policy");
        ensure!(policy.contains("default-src 'none'") && policy.contains("sandbox"), "{policy:?}");
        ensure_protected(&original)
    })
    .await
}

#[tokio::test]
async fn pages_for_people_and_machines_open() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let nobody = server.client();
        nobody.sign_up().await?;
        let page = nobody.get("/").await?.expect(200)?;
        ensure!(page.shows("<title>Calotype</title>"), "{}", page.shown());
        // Our own page keeps its styles in files, too.
        let policy = page.header("content-security-policy");
        ensure!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");

        // The page of the API's document reads the document that is served.
        let there = nobody.get("/api/docs").await?.expect(303)?;
        ensure!(there.header("location") == "/api/docs/", "{:?}", there.header("location"));
        let page = nobody.get("/api/docs/").await?.expect(200)?;
        ensure!(page.shows("swagger-initializer.js"), "{}", page.shown());
        let script = nobody.get("/api/docs/swagger-initializer.js").await?.expect(200)?;
        ensure!(script.shows("/api/openapi.json"), "{}", script.shown());
        let document = nobody.get_json("/api/openapi.json").await?;
        ensure!(document["info"]["title"] == "Calotype", "{}", document["info"]);

        let metrics = nobody.get("/metrics").await?.expect(200)?;
        ensure!(metrics.shows("http_requests_total{"), "{}", metrics.shown());
        ensure!(!metrics.shows(ADMIN_EMAIL), "measurements tell who is here");
        Ok(())
    })
    .await
}

//! The explorer at `/calotype`: served beside whichever first page, with what browsers may do with it; what its
//! scripts ask for is there, and so is what they name of the page.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Context as _, ensure};
use calotype_tests::answer::Answer;
use calotype_tests::client::Client;
use calotype_tests::media::{read_json, workspace};
use calotype_tests::{Options, story};

/// Its two addresses.
const PAGES: [&str; 2] = ["/calotype", "/calotype/"];
/// Files of the page at least: its styles, its icon, its scripts.
const FILES_MIN: usize = 20;
/// Operations that the scripts ask for at least.
const OPERATIONS_MIN: usize = 30;
/// What is asked for and served without standing in the document.
const UNDOCUMENTED: [&str; 1] = ["GET /openapi.json"];

fn ensure_page(page: &Answer) -> anyhow::Result<()> {
    let request = &page.request;
    ensure!(page.header("content-type").starts_with("text/html"), "{request}: {:?}", page.headers);
    ensure!(page.header("cache-control") == "no-store", "{request}: {:?}", page.headers);
    ensure!(page.shows("<title>Explorer · Calotype</title>"), "{request}: {}", page.shown());
    let policy = page.header("content-security-policy");
    for part in ["default-src 'self'", "script-src 'self'", "style-src 'self'", "object-src 'none'"]
    {
        ensure!(policy.contains(part), "{request}: no {part} in {policy:?}");
    }
    ensure!(policy.contains("frame-ancestors 'none'"), "{request}: {policy:?}");
    ensure!(!policy.contains("unsafe"), "{request}: {policy:?}");
    Ok(())
}

/// The texts between two marks.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    let rests = text.split(open).skip(1);
    rests.filter_map(|rest| rest.split_once(close).map(|(found, _)| found)).collect()
}

/// What a script at `path` imports, as paths.
fn imports(path: &str, script: &str) -> anyhow::Result<Vec<String>> {
    let (folder, _) = path.rsplit_once('/').context("no folder")?;
    let beside = |name: &str| match name.strip_prefix("../") {
        Some(name) => {
            let (parent, _) = folder.rsplit_once('/').context("no folder above")?;
            Ok(format!("{parent}/{name}"))
        }
        None => Ok(format!("{folder}/{}", name.trim_start_matches("./"))),
    };
    let lines = script.lines().filter(|line| line.starts_with("import "));
    lines.flat_map(|line| between(line, " from \"", "\"")).map(beside).collect()
}

/// Fetches what the page loads, and what that loads in turn; says how many files those are.
async fn ensure_files(nobody: &Client, page: &Answer) -> anyhow::Result<usize> {
    let html = String::from_utf8(page.body.to_vec())?;
    let linked = [between(&html, "href=\"", "\""), between(&html, "src=\"", "\"")].concat();
    let mut left: VecDeque<String> = linked
        .into_iter()
        .filter(|path| path.starts_with("/calotype/"))
        .map(str::to_owned)
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(path) = left.pop_front() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let file = nobody.get(&path).await?.expect(200)?;
        let wanted = match path.rsplit_once('.').map(|(_, extension)| extension) {
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            Some("svg") => "image/svg+xml",
            other => anyhow::bail!("{path}: files named {other:?} are not expected"),
        };
        let told = file.header("content-type");
        ensure!(told.starts_with(wanted), "{path} is {told:?}");
        ensure!(file.header("x-content-type-options") == "nosniff", "{path}: {:?}", file.headers);
        ensure!(!file.header("etag").is_empty(), "{path} has no tag: {:?}", file.headers);
        if wanted == "text/javascript" {
            left.extend(imports(&path, &String::from_utf8(file.body.to_vec())?)?);
        }
    }
    Ok(seen.len())
}

#[tokio::test]
async fn the_explorer_and_all_that_it_loads_are_served() -> anyhow::Result<()> {
    story(Options { testing: false, ..Options::default() }, async |server| {
        let nobody = server.client();
        for path in PAGES {
            let page = nobody.get(path).await?.expect(200)?;
            ensure_page(&page)?;
            let files = ensure_files(&nobody, &page).await?;
            ensure!(files >= FILES_MIN, "{path} loads {files} files only");
        }
        // What lies below it and is no file is not the first page, and the page itself is no file of that one's.
        nobody.get("/calotype/nothing").await?.expect(404)?;
        nobody.get("/calotype/calotype.html").await?.expect(404)?;
        ensure!(nobody.get("/calotypes").await?.expect(200)?.shows("<title>Calotype</title>"));
        nobody.post("/calotype", &serde_json::json!({})).await?.expect(404)?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_explorer_stands_beside_a_foreign_client() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("index.html"), "<html><head></head>theirs</html>")?;
    std::fs::create_dir(folder.path().join("calotype"))?;
    for hidden in ["calotype/style.css", "calotype/index.html", "style.css"] {
        std::fs::write(folder.path().join(hidden), "theirs")?;
    }
    let arguments = vec!["--web".to_owned(), folder.path().display().to_string()];
    story(Options { testing: false, arguments, ..Options::default() }, async |server| {
        let nobody = server.client();
        for path in PAGES {
            let page = nobody.get(path).await?.expect(200)?;
            ensure_page(&page)?;
            ensure!(ensure_files(&nobody, &page).await? >= FILES_MIN, "{path} loads too little");
        }
        // Neither hides what is the other's.
        ensure!(!nobody.get("/calotype/style.css").await?.expect(200)?.shows("theirs"));
        ensure!(nobody.get("/style.css").await?.expect(200)?.shows("theirs"));
        ensure!(nobody.get("/").await?.expect(200)?.shows("theirs"));
        Ok(())
    })
    .await
}

/// A file of `web/`.
fn web(path: &str) -> anyhow::Result<String> {
    let path = workspace().join("web").join(path);
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}

/// The explorer's own scripts, by name.
fn scripts() -> anyhow::Result<BTreeMap<String, String>> {
    let mut scripts = BTreeMap::new();
    for entry in std::fs::read_dir(workspace().join("web/js/explorer"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let text = web(&format!("js/explorer/{name}"))?;
        scripts.insert(name, text);
    }
    Ok(scripts)
}

/// Method and path, without the names of its parameters.
fn nameless(method: &str, path: &str) -> String {
    let (mut path, mut rest) = (String::new(), path);
    while let Some((before, parameter)) = rest.split_once('{') {
        path.push_str(before.trim_end_matches('$'));
        path.push_str("{}");
        rest = parameter.split_once('}').map_or("", |(_, after)| after);
    }
    format!("{method} {path}{rest}")
}

/// What a script asks for, as its tables (`["GET", "/path"]`) and calls (`call("GET", "/path"`) say.
fn asked_by(script: &str) -> Vec<String> {
    let mut asked = Vec::new();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        for (quote, end) in [("\"/", "\""), ("`/", "`")] {
            for before in ["[", "call(", "textOf("] {
                for path in between(script, &format!("{before}\"{method}\", {quote}"), end) {
                    // A query is built behind the path.
                    let path = path.split("${query(").next().unwrap_or_default();
                    asked.push(nameless(method, &format!("/{path}")));
                }
            }
        }
    }
    asked
}

#[test]
fn what_the_pages_ask_for_is_served() -> anyhow::Result<()> {
    let document = read_json(&workspace().join("schemas/openapi.json"))?;
    let paths = document["paths"].as_object().context("no paths")?;
    let served: BTreeSet<String> = paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flat_map(|item| item.keys());
            methods.map(|method| nameless(&method.to_uppercase(), path))
        })
        .collect();
    let mut asked: BTreeSet<String> = BTreeSet::new();
    for script in scripts()?.values() {
        asked.extend(asked_by(script));
    }
    ensure!(asked.len() >= OPERATIONS_MIN, "{} operations only: {asked:?}", asked.len());
    asked.extend(asked_by(&web("js/api.js")?));
    ensure!(
        asked.contains("PUT /assets/{}"),
        "the first page's operations are not read: {asked:?}"
    );
    let is_known = |one: &&String| {
        let known = UNDOCUMENTED.iter().any(|known| known == one);
        served.contains(*one) || known
    };
    let unknown: Vec<&String> = asked.iter().filter(|one| !is_known(one)).collect();
    ensure!(unknown.is_empty(), "asked for and not served: {unknown:?}");
    Ok(())
}

#[test]
fn what_the_scripts_name_is_in_the_page() -> anyhow::Result<()> {
    let html = web("calotype.html")?;
    let ids = between(&html, " id=\"", "\"");
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    ensure!(unique.len() == ids.len(), "an id stands twice");
    let mut named = 0;
    let mut all = scripts()?;
    all.insert("gate.js".to_owned(), web("js/gate.js")?);
    for (name, script) in &all {
        for id in between(script, "byId(\"", "\"") {
            named += 1;
            ensure!(unique.contains(id), "{name} names #{id}, which is not in the page");
        }
    }
    ensure!(named > 50, "{named} names were read only");
    let targets = between(&html, "href=\"#", "\"");
    let lost: Vec<_> =
        targets.iter().filter(|id| !unique.contains(*id) && !id.starts_with("i-")).collect();
    ensure!(lost.is_empty(), "links that lead nowhere: {lost:?}");
    // The policy stops what stands in the page itself.
    for inline in ["<style", " style=\"", " onclick=", " onload=", "<script>"] {
        ensure!(!html.contains(inline), "{inline} in the page");
    }
    Ok(())
}

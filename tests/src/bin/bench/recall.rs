//! How often what a text describes is among the first five that a search by meaning finds: photos of the shared
//! media in a server with the models that are brought along, and two texts that somebody wrote looking at each.

use anyhow::{Context as _, ensure};
use calotype_tests::media::{media, shared};
use calotype_tests::{Client, Options, TestServer};
use serde_json::json;

use crate::figures::{self, count};

/// The first so many count.
const FIRST: usize = 5;
/// What the same models reach when numpy and Pillow prepare the same previews, in all of these searches.
const REFERENCE: f64 = 0.756;
/// How much of that is to be reached.
const PART: f64 = 0.85;

/// A photo and the texts that describe it.
struct Described {
    file: String,
    texts: Vec<String>,
}

/// Measures it.
pub(crate) async fn measure() -> anyhow::Result<()> {
    figures::group("Search by meaning: what a text describes is among the first five");
    let options = Options { testing: false, models: true, ..Options::default() };
    let mut server = TestServer::start(options).await?;
    let admin = server.client().sign_up().await?;
    let mut known = Vec::new();
    for Described { file, texts } in described()? {
        let asset_id = admin.upload_file(&media(&file)?).await.context(file)?;
        known.push((asset_id, texts));
    }
    admin.wait_until_idle().await?;
    let (mut searches, mut hits) = (0, 0);
    for (asset_id, texts) in &known {
        for text in texts {
            searches += 1;
            hits += usize::from(first(&admin, text).await?.contains(asset_id));
        }
    }
    server.terminate().await?;
    figures::note("photos", count(known.len()), "");
    figures::note("searches", count(searches), "");
    let recall = count(hits) / count(searches);
    figures::at_least("recall at 5", recall, REFERENCE * PART, "");
    Ok(())
}

/// The ids of the first that are found.
async fn first(client: &Client, text: &str) -> anyhow::Result<Vec<String>> {
    let body = json!({ "query": text, "size": FIRST });
    let answer = client.post("/api/search/smart", &body).await?.expect(200)?.json()?;
    let items = answer["assets"]["items"].as_array().context("no list")?;
    let id = |item: &serde_json::Value| item["id"].as_str().map(str::to_owned);
    items.iter().map(|item| id(item).context("no id")).collect()
}

/// The list: a line for each photo, its path and then texts, without commas in them.
fn described() -> anyhow::Result<Vec<Described>> {
    let path = shared().join("media/search_labels.csv");
    let list = std::fs::read_to_string(&path)
        .with_context(|| format!("failed to read {}", path.display()))?;
    let mut all = Vec::new();
    for line in list.lines().skip(1) {
        ensure!(!line.contains('"'), "a quoted text: {line}");
        let mut words = line.split(',').map(str::to_owned);
        let file = words.next().context("an empty line")?;
        all.push(Described { file, texts: words.collect() });
    }
    Ok(all)
}

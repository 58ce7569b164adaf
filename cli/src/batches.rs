//! `calotype batches …`: looks at imports, and takes them back.

use serde_json::{Value, json};

use crate::args::Batches;
use crate::progress::say;
use crate::server::{Server, Trouble};

/// Runs one of these commands.
///
/// # Errors
/// When the server cannot be asked, or refuses.
pub async fn batches(command: Batches) -> anyhow::Result<()> {
    match command {
        Batches::List { server, json } => {
            let server = Server::try_new(&server)?;
            let batches = server.get("/calotype/batches").await.map_err(Trouble::into_error)?;
            if json {
                say(&serde_json::to_string_pretty(&batches)?);
            } else {
                list(&batches);
            }
        }
        Batches::Show { server, id } => {
            let server = Server::try_new(&server)?;
            let batch = server.get(&format!("/calotype/batches/{id}")).await;
            list(&json!([batch.map_err(Trouble::into_error)?]));
        }
        Batches::Receipt { server, id } => {
            let server = Server::try_new(&server)?;
            let receipt = server.get(&format!("/calotype/batches/{id}/receipt")).await;
            say(&serde_json::to_string_pretty(&receipt.map_err(Trouble::into_error)?)?);
        }
        Batches::Rollback { server, id, preview, force, for_good } => {
            let server = Server::try_new(&server)?;
            let wish = json!({ "preview": preview, "force": force, "forGood": for_good });
            roll_back(&server, &format!("/calotype/batches/{id}/rollback"), wish).await?;
        }
    }
    Ok(())
}

fn list(batches: &Value) {
    say(&format!(
        "{:<36}  {:<24}  {:<10}  {:>9}  {:>10}  {:>6}",
        "batch", "opened", "status", "imported", "duplicates", "albums"
    ));
    for batch in batches.as_array().into_iter().flatten() {
        let text = |name: &str| batch[name].as_str().unwrap_or_default().to_owned();
        say(&format!(
            "{:<36}  {:<24}  {:<10}  {:>9}  {:>10}  {:>6}",
            text("id"),
            text("openedAt"),
            text("status"),
            batch["created"].to_string(),
            batch["duplicates"].to_string(),
            batch["albums"].to_string()
        ));
    }
}

/// Takes back part after part, from the newest on.
async fn roll_back(server: &Server, path: &str, mut wish: Value) -> anyhow::Result<()> {
    let preview = wish["preview"] == true;
    let (mut assets, mut entries, mut albums, mut left) = (0, 0, 0, Vec::new());
    loop {
        let part = server.post(path, &wish).await.map_err(Trouble::into_error)?;
        let length = |name: &str| part[name].as_array().map_or(0, Vec::len);
        assets += length("assetIds");
        albums += length("albumIds");
        entries += part["albumEntries"].as_u64().unwrap_or_default();
        left.extend(part["leftAlone"].as_array().into_iter().flatten().cloned());
        if part["next"].is_null() {
            break;
        }
        wish["before"] = part["next"].clone();
    }
    let (verb, end) = if preview { ("would go", " Nothing was changed.") } else { ("went", "") };
    let place = if wish["forGood"] == true { "for good" } else { "into the trash" };
    say(&format!(
        "{assets} photos and films {verb} {place}, {entries} entries of albums, {albums} albums; {} stay because \
         somebody changed them since.{end}",
        left.len()
    ));
    for one in left {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        say(&format!("  {}  {}", text("assetId"), text("changedBy")));
    }
    Ok(())
}

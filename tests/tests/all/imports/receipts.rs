//! What a batch says it did is signed by the log's key, as the script in `docs/` tells.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use calotype_tests::binary::finish;
use calotype_tests::{Options, story};
use serde_json::Value;
use tokio::process::Command;

use super::{fill, folder, run, summary};

/// How long the script may take.
const SCRIPT_LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn receipt_is_signed_and_a_changed_one_is_not() -> anyhow::Result<()> {
    story(Options::default(), async |server| {
        let admin = server.client().sign_up().await?;
        let key = admin.create_secret(&["all"]).await?;
        let (photos, home) = (folder(server, "photos"), folder(server, "home"));
        fill(&photos, 3)?;
        let path = photos.to_str().context("an odd folder")?;
        let words = ["import", path, "--json"];
        let done = summary(&run(&server.url(), &key, &home, &words).await?.success()?)?;
        let id = done["batch"].as_str().context("no batch")?;
        let words = ["batches", "receipt", id];
        let receipt = run(&server.url(), &key, &home, &words).await?.success()?.stdout;
        let told: Value = serde_json::from_str(&receipt)?;
        let signed = told["signature"].as_str().context("no signature")?;
        let counts = "\nfiles 3 created 3 duplicates 0\n";
        ensure!(
            signed.contains(&format!("\nimport {id} of ")) && signed.contains(counts),
            "{signed}"
        );
        ensure!(signed.contains(told["digest"].as_str().context("no digest")?), "{signed}");

        let log_key = admin.get_json("/api/calotype/proof/key").await?["key"].clone();
        let log_key = log_key.as_str().context("no key")?;
        let sha1 = told["files"][1]["sha1"].as_str().context("no file")?;
        let other_file = receipt.replacen(sha1, &"0".repeat(40), 1);
        let other_count = receipt.replacen("created 3", "created 4", 1);
        let mut fewer = told.clone();
        fewer["files"].as_array_mut().context("no files")?.pop();
        let unsigned = signed.replacen("created 3", "created 4", 1);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/verify_proof.py");
        let file = folder(server, "receipt");
        for (text, is_good) in [
            (receipt.clone(), true),
            (signed.to_owned(), true),
            (other_file, false),
            (other_count, false),
            (fewer.to_string(), false),
            (unsigned, false),
        ] {
            std::fs::write(&file, &text)?;
            let mut command = Command::new("python3");
            command.arg("-B").arg(&script).args(["--key", log_key.trim()]).arg(&file);
            let done = finish(command, "", SCRIPT_LIMIT).await?;
            ensure!((done.code == Some(0)) == is_good, "{}{}\n{text}", done.stdout, done.stderr);
        }
        admin.wait_until_idle().await
    })
    .await
}

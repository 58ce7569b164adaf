//! The script in `docs/` checks proofs of a real log, and refuses altered ones.

use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use calotype_eventstore::contract::event_id;
use calotype_eventstore::proof::{ConsistencyProof, Hash, InclusionProof};
use serde_json::{Value, json};

use super::support::Proven;

fn hashes(path: &[Hash]) -> Vec<String> {
    path.iter().map(|hash| STANDARD.encode(hash)).collect()
}

/// As the API shows it.
fn inclusion(proof: &InclusionProof) -> Value {
    json!({
        "kind": "inclusion", "eventId": proof.event_id, "position": proof.position,
        "leaf": STANDARD.encode(&proof.leaf), "path": hashes(&proof.path),
        "head": proof.head.text, "key": proof.key,
    })
}

/// As the API shows it.
fn consistency(proof: &ConsistencyProof) -> Value {
    json!({
        "kind": "consistency", "from": proof.from.text, "to": proof.to.text,
        "path": hashes(&proof.path), "key": proof.key,
    })
}

/// Runs the script over a file with the proof.
fn script(folder: &Path, proof: &Value) -> Output {
    let file = folder.join("proof.json");
    std::fs::write(&file, proof.to_string()).expect("a file");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/verify_proof.py");
    Command::new("python3").arg("-B").arg(script).arg(file).output().expect("python3 runs")
}

#[tokio::test]
async fn the_script_believes_true_proofs_and_no_altered_ones() {
    let mut proven = Proven::of(77).await;
    proven.append(523).await;
    proven.sign().await;
    let event = proven.log.inclusion(event_id(300)).await.expect("a proof");
    let heads = proven.log.consistency(77, None).await.expect("a proof");
    let (event, heads) = (inclusion(&event), consistency(&heads));
    let folder = proven.folder.path();
    for proof in [&event, &heads] {
        let said = script(folder, proof);
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    }

    let with = |proof: &Value, field: &str, value: Value| {
        let mut altered = proof.clone();
        altered[field] = value;
        assert_ne!(&altered, proof, "{field}");
        altered
    };
    let cut = |proof: &Value| json!(proof["path"].as_array().expect("a path")[1..]);
    let other = |note: &Value| {
        let note = note.as_str().expect("a head");
        let size = note.lines().nth(1).expect("a size");
        json!(note.replacen(&format!("\n{size}\n"), &format!("\n{size}0\n"), 1))
    };
    let leaf = STANDARD.decode(event["leaf"].as_str().expect("a leaf")).expect("base64");
    let text = String::from_utf8(leaf).expect("text").replace("ThingHappened", "ThingHappeneD");
    let altered = [
        with(&event, "leaf", json!(STANDARD.encode(text))),
        with(&event, "position", json!(302)),
        with(&event, "eventId", json!(event_id(301))),
        with(&event, "path", cut(&event)),
        with(&event, "head", other(&event["head"])),
        with(&heads, "path", cut(&heads)),
        with(&heads, "from", other(&heads["from"])),
        with(&heads, "to", other(&heads["to"])),
        with(&heads, "to", heads["from"].clone()),
    ];
    for proof in altered {
        let said = script(folder, &proof);
        assert!(!said.status.success(), "it believes {proof}");
        assert!(String::from_utf8_lossy(&said.stderr).contains("NOT PROVEN"), "{proof}");
    }
}

//! The script in `docs/` checks proofs of a real log, and refuses altered ones.

use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use calotype_eventstore::contract::event_id;
use calotype_eventstore::proof::{ConsistencyProof, Hash, InclusionProof, ProofKey, sign_receipt};
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
        "head": proof.head.text, "key": proof.key, "rotations": proof.rotations,
    })
}

/// As the API shows it.
fn consistency(proof: &ConsistencyProof) -> Value {
    json!({
        "kind": "consistency", "from": proof.from.text, "to": proof.to.text,
        "path": hashes(&proof.path), "key": proof.key, "rotations": proof.rotations,
    })
}

/// Runs the script over a file with the proof.
fn script(folder: &Path, proof: &Value) -> Output {
    script_with(&[], folder, &proof.to_string())
}

/// The same over any text, behind other words.
fn script_with(words: &[&str], folder: &Path, text: &str) -> Output {
    let file = folder.join("proof.json");
    std::fs::write(&file, text).expect("a file");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/verify_proof.py");
    let mut python = Command::new("python3");
    python.arg("-B").arg(script).args(words).arg(file).output().expect("python3 runs")
}

#[tokio::test]
async fn the_script_follows_keys_and_believes_no_former_one_for_longer() {
    let mut proven = Proven::of(8).await;
    let former = ProofKey::open(proven.keys_dir(), false).expect("the first key");
    let first = proven.log.public_key().await.expect("the first key");
    proven.log.rotate_key("user x").await.expect("a second key");
    proven.append(4).await;
    let by_second = proven.sign().await;
    proven.log.rotate_key("user x").await.expect("a third key");
    proven.append(4).await;
    proven.sign().await;
    let third = proven.log.public_key().await.expect("the third key");
    let stranger = ProofKey::from_seed([7; 32]).public().text(by_second.head.log_id);
    let folder = proven.folder.path();
    for (from, to) in [(8, 12), (8, 16), (12, 16)] {
        let proof = proven.log.consistency(from, Some(to)).await.expect("a proof");
        let proof = consistency(&proof);
        for (key, is_good) in [(&first, true), (&third, true), (&stranger, false)] {
            let said = script_with(&["--key", key], folder, &proof.to_string());
            let error = String::from_utf8_lossy(&said.stderr);
            assert_eq!(said.status.success(), is_good, "{from} to {to} by {key}: {error}");
        }
        let mut unvouched = proof.clone();
        unvouched["rotations"] = json!([]);
        let said = script_with(&["--key", &first], folder, &unvouched.to_string());
        assert!(!said.status.success(), "{from} to {to}");
        let mut forged = proof;
        let head = proven.log.heads().await.expect("heads");
        let head = head.into_iter().find(|it| it.head.size == to).expect("the later head");
        forged["to"] = json!(head.head.sign(&former).text);
        let said = script_with(&["--key", &first], folder, &forged.to_string());
        assert!(!said.status.success(), "a head of {to} by the first key is believed");
    }

    let receipt = sign_receipt(by_second.head.log_id, &["erased user x".to_owned()], &former);
    let keys = folder.join("keys.txt");
    std::fs::write(&keys, proven.log.rotations().await.expect("the chain").join("\n"))
        .expect("a file");
    let keys = keys.to_str().expect("a path");
    for (words, is_good) in [
        (vec!["--key", &first], true),
        (vec!["--key", &third], false),
        (vec!["--key", &third, keys], true),
        (vec!["--key", &stranger, keys], false),
    ] {
        let said = script_with(&words, folder, &receipt);
        let error = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.success(), is_good, "{words:?}: {error}");
    }
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

//! The bucket that originals lie in: whether it answers, and what the access key may do with it.

use calotype_domain::IdGen as _;
use calotype_media::blob::remote::probe;

use super::findings::Findings;
use crate::clock::RandomIds;
use crate::config::Config;
use crate::storage;

pub(super) async fn look(config: &Config, findings: &mut Findings) {
    let place = match storage::place(config) {
        Ok(None) => return,
        Ok(Some(place)) => place,
        Err(error) => return findings.problem(&format!("{error:#}")),
    };
    if place.is_plain() {
        findings.note("the bucket is spoken to without TLS: who is on the way sees every file");
    }
    let tried = match probe(&place, &RandomIds.v4().to_string()).await {
        Ok(tried) => tried,
        Err(error) => return findings.problem(&format!("{error}: {place}")),
    };
    let refused: Vec<String> = tried
        .iter()
        .filter_map(|(right, result)| {
            result.as_ref().err().map(|why| format!("cannot {}: {why}", right.word()))
        })
        .collect();
    if refused.is_empty() {
        let words: Vec<&str> = tried.iter().map(|(right, _)| right.word()).collect();
        findings.good(&format!("the bucket {place} answers; we may {}", words.join(", ")));
    }
    for refusal in refused {
        findings.problem(&format!("in the bucket {place} we {refusal}"));
    }
}

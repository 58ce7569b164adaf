//! Films: facts by ffprobe, one frame by ffmpeg, both limited and without network.

mod avchd;
mod facts;
mod frame;
mod inner;
mod probe;

pub(crate) use frame::frame;
pub(crate) use probe::probe;

use std::{
    fs::File,
    io::{Read, Seek},
};

use crate::metadata::Facts;

/// Types of films in ISO boxes, and in transport streams.
const IN_BOXES: [&str; 4] = ["video/mp4", "video/quicktime", "video/x-m4v", "video/3gpp"];
const IN_PACKETS: [&str; 2] = ["video/m2ts", "video/mp2t"];

/// Whether there is more in a film than ffprobe shows.
pub(crate) fn has_more(mime: &str) -> bool {
    IN_BOXES.contains(&mime) || IN_PACKETS.contains(&mime)
}

/// Completes the facts of a film with what ffprobe does not show. What cannot be read changes
/// nothing.
pub(crate) fn complete(file: &mut File, facts: &mut Facts) {
    match facts.true_mime.as_deref() {
        Some(mime) if IN_PACKETS.contains(&mime) => avchd::complete(file, facts),
        _ => inner::complete(file, facts),
    }
}

/// Everything that is read of a film without ffprobe, for [`crate::fuzz`].
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn completed(film: &mut (impl Read + Seek)) -> Facts {
    let mut facts = Facts::default();
    inner::complete(film, &mut facts);
    avchd::complete(film, &mut facts);
    facts
}

/// What ffprobe answers, for [`crate::fuzz`].
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn read_probed(json: &[u8]) {
    if let Ok(probed) = serde_json::from_slice::<facts::Probed>(json) {
        std::hint::black_box(facts::facts(&probed, "video/mp4"));
    }
}

//! Asks ffprobe about a file.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use super::facts::{Probed, facts};
use crate::{
    decoder::{DecodeError, Outside, OutsideError},
    limits::FFPROBE_BYTES_MAX,
    metadata::Facts,
};

/// Facts of a film.
pub(crate) async fn probe(
    outside: &Outside<'_>,
    source: &Path,
    mime: &str,
) -> Result<Facts, DecodeError> {
    let probed = ask(outside, source).await?;
    Ok(facts(&probed, mime))
}

async fn ask(outside: &Outside<'_>, source: &Path) -> Result<Probed, DecodeError> {
    let input = local_file(source);
    let args: [&OsStr; 10] = [
        "-v".as_ref(),
        "error".as_ref(),
        "-protocol_whitelist".as_ref(),
        "file,pipe".as_ref(),
        "-print_format".as_ref(),
        "json".as_ref(),
        "-show_format".as_ref(),
        "-show_streams".as_ref(),
        "-i".as_ref(),
        input.as_ref(),
    ];
    let output = outside.output(outside.ffprobe(), source, &args, FFPROBE_BYTES_MAX).await;
    let json = output.map_err(|error| match error {
        OutsideError::Refused => DecodeError::corrupt("film cannot be read"),
        OutsideError::Stopped(error) => error,
    })?;
    serde_json::from_slice(&json).map_err(|_| DecodeError::corrupt("film has no readable streams"))
}

/// A path that ffmpeg cannot take for a protocol or an option.
pub(super) fn local_file(source: &Path) -> OsString {
    let mut input = OsString::from("file:");
    input.push(source);
    input
}

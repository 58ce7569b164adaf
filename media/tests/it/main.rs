//! Tests of this room on real files, in one program: linking the codecs once saves minutes.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail as tests do")]

mod blobs;
mod bombs;
mod broken;
mod corpus;
#[cfg(feature = "fuzz")]
mod damage;
mod gazetteer;
mod likeness;
mod pictures;
mod pixels;
mod sandbox;
mod sidecars;
mod streams;
mod support;
mod truth;
mod types;

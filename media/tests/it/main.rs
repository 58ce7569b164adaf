//! Tests of this room on real files, in one program: linking the codecs once saves minutes.

mod blobs;
mod broken;
mod corpus;
mod pictures;
mod sandbox;
mod sidecars;
mod support;
mod types;

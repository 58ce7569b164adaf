//! Immich's HTTP surface.

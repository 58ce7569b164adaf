//! Cross-room tests, benches and soaks.

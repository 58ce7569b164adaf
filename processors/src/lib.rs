//! From JetStream to work to commands.

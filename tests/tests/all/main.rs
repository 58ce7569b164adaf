//! Stories over a running server, and walks over whole libraries.

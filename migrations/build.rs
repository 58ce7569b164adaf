//! Rebuilds the crate when a migration is added or changed.

#[expect(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]
fn main() {
    println!("cargo:rerun-if-changed=.");
}

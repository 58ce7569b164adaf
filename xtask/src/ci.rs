//! Every check that needs no server, cheapest first.
//! It goes on after a failure: one run shows all there is to mend.
//! Tests are called by `./dev test` beside this; clippy, which compiles everything once more, deny and the docs by
//! `./dev check`.

use crate::finding::Finding;
use crate::generated::Mode;
use crate::{dag, openapi, report, schemas, tidy, workspace};

/// Runs all checks, prints each with its time, and says whether all passed.
pub(crate) fn run() -> bool {
    let passed = [
        report::step("fmt", format),
        report::step("tidy", tidy::run),
        report::step("dag", dag::run),
        report::step("schemas", || schemas::run(Mode::Check)),
        report::step("openapi", || openapi::run(Mode::Check)),
    ];
    passed.into_iter().all(|step| step)
}

fn format() -> anyhow::Result<Vec<Finding>> {
    let status = workspace::cargo().args(["fmt", "--all", "--", "--check"]).status()?;
    if status.success() {
        return Ok(Vec::new());
    }
    Ok(vec![Finding::of_file("cargo fmt", "not formatted as above: ./dev fix")])
}

//! Everything this program prints.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool prints")]

use std::time::Instant;

use crate::finding::Finding;

/// Findings shown per step; the rest are counted.
const FINDINGS_SHOWN_MAX: usize = 100;

/// Runs one check, prints what it found and how long it took, and says whether it passed.
pub(crate) fn step(name: &str, check: impl FnOnce() -> anyhow::Result<Vec<Finding>>) -> bool {
    let started = Instant::now();
    let outcome = check();
    let seconds = started.elapsed().as_secs_f64();
    match outcome {
        Ok(findings) if findings.is_empty() => {
            println!("ok    {name:<8} {seconds:6.2} s");
            true
        }
        Ok(findings) => {
            for finding in findings.iter().take(FINDINGS_SHOWN_MAX) {
                println!("{finding}");
            }
            let hidden = findings.len().saturating_sub(FINDINGS_SHOWN_MAX);
            if hidden > 0 {
                println!("and {hidden} more");
            }
            println!("FAIL  {name:<8} {seconds:6.2} s  {} to mend", findings.len());
            false
        }
        Err(error) => {
            println!("ERROR {name:<8} {seconds:6.2} s  {error:#}");
            false
        }
    }
}

/// A remark that is neither success nor failure.
pub(crate) fn note(text: &str) {
    println!("note  {text}");
}

/// How the program is called, for someone who called it otherwise.
pub(crate) fn usage(text: &str) {
    eprintln!("{text}");
}

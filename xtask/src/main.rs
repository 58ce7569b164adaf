//! Checks of the workspace, in Rust, so that they are linted and run wherever cargo does.
//! Called as `cargo xtask <check>`; `./dev` is the door a person uses.
//! It depends on no room of the house: it builds in seconds and still runs when a room does not.

mod arrows;
mod ci;
mod dag;
mod finding;
mod freeze;
mod generated;
mod openapi;
mod report;
mod schemas;
mod tidy;
mod workspace;

use std::process::ExitCode;

use generated::Mode;

const USAGE: &str = "usage: cargo xtask <check>

  ci                             all of the below, and cargo fmt --check
  tidy                           house rules that no compiler knows
  dag                            dependencies between rooms are the drawn ones
  schemas [--check | --write]    schemas/events is what the code generates; released ones are untouched
  openapi [--check | --write]    schemas/openapi.json is what the code generates";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    Ci,
    Tidy,
    Dag,
    Schemas(Mode),
    Openapi(Mode),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some(task) = parse(&arguments) else {
        report::usage(USAGE);
        return ExitCode::from(2);
    };
    let passed = match task {
        Task::Ci => ci::run(),
        Task::Tidy => report::step("tidy", tidy::run),
        Task::Dag => report::step("dag", dag::run),
        Task::Schemas(mode) => report::step("schemas", || schemas::run(mode)),
        Task::Openapi(mode) => report::step("openapi", || openapi::run(mode)),
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn parse(arguments: &[&str]) -> Option<Task> {
    match arguments {
        ["ci"] => Some(Task::Ci),
        ["tidy"] => Some(Task::Tidy),
        ["dag"] => Some(Task::Dag),
        ["schemas", mode @ ..] => parse_mode(mode).map(Task::Schemas),
        ["openapi", mode @ ..] => parse_mode(mode).map(Task::Openapi),
        _ => None,
    }
}

fn parse_mode(arguments: &[&str]) -> Option<Mode> {
    match arguments {
        [] | ["--check"] => Some(Mode::Check),
        ["--write"] => Some(Mode::Write),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checking_is_what_happens_unless_writing_is_asked_for() {
        assert_eq!(parse(&["schemas"]), Some(Task::Schemas(Mode::Check)));
        assert_eq!(parse(&["openapi", "--check"]), Some(Task::Openapi(Mode::Check)));
        assert_eq!(parse(&["openapi", "--write"]), Some(Task::Openapi(Mode::Write)));
    }

    #[test]
    fn unknown_words_are_refused() {
        assert_eq!(parse(&[]), None);
        assert_eq!(parse(&["tidyy"]), None);
        assert_eq!(parse(&["dag", "--write"]), None);
        assert_eq!(parse(&["schemas", "--wriet"]), None);
    }
}

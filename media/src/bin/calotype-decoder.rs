//! The decoder as a program of its own, for tests and for tools; the server has it as a subcommand.

use std::process::ExitCode;

fn main() -> ExitCode {
    calotype_media::decoder::decoder_main(std::env::args_os().skip(1))
}

//! How well children that open foreign files are locked in here, told at the start and by `doctor`.

use std::error::Error;
use std::process::Command;

use calotype_media::decoder::{Attempt, Confinement, Walls, examine};
use calotype_media::limits::FFMPEG_MEMORY_BYTES;
use tracing::{debug, warn};

use crate::wiring::decoder_config;

/// What `calotype doctor` says of it.
pub(crate) enum Verdict {
    /// Nothing can be done that may not be done.
    Whole(String),
    /// Something can; the server works all the same.
    Open(String),
    /// The children could not be asked.
    Unknown(String),
}

/// Warns where something can be done that may not be done. The server goes on: a kernel without
/// these locks is its operator's choice.
pub(crate) async fn warn_if_open() {
    match verdict().await {
        Verdict::Whole(words) => debug!("{words}"),
        Verdict::Open(words) | Verdict::Unknown(words) => warn!("{words}"),
    }
}

/// Lets children try what they may not do.
pub(crate) async fn verdict() -> Verdict {
    let config = match decoder_config() {
        Ok(config) => config,
        Err(error) => return Verdict::Unknown(format!("decoders cannot be asked: {error}")),
    };
    match examine(&config).await {
        Ok(confinement) if confinement.is_whole() => Verdict::Whole(
            "foreign files are opened in children without network, files and programs".to_owned(),
        ),
        Ok(confinement) => Verdict::Open(words(&confinement)),
        Err(error) => {
            let cause = error.source().map(|it| format!(": {it}")).unwrap_or_default();
            Verdict::Unknown(format!("decoders cannot be asked: {error}{cause}"))
        }
    }
}

/// What starts other programs as limited as the server does; their words come behind it.
///
/// # Errors
/// When this program cannot find itself.
pub(crate) fn launcher() -> anyhow::Result<Command> {
    let config = decoder_config()?;
    let mut command = Command::new(config.program);
    let memory = FFMPEG_MEMORY_BYTES.to_string();
    command.args(config.args).args(["--memory", &memory, "--exec"]);
    Ok(command)
}

fn words(confinement: &Confinement) -> String {
    let list = |could: &[Attempt]| could.iter().map(|it| it.words()).collect::<Vec<_>>().join(", ");
    let mut words = Vec::new();
    if !confinement.decoder.is_empty() {
        words.push(format!("a decoder could {}", list(&confinement.decoder)));
    }
    if !confinement.programs.is_empty() {
        words.push(format!("ffmpeg could {}", list(&confinement.programs)));
    }
    match confinement.walls {
        Walls::None => words.push("the kernel has no Landlock (Linux 5.13)".to_owned()),
        Walls::InPart => words.push("the kernel has an older Landlock (before 6.12)".to_owned()),
        Walls::Whole => {}
    }
    if !confinement.filtered {
        words.push("the kernel, or the container, refuses seccomp filters".to_owned());
    }
    format!("foreign files are not locked in wholly: {}", words.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_named_with_its_reason() {
        let confinement = Confinement {
            filtered: true,
            walls: Walls::None,
            decoder: vec![Attempt::ReadAnyFile],
            programs: vec![Attempt::ReadAnyFile, Attempt::WriteAnyFile],
        };
        assert_eq!(
            words(&confinement),
            "foreign files are not locked in wholly: a decoder could read any file; \
             ffmpeg could read any file, write files anywhere; \
             the kernel has no Landlock (Linux 5.13)"
        );
    }
}

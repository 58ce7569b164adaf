//! Other programs on foreign bytes: started through `decoder --exec`, which limits them first.

use std::{
    ffi::{OsStr, OsString},
    io,
    path::Path,
    process::Stdio,
};

use tokio::{
    io::AsyncReadExt as _,
    process::{Child, Command},
    time::timeout,
};

use super::{DecodeError, PoolConfig};
use crate::limits::{FFMPEG_CPU_SECONDS, FFMPEG_MEMORY_BYTES, FFMPEG_TIMEOUT};

/// Starts programs with the limits of a decoder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outside<'a> {
    config: &'a PoolConfig,
}

/// Why a program gave nothing.
#[derive(Debug)]
pub(crate) enum OutsideError {
    /// It ran and refused the file.
    Refused,
    /// It could not be run, or ran into a limit.
    Stopped(DecodeError),
}

impl<'a> Outside<'a> {
    pub(crate) fn new(config: &'a PoolConfig) -> Self {
        Self { config }
    }

    pub(crate) fn ffprobe(self) -> &'a Path {
        &self.config.ffprobe
    }

    pub(crate) fn ffmpeg(self) -> &'a Path {
        &self.config.ffmpeg
    }

    pub(crate) fn dcraw(self) -> &'a Path {
        &self.config.dcraw
    }

    /// Runs a program that reads a file, and gives its stdout, up to `bytes_max`.
    pub(crate) async fn output(
        &self,
        program: &Path,
        source: &Path,
        args: &[&OsStr],
        bytes_max: usize,
    ) -> Result<Vec<u8>, OutsideError> {
        let mut child = self.spawn(program, source, args).map_err(|error| {
            OutsideError::Stopped(DecodeError::unavailable("program cannot be started", &error))
        })?;
        let mut output = Vec::new();
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
        let run = async {
            if let Some(stdout) = child.stdout.take() {
                stdout.take(limit).read_to_end(&mut output).await?;
            }
            // More than the limit: the program blocks on its pipe and is ended here.
            if output.len() > bytes_max {
                child.start_kill()?;
            }
            child.wait().await
        };
        let status = match timeout(FFMPEG_TIMEOUT, run).await {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => {
                let error = DecodeError::unavailable("program cannot be read", &error);
                return Err(OutsideError::Stopped(error));
            }
            Err(_) => {
                child.start_kill().unwrap_or_default();
                return Err(OutsideError::Stopped(DecodeError::TimedOut));
            }
        };
        if output.len() > bytes_max {
            let what = "output of a program".to_owned();
            return Err(OutsideError::Stopped(DecodeError::TooLarge { what }));
        }
        match status.code() {
            Some(0) => Ok(output),
            Some(127) => {
                let reason = format!("{} is not installed", program.display());
                Err(OutsideError::Stopped(DecodeError::Unavailable { reason }))
            }
            _ => Err(OutsideError::Refused),
        }
    }

    fn spawn(self, program: &Path, source: &Path, args: &[&OsStr]) -> io::Result<Child> {
        let limits = [
            "--memory",
            &FFMPEG_MEMORY_BYTES.to_string(),
            "--cpu",
            &FFMPEG_CPU_SECONDS.to_string(),
        ]
        .map(OsString::from);
        Command::new(&self.config.program)
            .args(&self.config.args)
            .args(limits)
            .arg("--read")
            .arg(source)
            .arg("--exec")
            .arg(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
    }
}

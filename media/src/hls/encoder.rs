//! One running encoder: how far it is, held when it is too far ahead, ended when it is dropped.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;

/// How many segments an encoder may be ahead of its player before it is held, and how few before it
/// goes on: half a minute, and 16 seconds.
pub(super) const AHEAD_MAX: u64 = 15;
const AHEAD_MIN: u64 = 8;

/// How far behind a wanted segment the encoder may be for the player to wait for it.
const WORTH_WAITING: u64 = 4;

/// A running encoder. Dropped, its child is killed, held or not.
#[derive(Debug)]
pub(super) struct Encoder {
    child: Child,
    folder: PathBuf,
    /// Which variant it makes.
    pub(super) variant: usize,
    /// Its first segment.
    first: u64,
    /// The segment that it makes now.
    next: u64,
    is_held: bool,
}

/// How an encoder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// At work.
    Running,
    /// Came to the end of the film.
    Finished,
    /// Gave up.
    Failed,
}

impl Encoder {
    pub(super) fn new(child: Child, folder: PathBuf, variant: usize, first: u64) -> Self {
        Self { child, folder, variant, first, next: first, is_held: false }
    }

    /// Whether waiting for a segment is better than beginning at it.
    pub(super) fn will_make(&mut self, number: u64) -> bool {
        self.look();
        if number < self.next {
            // What was played long ago is gone, and is not made again by this run.
            number >= self.first && segment(&self.folder, number).exists()
        } else {
            number < self.next.saturating_add(WORTH_WAITING)
        }
    }

    /// Whether its first segment, and with it what stands before all segments, is whole.
    pub(super) fn has_begun(&mut self) -> bool {
        self.look();
        self.next > self.first
    }

    pub(super) fn state(&mut self) -> State {
        match self.child.try_wait() {
            Ok(None) => State::Running,
            Ok(Some(status)) if status.success() => State::Finished,
            Ok(Some(_)) | Err(_) => State::Failed,
        }
    }

    /// Holds it when it is too far ahead of a player at a segment; lets it go on when it is not.
    pub(super) fn keep_pace(&mut self, playing: u64) {
        self.look();
        let ahead = self.next.saturating_sub(playing);
        let wish = if self.is_held { ahead >= AHEAD_MIN } else { ahead > AHEAD_MAX };
        if wish == self.is_held {
            return;
        }
        let signal = if wish { Signal::STOP } else { Signal::CONT };
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if pid.is_some_and(|pid| kill_process(pid, signal).is_ok()) {
            self.is_held = wish;
        }
    }

    #[cfg(test)]
    pub(super) fn is_held(&self) -> bool {
        self.is_held
    }

    /// Segments take their names when they are whole.
    fn look(&mut self) {
        while segment(&self.folder, self.next).exists() {
            self.next += 1;
        }
    }
}

/// Where a segment lies.
pub(super) fn segment(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("seg_{number}.m4s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn encoder_is_held_when_it_is_far_ahead_and_goes_on_when_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let child =
            tokio::process::Command::new("sleep").arg("60").kill_on_drop(true).spawn().unwrap();
        let mut encoder = Encoder::new(child, folder.path().to_owned(), 0, 10);
        assert!(!encoder.has_begun());
        for number in 10..30 {
            std::fs::write(segment(folder.path(), number), b"x").unwrap();
        }
        assert!(encoder.has_begun());
        encoder.keep_pace(10);
        assert!(encoder.is_held());
        encoder.keep_pace(20);
        assert!(encoder.is_held());
        encoder.keep_pace(25);
        assert!(!encoder.is_held());
        assert!(encoder.will_make(33) && !encoder.will_make(34) && !encoder.will_make(9));
        std::fs::remove_file(segment(folder.path(), 12)).unwrap();
        assert!(!encoder.will_make(12) && encoder.will_make(13));
        assert_eq!(encoder.state(), State::Running);
    }
}

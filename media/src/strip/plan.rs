//! The pieces of a file that are sent, and reading them as if they were a file.

use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;

use serde::{Deserialize, Serialize};

use crate::blob::BlobFile;

/// Pieces of one plan; a file that needs more is not told apart.
const PIECES_MAX: usize = 100_000;

/// Largest plan that is handed over, in bytes.
const PLAN_BYTES_MAX: usize = 16 << 20;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Piece {
    /// Bytes of the file.
    Keep { first: u64, length: u64 },
    /// Other bytes.
    Put(Vec<u8>),
    /// Zeros in the place of what was there.
    Zeros(u64),
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Self::Keep { length, .. } | Self::Zeros(length) => *length,
            Self::Put(bytes) => u64::try_from(bytes.len()).unwrap_or_default(),
        }
    }
}

/// What to send of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pieces: Vec<Piece>,
    length: u64,
}

impl Plan {
    /// How many bytes are sent.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Reads the pieces of `file`, from its start.
    #[must_use]
    pub fn read(self, file: impl Into<BlobFile>) -> Stripped {
        Stripped { plan: self, file: file.into(), piece: 0, done: 0 }
    }

    /// As bytes, for another process.
    pub(crate) fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let bytes = serde_json::to_vec(&self.pieces)?;
        if bytes.len() > PLAN_BYTES_MAX { Err(super::malformed()) } else { Ok(bytes) }
    }

    /// From bytes that another process made, which a file may have taken over: it can name any pieces of that
    /// file, and no more of them than may be.
    pub(crate) fn from_bytes(bytes: &[u8]) -> io::Result<Self> {
        if bytes.len() > PLAN_BYTES_MAX {
            return Err(super::malformed());
        }
        let pieces: Vec<Piece> = serde_json::from_slice(bytes)?;
        let mut plan = Self::default();
        for piece in pieces {
            if let Piece::Keep { first, length } = &piece {
                first.checked_add(*length).ok_or_else(super::malformed)?;
            }
            plan.add(piece)?;
        }
        Ok(plan)
    }

    pub(super) fn keep(&mut self, first: u64, length: u64) -> io::Result<()> {
        if let Some(Piece::Keep { first: before, length: so_far }) = self.pieces.last_mut()
            && *before + *so_far == first
        {
            *so_far += length;
            self.length += length;
            return Ok(());
        }
        self.add(Piece::Keep { first, length })
    }

    pub(super) fn put(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        self.add(Piece::Put(bytes))
    }

    pub(super) fn zeros(&mut self, length: u64) -> io::Result<()> {
        self.add(Piece::Zeros(length))
    }

    fn add(&mut self, piece: Piece) -> io::Result<()> {
        if self.pieces.len() >= PIECES_MAX {
            return Err(super::malformed());
        }
        self.length = self.length.checked_add(piece.length()).ok_or_else(super::malformed)?;
        self.pieces.push(piece);
        Ok(())
    }
}

/// A file as a [`Plan`] shows it.
#[derive(Debug)]
pub struct Stripped {
    plan: Plan,
    file: BlobFile,
    /// The piece it is in, and how much of that was read.
    piece: usize,
    done: u64,
}

impl Stripped {
    /// Passes over the first bytes.
    pub fn skip(&mut self, mut bytes: u64) {
        while let Some(piece) = self.plan.pieces.get(self.piece) {
            let left = piece.length() - self.done;
            if bytes < left {
                self.done += bytes;
                return;
            }
            bytes -= left;
            self.piece += 1;
            self.done = 0;
        }
    }
}

impl Read for Stripped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(piece) = self.plan.pieces.get(self.piece) else { return Ok(0) };
            let left = piece.length() - self.done;
            if left == 0 {
                self.piece += 1;
                self.done = 0;
                continue;
            }
            let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let Some(room) = buffer.get_mut(..room) else { return Ok(0) };
            let count = match piece {
                Piece::Keep { first, .. } => {
                    // By place: who planned still has the same file, and may move where that is read.
                    self.file.read_at(room, first + self.done)?
                }
                Piece::Put(bytes) => {
                    let from = usize::try_from(self.done).unwrap_or(usize::MAX);
                    let bytes = bytes.get(from..).unwrap_or_default();
                    let bytes = bytes.get(..room.len()).unwrap_or(bytes);
                    room[..bytes.len()].copy_from_slice(bytes);
                    bytes.len()
                }
                Piece::Zeros(_) => {
                    room.fill(0);
                    room.len()
                }
            };
            if count == 0 && !room.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.done += u64::try_from(count).unwrap_or_default();
            return Ok(count);
        }
    }
}

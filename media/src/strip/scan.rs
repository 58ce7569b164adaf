//! Reading through a file by position, without holding it.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};

/// Bytes read at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// A place in a file.
pub(super) struct Scan<'a> {
    file: BufReader<&'a File>,
    position: u64,
    length: u64,
}

impl<'a> Scan<'a> {
    /// At the start of a file.
    pub(super) fn of(file: &'a File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let mut file = BufReader::with_capacity(BUFFER_BYTES, file);
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { file, position: 0, length })
    }

    /// Where it is.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// How long the file is.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// Goes to a place.
    pub(super) fn to(&mut self, position: u64) -> io::Result<()> {
        let ahead = i64::try_from(position).ok().zip(i64::try_from(self.position).ok());
        match ahead {
            Some((to, from)) => self.file.seek_relative(to - from)?,
            None => return Err(super::malformed()),
        }
        self.position = position;
        Ok(())
    }

    /// Goes on by so many bytes; past the end is an error.
    pub(super) fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let position = self.position.checked_add(bytes).ok_or_else(super::malformed)?;
        if position > self.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.to(position)
    }

    /// Reads as many bytes as fit.
    pub(super) fn exactly(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.file.read_exact(bytes)?;
        self.position += u64::try_from(bytes.len()).unwrap_or_default();
        Ok(())
    }

    /// Reads an array.
    pub(super) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.exactly(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads one byte.
    pub(super) fn byte(&mut self) -> io::Result<u8> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// Reads some bytes; more than `bytes_max` is an error.
    pub(super) fn bytes(&mut self, count: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
        let count = usize::try_from(count).ok().filter(|count| *count <= bytes_max);
        let mut bytes = vec![0; count.ok_or_else(super::malformed)?];
        self.exactly(&mut bytes)?;
        Ok(bytes)
    }
}

//! Files are handed to a child open, over the socket that is its stdin.
//!
//! So a child reads the files of its job and no others: it needs no right on any folder, and a
//! decoder that a file has taken over finds nothing else to open.

use std::{
    fs::{File, OpenOptions},
    io::{self, IoSlice, IoSliceMut, Read as _},
    mem::MaybeUninit,
    os::{
        fd::{AsFd as _, BorrowedFd},
        unix::fs::OpenOptionsExt as _,
    },
    path::PathBuf,
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use tokio::{
    io::{AsyncWriteExt as _, Interest},
    net::UnixStream,
};

use super::{DecodeError, protocol::HEADER_BYTES};

/// Files that go with one request: an original and its sidecar.
const FILES_MAX: usize = 2;

/// Opens a file for a child. Pipes and devices are not opened, whatever name leads to them.
pub(super) async fn open(path: PathBuf) -> Result<File, DecodeError> {
    let opened = tokio::task::spawn_blocking(move || {
        // Without waiting: a named pipe would wait for somebody who writes.
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(io::Error::from(io::ErrorKind::InvalidInput))
        }
    });
    match opened.await {
        Ok(opened) => opened.map_err(|error| super::job::unreadable(&error)),
        Err(ended) => Err(DecodeError::unavailable("file was not opened", &ended)),
    }
}

/// The same for what may as well be missing.
pub(super) async fn open_if_there(path: Option<PathBuf>) -> Option<File> {
    match path {
        Some(path) => open(path).await.ok(),
        None => None,
    }
}

/// Writes a message; the files go with its first bytes.
pub(super) async fn send(
    socket: &mut UnixStream,
    message: &[u8],
    files: &[File],
) -> io::Result<()> {
    let handles: Vec<BorrowedFd<'_>> = files.iter().map(|it| it.as_fd()).collect();
    let sent = socket
        .async_io(Interest::WRITABLE, || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES_MAX))];
            let mut beside = SendAncillaryBuffer::new(&mut space);
            if !handles.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(&handles)) {
                return Err(io::Error::other("too many files for one request"));
            }
            let bytes = [IoSlice::new(message)];
            Ok(sendmsg(&*socket, &bytes, &mut beside, SendFlags::NOSIGNAL)?)
        })
        .await?;
    socket.write_all(message.get(sent..).unwrap_or_default()).await
}

/// Waits for the beginning of a message. `None` when there will be no more.
pub(super) fn receive(socket: &mut File) -> io::Result<Option<([u8; HEADER_BYTES], Vec<File>)>> {
    let mut header = [0; HEADER_BYTES];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES_MAX))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let came = recvmsg(&*socket, &mut [IoSliceMut::new(&mut header)], &mut beside, flags)?.bytes;
    if came == 0 {
        return Ok(None);
    }
    let mut files = Vec::new();
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(handles) = message {
            files.extend(handles.map(File::from));
        }
    }
    socket.read_exact(header.get_mut(came..).unwrap_or_default())?;
    Ok(Some((header, files)))
}

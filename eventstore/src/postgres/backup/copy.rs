//! Tables as binary copies, piece by piece.

use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use sqlx::postgres::PgConnection;
use tokio::sync::mpsc;

use crate::backup::{Frame, Table};
use crate::error::StoreError;

/// Rows are gathered to pieces of this many bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// Sends what a query finds, as rows of a table. The query's words are our own, never a person's.
///
/// # Errors
/// The database refuses, or [`StoreError::Closed`] where nobody takes frames any more. The connection is of no use then.
pub async fn copy_out(
    db: &mut PgConnection,
    table: Table,
    query: &str,
    frames: &mpsc::Sender<Frame>,
) -> Result<(), StoreError> {
    let failed = || StoreError::database("copy rows out of the database");
    let statement = format!("copy ({query}) to stdout (format binary)");
    let mut rows = db.copy_out_raw(&statement).await.map_err(failed())?;
    send(frames, Frame::Table(table)).await?;
    let mut piece = BytesMut::with_capacity(PIECE_BYTES);
    while let Some(bytes) = rows.try_next().await.map_err(failed())? {
        piece.extend_from_slice(&bytes);
        if piece.len() >= PIECE_BYTES {
            send(frames, Frame::Rows(piece.split().freeze())).await?;
        }
    }
    if piece.is_empty() { Ok(()) } else { send(frames, Frame::Rows(piece.freeze())).await }
}

/// Takes the frames of one copy into a table, whose name and columns were looked at, and returns the frame after
/// them.
///
/// # Errors
/// The database refuses.
pub async fn copy_in(
    db: &mut PgConnection,
    into: &str,
    columns: &[String],
    frames: &mut mpsc::Receiver<Frame>,
) -> Result<Option<Frame>, StoreError> {
    let failed = || StoreError::database("copy rows into the database");
    let columns = columns.join(", ");
    let statement = format!("copy {into} ({columns}) from stdin (format binary)");
    let mut copy = db.copy_in_raw(&statement).await.map_err(failed())?;
    let next = loop {
        match frames.recv().await {
            Some(Frame::Rows(bytes)) => {
                copy.send(bytes).await.map_err(failed())?;
            }
            other => break other,
        }
    };
    copy.finish().await.map_err(failed())?;
    Ok(next)
}

pub(super) async fn send(frames: &mpsc::Sender<Frame>, frame: Frame) -> Result<(), StoreError> {
    frames.send(frame).await.map_err(|_| StoreError::Closed)
}

pub(super) fn attachment(bytes: Vec<u8>) -> Frame {
    Frame::Attachment(Bytes::from(bytes))
}

//! Gathers concurrent appends into batches: while one batch commits, the calls of the next one gather.
//!
//! Of calls that touch the same stream only one is under way at a time, in the order they came.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::append::Writer;
use super::call::Call;
use super::store::{PostgresOptions, Shared};
use crate::stream::StreamId;

/// Calls that wait, and the streams that are being written.
struct Gathering {
    waiting: VecDeque<Call>,
    busy: HashSet<StreamId>,
    /// How many calls are being written.
    under_way_count: usize,
    options: PostgresOptions,
}

/// Writes what comes until `stop`, then what still waits.
pub(super) async fn run(
    shared: Arc<Shared>,
    mut calls: mpsc::Receiver<Call>,
    options: PostgresOptions,
    stop: CancellationToken,
) {
    let connect_options = shared.pool.connect_options();
    let mut idle: Vec<Writer> =
        (0..options.writers.max(1)).map(|_| Writer::new(&connect_options)).collect();
    let mut writing: JoinSet<Written> = JoinSet::new();
    let mut gathering =
        Gathering { waiting: VecDeque::new(), busy: HashSet::new(), under_way_count: 0, options };
    let mut open = true;

    while open || !gathering.waiting.is_empty() || !writing.is_empty() {
        while gathering.has_room()
            && let Ok(call) = calls.try_recv()
        {
            gathering.waiting.push_back(call);
        }
        while let Some(writer) = idle.pop() {
            let batch = gathering.take_batch();
            if batch.is_empty() {
                idle.push(writer);
                break;
            }
            writing.spawn(write(Arc::clone(&shared), writer, batch));
        }
        tokio::select! {
            biased;
            Some(written) = writing.join_next(), if !writing.is_empty() => {
                match written {
                    Ok(written) => {
                        gathering.put_down(&written);
                        idle.push(written.writer);
                    }
                    // Its callers know; what it was writing is cleared when nothing is under way.
                    Err(error) => {
                        tracing::error!(error = %error, "a batch of appends broke off");
                        idle.push(Writer::new(&connect_options));
                    }
                }
                if writing.is_empty() {
                    gathering.busy.clear();
                    gathering.under_way_count = 0;
                }
            }
            call = calls.recv(), if open && gathering.has_room() => match call {
                Some(call) => gathering.waiting.push_back(call),
                None => open = false,
            },
            () = stop.cancelled(), if open && !calls.is_closed() => calls.close(),
        }
    }
}

/// A batch that was answered.
struct Written {
    writer: Writer,
    stream_ids: Vec<StreamId>,
    calls_count: usize,
}

async fn write(shared: Arc<Shared>, mut writer: Writer, batch: Vec<Call>) -> Written {
    let streams = batch.iter().flat_map(|call| &call.streams);
    let stream_ids = streams.map(|stream| stream.stream_id.clone()).collect();
    let calls_count = batch.len();
    writer.write(batch).await;
    shared.outbox.notify_one();
    if !shared.sequences_here.load(Ordering::Relaxed) {
        writer.ring_outbox().await;
    }
    Written { writer, stream_ids, calls_count }
}

impl Gathering {
    fn has_room(&self) -> bool {
        self.waiting.len() < self.options.appends_waiting_max.max(1)
    }

    /// The calls that can be written together now, oldest first; their streams are busy from here on.
    ///
    /// None while fewer wait than are being written: a commit costs the same for one as for many, and
    /// those who are answered soon come back to join.
    fn take_batch(&mut self) -> Vec<Call> {
        let mut batch: Vec<Call> = Vec::new();
        if self.waiting.len() < self.under_way_count {
            return batch;
        }
        let mut left = VecDeque::with_capacity(self.waiting.len());
        let mut passed_over: HashSet<StreamId> = HashSet::new();
        let mut size_bytes = 0;
        while let Some(call) = self.waiting.pop_front() {
            let full = batch.len() >= self.options.batch_appends_max
                || !batch.is_empty()
                    && size_bytes + call.size_bytes > self.options.batch_size_bytes_max;
            if full {
                left.push_back(call);
                break;
            }
            let must_wait = call.streams.iter().any(|stream| {
                self.busy.contains(&stream.stream_id) || passed_over.contains(&stream.stream_id)
            });
            if must_wait {
                passed_over.extend(call.streams.iter().map(|stream| stream.stream_id.clone()));
                left.push_back(call);
                continue;
            }
            self.busy.extend(call.streams.iter().map(|stream| stream.stream_id.clone()));
            size_bytes += call.size_bytes;
            batch.push(call);
        }
        left.append(&mut self.waiting);
        self.waiting = left;
        self.under_way_count += batch.len();
        batch
    }

    fn put_down(&mut self, written: &Written) {
        self.under_way_count = self.under_way_count.saturating_sub(written.calls_count);
        for stream_id in &written.stream_ids {
            self.busy.remove(stream_id);
        }
    }
}

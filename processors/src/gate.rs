//! Holds the processors off while the log is emptied under them: who is inside finishes first, nobody else begins.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::error::ProcessorError;

/// How long work that was given up for a closed gate waits.
const CLOSED_WAIT: Duration = Duration::from_secs(1);

/// Where every piece of work goes in and out. Cheap to clone; clones are one gate.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<watch::Sender<State>>);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    is_closed: bool,
    inside: usize,
}

/// Somebody still works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{inside} pieces of work did not end in time")]
pub struct StillWorking {
    /// How many.
    pub inside: usize,
}

impl Gate {
    /// Goes in; `None` while it is closed. Work inside of other work goes in once.
    #[must_use]
    pub fn enter(&self) -> Option<Inside> {
        let is_in = self.0.send_if_modified(|state| {
            state.inside += usize::from(!state.is_closed);
            !state.is_closed
        });
        is_in.then(|| Inside(Self::clone(self)))
    }

    /// Goes in as soon as it is open.
    pub async fn enter_when_open(&self) -> Inside {
        let mut state = self.0.subscribe();
        loop {
            if let Some(inside) = self.enter() {
                return inside;
            }
            // The sender lives as long as this does.
            drop(state.wait_for(|state| !state.is_closed).await);
        }
    }

    /// Goes in as soon as it is open; `None` when whoever waits is to stop.
    pub async fn enter_unless(&self, cancel: &CancellationToken) -> Option<Inside> {
        tokio::select! {
            () = cancel.cancelled() => None,
            inside = self.enter_when_open() => Some(inside),
        }
    }

    /// Whether work inside should come to an end.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.borrow().is_closed
    }

    /// Closes it and waits until everybody is out. It opens again when what is answered is dropped.
    ///
    /// # Errors
    /// [`StillWorking`] after `limit`; then it is open again.
    pub async fn close(&self, limit: Duration) -> Result<Closed, StillWorking> {
        self.0.send_modify(|state| state.is_closed = true);
        let closed = Closed(Self::clone(self));
        let mut state = self.0.subscribe();
        let everybody_is_out = state.wait_for(|state| state.inside == 0);
        match tokio::time::timeout(limit, everybody_is_out).await {
            Ok(_) => Ok(closed),
            Err(_) => Err(StillWorking { inside: self.0.borrow().inside }),
        }
    }

    /// What comes of something long that may be given up without harm, such as a child process.
    ///
    /// # Errors
    /// [`ProcessorError::NotYet`] when the gate was closed meanwhile.
    pub(crate) async fn unless_closed<T>(
        &self,
        long: impl Future<Output = T>,
    ) -> Result<T, ProcessorError> {
        let mut state = self.0.subscribe();
        tokio::select! {
            done = long => Ok(done),
            _ = state.wait_for(|state| state.is_closed) => {
                Err(ProcessorError::NotYet { after: CLOSED_WAIT })
            }
        }
    }
}

/// A piece of work that is inside until this is dropped.
#[derive(Debug)]
pub struct Inside(Gate);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.inside -= 1);
    }
}

/// The gate is closed until this is dropped.
#[derive(Debug)]
pub struct Closed(Gate);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.is_closed = false);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    #[tokio::test]
    async fn closing_waits_for_those_inside_and_lets_nobody_in() {
        let gate = Gate::default();
        let (one, two) = (gate.enter(), gate.enter());
        let mut closing = Box::pin(gate.close(LONG));
        assert!((&mut closing).now_or_never().is_none());
        assert!(gate.is_closed() && gate.enter().is_none());
        drop(one);
        assert!((&mut closing).now_or_never().is_none());
        drop(two);
        let closed = closing.await.unwrap();
        let mut later = Box::pin(gate.enter_when_open());
        assert!((&mut later).now_or_never().is_none());
        drop(closed);
        drop(later.await);
        assert!(gate.enter().is_some());
    }

    #[tokio::test]
    async fn a_gate_that_cannot_be_closed_in_time_is_open_again() {
        let gate = Gate::default();
        let inside = gate.enter();
        let closed = gate.close(Duration::ZERO).await;
        assert_eq!(closed.unwrap_err(), StillWorking { inside: 1 });
        assert!(gate.enter().is_some());
        drop(inside);
    }

    #[tokio::test]
    async fn long_work_is_given_up_when_the_gate_closes() {
        let gate = Gate::default();
        assert_eq!(gate.unless_closed(std::future::ready(7)).await.unwrap(), 7);
        let mut long = Box::pin(gate.unless_closed(std::future::pending::<()>()));
        assert!((&mut long).now_or_never().is_none());
        let closed = gate.close(LONG).await.unwrap();
        assert!(matches!(long.await, Err(ProcessorError::NotYet { .. })));
        drop(closed);
    }
}

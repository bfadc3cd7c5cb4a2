//! Where requests to one service wait for their turn.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::window::Window;

/// Lets as many requests through at once as the service is seen to take.
#[derive(Debug)]
pub struct Gate {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    window: Window,
    under_way: usize,
}

/// How a request ended, as far as the gate has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was answered.
    Well,
    /// The service throttled it.
    Throttled,
}

/// The right to have one request under way.
#[derive(Debug)]
pub struct Pass<'a> {
    gate: &'a Gate,
    epoch: u64,
}

impl Gate {
    /// Lets at most so many through.
    pub fn new(most: u32) -> Self {
        Gate { state: Mutex::new(State { window: Window::new(most), under_way: 0 }), freed: Notify::new() }
    }

    /// Waits until there is room.
    pub async fn enter(&self) -> Pass<'_> {
        loop {
            // Made before the look, so that whoever leaves in between is noticed.
            let freed = self.freed.notified();
            if let Some(pass) = self.try_enter() {
                return pass;
            }
            freed.await;
        }
    }

    fn try_enter(&self) -> Option<Pass<'_>> {
        let mut state = self.state();
        if state.under_way >= state.window.limit() {
            return None;
        }
        state.under_way += 1;
        Some(Pass { gate: self, epoch: state.window.epoch() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// Says how the request ended. One that is dropped without a word teaches nothing.
    pub fn ended(self, how: Ended) {
        let mut state = self.gate.state();
        match how {
            Ended::Well => state.window.succeeded(),
            Ended::Throttled => state.window.throttled(self.epoch),
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.gate.state().under_way -= 1;
        self.gate.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn no_more_than_the_window_are_under_way() {
        let gate = Gate::new(4);
        let (now, most) = (Cell::new(0), Cell::new(0));
        let run = async |ended: Ended| {
            let pass = gate.enter().await;
            now.set(now.get() + 1);
            most.set(most.get().max(now.get()));
            tokio::task::yield_now().await;
            now.set(now.get() - 1);
            pass.ended(ended);
        };
        join_all((0..40).map(|_| run(Ended::Well))).await;
        assert_eq!(most.replace(0), 4);
        run(Ended::Throttled).await;
        run(Ended::Throttled).await;
        join_all((0..2).map(|_| run(Ended::Well))).await;
        assert_eq!(most.get(), 1);
    }
}

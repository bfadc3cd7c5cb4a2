//! What follows a push by itself: it happens a little after the answer has gone out, one thing after the other.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// How long it takes at least, so that those who ask see that it is under way.
const TAKES: Duration = Duration::from_millis(300);

/// Where work is left for later.
pub struct Later<T>(mpsc::UnboundedSender<(Instant, T)>);

/// The work that waits.
pub struct Waiting<T>(mpsc::UnboundedReceiver<(Instant, T)>);

impl<T> Later<T> {
    /// Begins without any.
    pub fn new() -> (Self, Waiting<T>) {
        let (work, waiting) = mpsc::unbounded_channel();
        (Later(work), Waiting(waiting))
    }

    /// Leaves something to do.
    pub fn leave(&self, work: T) {
        // Only a server that ends takes no more of it.
        let _ = self.0.send((Instant::now() + TAKES, work));
    }
}

impl<T> Waiting<T> {
    /// Does it in its order, until `stop` changes or its sender is gone.
    pub async fn run<F: Future<Output = ()>>(mut self, mut stop: watch::Receiver<()>, act: impl Fn(T) -> F) {
        loop {
            let done = async {
                let (due, work) = self.0.recv().await?;
                tokio::time::sleep_until(due).await;
                act(work).await;
                Some(())
            };
            tokio::select! {
                done = done => if done.is_none() { return },
                _ = stop.changed() => return,
            }
        }
    }
}

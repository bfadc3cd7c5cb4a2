//! How long an upload is waited for.
//!
//! The HTTP library can only limit the time until an answer begins, which of an upload comes after its last byte: a large
//! layer on a slow line would never arrive. So it is watched whether the other side takes what it is given. What the
//! body itself waits for, such as the daemon or another registry, has limits of its own.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How long the other side may take no byte before it is given up.
pub(super) const STALLED: Duration = Duration::from_secs(120);

/// How long it may think about what it has got; registries hash it and copy it to its place then.
pub(super) const SETTLING: Duration = Duration::from_secs(600);

/// Where a body is.
#[derive(Clone, Copy, PartialEq)]
enum At {
    /// The line wants more.
    Asked,
    /// The line has a piece, and has not asked for another.
    Given,
}

/// The body, and what ends with the reason when there is no use in waiting for an answer any longer.
pub(super) fn watched(
    body: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> (impl Stream<Item = io::Result<Bytes>> + Send + 'static, impl Future<Output = String>) {
    let (told, hears) = watch::channel(At::Asked);
    let body = Box::pin(body);
    let body = stream::unfold((body, told), async |(mut body, told)| {
        told.send_replace(At::Asked);
        let piece = body.next().await?;
        told.send_replace(At::Given);
        Some((piece, (body, told)))
    });
    (body, silence(hears))
}

async fn silence(mut at: watch::Receiver<At>) -> String {
    loop {
        let is_given = *at.borrow_and_update() == At::Given;
        let mut change = pin!(at.changed());
        let changed = match is_given {
            true => match timeout(STALLED, &mut change).await {
                Ok(changed) => changed,
                Err(_) => return format!("it took no byte for {} s", STALLED.as_secs()),
            },
            false => change.await,
        };
        // The body is gone: all of it was taken, or nobody wants the rest.
        if changed.is_err() {
            sleep(SETTLING).await;
            return format!("it took all bytes, but did not answer within {} s", SETTLING.as_secs());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    const HOUR: Duration = Duration::from_secs(3600);

    fn pieces(count: usize, each: Duration) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        stream::iter(0..count).then(move |_| async move {
            sleep(each).await;
            Ok(Bytes::from_static(b"piece"))
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_slow_itself_is_waited_for() {
        let (body, silence) = watched(pieces(3, HOUR));
        tokio::select! {
            count = body.count() => assert_eq!(count, 3),
            why = silence => panic!("{why}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_takes_its_time_is_waited_for_and_one_that_stands_still_is_not() {
        let (body, silence) = watched(pieces(100, Duration::ZERO));
        let mut body = Box::pin(body);
        let slow = async {
            while body.next().await.is_some() {
                sleep(STALLED - Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            () = slow => {}
            why = silence => panic!("{why}"),
        }

        let (body, silence) = watched(pieces(2, Duration::ZERO));
        let mut body = Box::pin(body);
        body.next().await.unwrap().unwrap();
        let began = Instant::now();
        assert_eq!(silence.await, "it took no byte for 120 s");
        assert_eq!(began.elapsed(), STALLED);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_longer_than_a_byte() {
        let (body, silence) = watched(pieces(1, Duration::ZERO));
        assert_eq!(body.count().await, 1);
        let began = Instant::now();
        assert_eq!(silence.await, "it took all bytes, but did not answer within 600 s");
        assert_eq!(began.elapsed(), SETTLING);
    }
}

//! The archive on its way: written on a thread of its own, read as a stream, never whole in memory.

use std::io::{self, Write};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc;

use super::tar::{self, Reader, Stopped};
use super::{Context, ContextError};
use crate::execute::events::BuildEvent;

/// The size of a piece of the stream.
const PIECE: usize = 256 * 1024;

/// How many pieces may wait for the daemon.
const WAITING: usize = 4;

/// How often the sent bytes are reported.
const REPORT_EVERY: u64 = 1024 * 1024;

/// Both ends of an upload.
#[derive(Debug)]
pub struct Upload {
    /// The bytes of the archive; dropping the receiver ends the upload.
    pub pieces: mpsc::Receiver<io::Result<Bytes>>,
    /// What is to be told of it. An error comes here before it breaks the stream of bytes, and is the last item.
    pub events: mpsc::UnboundedReceiver<Result<BuildEvent, ContextError>>,
}

/// Starts to write the archive.
pub fn upload(context: Context, reader: Reader) -> Upload {
    let (pieces, receiver) = mpsc::channel(WAITING);
    let (events, told) = mpsc::unbounded_channel();
    tokio::task::spawn_blocking(move || {
        // Nobody listens any more when the build has ended; then there is nothing left to do either.
        let skipped = |path: &std::path::Path| {
            let path = path.display();
            let _ =
                events.send(Ok(BuildEvent::Warning(format!("`{path}` is neither file, folder nor link; left out"))));
        };
        let mut writer = PieceWriter { pieces: &pieces, events: &events, piece: Vec::new(), sent: 0, reported: 0 };
        match tar::write(&context, reader, &mut writer, &skipped) {
            Ok(()) => {
                let _ = events.send(Ok(BuildEvent::ContextSent { sent: writer.sent, total: None }));
            }
            Err(Stopped::Reader) => {}
            Err(Stopped::Context(error)) => {
                let _ = events.send(Err(error));
                let _ = pieces.blocking_send(Err(io::Error::other("the context cannot be read")));
            }
        }
    });
    Upload { pieces: receiver, events: told }
}

/// The bytes as a stream.
pub fn stream(mut pieces: mpsc::Receiver<io::Result<Bytes>>) -> impl Stream<Item = io::Result<Bytes>> {
    futures_util::stream::poll_fn(move |context| pieces.poll_recv(context))
}

struct PieceWriter<'a> {
    pieces: &'a mpsc::Sender<io::Result<Bytes>>,
    events: &'a mpsc::UnboundedSender<Result<BuildEvent, ContextError>>,
    piece: Vec<u8>,
    sent: u64,
    reported: u64,
}

impl Write for PieceWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.reserve(PIECE.saturating_sub(self.piece.len()));
        let taken = bytes.len().min(PIECE.saturating_sub(self.piece.len()));
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        self.sent += piece.len() as u64;
        self.pieces.blocking_send(Ok(piece)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        if self.sent >= self.reported + REPORT_EVERY {
            self.reported = self.sent;
            let _ = self.events.send(Ok(BuildEvent::ContextSent { sent: self.sent, total: None }));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Dockerfile;

    fn context(root: &std::path::Path, size: u64) -> Context {
        std::fs::File::create(root.join("big")).unwrap().set_len(size).unwrap();
        Context::open(root, &Dockerfile::Inline("FROM scratch".into())).unwrap()
    }

    #[tokio::test]
    async fn the_thread_ends_when_nobody_reads_any_more() {
        let root = tempfile::tempdir().unwrap();
        let Upload { mut pieces, mut events } = upload(context(root.path(), 1 << 30), Reader::BuildKit);
        assert!(pieces.recv().await.unwrap().is_ok());
        drop(pieces);
        // The channel closes with the thread; 1 GiB would have been reported to its end otherwise.
        let mut last = None;
        while let Some(event) = events.recv().await {
            last = Some(event);
        }
        assert!(!matches!(last, Some(Ok(BuildEvent::ContextSent { sent, .. })) if sent > 8 << 20), "{last:?}");
    }

    #[tokio::test]
    async fn a_file_that_vanishes_breaks_the_stream_and_is_named() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("later"), "x").unwrap();
        let Upload { mut pieces, mut events } = upload(context(root.path(), 64 << 20), Reader::BuildKit);
        assert!(pieces.recv().await.unwrap().is_ok());
        std::fs::remove_file(root.path().join("later")).unwrap();
        let mut broken = false;
        while let Some(piece) = pieces.recv().await {
            broken = piece.is_err();
        }
        assert!(broken);
        let mut error = None;
        while let Some(event) = events.recv().await {
            error = event.err();
        }
        assert!(error.unwrap().path.ends_with("later"));
    }
}

//! An archive on its way to the daemon, which fetches it under an address of the session's.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bollard_buildkit_proto::moby::upload::v1::{BytesMessage, upload_server};
use futures_util::{Stream, StreamExt as _};
use tokio::io::AsyncRead;
use tokio_util::io::ReaderStream;
use tonic::{Request, Response, Status, Streaming};

use super::{Tell, Told};

/// The host that stands for the session. Source: BuildKit, `session/upload`.
pub(super) const ADDRESS: &str = "http://buildkit-session/context";

/// The size of a piece, in bytes.
const PIECE: usize = 128 * 1024;

type Reader = Box<dyn AsyncRead + Send + Unpin>;

/// The archive, if the build has one; it can be fetched once.
#[derive(Clone)]
pub(super) struct Upload {
    archive: Arc<Mutex<Option<Reader>>>,
    tell: Tell,
}

impl Upload {
    pub(super) fn new(archive: Option<Reader>, tell: Tell) -> Self {
        Upload { archive: Arc::new(Mutex::new(archive)), tell }
    }
}

#[tonic::async_trait]
impl upload_server::Upload for Upload {
    type PullStream = Pin<Box<dyn Stream<Item = Result<BytesMessage, Status>> + Send>>;

    async fn pull(&self, _: Request<Streaming<BytesMessage>>) -> Result<Response<Self::PullStream>, Status> {
        let archive = self.archive.lock().unwrap_or_else(PoisonError::into_inner).take();
        let archive = archive.ok_or_else(|| Status::not_found("there is no archive for this build"))?;
        let tell = self.tell.clone();
        let pieces = ReaderStream::with_capacity(archive, PIECE).map(move |piece| match piece {
            Ok(bytes) => {
                let _ = tell.send(Told::Sent(bytes.len() as u64));
                Ok(BytesMessage { data: bytes.to_vec() })
            }
            Err(error) => Err(Status::aborted(format!("the archive cannot be read: {error}"))),
        });
        Ok(Response::new(Box::pin(pieces)))
    }
}

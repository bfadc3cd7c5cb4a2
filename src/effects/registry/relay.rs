//! One blob on its way from one registry to several: read once, never whole in memory, every byte hashed.

use std::io;

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream;
use reqwest::Response;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::client::RegistryClient;
use super::parts::Blob;
use super::patience::STALLED;
use super::retry;
use crate::execute::ports::{Credential, Failure, ServiceError};
use crate::names::{Digest, ImageRef};

/// How many pieces, of some tens of KiB each, may wait for one destination.
const WAITING: usize = 16;

/// An upload that was begun.
pub(super) struct Upload<'a> {
    pub(super) registry: &'a RegistryClient,
    pub(super) about: &'a ImageRef,
    /// Its address within the repository.
    pub(super) path: String,
    pub(super) credential: &'a Credential,
}

/// Why a blob did not arrive.
pub(super) enum Broken {
    /// It could not be read to its end, so it arrived nowhere.
    Source(ServiceError),
    /// What came of each upload.
    Destinations(Vec<Result<(), ServiceError>>),
}

/// Sends a blob that was opened to all of these uploads.
pub(super) async fn relay(source: Response, blob: &Blob, doing: &str, uploads: &[Upload<'_>]) -> Result<(), Broken> {
    let (senders, bodies): (Vec<_>, Vec<_>) = uploads.iter().map(|_| mpsc::channel(WAITING)).unzip();
    let writers = uploads.iter().zip(bodies).map(|(upload, pieces)| write(upload, blob, pieces));
    let (read, written) = tokio::join!(read(source, blob, doing, senders), join_all(writers));
    read.map_err(Broken::Source)?;
    if written.iter().all(Result::is_ok) { Ok(()) } else { Err(Broken::Destinations(written)) }
}

type Piece = io::Result<Bytes>;

async fn read(
    mut source: Response,
    blob: &Blob,
    doing: &str,
    senders: Vec<mpsc::Sender<Piece>>,
) -> Result<(), ServiceError> {
    let mut senders: Vec<Option<mpsc::Sender<Piece>>> = senders.into_iter().map(Some).collect();
    let mut hash = Sha256::new();
    let mut size = 0;
    let broken = |failure, cause: String| ServiceError { failure, doing: doing.to_owned(), cause };
    let result = loop {
        match source.chunk().await {
            Ok(Some(piece)) => {
                size += piece.len() as u64;
                if size > blob.size {
                    break Err(broken(
                        Failure::Unexpected,
                        format!("it is larger than the {} bytes stated", blob.size),
                    ));
                }
                hash.update(&piece);
                send(&mut senders, &piece).await;
                // Nobody listens any more; why not is told by whoever stopped.
                if senders.iter().all(Option::is_none) {
                    return Ok(());
                }
            }
            Ok(None) => {
                let found = Digest::from_sha256(hash.finalize().into());
                break match found == blob.digest && size == blob.size {
                    true => Ok(()),
                    false => {
                        Err(broken(Failure::Unexpected, format!("the registry sent {size} bytes that are {found}")))
                    }
                };
            }
            Err(error) => break Err(broken(Failure::ServiceBroken, retry::chain(&error))),
        }
    };
    if result.is_err() {
        for sender in senders.into_iter().flatten() {
            // An upload that ended by itself needs no word.
            let _ = sender.send(Err(io::Error::other("the source broke off"))).await;
        }
    }
    result
}

async fn send(senders: &mut [Option<mpsc::Sender<Piece>>], piece: &Bytes) {
    for slot in senders {
        let Some(sender) = slot else { continue };
        if !matches!(timeout(STALLED, sender.send(Ok(piece.clone()))).await, Ok(Ok(()))) {
            *slot = None;
        }
    }
}

async fn write(upload: &Upload<'_>, blob: &Blob, mut pieces: mpsc::Receiver<Piece>) -> Result<(), ServiceError> {
    let body = stream::poll_fn(move |context| pieces.poll_recv(context));
    upload.registry.finish_upload(upload.about, &upload.path, blob, body, upload.credential).await
}

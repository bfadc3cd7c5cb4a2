//! The service by which the daemon fetches files: it is told of all that it may have, and asks for what it lacks.
//!
//! Source: fsutil, `send.go`, and BuildKit, `session/filesync`: metadata in the order of a walk, an empty message at
//! its end; a request names a file by its place in that order; the daemon's last word is sent back to it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use http::Request;
use tokio::sync::mpsc;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tonic::server::{Grpc, NamedService, StreamingService};
use tonic::{Response, Status, Streaming};

use super::send::{Asked, Sender};
use super::served::{Folders, Wanted};
use super::wire::{Kind, Packet};
use super::{Tell, Told};

/// How many batches of messages may wait for the daemon.
const WAITING: usize = 32;

/// The folders of one build.
#[derive(Debug, Clone)]
pub(super) struct FileSync {
    folders: Arc<Folders>,
    tell: Tell,
}

impl FileSync {
    /// Serves these folders; `tell` hears of what is sent, and of an error before the daemon does.
    pub(super) fn new(folders: Folders, tell: Tell) -> Self {
        FileSync { folders: Arc::new(folders), tell }
    }

    fn serve(&self, metadata: &MetadataMap, requests: Streaming<Packet>) -> Result<Response<Packets>, Status> {
        let name = values(metadata, "dir-name").into_iter().next().unwrap_or_default();
        let Some(served) = self.folders.get(&name).cloned() else {
            return Err(Status::not_found(format!("there is no folder `{name}` for this build")));
        };
        let wanted = Wanted { follow: values(metadata, "followpaths"), include: values(metadata, "include-patterns") };
        let (batches, receiver) = mpsc::channel(WAITING);
        // Requests are small and many. They are taken in at once, so that none lies about as a frame; 8 bytes are kept of
        // each.
        let (asked, asking) = std::sync::mpsc::channel();
        tokio::spawn(take_in(requests, asked));
        let tell = self.tell.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = Sender::new(&served, &batches, &asking, &tell).send(&wanted) {
                // Nobody listens any more when the build has ended; then there is nothing left to do either.
                let _ = tell.send(Told::Unreadable(error));
                let _ = batches.blocking_send(Err(Status::aborted("the context cannot be read")));
            }
        });
        Ok(Response::new(Packets { receiver, ready: Vec::new().into_iter() }))
    }
}

async fn take_in(mut requests: Streaming<Packet>, asked: std::sync::mpsc::Sender<Asked>) {
    loop {
        let next = match requests.message().await {
            Ok(Some(packet)) if packet.kind == i32::from(Kind::Request) => Asked::File(packet.id),
            Ok(Some(packet)) if packet.kind == i32::from(Kind::Finish) => Asked::Nothing,
            Ok(Some(packet)) if packet.kind == i32::from(Kind::Error) => Asked::Stop,
            Ok(Some(_)) => continue,
            Ok(None) | Err(_) => Asked::Stop,
        };
        if asked.send(next).is_err() || next == Asked::Stop {
            return;
        }
    }
}

/// The values of a header, escaped by the daemon where they are not ASCII.
fn values(metadata: &MetadataMap, name: &str) -> Vec<String> {
    let texts = |name: &str| metadata.get_all(name).iter().filter_map(|value| value.to_str().ok().map(str::to_owned));
    let encoded = texts(&format!("{name}-encoded")).any(|value| value == "1" || value == "true");
    let plain = |text: String| match encoded {
        true => form_urlencoded::parse(format!("v={}", text.replace('&', "%26")).as_bytes())
            .next()
            .map_or(text.clone(), |(_, value)| value.into_owned()),
        false => text,
    };
    texts(name).map(plain).collect()
}

/// What is sent to the daemon.
pub(super) struct Packets {
    receiver: mpsc::Receiver<Result<Vec<Packet>, Status>>,
    ready: std::vec::IntoIter<Packet>,
}

impl Stream for Packets {
    type Item = Result<Packet, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(packet) = self.ready.next() {
                return Poll::Ready(Some(Ok(packet)));
            }
            match ready!(self.receiver.poll_recv(context)) {
                Some(Ok(batch)) => self.ready = batch.into_iter(),
                Some(Err(status)) => return Poll::Ready(Some(Err(status))),
                None => return Poll::Ready(None),
            }
        }
    }
}

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl StreamingService<Packet> for FileSync {
    type Response = Packet;
    type ResponseStream = Packets;
    type Future = Answer<Result<Response<Packets>, Status>>;

    fn call(&mut self, request: tonic::Request<Streaming<Packet>>) -> Self::Future {
        let (metadata, _, requests) = request.into_parts();
        let answer = self.serve(&metadata, requests);
        Box::pin(std::future::ready(answer))
    }
}

impl NamedService for FileSync {
    const NAME: &'static str = "moby.filesync.v1.FileSync";
}

impl tower_service::Service<Request<Body>> for FileSync {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            if !request.uri().path().ends_with("/DiffCopy") {
                return Ok(Status::unimplemented("only DiffCopy is served").into_http());
            }
            let codec = tonic_prost::ProstCodec::<Packet, Packet>::default();
            Ok(Grpc::new(codec).streaming(service, request).await)
        })
    }
}

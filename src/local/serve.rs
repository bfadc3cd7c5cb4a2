//! Connections: accepted, served, ended when the server ends, and reset where a fault says so.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::local::ecr::Ecr;
use crate::local::faults::Reset;
use crate::local::front;

/// The pause after a connection could not be accepted, as where there are too many open files.
const RECOVERY: Duration = Duration::from_millis(100);

type Answering = Pin<Box<dyn Future<Output = Result<Response, Reset>> + Send>>;

/// Serves until `stop` changes or its sender is gone, and then lets what is under way end.
pub async fn serve(listener: TcpListener, ecr: Arc<Ecr>, mut stop: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // Those that have ended are forgotten.
            Some(_) = connections.join_next() => continue,
            _ = stop.changed() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, Arc::clone(&ecr), stop.clone()));
            }
            Err(_) => tokio::time::sleep(RECOVERY).await,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(stream: TcpStream, ecr: Arc<Ecr>, mut stop: watch::Receiver<()>) {
    // A connection that cannot be told so is merely slower.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| -> Answering {
        Box::pin(front::answer(Arc::clone(&ecr), request.map(Body::new)))
    });
    let mut connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let mut is_stopping = false;
    let result = loop {
        tokio::select! {
            result = poll_fn(|context| connection.poll_without_shutdown(context)) => break result,
            _ = stop.changed(), if !is_stopping => {
                is_stopping = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    let mut stream = connection.into_parts().io.into_inner();
    let reset = result.err().is_some_and(|error| error.source().is_some_and(<dyn Error>::is::<Reset>));
    // What cannot be set or said is over with the connection.
    let _ = if reset { stream.set_zero_linger() } else { stream.shutdown().await };
}

//! bollard's errors in the words of the port.

use std::error::Error as _;
use std::io;

use bollard::errors::Error;

use super::DockerAddress;
use crate::execute::ports::{Failure, ServiceError};

/// The failure of a request that was to reach the daemon.
pub fn unreachable(address: &DockerAddress, doing: &str, error: &Error) -> ServiceError {
    let forbidden = io_error(error).is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
    let failure = Failure::EngineUnreachable { address: address.to_string(), forbidden };
    ServiceError { failure, doing: doing.to_owned(), cause: words(error) }
}

/// What the daemon itself answered; `None` if the error is about the connection.
pub fn daemon_words(error: &Error) -> Option<&str> {
    match error {
        Error::DockerResponseServerError { message, .. } => Some(message.trim_end()),
        Error::DockerStreamError { error } => Some(error.trim_end()),
        _ => None,
    }
}

/// bollard 0.21.1 takes a line break that comes in a chunk of its own for an unfinished message. Harmless, but only
/// if the message before it was the last that was waited for.
pub fn is_trailing_newline(error: &Error) -> bool {
    matches!(error, Error::IOError { err } if err.to_string() == "bytes remaining on stream")
}

/// An error and what is behind it, in one line, nothing said twice.
pub fn words(error: &Error) -> String {
    let (mut text, mut source) = match error {
        Error::SocketNotFoundError(path) => (format!("there is no socket at `{path}`"), None),
        // Its own text says no more than that a client failed.
        Error::HyperLegacyError { err } if err.source().is_some() => (String::new(), err.source()),
        _ => (error.to_string(), error.source()),
    };
    while let Some(inner) = source {
        let more = inner.to_string();
        if !text.contains(&more) {
            let joint = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{joint}{more}");
        }
        source = inner.source();
    }
    text
}

fn io_error(error: &Error) -> Option<&io::Error> {
    if let Error::IOError { err } = error {
        return Some(err);
    }
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(error) = inner.downcast_ref::<io::Error>() {
            return Some(error);
        }
        source = inner.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_of_somebody_else() {
        let address = DockerAddress::Socket("/s".into());
        let denied = Error::IOError { err: io::ErrorKind::PermissionDenied.into() };
        let error = unreachable(&address, "ping", &denied);
        assert_eq!(error.failure, Failure::EngineUnreachable { address: "unix:///s".into(), forbidden: true });
        assert_eq!(error.cause, "permission denied");
    }
}

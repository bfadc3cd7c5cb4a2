//! How to start the server, and why it may not start.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::names::{AccountId, Region};

/// The port where one looks first.
pub const DEFAULT_PORT: u16 = 5010;

/// The account that everybody's examples use.
pub const DEFAULT_ACCOUNT: &str = "123456789012";

/// The region that it plays unless told otherwise.
pub const DEFAULT_REGION: &str = "us-east-1";

/// How to start the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The folder that everything is kept in; made where it is missing.
    pub data: PathBuf,
    /// The port on 127.0.0.1; 0 is any free one, and `None` is 5010, or any free one where that is taken.
    pub port: Option<u16>,
    /// Whose registry it plays.
    pub account: AccountId,
    /// The region that it plays.
    pub region: Region,
    /// Whether a push may take a layer from another repository, as the account setting `BLOB_MOUNTING` allows.
    pub blob_mounting: bool,
}

impl Settings {
    /// The defaults on this folder.
    #[expect(clippy::expect_used, reason = "both constants are well-formed; a test says so too")]
    pub fn new(data: PathBuf) -> Self {
        Settings {
            data,
            port: None,
            account: DEFAULT_ACCOUNT.parse().expect("the default account is well-formed"),
            region: DEFAULT_REGION.parse().expect("the default region is well-formed"),
            blob_mounting: false,
        }
    }
}

/// Why the server did not start.
#[derive(Debug)]
pub enum StartError {
    /// Another server has the data folder.
    InUse {
        /// The folder.
        data: PathBuf,
        /// Where that server answers, if it got so far as to say so.
        endpoint: Option<String>,
    },
    /// Another program has the port.
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The data folder cannot be read or written.
    Data {
        /// The folder.
        data: PathBuf,
        /// In the system's words.
        cause: io::Error,
    },
    /// The port cannot be listened on.
    Listen {
        /// In the system's words.
        cause: io::Error,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::InUse { data, endpoint: Some(endpoint) } => {
                write!(f, "the data folder `{}` is in use by the server at {endpoint}", data.display())
            }
            StartError::InUse { data, endpoint: None } => {
                write!(f, "the data folder `{}` is in use by another server", data.display())
            }
            StartError::PortTaken { port } => write!(f, "port `{port}` of 127.0.0.1 is taken by another program"),
            StartError::Data { data, .. } => write!(f, "the data folder `{}` cannot be used", data.display()),
            StartError::Listen { .. } => f.write_str("cannot listen on 127.0.0.1"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StartError::Data { cause, .. } | StartError::Listen { cause } => Some(cause),
            StartError::InUse { .. } | StartError::PortTaken { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults() {
        let settings = Settings::new(PathBuf::from("data"));
        assert_eq!((settings.account.as_str(), settings.region.as_str()), (DEFAULT_ACCOUNT, DEFAULT_REGION));
    }

    #[test]
    fn who_has_the_folder() {
        let error = StartError::InUse { data: "data".into(), endpoint: Some("http://127.0.0.1:5010".into()) };
        assert_eq!(error.to_string(), "the data folder `data` is in use by the server at http://127.0.0.1:5010");
    }
}

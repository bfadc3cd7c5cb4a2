//! How to start the server, and why it may not start.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::local::faults::Fault;
use crate::names::{AccountId, Region};

/// The port where one looks first.
pub const DEFAULT_PORT: u16 = 5010;

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
    /// The file that gets a line of JSON for each operation.
    pub log: Option<PathBuf>,
    /// The file that says what scans find.
    pub scans: Option<PathBuf>,
    /// What goes wrong on request.
    pub faults: Vec<Fault>,
    /// The registries that stand beside it, for its images to be replicated to.
    pub beside: Vec<Beside>,
}

/// A registry of another region or account, in the same process on a port of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// Whose registry it plays, where it is not that of the first.
    pub account: Option<AccountId>,
    /// The region that it plays.
    pub region: Region,
    /// The port on 127.0.0.1; any free one where it is not given.
    pub port: Option<u16>,
}

impl Settings {
    /// A server over this folder that plays the account 123456789012 in us-east-1, with blob mounting off as in a
    /// new account.
    pub fn new(data: PathBuf, port: Option<u16>) -> Self {
        Settings {
            data,
            port,
            account: AccountId::example(),
            region: Region::example(),
            blob_mounting: false,
            log: None,
            scans: None,
            faults: Vec::new(),
            beside: Vec::new(),
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
    /// The log cannot be written.
    Log {
        /// The file.
        path: PathBuf,
        /// In the system's words.
        cause: io::Error,
    },
    /// The script of scans cannot be read.
    Scans {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
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
            StartError::Log { path, .. } => write!(f, "the log `{}` cannot be written", path.display()),
            StartError::Scans { path, .. } => write!(f, "the scans `{}` cannot be read", path.display()),
            StartError::Listen { .. } => f.write_str("cannot listen on 127.0.0.1"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StartError::Data { cause, .. }
            | StartError::Log { cause, .. }
            | StartError::Scans { cause, .. }
            | StartError::Listen { cause } => Some(cause),
            StartError::InUse { .. } | StartError::PortTaken { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_the_folder() {
        let error = StartError::InUse { data: "data".into(), endpoint: Some("http://127.0.0.1:5010".into()) };
        assert_eq!(error.to_string(), "the data folder `data` is in use by the server at http://127.0.0.1:5010");
    }
}

//! One server for one data folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::Path;

use crate::local::settings::StartError;

/// The data folder is this server's for as long as this lives.
pub struct Lock(File);

impl Lock {
    /// Takes the folder.
    ///
    /// # Errors
    /// If another server has it; then with the place where that one answers.
    pub fn take(data: &Path) -> Result<Self, StartError> {
        let failed = |cause| StartError::Data { data: data.to_owned(), cause };
        let path = data.join("lock");
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {
                // What the last holder announced is over.
                file.set_len(0).map_err(failed)?;
                Ok(Lock(file))
            }
            Err(TryLockError::WouldBlock) => {
                let mut endpoint = String::new();
                file.read_to_string(&mut endpoint).map_err(failed)?;
                let endpoint = Some(endpoint.trim().to_owned()).filter(|endpoint| !endpoint.is_empty());
                Err(StartError::InUse { data: data.to_owned(), endpoint })
            }
            Err(TryLockError::Error(cause)) => Err(failed(cause)),
        }
    }

    /// Tells whoever comes later where this server answers.
    pub fn announce(&mut self, endpoint: &str) -> std::io::Result<()> {
        writeln!(self.0, "{endpoint}")
    }
}

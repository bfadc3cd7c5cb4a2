//! A setting of the registry, on disk and in memory.

use std::io;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::files::write_atomically;
use crate::local::refusal::Refusal;

/// A value that outlives the server. What is in memory is what was written last.
pub struct Kept<T> {
    file: PathBuf,
    current: RwLock<T>,
}

impl<T: Serialize + DeserializeOwned + Default + Clone> Kept<T> {
    /// Reads it back, or begins with a new account's.
    ///
    /// # Errors
    /// If the file is there and cannot be read, or holds something else.
    pub fn open(file: PathBuf) -> io::Result<Self> {
        let current = match std::fs::read(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => T::default(),
            text => serde_json::from_slice(&text?)?,
        };
        Ok(Kept { file, current: RwLock::new(current) })
    }

    /// The value as it is now.
    pub fn get(&self) -> T {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another in its place.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn put(&self, value: T) -> Result<(), Refusal> {
        self.change(|current| {
            *current = value;
            Ok(())
        })
    }

    /// Changes it, unless the change is refused or cannot be written.
    ///
    /// # Errors
    /// Those of the change and of the file.
    pub fn change<R>(&self, change: impl FnOnce(&mut T) -> Result<R, Refusal>) -> Result<R, Refusal> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = current.clone();
        let result = change(&mut changed)?;
        let text = serde_json::to_vec(&changed).map_err(io::Error::from)?;
        write_atomically(&self.file, &[&text])?;
        *current = changed;
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_kept_and_a_refused_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("setting.json");
        let kept = Kept::<Vec<u8>>::open(file.clone()).unwrap();
        let add = |number: u8, fails: bool| {
            kept.change(|all| {
                all.push(number);
                if fails { Err(io::Error::other("refused").into()) } else { Ok(all.len()) }
            })
        };
        assert_eq!(add(1, false).unwrap(), 1);
        assert!(add(2, true).is_err());
        assert_eq!((kept.get(), Kept::<Vec<u8>>::open(file.clone()).unwrap().get()), (vec![1], vec![1]));
        std::fs::write(&file, "{").unwrap();
        assert!(Kept::<Vec<u8>>::open(file).is_err());
    }
}

//! One transfer: first what there is, then what is asked for.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use bytes::Bytes;
use tokio::sync::mpsc;
use tonic::Status;

use super::served::{self, Served, Wanted};
use super::wire::{Packet, Stat};
use super::{Tell, Told};
use crate::effects::context::{Context, ContextError};

/// The size of a piece of a file, in bytes.
const PIECE: usize = 128 * 1024;

/// What a message without content counts for in a batch, in bytes.
const OVERHEAD: usize = 128;

/// What the daemon asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The file with this number.
    File(u32),
    /// No more.
    Nothing,
    /// The end, whatever is open.
    Stop,
}

/// What is behind a number of the transfer.
enum Item {
    /// Nothing that can be asked for: a folder or a link.
    Other,
    /// A file, with the size that the daemon was told of.
    File(Box<Path>, u64),
    Text(Bytes),
}

/// The daemon has gone away, which is not worth a word.
struct Gone;

enum Stopped {
    Gone,
    Unreadable(ContextError),
}

impl From<Gone> for Stopped {
    fn from(_: Gone) -> Self {
        Stopped::Gone
    }
}

impl From<ContextError> for Stopped {
    fn from(error: ContextError) -> Self {
        Stopped::Unreadable(error)
    }
}

/// The sending side. Blocks, so it has a thread of its own.
///
/// Messages go in batches: to wake the other side for each of the two of a small file would be most of the work.
pub(super) struct Sender<'a> {
    served: &'a Served,
    batches: &'a mpsc::Sender<Result<Vec<Packet>, Status>>,
    asking: &'a Receiver<Asked>,
    tell: &'a Tell,
    items: Vec<Item>,
    batch: Vec<Packet>,
    /// About how many bytes the batch has.
    bytes: usize,
}

impl<'a> Sender<'a> {
    pub(super) fn new(
        served: &'a Served,
        batches: &'a mpsc::Sender<Result<Vec<Packet>, Status>>,
        asking: &'a Receiver<Asked>,
        tell: &'a Tell,
    ) -> Self {
        Sender { served, batches, asking, tell, items: Vec::new(), batch: Vec::new(), bytes: 0 }
    }

    /// Sends everything.
    ///
    /// # Errors
    /// If a file cannot be read, vanished, or changed its size since the daemon was told of it.
    pub(super) fn send(mut self, wanted: &Wanted) -> Result<(), ContextError> {
        match self.both_parts(wanted) {
            Ok(()) | Err(Stopped::Gone) => Ok(()),
            Err(Stopped::Unreadable(error)) => Err(error),
        }
    }

    fn both_parts(&mut self, wanted: &Wanted) -> Result<(), Stopped> {
        match self.served {
            Served::Folder(context) if wanted.is_ignore_file() => self.ignore_file(context)?,
            Served::Folder(context) => self.folder(context, wanted)?,
            Served::Texts(texts) => {
                for (name, text) in texts {
                    self.text(name, text.clone().into())?;
                }
            }
        }
        self.packet(Packet::stat(None))?;
        let mut queue = VecDeque::new();
        loop {
            // What was asked for meanwhile is counted before the next file goes, so that the whole is known early.
            queue.extend(self.asking.try_iter().inspect(|asked| self.count(*asked)));
            let next = match queue.pop_front() {
                Some(asked) => Some(asked),
                None => {
                    // Nothing lies about in a batch while the daemon is waited for.
                    self.flush()?;
                    self.asking.recv().ok().inspect(|asked| self.count(*asked))
                }
            };
            match next {
                Some(Asked::File(id)) => self.file(id)?,
                Some(Asked::Nothing) => {
                    self.packet(Packet::finish())?;
                    return Ok(self.flush()?);
                }
                Some(Asked::Stop) | None => return Ok(()),
            }
        }
    }

    fn count(&self, asked: Asked) {
        let Asked::File(id) = asked else { return };
        let bytes = match self.items.get(id as usize) {
            Some(Item::File(_, size)) => *size,
            Some(Item::Text(text)) => text.len() as u64,
            Some(Item::Other) | None => 0,
        };
        let _ = self.tell.send(Told::Wanted(bytes));
    }

    /// The rules that are in force, wherever they were read from, so that the daemon speaks of the same.
    fn ignore_file(&mut self, context: &Context) -> Result<(), Gone> {
        match context.ignore_text() {
            b"" => Ok(()),
            text => self.text(".dockerignore", Bytes::copy_from_slice(text)),
        }
    }

    fn text(&mut self, name: &str, text: Bytes) -> Result<(), Gone> {
        let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
        // A time of its own for each text: the daemon takes files for the same that have the same size and time.
        let modified = text.iter().fold(0_i64, |hash, byte| hash.wrapping_mul(31).wrapping_add(i64::from(*byte)));
        self.items.push(Item::Text(text));
        let stat =
            Stat { path: name.into(), mode: 0o644, size, modified: modified & 0xffff_ffff_ffff, link: Vec::new() };
        self.packet(Packet::stat(Some(stat)))
    }

    fn folder(&mut self, context: &Context, wanted: &Wanted) -> Result<(), Stopped> {
        let narrowing = wanted.narrowing(context.root());
        let mut walk = context.walk()?;
        while let Some(entry) = walk.next() {
            let entry = entry?;
            let is_folder = entry.metadata.is_dir();
            if !narrowing.wants(&entry.path, is_folder) {
                if is_folder {
                    walk.skip_inside(&entry.path);
                }
                continue;
            }
            let Some(stat) = served::stat(context, &entry)? else {
                let _ = self.tell.send(Told::Skipped(entry.path));
                continue;
            };
            self.items.push(match entry.metadata.is_file() {
                true => Item::File(entry.path.into_boxed_path(), entry.metadata.len()),
                false => Item::Other,
            });
            self.packet(Packet::stat(Some(stat)))?;
        }
        Ok(())
    }

    fn file(&mut self, id: u32) -> Result<(), Stopped> {
        match (self.items.get(id as usize), self.served) {
            (Some(Item::File(path, size)), Served::Folder(context)) => {
                let (full, size) = (context.root().join(path), *size);
                self.content(id, &full, size)?;
            }
            (Some(Item::Text(text)), _) => {
                let text = text.clone();
                self.piece(id, text)?;
            }
            _ => {}
        }
        Ok(self.packet(Packet::data(id, Bytes::new()))?)
    }

    fn content(&mut self, id: u32, full: &PathBuf, size: u64) -> Result<(), Stopped> {
        let unreadable = |error: io::Error| ContextError::new(full, &error);
        let mut file = File::open(full).map_err(unreadable)?;
        // A pipe that took the file's place would never end.
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err(ContextError::new(full, &"it is no file any more").into());
        }
        let mut sent = 0;
        loop {
            let mut piece = Vec::with_capacity(PIECE.min(usize::try_from(size - sent).unwrap_or(PIECE)).max(1));
            let limit = piece.capacity() as u64;
            let read = file.by_ref().take(limit).read_to_end(&mut piece).map_err(unreadable)? as u64;
            sent += read;
            if sent > size {
                return Err(ContextError::new(full, &"it became longer while it was read").into());
            }
            if read == 0 {
                break;
            }
            self.piece(id, piece.into())?;
        }
        if sent < size {
            return Err(ContextError::new(full, &"it became shorter while it was read").into());
        }
        Ok(())
    }

    fn piece(&mut self, id: u32, piece: Bytes) -> Result<(), Gone> {
        let _ = self.tell.send(Told::Sent(piece.len() as u64));
        if piece.is_empty() { Ok(()) } else { self.packet(Packet::data(id, piece)) }
    }

    fn packet(&mut self, packet: Packet) -> Result<(), Gone> {
        self.bytes += packet.data.len() + OVERHEAD;
        self.batch.push(packet);
        if self.bytes < PIECE { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), Gone> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        self.batches.blocking_send(Ok(std::mem::take(&mut self.batch))).map_err(|_| Gone)
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Dockerfile;
    use std::fs;
    use std::os::unix::net::UnixListener;

    /// What the sender makes of a folder with the file `a` of 3 bytes, when something happens to it after the daemon was
    /// told of it and before it asks for it.
    fn after(change: impl FnOnce(&Path)) -> Result<(), ContextError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "abc").unwrap();
        let context = Context::open(folder.path(), &Dockerfile::Inline("FROM scratch".into())).unwrap();
        let served = Served::Folder(context);
        let (batches, mut sent) = mpsc::channel(8);
        let (ask, asking) = std::sync::mpsc::channel();
        let (tell, _told) = mpsc::unbounded_channel();
        std::thread::scope(|scope| {
            let served = &served;
            let send = move || Sender::new(served, &batches, &asking, &tell).send(&Wanted::default());
            let sending = scope.spawn(send);
            while sent.blocking_recv().unwrap().unwrap().last().is_some_and(|packet| packet.stat.is_some()) {}
            change(&path);
            ask.send(Asked::File(0)).unwrap();
            // Whoever has failed does not listen any more.
            let _ = ask.send(Asked::Nothing);
            let result = sending.join().unwrap();
            if let Err(error) = &result {
                assert_eq!(error.path, path);
            }
            result
        })
    }

    #[test]
    fn a_file_that_changes_while_the_context_is_sent_is_named() {
        assert_eq!(after(|_| {}), Ok(()));
        assert_eq!(after(|path| fs::write(path, "xyz").unwrap()), Ok(()), "what is sent is what is read");
        let cause = |change: fn(&Path)| after(change).unwrap_err().cause;
        assert!(cause(|path| fs::remove_file(path).unwrap()).contains("No such file"));
        assert_eq!(cause(|path| fs::write(path, "ab").unwrap()), "it became shorter while it was read");
        assert_eq!(cause(|path| fs::write(path, "abcd").unwrap()), "it became longer while it was read");
        let folder = |path: &Path| fs::remove_file(path).and_then(|()| fs::create_dir(path)).unwrap();
        assert_eq!(cause(folder), "it is no file any more");
        let socket = |path: &Path| {
            fs::remove_file(path).unwrap();
            UnixListener::bind(path).unwrap();
        };
        assert!(after(socket).is_err());
    }
}

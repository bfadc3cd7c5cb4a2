//! A context as a tar archive.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::Path;

use tar::{Builder, EntryType, Header};

use super::walk::Entry;
use super::{Context, ContextError, IGNORE_FILE, SentDockerfile, Times, sent_mode};

/// Who reads the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// BuildKit, which takes the archive as it is.
    BuildKit,
    /// The classic builder, which obeys a `.dockerignore` in the archive, but for itself and the Dockerfile only.
    Classic,
}

/// Why writing stopped.
#[derive(Debug)]
pub enum Stopped {
    /// By the context.
    Context(ContextError),
    /// By whoever reads the archive; not worth a word.
    Reader,
}

/// Writes the archive: the same bytes for the same files, whoever owns them.
///
/// `skipped` hears of what cannot be in an image: sockets, pipes and devices.
///
/// # Errors
/// If a file cannot be read, vanished, or became shorter while it was read; the archive is then unfinished.
pub fn write(context: &Context, reader: Reader, to: impl Write, skipped: &dyn Fn(&Path)) -> Result<(), Stopped> {
    let mut tar = Builder::new(to);
    let mut written: Vec<&str> = Vec::new();
    if let SentDockerfile::Extra { path, bytes } = &context.dockerfile {
        append_bytes(&mut tar, path, bytes)?;
        written.push(path);
        if reader == Reader::Classic {
            append_bytes(&mut tar, IGNORE_FILE, hide(path).as_bytes())?;
            written.push(IGNORE_FILE);
        }
    }
    for entry in context.walk().map_err(Stopped::Context)? {
        let entry = entry.map_err(Stopped::Context)?;
        if written.iter().any(|path| Path::new(path) == entry.path) {
            continue;
        }
        append(&mut tar, context, &entry, skipped)?;
    }
    tar.into_inner().and_then(|mut to| to.flush()).map_err(|_| Stopped::Reader)
}

/// Patterns that keep the Dockerfile and the patterns themselves out of the image.
fn hide(dockerfile: &str) -> String {
    let special = |c: char| matches!(c, '*' | '?' | '[' | ']' | '\\' | '!' | '#');
    let escaped: String = dockerfile.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect();
    format!("{escaped}\n{IGNORE_FILE}\n")
}

fn append(
    tar: &mut Builder<impl Write>,
    context: &Context,
    entry: &Entry,
    skipped: &dyn Fn(&Path),
) -> Result<(), Stopped> {
    let full = context.root.join(&entry.path);
    let kind = entry.metadata.file_type();
    if kind.is_dir() {
        let mut header = header(EntryType::Directory, &entry.metadata, context.times);
        tar.append_data(&mut header, &entry.path, io::empty()).map_err(|_| Stopped::Reader)
    } else if kind.is_symlink() {
        let target = fs::read_link(&full).map_err(|error| unreadable(&full, &error))?;
        append_link(tar, header(EntryType::Symlink, &entry.metadata, context.times), &entry.path, &target)
    } else if kind.is_file() {
        append_file(tar, &full, &entry.path, context.times)
    } else {
        skipped(&entry.path);
        Ok(())
    }
}

fn append_file(tar: &mut Builder<impl Write>, full: &Path, path: &Path, times: Times) -> Result<(), Stopped> {
    let file = File::open(full).map_err(|error| unreadable(full, &error))?;
    // Of the file that was opened, which need not be the one that was listed.
    let metadata = file.metadata().map_err(|error| unreadable(full, &error))?;
    let mut header = header(EntryType::Regular, &metadata, times);
    header.set_size(metadata.len());
    let mut content = Content { file: file.take(metadata.len()), failed: None };
    let result = tar.append_data(&mut header, path, &mut content);
    match content.failed {
        Some(error) => Err(unreadable(full, &error)),
        None if result.is_err() => Err(Stopped::Reader),
        None if content.file.limit() > 0 => {
            Err(Stopped::Context(ContextError::new(full, &"it became shorter while it was read")))
        }
        None => Ok(()),
    }
}

/// A file's bytes up to the size that the header promises, and the file's own error, apart from the archive's.
struct Content {
    file: io::Take<File>,
    failed: Option<io::Error>,
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer).map_err(|error| {
            let again = io::Error::from(error.kind());
            if error.kind() != io::ErrorKind::Interrupted {
                self.failed = Some(error);
            }
            again
        })
    }
}

fn append_link(tar: &mut Builder<impl Write>, mut header: Header, path: &Path, target: &Path) -> Result<(), Stopped> {
    // `append_link` tidies the target up (`a//b`), so it is for those only that need its long form.
    let written = match header.set_link_name_literal(target.as_os_str().as_encoded_bytes()) {
        Ok(()) => tar.append_data(&mut header, path, io::empty()),
        Err(_) => tar.append_link(&mut header, path, target),
    };
    written.map_err(|_| Stopped::Reader)
}

fn append_bytes(tar: &mut Builder<impl Write>, path: &str, bytes: &[u8]) -> Result<(), Stopped> {
    let mut header = Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(bytes.len() as u64);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    tar.append_data(&mut header, path, bytes).map_err(|_| Stopped::Reader)
}

fn header(kind: EntryType, metadata: &Metadata, times: Times) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mode(sent_mode(metadata));
    header.set_mtime(u64::try_from(times.seconds(metadata)).unwrap_or_default());
    header
}

fn unreadable(path: &Path, error: &io::Error) -> Stopped {
    Stopped::Context(ContextError::new(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Dockerfile;

    fn archive(files: &[(&str, &str)], dockerfile: &Dockerfile, reader: Reader) -> Vec<u8> {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        }
        let context = Context::open(root.path(), dockerfile).unwrap();
        let mut bytes = Vec::new();
        write(&context, reader, &mut bytes, &|_| {}).unwrap();
        bytes
    }

    fn entries(bytes: &[u8]) -> Vec<(String, String)> {
        let mut archive = tar::Archive::new(bytes);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            assert_eq!((entry.header().uid().unwrap(), entry.header().gid().unwrap()), (0, 0));
            (entry.path().unwrap().display().to_string(), text)
        });
        entries.collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn the_same_files_give_the_same_bytes() {
        let files = [("Dockerfile", "FROM x"), ("b", "2"), ("a", "1")];
        let dockerfile = Dockerfile::File("Dockerfile".into());
        let first = archive(&files, &dockerfile, Reader::BuildKit);
        assert_eq!(first, archive(&files, &dockerfile, Reader::BuildKit));
        assert_eq!(entries(&first), pairs(&[("Dockerfile", "FROM x"), ("a", "1"), ("b", "2")]));
    }

    #[test]
    fn a_dockerfile_that_is_left_out_is_sent_and_hidden_again() {
        let files = [("[D]ockerfile", "FROM x"), (".dockerignore", "*file\nb"), ("a", "1"), ("b", "2")];
        let dockerfile = Dockerfile::File("[D]ockerfile".into());
        let sent = entries(&archive(&files, &dockerfile, Reader::BuildKit));
        assert_eq!(sent, pairs(&[("[D]ockerfile", "FROM x"), (".dockerignore", "*file\nb"), ("a", "1")]));
        let sent = entries(&archive(&files, &dockerfile, Reader::Classic));
        let hidden = "\\[D\\]ockerfile\n.dockerignore\n";
        assert_eq!(sent, pairs(&[("[D]ockerfile", "FROM x"), (".dockerignore", hidden), ("a", "1")]));
    }

    #[test]
    fn a_reader_that_goes_away_is_not_an_error_of_the_context() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let root = tempfile::tempdir().unwrap();
        let context = Context::open(root.path(), &Dockerfile::Inline("FROM x".into())).unwrap();
        assert!(matches!(write(&context, Reader::BuildKit, Gone, &|_| {}), Err(Stopped::Reader)));
    }
}

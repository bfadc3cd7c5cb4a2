//! The files of a context, as they enter the key.

use super::encode::Encoder;
use super::record::FilesRecord;
use super::rollup;
use crate::names::Digest;

/// What stands at a path of the context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A file.
    File {
        /// What of its mode enters.
        mode: Mode,
        /// The SHA-256 of its bytes.
        sha256: [u8; 32],
    },
    /// A symbolic link, by its target's bytes; it is not followed.
    Link(Vec<u8>),
    /// A folder with nothing in it. Others are known from the paths of what they hold.
    EmptyFolder,
}

/// The part of a file's mode that two checkouts of one commit have in common.
///
/// Git keeps the owner's executable bit and nothing else; read and write bits come from the umask. The set-id and
/// sticky bits come from nowhere but a `chmod`, so they count as well. A folder has no mode here: git keeps none, and
/// a folder takes set-group-id from the folder that it was cloned into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode(u16);

impl Mode {
    /// Reduces a mode as `stat` gives it.
    pub fn reduced(mode: u32) -> Self {
        Mode((mode & 0o7100) as u16)
    }
}

/// All files of a context: their digest, and their record. They themselves may be many, and are not kept.
#[derive(Debug)]
pub struct FileSet {
    digest: [u8; 32],
    record: FilesRecord,
}

impl FileSet {
    /// The set of these files, whatever their order. Paths are relative to the context and slash-separated; no path
    /// comes twice.
    pub fn new(mut entries: Vec<(Box<[u8]>, Content)>) -> Self {
        entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let mut encoder = Encoder::of("longshore files");
        encoder.length(entries.len());
        for (path, content) in &entries {
            encoder.bytes(path);
            content.encode(&mut encoder);
        }
        let digest = encoder.finish();
        FileSet { digest, record: record(&entries, Digest::from_sha256(digest)) }
    }

    /// The digest over paths, modes and contents.
    pub fn digest(&self) -> Digest {
        Digest::from_sha256(self.digest)
    }

    /// How many files, links and empty folders there are.
    pub fn len(&self) -> usize {
        self.record.count
    }

    /// Whether the context is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn encode(&self, encoder: &mut Encoder) {
        encoder.fixed(&self.digest);
    }

    /// The files as the record names them.
    pub(super) fn record(&self) -> &FilesRecord {
        &self.record
    }
}

fn record(entries: &[(Box<[u8]>, Content)], digest: Digest) -> FilesRecord {
    let name = |path: &[u8], content: &Content| {
        let mut name = String::from_utf8_lossy(path).into_owned();
        if *content == Content::EmptyFolder {
            name.push('/');
        }
        name
    };
    let names = entries.iter().map(|(path, content)| name(path, content));
    let shortened = entries.iter().map(|(path, content)| {
        let mut encoder = Encoder::of("longshore file");
        content.encode(&mut encoder);
        (name(path, content), encoder.short(rollup::DIGITS))
    });
    let (rolled_up, depth) = rollup::fitting(names, shortened);
    FilesRecord { digest, count: entries.len(), depth, entries: rolled_up }
}

impl Content {
    fn encode(&self, encoder: &mut Encoder) {
        match self {
            Content::File { mode, sha256 } => {
                encoder.fixed(b"f");
                encoder.fixed(&mode.0.to_le_bytes());
                encoder.fixed(sha256);
            }
            Content::Link(target) => {
                encoder.fixed(b"l");
                encoder.bytes(target);
            }
            Content::EmptyFolder => encoder.fixed(b"d"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, mode: u32, content: u8) -> (Box<[u8]>, Content) {
        (path.as_bytes().into(), Content::File { mode: Mode::reduced(mode), sha256: [content; 32] })
    }

    fn digest(entries: Vec<(Box<[u8]>, Content)>) -> Digest {
        FileSet::new(entries).digest()
    }

    #[test]
    fn the_order_does_not_matter() {
        let (a, b) = (file("a", 0o644, 1), file("b", 0o644, 2));
        assert_eq!(digest(vec![a.clone(), b.clone()]), digest(vec![b, a]));
    }

    #[test]
    fn what_a_umask_changes_does_not_matter_and_what_chmod_changes_does() {
        let of = |mode| digest(vec![file("a", mode, 1)]);
        assert_eq!(of(0o100_644), of(0o600));
        assert_eq!(of(0o755), of(0o700));
        assert_ne!(of(0o644), of(0o755));
        assert_ne!(of(0o755), of(0o4755));
    }

    #[test]
    fn path_content_and_kind_matter() {
        let sets = [
            vec![],
            vec![file("a", 0o644, 1)],
            vec![file("b", 0o644, 1)],
            vec![file("a", 0o644, 2)],
            vec![(Box::from(&b"a"[..]), Content::Link(b"x".to_vec()))],
            vec![(Box::from(&b"a"[..]), Content::Link(b"y".to_vec()))],
            vec![(Box::from(&b"a"[..]), Content::EmptyFolder)],
            vec![file("a", 0o644, 1), file("b", 0o644, 1)],
        ];
        let digests: std::collections::BTreeSet<Digest> = sets.into_iter().map(digest).collect();
        assert_eq!(digests.len(), 8);
    }
}

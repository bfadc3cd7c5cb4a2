//! The listing of a context: one path a line, or JSON. Written as it is found, so that its length costs no memory.

use std::io::{BufWriter, ErrorKind, StdoutLock, Write};

use base64::Engine as _;
use serde::Serialize;

use crate::diagnostic::Diagnostic;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, which is not followed.
    Link,
}

/// How a listing looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Paths, those of folders ending in `/`.
    Paths,
    /// The same after the size in bytes and a tab, with the sum at the end.
    Sizes,
    /// One JSON document.
    Json,
}

/// A listing that is under way.
pub struct Listing {
    out: BufWriter<StdoutLock<'static>>,
    form: Form,
    entries: u64,
}

#[derive(Serialize)]
struct JsonEntry<'a> {
    /// Each byte that is no UTF-8 replaced.
    path: &'a str,
    /// The path itself, where it is no UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_base64: Option<String>,
    kind: Kind,
    /// In bytes; 0 unless it is a file.
    size: u64,
}

impl Listing {
    /// Begins on stdout.
    ///
    /// # Errors
    /// If stdout does not take it.
    pub fn begin(form: Form) -> Result<Self, Diagnostic> {
        let mut listing = Listing { out: BufWriter::new(std::io::stdout().lock()), form, entries: 0 };
        if form == Form::Json {
            let written = listing.out.write_all(b"{\"version\": 1, \"entries\": [");
            told(written)?;
        }
        Ok(listing)
    }

    /// Adds a path, relative and slash-separated; its size in bytes.
    ///
    /// # Errors
    /// If stdout does not take it.
    pub fn add(&mut self, path: &[u8], kind: Kind, size: u64) -> Result<(), Diagnostic> {
        self.entries += 1;
        let slash = if kind == Kind::Folder { "/" } else { "" };
        told(match self.form {
            Form::Paths => writeln!(self.out, "{}{slash}", escaped(path)),
            Form::Sizes => writeln!(self.out, "{size}\t{}{slash}", escaped(path)),
            Form::Json => {
                let comma = if self.entries > 1 { "," } else { "" };
                let text = String::from_utf8_lossy(path);
                let exact = std::str::from_utf8(path).is_err();
                let path_base64 = exact.then(|| base64::engine::general_purpose::STANDARD.encode(path));
                let entry = JsonEntry { path: &text, path_base64, kind, size };
                let json = serde_json::to_string(&entry).unwrap_or_default();
                write!(self.out, "{comma}\n{json}")
            }
        })
    }

    /// Ends it with the sum in bytes.
    ///
    /// # Errors
    /// If stdout does not take it.
    pub fn end(mut self, total: u64) -> Result<(), Diagnostic> {
        let written = match self.form {
            Form::Paths => Ok(()),
            Form::Sizes => writeln!(self.out, "{total}\ttotal"),
            Form::Json => writeln!(self.out, "\n], \"count\": {}, \"size\": {total}}}", self.entries),
        };
        told(written.and_then(|()| self.out.flush()))
    }
}

/// A reader that has gone away is no failure of ours.
fn told(written: std::io::Result<()>) -> Result<(), Diagnostic> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Diagnostic::input("cannot write to stdout").caused_by(error.to_string()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A path on one line from which its bytes can be told: `\\`, `\n`, `\r` and `\t`, and `\xNN` for other control
/// characters and for bytes that are no UTF-8.
pub fn escaped(path: &[u8]) -> String {
    path.utf8_chunks().fold(String::with_capacity(path.len()), |mut text, chunk| {
        for c in chunk.valid().chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                c if c.is_ascii_control() => text.push_str(&format!("\\x{:02x}", u32::from(c))),
                c => text.push(c),
            }
        }
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_keep_their_bytes() {
        assert_eq!(escaped("a b/한글".as_bytes()), "a b/한글");
        assert_eq!(escaped(b"a\nb\\\x7f\xff\xe2\x82"), "a\\nb\\\\\\x7f\\xff\\xe2\\x82");
    }
}

//! Bytes that come in any portions, as whole lines.

/// A line is cut here if no newline comes, so that a step that never ends its line cannot fill the memory.
const LONGEST: usize = 64 * 1024;

/// The part of a line that has come so far.
#[derive(Debug, Default)]
pub struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// The lines that these bytes complete. What is no UTF-8 becomes U+FFFD.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") || self.rest.len() >= LONGEST {
                lines.extend(self.finish());
            }
        }
        lines
    }

    /// The last line, if it has no newline.
    pub fn finish(&mut self) -> Option<String> {
        let bytes = std::mem::take(&mut self.rest);
        if bytes.is_empty() {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let line = text.trim_end_matches(['\n', '\r']);
        // A progress bar draws over itself; its last state is the one to keep.
        Some(line.rsplit('\r').next().unwrap_or(line).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_portions() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"a\nb"), ["a"]);
        assert_eq!(lines.push(b"c\r\n\n10%\r20%\r"), ["bc", ""]);
        assert_eq!(lines.push(b"30%\n\xff\n"), ["30%", "\u{fffd}"]);
        assert_eq!(lines.push("ü".as_bytes().split_at(1).0), Vec::<String>::new());
        assert_eq!(lines.push("ü".as_bytes().split_at(1).1), Vec::<String>::new());
        assert_eq!((lines.finish(), lines.finish()), (Some("ü".into()), None));
        assert_eq!(lines.push(&vec![b'x'; 3 * LONGEST]).len(), 1);
    }
}

//! Where a value stands in the file, before it becomes a [`Place`] to show.

use std::sync::Arc;

use crate::diagnostic::{Place, Source};

/// A stretch of the file's text, in bytes; both ends are on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// A value with its place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl Span {
    /// From one byte up to, not including, another.
    pub fn new(start: usize, end: usize) -> Self {
        Span { start, end }
    }

    /// The text that stands there; empty if there is no such stretch.
    pub fn text(self, source: &str) -> &str {
        source.get(self.start..self.end).unwrap_or_default()
    }

    /// The place to show: the part of the stretch that is on its first line.
    pub fn place(self, source: &Arc<Source>) -> Place {
        let before = source.text.get(..self.start).unwrap_or(&source.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let first_line = self.text(&source.text).lines().next().unwrap_or_default();
        Place {
            source: Arc::clone(source),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            length: first_line.chars().count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let source = Arc::new(Source { name: "f".into(), text: "a: 1\nß: [é,\n b]\n".into() });
        let place = |start, end| {
            let place = Span::new(start, end).place(&source);
            (place.line, place.column, place.length)
        };
        assert_eq!(place(0, 1), (1, 1, 1));
        assert_eq!(Span::new(5, 7).text(&source.text), "ß");
        assert_eq!(place(5, 7), (2, 1, 1));
        assert_eq!(place(9, 16), (2, 4, 3), "a stretch over two lines shows what is on the first");
        assert_eq!(place(900, 901), (4, 1, 0));
    }
}

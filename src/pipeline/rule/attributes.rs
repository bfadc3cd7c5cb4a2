//! The attributes of a rule, `key=value` each.

use std::collections::BTreeMap;

use super::csv;
use super::{Piece, Wrong};

/// Attributes by their names in lower case. Those that no type knows are kept and mean nothing.
#[derive(Debug)]
pub(super) struct Attributes {
    found: BTreeMap<String, Piece>,
    length: usize,
}

impl Attributes {
    /// Reads the attributes of a rule; of two with one name the last counts.
    pub fn read(text: &str) -> Result<Self, Wrong> {
        let mut found = BTreeMap::new();
        for field in csv::record(text)? {
            // A `=` in the first place has no key before it.
            let split = field.text.find('=').filter(|at| *at > 0);
            let (key, from) = match split {
                Some(at) => (field.text[..at].trim().to_lowercase(), at + 1),
                None => ("value".to_owned(), 0),
            };
            let value = field.text[from..].trim();
            let skipped = from + (field.text[from..].len() - field.text[from..].trim_start().len());
            let start = field.range.start + skipped;
            let range = if field.verbatim { start..start + value.len() } else { field.range.clone() };
            found.insert(key, Piece { text: value.to_owned(), range });
        }
        Ok(Attributes { found, length: text.len() })
    }

    pub fn piece(&self, name: &str) -> Option<Piece> {
        self.found.get(name).cloned()
    }

    pub fn piece_or(&self, name: &str, default: &str) -> Piece {
        self.piece(name).unwrap_or_else(|| Piece::default_of(default))
    }

    pub fn required(&self, name: &str) -> Result<Piece, Wrong> {
        self.piece(name).ok_or_else(|| Wrong::new(format!("there is no `{name}`"), 0..self.length))
    }

    /// One of several words.
    pub fn choice<T: Copy>(&self, piece: &Piece, name: &str, words: &[(&str, T)]) -> Result<T, Wrong> {
        let found = words.iter().find(|(word, _)| *word == piece.text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let known: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            let range = if piece.range.is_empty() { 0..self.length } else { piece.range.clone() };
            Wrong::new(format!("`{name}` must be one of {}, not `{}`", known.join(", "), piece.text), range)
        })
    }
}

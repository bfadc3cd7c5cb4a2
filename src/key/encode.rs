//! An encoding in which two different values never have the same bytes.
//!
//! Every text and every list is preceded by its length as eight little-endian bytes, what may be missing by one byte
//! that says whether it is there, and the whole by the name of what is encoded. A reader could therefore tell where
//! each part ends, which is what makes the encoding unambiguous.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

/// Feeds a hash.
pub(super) struct Encoder(Sha256);

impl Encoder {
    /// Starts with the name of what is encoded, so that no value of one kind is ever one of another kind.
    pub fn of(domain: &str) -> Self {
        let mut encoder = Encoder(Sha256::new());
        encoder.bytes(domain.as_bytes());
        encoder
    }

    /// A number, or the length of what follows.
    pub fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    /// A length.
    pub fn length(&mut self, length: usize) {
        self.number(length as u64);
    }

    /// Bytes of any length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.update(bytes);
    }

    /// A text.
    pub fn text(&mut self, text: impl AsRef<str>) {
        self.bytes(text.as_ref().as_bytes());
    }

    /// A hash or a flag: bytes whose number is fixed by where they stand.
    pub fn fixed<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.0.update(bytes);
    }

    /// A text that may be missing, which is not the same as an empty one.
    pub fn optional(&mut self, text: Option<impl AsRef<str>>) {
        self.fixed(&[u8::from(text.is_some())]);
        if let Some(text) = text {
            self.text(text);
        }
    }

    /// Names with values, in the order of the names.
    pub fn pairs<V: AsRef<str>>(&mut self, pairs: &BTreeMap<String, V>) {
        self.length(pairs.len());
        for (name, value) in pairs {
            self.text(name);
            self.text(value);
        }
    }

    /// The hash.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    /// The first digits of the hash.
    pub fn short(self, digits: usize) -> String {
        let mut hex = hex(&self.finish()[..digits.div_ceil(2)]);
        hex.truncate(digits);
        hex
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

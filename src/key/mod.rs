//! The content key of an image: one hash over everything that decides what its build gives.
//!
//! Two builds with the same key are taken for the same image, so whatever can change the result must enter, and
//! whatever differs between two checkouts of one commit must not: no times, no owners, no paths above the context.
//! Pure: files are hashed and references resolved elsewhere, and come here as [`KeyParts`].

mod assemble;
mod changes;
mod encode;
mod files;
mod parts;
mod record;
mod rollup;

use std::fmt;

pub use assemble::{AlwaysBuild, BaseImage, ImageInputs, ImageKey, PlatformInputs, PlatformKey, assemble};
pub use changes::{Change, changes};
pub use files::{Content, FileSet, Mode};
pub use parts::{Checkout, FORMAT, KeyParts, VOLATILE_LABELS, folder};
pub use record::{KeyRecord, Record};

use crate::names::Tag;

/// The content key: a SHA-256, as 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContentKey(String);

impl ContentKey {
    /// How many digits of the key its tag has: 80 bits, so that even among millions of images none meet by chance.
    const TAG_DIGITS: usize = 20;

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag under which the image of this key is kept, `src-` and the first 20 digits.
    pub fn tag(&self) -> Tag {
        #[expect(clippy::expect_used, reason = "24 letters, digits and a dash are always a tag")]
        format!("src-{}", &self.0[..Self::TAG_DIGITS]).parse().expect("a legal tag")
    }
}

impl fmt::Display for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ContentKey {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let legal = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if legal { Ok(ContentKey(text)) } else { Err("a content key has 64 lower-case hexadecimal digits") }
    }
}

impl From<ContentKey> for String {
    fn from(key: ContentKey) -> Self {
        key.0
    }
}

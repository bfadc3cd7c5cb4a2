//! The words of the domain, valid by construction: parsed once, trusted ever after.

mod account;
mod digest;
mod familiar;
mod image_ref;
mod nearest;
mod platform;
mod registry_host;
mod repository;
mod tag;

pub use account::{AccountId, Region, RoleArn};
pub use digest::Digest;
pub use image_ref::{ImageRef, Reference};
pub use nearest::nearest;
pub use platform::Platform;
pub use registry_host::{EcrEndpoint, Partition, RegistryHost, api_host};
pub use repository::RepositoryName;
pub use tag::Tag;

/// Why a text is not the name it was meant to be.
///
/// The `Display` text reads as a whole sentence fragment: what the text was meant to be, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidName {
    text: String,
    meant: &'static str,
    problem: String,
    hint: Option<String>,
}

impl InvalidName {
    fn new(text: &str, meant: &'static str, problem: impl Into<String>) -> Self {
        InvalidName { text: text.to_owned(), meant, problem: problem.into(), hint: None }
    }

    fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What can be done about it, where that is plain from the text alone.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl std::fmt::Display for InvalidName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` is not {}: {}", self.text, self.meant, self.problem)
    }
}

impl std::error::Error for InvalidName {}

/// Gives a checked string newtype its reading, writing and serde forms.
macro_rules! string_name {
    ($name:ident) => {
        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
use string_name;

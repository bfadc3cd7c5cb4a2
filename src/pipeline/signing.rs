//! `signing:`, what a run makes of ECR's managed signing.

use serde::ser::{Serialize, Serializer};

use super::problems::Problems;
use super::read::Field;

/// What a run makes of ECR's managed signing of an image. That and by whom it is signed, the registry's configuration
/// says. Source: ECR user guide, "Managed signing".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Signing {
    /// Nothing.
    #[default]
    Ignore,
    /// It says how far it is when the image is released.
    Report,
    /// It releases the image only when it is signed.
    Require,
}

impl Signing {
    /// Whether it is left alone.
    pub fn is_ignored(&self) -> bool {
        *self == Signing::Ignore
    }
}

/// Reads `false`, `report`, `require`, or `true` for the last.
pub(super) fn read(field: &Field<'_>, problems: &mut Problems) -> Option<Signing> {
    match field.text(problems)? {
        "false" => Some(Signing::Ignore),
        "report" => Some(Signing::Report),
        "require" | "true" => Some(Signing::Require),
        other => {
            let message = format!("`{}` must be `report`, `require` or `false`, not `{other}`", field.path);
            problems.error(field.span(), message);
            None
        }
    }
}

impl Serialize for Signing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Signing::Ignore => serializer.serialize_bool(false),
            Signing::Report => serializer.serialize_str("report"),
            Signing::Require => serializer.serialize_str("require"),
        }
    }
}

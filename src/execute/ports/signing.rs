//! ECR's managed signing, as far as it tells.

use std::time::Duration;

/// How far one signing profile of AWS Signer is with an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The profile's ARN.
    pub profile: String,
    /// How far it is.
    pub state: SigningState,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SigningState {
    /// It is being signed.
    UnderWay,
    /// The signature is in the repository, as a referrer of the image.
    Signed,
    /// There will be no signature.
    Failed {
        /// ECR's code for it.
        code: Option<String>,
        /// ECR's words for it.
        reason: Option<String>,
    },
}

impl SigningState {
    /// Why it failed, in one line: nothing where it did not, and what ECR gives of code and words where it did.
    pub fn failure(&self) -> Option<String> {
        let SigningState::Failed { code, reason } = self else { return None };
        Some([code.as_deref(), reason.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(": "))
    }
}

/// Why an image that must be signed is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsigned {
    /// ECR says that this profile, by its ARN, failed.
    Failed(String),
    /// It is still being signed after this time.
    Late(Duration),
    /// No profile is to sign it.
    ByNobody,
}

//! How bad a finding is.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// How bad a finding is, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nobody has said yet; ECR's UNDEFINED, Inspector's UNTRIAGED.
    Undefined,
    /// ECR's INFORMATIONAL.
    Informational,
    /// ECR's LOW.
    Low,
    /// ECR's MEDIUM.
    Medium,
    /// ECR's HIGH.
    High,
    /// ECR's CRITICAL.
    Critical,
}

impl Severity {
    /// All of them, the worst first.
    pub const WORST_FIRST: [Severity; 6] = [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::Informational,
        Severity::Undefined,
    ];

    /// In ECR's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Undefined => "UNDEFINED",
            Severity::Informational => "INFORMATIONAL",
            Severity::Low => "LOW",
            Severity::Medium => "MEDIUM",
            Severity::High => "HIGH",
            Severity::Critical => "CRITICAL",
        }
    }

    /// What a service calls it. A word that nobody knows counts as undefined, for Inspector has some of its own.
    pub fn of_service(word: &str) -> Self {
        word.parse().unwrap_or(Severity::Undefined)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let upper = text.to_ascii_uppercase();
        Severity::WORST_FIRST.into_iter().find(|severity| severity.as_str() == upper).ok_or_else(|| {
            let words = Severity::WORST_FIRST.map(Severity::as_str).join(", ");
            format!("`{text}` is no severity; there are {words}")
        })
    }
}

impl Serialize for Severity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_services() {
        assert_eq!("high".parse(), Ok(Severity::High));
        assert_eq!(Severity::of_service("UNTRIAGED"), Severity::Undefined);
        assert!(Severity::Critical > Severity::High && Severity::Informational > Severity::Undefined);
        assert!("severe".parse::<Severity>().unwrap_err().contains("CRITICAL, HIGH"));
    }
}

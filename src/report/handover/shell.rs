//! Variables that a POSIX shell sources and that GitLab reads as a dotenv report.

use super::{Handover, pairs};

/// One `NAME=value` a line. A value is quoted only if the shell would read it differently, since GitLab takes quotes for
/// a part of the value. Source: GitLab, "CI/CD artifacts reports types", `artifacts:reports:dotenv`.
pub fn env_file(handover: &Handover) -> String {
    pairs(handover).into_iter().map(|(name, value)| format!("{name}={}\n", quoted(&value))).collect()
}

/// A word of the shell that means this text. Source: POSIX.1-2017, Shell Command Language, 2.2.2.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,@+=%".contains(c);
    match text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::handover::tests::handover;

    #[test]
    fn word_for_word() {
        let digest = crate::names::Digest::of(b"x");
        let registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        let web = |start: &str| {
            format!(
                "{start}_URI={registry}/shop/web@{digest}\n{start}_REGISTRY={registry}\n\
                 {start}_REPOSITORY=shop/web\n{start}_TAG=1.2.3\n{start}_TAGS=1.2.3,prod\n{start}_DIGEST={digest}\n"
            )
        };
        let staged = web("IMAGE_IT_S").replace("TAG=1.2.3", "TAG=").replace("TAGS=1.2.3,prod", "TAGS=");
        let expected = web("IMAGE") + &web("IMAGE_WEB") + &staged + "IMAGES_BUILT=web\nIMAGES_REUSED='it'\\''s'\n";
        assert_eq!(env_file(&handover()), expected);
        assert_eq!(env_file(&Handover::default()), "IMAGES_BUILT=\nIMAGES_REUSED=\n");
    }

    #[test]
    fn only_what_the_shell_would_misread_is_quoted() {
        assert_eq!(quoted("a/b@sha256:0,c=1"), "a/b@sha256:0,c=1");
        assert_eq!(quoted("$(x) `y`\n"), "'$(x) `y`\n'");
    }
}

//! From a text to a tag that a registry accepts.

use crate::names::Tag;

/// A tag, and what had to be done to make it one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repaired {
    pub tag: Tag,
    /// What docker/metadata-action would have given.
    pub clean: String,
    /// What was done beyond what docker/metadata-action does.
    pub repair: Option<String>,
}

/// Runs of characters that no tag may contain become `-`, as in docker/metadata-action; what no tag may begin with is
/// trimmed, and what is too long is cut.
///
/// # Errors
/// If nothing is left.
pub(super) fn repair(text: &str) -> Result<Repaired, String> {
    let clean = sanitised(text);
    let trimmed = clean.trim_start_matches(['.', '-']);
    let cut = &trimmed[..trimmed.len().min(Tag::MAX_LENGTH)];
    let tag: Tag = cut.parse().map_err(|_| format!("nothing of `{text}` can stand in a tag"))?;
    let mut done = Vec::new();
    if trimmed.len() < clean.len() {
        done.push(format!("`{}` cut from its front", &clean[..clean.len() - trimmed.len()]));
    }
    if cut.len() < trimmed.len() {
        done.push(format!("cut from {} to {} characters", trimmed.len(), Tag::MAX_LENGTH));
    }
    Ok(Repaired { tag, repair: (!done.is_empty()).then(|| done.join(", ")), clean })
}

/// Source: README of docker/metadata-action, "Notes", "Tag sanitization".
fn sanitised(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut in_run = false;
    for c in text.chars() {
        let legal = c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if legal {
            clean.push(c);
        } else if !in_run {
            clean.push('-');
        }
        in_run = !legal;
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(text: &str) -> Result<(String, Option<String>), String> {
        repair(text).map(|repaired| (repaired.tag.to_string(), repaired.repair))
    }

    #[test]
    fn legal_but_for_some_characters() {
        assert_eq!(repaired("feature/#12 new"), Ok(("feature-12-new".into(), None)));
        assert_eq!(repaired("V1.0_x--y/"), Ok(("V1.0_x--y-".into(), None)));
    }

    #[test]
    fn what_no_registry_accepts_is_repaired_or_refused() {
        assert_eq!(repaired("--.x"), Ok(("x".into(), Some("`--.` cut from its front".into()))));
        let (tag, repair) = repaired(&"é/b".repeat(90)).unwrap();
        assert_eq!(
            (tag.len(), repair.as_deref()),
            (128, Some("`-` cut from its front, cut from 179 to 128 characters"))
        );
        assert_eq!(repaired("///"), Err("nothing of `///` can stand in a tag".into()));
    }
}

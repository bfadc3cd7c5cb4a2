//! Which tags of a repository may come to mean another image.

use serde::{Deserialize, Serialize};

use crate::local::wildcard::matches;
use crate::names::Tag;

/// The most exclusion filters that one repository may have. Source: ECR API model.
const MAX_FILTERS: usize = 5;
/// The longest filter, in characters. Source: ECR API model.
const MAX_FILTER_LENGTH: usize = 128;
/// The most `*` in one filter. Source: the validation of the Terraform AWS provider.
const MAX_WILDCARDS: usize = 2;

/// A repository's image tag mutability, in ECR's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mode {
    /// Every tag may move.
    #[default]
    Mutable,
    /// No tag may move.
    Immutable,
    /// Tags that match a filter may move, no other may.
    ImmutableWithExclusion,
    /// Tags that match a filter may not move, every other may.
    MutableWithExclusion,
}

/// One exclusion filter as it goes over the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// `WILDCARD` is the only one there is.
    pub filter_type: String,
    /// The pattern, in which `*` stands for any run of characters.
    pub filter: String,
}

/// A mode with the filters that belong to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mutability {
    mode: Mode,
    filters: Vec<Filter>,
}

impl Mutability {
    /// Checks that filters are there where the mode needs them, and nowhere else.
    ///
    /// # Errors
    /// In words for the user, if the combination means nothing.
    pub fn new(mode: Mode, filters: Option<Vec<Filter>>) -> Result<Self, String> {
        let with_exclusion = matches!(mode, Mode::ImmutableWithExclusion | Mode::MutableWithExclusion);
        let filters = filters.unwrap_or_default();
        if with_exclusion && filters.is_empty() {
            return Err("imageTagMutabilityExclusionFilters is required for the WITH_EXCLUSION modes".into());
        }
        if !with_exclusion && !filters.is_empty() {
            return Err("imageTagMutabilityExclusionFilters is allowed for the WITH_EXCLUSION modes only".into());
        }
        if filters.len() > MAX_FILTERS {
            return Err(format!("there are {} exclusion filters, at most {MAX_FILTERS} are allowed", filters.len()));
        }
        filters.iter().try_for_each(check)?;
        Ok(Mutability { mode, filters })
    }

    /// The mode.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The filters, none for the plain modes.
    pub fn filters(&self) -> &[Filter] {
        &self.filters
    }

    /// Whether a tag that exists may be put on another image.
    pub fn may_move(&self, tag: &Tag) -> bool {
        let excluded = || self.filters.iter().any(|filter| matches(&filter.filter, tag.as_str()));
        match self.mode {
            Mode::Mutable => true,
            Mode::Immutable => false,
            Mode::ImmutableWithExclusion => excluded(),
            Mode::MutableWithExclusion => !excluded(),
        }
    }
}

fn check(filter: &Filter) -> Result<(), String> {
    let pattern = &filter.filter;
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '*' | '-');
    if filter.filter_type != "WILDCARD" {
        return Err(format!("the filter type `{}` is not `WILDCARD`", filter.filter_type));
    }
    if pattern.is_empty() || pattern.len() > MAX_FILTER_LENGTH || !pattern.chars().all(legal) {
        return Err(format!(
            "the filter `{pattern}` does not satisfy the regular expression ^[0-9a-zA-Z._*-]{{1,{MAX_FILTER_LENGTH}}}$"
        ));
    }
    if pattern.matches('*').count() > MAX_WILDCARDS {
        return Err(format!("the filter `{pattern}` has more than {MAX_WILDCARDS} wildcards"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(patterns: &[&str]) -> Option<Vec<Filter>> {
        Some(patterns.iter().map(|p| Filter { filter_type: "WILDCARD".into(), filter: (*p).into() }).collect())
    }

    fn may_move(mode: Mode, patterns: &[&str], tag: &str) -> bool {
        Mutability::new(mode, filters(patterns)).unwrap().may_move(&tag.parse().unwrap())
    }

    #[test]
    fn the_four_modes() {
        assert!(may_move(Mode::Mutable, &[], "latest"));
        assert!(!may_move(Mode::Immutable, &[], "latest"));
        assert!(may_move(Mode::ImmutableWithExclusion, &["latest", "dev*"], "dev-1"));
        assert!(!may_move(Mode::ImmutableWithExclusion, &["latest", "dev*"], "1.0"));
        assert!(!may_move(Mode::MutableWithExclusion, &["v*"], "v1"));
        assert!(may_move(Mode::MutableWithExclusion, &["v*"], "latest"));
    }

    #[test]
    fn combinations_that_mean_nothing() {
        for (mode, patterns) in [
            (Mode::Immutable, &["a"][..]),
            (Mode::Mutable, &["a"]),
            (Mode::ImmutableWithExclusion, &[]),
            (Mode::ImmutableWithExclusion, &["a", "b", "c", "d", "e", "f"]),
            (Mode::MutableWithExclusion, &["a*b*c*"]),
            (Mode::MutableWithExclusion, &["a b"]),
            (Mode::MutableWithExclusion, &[""]),
        ] {
            assert!(Mutability::new(mode, filters(patterns)).is_err(), "{mode:?} {patterns:?}");
        }
    }
}

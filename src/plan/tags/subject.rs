//! What is being tagged: the facts of one image, in the order in which its rules ask for them.

use std::cell::RefCell;

use super::moment::{self, Zone};
use super::semver::{self, SemanticVersion};
use super::template::{Arguments, Scope, Value};
use crate::facts::{Facts, Known};
use crate::pipeline::rule::number;

/// The digits of a short commit, where nobody says otherwise.
const SHORT: usize = 7;

/// What is being tagged.
pub(super) struct Subject<'a> {
    pub facts: &'a Facts,
    /// The git tags of this image without their prefix: versions first, the highest before others.
    pub tags: Vec<Known<String>>,
    /// What stands before the version in this image's git tags.
    prefix: &'a str,
    /// What should be said about the rule that is being applied.
    remarks: RefCell<Vec<String>>,
}

impl<'a> Subject<'a> {
    /// An image whose git tags begin with this prefix.
    pub fn new(facts: &'a Facts, prefix: &'a str) -> Self {
        let own = facts.refs.tags.iter().filter_map(|tag| {
            let name = tag.value.strip_prefix(prefix)?;
            let source =
                if prefix.is_empty() { tag.source.clone() } else { format!("{} without {prefix}", tag.source) };
            Some(Known::new(name.to_owned(), source))
        });
        let mut tags: Vec<Known<String>> = own.collect();
        tags.sort_by_cached_key(|tag| std::cmp::Reverse(semver::parse(&tag.value).map(|parsed| parsed.version)));
        Subject { facts, tags, prefix, remarks: RefCell::default() }
    }

    /// The git tag that counts where only one can.
    pub fn tag(&self) -> Option<&Known<String>> {
        self.tags.first()
    }

    /// The version that the git tags name.
    ///
    /// # Errors
    /// If there is none; the text says why.
    pub fn version(&self) -> Result<(SemanticVersion, &Known<String>), String> {
        let tag = self.tag().ok_or_else(|| self.no_tag())?;
        let version = semver::parse(&tag.value);
        version.map(|version| (version, tag)).ok_or_else(|| not_semantic(&tag.value))
    }

    /// The highest stable version among all git tags of this image that the clone knows.
    pub fn highest_stable(&self) -> Option<SemanticVersion> {
        let own = self.facts.all_tags.iter().filter_map(|tag| tag.strip_prefix(self.prefix));
        let stable = own.filter_map(semver::parse).filter(|version| !version.is_pre_release());
        stable.max_by(|a, b| a.version.cmp(&b.version))
    }

    /// Why there is no git tag.
    pub fn no_tag(&self) -> String {
        let facts = self.facts;
        if let Some(other) = facts.refs.tags.first() {
            return format!("the git tag `{}` does not begin with `{}`", other.value, self.prefix);
        }
        if !facts.in_git && facts.ci.is_none() {
            "there is no git repository, and no CI system names a tag".to_owned()
        } else if facts.refs.pull_request.is_some() {
            "a pull request has no git tag".to_owned()
        } else if facts.shallow {
            "no git tag names this commit in the shallow clone".to_owned()
        } else {
            "no git tag names this commit".to_owned()
        }
    }

    /// Why there is no branch.
    pub fn no_branch(&self) -> String {
        let facts = self.facts;
        if facts.refs.pull_request.is_some() {
            "a pull request is not a branch".to_owned()
        } else if !facts.refs.tags.is_empty() {
            "a git tag is being built, not a branch".to_owned()
        } else if facts.in_git {
            "HEAD is detached, and no CI system names a branch".to_owned()
        } else {
            "there is no git repository, and no CI system names a branch".to_owned()
        }
    }

    /// Why there is no commit.
    pub fn no_commit(&self) -> String {
        match self.facts.in_git {
            true => "the git repository has no commit".to_owned(),
            false => "there is no git repository, and no CI system names a commit".to_owned(),
        }
    }

    /// The first digits of the commit; nothing if there is none.
    ///
    /// # Errors
    /// If the length that was asked for is no number.
    pub fn short_commit(&self) -> Result<String, String> {
        let Some(commit) = &self.facts.commit else { return Ok(String::new()) };
        let commit = commit.value.as_str();
        let length = match &self.facts.short_length {
            None => SHORT,
            Some(asked) => {
                let length = number(&asked.value);
                if length.is_nan() {
                    return Err(format!("{} must be a number, not `{}`", asked.source, asked.value));
                }
                // Out of range it is the nearest that is in it.
                length.max(0.0) as usize
            }
        };
        Ok(commit[..length.min(commit.len())].to_owned())
    }

    /// The last commit of the default branch is being built.
    pub fn on_default_branch(&self) -> bool {
        let branch = self.facts.refs.branch.as_ref().map(|branch| branch.value.as_str());
        let default = self.facts.default_branch.as_ref().map(|branch| branch.value.as_str());
        let by_event = self.facts.event.as_ref().is_some_and(|event| event.value.on_default_branch);
        branch != Some("") && (branch.is_some() && branch == default || by_event)
    }

    /// What should be said about the rule that was applied last.
    pub fn take_remarks(&self) -> Vec<String> {
        self.remarks.take()
    }

    fn date(&self, name: &str, of_commit: bool, arguments: &Arguments) -> Result<Value, String> {
        let format = match arguments.values.as_slice() {
            [Value::Text(format)] => format.as_str(),
            [Value::Missing | Value::Null | Value::Bool(false)] => "",
            _ => return Err(format!("`{name}` takes a format, as in `{{{{{name} 'YYYYMMDD'}}}}`")),
        };
        let mut zone = None;
        for (key, value) in &arguments.pairs {
            match (key.as_str(), value) {
                ("tz", Value::Text(name)) if !name.is_empty() => zone = Some(name.as_str()),
                ("tz", _) => return Err("`tz` must be the name of a time zone, such as `Asia/Seoul`".to_owned()),
                _ => return Err(format!("`{name}` knows `tz`, but no `{key}`")),
            }
        }
        let facts = self.facts;
        let time = facts.commit_time.as_ref().filter(|_| of_commit).or(facts.now.as_ref());
        let time = time.ok_or_else(|| "the time is not known".to_owned())?;
        let found = Zone::named(zone.unwrap_or("UTC"));
        if let Some(zone) = zone.filter(|_| found.unknown) {
            self.remarks.borrow_mut().push(format!("the time zone `{zone}` is not known, so this is UTC"));
        }
        Ok(Value::Text(moment::format(time.value, &found, format)))
    }
}

/// Why a git tag gives no version.
pub(super) fn not_semantic(tag: &str) -> String {
    format!("the git tag `{tag}` is not a semantic version")
}

/// What every template but patterns can name.
impl Scope for Subject<'_> {
    fn value(&self, name: &str, arguments: &Arguments) -> Result<Option<Value>, String> {
        let text =
            |known: Option<&Known<String>>| Value::Text(known.map(|known| known.value.clone()).unwrap_or_default());
        let truth = |value: bool| Value::Text(value.to_string());
        let refs = &self.facts.refs;
        Ok(Some(match name {
            "branch" => text(refs.branch.as_ref()),
            "tag" => text(self.tag()),
            "sha" => Value::Text(self.short_commit()?),
            "base_ref" => text(self.facts.base_branch.as_ref().filter(|_| refs.branch.is_none())),
            "is_default_branch" => truth(self.on_default_branch()),
            "is_not_default_branch" => truth(!self.on_default_branch()),
            "date" => self.date(name, false, arguments)?,
            "commit_date" => self.date(name, true, arguments)?,
            _ => return Ok(None),
        }))
    }
}

/// What the pattern of a schedule can name: dates only.
pub(super) struct Dates<'s, 'a>(pub &'s Subject<'a>);

impl Scope for Dates<'_, '_> {
    fn value(&self, name: &str, arguments: &Arguments) -> Result<Option<Value>, String> {
        match name {
            "date" | "commit_date" => self.0.value(name, arguments),
            _ => Ok(None),
        }
    }
}

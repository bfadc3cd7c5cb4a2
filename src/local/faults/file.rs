//! Faults as they are written: YAML, and so JSON too.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::local::faults::quotas;
use crate::local::faults::rules::{Answer, Deed, Fault, Lie, Moment, Nth};

/// Why a file of faults means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// What is wrong.
    pub problem: String,
    /// The line where, counted from 1, if that is known.
    pub line: Option<usize>,
    /// The column where, in characters, counted from 1.
    pub column: Option<usize>,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    quotas: Option<Quotas>,
    #[serde(default)]
    faults: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Quotas {
    Ecr,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    operation: OneOrMany,
    repository: Option<String>,
    reference: Option<String>,
    nth: Option<WrittenNth>,
    #[serde(default)]
    when: WrittenMoment,
    delay: Option<String>,
    hold: Option<PathBuf>,
    answer: Option<WrittenAnswer>,
    #[serde(default)]
    reset: bool,
    truncate: Option<usize>,
    lie: Option<WrittenLie>,
    token: Option<WrittenToken>,
    rate: Option<WrittenRate>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenNth {
    One(u64),
    Many(Vec<u64>),
    Range(String),
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenMoment {
    #[default]
    Before,
    After,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAnswer {
    status: u16,
    code: Option<String>,
    message: Option<String>,
    body: Option<String>,
    retry_after: Option<WrittenRetryAfter>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenRetryAfter {
    Seconds(u64),
    Text(String),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenLie {
    Digest,
    Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenToken {
    Expired,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenRate {
    PerSecond(u32),
    #[serde(rename_all = "snake_case")]
    Full {
        per_second: u32,
        burst: u32,
    },
}

impl Fault {
    /// Reads a file of faults; paths in it start from `folder`.
    ///
    /// # Errors
    /// If it is not YAML of this form, or a fault in it means nothing.
    pub fn parse(text: &str, folder: &Path) -> Result<Vec<Fault>, FileError> {
        let file: File = serde_yaml::from_str(text).map_err(|error| {
            let place = error.location();
            let number = |of: u64| usize::try_from(of).unwrap_or(usize::MAX);
            FileError {
                problem: words(&error),
                line: place.as_ref().map(|place| number(place.line())),
                column: place.as_ref().map(|place| number(place.column())),
            }
        })?;
        let quotas = file.quotas.map(|Quotas::Ecr| quotas::ecr()).unwrap_or_default();
        // What is written comes before the quotas, so that a held operation does not count against them.
        let mut faults = Vec::with_capacity(file.faults.len() + quotas.len());
        for (at, written) in file.faults.into_iter().enumerate() {
            let fault = written.meant(folder).map_err(|problem| FileError {
                problem: format!("`faults[{at}]`: {problem}"),
                line: None,
                column: None,
            })?;
            faults.push(fault);
        }
        faults.extend(quotas);
        Ok(faults)
    }
}

/// The library's words without the place, which stands beside them.
fn words(error: &serde_yaml::Error) -> String {
    let formatter = serde_yaml::UserMessageFormatter;
    let mut options = serde_yaml::RenderOptions::new(&formatter);
    options.snippets = serde_yaml::SnippetMode::Off;
    let words = error.render_with_options(options);
    let end = words.find(" at line ").unwrap_or(words.len());
    words[..end].to_owned()
}

impl Written {
    fn meant(self, folder: &Path) -> Result<Fault, String> {
        let deed = self.deed()?;
        let fault = Fault {
            operations: match self.operation {
                OneOrMany::One(one) => vec![one],
                OneOrMany::Many(many) => many,
            },
            repository: self.repository,
            reference: self.reference,
            nth: self.nth.map_or(Ok(Nth::Every), WrittenNth::meant)?,
            when: match self.when {
                WrittenMoment::Before => Moment::Before,
                WrittenMoment::After => Moment::After,
            },
            delay: self.delay.as_deref().map(duration).transpose()?,
            hold: self.hold.map(|file| folder.join(file)),
            deed,
        };
        match &fault.deed {
            None if fault.delay.is_none() && fault.hold.is_none() => {
                Err("it does nothing; say `delay`, `hold`, `answer`, `reset`, `truncate`, `lie`, `token` or `rate`"
                    .to_owned())
            }
            Some(Deed::ExpireToken | Deed::Rate { .. }) if fault.when == Moment::After => {
                Err("`token` and `rate` strike before the operation takes effect".to_owned())
            }
            _ => Ok(fault),
        }
    }

    fn deed(&self) -> Result<Option<Deed>, String> {
        let answer = self.answer.as_ref().map(WrittenAnswer::meant).transpose()?;
        let deeds = [
            answer,
            self.reset.then_some(Deed::Reset),
            self.truncate.map(Deed::Truncate),
            self.lie.map(|lie| {
                Deed::Lie(match lie {
                    WrittenLie::Digest => Lie::Digest,
                    WrittenLie::Body => Lie::Body,
                })
            }),
            self.token.as_ref().map(|WrittenToken::Expired| Deed::ExpireToken),
            self.rate.as_ref().map(|rate| match rate {
                WrittenRate::PerSecond(rate) => Deed::Rate { per_second: *rate, burst: *rate },
                WrittenRate::Full { per_second, burst } => Deed::Rate { per_second: *per_second, burst: *burst },
            }),
        ];
        let mut deeds = deeds.into_iter().flatten();
        let deed = deeds.next();
        match deeds.next() {
            Some(_) => Err("it does two things at once; make two faults of it".to_owned()),
            None => Ok(deed),
        }
    }
}

impl WrittenAnswer {
    fn meant(&self) -> Result<Deed, String> {
        if !(100..=999).contains(&self.status) {
            return Err(format!("`{}` is no HTTP status", self.status));
        }
        Ok(Deed::Answer(Answer {
            status: self.status,
            code: self.code.clone(),
            message: self.message.clone(),
            body: self.body.clone(),
            retry_after: self.retry_after.as_ref().map(|value| match value {
                WrittenRetryAfter::Seconds(seconds) => seconds.to_string(),
                WrittenRetryAfter::Text(text) => text.clone(),
            }),
        }))
    }
}

impl WrittenNth {
    fn meant(self) -> Result<Nth, String> {
        let nth = match self {
            WrittenNth::One(one) => Nth::These(vec![one]),
            WrittenNth::Many(many) => Nth::These(many),
            WrittenNth::Range(text) => {
                let range = text.split_once("..").and_then(|(first, last)| {
                    let last = if last.is_empty() { Some(u64::MAX) } else { last.trim().parse().ok() };
                    Some(Nth::Range(first.trim().parse().ok()?, last?))
                });
                range.ok_or_else(|| format!("`nth: {text}` is no range; write one as in `2..4` or `2..`"))?
            }
        };
        match (1..=1_000_000).any(|n| nth.contains(n)) {
            true => Ok(nth),
            false => Err("`nth` names no occurrence; they are counted from 1".to_owned()),
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let told = || format!("`delay: {text}` is no time; write it as in `500ms` or `2s`");
    let duration: jiff::SignedDuration = text.parse().map_err(|_| told())?;
    Duration::try_from(duration).map_err(|_| told())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<Fault>, String> {
        Fault::parse(text, Path::new("/f")).map_err(|error| error.problem)
    }

    #[test]
    fn the_whole_form() {
        let text = "\
faults:
  - { operation: registry:PutManifest, repository: shop/*, reference: prod, nth: 2, hold: gate }
  - { operation: [PutImage, CreateRepository], nth: '2..', when: after, delay: 50ms, reset: true }
  - { operation: '*', nth: [1, 3], answer: { status: 503, code: Busy, message: m, retry_after: 2 } }
";
        let faults = parse(text).unwrap();
        assert_eq!(faults[0].hold.as_deref(), Some(Path::new("/f/gate")));
        assert_eq!(faults[0].nth, Nth::These(vec![2]));
        assert_eq!((faults[1].when, &faults[1].deed), (Moment::After, &Some(Deed::Reset)));
        assert_eq!((faults[1].delay, &faults[1].nth), (Some(Duration::from_millis(50)), &Nth::Range(2, u64::MAX)));
        let answer = Answer {
            status: 503,
            code: Some("Busy".into()),
            message: Some("m".into()),
            body: None,
            retry_after: Some("2".into()),
        };
        assert_eq!(faults[2].deed, Some(Deed::Answer(answer)));
    }

    #[test]
    fn json_and_quotas() {
        let faults = parse(r#"{"quotas": "ecr", "faults": [{"operation": "PutImage", "rate": 1}]}"#).unwrap();
        assert_eq!(faults[0].deed, Some(Deed::Rate { per_second: 1, burst: 1 }));
        assert!(faults.len() > 5);
    }

    #[test]
    fn what_means_nothing() {
        for (text, told) in [
            ("faults: [{ operation: x }]", "it does nothing"),
            ("faults: [{ operation: x, reset: true, truncate: 1 }]", "two things at once"),
            ("faults: [{ operation: x, reset: true, nth: 0 }]", "counted from 1"),
            ("faults: [{ operation: x, reset: true, nth: a }]", "is no range"),
            ("faults: [{ operation: x, delay: soon }]", "is no time"),
            ("faults: [{ operation: x, answer: { status: 1 } }]", "no HTTP status"),
            ("faults: [{ operation: x, rate: 1, when: after }]", "before the operation takes effect"),
            ("faults: [{ operation: x, explode: true }]", "explode"),
        ] {
            let problem = parse(text).unwrap_err();
            assert!(problem.contains(told), "{text}\n{problem}");
        }
    }
}

//! Objections and notices in words.

use std::fmt;

use super::judge::{Notice, Objection, Unknown};
use super::wait::{NoScan, Waiting};

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Objection::Finding { id, severity, package, fixed_in, borne } => {
                write!(f, "{severity} {id}")?;
                if let Some(package) = package {
                    write!(f, " in {package}")?;
                }
                if let Some(version) = fixed_in {
                    write!(f, ", fixed in {version}")?;
                }
                match borne {
                    Some((until, reason)) => write!(f, "; it was ignored until {until}: {reason}"),
                    None => Ok(()),
                }
            }
            Objection::Unlisted { severity, count } => write!(f, "{count} {severity} that are counted but not listed"),
            Objection::Unknown { of, why } => write!(f, "{of}: {why}"),
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |words: &Option<String>| words.as_ref().map_or(String::new(), |words| format!(": {words}"));
        match self {
            Unknown::Unsupported(said) => write!(f, "it cannot be scanned{}", words(said)),
            Unknown::NoResult(status, said) => write!(f, "the scan ended as {status}{}", words(said)),
            Unknown::NeverScanned(why) => why.fmt(f),
            Unknown::TimedOut(seconds, waiting) => write!(f, "after {seconds} s there was still {waiting}"),
            Unknown::Empty => f.write_str("it holds no image that could be scanned"),
        }
    }
}

impl fmt::Display for NoScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoScan::NoFilter => "Inspector never scans it: no filter of the registry matches its repository",
            NoScan::NotAsked => "nothing scans it by itself, and the gate says `scan: never`",
            NoScan::DidNotBegin => "no scan of it has begun",
            NoScan::TooSoon => "ECR has no findings of it, and scans an image once in 24 hours only",
            NoScan::Archived => "it is in the archive, where nothing is scanned",
        })
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Waiting::ForScan => f.write_str("no scan"),
            Waiting::ForFindings => f.write_str("no result of the scan"),
            Waiting::ForSecondLook(count) => write!(f, "no second look at its {count} findings that says the same"),
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Expires { id, until, days: 0 } => {
                write!(f, "{id} is ignored until today, {until}, and will fail tomorrow")
            }
            Notice::Expires { id, until, days } => {
                let plural = if *days == 0 { "" } else { "s" };
                write!(f, "{id} is ignored until {until}, and will fail in {} day{plural}", days + 1)
            }
            Notice::Unneeded { id, expired } => {
                let until = if *expired { " (its time is over, too)" } else { "" };
                write!(f, "{id} is ignored, but nothing has it{until}: remove it from `gate.ignore`")
            }
            Notice::Unsupported { of, words } => {
                let words = words.as_ref().map_or(String::new(), |words| format!(": {words}"));
                write!(f, "{of} cannot be scanned, and the gate lets it through{words}")
            }
        }
    }
}

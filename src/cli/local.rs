//! `longshore local`: the small ECR on loopback.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use crate::names::{AccountId, Region};

/// `longshore local`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  longshore local -- bash        a shell in which the AWS CLI, docker and longshore use it\n  \
    longshore local --port 5010 --log operations.jsonl"
)]
pub struct LocalArgs {
    /// Where the images are kept [default: longshore/local in the user's data folder]
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// The port on 127.0.0.1; 0 takes any that is free [default: 5010, or any free one if that is taken]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// A file that gets a line of JSON for each operation: its name, what it is about, its status and its bytes
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// What scans find: a list of answers by repository, tag or digest, in YAML or JSON
    #[arg(long, value_name = "FILE")]
    pub scans: Option<PathBuf>,
    /// Also serve the registry of another region, or of another account in it, on a port of its own, for images to be
    /// replicated to
    #[arg(long, value_name = "[ACCOUNT/]REGION[:PORT]")]
    pub beside: Vec<BesideArg>,
    /// A file of faults that strike named operations, to see what comes of them; docs/local.md describes it
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// A command to run with the variables set; the server ends with it
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// A registry that stands beside the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BesideArg {
    /// Its account, where it is another.
    pub account: Option<AccountId>,
    /// Its region.
    pub region: Region,
    /// Its port; any that is free where it is not given.
    pub port: Option<u16>,
}

impl FromStr for BesideArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (home, port) = match text.rsplit_once(':') {
            Some((home, port)) => (home, Some(port.parse().map_err(|_| format!("`{port}` is no port"))?)),
            None => (text, None),
        };
        let (account, region) = match home.split_once('/') {
            Some((account, region)) => (Some(account.parse::<AccountId>().map_err(|error| error.to_string())?), region),
            None => (None, home),
        };
        Ok(BesideArg { account, region: region.parse::<Region>().map_err(|error| error.to_string())?, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_left_out() {
        let of =
            |text: &str| text.parse::<BesideArg>().map(|it| (it.account.is_some(), it.region.to_string(), it.port));
        assert_eq!(of("eu-west-1"), Ok((false, "eu-west-1".into(), None)));
        assert_eq!(of("210987654321/eu-west-1:5011"), Ok((true, "eu-west-1".into(), Some(5011))));
        assert!(of("12/eu-west-1").is_err());
        assert!(of("eu-west-1:port").is_err());
    }
}

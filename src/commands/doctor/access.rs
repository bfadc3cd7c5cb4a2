//! Credentials, region, names, clock and token: whether ECR takes this machine for who it should be.

use std::net::IpAddr;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Surroundings;
use crate::commands::way::Way;
use crate::diagnostic::{Blame, Diagnostic};
use crate::effects::{clock, network};
use crate::execute::ports::Ecr as _;
use crate::report::doctor::Finding;

/// AWS takes a request for forged or old whose time differs by more. Source: AWS General Reference, "Signature Version 4".
const MOST_SKEW: i64 = 5 * 60;

/// What a clock that is kept by somebody never differs by, in seconds.
const ODD_SKEW: i64 = 30;

/// How long before their end credentials are worth a warning, in minutes.
const SOON: i64 = 20;

/// Whether the registry can be worked with.
pub(super) async fn look(way: &Way, place: &str, around: &Surroundings<'_>, findings: &mut Vec<Finding>) -> bool {
    let about = |what: &str| format!("{what}{place}");
    findings.extend(names(way, &about("network")).await);
    findings.extend(skew(way, &about("clock")).await);
    let end = match way.ecr.token_end().await {
        Ok(end) => end,
        Err(error) => {
            findings.push(Finding::wrong(about("credentials"), around.told(&error)));
            return false;
        }
    };
    findings.push(credentials(way, &about("credentials")).await);
    findings.push(account(way, &about("account")).await);
    let Ok(credential) = way.ecr.credential().await else { return false };
    match way.registry.ping(&credential).await {
        Ok(()) => {
            let until = end.map_or(String::new(), |end| format!(", good until {}", time(end)));
            findings.push(Finding::fine(about("token"), format!("{} takes it{until}", way.host)));
            true
        }
        Err(error) => {
            findings.push(Finding::wrong(about("token"), around.told(&error)));
            false
        }
    }
}

async fn credentials(way: &Way, about: &str) -> Finding {
    let end = way.ecr.credentials_end().await;
    let until = end.map_or(String::new(), |end| format!(", until {}", time(end)));
    let who = match way.ecr.caller().await {
        Ok(Some(arn)) => arn,
        Ok(None) => "accepted; who they belong to is not known to a stand-in for ECR".to_owned(),
        Err(cause) => {
            let message = format!("accepted by ECR{until}, but STS does not say who they belong to");
            let problem = Diagnostic::new(Blame::Service, message).caused_by(cause);
            return Finding::odd(
                about,
                problem.hint("nothing depends on it; in a private subnet STS needs a VPC endpoint of its own"),
            );
        }
    };
    let left = end.map(|end| end - clock::now());
    if left.is_some_and(|left| left.whole_minutes() < SOON) {
        let minutes = left.map_or(0, time::Duration::whole_minutes).max(0);
        let message = format!("{who}: they end in {minutes} minutes");
        let problem = Diagnostic::new(Blame::Access, message);
        return Finding::odd(about, problem.hint("get new ones before a long run, as with `aws sso login`"));
    }
    Finding::fine(about, format!("{who}{until}"))
}

/// The account of the token and the account of the registry, which may differ on purpose.
async fn account(way: &Way, about: &str) -> Finding {
    let own = way.ecr.account().await.ok().flatten();
    let named = way.host.as_ecr().map(|ecr| ecr.account);
    match (own, named) {
        (Some(own), Some(named)) if own != named => {
            let message = format!("the registry is of account {named}, the credentials of account {own}");
            let problem = Diagnostic::new(Blame::Access, message);
            Finding::odd(
                about,
                problem.hint(
                    "fine if the repositories' policies let the other account push; else check `registry.account`",
                ),
            )
        }
        (_, Some(named)) => Finding::fine(about, named.to_string()),
        (Some(own), None) => Finding::fine(about, own.to_string()),
        (None, None) => Finding::fine(about, "not told by what stands in for ECR"),
    }
}

/// Where the names lead: this machine, a VPC endpoint, or the public addresses.
async fn names(way: &Way, about: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let api = way.ecr.api_host();
    for host in std::iter::once(way.host.name()).chain(api) {
        found.push(match network::resolve(host).await {
            Ok(addresses) => Finding::fine(about, format!("{host} is {}", road(&addresses))),
            Err(cause) => {
                let message = format!("{host} has no address");
                let problem = Diagnostic::new(Blame::Service, message).caused_by(cause);
                let hint = match way.host.as_ecr() {
                    Some(_) => "check the region and the name server; behind a proxy this is as it should be",
                    None => "check the registry's host, and the name server",
                };
                // Behind a proxy it is the proxy that looks names up.
                Finding::odd(about, problem.hint(hint))
            }
        });
    }
    found.dedup();
    found
}

fn road(addresses: &[IpAddr]) -> &'static str {
    let is_private = |address: &IpAddr| match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    };
    match addresses {
        [] => "nowhere",
        all if all.iter().all(IpAddr::is_loopback) => "this machine",
        all if all.iter().all(is_private) => "in a private network: a VPC endpoint, or a stand-in",
        _ => "at public addresses, not through a VPC endpoint",
    }
}

async fn skew(way: &Way, about: &str) -> Option<Finding> {
    let before = clock::now();
    let theirs = way.registry.time().await?;
    // HTTP knows whole seconds, and the answer took its time: the middle is the best guess.
    let ours = before + (clock::now() - before) / 2;
    let ahead: time::Duration = ours - theirs;
    Some(judged(about, ahead.whole_seconds()))
}

fn judged(about: &str, ahead: i64) -> Finding {
    let way = if ahead > 0 { "ahead of" } else { "behind" };
    let message = format!("this machine's clock is {} s {way} the registry's", ahead.abs());
    let problem = || {
        Diagnostic::new(Blame::Access, message.clone())
            .hint("set the clock, as with `chronyc makestep`; AWS refuses requests that are off by more than 5 minutes")
    };
    match ahead.abs() {
        skew if skew > MOST_SKEW => Finding::wrong(about, problem()),
        skew if skew > ODD_SKEW => Finding::odd(about, problem()),
        _ => Finding::fine(about, "agrees with the registry's"),
    }
}

fn time(at: OffsetDateTime) -> String {
    at.replace_nanosecond(0).unwrap_or(at).format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::panic, reason = "a finding of another kind fails the test")]
mod tests {
    use super::*;
    use crate::report::doctor::State;

    #[test]
    fn clocks() {
        assert!(matches!(judged("clock", 3).state, State::Fine(..)));
        let State::Odd(odd) = judged("clock", -61).state else { panic!("it must be odd") };
        assert_eq!(odd.message, "this machine's clock is 61 s behind the registry's");
        assert!(matches!(judged("clock", 301).state, State::Wrong(_)));
    }

    #[test]
    fn roads() {
        let road_of = |texts: &[&str]| road(&texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>());
        assert_eq!(road_of(&["127.0.0.1"]), "this machine");
        assert!(road_of(&["10.0.0.1", "10.0.1.1"]).contains("VPC endpoint"));
        assert!(road_of(&["10.0.0.1", "52.94.1.1"]).starts_with("at public"));
    }
}

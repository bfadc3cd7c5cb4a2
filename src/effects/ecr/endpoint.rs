//! Where the environment says that ECR's API answers.

use reqwest::Url;

use crate::execute::ports::{Failure, ServiceError};
use crate::facts::Variables;

/// The variables that name an endpoint, the more particular first. Source: AWS SDKs and Tools Reference Guide,
/// "Service-specific endpoints".
const VARIABLES: [&str; 2] = ["AWS_ENDPOINT_URL_ECR", "AWS_ENDPOINT_URL"];

/// What the variables say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stated {
    /// The URL of the first variable that is not empty.
    pub(super) url: Option<String>,
    /// A variable is set to nothing, which the SDK would take for a URL.
    pub(super) emptied: bool,
}

/// Reads the variables; one that is set to nothing counts as not set.
///
/// # Errors
/// If one holds something that is no URL.
pub(super) fn stated(variables: &Variables) -> Result<Stated, ServiceError> {
    let mut set =
        VARIABLES.iter().filter_map(|name| Some((*name, variables.get(*name).filter(|url| !url.is_empty())?)));
    let emptied = VARIABLES.iter().any(|name| variables.get(*name).is_some_and(String::is_empty));
    let Some((name, url)) = set.next() else { return Ok(Stated { url: None, emptied }) };
    let cause = match Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => {
            return Ok(Stated { url: Some(url.clone()), emptied });
        }
        Ok(_) => "it does not begin with http:// or https://".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(ServiceError {
        failure: Failure::EndpointMalformed { variable: name.to_owned(), url: url.clone() },
        doing: "find the ECR API".to_owned(),
        cause,
    })
}

/// The host of a URL, without its port.
pub(super) fn host(url: &str) -> Option<String> {
    Url::parse(url).ok()?.host_str().map(str::to_owned)
}

/// Whether a URL leads to this machine, where no proxy stands in between.
pub(super) fn is_loopback(url: &str) -> bool {
    let parsed = Url::parse(url).ok();
    let host = parsed.as_ref().and_then(Url::host_str).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Stated, Failure> {
        let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        stated(&variables).map_err(|error| error.failure)
    }

    #[test]
    fn the_particular_one_wins_and_the_empty_one_counts_as_not_set() {
        let url = |url: &str, emptied| Ok(Stated { url: Some(url.to_owned()), emptied });
        let both = [("AWS_ENDPOINT_URL", "https://a"), ("AWS_ENDPOINT_URL_ECR", "http://b:1")];
        assert_eq!(of(&both), url("http://b:1", false));
        assert_eq!(of(&[both[0], ("AWS_ENDPOINT_URL_ECR", "")]), url("https://a", true));
        assert_eq!(of(&[("AWS_ENDPOINT_URL_ECR", "")]), Ok(Stated { url: None, emptied: true }));
        assert_eq!(of(&[]), Ok(Stated { url: None, emptied: false }));
    }

    #[test]
    fn what_is_no_url() {
        for url in ["foo", "localhost:4566", "ftp://x", "http://"] {
            let failure = Failure::EndpointMalformed { variable: "AWS_ENDPOINT_URL_ECR".into(), url: url.into() };
            assert_eq!(of(&[("AWS_ENDPOINT_URL_ECR", url)]), Err(failure));
        }
    }

    #[test]
    fn this_machine() {
        for url in ["http://127.0.0.1:5010", "http://localhost", "http://[::1]:1/"] {
            assert!(is_loopback(url), "{url}");
        }
        assert!(!is_loopback("https://api.ecr.us-east-1.amazonaws.com") && !is_loopback("http://10.0.0.1"));
    }
}

//! Names and clocks of other machines.

use std::net::IpAddr;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// How long a name server may take.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

/// The addresses behind a host's name.
///
/// # Errors
/// In words for the user: there are none, or the name server does not answer.
pub async fn resolve(host: &str) -> Result<Vec<IpAddr>, String> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    // The port is only what the library wants to have.
    let found = tokio::time::timeout(LIMIT, tokio::net::lookup_host((host, 443))).await;
    let found = found.map_err(|_| format!("no name server answered within {} s", LIMIT.as_secs()))?;
    let mut addresses: Vec<IpAddr> = found.map_err(|error| error.to_string())?.map(|address| address.ip()).collect();
    addresses.sort();
    addresses.dedup();
    Ok(addresses)
}

/// A time as HTTP's `Date` has it. Source: RFC 9110, section 5.6.7.
pub fn http_date(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc2822).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_http() {
        let date = http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(date.unix_timestamp(), 784_111_777);
        assert_eq!(http_date("yesterday"), None);
    }

    #[tokio::test]
    async fn this_machine_has_a_name() {
        assert!(resolve("localhost").await.unwrap().iter().all(IpAddr::is_loopback));
        assert!(resolve("no-such-host.invalid").await.is_err());
    }
}

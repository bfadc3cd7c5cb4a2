use super::{AccountId, InvalidName, Region};

/// The host, and port if any, at which a registry answers, as in `127.0.0.1:5000`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryHost(String);

super::string_name!(RegistryHost);

impl std::str::FromStr for RegistryHost {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid = |problem: &str| InvalidName::new(text, "a registry host", problem);
        if text.contains("://") {
            return Err(invalid("it is a URL").with_hint("write the host alone, with no scheme"));
        }
        if text.contains('/') {
            return Err(invalid("it contains `/`").with_hint("write the host alone, with no path"));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (text, None),
        };
        if port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(invalid("its port is not a number up to 65535"));
        }
        let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let legal = match bracketed {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty()
                    && host.split('.').all(|label| {
                        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
                    })
            }
        };
        if !legal {
            return Err(invalid("a host is a name or an address, with `:port` where needed"));
        }
        Ok(RegistryHost(text.to_owned()))
    }
}

impl RegistryHost {
    /// The name or address without the port.
    pub fn name(&self) -> &str {
        match self.0.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host,
            _ => &self.0,
        }
    }

    /// Whether the host is this machine, where the Docker daemon speaks plain HTTP without being told to.
    pub fn is_loopback(&self) -> bool {
        let name = self.name().trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// What the host says about itself, if it is one of ECR's private registries.
    ///
    /// Accepts every form that `amazon-ecr-credential-helper` accepts.
    pub fn as_ecr(&self) -> Option<EcrEndpoint> {
        let (account, rest) = self.0.split_once('.')?;
        let account: AccountId = account.parse().ok()?;
        let (service, rest) = if let Some(rest) = rest.strip_prefix("dkr.") {
            rest.split_once('.')?
        } else {
            rest.strip_prefix("dkr-")?.split_once('.')?
        };
        let fips = match service {
            "ecr" => false,
            "ecr-fips" => true,
            _ => return None,
        };
        let (region, suffix) = rest.split_once('.')?;
        let region: Region = region.parse().ok()?;
        let partition = Partition::of(&region);
        let dual_stack = partition.dual_stack_suffix() == Some(suffix);
        (dual_stack || suffix == partition.suffix()).then_some(EcrEndpoint { account, region, fips, dual_stack })
    }
}

/// A set of regions with its own domain. Source: AWS General Reference, "Amazon ECR endpoints and quotas".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partition {
    /// `aws`, the commercial regions.
    Commercial,
    /// `aws-us-gov`
    GovCloud,
    /// `aws-cn`
    China,
    /// `aws-eusc`, the European Sovereign Cloud.
    EuSovereign,
    /// `aws-iso`, `aws-iso-b`, `aws-iso-e`, `aws-iso-f`, by their letter; `aws-iso` itself has none.
    Isolated(Option<char>),
}

impl Partition {
    /// The partition of a region, read off its code.
    pub fn of(region: &Region) -> Self {
        match region.as_str().split('-').collect::<Vec<_>>().as_slice() {
            ["cn", ..] => Partition::China,
            ["eusc", ..] => Partition::EuSovereign,
            [_, "gov", ..] => Partition::GovCloud,
            [_, "iso", ..] => Partition::Isolated(None),
            [_, "isob", ..] => Partition::Isolated(Some('b')),
            [_, "isoe", ..] => Partition::Isolated(Some('e')),
            [_, "isof", ..] => Partition::Isolated(Some('f')),
            _ => Partition::Commercial,
        }
    }

    /// Its name in ARNs.
    pub fn id(self) -> &'static str {
        match self {
            Partition::Commercial => "aws",
            Partition::GovCloud => "aws-us-gov",
            Partition::China => "aws-cn",
            Partition::EuSovereign => "aws-eusc",
            Partition::Isolated(Some('b')) => "aws-iso-b",
            Partition::Isolated(Some('e')) => "aws-iso-e",
            Partition::Isolated(Some('f')) => "aws-iso-f",
            Partition::Isolated(_) => "aws-iso",
        }
    }

    /// What the names of its services for VPC endpoints begin with: its domain from the end.
    pub fn service_prefix(self) -> String {
        self.suffix().split('.').rev().collect::<Vec<_>>().join(".")
    }

    fn suffix(self) -> &'static str {
        match self {
            Partition::Commercial | Partition::GovCloud => "amazonaws.com",
            Partition::China => "amazonaws.com.cn",
            Partition::EuSovereign => "amazonaws.eu",
            Partition::Isolated(Some('b')) => "sc2s.sgov.gov",
            Partition::Isolated(Some('e')) => "cloud.adc-e.uk",
            Partition::Isolated(Some('f')) => "csp.hci.ic.gov",
            Partition::Isolated(_) => "c2s.ic.gov",
        }
    }

    fn dual_stack_suffix(self) -> Option<&'static str> {
        match self {
            Partition::Commercial | Partition::GovCloud => Some("on.aws"),
            Partition::China => Some("on.amazonwebservices.com.cn"),
            Partition::EuSovereign | Partition::Isolated(_) => None,
        }
    }
}

/// Where ECR's API answers in a region, unless an endpoint is stated. Source: AWS General Reference, "Amazon ECR endpoints
/// and quotas".
pub fn api_host(region: &Region, fips: bool, dual_stack: bool) -> String {
    let partition = Partition::of(region);
    let fips = if fips { "-fips" } else { "" };
    match (dual_stack, partition) {
        (true, Partition::China) => format!("ecr{fips}.{region}.api.amazonwebservices.com.cn"),
        (true, Partition::Commercial | Partition::GovCloud) => format!("ecr{fips}.{region}.api.aws"),
        _ => format!("api.ecr{fips}.{region}.{}", partition.suffix()),
    }
}

/// Where one account's private registry in one region answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcrEndpoint {
    /// Whose registry.
    pub account: AccountId,
    /// In which region.
    pub region: Region,
    /// Through the FIPS 140 endpoint.
    pub fips: bool,
    /// Through the endpoint that also answers over IPv6.
    pub dual_stack: bool,
}

impl EcrEndpoint {
    /// The registry's host.
    ///
    /// # Errors
    /// Where the region's partition has no such endpoint: FIPS is in the commercial and GovCloud partitions,
    /// dual-stack in those and in China.
    pub fn host(&self) -> Result<RegistryHost, InvalidName> {
        let partition = Partition::of(&self.region);
        let missing = |kind: &str| {
            InvalidName::new(
                self.region.as_str(),
                "a region with such an endpoint",
                format!("it has no {kind} registry"),
            )
        };
        if self.fips && !matches!(partition, Partition::Commercial | Partition::GovCloud) {
            return Err(missing("FIPS"));
        }
        let suffix = match self.dual_stack {
            true => partition.dual_stack_suffix().ok_or_else(|| missing("dual-stack"))?,
            false => partition.suffix(),
        };
        // China alone keeps the dot in its dual-stack hosts.
        let joint = if self.dual_stack && partition != Partition::China { '-' } else { '.' };
        let fips = if self.fips { "-fips" } else { "" };
        Ok(RegistryHost(format!("{}.dkr{joint}ecr{fips}.{}.{suffix}", self.account, self.region)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(region: &str, fips: bool, dual_stack: bool) -> Result<String, InvalidName> {
        let account = "123456789012".parse().unwrap();
        let endpoint = EcrEndpoint { account, region: region.parse().unwrap(), fips, dual_stack };
        let host = endpoint.host()?;
        assert_eq!(host.as_ecr(), Some(endpoint), "{host}");
        Ok(host.to_string())
    }

    #[test]
    fn hosts_of_every_partition() {
        let cases = [
            ("us-east-1", false, false, "123456789012.dkr.ecr.us-east-1.amazonaws.com"),
            ("us-east-1", true, false, "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com"),
            ("us-east-1", false, true, "123456789012.dkr-ecr.us-east-1.on.aws"),
            ("us-east-1", true, true, "123456789012.dkr-ecr-fips.us-east-1.on.aws"),
            ("us-gov-west-1", true, false, "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", false, false, "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"),
            ("cn-north-1", false, true, "123456789012.dkr.ecr.cn-north-1.on.amazonwebservices.com.cn"),
            ("eusc-de-east-1", false, false, "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu"),
            ("us-iso-east-1", false, false, "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", false, false, "123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov"),
            ("eu-isoe-west-1", false, false, "123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk"),
            ("us-isof-south-1", false, false, "123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov"),
        ];
        for (region, fips, dual_stack, expected) in cases {
            assert_eq!(host(region, fips, dual_stack).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn hosts_of_the_api() {
        let host = |region: &str, fips, dual_stack| api_host(&region.parse().unwrap(), fips, dual_stack);
        assert_eq!(host("us-east-1", false, false), "api.ecr.us-east-1.amazonaws.com");
        assert_eq!(host("us-gov-west-1", true, false), "api.ecr-fips.us-gov-west-1.amazonaws.com");
        assert_eq!(host("eu-west-1", true, true), "ecr-fips.eu-west-1.api.aws");
        assert_eq!(host("cn-north-1", false, true), "ecr.cn-north-1.api.amazonwebservices.com.cn");
    }

    #[test]
    fn endpoints_that_do_not_exist() {
        assert!(host("cn-north-1", true, false).is_err());
        assert!(host("eusc-de-east-1", false, true).is_err());
    }

    #[test]
    fn hosts_that_are_not_ecr() {
        for text in ["docker.io", "127.0.0.1:5000", "12.dkr.ecr.us-east-1.amazonaws.com", "public.ecr.aws"] {
            assert_eq!(text.parse::<RegistryHost>().unwrap().as_ecr(), None, "{text}");
        }
    }

    #[test]
    fn loopback() {
        for text in ["localhost", "localhost:5000", "127.0.0.1:1", "127.9.9.9", "[::1]:5000"] {
            assert!(text.parse::<RegistryHost>().unwrap().is_loopback(), "{text}");
        }
        assert!(!"10.0.0.1:5000".parse::<RegistryHost>().unwrap().is_loopback());
    }

    #[test]
    fn what_is_no_host() {
        for text in ["", "https://example.com", "a/b", "a:b", "a..b", ":5000", "[::x]:1", "host:99999"] {
            assert!(text.parse::<RegistryHost>().is_err(), "{text}");
        }
    }
}

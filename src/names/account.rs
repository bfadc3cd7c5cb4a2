use super::InvalidName;

/// An AWS account id: 12 digits, leading zeros included.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(String);

super::string_name!(AccountId);

impl std::str::FromStr for AccountId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let digits = text.chars().all(|c| c.is_ascii_digit());
        if digits && text.len() == 12 {
            return Ok(AccountId(text.to_owned()));
        }
        let problem = if digits {
            format!("it has {} digits, an account id has 12", text.len())
        } else {
            "an account id has 12 digits and nothing else".to_owned()
        };
        let invalid = InvalidName::new(text, "an AWS account id", problem);
        Err(if digits && !text.is_empty() && text.len() < 12 {
            invalid.with_hint("leading zeros are part of the id; write it in quotes, as in `\"012345678901\"`")
        } else {
            invalid
        })
    }
}

impl AccountId {
    /// The account of AWS's own documentation, which is nobody's.
    pub fn example() -> Self {
        AccountId("123456789012".to_owned())
    }
}

/// An AWS region's code, as in `ap-northeast-2`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(String);

super::string_name!(Region);

impl Region {
    /// The region of AWS's own documentation.
    pub fn example() -> Self {
        Region("us-east-1".to_owned())
    }
}

impl std::str::FromStr for Region {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let well_formed = text.split('-').count() >= 3
            && text
                .split('-')
                .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
            && text.ends_with(|c: char| c.is_ascii_digit());
        if well_formed {
            return Ok(Region(text.to_owned()));
        }
        Err(InvalidName::new(text, "an AWS region", "a region looks like `us-east-1` or `ap-northeast-2`"))
    }
}

/// The name of an IAM role, as in `arn:aws:iam::123456789012:role/push`. Source: IAM user guide, "IAM ARNs".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleArn(String);

super::string_name!(RoleArn);

impl RoleArn {
    /// The account that the role is in.
    pub fn account(&self) -> Option<AccountId> {
        self.0.split(':').nth(4)?.parse().ok()
    }
}

impl std::str::FromStr for RoleArn {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let well_formed = match parts.as_slice() {
            ["arn", partition, "iam", "", account, role] => {
                partition.starts_with("aws")
                    && account.parse::<AccountId>().is_ok()
                    && role
                        .strip_prefix("role/")
                        .is_some_and(|name| !name.is_empty() && !name.contains(char::is_whitespace))
            }
            _ => false,
        };
        match well_formed {
            true => Ok(RoleArn(text.to_owned())),
            false => Err(InvalidName::new(text, "the ARN of a role", "it has another form")
                .with_hint("a role's ARN looks like `arn:aws:iam::123456789012:role/NAME`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts() {
        assert!("123456789012".parse::<AccountId>().is_ok());
        let short = "12345".parse::<AccountId>().unwrap_err();
        assert_eq!(short.to_string(), "`12345` is not an AWS account id: it has 5 digits, an account id has 12");
        assert!(short.hint().is_some());
        assert!("12345678901x".parse::<AccountId>().unwrap_err().hint().is_none());
    }

    #[test]
    fn the_examples_are_legal() {
        assert_eq!(AccountId::example().as_str().parse(), Ok(AccountId::example()));
        assert_eq!(Region::example().as_str().parse(), Ok(Region::example()));
    }

    #[test]
    fn regions() {
        for text in ["us-east-1", "us-gov-west-1", "eusc-de-east-1", "us-isob-east-1"] {
            assert!(text.parse::<Region>().is_ok(), "{text}");
        }
        for text in ["", "us-east", "us_east_1", "US-EAST-1", "us-east-1a"] {
            assert!(text.parse::<Region>().is_err(), "{text}");
        }
    }
}

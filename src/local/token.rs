//! Secrets of the server: authorization tokens, signed links and ids that nobody can guess.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use crate::local::clock::Timestamp;
use crate::local::store::write_atomically;

/// How long an authorization token is good. Source: ECR user guide, "Private registry authentication".
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
/// The user name that goes with every token of ECR's.
const USER: &str = "AWS";
/// In bytes; the length that HMAC-SHA256 uses in full.
const KEY_LENGTH: usize = 32;
/// What makes two tokens of the same second differ, in bytes.
const NONCE_LENGTH: usize = 16;
/// The expiry and the nonce, which are what is signed.
const SIGNED_LENGTH: usize = size_of::<i64>() + NONCE_LENGTH;

/// Issues tokens and recognises them again, also after a restart: a token carries its own expiry, signed with a
/// key that lies in the data folder.
pub struct Tokens {
    key: hmac::Key,
    random: SystemRandom,
    /// Those that are taken for expired on request.
    revoked: Mutex<BTreeSet<String>>,
}

/// A token as `GetAuthorizationToken` hands it out.
pub struct Issued {
    /// base64 of `AWS:<password>`, ready for a `Basic` header.
    pub token: String,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// It carries no credentials.
    Missing,
    /// Its credentials were not issued here.
    Unknown,
    /// They were good once.
    Expired,
}

impl Tokens {
    /// Reads the key, or makes one where there is none.
    pub fn open(file: &Path) -> io::Result<Self> {
        let random = SystemRandom::new();
        let key = match std::fs::read(file) {
            Ok(key) if key.len() == KEY_LENGTH => key,
            Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "the key has the wrong length")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = draw::<KEY_LENGTH>(&random)?.to_vec();
                write_atomically(file, &[&key])?;
                key
            }
            Err(error) => return Err(error),
        };
        Ok(Tokens { key: hmac::Key::new(hmac::HMAC_SHA256, &key), random, revoked: Mutex::default() })
    }

    /// A new token; those issued before stay good.
    pub fn issue(&self, now: Timestamp) -> io::Result<Issued> {
        let expires_at = now.after(LIFETIME);
        let mut password = expires_at.whole_seconds().to_be_bytes().to_vec();
        password.extend(draw::<NONCE_LENGTH>(&self.random)?);
        password.extend(hmac::sign(&self.key, &password).as_ref());
        let token = STANDARD.encode(format!("{USER}:{}", URL_SAFE_NO_PAD.encode(password)));
        Ok(Issued { token, expires_at: Timestamp::from_seconds(expires_at.whole_seconds()) })
    }

    /// Whether the value of an `Authorization` header lets in.
    pub fn check(&self, authorization: Option<&str>, now: Timestamp) -> Result<(), Denied> {
        let (scheme, token) = authorization.and_then(|value| value.split_once(' ')).ok_or(Denied::Missing)?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(Denied::Unknown);
        }
        let expires_at = self.expiry(token.trim()).ok_or(Denied::Unknown)?;
        let revoked = || self.revoked.lock().unwrap_or_else(PoisonError::into_inner).contains(token.trim());
        if now < expires_at && !revoked() { Ok(()) } else { Err(Denied::Expired) }
    }

    /// Takes the token of an `Authorization` header for expired from now on, until the server ends.
    pub fn revoke(&self, authorization: &str) {
        let token = authorization.split_once(' ').map_or(authorization, |(_, token)| token).trim();
        self.revoked.lock().unwrap_or_else(PoisonError::into_inner).insert(token.to_owned());
    }

    fn expiry(&self, token: &str) -> Option<Timestamp> {
        let credentials = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
        let (user, password) = credentials.split_once(':')?;
        let password = URL_SAFE_NO_PAD.decode(password).ok()?;
        let (signed, signature) = password.split_at_checked(SIGNED_LENGTH)?;
        hmac::verify(&self.key, signed, signature).ok()?;
        let expiry = signed.first_chunk::<{ size_of::<i64>() }>()?;
        (user == USER).then(|| Timestamp::from_seconds(i64::from_be_bytes(*expiry)))
    }

    /// A signature over a text, fit for a URL.
    pub fn sign(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, text.as_bytes()))
    }

    /// Whether [`sign`](Tokens::sign) gave this signature for this text.
    pub fn verify(&self, text: &str, signature: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(signature)
            .is_ok_and(|signature| hmac::verify(&self.key, text.as_bytes(), &signature).is_ok())
    }

    /// A random UUID, version 4, the form of ECR's upload ids. Source: RFC 9562, section 5.4.
    pub fn uuid(&self) -> io::Result<String> {
        let mut bytes = draw::<16>(&self.random)?;
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut text = String::with_capacity(36);
        for (index, byte) in bytes.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Ok(text)
    }
}

fn draw<const N: usize>(random: &SystemRandom) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    random.fill(&mut bytes).map_err(|_| io::Error::other("the system gives no random bytes"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }

    fn tokens(folder: &tempfile::TempDir) -> Tokens {
        Tokens::open(&folder.path().join("key")).unwrap()
    }

    #[test]
    fn a_token_lives_twelve_hours_and_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let header = format!("Basic {}", tokens(&folder).issue(now()).unwrap().token);
        let restarted = tokens(&folder);
        let hours = |hours: u64| now().after(Duration::from_secs(hours * 3600));
        assert_eq!(restarted.check(Some(&header), hours(11)), Ok(()));
        assert_eq!(restarted.check(Some(&header), hours(12)), Err(Denied::Expired));
    }

    #[test]
    fn what_was_not_issued_here_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = tokens(&folder);
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        let issued = tokens.issue(now()).unwrap().token;
        let password = String::from_utf8(STANDARD.decode(&issued).unwrap()).unwrap()[4..].to_owned();
        let mut forged = URL_SAFE_NO_PAD.decode(&password).unwrap();
        forged[0] ^= 1;
        for header in [
            basic("AWS:secret"),
            basic(&format!("root:{password}")),
            basic(&format!("AWS:{}", URL_SAFE_NO_PAD.encode(forged))),
            format!("Bearer {issued}"),
        ] {
            assert_eq!(tokens.check(Some(&header), now()), Err(Denied::Unknown), "{header}");
        }
        assert_eq!(tokens.check(None, now()), Err(Denied::Missing));
    }

    #[test]
    fn signatures_and_ids() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = tokens(&folder);
        assert!(tokens.verify("a", &tokens.sign("a")));
        assert!(!tokens.verify("b", &tokens.sign("a")));
        let uuid = tokens.uuid().unwrap();
        assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_ne!(uuid, tokens.uuid().unwrap());
    }
}

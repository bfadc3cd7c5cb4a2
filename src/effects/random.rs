//! Chance.

use ring::rand::{SecureRandom, SystemRandom};

/// A text of 32 hexadecimal digits that nobody can guess; `None` if the system has no randomness to give.
pub fn secret() -> Option<String> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

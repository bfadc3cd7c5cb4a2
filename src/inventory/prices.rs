//! What storage costs. Prices change, so all of them stand here, with their date, and can be stated.

use serde::Serialize;

/// Where and when these were the prices. Second-hand: cloudburn.io, hub.pointfive.co and devjapan.com, the latter from the
/// Price List API; AWS's own page was not read.
pub const PRICES_OF: &str = "us-east-1, March 2026";

/// The archive's first tier ends here. Source: as for the prices.
const FIRST_TIER_GB: f64 = 150_000.0;

/// Prices in USD for a GB-month, of compressed layers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Prices {
    /// The standard storage.
    pub storage: f64,
    /// The archive, up to 150 TB of an account and region: the same.
    pub archive: f64,
    /// The archive above that.
    pub archive_above_150tb: f64,
    /// Some of them were stated by the user.
    pub stated: bool,
}

impl Default for Prices {
    fn default() -> Self {
        Prices { storage: 0.10, archive: 0.10, archive_above_150tb: 0.07, stated: false }
    }
}

impl Prices {
    /// The names by which prices are stated.
    pub const KEYS: [&str; 3] = ["storage", "archive", "archive_above_150tb"];

    /// States a price.
    ///
    /// # Errors
    /// In words, if there is no such price or it is no number of USD.
    pub fn state(&mut self, key: &str, value: &str) -> Result<(), String> {
        let usd = value.trim().parse::<f64>().ok().filter(|usd| usd.is_finite() && *usd >= 0.0);
        let usd = usd.ok_or_else(|| format!("`{value}` is no price in USD"))?;
        let place = match key.trim() {
            "storage" => &mut self.storage,
            "archive" => &mut self.archive,
            "archive_above_150tb" => &mut self.archive_above_150tb,
            other => return Err(format!("there is no price `{other}`; there are {}", Self::KEYS.join(", "))),
        };
        *place = usd;
        self.stated = true;
        Ok(())
    }

    /// A month of so many bytes in the standard storage.
    pub fn of_storage(&self, bytes: u64) -> f64 {
        gigabytes(bytes) * self.storage
    }

    /// A month of so many bytes in the archive, if nothing else is there.
    pub fn of_archive(&self, bytes: u64) -> f64 {
        let all = gigabytes(bytes);
        all.min(FIRST_TIER_GB) * self.archive + (all - FIRST_TIER_GB).max(0.0) * self.archive_above_150tb
    }
}

/// GB as they are billed: of 10^9 bytes.
pub fn gigabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_saves_nothing_below_150_tb() {
        let prices = Prices::default();
        assert_eq!(prices.of_archive(1_000_000_000_000), prices.of_storage(1_000_000_000_000));
        assert!(prices.of_archive(200_000_000_000_000) < prices.of_storage(200_000_000_000_000));
    }

    #[test]
    fn stating() {
        let mut prices = Prices::default();
        assert_eq!(prices.state("storage", "0.11"), Ok(()));
        assert_eq!((prices.storage, prices.stated), (0.11, true));
        assert_eq!(prices.state("storage", "-1"), Err("`-1` is no price in USD".to_owned()));
        assert!(prices.state("gold", "1").unwrap_err().contains("there are storage, archive"));
    }
}

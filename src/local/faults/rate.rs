//! How many a second are fine.

use std::time::Instant;

/// A bucket of permissions that fills up at a steady rate. AWS throttles by token buckets; their sizes are not
/// published for ECR. Source: EC2 API reference, "Request throttling", for the algorithm.
pub struct Bucket {
    per_second: f64,
    most: f64,
    left: f64,
    filled: Option<Instant>,
}

impl Bucket {
    /// A full one.
    pub fn new(per_second: u32, burst: u32) -> Self {
        Bucket { per_second: per_second.into(), most: burst.into(), left: burst.into(), filled: None }
    }

    /// Takes a permission, if there is one.
    pub fn take(&mut self, now: Instant) -> bool {
        let passed = self.filled.map_or(0.0, |filled| now.saturating_duration_since(filled).as_secs_f64());
        self.filled = Some(now);
        self.left = self.per_second.mul_add(passed, self.left).min(self.most);
        let has_one = self.left >= 1.0;
        if has_one {
            self.left -= 1.0;
        }
        has_one
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let began = Instant::now();
        let mut bucket = Bucket::new(10, 20);
        let taken =
            |bucket: &mut Bucket, at: u64| (0..100).filter(|_| bucket.take(began + Duration::from_millis(at))).count();
        assert_eq!(taken(&mut bucket, 0), 20);
        assert_eq!(taken(&mut bucket, 1000), 10);
        assert_eq!(taken(&mut bucket, 1050), 0);
        assert_eq!(taken(&mut bucket, 60_000), 20);
    }
}

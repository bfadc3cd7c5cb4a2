//! What goes wrong on request: faults that strike named operations, so that tests can see what comes of them.

mod answer;
mod file;
mod gate;
mod quotas;
mod rate;
mod rules;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;

use crate::local::ecr::Ecr;
use crate::local::operation::Operation;
use rate::Bucket;

pub use answer::Reset;
pub use file::FileError;
pub use quotas::ecr as ecr_quotas;
pub use rules::{Answer, Deed, Fault, Lie, Moment, Nth};

/// The faults of a server, and how often each has had its occasion.
#[derive(Default)]
pub struct Faults(Mutex<Arc<Vec<Armed>>>);

/// A fault that waits for its occasion.
struct Armed {
    fault: Fault,
    seen: AtomicU64,
    bucket: Option<Mutex<Bucket>>,
}

/// The faults that strike one request, in the order of the file.
pub struct Struck {
    all: Arc<Vec<Armed>>,
    which: Vec<usize>,
}

/// What a request comes to before it reaches its door.
pub enum Verdict {
    /// It goes on.
    GoOn(Request),
    /// It is answered here.
    Answer(Response),
}

impl Faults {
    /// Arms these faults.
    pub fn new(faults: Vec<Fault>) -> Self {
        let all = Faults::default();
        all.replace(faults);
        all
    }

    /// Arms these faults in place of those that were armed; every count begins anew.
    pub fn replace(&self, faults: Vec<Fault>) {
        let armed = faults.into_iter().map(Armed::new).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(armed);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.armed().is_empty()
    }

    /// Counts the operation, and finds the faults whose turn it is.
    pub fn strike(&self, operation: &Operation) -> Struck {
        let all = self.armed();
        let which = (0..all.len()).filter(|at| all[*at].strikes(operation)).collect();
        Struck { all, which }
    }

    fn armed(&self) -> Arc<Vec<Armed>> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Armed {
    fn new(fault: Fault) -> Self {
        let bucket = match fault.deed {
            Some(Deed::Rate { per_second, burst }) => Some(Mutex::new(Bucket::new(per_second, burst))),
            _ => None,
        };
        Armed { fault, seen: AtomicU64::new(0), bucket }
    }

    fn strikes(&self, operation: &Operation) -> bool {
        if !self.fault.is_about(operation) {
            return false;
        }
        let occurrence = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        self.fault.nth.contains(occurrence)
            && self
                .bucket
                .as_ref()
                .is_none_or(|bucket| !bucket.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now()))
    }
}

impl Struck {
    /// What strikes, by the words that the log has for it.
    pub fn words(&self) -> Vec<&'static str> {
        self.faults().flat_map(Fault::words).collect()
    }

    fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.which.iter().map(|at| &self.all[*at].fault)
    }

    /// What strikes before the operation takes effect.
    ///
    /// # Errors
    /// If the connection is to be reset.
    pub async fn before(&self, ecr: &Ecr, operation: &Operation, request: Request) -> Result<Verdict, Reset> {
        for fault in self.faults().filter(|fault| fault.when == Moment::Before) {
            fault.wait().await;
            let answered = match &fault.deed {
                Some(Deed::Answer(wanted)) => wanted.response(operation),
                Some(Deed::Rate { .. }) => answer::throttled(operation),
                Some(Deed::ExpireToken) => {
                    let authorization = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
                    ecr.tokens.revoke(authorization.unwrap_or_default());
                    // The registry refuses the token by itself from now on.
                    match operation.is_of_registry() {
                        true => continue,
                        false => answer::expired_credentials(),
                    }
                }
                Some(Deed::Reset) => return Err(Reset),
                Some(Deed::Truncate(_) | Deed::Lie(_)) | None => continue,
            };
            // Whoever is still sending would take an early answer for a broken line.
            answer::swallow(request).await;
            return Ok(Verdict::Answer(answered));
        }
        Ok(Verdict::GoOn(request))
    }

    /// What strikes when the operation has taken effect.
    ///
    /// # Errors
    /// If the connection is to be reset.
    pub async fn after(&self, operation: &Operation, mut response: Response) -> Result<Response, Reset> {
        for fault in self.faults() {
            if fault.when == Moment::After {
                fault.wait().await;
            }
            response = match &fault.deed {
                Some(Deed::Answer(wanted)) if fault.when == Moment::After => wanted.response(operation),
                Some(Deed::Reset) if fault.when == Moment::After => return Err(Reset),
                Some(Deed::Truncate(bytes)) => answer::truncated(response, *bytes),
                Some(Deed::Lie(lie)) => answer::lying(response, *lie).await,
                _ => response,
            };
        }
        Ok(response)
    }
}
